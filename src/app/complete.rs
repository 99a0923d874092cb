//! What may be meant by an address, a sender or a file that is typed: looked up beside the command line.

use super::App;
use super::command::{self, Args};
use super::effect::{Effect, Load};
use super::prompt::Prompt;
use crate::compose;
use crate::model::Address;
use crate::store::Known;
use crate::text::Clean;

/// People that are kept for one command line, and shown of them.
const PEOPLE: usize = 20_000;
const SHOWN: usize = 50;
/// Letters of an address from which the user's own command is asked.
const LEAST: usize = 2;

/// What is at hand for completion.
#[derive(Debug, Clone, Default)]
pub struct Stock {
    /// People who were written to, the likeliest first.
    pub(super) known: Vec<Known>,
    /// Those whom the user's own command found for what was typed.
    pub(super) found: (String, Vec<Address>),
    /// As whom can be written.
    pub(super) senders: Vec<String>,
    /// A directory as typed, and what is in it: a directory ends in `/`.
    pub(super) files: (String, Vec<String>),
    /// What was asked for last.
    asked: Option<String>,
}

impl Stock {
    /// Those who may be meant by the last address of a list.
    pub(super) fn people(&self, list: &str) -> Vec<String> {
        let typed = last_address(list).1.to_lowercase();
        let words: Vec<String> = typed.split_whitespace().map(str::to_owned).collect();
        let known = self.known.iter().filter(|one| one.fits(&words)).map(|one| &one.who);
        let found = self.found.1.iter().filter(|_| self.found.0 == typed);
        let mut people: Vec<&Address> = Vec::new();
        for who in known.take(SHOWN).chain(found) {
            if !people.iter().any(|shown| shown.is_same(who)) {
                people.push(who);
            }
        }
        people.into_iter().map(|who| compose::field(std::slice::from_ref(who))).collect()
    }

    /// The senders that hold all that is typed.
    pub(super) fn senders(&self, typed: &str) -> Vec<String> {
        // What stands there from the start is no wish yet.
        let is_one = self.senders.iter().any(|sender| sender == typed.trim());
        let words: Vec<String> = typed.to_lowercase().split_whitespace().map(str::to_owned).collect();
        let fits = |sender: &&String| is_one || words.iter().all(|word| sender.to_lowercase().contains(word));
        self.senders.iter().filter(fits).cloned().collect()
    }

    /// The files of the typed directory that begin as typed.
    pub(super) fn files(&self, typed: &str) -> Vec<String> {
        let (dir, start) = split_path(typed);
        if dir != self.files.0 {
            return Vec::new();
        }
        let fits =
            |name: &&String| name.starts_with(start) && (start.starts_with('.') || !name.starts_with('.'));
        self.files.1.iter().filter(fits).map(|name| format!("{dir}{name}")).collect()
    }
}

/// A list of addresses: what stands before the last one, and that.
pub(super) fn last_address(list: &str) -> (&str, &str) {
    let (mut quoted, mut start) = (false, 0);
    for (at, c) in list.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => start = at + 1,
            _ => {}
        }
    }
    let last = &list[start..];
    let blank = last.len() - last.trim_start().len();
    list.split_at(start + blank)
}

/// A path as typed: the directory with its last `/`, and what begins a name.
fn split_path(typed: &str) -> (&str, &str) {
    typed.split_at(typed.rfind('/').map_or(0, |at| at + 1))
}

impl App {
    /// Gives a command line what it can complete.
    pub(super) fn stock(&mut self, prompt: Prompt) -> Prompt {
        let command = prompt.text().split(' ').next().and_then(command::by_name);
        let mut stock = Stock::default();
        match command.map(|command| command.args) {
            Some(Args::People) => {
                let known = self.db.complete("", self.now.unix, PEOPLE);
                stock.known = self.told(known).unwrap_or_default();
            }
            Some(Args::Sender) => stock.senders.clone_from(&self.settings.senders),
            _ => {}
        }
        prompt.with_stock(stock)
    }

    /// Looks up what is typed now, where that takes longer.
    pub(super) fn look_up(&mut self, prompt: &mut Prompt) {
        let text = prompt.text();
        let Some((name, typed)) = text.split_once(' ') else { return };
        let Some(command) = command::by_name(name) else { return };
        let (wish, load) = match command.args {
            Args::File => {
                let dir = split_path(typed.trim_start()).0.to_owned();
                (dir.clone(), Load::Files { dir })
            }
            Args::People => {
                let typed = last_address(typed).1.to_lowercase();
                if typed.chars().count() < LEAST {
                    return;
                }
                (typed.clone(), Load::People { typed })
            }
            _ => return,
        };
        if prompt.stock.asked.as_ref() != Some(&wish) {
            prompt.stock.asked = Some(wish);
            self.effects.push(Effect::Load(load));
        }
    }

    /// The user's own command answered.
    pub(super) fn people_found(&mut self, typed: String, result: Result<Vec<Address>, Clean>) {
        match (result, self.prompt_mut()) {
            (Ok(people), Some(prompt)) => prompt.stock.found = (typed, people),
            (Err(why), Some(_)) => self.fail(why.as_str()),
            _ => {}
        }
    }

    /// A directory was read.
    pub(super) fn files_found(&mut self, dir: String, names: Vec<String>) {
        if let Some(prompt) = self.prompt_mut() {
            prompt.stock.files = (dir, names);
        }
    }

    fn prompt_mut(&mut self) -> Option<&mut Prompt> {
        match &mut self.overlay {
            Some(super::Overlay::Prompt(prompt)) => Some(prompt),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_address_is_the_one_that_is_typed() {
        assert_eq!(last_address("gra"), ("", "gra"));
        assert_eq!(last_address("Ada <ada@x>, gra"), ("Ada <ada@x>, ", "gra"));
        assert_eq!(last_address("\"Hopper, G"), ("", "\"Hopper, G"));
        assert_eq!(last_address("\"Hopper, Grace\" <g@x>,"), ("\"Hopper, Grace\" <g@x>,", ""));
    }

    #[test]
    fn files_are_told_with_what_was_typed_before_their_names() {
        let names = [".profile", "a b.txt", "docs/"].map(str::to_owned).to_vec();
        let stock = Stock { files: ("~/".to_owned(), names), ..Stock::default() };
        assert_eq!(stock.files("~/"), ["~/a b.txt", "~/docs/"]);
        assert_eq!(stock.files("~/."), ["~/.profile"]);
        assert!(stock.files("/etc/").is_empty() && stock.files("~/x").is_empty());
    }
}
