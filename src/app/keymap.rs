//! From keys to commands: a trie for each place, counts, and what may follow a prefix.

use std::collections::BTreeMap;

use super::bindings::Own;
use super::command::{COMMANDS, Call, Command};
use super::key::Key;
use super::scope::Focus;

/// The keys of every place.
#[derive(Debug, Clone)]
pub struct Keymap {
    roots: [Node; Focus::ALL.len()],
    own: Vec<Own>,
}

/// What a whole sequence runs.
#[derive(Debug, Clone, Copy)]
pub enum Bound {
    /// A command, by its default keys.
    Command(&'static Command),
    /// The user's own keys with this number.
    Own(usize),
}

#[derive(Debug, Clone, Default)]
struct Node {
    /// Set at the end of a sequence only: a prefix is never also an action.
    bound: Option<Bound>,
    next: BTreeMap<Key, Node>,
}

/// Two bindings of one place that cannot both be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// The sequence that was to be added.
    pub keys: String,
    /// The command that has it, or a sequence that it begins, or that begins it.
    pub other: String,
}

/// What may follow the keys typed so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// The next key.
    pub key: Key,
    /// What it does; `None`: more keys follow.
    pub doc: Option<String>,
}

/// The keys of a command that is not whole yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pending {
    /// The count typed so far.
    pub count: Option<u32>,
    /// The keys typed so far, without the count.
    pub keys: Vec<Key>,
}

impl Pending {
    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count.is_none() && self.keys.is_empty()
    }

    /// As typed.
    #[must_use]
    pub fn print(&self) -> String {
        let count = self.count.map(|c| c.to_string()).unwrap_or_default();
        count + &Key::print(&self.keys)
    }
}

/// What a key made of the keys before it.
#[derive(Debug, Clone, Copy)]
pub enum Typed {
    /// A command is whole.
    Run(&'static Command, CallCount),
    /// Keys of the user's own are whole.
    Own(usize, CallCount),
    /// More is to come.
    More,
    /// No command begins so: everything typed is dropped.
    Unknown,
}

/// The count that was typed before a command.
pub type CallCount = Option<u32>;

impl Keymap {
    /// The default keys of every command.
    #[must_use]
    pub fn new() -> Self {
        let mut map = Self { roots: Default::default(), own: Vec::new() };
        for command in COMMANDS {
            for written in command.keys {
                for focus in Focus::ALL.into_iter().filter(|f| command.scope.covers(*f)) {
                    let bound = Key::sequence(written).map(|keys| map.bind(focus, &keys, command));
                    debug_assert!(matches!(bound, Ok(Ok(()))), "default key {written}: {bound:?}");
                }
            }
        }
        map
    }

    /// Binds a sequence at a place. Refused when it is bound, begins a bound one, or is begun by one.
    pub fn bind(&mut self, focus: Focus, keys: &[Key], command: &'static Command) -> Result<(), Clash> {
        if let Some(other) = self.in_the_way(focus, keys) {
            let other = match other {
                Bound::Command(command) => command.name.to_owned(),
                Bound::Own(at) => self.own[at].written.clone(),
            };
            return Err(Clash { keys: Key::print(keys), other });
        }
        self.put(focus, keys, Bound::Command(command));
        Ok(())
    }

    fn put(&mut self, focus: Focus, keys: &[Key], bound: Bound) {
        let root = &mut self.roots[focus as usize];
        keys.iter().fold(root, |node, key| node.next.entry(*key).or_default()).bound = Some(bound);
    }

    /// What is bound to these keys, to a beginning of them, or to keys that they begin.
    pub(super) fn in_the_way(&self, focus: Focus, keys: &[Key]) -> Option<Bound> {
        let mut node = &self.roots[focus as usize];
        for key in keys {
            if node.bound.is_some() {
                return node.bound;
            }
            node = node.next.get(key)?;
        }
        node.first()
    }

