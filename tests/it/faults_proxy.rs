//! The proxy that breaks connections does what its plans say, and no more.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use mailtui::config::Protocol;
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};

use crate::support::chance::Seed;
use crate::support::proxy::{Break, Fault, Plan, Proxy, Seal, Way};
use crate::support::{certs, script};

const PATIENCE: Duration = Duration::from_secs(20);

trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

/// What a [`Parrot`] heard, one entry for each connection that ended, and how it ended.
#[derive(Default)]
struct Heard {
    connections: Mutex<Vec<(Vec<u8>, bool)>>,
    changed: Condvar,
}

/// A server that greets, repeats every line and says goodbye when the client has ended.
struct Parrot {
    port: u16,
    heard: Arc<Heard>,
}

impl Parrot {
    fn start(tls: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::<Heard>::default();
        let note = Arc::clone(&heard);
        // Lives as long as the test binary, which waits for nobody.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, note) = (stream.unwrap(), Arc::clone(&note));
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                std::thread::spawn(move || {
                    let mut stream: Box<dyn Stream> = match tls {
                        false => Box::new(stream),
                        true => match script::acceptor(certs::good()).accept(stream) {
                            Ok(stream) => Box::new(stream),
                            Err(_) => return,
                        },
                    };
                    let mut heard = Vec::new();
                    let in_order = repeat(&mut *stream, &mut heard).is_ok();
                    note.connections.lock().unwrap().push((heard, in_order));
                    note.changed.notify_all();
                });
            }
        });
        Self { port, heard }
    }

    /// What the connections heard, when so many have ended.
    fn heard(&self, count: usize) -> Vec<(Vec<u8>, bool)> {
        let mut all = self.heard.connections.lock().unwrap();
        while all.len() < count {
            let (guard, timeout) = self.heard.changed.wait_timeout(all, PATIENCE).unwrap();
            assert!(!timeout.timed_out(), "the server waits for the end of a connection");
            all = guard;
        }
        all.clone()
    }
}

fn repeat(stream: &mut dyn Stream, heard: &mut Vec<u8>) -> std::io::Result<()> {
    stream.write_all(b"hello\r\n")?;
    let mut line = Vec::new();
    let mut byte = [0];
    while stream.read(&mut byte)? == 1 {
        heard.push(byte[0]);
        line.push(byte[0]);
        if byte[0] == b'\n' {
            stream.write_all(&line)?;
            line.clear();
        }
    }
    stream.write_all(b"bye\r\n")
}

fn connect(proxy: &Proxy) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", proxy.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Says two lines at once, ends, and hears all that comes; an error ends the hearing.
fn talk(mut stream: TcpStream) -> (Vec<u8>, bool) {
    let _ = stream.write_all(b"one\r\ntwo\r\n");
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut all = Vec::new();
    let in_order = stream.read_to_end(&mut all).is_ok();
    (all, in_order)
}

const SAID: &[u8] = b"one\r\ntwo\r\n";
const ANSWERED: &[u8] = b"hello\r\none\r\ntwo\r\nbye\r\n";

fn plain() -> (Parrot, Proxy) {
    let parrot = Parrot::start(false);
    let proxy = Proxy::start(parrot.port, Protocol::Pop3, Seal::None);
    (parrot, proxy)
}

#[test]
fn without_a_fault_all_passes_and_is_counted() {
    let (parrot, proxy) = plain();
    let round = proxy.begin(Plan::none());
    assert_eq!(talk(connect(&proxy)), (ANSWERED.to_vec(), true));
    assert_eq!(talk(connect(&proxy)).0, ANSWERED);
    round.wait_closed();
    assert_eq!(parrot.heard(2), [(SAID.to_vec(), true), (SAID.to_vec(), true)]);
    let tally = round.tally();
    assert_eq!(tally.connections.len(), 2);
    for passed in &tally.connections {
        assert_eq!((passed.bytes(Way::Up), passed.lines(Way::Up)), (10, 2));
        assert_eq!((passed.bytes(Way::Down), passed.lines(Way::Down)), (22, 4));
    }
    assert_eq!(Plan::every_byte(Break::Cut, &tally).len(), 2 * (11 + 23));
    assert_eq!(Plan::every_reply(&tally).len(), 2 * 4);
}

