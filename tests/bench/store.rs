//! Times of the store alone: `cargo bench --bench store -- [MESSAGES]` (100000 by default).
//!
//! Prints how long the writer takes for a first sync of 10,000 mails with bodies, how long it takes to fill
//! a store with headers, and medians of what the screen asks of it at that size. Machines are noisy: compare
//! within one run.
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]

mod letters;

use std::hint::black_box;
use std::time::{Duration, Instant};

use mailtui::model::*;
use mailtui::store::*;

use letters::{DAY, Dice, NOW, batches, fill, mail, write};

const BODIES: u32 = 10_000;

fn open() -> (tempfile::TempDir, Store, AccountId, FolderId) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let account = store.account("bench", "memory", Owner::Server, "").unwrap();
    let inbox = store.reader().unwrap().folder_by_role(account, Role::Inbox).unwrap().unwrap().id;
    (dir, store, account, inbox)
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
    let messages = store
        .reader()
        .unwrap()
        .wanted_bodies(account, mailtui::store::Keep::ALL, None, BODIES as usize)
        .unwrap();
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
    let took = fill(&store, account, inbox, &mut dice, total);
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
