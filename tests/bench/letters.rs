//! The mail that the benchmarks are made of, the same in each run.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each benchmark takes what it needs, and says where it cannot go on"
)]

use std::time::{Duration, Instant};

use mailtui::model::*;
use mailtui::store::*;

pub(crate) const DAY: i64 = 86_400;
pub(crate) const NOW: i64 = 1_750_000_000;

/// Numbers that look random and are the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(crate) fn text(&mut self, bytes: usize) -> String {
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
pub(crate) fn mail(dice: &mut Dice, folder: FolderId, n: u32, total: u32) -> Incoming {
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

/// Submits batches as an engine does and waits for the last.
pub(crate) fn write(store: &Store, batches: Vec<Batch>) -> Duration {
    let begun = Instant::now();
    let pending: Vec<Pending> = batches.into_iter().map(|batch| store.submit(batch)).collect();
    pending.into_iter().for_each(|p| drop(p.wait().unwrap()));
    begun.elapsed()
}

pub(crate) fn batches(account: AccountId, steps: Vec<Step>, size: usize) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut steps = steps.into_iter().peekable();
    while steps.peek().is_some() {
        batches.push(Batch { account, steps: steps.by_ref().take(size).collect() });
    }
    batches
}

/// Fills a folder with `total` headers, as a first look at a server does; says how long that took.
pub(crate) fn fill(
    store: &Store,
    account: AccountId,
    inbox: FolderId,
    dice: &mut Dice,
    total: u32,
) -> Duration {
    let mut took = Duration::ZERO;
    for start in (1..=total).step_by(20_000) {
        let end = (start + 19_999).min(total);
        let steps = (start..=end).map(|n| Step::Message(Box::new(mail(dice, inbox, n, total))));
        took += write(store, batches(account, steps.collect(), 100));
    }
    took
}
