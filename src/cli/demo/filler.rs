//! Generated mail: as much as is asked for, each mail made anew from its number when it is needed.

use std::fmt::Write as _;

use jiff::{SignedDuration, Zoned};

use super::compose::{lines, me, words};
use super::phrases::{CLOSINGS, DOINGS, FIRST, HOSTS, LAST, MIDDLES, OPENINGS, THINGS};
use crate::model::Flags;

/// Numbers that look random and are always the same.
#[derive(Debug, Clone)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64, number: u64) -> Self {
        Self(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// The next number (splitmix64).
    pub(super) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.roll() % end.max(1)
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among.get(self.below(among.len() as u64) as usize).copied().unwrap_or("")
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// How many mails of each conversation there are, in turn: 12 conversations of 30 mails in all.
const SIZES: [u64; 12] = [1, 3, 1, 2, 6, 1, 1, 4, 2, 1, 5, 3];
const ROUND: u64 = 30;

/// All the mail that is generated: a description, nothing is held.
#[derive(Debug, Clone)]
pub(super) struct Filler {
    seed: u64,
    count: u64,
    now: Zoned,
}

/// One generated mail but for its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slip {
    /// Its number, from the newest on.
    pub(super) number: u64,
    /// `work` or `home`.
    pub(super) account: &'static str,
    /// The folder's path.
    pub(super) folder: &'static str,
    /// Its flags.
    pub(super) flags: Flags,
    /// Unix seconds.
    pub(super) received: i64,
}

impl Filler {
    pub(super) fn new(seed: u64, count: u64, now: Zoned) -> Self {
        Self { seed, count, now }
    }

    /// The conversation of a mail, its place in it from the oldest, and the number of its oldest mail.
    fn thread(number: u64) -> (u64, u64, u64) {
        let mut start = number / ROUND * ROUND;
        for (i, size) in SIZES.iter().enumerate() {
            if number < start + size {
                let thread = number / ROUND * SIZES.len() as u64 + i as u64;
                return (thread, start + size - 1 - number, start + size - 1);
            }
            start += size;
        }
        (number, 0, number)
    }

    /// When a mail was received: two weeks ago and before, by day, answers after what they answer.
    fn at(&self, number: u64) -> Zoned {
        let (_, place, oldest) = Self::thread(number);
        let mut dice = Dice::new(self.seed ^ 0x71de, oldest);
        // A day has some forty mails where there are many.
        let step = if self.count > 5000 { 2160 } else { 86_400 * 600 / (self.count as i64 + 1) };
        let ago = 15 * 86_400 + oldest as i64 * step;
        let then = self.now.saturating_sub(SignedDuration::from_secs(ago));
        // People write by day: the night is folded into it.
        let hour = 7 + (then.hour() as i64 + dice.below(9) as i64) % 13;
        let midnight = then.start_of_day().unwrap_or(then);
        let minutes = dice.below(60) + place * (35 + dice.below(90));
        midnight.saturating_add(SignedDuration::from_mins(hour * 60 + minutes as i64))
    }

    /// What a mail is, without its bytes.
    pub(super) fn slip(&self, number: u64) -> Slip {
        let (thread, place, _) = Self::thread(number);
        let mut dice = Dice::new(self.seed ^ 0x0f01, thread);
        let account = if dice.chance(8) { "home" } else { "work" };
        let folder = match (account, dice.below(100)) {
            ("home", _) | ("work", 0..=54) => "INBOX",
            ("work", 55..=74) => "Archive",
            ("work", 75..=88) => "Lists/embedded",
            ("work", 89..=96) => "Lists/tides",
            _ => "Junk",
        };
        let folder = if folder == "INBOX" && self.is_mine(number) { "Sent" } else { folder };
        let mut dice = Dice::new(self.seed ^ 0xf1a6, number);
        let unread = dice.chance(if number < 200 { 8 } else { 1 }) && place == 0 && folder != "Sent";
        let mut flags = if unread { Flags::NONE } else { Flags::SEEN };
        if dice.chance(2) {
            flags = flags | Flags::FLAGGED;
        }
        if dice.chance(9) && folder != "Sent" {
            flags = flags | Flags::ANSWERED;
        }
        Slip { number, account, folder, flags, received: self.at(number).timestamp().as_second() }
    }

    fn is_mine(&self, number: u64) -> bool {
        let (_, place, _) = Self::thread(number);
        place > 0 && Dice::new(self.seed ^ 0x0e57, number).chance(25)
    }

    fn author(&self, number: u64, account: &str) -> String {
        if self.is_mine(number) {
            return me(account).to_owned();
        }
        let (thread, place, _) = Self::thread(number);
        // Three people take turns in a conversation.
        let mut dice = Dice::new(self.seed ^ 0xa117, thread * 3 + place % 3);
        let (first, last) = (dice.pick(FIRST), dice.pick(LAST));
        let host = dice.pick(HOSTS);
        let local: String = first.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        format!("{first} {last} <{local}@{host}>")
    }

