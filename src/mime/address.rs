//! Address lists (RFC 5322 section 3.4), as they are written and as they are meant.

use encoding_rs::Encoding;

use super::header::unfold;
use super::words;
use crate::model::Address;

/// Addresses of one field that are read; the rest is counted only.
const MOST: usize = 1000;

/// The mailboxes of an address list, groups taken apart; an empty group gives its name without address.
///
/// The structure is read before anything is decoded, so that what an encoded word hides cannot pass for
/// an address (RFC 2047 section 5).
pub(super) fn parse(value: &[u8], hint: Option<&'static Encoding>) -> Vec<Address> {
    let value = unfold(value);
    let mut list = List {
        done: Vec::new(),
        item: Item::default(),
        group: None,
        last_bare: false,
        open: [true; 3],
        hint,
    };
    let mut at = 0;
    while at < value.len() && list.done.len() < MOST {
        at += list.take(&value[at..]);
    }
    list.end_item();
    list.end_group();
    list.done
}

/// One mailbox that is being read.
#[derive(Default)]
struct Item {
    /// What stands outside angle brackets, quotes taken off.
    phrase: Vec<u8>,
    /// The same as written.
    bare: Vec<u8>,
    comment: Vec<u8>,
    angle: Option<Vec<u8>>,
    /// Whether `bare` holds an at sign.
    has_at: bool,
}

struct List {
    done: Vec<Address>,
    item: Item,
    /// Name of the group we are in, and how many were read when it began.
    group: Option<(Vec<u8>, usize)>,
    /// Whether the last one read had no address, so that it may be the first half of `Doe, John <j@x>`.
    last_bare: bool,
    /// Whether a quote, a comment, an angle bracket may still be closed: once one was not, none is looked
    /// for any more, so that the time stays linear.
    open: [bool; 3],
    hint: Option<&'static Encoding>,
}

impl List {
    /// Takes what `rest` begins with and says how many bytes that was.
    fn take(&mut self, rest: &[u8]) -> usize {
        match rest[0] {
            b'"' if self.open[0] => {
                if let Some((inside, used)) = quoted(rest) {
                    self.item.phrase.extend(inside);
                    self.item.bare.extend_from_slice(&rest[..used]);
                    return used;
                }
                self.open[0] = false;
            }
            b'(' if self.open[1] => {
                if let Some(used) = comment(rest) {
                    if !self.item.comment.is_empty() {
                        self.item.comment.push(b' ');
                    }
                    self.item.comment.extend_from_slice(&rest[1..used - 1]);
                    return used;
                }
                self.open[1] = false;
            }
            b'<' => {
                let end = self.open[2].then(|| rest.iter().position(|b| *b == b'>')).flatten();
                self.open[2] = end.is_some();
                let used =
                    end.map_or_else(|| rest.iter().position(|b| *b == b',').unwrap_or(rest.len()), |e| e + 1);
                let inside = &rest[1..end.unwrap_or(used)];
                // Of two addresses the last one counts; the other is shown as part of the name.
                if let Some(earlier) = self.item.angle.replace(inside.to_vec()) {
                    self.item.phrase.push(b'<');
                    self.item.phrase.extend(earlier);
                    self.item.phrase.push(b'>');
                }
                return used.max(1);
            }
            b',' => {
                self.end_item();
                return 1;
            }
            b';' => {
                self.end_item();
                self.end_group();
                return 1;
            }
            b':' if self.item.angle.is_none() && !self.item.has_at => {
                let name = std::mem::take(&mut self.item).phrase;
                self.end_group();
                self.group = Some((name, self.done.len()));
                self.last_bare = false;
                return 1;
            }
            _ => {}
        }
        self.item.phrase.push(rest[0]);
        self.item.bare.push(rest[0]);
        self.item.has_at |= rest[0] == b'@';
        1
    }

    fn end_group(&mut self) {
        if let Some((name, start)) = self.group.take()
            && start == self.done.len()
        {
            let name = self.text(&name);
            if !name.is_empty() {
                self.done.push(Address { name, addr: String::new() });
            }
        }
        self.last_bare = false;
    }

