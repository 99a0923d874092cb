//! The wire: lines, limits, deadlines, the bell, and the switch to TLS.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use mailtui::Kind;
use mailtui::config::{Protocol, Tls};
use mailtui::net::{DialOptions, Interrupt, LINE_LIMIT, Ready, Taken, Wire, error_of};

use crate::support::certs::Maker;
use crate::support::script::{Script, Server};

fn dial(server: &Server, tls: Tls) -> (Wire, Interrupt) {
    let bell = Interrupt::new().unwrap();
    (Wire::dial(&DialOptions::from(&server.account(Protocol::Pop3, tls), &bell)).unwrap(), bell)
}

const BOTH: [Tls; 2] = [Tls::None, Tls::Implicit];

fn script(tls: Tls, text: &str) -> Server {
    let script = Script::new(text);
    if tls == Tls::Implicit { script.implicit().start() } else { script.start() }
}

#[test]
fn lines_come_whole_from_any_pieces() {
    for tls in BOTH {
        let server = script(tls, "SPLIT 1\nS: one\nS> two\\nthree\\0\\xff\\r\\n");
        let (wire, _) = dial(&server, tls);
        assert_eq!(wire.read_line(LINE_LIMIT).unwrap(), b"one\r\n");
        assert_eq!(wire.read_line(LINE_LIMIT).unwrap(), b"two\n");
        assert_eq!(wire.read_line(LINE_LIMIT).unwrap(), b"three\0\xff\r\n");
        assert_eq!(wire.read_line(LINE_LIMIT).unwrap_err().kind(), Kind::Offline);
        assert_eq!(wire.counters().bytes_in, 5 + 4 + 9);
        server.finish();
    }
}

#[test]
fn x3_a_long_line_is_refused_and_an_endless_one_too() {
    let server = script(Tls::None, "S: 12345678\nS: 123456789");
    let (wire, _) = dial(&server, Tls::None);
    assert_eq!(wire.read_line(10).unwrap(), b"12345678\r\n");
    let error = wire.read_line(10).unwrap_err();
    assert_eq!(error.kind(), Kind::Protocol);
    assert!(error.context().contains("line too long"), "{error}");
    server.finish();
    let server = Script::new("S> ${flood}\nHANG").put("flood", vec![b'x'; 200_000]).start();
    let (wire, _) = dial(&server, Tls::None);
    assert_eq!(wire.read_line(LINE_LIMIT).unwrap_err().kind(), Kind::Protocol);
    assert!(wire.counters().bytes_in < 100_000, "it went on reading");
    drop(wire);
    server.finish();
}

#[test]
fn bytes_are_streamed_exactly_and_the_rest_stays() {
    let body: Vec<u8> = (0..300_000u32).map(|i| (i * 7 % 251) as u8).collect();
    for tls in BOTH {
        let script = Script::new("S> ${body}\nS: after").put("body", body.clone());
        let server = if tls == Tls::Implicit { script.implicit().start() } else { script.start() };
        let (wire, _) = dial(&server, tls);
        let mut got = Vec::new();
        wire.read_exact_into(0, &mut |_| panic!("nothing was asked for")).unwrap();
        wire.read_exact_into(300_000, &mut |bytes| {
            assert!(bytes.len() <= 64 << 10, "streaming means small pieces");
            got.extend_from_slice(bytes);
            Ok(())
        })
        .unwrap();
        assert!(got == body);
        assert_eq!(wire.read_line(100).unwrap(), b"after\r\n");
        assert!(wire.transcript().to_string().contains("(300000 bytes received)"));
        server.finish();
    }
}

#[test]
fn a_stream_ends_where_the_reader_says() {
    let server = script(Tls::None, "S> abc.def\\r\\n");
    let (wire, _) = dial(&server, Tls::None);
    wire.stream(&mut |bytes| {
        Ok(bytes.iter().position(|b| *b == b'.').map_or(Taken::All, |p| Taken::Last(p + 1)))
    })
    .unwrap();
    assert_eq!(wire.read_line(100).unwrap(), b"def\r\n");
    server.finish();
}

#[test]
fn x3_a_hung_server_meets_the_deadline() {
    for tls in BOTH {
        let server = script(tls, "S> half a line\nHANG");
        let (wire, _) = dial(&server, tls);
        wire.set_read_timeout(Duration::from_millis(50));
        let start = Instant::now();
        assert_eq!(wire.read_line(100).unwrap_err().kind(), Kind::Timeout);
        assert!(start.elapsed() < Duration::from_secs(15));
        drop(wire);
        server.finish();
    }
}

