//! Threading compared with notmuch's, where that is installed: equal but for one rule, and that one explains the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use mailtui::mime;
use mailtui::model::ThreadId;
use mailtui::store::Step;

use crate::store_kit::{Kit, mail};

/// A mail of the corpus: its name, what it answers, its References.
#[derive(Debug, Clone)]
struct Letter {
    own: u32,
    parent: Option<u32>,
    refs: Vec<u32>,
}

type Groups = BTreeSet<BTreeSet<u32>>;

/// Conversations as they are written: chains that are whole, or cut short as programs do; a part of the mail is not here.
fn corpus() -> Vec<Letter> {
    let mut seed = 6u64;
    let mut roll = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let (mut letters, mut next) = (Vec::new(), 1);
    for _ in 0..80 {
        let mut chains: Vec<Vec<u32>> = Vec::new();
        for at in 0..=roll(9) {
            let own = next;
            next += 1;
            let above = if at == 0 { Vec::new() } else { chains[roll(at)].clone() };
            let mut chain = above.clone();
            chain.push(own);
            chains.push(chain);
            let (parent, refs) = match (above.len(), roll(8)) {
                (0, _) => (None, Vec::new()),
                (_, 0) => (above.last().copied(), Vec::new()),
                (_, 1) => (None, above),
                // The first and the last few.
                (n, 2) if n > 2 => (above.last().copied(), vec![above[0], above[n - 1]]),
                // It names itself.
                (_, 3) => (above.last().copied(), [above, vec![own]].concat()),
                _ => (above.last().copied(), above),
            };
            if roll(6) > 0 {
                letters.push(Letter { own, parent, refs });
            }
        }
    }
    // Round in a circle.
    for (own, parent) in [(9001, 9002), (9002, 9001)] {
        letters.push(Letter { own, parent: Some(parent), refs: vec![parent] });
    }
    // One that pulls at three others.
    letters.extend([9110, 9111, 9112].map(|own| Letter { own, parent: None, refs: Vec::new() }));
    letters.push(Letter { own: 9113, parent: Some(9112), refs: vec![9110, 9111, 9112] });
    letters
}

fn raw(letter: &Letter) -> String {
    let named = |n: &u32| format!("<n{n}@example.org>");
    let refs = letter.refs.iter().map(named).collect::<Vec<_>>().join("\r\n ");
    let mut text = format!(
        "From: Ada <ada@example.org>\r\nDate: Mon, 16 Jun 2025 10:00:00 +0000\r\nSubject: {}\r\nMessage-ID: {}\r\n",
        letter.own,
        named(&letter.own)
    );
    if let Some(parent) = &letter.parent {
        text += &format!("In-Reply-To: {}\r\n", named(parent));
    }
    if !refs.is_empty() {
        text += &format!("References: {refs}\r\n");
    }
    text + "\r\nText.\r\n"
}

/// Those that a chain of mails with a name in common connects.
fn connected(letters: &[Letter], names: impl Fn(&Letter) -> BTreeSet<u32>) -> Groups {
    let mut groups: Vec<(BTreeSet<u32>, BTreeSet<u32>)> = Vec::new();
    for letter in letters {
        let (mut all, mut members) = (names(letter), BTreeSet::from([letter.own]));
        groups.retain(|(others, theirs)| {
            let apart = all.is_disjoint(others);
            if !apart {
                all.extend(others);
                members.extend(theirs);
            }
            apart
        });
        groups.push((all, members));
    }
    groups.into_iter().map(|(_, members)| members).collect()
}

fn ours(letters: &[Letter]) -> Groups {
    let kit = Kit::server();
    let mails = letters.iter().zip(1..).map(|(letter, n)| {
        let mut incoming = mail(kit.inbox, n);
        incoming.envelope = mime::envelope(raw(letter).as_bytes());
        Step::Message(Box::new(incoming))
    });
    let committed = kit.commit(mails);
    let mut threads: BTreeMap<ThreadId, BTreeSet<u32>> = BTreeMap::new();
    for (letter, message) in letters.iter().zip(&committed.messages) {
        let thread = kit.reader.message(*message).unwrap().unwrap().thread;
        threads.entry(thread).or_default().insert(letter.own);
    }
    kit.check();
    threads.into_values().collect()
}

/// `None`: there is no notmuch here.
fn theirs(dir: &Path, letters: &[Letter]) -> Option<Groups> {
    let mails = dir.join("mail/cur");
    std::fs::create_dir_all(&mails).unwrap();
    for letter in letters {
        std::fs::write(mails.join(format!("{}:2,S", letter.own)), raw(letter)).unwrap();
    }
    let config = dir.join("config");
    let path = dir.join("mail");
    std::fs::write(&config, format!("[database]\npath={}\n[user]\nname=Ada\n", path.display())).unwrap();
    let notmuch = |args: &[&str]| {
        let output =
            Command::new("notmuch").args(args).env("NOTMUCH_CONFIG", &config).env("HOME", dir).output();
        let output = output.ok()?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Some(output.stdout)
    };
    notmuch(&["new", "--quiet", "--no-hooks"])?;
    let shown = notmuch(&["show", "--format=json", "--body=false", "--entire-thread=true", "*"])?;
    let threads: Vec<serde_json::Value> = serde_json::from_slice(&shown).unwrap();
    Some(threads.iter().map(|thread| numbers(thread).into_iter().collect()).collect())
}

/// The mails in a thread as notmuch tells it: lists in lists.
fn numbers(told: &serde_json::Value) -> Vec<u32> {
    match told {
        serde_json::Value::Array(all) => all.iter().flat_map(numbers).collect(),
        serde_json::Value::Object(mail) => {
            let id = mail.get("id").and_then(|id| id.as_str()).unwrap_or_default();
            id.trim_start_matches('n').split('@').next().and_then(|n| n.parse().ok()).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn conversations_are_those_of_notmuch_but_for_names_in_the_middle() {
    let letters = corpus();
    let ours = ours(&letters);
    let dir = tempfile::tempdir().unwrap();
    let Some(theirs) = theirs(dir.path(), &letters) else {
        eprintln!("SKIPPED: notmuch is not installed");
        return;
    };
    // notmuch joins by every name, we by a mail's own, what it answers, the first and the last: so that one mail
    // cannot pull many conversations together. Nothing else differs.
    let all = |letter: &Letter| -> BTreeSet<u32> {
        letter.refs.iter().copied().chain(letter.parent).chain([letter.own]).collect()
    };
    assert_eq!(theirs, connected(&letters, all));
    let apart: Vec<_> = theirs.difference(&ours).collect();
    assert!(ours.contains(&BTreeSet::from([9111])) && apart.iter().any(|whole| whole.contains(&9111)));
    println!("{} mails, {} conversations of notmuch, {} of ours", letters.len(), theirs.len(), ours.len());
    println!("{} of notmuch's are several here: {apart:?}", apart.len());
    assert!(apart.len() * 20 <= theirs.len(), "more than one of twenty differs: {apart:?}");
    for thread in ours.difference(&theirs) {
        assert!(apart.iter().any(|whole| thread.is_subset(whole)), "{thread:?} is no part of one of theirs");
    }
}