    fn end_item(&mut self) {
        let item = std::mem::take(&mut self.item);
        let bare = item.bare.trim_ascii();
        let mut name = self.text(&item.phrase);
        let (addr, is_bare) = match &item.angle {
            Some(inside) => (address(inside), false),
            None if bare.contains(&b'@') => {
                // `Joe joe@example.org`: the word with the at sign is the address.
                let is_address = |word: &&[u8]| word.contains(&b'@');
                let word = bare.split(u8::is_ascii_whitespace).rfind(is_address).unwrap_or(bare);
                let word = if bare.starts_with(b"\"") { bare } else { word };
                let rest = bare.strip_suffix(word).unwrap_or_default();
                name = self.text(rest);
                (address(word), false)
            }
            // A user of this machine: root, MAILER-DAEMON.
            None if !bare.is_empty() && bare.iter().all(|b| b.is_ascii_graphic() && !b"\"?".contains(b)) => {
                name.clear();
                (address(bare), true)
            }
            None => (String::new(), true),
        };
        if name.is_empty() {
            name = self.text(&item.comment);
        }
        if name.is_empty() && addr.is_empty() {
            return;
        }
        if item.angle.is_some()
            && std::mem::replace(&mut self.last_bare, false)
            && let Some(first) = self.done.pop()
        {
            let first = if first.name.is_empty() { first.addr } else { first.name };
            name = format!("{first}, {name}");
        }
        self.last_bare = is_bare;
        self.done.push(Address { name, addr });
    }

    /// Decoded, white space made single.
    fn text(&self, raw: &[u8]) -> String {
        let text = words::decode(raw.trim_ascii(), self.hint);
        let mut out = String::with_capacity(text.len());
        for word in text.split_whitespace() {
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
        }
        out
    }
}

/// The address of a mailbox: without white space, source route (RFC 5322 section 4.4) and `mailto:`.
fn address(raw: &[u8]) -> String {
    let text: String =
        words::decode(raw, None).chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
    let text = match text.strip_prefix('@').and_then(|route| route.split_once(':')) {
        Some((_, mailbox)) => mailbox,
        None => &text,
    };
    text.strip_prefix("mailto:").unwrap_or(text).to_owned()
}

/// The inside of the quoted string that `rest` begins with, and its length; `None` if it does not end.
fn quoted(rest: &[u8]) -> Option<(Vec<u8>, usize)> {
    let mut out = Vec::new();
    let mut i = 1;
    loop {
        match *rest.get(i)? {
            b'"' => return Some((out, i + 1)),
            b'\\' => {
                out.push(*rest.get(i + 1)?);
                i += 2;
            }
            b => {
                out.push(b);
                i += 1;
            }
        }
    }
}

/// The length of the comment that `rest` begins with, nested ones inside; `None` if it does not end.
fn comment(rest: &[u8]) -> Option<usize> {
    let mut depth = 0usize;
    let mut skip = false;
    for (i, b) in rest.iter().enumerate() {
        match b {
            _ if skip => skip = false,
            b'\\' => skip = true,
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(i + 1);
        }
    }
    None
}

/// The name by which a mailbox is shown where there is room for one: its name, or its address where it
/// has none or where the name passes itself off as another address (promise X6).
pub(super) fn label(address: &Address) -> &str {
    let name = &address.name;
    if address.addr.is_empty() {
        name
    } else if name.is_empty() || name.contains('@') || name.contains('＠') {
        &address.addr
    } else {
        name
    }
}