#[test]
fn x3_a_slow_drip_meets_the_deadline() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let over = Interrupt::new().unwrap();
    let stop = over.clone();
    let dripping = std::thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        // A byte now and then, each well within the deadline, for ever.
        while stream.write_all(b"x").is_ok() && !stop.wait(Some(Instant::now() + Duration::from_millis(5))) {}
    });
    let server = Script::new("--- maybe").start();
    let options = DialOptions {
        port,
        read_timeout: Duration::from_millis(100),
        ..DialOptions::from(&server.account(Protocol::Pop3, Tls::None), &Interrupt::new().unwrap())
    };
    server.finish();
    let wire = Wire::dial(&options).unwrap();
    assert_eq!(wire.read_line(LINE_LIMIT).unwrap_err().kind(), Kind::Timeout);
    let mut got = 0;
    let drip = wire.read_exact_into(1_000_000, &mut |bytes| {
        got += bytes.len();
        Ok(())
    });
    assert_eq!(drip.unwrap_err().kind(), Kind::Timeout);
    assert!(got > 0, "what came before the deadline was passed on");
    over.ring();
    dripping.join().unwrap();
}

#[test]
fn a_server_that_does_not_read_meets_the_deadline_too() {
    // The system takes the connection; nobody ever reads from it.
    let deaf = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Script::new("--- maybe").start();
    let bell = Interrupt::new().unwrap();
    let options = DialOptions {
        port: deaf.local_addr().unwrap().port(),
        read_timeout: Duration::from_millis(100),
        ..DialOptions::from(&server.account(Protocol::Pop3, Tls::None), &bell)
    };
    server.finish();
    let wire = Wire::dial(&options).unwrap();
    let flood = vec![b'n'; 64 << 20];
    assert_eq!(wire.send(&flood).unwrap_err().kind(), Kind::Timeout);
    assert_eq!(wire.send(b"more").unwrap_err().kind(), Kind::Offline, "half a write ends the connection");
}

#[test]
fn a_ring_ends_a_wait_and_the_session_goes_on() {
    for tls in BOTH {
        let server = script(tls, "S> half\nC: go on\nS:  a line");
        let (wire, bell) = dial(&server, tls);
        let reader = wire.clone();
        let waiting = std::thread::spawn(move || reader.read_line(100).unwrap_err());
        bell.ring();
        assert_eq!(waiting.join().unwrap().kind(), Kind::Interrupted);
        // It stays rung: only who knows why it rang may silence it, or decide not to hear it.
        wire.heed_interrupt(false);
        wire.send(b"go on\r\n").unwrap();
        assert_eq!(wire.read_line(100).unwrap(), b"half a line\r\n");
        assert!(bell.silence());
        server.finish();
    }
}

#[test]
fn polling_tells_data_time_and_ring_apart() {
    for tls in BOTH {
        let server = script(tls, "C: a\nS> one\\r\\ntwo\\r\\n\nC: b\nCUT");
        let (wire, bell) = dial(&server, tls);
        let soon = || Instant::now() + Duration::from_millis(20);
        let later = || Instant::now() + Duration::from_secs(20);
        // With TLS 1.3 session tickets may lie in the socket: they are not data.
        assert_eq!(wire.poll_readable(soon()).unwrap(), Ready::TimedOut);
        bell.ring();
        assert_eq!(wire.poll_readable(later()).unwrap(), Ready::Interrupted);
        bell.silence();
        wire.send(b"a\r\n").unwrap();
        assert_eq!(wire.poll_readable(later()).unwrap(), Ready::Data);
        assert_eq!(wire.read_line(100).unwrap(), b"one\r\n");
        bell.ring();
        assert_eq!(wire.poll_readable(later()).unwrap(), Ready::Data, "what is there comes before the bell");
        assert_eq!(wire.read_line(100).unwrap(), b"two\r\n");
        bell.silence();
        wire.send(b"b\r\n").unwrap();
        assert_eq!(wire.poll_readable(later()).unwrap_err().kind(), Kind::Offline);
        server.finish();
    }
}

#[test]
fn a_library_may_read_and_write_and_our_errors_come_through() {
    let server = script(Tls::Implicit, "C: hello\nS: one\nS: two\nHANG");
    let (mut wire, bell) = dial(&server, Tls::Implicit);
    wire.write_all(b"hello\r\n").unwrap();
    let mut buffer = [0; 64];
    let n = wire.read(&mut buffer).unwrap();
    assert_eq!(&buffer[..n], b"one\r\n", "at most one line for each read");
    assert_eq!(wire.read(&mut buffer).unwrap(), 5);
    bell.ring();
    let error = wire.read(&mut buffer).unwrap_err();
    assert_ne!(error.kind(), std::io::ErrorKind::Interrupted, "libraries repeat that by themselves");
    assert_eq!(error_of(error).kind(), Kind::Interrupted);
    drop(wire);
    server.finish();
}

