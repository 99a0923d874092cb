//! A small mail server on a wire: IMAP or POP3 over what the server in memory holds, so that sessions take a
//! few KiB and milliseconds. It can do all that mailtui asks for, less what it is told to lack; what it lacks it
//! does not understand either.

mod answers;
mod folders;
mod imap;
mod pop3;
mod words;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;

use mailtui::config::Protocol;
use mailtui::net::Interrupt;
use mailtui::protocol::memory::Server;
use rustix::event::{PollFd, PollFlags, poll};

/// What it can do beside the oldest IMAP4rev1 and POP3.
const IMAP: &str =
    "IMAP4rev1 IDLE UIDPLUS MOVE CONDSTORE ESEARCH LITERAL+ SPECIAL-USE LIST-EXTENDED LIST-STATUS OBJECTID";
const POP3: &str = "TOP UIDL USER PIPELINING";

/// A server that takes connections on a port of 127.0.0.1, in clear; anybody may sign in.
pub struct Office {
    pub port: u16,
    bell: Interrupt,
    thread: Option<JoinHandle<()>>,
}

impl Office {
    pub fn open(server: Server, protocol: Protocol, lacks: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let bell = Interrupt::new().unwrap();
        let all = if protocol == Protocol::Imap { IMAP } else { POP3 };
        let mut offers: Vec<&str> = all.split(' ').filter(|word| !lacks.contains(word)).collect();
        if server.has_labels() {
            offers.retain(|word| *word != "OBJECTID");
            offers.push("X-GM-EXT-1");
        }
        let ring = bell.clone();
        let thread = std::thread::spawn(move || {
            while !ring.is_rung() {
                let mut fds = [PollFd::new(&listener, PollFlags::IN), PollFd::new(&ring, PollFlags::IN)];
                let _ = poll(&mut fds, None);
                while let Ok((stream, _)) = listener.accept() {
                    let (server, offers) = (server.clone(), offers.clone());
                    std::thread::spawn(move || {
                        let line = Line::new(stream);
                        // A session ends when the line does.
                        let _ = match protocol {
                            Protocol::Imap => imap::serve(line, &server, offers),
                            Protocol::Pop3 => pop3::serve(line, &server, &offers),
                            Protocol::Local => panic!("there is no such server"),
                        };
                    });
                }
            }
        });
        Self { port, bell, thread: Some(thread) }
    }
}

impl Drop for Office {
    fn drop(&mut self) {
        self.bell.ring();
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The line is at its end, or the server says no more over it.
struct Gone;

impl From<mailtui::error::Error> for Gone {
    fn from(_: mailtui::error::Error) -> Self {
        Self
    }
}

type Said<T> = Result<T, Gone>;

/// A connection, whose bell rings when the client has said something.
struct Line {
    stream: TcpStream,
    heard: Receiver<Vec<u8>>,
    buffer: Vec<u8>,
    bell: Interrupt,
}

impl Line {
    fn new(stream: TcpStream) -> Self {
        stream.set_nonblocking(false).unwrap();
        stream.set_nodelay(true).unwrap();
        let bell = Interrupt::new().unwrap();
        let (tell, heard) = channel();
        let (mut ear, ring) = (stream.try_clone().unwrap(), bell.clone());
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(n) = ear.read(&mut piece)
                && n > 0
                && tell.send(piece[..n].to_vec()).is_ok()
            {
                ring.ring();
            }
            drop(tell);
            ring.ring();
        });
        Self { stream, heard, buffer: Vec::new(), bell }
    }

    fn say(&mut self, bytes: &[u8]) -> Said<()> {
        self.stream.write_all(bytes).map_err(|_| Gone)
    }

    fn fill(&mut self) -> Said<()> {
        self.buffer.extend(self.heard.recv().map_err(|_| Gone)?);
        Ok(())
    }

    /// The next line without its end.
    fn line(&mut self) -> Said<Vec<u8>> {
        loop {
            if let Some(end) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let mut line: Vec<u8> = self.buffer.drain(..end + 2).collect();
                line.truncate(end);
                return Ok(line);
            }
            self.fill()?;
        }
    }

    fn exactly(&mut self, count: usize) -> Said<Vec<u8>> {
        while self.buffer.len() < count {
            self.fill()?;
        }
        Ok(self.buffer.drain(..count).collect())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        // Ends the ear too.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}