    /// What is bound to these keys.
    pub(super) fn at_exactly(&self, focus: Focus, keys: &[Key]) -> Option<Bound> {
        self.at(focus, keys)?.bound
    }

    /// Unbinds these keys and all that begin with them.
    pub(super) fn free(&mut self, focus: Focus, keys: &[Key]) {
        let Some((last, before)) = keys.split_last() else { return };
        let mut node = &mut self.roots[focus as usize];
        for key in before {
            let Some(next) = node.next.get_mut(key) else { return };
            node = next;
        }
        node.next.remove(last);
    }

    /// Binds keys of the user's own, also over default ones.
    pub(super) fn lay(&mut self, own: Own) {
        for place in &own.places {
            self.put(*place, &own.keys, Bound::Own(self.own.len()));
        }
        self.own.push(own);
    }

    /// The user's own keys, in the order of the configuration.
    #[must_use]
    pub fn own(&self) -> &[Own] {
        &self.own
    }

    /// Whose keys are laid over the default ones.
    #[must_use]
    pub fn preset(&self) -> Option<&'static str> {
        self.own.iter().find_map(|own| own.preset)
    }

    /// The keys of a command for people, in any place: `j Down`.
    #[must_use]
    pub fn labels(&self, command: &Command) -> String {
        self.labels_in(command, &Focus::ALL)
    }

    /// The keys of a command in some places.
    #[must_use]
    pub fn labels_in(&self, command: &Command, places: &[Focus]) -> String {
        self.keys_in(command, places).iter().map(|keys| Key::label(keys)).collect::<Vec<_>>().join(" ")
    }

    /// The keys of a command in some places: those of a preset, the default ones without what runs something else now,
    /// the user's own.
    #[must_use]
    pub fn keys_in(&self, command: &Command, places: &[Focus]) -> Vec<Vec<Key>> {
        let is_bound = |keys: &[Key], to: &dyn Fn(Bound) -> bool| {
            places.iter().filter_map(|place| self.at_exactly(*place, keys)).any(to)
        };
        let is_kept = |keys: &Vec<Key>| {
            is_bound(keys, &|bound| matches!(bound, Bound::Command(c) if c.name == command.name))
        };
        let default = command.keys.iter().filter_map(|written| Key::sequence(written).ok()).filter(is_kept);
        let laid = self.own.iter().enumerate().filter(|(at, own)| {
            own.alone().is_some_and(|c| c.name == command.name)
                && is_bound(&own.keys, &|bound| matches!(bound, Bound::Own(held) if held == *at))
        });
        let (preset, own): (Vec<_>, Vec<_>) = laid.map(|(_, own)| own).partition(|own| own.preset.is_some());
        let keys = |own: Vec<&Own>| own.into_iter().map(|own| own.keys.clone()).collect::<Vec<_>>();
        keys(preset).into_iter().chain(default).chain(keys(own)).collect()
    }

    /// Takes one more key.
    pub fn press(&self, focus: Focus, pending: &mut Pending, key: Key) -> Typed {
        if pending.keys.is_empty()
            && let Some(digit) = key.text().and_then(|c| c.to_digit(10))
            && (digit > 0 || pending.count.is_some())
        {
            let count = pending.count.unwrap_or(0);
            pending.count = Some(count.saturating_mul(10).saturating_add(digit).min(1_000_000));
            return Typed::More;
        }
        pending.keys.push(key);
        match self.at(focus, &pending.keys) {
            None => Typed::Unknown,
            Some(Node { bound: Some(bound), .. }) => {
                let count = std::mem::take(pending).count;
                match *bound {
                    Bound::Command(command) => Typed::Run(command, count),
                    Bound::Own(at) => Typed::Own(at, count),
                }
            }
            Some(_) => Typed::More,
        }
    }

