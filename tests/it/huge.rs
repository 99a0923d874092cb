//! Mails that are larger than memory should be: each is stored whole, and costs no more memory than a small one (goal S10).

use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use mailtui::model::{Role, View};
use mailtui::store::{Edge, Store};
use sha2::{Digest as _, Sha256};

/// The size of the mail: no buffer of any kind may hold it.
const HUGE: usize = 200 << 20;
/// The program without optimization takes some 30 MB for a small mail; in kilobytes.
const MOST: u64 = 120_000;

const HEAD: &str = "From: Ada <ada@example.org>\r\nSubject: All of it\r\nMessage-ID: <huge@example.org>\r\n\
     Date: Sun, 20 Sep 2026 10:00:00 +0000\r\nContent-Type: application/octet-stream\r\n\r\n";

/// Says the mail in pieces; nobody holds it.
fn say_mail(out: &mut dyn FnMut(&[u8]) -> bool) {
    if !out(HEAD.as_bytes()) {
        return;
    }
    let mut left = HUGE - HEAD.len();
    let mut seed = 1u64;
    while left > 0 {
        // Text that packs badly, as attachments do.
        let line: String = (0..8)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                format!("{:08x}", seed >> 32)
            })
            .collect();
        let piece = format!("{line}\r\n").repeat(1000);
        let piece = &piece.as_bytes()[..piece.len().min(left)];
        left -= piece.len();
        if !out(piece) {
            return;
        }
    }
}

fn hash() -> [u8; 32] {
    let mut hasher = Sha256::new();
    say_mail(&mut |bytes| {
        hasher.update(bytes);
        true
    });
    hasher.finalize().into()
}

/// A server's side of one line: what it says to it. Whether the client still listens.
type Answer = fn(&str, &mut dyn Write) -> std::io::Result<()>;

fn say_all(out: &mut dyn Write) -> std::io::Result<()> {
    let mut said = Ok(());
    say_mail(&mut |bytes| {
        said = out.write_all(bytes);
        said.is_ok()
    });
    said
}

fn imap(line: &str, out: &mut dyn Write) -> std::io::Result<()> {
    let tag = line.split(' ').next().unwrap_or_default();
    let is = |word: &str| line.contains(word);
    if is(" LOGIN ") || is(" AUTHENTICATE ") {
        return write!(out, "{tag} OK [CAPABILITY IMAP4rev1] in\r\n");
    }
    if is(" LIST ") {
        write!(out, "* LIST () \"/\" INBOX\r\n")?;
    } else if is(" SELECT ") {
        write!(out, "* 1 EXISTS\r\n* OK [UIDVALIDITY 7] x\r\n* OK [UIDNEXT 2] x\r\n")?;
    } else if is("BODY.PEEK[HEADER]") {
        let size = HEAD.len();
        write!(out, "* 1 FETCH (UID 1 FLAGS () RFC822.SIZE {HUGE} BODY[HEADER] {{{size}}}\r\n{HEAD})\r\n")?;
    } else if is("BODY.PEEK[]") {
        write!(out, "* 1 FETCH (UID 1 BODY[] {{{HUGE}}}\r\n")?;
        say_all(out)?;
        write!(out, ")\r\n")?;
    } else if is(" SEARCH ") {
        write!(out, "* SEARCH 1\r\n")?;
    } else if is(" STATUS ") {
        write!(out, "* STATUS INBOX (MESSAGES 1 UIDNEXT 2 UIDVALIDITY 7)\r\n")?;
    }
    write!(out, "{tag} OK done\r\n")
}

fn pop3(line: &str, out: &mut dyn Write) -> std::io::Result<()> {
    match line.split(' ').next().unwrap_or_default() {
        "CAPA" => write!(out, "+OK\r\nUSER\r\nUIDL\r\n.\r\n"),
        "UIDL" => write!(out, "+OK\r\n1 huge\r\n.\r\n"),
        "LIST" => write!(out, "+OK\r\n1 {HUGE}\r\n.\r\n"),
        "STAT" => write!(out, "+OK 1 {HUGE}\r\n"),
        "RETR" => {
            write!(out, "+OK\r\n")?;
            say_all(out)?;
            // The end that the mail lacks is not of the mail, where the server has to add one.
            write!(out, "\r\n.\r\n")
        }
        _ => write!(out, "+OK\r\n"),
    }
}

