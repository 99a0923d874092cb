//! Times of the store alone: `cargo bench --bench store -- [MESSAGES]` (100000 by default).
//!
//! Prints how long the writer takes for a first sync of 10,000 mails with bodies, how long it takes to fill
//! a store with headers, and medians of what the screen asks of it at that size. Machines are noisy: compare
//! within one run.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use mailtui::model::*;
use mailtui::store::*;

const DAY: i64 = 86_400;
const NOW: i64 = 1_750_000_000;
const BODIES: u32 = 10_000;

/// Numbers that look random and are the same in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn text(&mut self, bytes: usize) -> String {
        const WORDS: [&str; 24] = [
            "the",
            "letter",
            "of",
            "Tuesday",
            "about",
            "our",
            "garden",
            "and",
            "what",
            "remains",
            "to",
            "be",
            "done",
            "before",
            "winter",
            "when",
            "snow",
            "covers",
            "everything",
            "again",
            "please",
            "answer",
            "soon",
            "yours",
        ];
        let mut text = String::with_capacity(bytes + 16);
        while text.len() < bytes {
            text.push_str(WORDS[self.roll(24) as usize]);
            text.push(if self.roll(12) == 0 { '\n' } else { ' ' });
            if self.roll(8) == 0 {
                text.push_str(&self.roll(1_000_000).to_string());
            }
        }
        text
    }
}

/// The n-th mail, a third of them answers to an earlier one.
fn mail(dice: &mut Dice, folder: FolderId, n: u32, total: u32) -> Incoming {
    let mut head_hash = [7; 32];
    head_hash[..4].copy_from_slice(&n.to_be_bytes());
    let received = NOW - 3650 * DAY + i64::from(n) * 3650 * DAY / i64::from(total);
    let parent = (n > 10 && dice.roll(3) == 0).then(|| n - 1 - dice.roll(10) as u32);
    let parent = parent.map(|p| format!("{p}.{p:x}@list.example.org")).unwrap_or_default();
    let writer = dice.roll(500);
    Incoming {
        folder,
        uid: Some(n),
        uidl: None,
        remote_id: None,
        flags: if dice.roll(50) == 0 { Flags::NONE } else { Flags::SEEN },
        keywords: Vec::new(),
        size: 2000 + dice.roll(50_000),
        received,
        internal: 0,
        envelope: Envelope {
            msgid: format!("{n}.{n:x}@list.example.org"),
            refs: if parent.is_empty() { Vec::new() } else { vec![parent.clone()] },
            parent,
            date: Some(received - 60),
            from: Address { name: format!("Writer Number{writer}"), addr: format!("w{writer}@example.org") },
            to_line: "garden list".to_owned(),
            cc_line: String::new(),
            list_id: "garden.example.org".to_owned(),
            subject: dice.text(40),
            head_hash,
        },
        body: None,
    }
}

fn open() -> (tempfile::TempDir, Store, AccountId, FolderId) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let account = store.account("bench", "memory", Owner::Server, "").unwrap();
    let inbox = store.reader().unwrap().folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
    (dir, store, account, inbox)
}

/// Submits batches as an engine does and waits for the last.
fn write(store: &Store, batches: Vec<Batch>) -> Duration {
    let begun = Instant::now();
    let pending: Vec<Pending> = batches.into_iter().map(|batch| store.submit(batch)).collect();
    pending.into_iter().for_each(|p| drop(p.wait().unwrap()));
    begun.elapsed()
}

fn batches(account: AccountId, steps: Vec<Step>, size: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut steps = steps.into_iter().peekable();
    while steps.peek().is_some() {
        batches.push(Batch { account, steps: steps.by_ref().take(size).collect() });
    }
    batches
}

