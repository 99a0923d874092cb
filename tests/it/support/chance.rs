//! Chance that can be had again: a small generator, and the seed that a failure prints.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// xorshift64*: good enough to choose faults with, and the same on every machine.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        // One round of splitmix, so that neighbouring seeds have nothing in common; never 0.
        let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self((z ^ (z >> 31)).max(1))
    }

    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.next() % n }
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        let at = self.below(from.len() as u64);
        &from[usize::try_from(at).unwrap()]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, usize::try_from(self.below(at as u64 + 1)).unwrap());
        }
    }

    /// `count` of `from` in their order, or all of them.
    pub fn sample<T: Clone>(&mut self, from: &[T], count: usize) -> Vec<T> {
        let mut left = from.len() as u64;
        let mut wanted = count.min(from.len()) as u64;
        let mut out = Vec::new();
        for item in from {
            if self.below(left) < wanted {
                out.push(item.clone());
                wanted -= 1;
            }
            left -= 1;
        }
        out
    }
}

/// The seed of this run: `MAILTUI_FAULT_SEED`; else always the same, in a campaign the time. Said when the test that made it fails.
#[derive(Debug)]
pub struct Seed(Cell<u64>);

impl Seed {
    pub fn of_run() -> Self {
        let seed = match std::env::var("MAILTUI_FAULT_SEED") {
            Ok(text) => text.parse().expect("MAILTUI_FAULT_SEED is a number"),
            Err(_) if !is_campaign() => 1,
            Err(_) => jiff::Timestamp::now().as_nanosecond() as u64 & 0xffff_ffff,
        };
        Self(Cell::new(seed))
    }

    pub fn chance(&self) -> Chance {
        Chance::new(self.0.get())
    }
}

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("to have the same chance again: MAILTUI_FAULT_SEED={}", self.0.get());
        }
    }
}

/// Whether every point of a campaign is to be tried; else a sample of them.
pub fn is_campaign() -> bool {
    std::env::var_os("MAILTUI_CAMPAIGN").is_some_and(|v| v == "1")
}

/// Bounds an ordinary run: a campaign goes on to the end.
#[derive(Debug)]
pub struct Budget(Instant);

impl Budget {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// Whether one test has had its share of the time.
    pub fn is_spent(&self) -> bool {
        !is_campaign() && self.0.elapsed() > Duration::from_millis(350)
    }
}

#[test]
fn the_same_seed_gives_the_same_sample() {
    let all: Vec<u32> = (0..100).collect();
    let sample = Chance::new(7).sample(&all, 10);
    assert_eq!(sample.len(), 10);
    assert!(sample.is_sorted());
    assert_eq!(sample, Chance::new(7).sample(&all, 10));
    assert_ne!(sample, Chance::new(8).sample(&all, 10));
    assert_eq!(Chance::new(7).sample(&all, 200), all);
}
