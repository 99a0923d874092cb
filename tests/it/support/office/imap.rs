//! An IMAP session (RFC 9051, RFC 4315, RFC 6851, RFC 7162) over a session with the server in memory.

use mailtui::model::{FlagDelta, Flags};
use mailtui::protocol::memory::{Held, Server};
use mailtui::protocol::{Applied, FolderRef, MailProtocol, RemoteId, RemoteOp, Wake};

use super::answers::{fetched, flags, split_flags};
use super::words::{Word, chosen, command, set};
use super::{Gone, Line, Said};

/// The folder that is selected, as the client knows it: UIDs, and when each changed.
struct Selected {
    remote: String,
    validity: u32,
    known: Vec<(u32, u64)>,
}

pub(super) struct Session<'a> {
    pub(super) line: Line,
    pub(super) server: &'a Server,
    pub(super) inner: Box<dyn MailProtocol>,
    offers: Vec<&'static str>,
    selected: Option<Selected>,
    /// The client has shown that it knows modification sequences.
    modseq: bool,
}

pub(super) fn serve(mut line: Line, server: &Server, offers: Vec<&'static str>) -> Said<()> {
    line.say(format!("* OK [CAPABILITY {}] ready\r\n", offers.join(" ")).as_bytes())?;
    let inner = server.session(&line.bell)?;
    let mut session = Session { line, server, inner, offers, selected: None, modseq: false };
    loop {
        let free = session.has("LITERAL+");
        let words = command(&mut session.line, free)?;
        // A step of its own: the hooks of the server in memory may end the session here.
        session.inner.keep_alive()?;
        let [tag, rest @ ..] = &words[..] else { return Err(Gone) };
        let (tag, verb) = (tag.name(), rest.first().map(Word::upper).unwrap_or_default());
        let uid = verb == "UID";
        let verb = if uid { rest.get(1).map(Word::upper).unwrap_or_default() } else { verb };
        let arguments = rest.get(1 + usize::from(uid)..).unwrap_or_default();
        let answer = session.answer(&tag, &verb, uid, arguments)?;
        // Numbers may not shift under a command that uses them.
        if uid || !["FETCH", "STORE", "SEARCH"].contains(&verb.as_str()) {
            session.announce()?;
        }
        session.say(&format!("{tag} {answer}"))?;
        if verb == "LOGOUT" {
            return Ok(());
        }
    }
}

/// What is said behind the tag: `OK done`. An error ends the session.
pub(super) type Answer = Said<String>;

pub(super) fn ok(code: &str) -> Answer {
    Ok(if code.is_empty() { "OK done".into() } else { format!("OK [{code}] done") })
}

pub(super) fn no(why: &str) -> Answer {
    Ok(format!("NO {why}"))
}

pub(super) fn bad() -> Answer {
    Ok("BAD not understood".into())
}

fn uid_of(id: &RemoteId) -> u32 {
    match id {
        RemoteId::Uid { uid, .. } => *uid,
        RemoteId::Uidl(_) => 0,
    }
}

/// The UIDs of mails that hold all of these words, in upper case.
fn with_words<'a>(mails: &[(usize, Held)], words: impl Iterator<Item = &'a str> + Clone) -> Vec<u32> {
    let has = |mail: &Held| {
        let text = String::from_utf8_lossy(&mail.source.bytes()).to_ascii_uppercase();
        words.clone().all(|word| text.contains(word))
    };
    mails.iter().filter(|(_, mail)| has(mail)).map(|(_, mail)| mail.uid).collect()
}

