//! From a host name to a connected socket, with a deadline and an ear for the bell.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::AsFd;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with, sockopt};

use super::Interrupt;
use super::dial::DialOptions;
use super::socket::{Socket, Woke, wait};
use crate::error::{Error, Kind, Result};

/// How long one address may keep silent before the next is tried beside it (RFC 8305 section 8).
const HEAD_START: Duration = Duration::from_millis(250);
/// After so much silence the system asks the far end whether it is there, again every so often, so many times: a line
/// that is dead ends a wait for news within five minutes, no box in between forgets it, and nothing here wakes up.
const KEEP_AFTER: Duration = Duration::from_secs(180);
const KEEP_EVERY: Duration = Duration::from_secs(30);
const KEEP_TRIES: u32 = 4;
/// What is said has to be taken by the far end within this time (RFC 5482).
const UNHEARD: Duration = Duration::from_secs(120);
/// More addresses than this are not tried.
const ADDRESSES: usize = 8;

/// Resolves, checks that speaking in clear is allowed where it would be, and connects.
pub(super) fn connect(options: &DialOptions, until: Instant) -> Result<Socket> {
    let addresses = resolve(options, until)?;
    if options.clear_is_forbidden() && addresses.iter().any(|a| !a.ip().is_loopback()) {
        return Err(Error::new(
            Kind::Config,
            format!("{} would be spoken to without encryption, which is not allowed", options.host),
        )
        .hint("set tls = \"implicit\" or \"starttls\"; allow_plaintext = true sends everything in clear"));
    }
    let stream = race(options, &addresses, until)?;
    // Small commands go out at once; a dead peer is found out about while nothing is said.
    let _ = stream.set_nodelay(true);
    let _ = sockopt::set_socket_keepalive(&stream, true);
    let _ = sockopt::set_tcp_keepidle(&stream, KEEP_AFTER);
    let _ = sockopt::set_tcp_keepintvl(&stream, KEEP_EVERY);
    let _ = sockopt::set_tcp_keepcnt(&stream, KEEP_TRIES);
    let _ = sockopt::set_tcp_user_timeout(&stream, UNHEARD.as_millis().try_into().unwrap_or(u32::MAX));
    Ok(Socket::new(stream, options.interrupt.clone(), until))
}

/// The addresses of the host. The system's resolver cannot be interrupted, so it runs in a thread of its
/// own, which is left to itself when nobody waits for it any more.
fn resolve(options: &DialOptions, until: Instant) -> Result<Vec<SocketAddr>> {
    let host = options.bare_host().to_owned();
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, options.port)]);
    }
    let done = Interrupt::new()?;
    let (sender, receiver) = mpsc::channel();
    let (bell, port) = (done.clone(), options.port);
    std::thread::Builder::new()
        .name("resolve".into())
        .spawn(move || {
            let found =
                (host.as_str(), port).to_socket_addrs().map(|a| a.take(ADDRESSES).collect::<Vec<_>>());
            let _ = sender.send(found);
            bell.ring();
        })
        .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
    match wait(&[(done.as_fd(), PollFlags::IN)], Some(&options.interrupt), until) {
        Ok(Woke::Ready) => {}
        Ok(Woke::Rang) => return Err(interrupted()),
        Ok(Woke::TimedOut) => {
            return Err(Error::new(Kind::Timeout, format!("looking up {} took too long", options.host))
                .hint("the name server does not answer: is this machine online?"));
        }
        Err(e) => return Err(Error::new(Kind::Bug, "could not wait for a descriptor").because(e)),
    }
    match receiver.try_recv() {
        Ok(Ok(found)) if !found.is_empty() => Ok(found),
        Ok(Err(e)) if e.to_string().contains("Temporary failure") => {
            Err(Error::new(Kind::Offline, format!("could not look up {}", options.host))
                .because(e)
                .hint("no name server answers: is this machine online?"))
        }
        Ok(Err(e)) => Err(unknown_host(options).because(e)),
        _ => Err(unknown_host(options)),
    }
}

fn unknown_host(options: &DialOptions) -> Error {
    Error::new(Kind::Offline, format!("there is no host named {}", options.host))
        .hint("check the spelling of host in the account, and that this machine is online")
}

/// The error of a wait that the bell ended.
pub(super) fn interrupted() -> Error {
    Error::new(Kind::Interrupted, "the wait for the server was interrupted")
}

/// Connects to the first address that answers, starting one attempt after the other.
fn race(options: &DialOptions, addresses: &[SocketAddr], until: Instant) -> Result<TcpStream> {
    let mut untried = addresses.iter();
    let mut trying: Vec<TcpStream> = Vec::new();
    let mut failure: Option<io::Error> = None;
    let mut next_start = Instant::now();
    loop {
        if (trying.is_empty() || Instant::now() >= next_start) && untried.len() > 0 {
            match untried.next().map(begin) {
                Some(Ok(stream)) => trying.push(stream),
                Some(Err(e)) => failure = Some(e),
                None => {}
            }
            next_start = Instant::now() + HEAD_START;
            continue;
        }
        if trying.is_empty() {
            return Err(refused(options, failure));
        }
        let fds: Vec<_> = trying.iter().map(|s| (s.as_fd(), PollFlags::OUT)).collect();
        let pause = if untried.len() > 0 { until.min(next_start) } else { until };
        match wait(&fds, Some(&options.interrupt), pause) {
            Ok(Woke::Ready) => {}
            Ok(Woke::Rang) => return Err(interrupted()),
            Ok(Woke::TimedOut) if Instant::now() >= until => return Err(silent(options)),
            Ok(Woke::TimedOut) => continue,
            Err(e) => return Err(refused(options, Some(e))),
        }
        let mut waiting = Vec::new();
        for stream in trying {
            match stream.take_error() {
                Ok(None) if stream.peer_addr().is_ok() => return Ok(stream),
                Ok(None) => waiting.push(stream),
                Ok(Some(e)) | Err(e) => {
                    failure = Some(e);
                    next_start = Instant::now();
                }
            }
        }
        trying = waiting;
    }
}

/// Starts to connect; the stream becomes writable when that has worked or failed.
fn begin(address: &SocketAddr) -> io::Result<TcpStream> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let fd = socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&fd, address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(TcpStream::from(fd)),
        Err(e) => Err(e.into()),
    }
}

fn silent(options: &DialOptions) -> Error {
    let seconds = options.connect_timeout.as_secs_f32();
    Error::new(
        Kind::Timeout,
        format!("{} port {} did not answer within {seconds:.0} s", options.host, options.port),
    )
    .hint("check host and port; a firewall may swallow the connection")
}

fn refused(options: &DialOptions, failure: Option<io::Error>) -> Error {
    let (host, port) = (&options.host, options.port);
    let Some(failure) = failure else {
        return Error::new(Kind::Offline, format!("could not connect to {host} port {port}"));
    };
    match failure.kind() {
        io::ErrorKind::ConnectionRefused => {
            Error::new(Kind::Offline, format!("{host} takes no connections on port {port}"))
                .because(failure)
                .hint("check port in the account: IMAP has 993 (TLS) and 143, POP3 has 995 (TLS) and 110")
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            Error::new(Kind::Offline, format!("there is no way to {host} from here"))
                .because(failure)
                .hint("this machine seems to be offline")
        }
        io::ErrorKind::TimedOut => silent(options).because(failure),
        _ => Error::new(Kind::Offline, format!("could not connect to {host} port {port}")).because(failure),
    }
}
