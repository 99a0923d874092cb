//! From the bytes of a terminal to keys: unknown and broken escape sequences are swallowed whole, and
//! text that comes faster than hands type is a paste (promise A11).

use std::time::{Duration, Instant};

use crate::app::key::{Code, Key};

/// Something that the terminal sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A key press.
    Key(Key),
    /// Text that was pasted, or came as if it was.
    Paste(String),
    /// The answer to where the cursor is: its column, from 1.
    Column(u16),
}

const ESC: u8 = 0x1b;
/// How long a lone Escape waits for the rest of a sequence.
const ESCAPE_WAIT: Duration = Duration::from_millis(25);
/// No hand presses two keys within this time.
const HANDS: Duration = Duration::from_millis(10);
/// How long a begun sequence waits for its end, and how late the tail of one may come.
const TAIL_WAIT: Duration = Duration::from_millis(500);
/// How long an open paste waits: what would come after it must not run.
const PASTE_WAIT: Duration = Duration::from_secs(5);
/// Bytes of a paste that are kept.
const PASTE_LIMIT: usize = 1 << 20;
/// Bytes of a sequence that are waited for.
const SEQUENCE_LIMIT: usize = 4096;
/// More text keys than this at once, with at least `BURST_KINDS` different ones, were not typed.
const BURST: usize = 10;
const BURST_KINDS: usize = 4;
/// What follows a burst within this time belongs to it.
const BURST_TAIL: Duration = Duration::from_millis(40);

/// Takes bytes as they come, in any pieces.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    /// What is not whole yet; empty or beginning with ESC or a part of a character.
    held: Vec<u8>,
    held_since: Option<Instant>,
    paste: Option<Vec<u8>>,
    /// When a lone Escape was given out: its tail may still come.
    escaped_at: Option<Instant>,
    burst_at: Option<Instant>,
    /// Answers about the cursor that are still due; without one, `CSI 1;2 R` is a key.
    columns_due: u8,
}

/// What the beginning of the held bytes is.
enum Parsed {
    /// So many bytes, and what they mean, if anything.
    Token(usize, Option<Input>),
    /// A paste begins after so many bytes.
    PasteBegins(usize),
    /// More bytes are needed.
    Short,
}

impl Decoder {
    /// Says that the terminal was asked where the cursor is.
    pub(super) fn expect_column(&mut self) {
        self.columns_due = self.columns_due.saturating_add(1);
    }

    /// Takes bytes that came at `now` and gives out what is whole.
    pub(super) fn feed(&mut self, bytes: &[u8], now: Instant) -> Vec<Input> {
        let mut out = Vec::new();
        if let Some(at) = self.escaped_at.take()
            && now.duration_since(at) < TAIL_WAIT
            && is_tail(bytes)
        {
            // The Escape was taken for a key already; what follows it must not be taken for keys too.
            self.held.insert(0, ESC);
        }
        let at_once = self.held_since.is_some_and(|since| now.duration_since(since) < HANDS);
        let is_tail = is_tail(bytes) || at_once && bytes.first() == Some(&b'O');
        if self.held == [ESC] && self.paste.is_none() && !is_tail {
            // An Escape that came alone, and then something else: two keys, not one with Alt.
            self.held.clear();
            out.push(Input::Key(Key::plain(Code::Esc)));
        }
        self.held.extend_from_slice(bytes);
        self.held_since = Some(now);
        self.advance(&mut out);
        self.join_burst(out, now)
    }

    /// When [`Decoder::expire`] is to be called, if nothing else comes.
    #[must_use]
    pub(super) fn deadline(&self) -> Option<Instant> {
        let since = self.held_since?;
        let wait = match self.paste {
            Some(_) => PASTE_WAIT,
            None if self.held == [ESC] => ESCAPE_WAIT,
            None => TAIL_WAIT,
        };
        (!self.held.is_empty() || self.paste.is_some()).then(|| since + wait)
    }

