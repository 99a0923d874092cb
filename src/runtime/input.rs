//! The thread that reads the terminal, and the gate that makes it stop reading.

use std::io;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::decode::{Decoder, Input};
use super::inbox::Wakeup;
use crate::error::{Error, Kind, Result};
use crate::net::Interrupt;

/// More bytes than this at once may be the beginning of a paste: wait a moment for the rest.
const SUSPICIOUS: usize = 4;
const GATHER: Duration = Duration::from_millis(4);

/// What the thread of the screen asks of the input thread.
enum Request {
    /// Stop reading, answer, go on when the other end of the second channel is gone, and answer again
    /// when what was typed meanwhile is dropped.
    Pause(Sender<()>, Receiver<()>),
    /// The terminal was asked where the cursor is.
    ExpectColumn,
}

/// The input thread; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Hands {
    bell: Interrupt,
    requests: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

/// As long as this lives, nothing reads the terminal. What was typed meanwhile is dropped with it.
#[derive(Debug)]
pub(super) struct Paused {
    resume: Option<Sender<()>>,
    told: Receiver<()>,
}

impl Drop for Paused {
    fn drop(&mut self) {
        self.resume = None;
        // An error means that the thread has ended: it does not read either.
        let _ = self.told.recv();
    }
}

impl Hands {
    /// Starts reading `tty`.
    pub(super) fn start(tty: impl AsFd + Send + 'static, inbox: Sender<Wakeup>) -> Result<Self> {
        let bell = Interrupt::new()?;
        let (requests, asked) = channel();
        let watch = bell.clone();
        let thread = std::thread::Builder::new()
            .name("input".to_owned())
            .spawn(move || Listener { tty, bell: watch, asked, inbox, decoder: Decoder::default() }.run())
            .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
        Ok(Self { bell, requests: Some(requests), thread: Some(thread) })
    }

    /// Stops reading; returns when the thread has stopped.
    pub(super) fn pause(&self) -> Paused {
        let (tell, told) = channel();
        let (resume, gate) = channel();
        self.ask(Request::Pause(tell, gate));
        let _ = told.recv();
        Paused { resume: Some(resume), told }
    }

    /// Says that the terminal was asked where the cursor is.
    pub(super) fn expect_column(&self) {
        self.ask(Request::ExpectColumn);
    }

    fn ask(&self, request: Request) {
        if let Some(requests) = &self.requests {
            let _ = requests.send(request);
            self.bell.ring();
        }
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        self.requests = None;
        self.bell.ring();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Listener<T> {
    tty: T,
    bell: Interrupt,
    asked: Receiver<Request>,
    inbox: Sender<Wakeup>,
    decoder: Decoder,
}

/// What ended a wait.
enum Heard {
    Tty,
    Bell,
    Deadline,
}

impl<T: AsFd> Listener<T> {
    fn run(mut self) {
        loop {
            match self.wait(self.decoder.deadline()) {
                Ok(Heard::Bell) => {
                    self.bell.silence();
                    if !self.serve() {
                        return;
                    }
                }
                Ok(Heard::Deadline) => {
                    let inputs = self.decoder.expire(Instant::now());
                    self.tell(inputs);
                }
                Ok(Heard::Tty) => match self.read() {
                    Ok(bytes) if bytes.is_empty() => return self.hang_up(),
                    Ok(bytes) => {
                        let inputs = self.decoder.feed(&bytes, Instant::now());
                        self.tell(inputs);
                    }
                    Err(Errno::INTR | Errno::AGAIN) => {}
                    Err(_) => return self.hang_up(),
                },
                Err(_) => return self.hang_up(),
            }
        }
    }

    fn tell(&self, inputs: Vec<Input>) {
        for input in inputs {
            let _ = self.inbox.send(Wakeup::Input(input));
        }
    }

    fn hang_up(&self) {
        let _ = self.inbox.send(Wakeup::HungUp);
    }

    /// Answers what was asked; false when nobody asks any more.
    fn serve(&mut self) -> bool {
        loop {
            match self.asked.try_recv() {
                Ok(Request::ExpectColumn) => self.decoder.expect_column(),
                Ok(Request::Pause(tell, gate)) => {
                    let _ = tell.send(());
                    let _ = gate.recv();
                    self.drain();
                    let _ = tell.send(());
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Drops what was typed while nothing was read.
    fn drain(&mut self) {
        self.decoder.clear();
        let now = Instant::now();
        while matches!(self.wait(Some(now)), Ok(Heard::Tty)) {
            if self.read().map_or(true, |bytes| bytes.is_empty()) {
                return;
            }
        }
    }

    fn wait(&self, until: Option<Instant>) -> io::Result<Heard> {
        let mut fds = [PollFd::new(&self.bell, PollFlags::IN), PollFd::new(&self.tty, PollFlags::IN)];
        loop {
            let left = until.map(|u| u.saturating_duration_since(Instant::now()));
            let left = left.and_then(|l| Timespec::try_from(l).ok());
            match poll(&mut fds, left.as_ref()) {
                Ok(0) => return Ok(Heard::Deadline),
                Ok(_) if !fds[0].revents().is_empty() => return Ok(Heard::Bell),
                Ok(_) => return Ok(Heard::Tty),
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    /// What is there; a little more patience where it looks like a paste.
    fn read(&self) -> rustix::io::Result<Vec<u8>> {
        let mut bytes = vec![0; 4096];
        let mut len = rustix::io::read(&self.tty, &mut bytes)?;
        let until = Instant::now() + GATHER;
        while len > SUSPICIOUS && len < 32 * 1024 && matches!(self.wait(Some(until)), Ok(Heard::Tty)) {
            bytes.resize(len + 4096, 0);
            match rustix::io::read(&self.tty, &mut bytes[len..]) {
                Ok(0) | Err(_) => break,
                Ok(more) => len += more,
            }
        }
        bytes.truncate(len);
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::sync::mpsc::Receiver;

    fn key(inbox: &Receiver<Wakeup>) -> String {
        match inbox.recv_timeout(Duration::from_secs(5)).unwrap() {
            Wakeup::Input(Input::Key(key)) => key.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn keys_come_through_and_a_pause_drops_what_is_typed() {
        let (read, mut write) = io::pipe().unwrap();
        let (bell, inbox) = channel();
        let hands = Hands::start(read, bell).unwrap();
        write.write_all(b"j").unwrap();
        assert_eq!(key(&inbox), "j");
        let paused = hands.pause();
        write.write_all(b"dd").unwrap();
        drop(paused);
        write.write_all(b"k").unwrap();
        assert_eq!(key(&inbox), "k");
        drop(write);
        assert_eq!(key(&inbox), "HungUp");
    }

    #[test]
    fn the_thread_ends_when_it_is_dropped() {
        let (read, write) = io::pipe().unwrap();
        let (bell, inbox) = channel();
        drop(Hands::start(read, bell).unwrap());
        assert!(inbox.recv().is_err());
        drop(write);
    }
}
