//! A POP3 session (RFC 1939, RFC 2449): a maildrop as it was at sign-in, deletions that count at QUIT.

use mailtui::protocol::memory::{Held, Server};
use mailtui::protocol::{FolderRef, RemoteId, RemoteOp};

use super::{Line, Said};

pub(super) fn serve(mut line: Line, server: &Server, offers: &[&str]) -> Said<()> {
    line.say(b"+OK ready\r\n")?;
    let mut session = None;
    let mut drop: Vec<(Held, bool)> = Vec::new();
    loop {
        let said = String::from_utf8_lossy(&line.line()?).into_owned();
        let mut words = said.split_whitespace();
        let verb = words.next().unwrap_or_default().to_ascii_uppercase();
        let mut numbers = words.map(|word| word.parse::<usize>().unwrap_or(0));
        let (which, lines) = (numbers.next(), numbers.next());
        if let Some(session) = &mut session {
            // A step of its own: the hooks of the server in memory may end the session here.
            let session: &mut Box<dyn mailtui::protocol::MailProtocol> = session;
            session.keep_alive()?;
        }
        let at = which.and_then(|n| n.checked_sub(1)).filter(|at| drop.get(*at).is_some_and(|mail| !mail.1));
        let left = |drop: &[(Held, bool)]| {
            drop.iter()
                .enumerate()
                .filter(|(_, mail)| !mail.1)
                .map(|(at, (mail, _))| (at + 1, mail.clone()))
                .collect::<Vec<_>>()
        };
        let many = |rows: Vec<String>| format!("+OK\r\n{}.\r\n", rows.concat()).into_bytes();
        let size = |mail: &Held| mail.source.bytes().len();
        let answer = match (verb.as_str(), &mut session) {
            ("CAPA", _) => many(offers.iter().map(|word| format!("{word}\r\n")).collect()),
            ("USER", None) => b"+OK\r\n".to_vec(),
            ("PASS", None) => {
                session = Some(server.session(&line.bell)?);
                drop = server.mails("INBOX").into_iter().map(|mail| (mail, false)).collect();
                b"+OK signed in\r\n".to_vec()
            }
            ("QUIT", Some(_)) => {
                session.take().map_or(Ok(()), |session| session.finish())?;
                line.say(b"+OK bye\r\n")?;
                return Ok(());
            }
            ("QUIT", None) => return line.say(b"+OK bye\r\n"),
            ("NOOP", Some(_)) => b"+OK\r\n".to_vec(),
            ("STAT", Some(_)) => {
                let left = left(&drop);
                let sum: usize = left.iter().map(|(_, mail)| size(mail)).sum();
                format!("+OK {} {sum}\r\n", left.len()).into_bytes()
            }
            ("LIST", Some(_)) if which.is_none() => {
                many(left(&drop).iter().map(|(n, mail)| format!("{n} {}\r\n", size(mail))).collect())
            }
            ("UIDL", Some(_)) if which.is_none() && offers.contains(&"UIDL") => {
                many(left(&drop).iter().map(|(n, mail)| format!("{n} {}\r\n", mail.uidl)).collect())
            }
            ("RETR" | "TOP", Some(_)) if at.is_some() => {
                let raw = drop[at.unwrap_or(0)].0.source.bytes();
                stuffed(&raw, if verb == "TOP" { lines } else { None })
            }
            ("DELE", Some(session)) if at.is_some() => {
                let mail = &mut drop[at.unwrap_or(0)];
                let ids = vec![RemoteId::Uidl(mail.0.uidl.clone())];
                session.apply(&RemoteOp::Delete { folder: FolderRef::new("INBOX"), ids })?;
                mail.1 = true;
                b"+OK\r\n".to_vec()
            }
            _ => b"-ERR not understood\r\n".to_vec(),
        };
        line.say(&answer)?;
    }
}

/// With a dot before each line that begins with one; as many lines of the body as wanted.
fn stuffed(raw: &[u8], lines: Option<usize>) -> Vec<u8> {
    let mut out = b"+OK\r\n".to_vec();
    let mut left = None;
    for row in raw.split_inclusive(|byte| *byte == b'\n') {
        match (&mut left, lines) {
            (Some(0), _) => break,
            (Some(left), _) => *left -= 1,
            (None, Some(lines)) if row == b"\r\n" => left = Some(lines),
            _ => {}
        }
        if row.starts_with(b".") {
            out.push(b'.');
        }
        out.extend(row);
    }
    if !out.ends_with(b"\r\n") {
        out.extend(b"\r\n");
    }
    out.extend(b".\r\n");
    out
}
