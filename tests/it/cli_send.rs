//! `mailtui send` and `mailtui sendmail`, as scripts call them.

use std::io::Write as _;
use std::path::Path;
use std::process::{Output, Stdio};

use super::cli::mailtui_command;
use super::support::mta::{Faults, Mta};

fn place(mta: &Mta) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let config = format!(
        "[accounts.box]\nemail = \"ada@example.org\"\nname = \"Ada Lovelace\"\nprotocol = \"local\"\n\
         [accounts.box.smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nuser = \"ada\"\n\
         password = {{ command = \"echo hunter2\" }}\n",
        mta.port
    );
    std::fs::write(place.path().join("config.toml"), config).unwrap();
    place
}

fn run(place: &Path, arguments: &[&str], input: &[u8]) -> Output {
    let mut command = mailtui_command(place, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who does not read it does not need it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn o1_a_script_sends_a_mail_with_a_file() {
    let mta = Mta::open();
    let place = place(&mta);
    let file = place.path().join("Bericht für Ämter.txt");
    std::fs::write(&file, "Inhalt\n").unwrap();
    let arguments = [
        "send",
        "--to",
        "Bob <bob@example.org>, eve@example.org",
        "--bcc",
        "zoe@example.org",
        "--subject",
        "Grüße\r\nBcc: mallory@example.org",
        "--attach",
        file.to_str().unwrap(),
    ];
    let output = run(place.path(), &arguments, "Hallo,\nein Text.\n".as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    let taken = mta.taken();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].to, ["bob@example.org", "eve@example.org", "zoe@example.org"]);
    let mail = mailparse::parse_mail(&taken[0].bytes).unwrap();
    let field = |name| mailparse::MailHeaderMap::get_first_value(&mail.headers[..], name);
    assert_eq!(field("From").unwrap(), "Ada Lovelace <ada@example.org>");
    assert_eq!(field("Subject").unwrap(), "Grüße  Bcc: mallory@example.org");
    assert_eq!(field("Bcc"), None);
    assert_eq!(field("Date").map(|date| mailparse::dateparse(&date).is_ok()), Some(true));
    assert_eq!(mail.subparts[0].get_body().unwrap(), "Hallo,\r\nein Text.\r\n");
    assert_eq!(mail.subparts[1].get_body_raw().unwrap(), b"Inhalt\n");
    let name = &mail.subparts[1].get_content_disposition().params["filename"];
    assert_eq!(name, "Bericht für Ämter.txt");
    let text = String::from_utf8_lossy(&taken[0].bytes).into_owned();
    for leak in ["zoe", place.path().to_str().unwrap()] {
        assert!(!text.contains(leak), "{leak}: {text}");
    }
    // Its copy is here.
    let list = run(place.path(), &["list", "Sent"], b"");
    assert!(said(&list).contains("Grüße"), "{}", said(&list));
}

#[test]
fn o2_without_a_way_out_the_mail_stays_and_the_next_sync_sends_it() {
    let mta = Mta::open();
    let place = place(&mta);
    mta.fail(Faults { lost: Some("EHLO".into()), ..Faults::default() });
    let output = run(place.path(), &["send", "--to", "bob@example.org", "--subject", "Later"], b"text\n");
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(said(&output).contains("stays in the outbox"), "{}", said(&output));
    let queue = said(&run(place.path(), &["queue"], b""));
    assert!(queue.contains("send a mail to 1 person") && queue.contains("Later"), "{queue}");
    mta.fail(Faults::default());
    let sync = run(place.path(), &["sync"], b"");
    assert!(sync.status.success(), "{}", said(&sync));
    assert_eq!(mta.copies("bob@example.org"), 1);
    run(place.path(), &["sync"], b"");
    assert_eq!(mta.copies("bob@example.org"), 1);
}

#[test]
fn o1_sendmail_keeps_the_bytes() {
    let mta = Mta::open();
    let place = place(&mta);
    let mail = b"From: Ada <ada@example.org>\nTo: bob@example.org\nBcc: eve@example.org\nSubject: [PATCH]  two  spaces\n\
                 Date: Mon, 23 Nov 2026 10:00:00 +0100\nMessage-ID: <p@example.org>\nX-Odd:\tkept as   it is\n\n\
                 --- a/x\n+++ b/x\n.\n..dots \n\xe4 eight bits\n";
    let output = run(place.path(), &["sendmail", "-i", "-t", "-f", "bounces@example.org"], mail);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let taken = mta.taken();
    assert_eq!(
        (taken[0].from.as_str(), &taken[0].to[..]),
        ("bounces@example.org", &["bob@example.org".to_owned(), "eve@example.org".to_owned()][..])
    );
    let text = String::from_utf8_lossy(mail).replace("Bcc: eve@example.org\n", "").replace('\n', "\r\n");
    assert_eq!(String::from_utf8_lossy(&taken[0].bytes), text);
    assert!(mta.commands().iter().any(|line| line.contains("BODY=8BITMIME")), "{:?}", mta.commands());
}

#[test]
fn o1_sendmail_answers_0_when_the_mail_is_durable_and_75_when_it_cannot_be() {
    let mta = Mta::open();
    let place = place(&mta);
    mta.fail(Faults { lost: Some("EHLO".into()), ..Faults::default() });
    let mail = b"Subject: from cron\n\ntext\n";
    let output = run(place.path(), &["sendmail", "-FCron", "-oem", "root@example.org"], mail);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&run(place.path(), &["queue"], b"")).contains("from cron"));
    assert_eq!(run(place.path(), &["sendmail", "-bd"], b"").status.code(), Some(64));
    assert_eq!(run(place.path(), &["sendmail"], mail).status.code(), Some(64), "nobody to send to");
    // A file is where the store has to be.
    let data = place.path().join("data");
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::write(&data, "").unwrap();
    assert_eq!(run(place.path(), &["sendmail", "root@example.org"], mail).status.code(), Some(75));
    mta.fail(Faults::default());
}

