//! One connection through a proxy: a thread that moves bytes until the plan says otherwise.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mailtui::net::Interrupt;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::Round;
use super::pipe::Pipe;
use super::plan::{Break, Fault, Way};
use super::side::{Got, Side};

/// How long either end may take to close once the connection is broken.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Link {
    pub(super) connection: u32,
    pub(super) round: Arc<Round>,
    pub(super) bell: Interrupt,
    pub(super) client: Side,
    pub(super) server: Side,
    pub(super) up: Pipe,
    pub(super) down: Pipe,
    pub(super) stalled: bool,
    pub(super) resets: bool,
    /// When an end that does not close is left alone.
    pub(super) until: Option<Instant>,
}

impl Link {
    pub(super) fn run(mut self) {
        let mut buffer = vec![0; 16 * 1024];
        // At byte 0 the connection breaks before anything passes.
        if !self.shake() {
            return;
        }
        for fault in [self.up.due(), self.down.due()].into_iter().flatten() {
            self.strike(fault);
        }
        loop {
            let moved = self.turn(&mut buffer);
            self.round.passed(self.connection, &self.up, &self.down);
            if self.is_over() {
                break;
            }
            if !moved && !self.sleep() {
                break;
            }
        }
        if self.resets {
            self.client.reset();
            self.server.reset();
        }
    }

    /// Both handshakes, whichever goes on first; a plan begins behind them.
    fn shake(&mut self) -> bool {
        self.until = Some(Instant::now() + PATIENCE);
        loop {
            let (client, server) = (self.client.is_ready(), self.server.is_ready());
            if self.client.dead || self.server.dead {
                return false;
            }
            if client && server {
                self.until = None;
                return true;
            }
            if !self.sleep() || self.round.is_over() {
                return false;
            }
        }
    }

    /// Moves what can be moved now; whether anything did.
    fn turn(&mut self, buffer: &mut [u8]) -> bool {
        let mut moved = false;
        if self.bell.silence() {
            if self.round.is_over() && self.until.is_none() {
                self.break_off();
            }
            self.stalled &= !self.round.is_released();
            moved = true;
        }
        for (side, pipe) in [(&mut self.client, &mut self.up), (&mut self.server, &mut self.down)] {
            match side.read(buffer) {
                Got::Bytes(n) => {
                    pipe.read(&buffer[..n]);
                    moved = true;
                }
                Got::Later => {}
                Got::End => pipe.end(),
            }
        }
        if self.stalled {
            // The program gave up: that is the end of it.
            if self.client.ended {
                self.break_off();
                self.stalled = false;
                return true;
            }
            return moved;
        }
        for way in Way::BOTH {
            let pipe = if way == Way::Up { &mut self.up } else { &mut self.down };
            let fault = pipe.pass();
            if let Some(fault) = fault {
                self.strike(fault);
                moved = true;
            }
        }
        for way in Way::BOTH {
            let (pipe, side) = match way {
                Way::Up => (&mut self.up, &mut self.server),
                Way::Down => (&mut self.down, &mut self.client),
            };
            let size = self.round.piece(way).min(pipe.out.len());
            if size > 0 {
                let bytes: Vec<u8> = pipe.out.iter().take(size).copied().collect();
                let wrote = side.write(&bytes);
                pipe.out.drain(..wrote);
                moved |= wrote > 0;
            }
            if pipe.is_done() && !self.resets {
                side.finish();
            }
        }
        moved
    }

    fn strike(&mut self, fault: Fault) {
        match &fault {
            Fault::Break { how: Break::Stall, .. } => self.stalled = true,
            Fault::Break { how: Break::Half, way, .. } => {
                let pipe = if *way == Way::Up { &mut self.up } else { &mut self.down };
                pipe.discard();
            }
            Fault::Break { how: Break::Reset, .. } => {
                self.resets = true;
                self.break_off();
            }
            _ => self.break_off(),
        }
        self.round.passed(self.connection, &self.up, &self.down);
        self.round.struck(fault);
    }

    fn break_off(&mut self) {
        self.up.discard();
        self.down.discard();
        self.until = Some(Instant::now() + PATIENCE);
    }

    fn is_over(&self) -> bool {
        let written = self.up.is_done() && self.down.is_done();
        written && (self.resets || (self.client.ended && self.server.ended))
    }

    /// Waits until something can move; whether it is worth going on.
    fn sleep(&self) -> bool {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        if left.is_some_and(|left| left.is_zero()) {
            return false;
        }
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = vec![PollFd::new(&self.bell, PollFlags::IN)];
        for (side, out) in [(&self.client, &self.down), (&self.server, &self.up)] {
            let mut want = PollFlags::empty();
            if !side.ended {
                want |= PollFlags::IN;
            }
            if !out.out.is_empty() && !self.stalled {
                want |= PollFlags::OUT;
            }
            // A side that said all and gets nothing would only wake us by hanging up.
            if let Some(fd) = side.fd().filter(|_| !want.is_empty()) {
                fds.push(PollFd::from_borrowed_fd(fd, want));
            }
        }
        let _ = poll(&mut fds, left.as_ref());
        true
    }
}
