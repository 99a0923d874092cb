//! A server for sending, in clear on 127.0.0.1: it keeps what it was given, and fails where it is told to.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use mailtui::config::{Account, Tls};
use mailtui::net::Interrupt;
use rustix::event::{PollFd, PollFlags, poll};

/// A mail that it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub from: String,
    pub to: Vec<String>,
    /// With dots as they were meant.
    pub bytes: Vec<u8>,
}

/// What goes wrong. Counts are over all connections since it was told.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// It closes after so many bytes from the client.
    pub cut_heard: Option<usize>,
    /// It closes after so many bytes of its own.
    pub cut_said: Option<usize>,
    /// It says this in place of the answer to a command that begins so; `.`: to the end of a mail.
    pub answers: Vec<(String, String)>,
    /// It says nothing to the command that begins so, tells of it, and waits for the client to go.
    pub stall: Option<String>,
    /// It closes in place of the answer to the command that begins so; `.`: it has the mail then.
    pub lost: Option<String>,
    /// What it offers beside AUTH; `None`: PIPELINING, 8BITMIME, SIZE.
    pub offers: Option<Vec<String>>,
}

#[derive(Default)]
struct State {
    taken: Vec<Taken>,
    faults: Faults,
    commands: Vec<String>,
    connections: usize,
    passed: Arc<Passed>,
}

pub struct Mta {
    pub port: u16,
    state: Arc<Mutex<State>>,
    stalled: Receiver<()>,
    bell: Interrupt,
    thread: Option<JoinHandle<()>>,
}

/// Bytes that passed.
#[derive(Default)]
struct Passed {
    heard: AtomicUsize,
    said: AtomicUsize,
}

impl Mta {
    pub fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (bell, state) = (Interrupt::new().unwrap(), Arc::<Mutex<State>>::default());
        let (tell, stalled) = channel();
        let (ring, own) = (bell.clone(), state.clone());
        let thread = std::thread::spawn(move || {
            while !ring.is_rung() {
                let mut fds = [PollFd::new(&listener, PollFlags::IN), PollFd::new(&ring, PollFlags::IN)];
                let _ = poll(&mut fds, None);
                while let Ok((stream, _)) = listener.accept() {
                    stream.set_nonblocking(false).unwrap();
                    stream.set_nodelay(true).unwrap();
                    let passed = {
                        let mut state = own.lock().unwrap();
                        state.connections += 1;
                        state.passed.clone()
                    };
                    let (state, tell) = (own.clone(), tell.clone());
                    std::thread::spawn(move || {
                        let session = Session { stream, state, tell, passed, unread: Vec::new() };
                        // It ends when the line does.
                        let _ = session.serve();
                    });
                }
            }
        });
        Self { port, state, stalled, bell, thread: Some(thread) }
    }

    pub fn fail(&self, faults: Faults) {
        let mut state = self.state.lock().unwrap();
        (state.faults, state.passed) = (faults, Arc::default());
    }

    pub fn taken(&self) -> Vec<Taken> {
        self.state.lock().unwrap().taken.clone()
    }

    pub fn commands(&self) -> Vec<String> {
        self.state.lock().unwrap().commands.clone()
    }

    pub fn connections(&self) -> usize {
        self.state.lock().unwrap().connections
    }

    /// How often a recipient got a mail.
    pub fn copies(&self, addr: &str) -> usize {
        self.taken().iter().flat_map(|mail| mail.to.clone()).filter(|to| to == addr).count()
    }

    /// How much it heard and said since it was told of faults.
    pub fn passed(&self) -> (usize, usize) {
        let passed = self.state.lock().unwrap().passed.clone();
        (passed.heard.load(Ordering::SeqCst), passed.said.load(Ordering::SeqCst))
    }

    /// Waits until it stalls.
    pub fn wait_stalled(&self) {
        self.stalled.recv_timeout(std::time::Duration::from_secs(60)).unwrap();
    }

    /// How an account reaches it.
    pub fn outlet(&self, account: &Account) -> Account {
        Account { host: "127.0.0.1".into(), port: self.port, tls: Tls::None, ..account.clone() }
    }
}

impl Drop for Mta {
    fn drop(&mut self) {
        self.bell.ring();
        let _ = self.thread.take().unwrap().join();
    }
}

struct Session {
    stream: TcpStream,
    state: Arc<Mutex<State>>,
    tell: Sender<()>,
    passed: Arc<Passed>,
    unread: Vec<u8>,
}