    /// Gives up waiting: a lone Escape is a key, half a sequence is dropped, an open paste ends.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Input> {
        if self.deadline().is_none_or(|at| at > now) {
            return Vec::new();
        }
        let held = std::mem::take(&mut self.held);
        self.held_since = None;
        if let Some(mut paste) = self.paste.take() {
            paste.extend(held.iter().take_while(|b| **b != ESC));
            return vec![Input::Paste(String::from_utf8_lossy(&paste).into_owned())];
        }
        if held == [ESC] {
            self.escaped_at = Some(now);
            return vec![Input::Key(Key::plain(Code::Esc))];
        }
        Vec::new()
    }

    /// Forgets everything that is not whole.
    pub(super) fn clear(&mut self) {
        *self = Self { columns_due: self.columns_due, ..Self::default() };
    }

    fn advance(&mut self, out: &mut Vec<Input>) {
        loop {
            if self.paste.is_some() {
                if !self.advance_paste(out) {
                    return;
                }
                continue;
            }
            match self.parse() {
                Parsed::Short if self.held.len() <= SEQUENCE_LIMIT => return,
                Parsed::Short => self.held.clear(),
                Parsed::PasteBegins(len) => {
                    self.held.drain(..len);
                    self.paste = Some(Vec::new());
                }
                Parsed::Token(len, input) => {
                    self.held.drain(..len);
                    out.extend(input);
                }
            }
        }
    }

    /// Takes what belongs to the open paste; says whether it ended.
    fn advance_paste(&mut self, out: &mut Vec<Input>) -> bool {
        const END: &[u8] = b"\x1b[201~";
        let end = self.held.windows(END.len()).position(|w| w == END);
        // The end may be cut in two: its beginning stays held.
        let take = end.unwrap_or(self.held.len().saturating_sub(END.len() - 1));
        if let Some(paste) = &mut self.paste {
            let room = PASTE_LIMIT.saturating_sub(paste.len());
            paste.extend(self.held.drain(..take).take(room));
        }
        if end.is_none() {
            return false;
        }
        self.held.drain(..END.len());
        let text = self.paste.take().unwrap_or_default();
        out.push(Input::Paste(String::from_utf8_lossy(&text).into_owned()));
        true
    }

    fn parse(&mut self) -> Parsed {
        let Some(&first) = self.held.first() else { return Parsed::Short };
        let key = |key| Parsed::Token(1, Some(Input::Key(key)));
        match first {
            ESC => self.parse_escape(),
            b'\r' => key(Key::plain(Code::Enter)),
            b'\t' => key(Key::plain(Code::Tab)),
            0x7f | 0x08 => key(Key::plain(Code::Backspace)),
            0 => key(Key::ctrl(' ')),
            1..=0x1a => key(Key::ctrl(char::from(first - 1 + b'a'))),
            0x1c..=0x1f => key(Key::ctrl(char::from(first - 0x1c + b'\\'))),
            b' '..=b'~' => key(Key::char(char::from(first))),
            _ => self.parse_utf8(0),
        }
    }

    /// A character of several bytes at `at`, which is also where an Alt key has its character.
    fn parse_utf8(&self, at: usize) -> Parsed {
        let bytes = self.held.get(at..).unwrap_or_default();
        let len = match bytes.first() {
            Some(0xc2..=0xdf) => 2,
            Some(0xe0..=0xef) => 3,
            Some(0xf0..=0xf4) => 4,
            _ => return Parsed::Token(at + 1, None),
        };
        let Some(whole) = bytes.get(..len) else {
            let broken = bytes.iter().skip(1).any(|b| b & 0xc0 != 0x80);
            return if broken { Parsed::Token(at + 1, None) } else { Parsed::Short };
        };
        match std::str::from_utf8(whole).ok().and_then(|s| s.chars().next()) {
            Some(c) if !c.is_control() => {
                let key = Key { alt: at > 0, ..Key::char(c) };
                Parsed::Token(at + len, Some(Input::Key(key)))
            }
            Some(_) => Parsed::Token(at + len, None),
            None => Parsed::Token(at + 1, None),
        }
    }

    fn parse_escape(&mut self) -> Parsed {
        match self.held.get(1) {
            None => Parsed::Short,
            Some(b'[') => self.parse_csi(),
            Some(b'O') => match self.held.get(2) {
                None => Parsed::Short,
                Some(last) => Parsed::Token(3, letter_key(*last, 1).map(Input::Key)),
            },
            // OSC, DCS, APC, PM, SOS: a string up to BEL or ST.
            Some(b']' | b'P' | b'_' | b'^' | b'X') => {
                let body = self.held.get(2..).unwrap_or_default();
                let bell = body.iter().position(|b| *b == 7).map(|at| at + 3);
                let st = body.windows(2).position(|w| w == b"\x1b\\").map(|at| at + 4);
                match (bell, st) {
                    (Some(a), Some(b)) => Parsed::Token(a.min(b), None),
                    (Some(end), None) | (None, Some(end)) => Parsed::Token(end, None),
                    (None, None) => Parsed::Short,
                }
            }
            // Two Escapes: the first stands alone.
            Some(&ESC) => Parsed::Token(1, Some(Input::Key(Key::plain(Code::Esc)))),
            // nF sequences: intermediates, then one final byte.
            Some(b' '..=b'/') => {
                let rest = self.held.get(1..).unwrap_or_default();
                match rest.iter().position(|b| !(b' '..=b'/').contains(b)) {
                    None => Parsed::Short,
                    Some(at) => Parsed::Token(at + 2, None),
                }
            }
            Some(c @ b'0'..=b'~') => {
                let key = Key { alt: true, ..Key::char(char::from(*c)) };
                Parsed::Token(2, Some(Input::Key(key)))
            }
            Some(0x80..) => self.parse_utf8(1),
            Some(_) => Parsed::Token(1, Some(Input::Key(Key::plain(Code::Esc)))),
        }
    }

    /// `ESC [ parameters intermediates final` (ECMA-48 section 5.4).
    fn parse_csi(&mut self) -> Parsed {
        let body = self.held.get(2..).unwrap_or_default();
        let Some(len) = body.iter().position(|b| !(b' '..=b'?').contains(b)) else { return Parsed::Short };
        let (inner, last, end) = (&body[..len], body[len], len + 3);
        match last {
            // The Linux console's function keys: `ESC [ [ A`.
            b'[' if inner.is_empty() => match body.get(1) {
                None => Parsed::Short,
                Some(c @ b'A'..=b'E') => {
                    Parsed::Token(end + 1, Some(Input::Key(Key::plain(Code::F(c - b'A' + 1)))))
                }
                Some(_) => Parsed::Token(end + 1, None),
            },
            // A mouse report of the old kind carries three more bytes.
            b'M' if inner.is_empty() => match body.len() {
                4.. => Parsed::Token(end + 3, None),
                _ => Parsed::Short,
            },
            b'@'..=b'~' => {
                let numbers = numbers(inner);
                let (first, second) = (numbers.first().copied().flatten(), numbers.get(1).copied().flatten());
                if last == b'~' && first == Some(200) {
                    return Parsed::PasteBegins(end);
                }
                if last == b'R' && self.columns_due > 0 {
                    self.columns_due -= 1;
                    return Parsed::Token(end, second.map(Input::Column));
                }
                let modifiers = second.unwrap_or(1);
                let key = match last {
                    b'~' => number_key(first.unwrap_or(0), modifiers),
                    _ if numbers.len() <= 2 => letter_key(last, modifiers),
                    _ => None,
                };
                Parsed::Token(end, key.map(Input::Key))
            }
            // Broken off by a control or another sequence: what came so far is nothing.
            _ => Parsed::Token(len + 2, None),
        }
    }

    /// Text keys that came all at once are one paste.
    fn join_burst(&mut self, inputs: Vec<Input>, now: Instant) -> Vec<Input> {
        let text: String = inputs.iter().filter_map(typed).collect();
        let going_on = self.burst_at.is_some_and(|at| now.duration_since(at) < BURST_TAIL);
        let kinds = text.chars().collect::<std::collections::BTreeSet<_>>().len();
        let burst = text.chars().count() > BURST && kinds >= BURST_KINDS;
        if text.is_empty() || !(burst || going_on) {
            return inputs;
        }
        self.burst_at = Some(now);
        let mut rest: Vec<_> = inputs.into_iter().filter(|i| typed(i).is_none()).collect();
        rest.push(Input::Paste(text));
        rest
    }
}