    fn subject(&self, number: u64) -> String {
        let (thread, place, _) = Self::thread(number);
        let mut dice = Dice::new(self.seed ^ 0x5bec, thread);
        let subject = format!("{} {}", dice.pick(DOINGS), dice.pick(THINGS));
        if place == 0 { subject } else { format!("Re: {subject}") }
    }

    fn msgid(&self, number: u64) -> String {
        let id = Dice::new(self.seed ^ 0x1d, number).roll();
        format!("{id:016x}.{number}@filler.example")
    }

    fn paragraphs(&self, number: u64) -> Vec<String> {
        let mut dice = Dice::new(self.seed ^ 0xb0d1, number);
        let mut paragraphs = vec![dice.pick(OPENINGS).to_owned()];
        for _ in 0..1 + dice.below(4) {
            let mut paragraph = String::new();
            for _ in 0..1 + dice.below(4) {
                paragraph.push_str(dice.pick(MIDDLES));
                paragraph.push(' ');
            }
            paragraphs.push(paragraph.trim_end().to_owned());
        }
        paragraphs.push(dice.pick(CLOSINGS).to_owned());
        paragraphs
    }

    /// The raw mail.
    pub(super) fn raw(&self, number: u64) -> Vec<u8> {
        let slip = self.slip(number);
        let (_, place, oldest) = Self::thread(number);
        let author = self.author(number, slip.account);
        let mut to = if self.is_mine(number) { self.author(number + 1, slip.account) } else { String::new() };
        if to.is_empty() || to.starts_with("Robin") {
            to = me(slip.account).to_owned();
        }
        let named = |whole: &str| match whole.split_once(" <") {
            Some((name, rest)) => format!("{} <{rest}", words(name, "utf-8")),
            None => whole.to_owned(),
        };
        let at = self.at(number);
        let date = jiff::fmt::rfc2822::to_string(&at).unwrap_or_default();
        let mut head = format!(
            "Received: from filler.example by mx.post.example with ESMTPS; {date}\r\nFrom: {}\r\nTo: {}\r\n\
             Subject: {}\r\nDate: {date}\r\nMessage-ID: <{}>\r\n",
            named(&author),
            named(&to),
            words(&self.subject(number), "utf-8"),
            self.msgid(number),
        );
        if place > 0 {
            let refs: Vec<String> =
                (number + 1..=oldest).rev().map(|n| format!("<{}>", self.msgid(n))).collect();
            let _ = write!(
                head,
                "In-Reply-To: <{}>\r\nReferences: {}\r\n",
                self.msgid(number + 1),
                refs.join("\r\n ")
            );
        }
        if let Some(list) = slip.folder.strip_prefix("Lists/") {
            let _ = write!(head, "List-Id: <{list}.lists.example>\r\nPrecedence: list\r\n");
        }
        let mut body = String::new();
        if place > 0 {
            let name = self.author(number + 1, slip.account);
            let name = name.split(" <").next().unwrap_or("");
            let _ = writeln!(body, "{name} wrote:");
            for paragraph in self.paragraphs(number + 1).iter().take(2) {
                wrap(paragraph, "> ", &mut body);
            }
            body.push('\n');
        }
        for paragraph in self.paragraphs(number) {
            wrap(&paragraph, "", &mut body);
            body.push('\n');
        }
        let first = author.split(' ').next().unwrap_or("");
        let _ = writeln!(body, "{first}");
        head.push_str("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n");
        head.push_str(&lines(&body));
        head.into_bytes()
    }
}

fn wrap(paragraph: &str, prefix: &str, into: &mut String) {
    let mut width = usize::MAX;
    for word in paragraph.split(' ') {
        if width.saturating_add(word.len() + 1) > 74 {
            if width != usize::MAX {
                into.push('\n');
            }
            into.push_str(prefix);
            width = prefix.len();
        } else {
            into.push(' ');
            width += 1;
        }
        into.push_str(word);
        width += word.len();
    }
    into.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filler(count: u64) -> Filler {
        Filler::new(7, count, "2026-06-10T16:20[Europe/London]".parse().unwrap())
    }

    #[test]
    fn conversations_share_subject_folder_and_references() {
        let filler = filler(300);
        let mut replies = 0;
        for number in 0..120 {
            let (thread, place, oldest) = Filler::thread(number);
            assert_eq!(Filler::thread(oldest), (thread, 0, oldest));
            let raw = String::from_utf8(filler.raw(number)).unwrap();
            if place > 0 {
                replies += 1;
                assert_eq!(filler.slip(number).account, filler.slip(oldest).account);
                assert!(raw.contains(&format!("In-Reply-To: <{}>", filler.msgid(number + 1))));
                assert!(raw.contains(&filler.subject(oldest)), "{raw}");
            }
            assert!(raw.split("\r\n").all(|line| line.len() < 200));
        }
        assert!(replies > 50);
    }

    #[test]
    fn the_same_number_is_the_same_mail() {
        assert_eq!(filler(300).raw(17), filler(300).raw(17));
        assert_ne!(filler(300).raw(17), filler(300).raw(18));
    }
}