impl Session {
    fn serve(mut self) -> std::io::Result<()> {
        let mut mail = Taken { from: String::new(), to: Vec::new(), bytes: Vec::new() };
        self.say("220 mta.example ESMTP")?;
        loop {
            let line = self.line()?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let upper = line.to_ascii_uppercase();
            self.state.lock().unwrap().commands.push(line.clone());
            if self.fails(&upper)? {
                continue;
            }
            let path = || {
                line.split_once('<').and_then(|(_, p)| p.split_once('>')).map_or("", |(p, _)| p).to_owned()
            };
            match upper.split([' ', ':']).next().unwrap_or_default() {
                "EHLO" => {
                    let offers = self.state.lock().unwrap().faults.offers.clone();
                    let usual = ["PIPELINING", "8BITMIME", "SIZE 50000000"].map(str::to_owned).to_vec();
                    let mut lines = vec!["mta.example".to_owned()];
                    lines.extend(offers.unwrap_or(usual));
                    lines.push("AUTH PLAIN".to_owned());
                    let last = lines.len() - 1;
                    for (at, line) in lines.iter().enumerate() {
                        self.say(&format!("250{}{line}", if at == last { ' ' } else { '-' }))?;
                    }
                }
                "AUTH" => self.say("235 welcome")?,
                "MAIL" => {
                    mail = Taken { from: path(), to: Vec::new(), bytes: Vec::new() };
                    self.say("250 ok")?;
                }
                "RCPT" => {
                    mail.to.push(path());
                    self.say("250 ok")?;
                }
                "DATA" => {
                    self.say("354 go on")?;
                    loop {
                        let line = self.line_with_end()?;
                        if line == b".\r\n" {
                            break;
                        }
                        mail.bytes.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
                    }
                    let refused = self.answer_to(".");
                    if refused.is_none() {
                        // It is responsible for it from here on, whoever hears of that.
                        self.state.lock().unwrap().taken.push(mail.clone());
                    }
                    if self.fails(".")? {
                        continue;
                    }
                    self.say("250 taken")?;
                }
                "RSET" | "NOOP" => self.say("250 ok")?,
                "QUIT" => {
                    self.say("221 bye")?;
                    return self.stream.shutdown(Shutdown::Both);
                }
                _ => self.say("500 what")?,
            }
        }
    }

    fn answer_to(&self, command: &str) -> Option<String> {
        let state = self.state.lock().unwrap();
        let found = state.faults.answers.iter().find(|(start, _)| command.starts_with(start.as_str()));
        found.map(|(_, answer)| answer.clone())
    }

    /// Whether something else is said to this than usual.
    fn fails(&mut self, command: &str) -> std::io::Result<bool> {
        let stall = self.state.lock().unwrap().faults.stall.clone();
        if stall.is_some_and(|start| command.starts_with(&start)) {
            let _ = self.tell.send(());
            while self.stream.read(&mut [0; 512])? > 0 {}
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let lost = self.state.lock().unwrap().faults.lost.clone();
        if lost.is_some_and(|start| command.starts_with(&start)) {
            self.stream.shutdown(Shutdown::Both)?;
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        match self.answer_to(command) {
            Some(answer) => self.say(&answer).map(|()| true),
            None => Ok(false),
        }
    }

    fn say(&mut self, line: &str) -> std::io::Result<()> {
        let bytes = format!("{line}\r\n").into_bytes();
        let before = self.passed.said.fetch_add(bytes.len(), Ordering::SeqCst);
        let cut = self.state.lock().unwrap().faults.cut_said;
        if let Some(room) = cut.map(|cut| cut.saturating_sub(before)).filter(|room| *room < bytes.len()) {
            self.stream.write_all(&bytes[..room])?;
            self.stream.shutdown(Shutdown::Both)?;
            return Err(std::io::ErrorKind::BrokenPipe.into());
        }
        self.stream.write_all(&bytes)
    }

    fn line(&mut self) -> std::io::Result<Vec<u8>> {
        let mut line = self.line_with_end()?;
        while line.ends_with(b"\n") || line.ends_with(b"\r") {
            line.pop();
        }
        Ok(line)
    }

    fn line_with_end(&mut self) -> std::io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.unread.iter().position(|b| *b == b'\n') {
                return Ok(self.unread.drain(..=end).collect());
            }
            let cut = self.state.lock().unwrap().faults.cut_heard;
            let mut piece = [0; 4096];
            let room = match cut {
                Some(cut) => cut.saturating_sub(self.passed.heard.load(Ordering::SeqCst)).min(piece.len()),
                None => piece.len(),
            };
            let came = if room == 0 { 0 } else { self.stream.read(&mut piece[..room])? };
            if came == 0 {
                let _ = self.stream.shutdown(Shutdown::Both);
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            self.passed.heard.fetch_add(came, Ordering::SeqCst);
            self.unread.extend_from_slice(&piece[..came]);
        }
    }
}
