//! The demo's mail: real threads, real encodings, as much as is asked for.

use std::collections::HashSet;

use jiff::Zoned;
use mailtui::cli::demo::World;
use mailtui::mime;
use mailtui::protocol::memory::{Held, Server};

fn now() -> Zoned {
    "2026-06-10T16:20[Europe/London]".parse().unwrap()
}

fn all(server: &Server) -> Vec<Held> {
    server.folder_names().iter().flat_map(|folder| server.mails(folder)).collect()
}

/// The value of a header, unfolded, as it is on the wire.
fn header(raw: &[u8], name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(raw).replace("\r\n ", " ");
    let head = text.split("\r\n\r\n").next()?.to_owned();
    let prefix = format!("{name}: ");
    head.lines().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
}

#[test]
fn letters_answer_each_other_and_none_is_from_the_future() {
    let world = World::new(&now(), 0);
    let mails: Vec<Held> = [all(&world.work), all(&world.home)].concat();
    assert_eq!((mails.len() + world.home_sent.len()) as u64, world.mails);
    assert!(mails.len() > 75, "{}", mails.len());
    let sent = world.home_sent.iter();
    let mut ids: HashSet<String> = sent.map(|(raw, _)| header(raw, "Message-ID").unwrap()).collect();
    for mail in &mails {
        let raw = mail.source.bytes();
        assert!(ids.insert(header(&raw, "Message-ID").unwrap()));
        assert!(mail.received <= now().timestamp().as_second());
        let lone = raw.iter().enumerate().any(|(i, b)| *b == b'\n' && raw[i - 1] != b'\r');
        assert!(!lone, "a line does not end in CRLF");
        let rest = String::from_utf8_lossy(&raw).replace("{font-size", "").replace("{color", "");
        assert!(!rest.contains("{day") && !rest.contains("{quote"), "{rest}");
    }
    let answers = mails.iter().filter_map(|mail| header(&mail.source.bytes(), "In-Reply-To"));
    let answers: Vec<String> = answers.collect();
    assert!(answers.len() > 30);
    assert!(answers.iter().all(|parent| ids.contains(parent)));
    for charset in ["iso-2022-jp", "koi8-r", "windows-1251", "iso-8859-1", "utf-8"] {
        let named =
            |m: &Held| String::from_utf8_lossy(&m.source.bytes()).contains(&format!("charset={charset}"));
        assert!(mails.iter().any(named), "no letter in {charset}");
    }
}

#[test]
fn the_same_now_makes_the_same_mail() {
    let bytes = |world: &World| all(&world.work).iter().map(|m| m.source.bytes()).collect::<Vec<_>>();
    assert_eq!(bytes(&World::new(&now(), 200)), bytes(&World::new(&now(), 200)));
}

#[test]
fn a_hundred_thousand_mails_are_a_description_only() {
    let world = World::new(&now(), 100_000);
    assert_eq!(world.mails, 100_000);
    assert_eq!(
        world.work.folder_names().iter().map(|f| world.work.count(f)).sum::<usize>()
            + world.home.count("INBOX")
            + world.home_sent.len(),
        100_000
    );
    let inbox = world.work.mails("INBOX");
    assert!(inbox.len() > 40_000);
    assert!(inbox.is_sorted_by_key(|mail| mail.received));
    assert!(inbox[0].source.bytes().starts_with(b"Received: "));
}

#[test]
fn mail_keeps_arriving_in_both_accounts() {
    let mut world = World::new(&now(), 0);
    let before = (world.work.count("INBOX"), world.home.count("INBOX"));
    let mut arrived = 0;
    while world.arrive(now()) {
        arrived += 1;
    }
    assert!(arrived >= 10);
    assert!(world.work.count("INBOX") > before.0 && world.home.count("INBOX") > before.1);
}

#[test]
fn every_letter_can_be_read() {
    let world = World::new(&now(), 120);
    for mail in [all(&world.work), all(&world.home)].concat() {
        let raw = mail.source.bytes();
        let document = mime::open(&raw);
        let rendered = mime::render(&document, 80, &mime::RenderOptions::default());
        let text: String = rendered.lines.iter().map(|line| format!("{}\n", line.text())).collect();
        let all = format!("{} {}\n{text}", document.subject, document.from[0].full());
        assert!(!all.contains('\u{fffd}'), "{all}");
        assert!(text.trim().len() > 20, "{all}");
        assert!(document.date.is_some_and(|date| (mail.received - date).abs() < 60), "{all}");
        for part in &document.parts {
            assert_eq!(mime::part(&raw, part.index).unwrap().len() as u64, part.size, "{}", part.name);
        }
    }
}