#[test]
fn o2_a_kill_at_any_step_leaves_one_mail_or_says_that_it_is_not_known() {
    for (stall, unsure) in [("EHLO", false), ("MAIL", false), ("RCPT", false), ("DATA", false), (".", true)] {
        let mta = Mta::open();
        let place = place(&mta);
        mta.fail(Faults { stall: Some(stall.into()), ..Faults::default() });
        let mut command =
            mailtui_command(place.path(), &["send", "--to", "bob@example.org", "--subject", "Kill"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(b"text\n").unwrap();
        mta.wait_stalled();
        child.kill().unwrap();
        child.wait().unwrap();
        mta.fail(Faults::default());
        for _ in 0..2 {
            run(place.path(), &["sync"], b"");
        }
        assert_eq!(mta.copies("bob@example.org"), 1, "{stall}");
        let queue = said(&run(place.path(), &["queue"], b""));
        assert_eq!(queue.contains("unsure"), unsure, "{stall}: {queue}");
        let sent = said(&run(place.path(), &["list", "Sent"], b""));
        assert_eq!(sent.contains("Kill"), !unsure, "{stall}: {sent}");
    }
}

#[test]
fn o1_a_script_answers_a_mail_to_whom_it_was_for() {
    let mta = Mta::open();
    let place = place(&mta);
    let send = run(
        place.path(),
        &["send", "--to", "bob@example.org", "--cc", "eve@example.org", "--subject", "Lunch"],
        b"At noon?\n",
    );
    assert!(send.status.success(), "{}", said(&send));
    let list = run(place.path(), &["--json", "list", "Sent"], b"");
    let entry: serde_json::Value =
        serde_json::from_slice(list.stdout.split(|b| *b == b'\n').next().unwrap()).unwrap();
    let id = entry["id"].to_string();
    let reply = run(place.path(), &["reply", &id, "--all"], b"No, at one.\n");
    assert!(reply.status.success(), "{}", said(&reply));
    let taken = mta.taken();
    assert_eq!(
        (taken.len(), &taken[1].to[..]),
        (2, &["bob@example.org".to_owned(), "eve@example.org".to_owned()][..])
    );
    let (first, mail) =
        (mailparse::parse_mail(&taken[0].bytes).unwrap(), mailparse::parse_mail(&taken[1].bytes).unwrap());
    let field = |mail: &mailparse::ParsedMail, name| {
        mailparse::MailHeaderMap::get_first_value(&mail.headers[..], name)
    };
    assert_eq!(field(&mail, "Subject").unwrap(), "Re: Lunch");
    assert_eq!(field(&mail, "In-Reply-To"), field(&first, "Message-ID"));
    assert_eq!(field(&mail, "References"), field(&first, "Message-ID"));
    let text = mail.get_body().unwrap();
    assert!(text.contains("Ada Lovelace wrote:\r\n> At noon?\r\n\r\nNo, at one.\r\n"), "{text:?}");
    let forgot = run(place.path(), &["reply", &id], b"I attached the menu.\n");
    assert_eq!(forgot.status.code(), Some(2), "{}", said(&forgot));
    assert!(said(&forgot).contains("nothing is attached") && mta.taken().len() == 2, "{}", said(&forgot));
    let none = run(place.path(), &["reply", &id, "--list"], b"text\n");
    assert_eq!(none.status.code(), Some(9), "{}", said(&none));
    assert_eq!(run(place.path(), &["reply", "999999"], b"text\n").status.code(), Some(8));
    assert_eq!(mta.taken().len(), 2);
    assert!(run(place.path(), &["reply", &id, "--force"], b"I attached the menu.\n").status.success());
    assert_eq!(mta.taken().len(), 3);
}

#[test]
fn o5_a_script_keeps_a_draft_of_a_link_and_sends_it_once() {
    let mta = Mta::open();
    let place = place(&mta);
    let file = place.path().join("menu.txt");
    std::fs::write(&file, "soup\n").unwrap();
    let link = "mailto:bob@example.org?subject=Lunch%20today&body=At%20noon%3F";
    let kept = run(place.path(), &["--json", "compose", link, "--attach", file.to_str().unwrap()], b"");
    assert!(kept.status.success(), "{}", said(&kept));
    let id = serde_json::from_slice::<serde_json::Value>(&kept.stdout).unwrap()["id"].to_string();
    let list = said(&run(place.path(), &["drafts"], b""));
    assert!(list.contains("bob@example.org") && list.contains("Lunch today"), "{list}");
    assert_eq!(mta.taken().len(), 0);
    assert!(run(place.path(), &["drafts", "send", &id], b"").status.success());
    assert_eq!(run(place.path(), &["drafts", "send", &id], b"").status.code(), Some(8));
    let taken = mta.taken();
    assert_eq!((taken.len(), mta.copies("bob@example.org")), (1, 1));
    let mail = mailparse::parse_mail(&taken[0].bytes).unwrap();
    assert_eq!(
        mailparse::MailHeaderMap::get_first_value(&mail.headers[..], "Subject").unwrap(),
        "Lunch today"
    );
    assert_eq!(mail.subparts[0].get_body().unwrap(), "At noon?\r\n");
    assert_eq!(mail.subparts[1].get_body_raw().unwrap(), b"soup\n");
    for link in [
        "mailto:bob@example.org?attach=/etc/passwd",
        "mailto:bob@example.org?subject=a%0d%0aBcc:eve@example.org",
    ] {
        assert_eq!(run(place.path(), &["compose", link], b"").status.code(), Some(2), "{link}");
    }
    let direct = run(place.path(), &["mailto:zoe@example.org", "--json"], b"");
    let id = serde_json::from_slice::<serde_json::Value>(&direct.stdout).unwrap()["id"].to_string();
    assert!(run(place.path(), &["drafts", "discard", &id], b"").status.success());
    let empty = run(place.path(), &["--json", "compose", "--subject", "Nobody"], b"text\n");
    let id = serde_json::from_slice::<serde_json::Value>(&empty.stdout).unwrap()["id"].to_string();
    assert_eq!(run(place.path(), &["drafts", "send", &id, "--force"], b"").status.code(), Some(2));
    assert!(run(place.path(), &["drafts", "discard", &id], b"").status.success());
    assert_eq!(said(&run(place.path(), &["drafts"], b"")), "");
    assert_eq!(mta.taken().len(), 1);
}

#[test]
fn people_of_a_vcard_are_known_and_those_written_to_come_first() {
    let mta = Mta::open();
    let place = place(&mta);
    assert!(
        run(place.path(), &["send", "--to", "Bob B <bob@example.org>", "--subject", "x"], b"x\n")
            .status
            .success()
    );
    let file = place.path().join("people.vcf");
    std::fs::write(
        &file,
        "BEGIN:VCARD\nFN:Bo Anders\nEMAIL:bo@example.net\nEMAIL:BOB@example.org\nEND:VCARD\n",
    )
    .unwrap();
    let told = run(place.path(), &["addresses", "--import", file.to_str().unwrap()], b"");
    assert_eq!(said(&told), "took in 1 new address\n");
    assert_eq!(
        said(&run(place.path(), &["addresses", "bo"], b"")),
        "bob@example.org\tBob B\nbo@example.net\tBo Anders\n"
    );
}

#[test]
fn a_file_comes_through_a_pipe_into_the_draft_and_is_sent_with_it() {
    let mta = Mta::open();
    let place = place(&mta);
    let none = run(place.path(), &["attach", "--name", "x.pdf"], b"bytes");
    assert!(!none.status.success() && said(&none).contains("there is no draft"), "{}", said(&none));
    let draft = ["compose", "--to", "bob@example.org", "--subject", "A file"];
    assert!(run(place.path(), &draft, b"Here it is.\n").status.success());
    let bytes: Vec<u8> = (0..3_000_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let output = run(place.path(), &["attach", "--name", "../../x.pdf"], &bytes);
    assert!(said(&output).contains("(3000000 bytes) to draft 1"), "{}", said(&output));
    let other = run(place.path(), &["attach", "9", "--name", "y"], b"");
    assert!(said(&other).contains("there is no draft 9"), "{}", said(&other));
    let output = run(place.path(), &["drafts", "send", "1", "--force"], b"");
    assert!(output.status.success(), "{}", said(&output));
    let mail = mta.taken().remove(0).bytes;
    let mail = mailparse::parse_mail(&mail).unwrap();
    let file = &mail.subparts[1];
    let name = file.get_content_disposition().params["filename"].clone();
    assert!(name.ends_with("x.pdf") && !name.contains('/'), "{name}");
    assert_eq!(file.ctype.mimetype, "application/pdf");
    assert!(file.get_body_raw().unwrap() == bytes);
}

#[test]
fn a_file_that_is_gone_when_the_draft_is_sent_is_named_and_nothing_is_sent() {
    let mta = Mta::open();
    let place = place(&mta);
    let file = place.path().join("report.txt");
    std::fs::write(&file, "x").unwrap();
    let draft =
        ["compose", "--to", "bob@example.org", "--subject", "A file", "--attach", file.to_str().unwrap()];
    assert!(run(place.path(), &draft, b"Here it is.\n").status.success());
    std::fs::remove_file(&file).unwrap();
    let output = run(place.path(), &["drafts", "send", "1", "--force"], b"");
    assert!(!output.status.success());
    let told = said(&output);
    assert!(told.contains("report.txt cannot be attached") && told.contains("nothing was sent"), "{told}");
    assert!(mta.taken().is_empty());
    assert!(said(&run(place.path(), &["drafts"], b"")).contains("A file"), "the draft is still there");
}