/// Syncs one mail from such a server by the program, a process of its own. What it held at most, in kilobytes, and the
/// mail's size and hash as they are in the store.
fn synced(protocol: &str, greeting: &str, answer: Answer) -> (u64, u64, [u8; 32]) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let place = tempfile::tempdir().unwrap();
    let config = format!(
        "[accounts.t]\nemail = \"a@example.org\"\nprotocol = \"{protocol}\"\nhost = \"127.0.0.1\"\nport = {}\n\
         tls = \"none\"\nuser = \"a\"\npassword = {{ command = \"echo x\" }}\n",
        listener.local_addr().unwrap().port()
    );
    std::fs::write(place.path().join("config.toml"), config).unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_mailtui"));
    program.arg("sync").arg("--config").arg(place.path().join("config.toml"));
    program.arg("--data").arg(place.path().join("data")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = program.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let peak = move || -> Option<u64> {
        let text = std::fs::read_to_string(&status).ok()?;
        text.lines().find(|line| line.starts_with("VmHWM"))?.split_whitespace().nth(1)?.parse().ok()
    };
    let greeting = greeting.to_owned();
    // It may come on several connections; the thread ends with the test.
    let (told, most) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (told, peak, greeting) = (told.clone(), peak.clone(), greeting.clone());
            std::thread::spawn(move || {
                let stream = stream.unwrap();
                let mut wire = BufWriter::with_capacity(1 << 16, stream.try_clone().unwrap());
                let hears = write!(wire, "{greeting}\r\n").and_then(|()| wire.flush());
                let mut lines = BufReader::new(stream).lines();
                while let (true, Some(Ok(line))) = (hears.is_ok(), lines.next()) {
                    let said = answer(&line, &mut wire).and_then(|()| wire.flush());
                    let _ = told.send(peak().unwrap_or(0));
                    if said.is_err() {
                        break;
                    }
                }
            });
        }
    });
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(output.status.success(), "{said}");
    let most = most.try_iter().max().unwrap_or(0);
    let store = Store::open(&place.path().join("data")).unwrap();
    let reader = store.reader().unwrap();
    let account = reader.accounts().unwrap()[0].id;
    let inbox = reader.folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
    let rows = reader.page(View::Folder(inbox), Edge::Top, 10).unwrap().rows;
    let message = rows[0].members[0].message;
    let (mut size, mut hasher) = (0u64, Sha256::new());
    reader
        .read_body(message, &mut |bytes| {
            size += bytes.len() as u64;
            hasher.update(bytes);
            Ok(())
        })
        .unwrap();
    (most, size, hasher.finalize().into())
}

#[test]
fn s10_a_mail_of_200_mb_comes_whole_over_imap_and_is_never_held_as_a_whole() {
    let (peak, size, hashed) = synced("imap", "* OK [CAPABILITY IMAP4rev1] hello", imap);
    assert_eq!((size, hashed), (HUGE as u64, hash()));
    assert!((1..MOST).contains(&peak), "{peak} kB");
}

#[test]
fn s10_a_mail_of_200_mb_comes_whole_over_pop3_and_is_never_held_as_a_whole() {
    let (peak, size, hashed) = synced("pop3", "+OK hello", pop3);
    let mut hasher = Sha256::new();
    say_mail(&mut |bytes| {
        hasher.update(bytes);
        true
    });
    hasher.update(b"\r\n");
    let with_end: [u8; 32] = hasher.finalize().into();
    assert_eq!((size, hashed), (HUGE as u64 + 2, with_end));
    assert!((1..MOST).contains(&peak), "{peak} kB");
}