fn first_sync() {
    let (_dir, store, account, inbox) = open();
    let mut dice = Dice(1);
    let mut packer = Packer::new().unwrap();
    let (mut raw, mut stored, mut packing) = (0, 0, Duration::ZERO);
    let mut heads = Vec::new();
    let mut bodies = Vec::new();
    for n in (1..=BODIES).rev() {
        heads.push(Step::Message(Box::new(mail(&mut dice, inbox, n, BODIES))));
        let length = if dice.roll(10) == 0 { 180_000 } else { 8_000 };
        let text = dice.text(length);
        let begun = Instant::now();
        let mut chunks = packer.push(text.as_bytes()).unwrap();
        let (last, size, sha256) = packer.finish().unwrap();
        packing += begun.elapsed();
        chunks.extend(last);
        raw += size;
        stored += chunks.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
        bodies.push(Packed { chunks, size, sha256, snippet: text[..80].to_owned(), attachments: 0 });
    }
    println!(
        "first sync of {BODIES} mails: {} MB raw, {} MB packed, {packing:.2?} to pack",
        raw >> 20,
        stored >> 20
    );
    let headers = write(&store, batches(account, heads, 50));
    let messages = store.reader().unwrap().wanted_bodies(account, None, BODIES as usize).unwrap();
    let bodies =
        messages.iter().zip(bodies).map(|(wanted, body)| Step::Body { message: wanted.message, body });
    let bodies = write(&store, batches(account, bodies.collect(), 10));
    println!("  headers {headers:.2?}, bodies {bodies:.2?}, together {:.2?}", headers + bodies);
}

fn medians(name: &str, times: usize, mut run: impl FnMut(usize)) {
    let mut took: Vec<Duration> = (0..times)
        .map(|i| {
            let begun = Instant::now();
            run(i);
            begun.elapsed()
        })
        .collect();
    took.sort_unstable();
    println!("  {name:<28} p50 {:>9.2?}  p99 {:>9.2?}", took[times / 2], took[times * 99 / 100]);
}

fn screen(total: u32) {
    let (dir, store, account, inbox) = open();
    let mut dice = Dice(2);
    let mut took = Duration::ZERO;
    for start in (1..=total).step_by(20_000) {
        let end = (start + 19_999).min(total);
        let steps = (start..=end).map(|n| Step::Message(Box::new(mail(&mut dice, inbox, n, total))));
        let queue = batches(account, steps.collect(), 100);
        took += write(&store, queue);
    }
    println!("{total} headers written in {took:.2?} ({:.0} a second)", f64::from(total) / took.as_secs_f64());
    let reader = store.reader().unwrap();
    let view = View::Folder(inbox);
    let top = reader.page(view, Edge::Top, 50).unwrap();
    assert_eq!(top.rows.len(), 50);
    let mut anywhere =
        || SortKey { at: NOW - dice.roll(3650 * DAY as u64) as i64, id: PlacementId(i64::MAX) };
    let keys: Vec<SortKey> = (0..300).map(|_| anywhere()).collect();
    medians("page of 50, top", 300, |_| drop(black_box(reader.page(view, Edge::Top, 50).unwrap())));
    medians("page of 50, anywhere", 300, |i| {
        drop(black_box(reader.page(view, Edge::After(keys[i]), 50).unwrap()));
    });
    medians("page of 50, around", 300, |i| {
        drop(black_box(reader.page(view, Edge::Around(keys[i]), 50).unwrap()));
    });
    medians("page of 50, bottom", 300, |_| drop(black_box(reader.page(view, Edge::Bottom, 50).unwrap())));
    medians("page of 50, unified", 300, |i| {
        drop(black_box(reader.page(View::Unified(Role::Inbox), Edge::After(keys[i]), 50).unwrap()));
    });
    medians("row", 300, |i| drop(black_box(reader.row(view, top.rows[i % 50].head.thread).unwrap())));
    medians("next unread", 300, |i| {
        black_box(reader.next_unread(view, keys[i], i % 2 == 0).unwrap());
    });
    medians("thread", 300, |i| drop(black_box(reader.thread(top.rows[i % 50].head.thread).unwrap())));
    medians("folders", 300, |_| drop(black_box(reader.folders(account).unwrap())));
    medians("uids", 5, |_| drop(black_box(reader.uids(inbox).unwrap())));
    medians("star, durable", 100, |i| {
        let items = vec![top.rows[i % 50].head.placement];
        let delta = if i / 50 == 0 { FlagDelta::add(Flags::FLAGGED) } else { FlagDelta::del(Flags::FLAGGED) };
        black_box(store.intend_wait(Intent::Flag { items, delta, undoable: true }).unwrap());
    });
    drop((reader, store));
    medians("open, one page", 20, |_| {
        let store = Store::open(dir.path()).unwrap();
        let page = store.reader().unwrap().page(view, Edge::Top, 50).unwrap();
        assert_eq!(black_box(page).rows.len(), 50);
    });
}

fn main() {
    let total = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(100_000);
    first_sync();
    screen(total);
}
