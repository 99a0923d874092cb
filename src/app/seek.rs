//! Words in the mail that is shown: found, and gone through.

use super::App;
use super::action::Action;

impl App {
    /// Goes to the first line with these words, from what is on the screen on; asks where nothing was typed.
    pub(super) fn seek(&mut self, typed: &str) {
        let words = typed.trim().to_lowercase();
        if words.is_empty() {
            return self.run(Action::CommandLine("seek ".to_owned()));
        }
        self.sought = words;
        self.reader.hit = None;
        self.seek_on(1);
    }

    /// To another line with the words that were looked for, round to the other end.
    pub(super) fn seek_on(&mut self, by: i32) {
        if self.sought.is_empty() {
            return self.say("Nothing was looked for in a mail yet: / does");
        }
        let Some(letter) = self.reader.letter() else {
            return self.say("The text of this mail is not here yet");
        };
        let has = |line: &crate::mime::Line| line.text().as_str().to_lowercase().contains(&self.sought);
        let hits: Vec<usize> =
            letter.lines.iter().enumerate().filter(|(_, line)| has(line)).map(|(at, _)| at).collect();
        if hits.is_empty() {
            return self.say(&format!("`{}` is not in this mail", self.sought));
        }
        let len = i32::try_from(hits.len()).unwrap_or(i32::MAX);
        // Where nothing was found before, the first one counts from what is on the screen.
        let (at, by) = match self.reader.hit {
            Some(hit) => (hits.partition_point(|line| *line < hit), by),
            None => {
                (hits.partition_point(|line| *line < self.reader.scroll), if by > 0 { by - 1 } else { by })
            }
        };
        let next = i32::try_from(at).unwrap_or(0).saturating_add(by);
        let round = if (0..len).contains(&next) { "" } else { ", from the other end" };
        let next = usize::try_from(next.rem_euclid(len)).unwrap_or(0);
        self.reader.show_hit(hits[next]);
        self.say(&format!("Line {} of {} with `{}`{round}", next + 1, hits.len(), self.sought));
    }
}
