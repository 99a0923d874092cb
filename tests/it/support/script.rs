//! A server on 127.0.0.1 that follows a script and says where the dialogue went another way.
//!
//! `S: text` says a line; `C: text` expects exactly that line; `S> text` says and `C> text` expects bytes
//! without a line end. In `S:`, `S>` and `C>`, `\r \n \t \0 \\ \xNN` are bytes and `${name}` is what
//! [`Script::put`] gave; `$tag` in what is said is the first word of the client's last line; `*` in `C:`
//! stands for anything. Further steps:
//! - `TLS`: shake hands now. `TLS REFUSED`: the client must break off, at the latest after the handshake
//!   and before its first byte. On a server of [`Script::implicit`] each connection begins with `TLS`.
//! - `EOF`: the client closes now and says nothing more. `HANG`: answer nothing until the client closes;
//!   it may close already while what stands before `HANG` is being said.
//! - `CUT`: close in the middle. `SPLIT n`: from here on send in pieces of n bytes.
//! - `---`: what follows is for the next connection; `--- maybe`: which need not come.
//!
//! [`Server::finish`] waits for the end, fails the test if it went another way, and gives what was heard.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use mailtui::config::{Account, Leave, Protocol, SecretSource, Tls};
use mailtui::net::Interrupt;
use openssl::ssl::{SslAcceptor, SslMethod};
use rustix::event::{PollFd, PollFlags, poll};

use super::certs::{self, Identity};
use super::dialogue::Session;

/// What to say, what to expect, and who to be.
pub struct Script {
    text: String,
    identity: Identity,
    implicit: bool,
    values: HashMap<String, Vec<u8>>,
    acceptor: Option<SslAcceptor>,
}

impl Script {
    pub fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            identity: certs::good().clone(),
            implicit: false,
            values: HashMap::new(),
            acceptor: None,
        }
    }

    /// Begins each connection with TLS.
    pub fn implicit(mut self) -> Self {
        self.implicit = true;
        self
    }

    /// Shows this certificate in place of a good one.
    pub fn identity(mut self, identity: &Identity) -> Self {
        self.identity = identity.clone();
        self
    }

    /// Speaks TLS with these settings in place of the usual ones.
    pub fn acceptor(mut self, acceptor: SslAcceptor) -> Self {
        self.acceptor = Some(acceptor);
        self
    }

    /// What `${name}` stands for.
    pub fn put(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.values.insert(name.to_owned(), bytes.into());
        self
    }

    /// Starts to serve.
    pub fn start(self) -> Server {
        let mut connections = vec![(false, Vec::new())];
        for (i, line) in self.text.lines().enumerate() {
            let line = line.trim_start();
            match line {
                "" => {}
                "--- maybe" if i == 0 => connections[0].0 = true,
                "---" => connections.push((false, Vec::new())),
                "--- maybe" => connections.push((true, Vec::new())),
                _ => connections.last_mut().unwrap().1.push((i + 1, Step::parse(line, &self.values))),
            }
        }
        if self.implicit {
            for (_, steps) in &mut connections {
                if !steps.first().is_some_and(|(_, s)| matches!(s, Step::TlsRefused)) {
                    steps.insert(0, (0, Step::Tls));
                }
            }
        }
        let acceptor = self.acceptor.unwrap_or_else(|| acceptor(&self.identity));
        Server::start(connections, Arc::new(acceptor))
    }
}

/// Usual TLS settings with this certificate.
pub fn acceptor(identity: &Identity) -> SslAcceptor {
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&identity.key).unwrap();
    acceptor.set_certificate(&identity.cert).unwrap();
    acceptor.build()
}

#[derive(Debug, Clone)]
pub(super) enum Step {
    Say(Vec<Piece>),
    ExpectLine(String),
    ExpectBytes(Vec<u8>),
    Tls,
    TlsRefused,
    Eof,
    Hang,
    Cut,
    Split(usize),
}

#[derive(Debug, Clone)]
pub(super) enum Piece {
    Bytes(Vec<u8>),
    Tag,
}

impl Step {
    fn parse(line: &str, values: &HashMap<String, Vec<u8>>) -> Self {
        let (word, rest) = line.split_at(line.len().min(2));
        let rest = rest.strip_prefix(' ').unwrap_or(rest);
        match word {
            "S:" => Self::Say([pieces(rest, values), vec![Piece::Bytes(b"\r\n".to_vec())]].concat()),
            "S>" => Self::Say(pieces(rest, values)),
            "C:" => Self::ExpectLine(rest.to_owned()),
            "C>" => match &pieces(rest, values)[..] {
                [Piece::Bytes(bytes)] => Self::ExpectBytes(bytes.clone()),
                other => panic!("C> takes bytes only: {other:?}"),
            },
            _ => match line.split_once(' ').unwrap_or((line, "")) {
                ("TLS", "") => Self::Tls,
                ("TLS", "REFUSED") => Self::TlsRefused,
                ("EOF", "") => Self::Eof,
                ("HANG", "") => Self::Hang,
                ("CUT", "") => Self::Cut,
                ("SPLIT", n) => Self::Split(n.parse().unwrap()),
                _ => panic!("not a step of a script: {line}"),
            },
        }
    }
}

