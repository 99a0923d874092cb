//! What lies in the maildrop: numbers, sizes and identities (LIST and UIDL, RFC 1939 sections 5 and 7).

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::Session;
use super::fetch::Wanted;
use super::reply::{Reply, Status};
use super::talk::WINDOW;
use crate::error::{Error, Kind, Result};
use crate::protocol::{HeaderHashes, RemoteId};

/// A maildrop with more messages is not read: its names alone would take more memory than mail is worth.
const MOST: usize = 500_000;
/// A larger size is a lie, and would not fit a sum.
const LARGEST: u64 = 1 << 40;
/// The RFC has 70 characters at most; some servers give more. What is longer is known by its hash.
const UIDL: usize = 1024;
/// What begins such a name: no UIDL holds it, each of whose characters is one byte.
const LONG: char = '\u{2026}';

/// One message of this session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Holds for this session only.
    pub(super) number: u32,
    /// As listed: it may lie.
    pub(super) size: u64,
    /// Verbatim; each byte is one character, so that none is lost.
    pub(super) uidl: String,
}

/// The maildrop as this session sees it, the highest number first.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) entries: Vec<Entry>,
    /// The entries by identity, then newest first: a list of a million names is not held twice.
    by_uidl: Vec<u32>,
    /// Identities that several messages have, or may have: never deleted (promise P7).
    twice: HashSet<String>,
}

impl Listing {
    fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|e| std::cmp::Reverse(e.number));
        entries.dedup_by_key(|e| e.number);
        let name = |at: &u32| entries.get(*at as usize).map(|e| e.uidl.as_str());
        let mut by_uidl: Vec<u32> = (0u32..).take(entries.len()).collect();
        by_uidl.sort_by_key(name);
        let shared = by_uidl.windows(2).filter(|two| name(&two[0]) == name(&two[1]));
        // No name is a name that others may have in other sessions.
        let nameless = by_uidl.first().filter(|at| name(at) == Some(""));
        let twice = shared.map(|two| &two[0]).chain(nameless).filter_map(name).map(str::to_owned).collect();
        Self { entries, by_uidl, twice }
    }

    /// The message of this identity, the newest if there are several.
    pub(super) fn find(&self, uidl: &str) -> Option<&Entry> {
        let entry = |at: &u32| self.entries.get(*at as usize);
        let first = self.by_uidl.partition_point(|at| entry(at).is_some_and(|e| e.uidl.as_str() < uidl));
        self.by_uidl.get(first).and_then(entry).filter(|e| e.uidl == uidl)
    }

    /// The message of this number.
    pub(super) fn numbered(&self, number: u32) -> Option<&Entry> {
        let at =
            self.entries.binary_search_by_key(&std::cmp::Reverse(number), |e| std::cmp::Reverse(e.number));
        at.ok().and_then(|at| self.entries.get(at))
    }

    /// Whether this is the message that [`find`](Self::find) gives for its identity.
    pub(super) fn is_first(&self, entry: &Entry) -> bool {
        self.twice.is_empty() || self.find(&entry.uidl).is_some_and(|first| first.number == entry.number)
    }

    /// Whether one message and no other has this identity.
    pub(super) fn is_single(&self, uidl: &str) -> bool {
        !self.twice.contains(uidl)
    }
}

impl Session {
    /// Reads the maildrop, once: it does not change within a session.
    pub(super) fn list(&mut self) -> Result<()> {
        if self.listing.is_some() {
            return Ok(());
        }
        let together = self.capabilities.pipelining;
        if together {
            self.talk.say(&["UIDL", "LIST"])?;
        } else {
            self.talk.say(&["UIDL"])?;
        }
        let names = self.read_list(|line| {
            let (number, uidl) = split(line).ok_or_else(broken)?;
            Ok((number, name_of(uidl)))
        })?;
        if !together {
            self.talk.say(&["LIST"])?;
        }
        let sizes = self.read_list(|line| {
            let (number, size) = split(line).ok_or_else(broken)?;
            let size =
                size.split(|b| *b == b' ').next().and_then(|s| std::str::from_utf8(s).ok()?.parse().ok());
            Ok((number, size.unwrap_or(0).min(LARGEST)))
        })?;
        let entries = match (names, sizes) {
            (Ok(names), sizes) => {
                let mut sizes = sizes.unwrap_or_default();
                sizes.sort_unstable();
                let size = |number| {
                    let at = sizes.partition_point(|(n, _)| *n < number);
                    sizes.get(at).filter(|(n, _)| *n == number).map_or(0, |(_, size)| *size)
                };
                self.named = true;
                names.into_iter().map(|(number, uidl)| Entry { number, size: size(number), uidl }).collect()
            }
            // Some servers list nothing by an error.
            (Err(_), _) if self.is_empty()? => Vec::new(),
            // It names its messages on other days: nothing may be concluded from today.
            (Err(status), _) if self.capabilities.uidl => {
                let what = "the server does not name its messages (UIDL) for the moment";
                return Err(self.talk.refused(&status, Kind::Offline, what));
            }
            (Err(_), Ok(sizes)) => self.identify(sizes)?,
            (Err(_), Err(status)) => {
                return Err(self.talk.refused(
                    &status,
                    Kind::Offline,
                    "the server does not list its messages",
                ));
            }
        };
        self.listing = Some(Listing::new(entries));
        Ok(())
    }

