//! Tagging: what `+todo -old` means, and doing the last thing again.

use super::App;
use super::action::{Action, Triage};
use crate::model::{FolderId, check_tag, is_same_tag};

/// What `.` does again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Again {
    /// The same triage.
    Triage(Triage),
    /// The same tags.
    Tags(Change),
    /// Until the same time.
    Snooze(i64, String),
    /// To the same folder; whether away from where it was.
    Transfer(FolderId, bool),
}

/// Tags to set and to clear.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// To set.
    pub add: Vec<String>,
    /// To clear.
    pub del: Vec<String>,
}

/// Reads tags with blanks between: `todo` and `+todo` set one, `-todo` clears it; the last word on a tag
/// counts. An error is a sentence.
pub fn parse(text: &str) -> Result<Change, String> {
    let mut change = Change::default();
    for word in text.split_whitespace() {
        let (name, clear) = match word.strip_prefix('-') {
            Some(name) => (name, true),
            None => (word.strip_prefix('+').unwrap_or(word), false),
        };
        // What another program wrote can be taken away, whatever it is called.
        if !clear {
            check_tag(name)?;
        }
        if name.is_empty() {
            return Err("a tag needs a name".to_owned());
        }
        for held in [&mut change.add, &mut change.del] {
            held.retain(|tag| !is_same_tag(tag, name));
        }
        if clear { &mut change.del } else { &mut change.add }.push(name.to_owned());
    }
    if change == Change::default() { Err("no tag was given".to_owned()) } else { Ok(change) }
}

impl App {
    /// Tags the selected rows, else the row under the cursor; asks where nothing was typed.
    pub(super) fn tag(&mut self, text: &str) {
        if text.is_empty() {
            return self.run(Action::CommandLine("tag ".to_owned()));
        }
        match parse(text) {
            Ok(change) => self.change_tags(change, 1),
            Err(why) => self.fail(&why),
        }
    }

    /// Does the last triage or tagging again, on what is selected or under the cursor now.
    pub(super) fn repeat(&mut self, rows: usize) {
        match self.again.clone() {
            Some(Again::Triage(triage)) => self.triage(triage, rows),
            Some(Again::Tags(change)) => self.change_tags(change, rows),
            Some(Again::Snooze(until, said)) => self.put_off(Some(until), said, rows),
            Some(Again::Transfer(folder, away)) => self.transfer_to(folder, away, rows),
            None => self.say("There is nothing to repeat yet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_a_tag_counts() {
        let change = parse("+todo -old work -Todo").unwrap();
        assert_eq!(
            (change.add, change.del),
            (vec!["work".to_owned()], vec!["old".to_owned(), "Todo".to_owned()])
        );
        assert!(parse("-odd)name").is_ok());
        for bad in ["", "  ", "-", "+", "odd)name", "\\Seen", "++x"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