fn pieces(text: &str, values: &HashMap<String, Vec<u8>>) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("$tag") {
            out.push(Piece::Bytes(std::mem::take(&mut bytes)));
            out.push(Piece::Tag);
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let (name, after) = after.split_once('}').unwrap();
            bytes.extend(values.get(name).unwrap_or_else(|| panic!("nothing was put for {name}")));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('\\') {
            let (byte, used) = match after.as_bytes()[0] {
                b'r' => (b'\r', 1),
                b'n' => (b'\n', 1),
                b't' => (b'\t', 1),
                b'0' => (0, 1),
                b'\\' => (b'\\', 1),
                b'x' => (u8::from_str_radix(&after[1..3], 16).unwrap(), 3),
                other => panic!("not an escape of a script: {}", other as char),
            };
            bytes.push(byte);
            rest = &after[used..];
        } else {
            bytes.extend(c.to_string().as_bytes());
            rest = &rest[c.len_utf8()..];
        }
    }
    out.push(Piece::Bytes(bytes));
    out
}

/// Everything that was heard, over all connections.
#[derive(Debug, Default, Clone)]
pub struct Heard {
    /// Outside TLS: what anybody on the line could read.
    pub clear: Vec<u8>,
    /// Inside TLS.
    pub sealed: Vec<u8>,
}

impl Heard {
    /// Promise of X1 and X2: this text did not cross the line in clear, nor in base64.
    pub fn assert_not_in_clear(&self, secret: &str) {
        use base64::Engine;
        let clear = String::from_utf8_lossy(&self.clear).into_owned();
        assert!(!clear.contains(secret), "the secret crossed the line in clear: {clear:?}");
        for word in clear.split_whitespace() {
            let decoded = base64::engine::general_purpose::STANDARD.decode(word).unwrap_or_default();
            assert!(
                !String::from_utf8_lossy(&decoded).contains(secret),
                "the secret crossed in base64: {clear:?}"
            );
        }
    }
}

type Connection = (bool, Vec<(usize, Step)>);

/// A server that is following its script.
pub struct Server {
    pub port: u16,
    bell: Interrupt,
    heard: Arc<Mutex<Heard>>,
    thread: Option<JoinHandle<Vec<String>>>,
}

impl Server {
    fn start(connections: Vec<Connection>, acceptor: Arc<SslAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let bell = Interrupt::new().unwrap();
        let heard = Arc::<Mutex<Heard>>::default();
        let (ring, note) = (bell.clone(), heard.clone());
        let thread = std::thread::spawn(move || serve(&listener, &ring, connections, &acceptor, &note));
        Self { port, bell, heard, thread: Some(thread) }
    }

    /// An account of user `ann` here, with the test authority as `ca_file`.
    pub fn account(&self, protocol: Protocol, tls: Tls) -> Account {
        Account {
            name: "test".into(),
            email: "ann@example.org".into(),
            display_name: String::new(),
            protocol,
            host: "localhost".into(),
            port: self.port,
            tls,
            allow_plaintext: false,
            user: "ann".into(),
            password: SecretSource::Prompt,
            auth: Default::default(),
            compress: Default::default(),
            folders: Vec::new(),
            ca_file: Some(certs::ca_file()),
            pin: None,
            leave_on_server: Leave::Forever,
            delete_on_server_when_deleted_here: true,
            keep_bodies: mailtui::config::KeepBodies::default(),
            portion: mailtui::config::Portion::default(),
            check_every: Duration::from_secs(300),
            spool: None,
            sending: Default::default(),
        }
    }

    /// Waits until every connection has ended and fails the test if one went another way than written,
    /// or did not come.
    pub fn finish(mut self) -> Heard {
        self.bell.ring();
        let wrong = self.thread.take().unwrap().join().unwrap();
        assert!(wrong.is_empty(), "the dialogue went another way:\n{}", wrong.join("\n"));
        self.heard.lock().unwrap().clone()
    }

    /// For a test that breaks off where it happens to be: how the dialogue went does not matter.
    pub fn give_up(mut self) {
        self.bell.ring();
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.bell.ring();
        if self.thread.take().is_some() && !std::thread::panicking() {
            panic!("a scripted server has to be finished, else nobody looks at how it went");
        }
    }
}

fn serve(
    listener: &TcpListener,
    bell: &Interrupt,
    connections: Vec<Connection>,
    acceptor: &Arc<SslAcceptor>,
    heard: &Arc<Mutex<Heard>>,
) -> Vec<String> {
    let mut waiting = connections.into_iter();
    let mut running = Vec::new();
    loop {
        let mut fds = [PollFd::new(listener, PollFlags::IN), PollFd::new(bell, PollFlags::IN)];
        let _ = poll(&mut fds, None);
        while let Ok((stream, _)) = listener.accept() {
            // One more than the script knows of is closed at once.
            let Some((_, steps)) = waiting.next() else { continue };
            stream.set_nonblocking(false).unwrap();
            let (acceptor, heard) = (acceptor.clone(), heard.clone());
            running.push(std::thread::spawn(move || Session::new(stream, acceptor, heard).follow(&steps)));
        }
        if bell.is_rung() {
            break;
        }
    }
    let mut wrong: Vec<String> = running.into_iter().filter_map(|t| t.join().unwrap().err()).collect();
    wrong.extend(waiting.filter(|(maybe, _)| !maybe).map(|_| "a connection was never made".to_owned()));
    wrong
}
