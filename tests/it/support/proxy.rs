//! A proxy on 127.0.0.1 between the program and a server, which breaks connections as planned.
//!
//! [`Proxy::begin`] starts a round with a [`Plan`]: connections, bytes and lines are counted from 0 again.
//! A round without faults tells how many points there are to break the same session at. With TLS the
//! handshakes come first and pass whole: what is counted and broken is what is said inside. A proxy that
//! is not told of TLS passes it as the bytes it sees, and breaks handshakes too.

mod link;
mod pipe;
mod plan;
mod side;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use mailtui::config::Protocol;
use mailtui::net::Interrupt;
use openssl::ssl::{SslAcceptor, SslConnector, SslMethod, SslVerifyMode};
use rustix::event::{PollFd, PollFlags, poll};

use super::{certs, script};
use link::Link;
use pipe::Pipe;
pub use plan::{Break, Fault, Plan, Way};
use side::Side;

/// How long the ends of a round may take to close.
const PATIENCE: Duration = Duration::from_secs(20);

/// Which ends of a connection speak TLS with the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// None: the bytes pass as they are.
    None,
    /// The program (with the test's certificate) and the server.
    Both,
    /// The program alone.
    Client,
}

/// What passed over one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Passed {
    up: (u64, u64),
    down: (u64, u64),
}

impl Passed {
    pub fn bytes(&self, way: Way) -> u64 {
        if way == Way::Up { self.up.0 } else { self.down.0 }
    }

    /// Lines the sender ended; in IMAP whole responses, literals included.
    pub fn lines(&self, way: Way) -> u64 {
        if way == Way::Up { self.up.1 } else { self.down.1 }
    }
}

/// What passed in one round.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// In the order in which they were made; refused ones too.
    pub connections: Vec<Passed>,
    /// What struck, in order.
    pub struck: Vec<Fault>,
    live: usize,
}

impl Tally {
    pub fn bytes(&self) -> u64 {
        self.connections.iter().map(|p| p.up.0 + p.down.0).sum()
    }
}

/// One plan at work, from [`Proxy::begin`] to the next.
#[derive(Debug)]
pub struct Round {
    plan: Arc<Plan>,
    tally: Mutex<Tally>,
    changed: Condvar,
    bells: Mutex<Vec<Interrupt>>,
    over: AtomicBool,
    released: AtomicBool,
}

impl Round {
    fn new(plan: Plan) -> Self {
        Self {
            plan: Arc::new(plan),
            tally: Mutex::default(),
            changed: Condvar::new(),
            bells: Mutex::default(),
            over: AtomicBool::new(false),
            released: AtomicBool::new(false),
        }
    }

    pub fn tally(&self) -> Tally {
        self.tally.lock().unwrap().clone()
    }

    /// Waits until so many faults struck; whether they did in time.
    pub fn wait_struck(&self, count: usize, patience: Duration) -> bool {
        self.wait(patience, |tally| tally.struck.len() >= count)
    }

    /// Lets pass what is stalled.
    pub fn release(&self) {
        self.released.store(true, Ordering::Release);
        self.ring();
    }

    /// Waits until every connection was closed by both its ends.
    pub fn wait_closed(&self) {
        assert!(self.wait(PATIENCE, |tally| tally.live == 0), "a connection of {} stays open", self.plan);
    }

    fn wait(&self, patience: Duration, is_so: impl Fn(&Tally) -> bool) -> bool {
        let until = Instant::now() + patience;
        let mut tally = self.tally.lock().unwrap();
        while !is_so(&tally) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            tally = self.changed.wait_timeout(tally, left).unwrap().0;
        }
        true
    }

    fn ring(&self) {
        self.bells.lock().unwrap().iter().for_each(Interrupt::ring);
    }

    fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }

    fn is_released(&self) -> bool {
        self.released.load(Ordering::Acquire)
    }

    fn piece(&self, way: Way) -> usize {
        let size = |f: &Fault| match f {
            Fault::Trickle { way: w, size } if *w == way => Some(*size),
            _ => None,
        };
        self.plan.0.iter().find_map(size).unwrap_or(16 * 1024)
    }

    fn passed(&self, connection: u32, up: &Pipe, down: &Pipe) {
        let now = Passed { up: (up.bytes, up.lines), down: (down.bytes, down.lines) };
        self.tally.lock().unwrap().connections[connection as usize] = now;
        self.changed.notify_all();
    }

    fn struck(&self, fault: Fault) {
        self.tally.lock().unwrap().struck.push(fault);
        self.changed.notify_all();
    }

    fn opened(&self) -> u32 {
        let mut tally = self.tally.lock().unwrap();
        tally.connections.push(Passed::default());
        tally.live += 1;
        u32::try_from(tally.connections.len() - 1).unwrap()
    }

    fn closed(&self) {
        self.tally.lock().unwrap().live -= 1;
        self.changed.notify_all();
    }
}

