//! Folders: listed, made, renamed, removed; and mail that is put into one.

use mailtui::protocol::{FolderRef, Letter, RemoteFolder, RemoteId, RemoteOp};

use super::Gone;
use super::answers::{listed, read_date, split_flags, status};
use super::imap::{Answer, Session, bad, no, ok};
use super::words::Word;

impl Session<'_> {
    pub(super) fn folder(&self, name: &str) -> Option<RemoteFolder> {
        let inbox = name.eq_ignore_ascii_case("INBOX");
        self.server.folders().into_iter().find(|f| f.remote == name || (inbox && f.remote == "INBOX"))
    }

    /// A command on a folder as a whole.
    pub(super) fn reshape(&mut self, verb: &str, name: String, words: &[Word]) -> Answer {
        match verb {
            "STATUS" => match self.folder(&name) {
                Some(folder) => {
                    let items: Vec<String> = words[1..].iter().map(Word::upper).collect();
                    self.line.say(status(&folder, &items).as_bytes())?;
                    ok("")
                }
                None => no("[NONEXISTENT] no such folder"),
            },
            "CREATE" if self.folder(&name).is_some() => no("[ALREADYEXISTS] it is there"),
            "CREATE" => self.shape(RemoteOp::CreateFolder { path: name }),
            "RENAME" => {
                let to = words.get(1).map(Word::name).unwrap_or_default();
                if self.folder(&name).is_none() || self.folder(&to).is_some() {
                    return no("[CANNOT] it cannot be renamed");
                }
                self.shape(RemoteOp::RenameFolder { folder: FolderRef::new(name), path: to })
            }
            "DELETE" => {
                if self.folder(&name).is_none() {
                    return no("[NONEXISTENT] no such folder");
                }
                // The mail in it goes too.
                let all: Vec<u32> = self.server.mails(&name).iter().map(|mail| mail.uid).collect();
                self.server.expunge(&name, &all);
                self.shape(RemoteOp::DeleteFolder { folder: FolderRef::new(name) })
            }
            "SUBSCRIBE" | "UNSUBSCRIBE" => {
                let on = verb == "SUBSCRIBE";
                if self.folder(&name).is_none() {
                    return if on { no("no such folder") } else { ok("") };
                }
                self.shape(RemoteOp::Subscribe { folder: FolderRef::new(name), on })
            }
            _ => bad(),
        }
    }

    fn shape(&mut self, op: RemoteOp) -> Answer {
        match self.inner.apply(&op) {
            Ok(_) => ok(""),
            Err(e) if e.kind() == mailtui::error::Kind::Offline => Err(Gone),
            Err(e) => no(&e.to_string()),
        }
    }

    pub(super) fn list(&mut self, verb: &str, words: &[Word]) -> Answer {
        let extended = self.has("LIST-EXTENDED");
        let upper: Vec<String> = words.iter().map(Word::upper).collect();
        let only = upper.first().is_some_and(|word| word == "(");
        let returns = upper.iter().position(|word| word == "RETURN");
        if (only || returns.is_some()) && !extended {
            return bad();
        }
        let names = if only { &words[3..] } else { words };
        let pattern = names.get(1).map(Word::name).unwrap_or_default();
        if pattern.is_empty() {
            self.say("* LIST (\\Noselect) \".\" \"\"")?;
            return ok("");
        }
        let is_meant = |remote: &str| match pattern.as_bytes() {
            b"*" => true,
            [start @ .., b'%'] => {
                remote.as_bytes().strip_prefix(start).is_some_and(|rest| !rest.contains(&b'.'))
            }
            exact => remote.as_bytes() == exact,
        };
        let uses = self.has("SPECIAL-USE");
        let items = returns.map(|at| upper[at..].to_vec()).filter(|_| self.has("LIST-STATUS"));
        for folder in self.server.folders() {
            if !is_meant(&folder.remote) || ((only || verb == "LSUB") && !folder.subscribed) {
                continue;
            }
            let mut told = listed(verb, &folder, uses);
            if let Some(items) = items.as_ref().filter(|items| items.iter().any(|item| item == "STATUS")) {
                told += &status(&folder, items);
            }
            self.line.say(told.as_bytes())?;
        }
        ok("")
    }

    pub(super) fn append(&mut self, name: &str, words: &[Word]) -> Answer {
        if self.folder(name).is_none() {
            return no("[TRYCREATE] no such folder");
        }
        let Some((Word::Text(raw), rest)) = words.split_last() else { return bad() };
        let close = rest.iter().position(|word| *word == Word::Close).map_or(0, |at| at + 1);
        let (flags, keywords) = split_flags(&rest[..close]);
        let letter = Letter {
            folder: FolderRef::new(name),
            make: false,
            flags,
            keywords,
            received: rest.get(close).map_or(0, |date| read_date(&date.name())),
            size: raw.len() as u64,
            envelope: mailtui::mime::envelope(mailtui::mime::header_block(raw)),
            others: Vec::new(),
        };
        match self.inner.append(&letter, &mut &raw[..])? {
            Some(RemoteId::Uid { validity, uid }) if self.has("UIDPLUS") => {
                ok(&format!("APPENDUID {validity} {uid}"))
            }
            _ => ok(""),
        }
    }
}
