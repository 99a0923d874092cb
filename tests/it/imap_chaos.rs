//! IMAP servers gone mad: whatever they say, a session ends every call in time and never panics (X3, R7).

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use mailtui::config::Tls;
use mailtui::model::{Cursor, FlagDelta, Flags, UidSet};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::imap::{Session, connect_with};
use mailtui::protocol::{BodySink, Change, Flow, FolderRef, Known, MailProtocol, RemoteId, RemoteOp, Sink};
use mailtui::secret::Secret;
use mailtui::{Kind, Result};

use crate::support::chance::{Chance, Seed, is_campaign};
use crate::support::imap::letter;

/// How many servers an ordinary run meets, and a campaign.
const SERVERS: (u64, u64) = (50, 3000);
/// How long a server may keep silent.
const SILENCE: Duration = Duration::from_millis(80);
/// No call may take longer.
const LONGEST: Duration = Duration::from_secs(20);

const OFFERS: [&str; 12] = [
    "CONDSTORE",
    "ESEARCH",
    "UIDPLUS",
    "MOVE",
    "LITERAL+",
    "IDLE",
    "LIST-STATUS",
    "QRESYNC",
    "NAMESPACE",
    "OBJECTID",
    "SPECIAL-USE",
    "ID",
];

/// Things a server may say, sensible and not. `#` is a small number, `$` the last tag.
const LINES: [&str; 40] = [
    "* # EXISTS",
    "* # EXPUNGE",
    "* # RECENT",
    "* 0 EXISTS",
    "* 4294967296 EXISTS",
    "* VANISHED (EARLIER) #:#",
    "* OK [UIDVALIDITY #] x",
    "* OK [UIDNEXT #] x",
    "* OK [HIGHESTMODSEQ #] x",
    "* OK [UIDVALIDITY 99999999999] x",
    "* # FETCH (UID # FLAGS (\\Seen k) RFC822.SIZE # INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[HEADER] {9}\r\nA: b\r\n\r\nx)",
    "* # FETCH (UID # BODY[] {5}\r\nabcde)",
    "* # FETCH (BODY[] {5}\r\nabcde UID #)",
    "* # FETCH (UID # BODY[] NIL)",
    "* # FETCH (UID # FLAGS ())",
    "* # FETCH (UID # RFC822.SIZE 99999999999999999999)",
    "* # FETCH (UID # BODY[] {99}\r\nab",
    "* # FETCH (UID 4294967295 FLAGS (\\Seen) RFC822.SIZE 1 BODY[HEADER] \"\")",
    "* # FETCH ((((((((((",
    "* # FETCH",
    "* SEARCH # # #",
    "* SEARCH 4294967295",
    "* SEARCH",
    "* ESEARCH (TAG \"$\") UID ALL #:#",
    "* ESEARCH UID ALL 1:4294967295",
    "* LIST (\\Noselect) \"/\" INBOX",
    "* LIST () \".\" {3}\r\na.b",
    "* LIST () NIL &&&",
    "* LSUB () \"/\" \"x\\",
    "* LIST () \"\" \"\"",
    "* STATUS INBOX (MESSAGES # UIDNEXT # UIDVALIDITY # HIGHESTMODSEQ #)",
    "* NAMESPACE ((\"x.\" \".\")) NIL NIL",
    "* OK [COPYUID # #:# #:#] x",
    "+ go",
    "+",
    "* BYE",
    "* BAD {4294967295}",
    "* X {70000000}",
    "\u{0}\u{ff}*",
    "m1 OK",
];