/// One line of names, cut after a thousand bytes: `Ada, Charles and 57 more`.
pub(super) fn line(list: &[Address]) -> String {
    const ENOUGH: usize = 1000;
    let mut out = String::new();
    for (i, address) in list.iter().enumerate() {
        if out.len() > ENOUGH {
            out.push_str(&format!(" and {} more", list.len() - i));
            break;
        }
        if i > 0 {
            out.push_str(", ");
        }
        out.extend(label(address).chars().take(ENOUGH / 4));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(value: &str) -> Vec<(String, String)> {
        parse(value.as_bytes(), None).into_iter().map(|a| (a.name, a.addr)).collect()
    }

    fn one(value: &str) -> (String, String) {
        let list = read(value);
        assert_eq!(list.len(), 1, "{list:?}");
        list.into_iter().next().unwrap()
    }

    fn pair(name: &str, addr: &str) -> (String, String) {
        (name.to_owned(), addr.to_owned())
    }

    #[test]
    fn mailboxes_are_read_in_all_styles() {
        assert_eq!(one("Ada Lovelace <ada@example.org>"), pair("Ada Lovelace", "ada@example.org"));
        assert_eq!(one("\"Lovelace, Ada\" <ada@example.org>"), pair("Lovelace, Ada", "ada@example.org"));
        assert_eq!(
            one("ada@example.org (Ada (the) Lovelace)"),
            pair("Ada (the) Lovelace", "ada@example.org")
        );
        assert_eq!(one("<ada@example.org>"), pair("", "ada@example.org"));
        assert_eq!(one("=?utf-8?Q?Andr=C3=A9?= <a@x>"), pair("André", "a@x"));
        assert_eq!(one("\"=?utf-8?Q?Andr=C3=A9?=\" <a@x>"), pair("André", "a@x"));
        assert_eq!(one("\"a b\"@example.org"), pair("", "\"ab\"@example.org"));
    }

    #[test]
    fn lists_and_groups_are_taken_apart() {
        assert_eq!(read("a@x, B <b@x>; C <c@x>,,").len(), 3);
        assert_eq!(read("friends: a@x, b@x;, c@x").len(), 3);
        assert_eq!(one("undisclosed-recipients:;"), pair("undisclosed-recipients", ""));
        assert_eq!(one("MAILER-DAEMON"), pair("", "MAILER-DAEMON"));
    }

    #[test]
    fn broken_mailboxes_are_understood() {
        assert_eq!(one("Doe, John <j@x>"), pair("Doe, John", "j@x"));
        assert_eq!(one("Joe joe@example.org"), pair("Joe", "joe@example.org"));
        assert_eq!(one("\"Joe <joe@x>"), pair("\"Joe", "joe@x"));
        assert_eq!(one("Joe <joe@x"), pair("Joe", "joe@x"));
        assert_eq!(one("<@a,@b:joe@x>"), pair("", "joe@x"));
        assert_eq!(one("Joe (unclosed <joe@x>"), pair("Joe (unclosed", "joe@x"));
        assert_eq!(one("mailto:joe@x"), pair("", "joe@x"));
    }

    #[test]
    fn x6_what_an_encoded_word_hides_is_no_address() {
        // Decodes to: Bank <info@bank.example>, other
        let value = "=?utf-8?Q?Bank_=3Cinfo@bank.example=3E=2C_other?= <evil@example.net>";
        assert_eq!(one(value), pair("Bank <info@bank.example>, other", "evil@example.net"));
        assert_eq!(
            one("<info@bank.example> <evil@example.net>"),
            pair("<info@bank.example>", "evil@example.net")
        );
    }

    #[test]
    fn x6_a_name_that_looks_like_an_address_is_not_shown_for_it() {
        let list = parse(b"\"info@bank.example\" <evil@example.net>, Ada <a@x>, b@x", None);
        assert_eq!(line(&list), "evil@example.net, Ada, b@x");
    }

    #[test]
    fn a_long_list_is_cut() {
        let many = "Someone With A Name <a@example.org>, ".repeat(400);
        let text = line(&parse(many.as_bytes(), None));
        assert!(text.len() < 1100 && text.ends_with(" more"), "{}", text.len());
    }

    #[test]
    fn x10_hostile_lists_take_linear_time() {
        for piece in ["(", "\"\\\"", "<,", "a@b:", "((a)", "<a", ",\"", "a:"] {
            let list = parse(piece.repeat(100_000 / piece.len()).as_bytes(), None);
            assert!(list.len() <= MOST + 1);
        }
    }

    proptest! {
        #[test]
        fn r7_any_bytes_are_read(raw in prop::collection::vec(any::<u8>(), 0..200)) {
            parse(&raw, None);
        }

        #[test]
        fn r7_any_pieces_are_read(pieces in prop::collection::vec(prop::sample::select(
            vec!["\"", "<", ">", "(", ")", ",", ";", ":", "@", "a", " ", "\\", "=?utf-8?Q?a?="]), 0..30)) {
            let list = parse(pieces.concat().as_bytes(), None);
            line(&list);
        }
    }
}