#[test]
fn x1_starttls_switches_and_keeps_nothing() {
    let server = Script::new("S: +OK hello\nC: STLS\nS: +OK\nTLS\nC: NOOP\nS: +OK secure").start();
    let (wire, _) = dial(&server, Tls::Starttls);
    wire.read_line(100).unwrap();
    assert!(!wire.may_say_secrets(), "required means required, on this machine too");
    wire.send(b"STLS\r\n").unwrap();
    wire.read_line(100).unwrap();
    wire.start_tls().unwrap();
    assert!(wire.may_say_secrets());
    wire.send(b"NOOP\r\n").unwrap();
    assert_eq!(wire.read_line(100).unwrap(), b"+OK secure\r\n");
    assert_eq!(wire.start_tls().unwrap_err().kind(), Kind::Protocol);
    assert_eq!(server.finish().clear, b"STLS\r\n");
}

#[test]
fn x1_bytes_ahead_of_the_handshake_end_it() {
    for injected in ["S> +OK\\r\\n+OK injected\\r\\n", "SPLIT 1\nS> +OK\\r\\n+OK injected\\r\\n"] {
        let server = Script::new(&format!("S: +OK hello\nC: STLS\n{injected}\nHANG")).start();
        let (wire, _) = dial(&server, Tls::Starttls);
        wire.read_line(100).unwrap();
        wire.send(b"STLS\r\n").unwrap();
        wire.read_line(100).unwrap();
        let error = wire.start_tls().unwrap_err();
        assert_eq!(error.kind(), Kind::Tls, "{error}");
        assert_eq!(wire.send(b"PASS x\r\n").unwrap_err().kind(), Kind::Offline, "nothing is said after that");
        assert!(!wire.may_say_secrets());
        drop(wire);
        server.finish();
    }
}

#[test]
fn x2_a_bad_certificate_after_starttls_is_explained_too() {
    let own = Maker::new("own").dns("localhost").self_signed();
    let clear = "S: +OK hello\nC: STLS\nS: +OK go\nTLS REFUSED";
    let server = Script::new(&format!("{clear}\n---\n{clear}")).identity(&own).start();
    let (wire, _) = dial(&server, Tls::Starttls);
    wire.read_line(100).unwrap();
    wire.send(b"STLS\r\n").unwrap();
    wire.read_line(100).unwrap();
    let error = wire.start_tls().unwrap_err();
    assert!(error.context().contains("signed by itself"), "{error}");
    assert!(error.hint_text().unwrap().contains("pin = \"sha256:"), "{error:?}");
    assert!(server.finish().sealed.is_empty());
}

#[test]
fn x9_secrets_do_not_show_in_the_transcript() {
    let server = script(Tls::None, "C: USER ann\nC: PASS hunter2\nS: -ERR not hunter2");
    let (wire, _) = dial(&server, Tls::None);
    wire.keep_out("hunter2");
    wire.send(b"USER ann\r\n").unwrap();
    wire.send_secret("PASS", b"PASS hunter2\r\n").unwrap();
    wire.read_line(100).unwrap();
    let text = wire.transcript().to_string();
    assert!(!text.contains("hunter2") && text.contains("C: PASS (secret)"), "{text}");
    assert!(!format!("{wire:?}").contains("hunter2"));
    server.finish();
}

#[test]
fn the_transcript_can_be_looked_at_while_another_thread_waits() {
    let server = script(Tls::None, "S: one\nHANG");
    let (wire, bell) = dial(&server, Tls::None);
    wire.read_line(100).unwrap();
    let reader = wire.clone();
    let waiting = std::thread::spawn(move || reader.read_line(100).unwrap_err());
    assert!(wire.transcript().to_string().contains("S: one"));
    assert_eq!(wire.counters().bytes_in, 5);
    bell.ring();
    waiting.join().unwrap();
    drop(wire);
    server.finish();
}

#[test]
fn a4_nothing_is_said_where_the_guard_does_not_let_it_pass() {
    for tls in BOTH {
        let server = script(tls, "C: one\nS: two");
        let (wire, bell) = dial(&server, tls);
        wire.send(b"one\r\n").unwrap();
        bell.set_guard(std::sync::Arc::new(|| false));
        assert_eq!(wire.send(b"never heard\r\n").unwrap_err().kind(), Kind::Interrupted);
        assert_eq!(wire.read_line(100).unwrap(), b"two\r\n");
        assert_eq!(wire.counters().bytes_out, 5);
        server.finish();
    }
}