fn line(chance: &mut Chance, tag: &str) -> Vec<u8> {
    let mut out = String::new();
    for c in chance.pick(&LINES).chars() {
        match c {
            '#' => out.push_str(&chance.below(12).to_string()),
            '$' => out.push_str(tag),
            other => out.push(other),
        }
    }
    let mut bytes = out.into_bytes();
    if chance.below(20) == 0 {
        let at = usize::try_from(chance.below(bytes.len() as u64)).unwrap();
        bytes[at] = chance.next().to_le_bytes()[0];
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

/// Lets the client in, then answers each line of it with anything, and mostly with the tagged answer.
fn serve(stream: TcpStream, seed: u64) -> std::io::Result<()> {
    let mut chance = Chance::new(seed);
    let offers = chance.sample(&OFFERS, 8).join(" ");
    let mut out = stream.try_clone()?;
    out.write_all(b"* OK [CAPABILITY IMAP4rev1] hello\r\n")?;
    let mut first = true;
    for said in BufReader::new(stream).split(b'\n') {
        let said = String::from_utf8_lossy(&said?).into_owned();
        let tag = said.split(' ').next().unwrap_or_default().trim();
        if std::mem::take(&mut first) {
            out.write_all(format!("{tag} OK [CAPABILITY IMAP4rev1 {offers}] in\r\n").as_bytes())?;
            continue;
        }
        let mut answer = Vec::new();
        if said.contains("SELECT") && chance.below(4) > 0 {
            answer.extend_from_slice(
                b"* 9 EXISTS\r\n* OK [UIDVALIDITY 7]\r\n* OK [UIDNEXT 10]\r\n* OK [HIGHESTMODSEQ 5]\r\n",
            );
        }
        for _ in 0..chance.below(6) {
            answer.extend(line(&mut chance, tag));
        }
        if said.contains("IDLE") || chance.below(30) == 0 {
            answer.extend_from_slice(b"+ idling\r\n");
        }
        let verdict = ["OK", "OK", "OK", "OK", "NO", "NO [TRYCREATE]", "BAD", "OK [COPYUID 8 1:3 1:3]"];
        if chance.below(25) > 0 {
            answer.extend_from_slice(format!("{tag} {} done\r\n", chance.pick(&verdict)).as_bytes());
        }
        if chance.below(60) == 0 {
            return Ok(());
        }
        out.write_all(&answer)?;
    }
    Ok(())
}

/// Believes everything and knows a little.
struct Any(Chance);

impl Any {
    fn flow(&mut self) -> Flow {
        if self.0.below(10) == 0 { Flow::Stop } else { Flow::Continue }
    }
}

impl Sink for Any {
    fn change(&mut self, _: Change) -> Result<Flow> {
        Ok(self.flow())
    }
}

impl BodySink for Any {
    fn begin(&mut self, _: &RemoteId, _: u64) -> Result<()> {
        Ok(())
    }
    fn data(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }
    fn end(&mut self) -> Result<Flow> {
        Ok(self.flow())
    }
}

struct Known1(Cursor);

impl Known for Known1 {
    fn cursor(&self) -> Cursor {
        self.0
    }
    fn uids(&self) -> Result<UidSet> {
        Ok([1, 2, 3, 7].into_iter().collect())
    }
    fn flags(&self) -> Result<Vec<(u32, Flags, Vec<String>)>> {
        Ok([1, 2, 3, 7].map(|uid| (uid, Flags::NONE, vec![])).into())
    }
    fn has_uidl(&self, _: &str) -> bool {
        false
    }
}

/// One call of a session; what it answers does not matter, but how long it takes.
fn call(session: &mut Session, chance: &mut Chance) -> std::result::Result<(), Kind> {
    let inbox = || FolderRef::new("INBOX");
    let ids = || (1..=3).map(|uid| RemoteId::Uid { validity: 7, uid }).collect::<Vec<_>>();
    let mut any = Any(chance.clone());
    let small = |chance: &mut Chance| u32::try_from(chance.below(12)).unwrap();
    let outcome = match chance.below(11) {
        0 => session.folders().map(drop),
        1 | 2 => {
            let cursor = Cursor {
                validity: if chance.below(3) == 0 { 0 } else { 7 },
                uidnext: small(chance),
                modseq: chance.below(6),
                backfill: small(chance),
            };
            session.pull(&inbox(), &Known1(cursor), &mut any).map(drop)
        }
        3 => session.fetch(&inbox(), &ids(), &mut any),
        4 => session.wait(&inbox(), Instant::now() + Duration::from_millis(20)).map(drop),
        5 => session.keep_alive(),
        6 => session.apply(&RemoteOp::Move { from: inbox(), to: FolderRef::new("a"), ids: ids() }).map(drop),
        7 => session.apply(&RemoteOp::Copy { from: inbox(), to: FolderRef::new("a"), ids: ids() }).map(drop),
        8 => session.apply(&RemoteOp::Delete { folder: inbox(), ids: ids() }).map(drop),
        9 => {
            let raw = &b"Subject: a\r\n\r\n"[..];
            let letter = letter("ä", raw);
            session
                .mark(&letter.folder)
                .and_then(|mark| session.find(&letter, mark))
                .and_then(|_| session.append(&letter, &mut &*raw))
                .map(drop)
        }
        _ => {
            let delta = FlagDelta::add(Flags::SEEN);
            session
                .apply(&RemoteOp::Flag { folder: inbox(), ids: ids(), delta, add: vec![], del: vec![] })
                .map(drop)
        }
    };
    outcome.map_err(|e| e.kind())
}

fn meet(seed: u64) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = std::thread::spawn(move || {
        // That the client hangs up is no matter.
        let _ = serve(listener.accept().unwrap().0, seed);
    });
    let options = DialOptions {
        host: "127.0.0.1".into(),
        port,
        tls: Tls::None,
        ca_file: None,
        pin: None,
        allow_plaintext: false,
        connect_timeout: Duration::from_secs(20),
        read_timeout: SILENCE,
        interrupt: Interrupt::new().unwrap(),
        auth: Default::default(),
        compress: Default::default(),
    };
    let mut chance = Chance::new(!seed);
    if let Ok(mut session) = connect_with(&options, "ann", &Secret::new("secret")) {
        for _ in 0..12 {
            let start = Instant::now();
            let outcome = call(&mut session, &mut chance);
            assert!(start.elapsed() < LONGEST, "a call took {:?}", start.elapsed());
            assert_ne!(outcome, Err(Kind::Bug));
            assert_ne!(outcome, Err(Kind::Auth));
            if matches!(outcome, Err(Kind::Offline | Kind::Timeout)) {
                break;
            }
        }
        Box::new(session).finish().unwrap();
    }
    server.join().unwrap();
}

#[test]
fn x3_no_server_is_too_mad() {
    let seed = Seed::of_run();
    let mut chance = seed.chance();
    let servers = if is_campaign() { SERVERS.1 } else { SERVERS.0 };
    (0..servers).for_each(|_| meet(chance.next()));
}