    fn is_empty(&mut self) -> Result<bool> {
        Ok(
            matches!(self.talk.command("STAT")?, Reply::Ok(status) if status.text.split(' ').next() == Some("0")),
        )
    }

    /// One listing: its lines, or the refusal.
    fn read_list<T>(
        &mut self,
        parse: impl Fn(&[u8]) -> Result<(u32, T)>,
    ) -> Result<std::result::Result<Vec<(u32, T)>, Status>> {
        match self.talk.reply()? {
            Reply::Ok(_) => {}
            Reply::Err(status) => return Ok(Err(status)),
            Reply::More(_) => return Err(self.talk.out_of_step()),
        }
        let mut found = Vec::new();
        self.talk.lines(MOST, &mut |line| {
            found.push(parse(line)?);
            Ok(())
        })?;
        Ok(Ok(found))
    }

    /// Identities for a server without UIDL: a hash of the header, and the size (promise P6). Stable
    /// enough to know a message again, not to delete one.
    fn identify(&mut self, sizes: Vec<(u32, u64)>) -> Result<Vec<Entry>> {
        self.named = false;
        let asked = sizes.len();
        let (mut entries, mut headless) = (Vec::new(), Vec::new());
        let mut refusal = Status::default();
        let window = if self.capabilities.pipelining { WINDOW } else { 1 };
        for some in sizes.chunks(window) {
            let tops: Vec<String> = some.iter().map(|(number, _)| format!("TOP {number} 0")).collect();
            self.talk.say(&tops)?;
            for (number, size) in some {
                match self.talk.reply()? {
                    Reply::Ok(_) => {}
                    Reply::Err(status) => {
                        refusal = status;
                        headless.push((*number, *size));
                        continue;
                    }
                    Reply::More(_) => return Err(self.talk.out_of_step()),
                }
                let mut hash = Sha256::new();
                self.talk.body(&mut |bytes| {
                    hash.update(bytes);
                    Ok(())
                })?;
                let hash: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
                entries.push(Entry { number: *number, size: *size, uidl: format!("hash:{hash}-{size}") });
            }
        }
        if entries.is_empty() && asked > 0 {
            let what = "the server knows neither UIDL nor TOP, so its messages cannot be told apart";
            return Err(self.talk.refused(&refusal, Kind::Unsupported, what));
        }
        // A mail whose header is refused is named by the mail itself: never passed over (promise P10).
        let mut heads = HeaderHashes::default();
        for (number, size) in headless {
            let id = RemoteId::Uidl(number.to_string());
            self.talk.say(&[format!("RETR {number}")])?;
            self.receive(&Wanted { id: &id, number, size }, &mut heads)?;
            if let Some(hash) = heads.done.remove(&id) {
                let hash: String = hash.iter().map(|b| format!("{b:02x}")).collect();
                entries.push(Entry { number, size, uidl: format!("hash:{hash}-{size}") });
            }
        }
        Ok(entries)
    }
}

fn broken() -> Error {
    Error::new(Kind::Protocol, "the server's list of messages makes no sense")
}

/// Verbatim, with all its blanks (promise P1), whatever its bytes are.
fn name_of(uidl: &[u8]) -> String {
    if uidl.len() > UIDL {
        let hash = Sha256::digest(uidl);
        return std::iter::once(LONG.to_string()).chain(hash.iter().map(|b| format!("{b:02x}"))).collect();
    }
    uidl.iter().map(|b| char::from(*b)).collect()
}

/// The number that begins a line of a listing, and the rest behind one blank: nothing, if the line ends there.
fn split(line: &[u8]) -> Option<(u32, &[u8])> {
    let line = line.trim_ascii_start();
    let digits = line.iter().take_while(|b| b.is_ascii_digit()).count();
    let number = std::str::from_utf8(&line[..digits]).ok()?.parse().ok().filter(|n| *n > 0)?;
    match &line[digits..] {
        [] => Some((number, &[])),
        [b' ', rest @ ..] => Some((number, rest)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u32, uidl: &str) -> Entry {
        Entry { number, size: 0, uidl: uidl.into() }
    }

    #[test]
    fn p1_identities_are_verbatim() {
        assert_eq!(split(b"1 QhdPYR:00WBw1Ph7x7"), Some((1, &b"QhdPYR:00WBw1Ph7x7"[..])));
        assert_eq!(split(b"12  two blanks "), Some((12, &b" two blanks "[..])));
        assert_eq!(split(b"1"), Some((1, &b""[..])));
        for line in [&b""[..], b"x 1", b"0 a", b"-1 a", b"4294967296 a", b"1\ta"] {
            assert_eq!(split(line), None, "{line:?}");
        }
    }

    #[test]
    fn p7_the_newest_of_a_name_is_found_and_none_is_single() {
        let listing = Listing::new(vec![entry(1, "a"), entry(2, "b"), entry(3, "a"), entry(3, "x")]);
        let numbers: Vec<u32> = listing.entries.iter().map(|e| e.number).collect();
        assert_eq!(numbers, [3, 2, 1]);
        assert_eq!(listing.find("a").map(|e| e.number), Some(3));
        assert!(!listing.is_single("a") && listing.is_single("b"));
        assert!(listing.is_first(&listing.entries[0]) && !listing.is_first(&listing.entries[2]));
    }
}
