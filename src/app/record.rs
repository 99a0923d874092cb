//! A macro: keys that are recorded once and played again, as if they were typed.

use super::key::Key;
use super::notice::Tone;
use super::{App, Overlay};

/// Keys that a macro holds.
const LONGEST: usize = 1000;
/// Times that it is played at once.
const MOST: u32 = 1000;

/// The macro, and whether it is being recorded.
#[derive(Debug, Default)]
pub(super) struct Record {
    keys: Vec<Key>,
    /// What was typed since the recording began.
    running: Option<Vec<Key>>,
    is_playing: bool,
}

impl App {
    /// Whether keys are being recorded.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.record.running.is_some()
    }

    /// A key was typed by the user.
    pub(super) fn record_key(&mut self, key: Key) {
        if let Some(keys) = self.record.running.as_mut().filter(|_| !self.record.is_playing)
            && keys.len() < LONGEST
        {
            keys.push(key);
        }
    }

    /// Begins to record, or ends it; `typed` are the keys that asked for that.
    pub(super) fn toggle_record(&mut self) {
        if self.record.is_playing {
            return;
        }
        match self.record.running.take() {
            None => {
                self.record.running = Some(Vec::new());
                self.say("Recording keys: Q ends it");
            }
            Some(mut keys) => {
                // The key that ends it is not a part of it.
                keys.pop();
                let text = match keys.len() {
                    0 => "Nothing was recorded: the macro is as it was".to_owned(),
                    1 => "Recorded 1 key: gQ plays it".to_owned(),
                    n => format!("Recorded {n} keys: gQ plays them"),
                };
                if !keys.is_empty() {
                    self.record.keys = keys;
                }
                self.say(&text);
            }
        }
    }

    /// Types the macro so many times; ends where something went wrong or asks.
    pub(super) fn play(&mut self, times: u32) {
        if self.record.is_playing || self.is_recording() {
            return self.say("A macro cannot be played in a macro");
        }
        if self.record.keys.is_empty() {
            return self.say("There is no macro: Q records one");
        }
        self.record.is_playing = true;
        let keys = self.record.keys.clone();
        'all: for _ in 0..times.min(MOST) {
            for key in &keys {
                if self.gathering.is_some() {
                    self.ahead.push_back(*key);
                    continue;
                }
                self.press_now(*key);
                let failed =
                    self.notice.as_ref().is_some_and(|n| n.tone == Tone::Error && n.at == self.now.at);
                // A question is for the user to answer.
                if failed || matches!(self.overlay, Some(Overlay::Ask(_))) {
                    break 'all;
                }
            }
        }
        self.record.is_playing = false;
    }
}
