//! Dials a mail server and prints the conversation: what it says, what it can do, how long it took.
//!
//! `cargo run --example talk -- imaps://imap.example.org`
//! `MAILTUI_PASSWORD=… cargo run --example talk -- pop3s://ann@pop.example.org --ca own.pem`
//!
//! The schemes are `imaps`, `pop3s` (TLS at once), `imap`, `pop3` (STARTTLS, STLS). With a user, POP3
//! signs in and fetches every message, without keeping or deleting any.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use mailtui::config::Tls;
use mailtui::net::{DialOptions, Interrupt, LINE_LIMIT, Wire};
use mailtui::protocol::{BodySink, Change, Flow, FolderRef, MailProtocol, Nothing, RemoteId, Sink, pop3};
use mailtui::secret::Secret;
use mailtui::{Error, Kind, Result};

fn main() {
    if let Err(error) = run(std::env::args().skip(1).collect()) {
        eprintln!("{error}");
        if let Some(hint) = error.hint_text() {
            eprintln!("hint: {hint}");
        }
        std::process::exit(error.kind().exit_code().into());
    }
}

fn run(args: Vec<String>) -> Result<()> {
    let usage =
        || Error::new(Kind::Config, "usage: talk (imaps|imap|pop3s|pop3)://[USER@]HOST[:PORT] [--ca FILE]");
    let (scheme, rest) = args.first().and_then(|a| a.split_once("://")).ok_or_else(usage)?;
    let (user, host) = rest.rsplit_once('@').map_or((None, rest), |(user, host)| (Some(user), host));
    let (tls, usual) = match scheme {
        "imaps" => (Tls::Implicit, 993),
        "imap" => (Tls::Starttls, 143),
        "pop3s" => (Tls::Implicit, 995),
        "pop3" => (Tls::Starttls, 110),
        _ => return Err(usage()),
    };
    let (host, port) = match host.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
        Some((host, Ok(port))) => (host, port),
        _ => (host, usual),
    };
    let options = DialOptions {
        host: host.to_owned(),
        port,
        tls,
        ca_file: args.iter().position(|a| a == "--ca").and_then(|at| args.get(at + 1)).map(PathBuf::from),
        pin: None,
        allow_plaintext: false,
        auth: Default::default(),
        compress: Default::default(),
        connect_timeout: Duration::from_secs(20),
        read_timeout: Duration::from_secs(60),
        interrupt: Interrupt::new()?,
    };
    match user {
        Some(user) if scheme.starts_with("pop3") => collect(&options, user),
        _ => ask(&options, scheme),
    }
}

/// Without a user: the greeting and the capabilities.
fn ask(options: &DialOptions, scheme: &str) -> Result<()> {
    let wire = Wire::dial(options)?;
    wire.read_line(LINE_LIMIT)?;
    let (question, end, goodbye) = match scheme {
        "imap" | "imaps" => ("a CAPABILITY\r\n", "a ", "b LOGOUT\r\n"),
        _ => ("CAPA\r\n", ".", "QUIT\r\n"),
    };
    wire.send(question.as_bytes())?;
    while !wire.read_line(LINE_LIMIT)?.starts_with(end.as_bytes()) {}
    wire.send(goodbye.as_bytes())?;
    wire.read_line(LINE_LIMIT)?;
    print!("{}", wire.transcript());
    Ok(())
}

/// With a user of POP3: every message there is.
fn collect(options: &DialOptions, user: &str) -> Result<()> {
    let secret = std::env::var("MAILTUI_PASSWORD")
        .or_else(|_| rpassword::prompt_password("password: "))
        .map_err(|e| Error::new(Kind::Secret, "could not ask for the password").because(e))?;
    let start = Instant::now();
    let mut session = pop3::connect_with(options, user, &Secret::new(secret))?;
    let inbox = FolderRef::new("INBOX");
    let mut found = Found::default();
    session.pull(&inbox, &Nothing::default(), &mut found)?;
    let listed = start.elapsed();
    session.fetch(&inbox, &found.ids.clone(), &mut found)?;
    let counters = session.wire().counters();
    print!("{}", session.wire().transcript());
    println!(
        "{} of {} messages, {} bytes; listed after {listed:.1?}, fetched after {:.1?}; {} bytes in, {} out",
        found.whole,
        found.ids.len(),
        found.bytes,
        start.elapsed(),
        counters.bytes_in,
        counters.bytes_out
    );
    Box::new(session).finish()
}

/// Counts.
#[derive(Default)]
struct Found {
    ids: Vec<RemoteId>,
    whole: usize,
    bytes: usize,
}

impl Sink for Found {
    fn change(&mut self, change: Change) -> Result<Flow> {
        if let Change::New { id, .. } = change {
            self.ids.push(id);
        }
        Ok(Flow::Continue)
    }
}

impl BodySink for Found {
    fn begin(&mut self, _: &RemoteId, _: u64) -> Result<()> {
        Ok(())
    }
    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len();
        Ok(())
    }
    fn end(&mut self) -> Result<Flow> {
        self.whole += 1;
        Ok(Flow::Continue)
    }
}