impl Session<'_> {
    pub(super) fn has(&self, word: &str) -> bool {
        self.offers.contains(&word)
    }

    pub(super) fn say(&mut self, text: &str) -> Said<()> {
        self.line.say(format!("{text}\r\n").as_bytes())
    }

    fn answer(&mut self, tag: &str, verb: &str, uid: bool, words: &[Word]) -> Answer {
        let name = words.first().map(Word::name).unwrap_or_default();
        match (verb, uid) {
            ("CAPABILITY", false) => {
                self.say(&format!("* CAPABILITY {}", self.offers.join(" ")))?;
                ok("")
            }
            ("LOGIN", false) => ok(&format!("CAPABILITY {}", self.offers.join(" "))),
            ("NOOP", false) => ok(""),
            ("LOGOUT", false) => {
                self.say("* BYE see you")?;
                ok("")
            }
            ("LIST" | "LSUB", false) => self.list(verb, words),
            ("SELECT", false) => self.select(&name, words),
            ("STATUS" | "CREATE" | "RENAME" | "DELETE" | "SUBSCRIBE" | "UNSUBSCRIBE", false) => {
                self.reshape(verb, name, words)
            }
            ("APPEND", false) => self.append(&name, &words[1..]),
            ("IDLE", false) if self.has("IDLE") => self.idle(),
            ("FETCH", _) => self.fetch(uid, &name, &words[1..]),
            ("STORE", true) => self.store(&name, &words[1..]),
            ("SEARCH", true) => self.search(tag, words),
            ("COPY", true) => self.transfer(&name, &words[1..], false),
            ("MOVE", true) if self.has("MOVE") => self.transfer(&name, &words[1..], true),
            ("EXPUNGE", true) if !self.has("UIDPLUS") => bad(),
            ("EXPUNGE", _) => self.expunge(uid.then_some(&*name)),
            _ => bad(),
        }
    }

    fn select(&mut self, name: &str, words: &[Word]) -> Answer {
        self.selected = None;
        let wants = words.iter().any(|word| word.upper() == "CONDSTORE");
        if wants && !self.has("CONDSTORE") {
            return bad();
        }
        self.modseq |= wants;
        let Some(folder) = self.folder(name) else { return no("[NONEXISTENT] no such folder") };
        let (at, mails) = (folder.cursor.unwrap_or_default(), self.server.mails(&folder.remote));
        let known: Vec<(u32, u64)> = mails.iter().map(|mail| (mail.uid, mail.modseq)).collect();
        self.say("* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)")?;
        self.say("* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft \\*)] kept")?;
        self.say(&format!("* {} EXISTS", known.len()))?;
        self.say("* 0 RECENT")?;
        self.say(&format!("* OK [UIDVALIDITY {}] names", at.validity))?;
        self.say(&format!("* OK [UIDNEXT {}] next", at.uidnext))?;
        if self.has("CONDSTORE") {
            self.say(&format!("* OK [HIGHESTMODSEQ {}] changes", at.modseq))?;
        }
        self.selected = Some(Selected { remote: folder.remote, validity: at.validity, known });
        ok("READ-WRITE")
    }

    /// The mails of the selected folder that the client knows of and that are still there, with their numbers.
    fn mails(&self) -> Vec<(usize, Held)> {
        let Some(selected) = &self.selected else { return Vec::new() };
        let number = |uid| selected.known.iter().position(|(known, _)| *known == uid);
        let held = self.server.mails(&selected.remote).into_iter();
        held.filter_map(|mail| Some((number(mail.uid)? + 1, mail))).collect()
    }

    fn named(&self, uids: &str) -> Vec<u32> {
        let all: Vec<u32> = self.mails().iter().map(|(_, mail)| mail.uid).collect();
        chosen(uids, &all)
    }

    fn ids(&self, uids: &[u32]) -> Vec<RemoteId> {
        let validity = self.selected.as_ref().map_or(0, |selected| selected.validity);
        uids.iter().map(|&uid| RemoteId::Uid { validity, uid }).collect()
    }

    fn here(&self) -> Said<FolderRef> {
        self.selected.as_ref().map(|selected| FolderRef::new(selected.remote.clone())).ok_or(Gone)
    }

    /// Tells what changed in the selected folder since it was last told.
    fn announce(&mut self) -> Said<()> {
        let Some(mut selected) = self.selected.take() else { return Ok(()) };
        let folder = self.folder(&selected.remote).and_then(|folder| folder.cursor);
        if folder.is_none_or(|at| at.validity != selected.validity) {
            self.say("* BYE the folder is not what it was")?;
            return Err(Gone);
        }
        let now = self.server.mails(&selected.remote);
        for at in (0..selected.known.len()).rev() {
            if !now.iter().any(|mail| mail.uid == selected.known[at].0) {
                selected.known.remove(at);
                self.say(&format!("* {} EXPUNGE", at + 1))?;
            }
        }
        if now.len() > selected.known.len() {
            self.say(&format!("* {} EXISTS", now.len()))?;
        }
        for (at, mail) in now.iter().enumerate() {
            match selected.known.get_mut(at) {
                None => selected.known.push((mail.uid, mail.modseq)),
                Some((_, modseq)) if *modseq != mail.modseq => {
                    *modseq = mail.modseq;
                    let told = fetched(at + 1, mail, &["FLAGS".into()], self.modseq);
                    self.line.say(&told)?;
                }
                Some(_) => {}
            }
        }
        self.selected = Some(selected);
        Ok(())
    }

    fn fetch(&mut self, uid: bool, wanted: &str, words: &[Word]) -> Answer {
        let items: Vec<String> = words.iter().map(Word::upper).collect();
        let since = items.iter().position(|item| item == "CHANGEDSINCE").and_then(|at| items.get(at + 1));
        if since.is_some() && !self.has("CONDSTORE") {
            return bad();
        }
        let since: Option<u64> = since.and_then(|number| number.parse().ok());
        self.modseq |= since.is_some();
        let mails = self.mails();
        let all: Vec<u32> = mails
            .iter()
            .map(|(number, mail)| if uid { mail.uid } else { u32::try_from(*number).unwrap_or(0) })
            .collect();
        let wanted = chosen(wanted, &all);
        for ((number, mail), name) in mails.iter().zip(all) {
            if wanted.contains(&name) && since.is_none_or(|since| mail.modseq > since) {
                self.line.say(&fetched(*number, mail, &items, since.is_some()))?;
            }
        }
        ok("")
    }

    fn store(&mut self, wanted: &str, words: &[Word]) -> Answer {
        self.announce()?;
        let verb = words.first().map(Word::upper).unwrap_or_default();
        let (flags_named, keywords) = split_flags(words.get(1..).unwrap_or_default());
        let (mut delta, mut add, mut del) = (FlagDelta::default(), vec![], vec![]);
        match verb.as_bytes().first() {
            Some(b'+') => (delta.add, add) = (flags_named, keywords),
            Some(b'-') => (delta.del, del) = (flags_named, keywords),
            _ => return bad(),
        }
        let uids = self.named(wanted);
        let op = RemoteOp::Flag { folder: self.here()?, ids: self.ids(&uids), delta, add, del };
        self.inner.apply(&op)?;
        for (number, mail) in self.mails().into_iter().filter(|(_, mail)| uids.contains(&mail.uid)) {
            if let Some(known) = self.selected.as_mut().and_then(|s| s.known.get_mut(number - 1)) {
                known.1 = mail.modseq;
            }
            let silent = verb.ends_with(".SILENT");
            if !silent {
                let told = format!("* {number} FETCH (UID {} FLAGS {})", mail.uid, flags(&mail));
                self.say(&told)?;
            } else if self.modseq {
                self.say(&format!("* {number} FETCH (UID {} MODSEQ ({}))", mail.uid, mail.modseq))?;
            }
        }
        ok("")
    }

    fn search(&mut self, tag: &str, words: &[Word]) -> Answer {
        let mut upper: Vec<String> = words.iter().map(Word::upper).collect();
        let short = upper.starts_with(&["RETURN".into()]);
        if short {
            if !self.has("ESEARCH") {
                return bad();
            }
            upper.drain(..4);
        }
        let mails = self.mails();
        let is = |mail: &Held, flag| mail.flags.has(flag);
        let all: Vec<u32> = mails.iter().map(|(_, mail)| mail.uid).collect();
        let found: Vec<u32> = match &upper[..] {
            [all_of] if all_of == "ALL" => all,
            [marked] if marked == "DELETED" => {
                mails.iter().filter(|(_, m)| is(m, Flags::DELETED)).map(|(_, mail)| mail.uid).collect()
            }
            [uid, wanted] if uid == "UID" => chosen(wanted, &all),
            [header, id, wanted] if header == "HEADER" && id == "MESSAGE-ID" => {
                let has = |mail: &Held| {
                    let raw = String::from_utf8_lossy(&mail.source.bytes()).to_ascii_uppercase();
                    raw.lines().any(|line| line.starts_with("MESSAGE-ID:") && line.contains(wanted))
                };
                mails.iter().filter(|(_, mail)| has(mail)).map(|(_, mail)| mail.uid).collect()
            }
            [kind, wanted] if kind == "X-GM-RAW" && self.has("X-GM-EXT-1") => {
                with_words(&mails, wanted.split(' '))
            }
            keys if keys.len() % 2 == 0 && keys.iter().step_by(2).all(|key| key == "TEXT") => {
                with_words(&mails, keys.iter().skip(1).step_by(2).map(String::as_str))
            }
            _ => return bad(),
        };
        if short {
            let all = if found.is_empty() { String::new() } else { format!(" ALL {}", set(&found)) };
            self.say(&format!("* ESEARCH (TAG \"{tag}\") UID{all}"))?;
        } else {
            self.say(&format!("* SEARCH {}", set(&found).replace(',', " ")))?;
        }
        ok("")
    }

    fn transfer(&mut self, wanted: &str, words: &[Word], take: bool) -> Answer {
        let to = words.first().map(Word::name).unwrap_or_default();
        if self.folder(&to).is_none() {
            return no("[TRYCREATE] no such folder");
        }
        let (from, to) = (self.here()?, FolderRef::new(to));
        let ids = self.ids(&self.named(wanted));
        let op = if take { RemoteOp::Move { from, to, ids } } else { RemoteOp::Copy { from, to, ids } };
        let Applied::Done { moved, .. } = self.inner.apply(&op)? else { return bad() };
        let code = match moved.first() {
            Some((_, RemoteId::Uid { validity, .. })) if self.has("UIDPLUS") => {
                let (old, new): (Vec<u32>, Vec<u32>) =
                    moved.iter().map(|(old, new)| (uid_of(old), uid_of(new))).unzip();
                format!("COPYUID {validity} {} {}", set(&old), set(&new))
            }
            _ => String::new(),
        };
        if take && !code.is_empty() {
            self.say(&format!("* OK [{code}] moved"))?;
            return ok("");
        }
        ok(&code)
    }

    fn expunge(&mut self, wanted: Option<&str>) -> Answer {
        let marked: Vec<u32> =
            self.mails().iter().filter(|(_, m)| m.flags.has(Flags::DELETED)).map(|(_, m)| m.uid).collect();
        let uids = wanted.map_or_else(|| marked.clone(), |wanted| chosen(wanted, &marked));
        let op = RemoteOp::Delete { folder: self.here()?, ids: self.ids(&uids) };
        self.inner.apply(&op)?;
        ok("")
    }

    /// Tells of news until the client says DONE.
    fn idle(&mut self) -> Answer {
        self.say("+ idling")?;
        let until = std::time::Instant::now() + std::time::Duration::from_secs(3600);
        while self.line.buffer.is_empty() {
            if let (Ok(folder), false) = (self.here(), self.line.bell.is_rung())
                && self.inner.wait(&folder, until)? == Wake::Changed
            {
                self.announce()?;
                continue;
            }
            self.line.bell.silence();
            self.line.fill()?;
        }
        if self.line.line()?.eq_ignore_ascii_case(b"DONE") { ok("") } else { bad() }
    }
}
