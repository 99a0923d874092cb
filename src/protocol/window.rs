//! How much may be asked for ahead of what comes, so that a line is never idle and nobody waits long behind it.

use std::time::{Duration, Instant};

use super::{BodySink, Flow, RemoteId};
use crate::error::Result;

/// How many bytes may be under way: at first, at least, at most.
const FIRST: u64 = 512 << 10;
const LEAST: u64 = 256 << 10;
const MOST: u64 = 8 << 20;
/// How long what is under way should take to come, beyond the round trip: a command of the user waits for it.
const AIM: Duration = Duration::from_millis(300);
/// A window grows by so much at a time at most.
const GROWTH: u64 = 4;

/// The window of a line: what came is measured, and so much is asked for that it takes [`AIM`].
///
/// Time in which whoever takes the mail holds the line up does not count: a slow disk is not a slow line,
/// and what piles up in front of it is bounded where it piles up.
#[derive(Debug)]
pub(super) struct Window {
    room: u64,
    /// The shortest time from a question to the beginning of its answer.
    trip: Option<Duration>,
    asked: Option<Instant>,
    /// What is measured now: since when, how much came, and how long the line was held up meanwhile.
    since: Option<Instant>,
    came: u64,
    held_up: Duration,
}

impl Default for Window {
    /// Of a line of which nothing is known.
    fn default() -> Self {
        let held_up = Duration::ZERO;
        Self { room: FIRST, trip: None, asked: None, since: None, came: 0, held_up }
    }
}

impl Window {
    /// How many bytes may be under way.
    pub(super) fn room(&self) -> u64 {
        self.room
    }

    /// Whether so many bytes more may be asked for. What fits only in part may, or the line would run empty before
    /// it; what is larger than all the room waits for its turn, for nobody is to wait long behind it.
    pub(super) fn takes(&self, under_way: u64, next: u64) -> bool {
        under_way == 0 || (under_way < self.room && next <= self.room)
    }

    /// Nothing is under way, and something is asked for now.
    pub(super) fn begin(&mut self, now: Instant) {
        (self.asked, self.since, self.came, self.held_up) = (Some(now), Some(now), 0, Duration::ZERO);
    }

    /// Bytes came; `held_up` is how long they were in the hands of who takes them.
    fn came(&mut self, bytes: u64, held_up: Duration, now: Instant) {
        if let Some(asked) = self.asked.take() {
            let trip = (now - asked).saturating_sub(held_up);
            self.trip = Some(self.trip.map_or(trip, |least| least.min(trip)));
        }
        self.came += bytes;
        self.held_up += held_up;
        let Some(since) = self.since.filter(|_| self.came >= self.room / 2) else { return };
        let took = (now - since).saturating_sub(self.held_up).max(Duration::from_micros(1));
        let aim = AIM + self.trip.unwrap_or_default();
        let ideal = u128::from(self.came) * aim.as_micros() / took.as_micros();
        let ideal = u64::try_from(ideal).unwrap_or(u64::MAX);
        self.room = ideal.clamp(self.room / GROWTH, self.room * GROWTH).clamp(LEAST, MOST);
        (self.since, self.came, self.held_up) = (Some(now), 0, Duration::ZERO);
    }
}

/// Hands mail on, and measures the line by it.
pub(super) struct Measured<'a> {
    pub(super) sink: &'a mut dyn BodySink,
    pub(super) window: &'a mut Window,
}

impl BodySink for Measured<'_> {
    fn begin(&mut self, id: &RemoteId, size: u64) -> Result<()> {
        self.sink.begin(id, size)
    }

    fn data(&mut self, bytes: &[u8]) -> Result<()> {
        let start = Instant::now();
        self.sink.data(bytes)?;
        let now = Instant::now();
        self.window.came(bytes.len() as u64, now - start, now);
        Ok(())
    }

    fn end(&mut self) -> Result<Flow> {
        let start = Instant::now();
        let flow = self.sink.end()?;
        let now = Instant::now();
        self.window.came(0, now - start, now);
        Ok(flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// The room after seconds on a line of this round trip and rate, of which the sink takes a part for itself.
    fn settled(trip: Duration, bytes_a_second: u64, held_up: u32) -> u64 {
        let mut window = Window::default();
        let mut now = Instant::now();
        window.begin(now);
        now += trip;
        let piece = 16 << 10;
        for _ in 0..20_000 {
            // A window that is full waits for the round trip.
            let line = Duration::from_secs_f64(piece as f64 / bytes_a_second as f64);
            let full = trip.mul_f64(piece as f64 / window.room() as f64);
            let pause = line.max(full);
            now += pause * (1 + held_up);
            window.came(piece, pause * held_up, now);
        }
        window.room()
    }

    #[test]
    fn a_window_fills_the_line_and_no_more() {
        assert_eq!(settled(50 * MS, 1 << 30, 0), MOST);
        assert_eq!(settled(600 * MS, 1 << 30, 0), MOST, "a long way is not a slow line");
        assert_eq!(settled(50 * MS, 1 << 30, 20), MOST, "nor is a slow disk");
        assert_eq!(settled(50 * MS, 100_000, 0), LEAST);
        let some = settled(100 * MS, 5 << 20, 0);
        assert!((1 << 20..3 << 20).contains(&some), "{some}");
    }
}