    /// What may follow these keys, in the order of the keys.
    #[must_use]
    pub fn hints(&self, focus: Focus, keys: &[Key]) -> Vec<Hint> {
        let Some(node) = self.at(focus, keys) else { return Vec::new() };
        let doc = |bound| match bound {
            Bound::Command(command) => command.doc.to_owned(),
            Bound::Own(at) => self.own[at].doc(),
        };
        let mut hints: Vec<_> =
            node.next.iter().map(|(key, n)| Hint { key: *key, doc: n.bound.map(doc) }).collect();
        hints.sort_by_key(|h| h.key.to_string().to_lowercase());
        hints
    }

    fn at(&self, focus: Focus, keys: &[Key]) -> Option<&Node> {
        keys.iter().try_fold(&self.roots[focus as usize], |node, key| node.next.get(key))
    }
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new()
    }
}

impl Node {
    /// What is bound here, else something below.
    fn first(&self) -> Option<Bound> {
        self.bound.or_else(|| self.next.values().find_map(Self::first))
    }
}

impl From<CallCount> for Call {
    fn from(count: CallCount) -> Self {
        Self { count, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::command::by_name;
    use super::*;
    use proptest::prelude::*;

    fn typed(focus: Focus, keys: &str) -> (String, Pending) {
        let (map, mut pending) = (Keymap::new(), Pending::default());
        let mut said = String::new();
        for key in Key::sequence(keys).unwrap() {
            said = match map.press(focus, &mut pending, key) {
                Typed::Run(command, count) => format!("{} {}", command.name, count.unwrap_or(0)),
                Typed::Own(at, _) => format!("own {at}"),
                Typed::More => "more".to_owned(),
                Typed::Unknown => "unknown".to_owned(),
            };
        }
        (said, pending)
    }

    #[test]
    fn counts_and_prefixes() {
        assert_eq!(typed(Focus::List, "j").0, "down 0");
        assert_eq!(typed(Focus::List, "12j").0, "down 12");
        assert_eq!(typed(Focus::List, "gi").0, "go-inbox 0");
        assert_eq!(typed(Focus::List, "3d").0, "delete 3");
        assert_eq!(typed(Focus::Reader, "g").0, "more");
        assert_eq!(typed(Focus::Reader, "g%").0, "unknown");
        assert_eq!(typed(Focus::Folders, "d").0, "unknown");
        assert_eq!(typed(Focus::List, "30g").1.print(), "30g");
        assert_eq!(typed(Focus::List, "99999999999j").0, "down 1000000");
    }

    #[test]
    fn hints_tell_what_may_follow() {
        let map = Keymap::new();
        let hints = map.hints(Focus::List, &Key::sequence("z").unwrap());
        assert!(hints.contains(&Hint { key: Key::char('R'), doc: Some("Unfold all".to_owned()) }));
        assert!(map.hints(Focus::List, &Key::sequence("zQ").unwrap()).is_empty());
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut map = Keymap::new();
        let quit = by_name("quit").unwrap();
        let mut bind = |keys: &str| map.bind(Focus::List, &Key::sequence(keys).unwrap(), quit);
        assert_eq!(bind("gg").unwrap_err().other, "top");
        assert!(bind("g").is_err());
        assert_eq!(bind("jj").unwrap_err().other, "down");
        assert!(bind("Y").is_ok());
    }

    proptest! {
        #[test]
        fn any_keys_end_in_a_command_or_are_dropped(picks in prop::collection::vec(0usize..95, 1..12)) {
            let (map, mut pending) = (Keymap::new(), Pending::default());
            for pick in picks {
                let key = Key::char(char::from(b' ' + u8::try_from(pick).unwrap()));
                match map.press(Focus::List, &mut pending, key) {
                    Typed::Run(..) | Typed::Own(..) => prop_assert!(pending.is_empty()),
                    Typed::Unknown => pending = Pending::default(),
                    Typed::More => prop_assert!(pending.keys.len() < 3),
                }
            }
        }
    }
}