#[test]
fn a_cut_lets_pass_exactly_so_much() {
    let (parrot, proxy) = plain();
    let round = proxy.begin(Plan::none());
    talk(connect(&proxy));
    round.wait_closed();
    let mut connections = 1;
    for plan in Plan::every_byte(Break::Cut, &round.tally()) {
        let [Fault::Break { way, byte, .. }] = &plan.0[..] else { panic!("{plan}") };
        let byte = usize::try_from(*byte).unwrap();
        let round = proxy.begin(plan.clone());
        let (answered, in_order) = talk(connect(&proxy));
        assert!(in_order, "{plan}");
        round.wait_closed();
        connections += 1;
        let said = parrot.heard(connections).pop().unwrap().0;
        match way {
            Way::Up => assert_eq!(said, SAID[..byte], "{plan}"),
            Way::Down => assert_eq!(answered, ANSWERED[..byte], "{plan}"),
        }
        assert!(SAID.starts_with(&said) && ANSWERED.starts_with(&answered), "{plan}");
        assert_eq!(round.tally().struck.len(), 1, "{plan}");
    }
    // The next round is whole again.
    proxy.begin(Plan::none());
    assert_eq!(talk(connect(&proxy)).0, ANSWERED);
}

#[test]
fn a_reset_is_seen_as_one_by_both() {
    let (parrot, proxy) = plain();
    let round = proxy.begin("reset 0 down 9".parse().unwrap());
    let (answered, in_order) = talk(connect(&proxy));
    assert!(!in_order);
    assert!(ANSWERED[..9].starts_with(&answered));
    round.wait_closed();
    let (said, in_order) = parrot.heard(1).pop().unwrap();
    assert!(SAID.starts_with(&said));
    // Having heard all, a server sees the end before the reset.
    assert!(!in_order || said == SAID);
}