/// What a key would insert, Enter and Tab included.
fn typed(input: &Input) -> Option<char> {
    match input {
        Input::Key(Key { code: Code::Enter, .. }) => Some('\n'),
        Input::Key(Key { code: Code::Tab, .. }) => Some('\t'),
        Input::Key(key) if *key == Key::ctrl('j') => Some('\n'),
        Input::Key(key) => key.text(),
        _ => None,
    }
}

/// Whether bytes can be the rest of a sequence whose Escape came alone.
fn is_tail(bytes: &[u8]) -> bool {
    match bytes {
        [b'[', ..] => true,
        [b'O', last, ..] => letter_key(*last, 1).is_some(),
        _ => false,
    }
}

/// The parameters of a control sequence; `None` for those left out or not numbers.
fn numbers(inner: &[u8]) -> Vec<Option<u16>> {
    if inner.is_empty() {
        return Vec::new();
    }
    inner.split(|b| *b == b';').map(|n| std::str::from_utf8(n).ok()?.parse().ok()).collect()
}

/// `modifiers` as terminals send them: 1, plus 1 for Shift, 2 for Alt, 4 for Control.
fn modified(code: Code, modifiers: u16) -> Key {
    let bits = modifiers.saturating_sub(1);
    Key { code, ctrl: bits & 4 != 0, alt: bits & 2 != 0 }
}

fn letter_key(last: u8, modifiers: u16) -> Option<Key> {
    let code = match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'Z' => Code::BackTab,
        b'M' => Code::Enter,
        b'P'..=b'S' => Code::F(last - b'P' + 1),
        _ => return None,
    };
    Some(modified(code, modifiers))
}

fn number_key(number: u16, modifiers: u16) -> Option<Key> {
    let code = match number {
        1 | 7 => Code::Home,
        2 => Code::Insert,
        3 => Code::Delete,
        4 | 8 => Code::End,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::F(u8::try_from(number - 10).ok()?),
        17..=21 => Code::F(u8::try_from(number - 11).ok()?),
        23 | 24 => Code::F(u8::try_from(number - 12).ok()?),
        _ => return None,
    };
    Some(modified(code, modifiers))
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