/// A proxy in front of one server.
#[derive(Debug)]
pub struct Proxy {
    pub port: u16,
    front: Arc<Front>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Front {
    server: SocketAddr,
    speech: Protocol,
    seal: Seal,
    bell: Interrupt,
    round: Mutex<Arc<Round>>,
}

impl Proxy {
    /// A proxy for the server at this port of 127.0.0.1, in a round without faults.
    pub fn start(server: u16, speech: Protocol, seal: Seal) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let front = Arc::new(Front {
            server: SocketAddr::from(([127, 0, 0, 1], server)),
            speech,
            seal,
            bell: Interrupt::new().unwrap(),
            round: Mutex::new(Arc::new(Round::new(Plan::none()))),
        });
        let serving = Arc::clone(&front);
        let thread = std::thread::spawn(move || serving.serve(&listener));
        Self { port, front, thread: Some(thread) }
    }

    /// Ends the round before, waits until the server has let go of its connections, and begins another.
    pub fn begin(&self, plan: Plan) -> Arc<Round> {
        let next = Arc::new(Round::new(plan));
        let last = std::mem::replace(&mut *self.front.round.lock().unwrap(), Arc::clone(&next));
        last.over.store(true, Ordering::Release);
        last.ring();
        last.wait_closed();
        next
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.front.bell.ring();
        let _ = self.thread.take().map(JoinHandle::join);
        let round = self.front.round.lock().unwrap();
        round.over.store(true, Ordering::Release);
        round.ring();
    }
}

impl Front {
    fn serve(&self, listener: &TcpListener) {
        let acceptor = script::acceptor(certs::good());
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_verify(SslVerifyMode::NONE);
        let connector = connector.build();
        loop {
            let mut fds = [PollFd::new(listener, PollFlags::IN), PollFd::new(&self.bell, PollFlags::IN)];
            let _ = poll(&mut fds, None);
            if self.bell.is_rung() {
                return;
            }
            while let Ok((stream, _)) = listener.accept() {
                self.take(stream, &acceptor, &connector);
            }
        }
    }

    fn take(&self, stream: TcpStream, acceptor: &SslAcceptor, connector: &SslConnector) {
        // Under the lock, so that a round that is over gets no connection any more.
        let current = self.round.lock().unwrap();
        let round = Arc::clone(&current);
        let connection = round.opened();
        let server = TcpStream::connect(self.server);
        let refused = connection < round.plan.refused();
        let (Ok(server), false) = (server, refused) else {
            Side::plain(stream).reset();
            if refused {
                round.struck(Fault::Refuse { connections: round.plan.refused() });
            }
            round.closed();
            return;
        };
        for stream in [&stream, &server] {
            stream.set_nonblocking(true).unwrap();
            stream.set_nodelay(true).unwrap();
        }
        let bell = Interrupt::new().unwrap();
        round.bells.lock().unwrap().push(bell.clone());
        drop(current);
        let client = match self.seal {
            Seal::None => Side::plain(stream),
            Seal::Both | Seal::Client => Side::shaking(acceptor.accept(stream)),
        };
        let server = match self.seal {
            Seal::None | Seal::Client => Side::plain(server),
            Seal::Both => Side::shaking(connector.connect("localhost", server)),
        };
        let literals = self.speech == Protocol::Imap;
        let link = Link {
            connection,
            bell,
            client,
            server,
            up: Pipe::new(Way::Up, connection, &round.plan, literals),
            down: Pipe::new(Way::Down, connection, &round.plan, literals),
            stalled: false,
            resets: false,
            until: None,
            round: Arc::clone(&round),
        };
        std::thread::spawn(move || {
            link.run();
            round.closed();
        });
    }
}