#[test]
fn a_half_closed_connection_goes_on_the_other_way() {
    let (parrot, proxy) = plain();
    proxy.begin("half 0 down 8".parse().unwrap());
    let mut stream = connect(&proxy);
    stream.write_all(b"one\r\n").unwrap();
    let mut answered = Vec::new();
    stream.read_to_end(&mut answered).unwrap();
    assert_eq!(answered, b"hello\r\no");
    stream.write_all(b"two\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(parrot.heard(1)[0], (SAID.to_vec(), true));

    proxy.begin("half 0 up 7".parse().unwrap());
    assert_eq!(talk(connect(&proxy)).0, b"hello\r\none\r\nbye\r\n");
    assert_eq!(parrot.heard(2)[1].0, b"one\r\ntw");
}

#[test]
fn a_stall_lasts_until_it_is_released_or_given_up() {
    let (parrot, proxy) = plain();
    let round = proxy.begin("stall 0 up 4".parse().unwrap());
    let mut stream = connect(&proxy);
    stream.write_all(SAID).unwrap();
    assert!(round.wait_struck(1, PATIENCE));
    assert_eq!(round.tally().connections[0].bytes(Way::Up), 4);
    drop(stream);
    round.wait_closed();
    assert_eq!(parrot.heard(1)[0].0, b"one\r", "what was held back when the client gave up is dropped");

    let round = proxy.begin("stall 0 down 4".parse().unwrap());
    let mut stream = connect(&proxy);
    assert!(round.wait_struck(1, PATIENCE));
    stream.write_all(SAID).unwrap();
    let mut answered = [0; 17];
    stream.read_exact(&mut answered[..4]).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
    assert!(stream.read(&mut answered[4..]).is_err(), "nothing passes");
    round.release();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.read_exact(&mut answered[4..]).unwrap();
    assert_eq!(answered, ANSWERED[..17]);
}

#[test]
fn a_swallowed_reply_was_carried_out() {
    let (parrot, proxy) = plain();
    for (line, heard) in [(0, ""), (1, "hello\r\n"), (2, "hello\r\none\r\n")] {
        let round = proxy.begin(Fault::Swallow { connection: 0, line }.into());
        let mut stream = connect(&proxy);
        stream.write_all(SAID).unwrap();
        let mut answered = String::new();
        stream.read_to_string(&mut answered).unwrap();
        assert_eq!(answered, heard);
        drop(stream);
        round.wait_closed();
        let commands = usize::try_from(line).unwrap();
        let said = parrot.heard(commands + 1)[commands].0.clone();
        assert!(said.iter().filter(|b| **b == b'\n').count() >= commands, "{said:?}");
    }
}

#[test]
fn lines_are_inserted_and_replaced() {
    let (parrot, proxy) = plain();
    let plan = Plan::none()
        .and(Fault::Insert { connection: 0, line: 2, bytes: b"* news\r\n".to_vec() })
        .and(Fault::Replace { way: Way::Up, from: b"o".to_vec(), to: b"00".to_vec() })
        .and(Fault::Replace { way: Way::Down, from: b"bye".to_vec(), to: Vec::new() });
    proxy.begin(plan);
    let answered = talk(connect(&proxy)).0;
    assert_eq!(String::from_utf8(answered).unwrap(), "hello\r\n00ne\r\n* news\r\ntw00\r\n\r\n");
    assert_eq!(parrot.heard(1)[0].0, b"00ne\r\ntw00\r\n");
}

#[test]
fn the_first_connections_are_refused() {
    let (parrot, proxy) = plain();
    let round = proxy.begin(Fault::Refuse { connections: 2 }.into());
    for _ in 0..2 {
        let (answered, _) = talk(connect(&proxy));
        assert!(answered.is_empty());
    }
    assert_eq!(talk(connect(&proxy)).0, ANSWERED);
    assert_eq!(round.tally().connections.len(), 3);
    assert!(parrot.heard(1).iter().any(|(said, _)| said == SAID));
}

#[test]
fn tls_is_spoken_with_both_ends() {
    for (seal, tls) in [(Seal::Both, true), (Seal::Client, false)] {
        let parrot = Parrot::start(tls);
        let proxy = Proxy::start(parrot.port, Protocol::Imap, seal);
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_ca_file(certs::ca_file()).unwrap();
        connector.set_verify(SslVerifyMode::PEER);
        let connector = connector.build();

        let round = proxy.begin("trickle down 3".parse().unwrap());
        let mut stream = connector.connect("localhost", connect(&proxy)).unwrap();
        stream.write_all(SAID).unwrap();
        let mut answered = Vec::new();
        while answered.len() < 17 {
            let mut piece = [0; 100];
            let n = stream.read(&mut piece).unwrap();
            assert!((1..=3).contains(&n), "a piece of {n} bytes");
            answered.extend_from_slice(&piece[..n]);
        }
        assert_eq!(answered, ANSWERED[..17]);
        stream.shutdown().unwrap();
        drop(stream);
        round.wait_closed();
        assert_eq!(parrot.heard(1)[0].0, SAID);
        assert_eq!(round.tally().connections[0].bytes(Way::Up), 10, "what is inside TLS is counted");

        let round = proxy.begin("cut 0 down 9".parse().unwrap());
        let stream = connector.connect("localhost", connect(&proxy)).unwrap();
        let mut lines = BufReader::new(stream);
        lines.get_mut().write_all(SAID).unwrap();
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "hello\r\n");
        line.clear();
        lines.read_line(&mut line).unwrap();
        assert_eq!(line, "on");
        drop(lines);
        round.wait_closed();
    }
}

#[test]
fn a_handshake_can_be_broken_by_a_proxy_that_sees_bytes_only() {
    let parrot = Parrot::start(true);
    let proxy = Proxy::start(parrot.port, Protocol::Imap, Seal::None);
    let connector = || {
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        connector.set_ca_file(certs::ca_file()).unwrap();
        connector.build()
    };
    let round = proxy.begin(Plan::none());
    drop(connector().connect("localhost", connect(&proxy)).unwrap());
    round.wait_closed();
    assert!(round.tally().bytes() > 500, "a handshake was seen");
    proxy.begin("cut 0 down 40".parse().unwrap());
    assert!(connector().connect("localhost", connect(&proxy)).is_err());
}

#[test]
fn random_plans_can_be_had_again() {
    let (_parrot, proxy) = plain();
    let round = proxy.begin(Plan::none());
    talk(connect(&proxy));
    round.wait_closed();
    let tally = round.tally();
    let seed = Seed::of_run();
    let (mut one, mut two) = (seed.chance(), seed.chance());
    for _ in 0..40 {
        let plan = Plan::random(&mut one, &tally);
        assert_eq!(plan, Plan::random(&mut two, &tally));
        assert_eq!(plan.to_string().parse::<Plan>().unwrap(), plan);
        // Whatever it is, it ends.
        let round = proxy.begin(plan);
        let _ = talk(connect(&proxy));
        round.wait_closed();
    }
}
