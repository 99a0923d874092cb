//! One folder of the server in memory, and the mails in it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::model::{Cursor, FlagDelta, Flags, Role, is_same_tag};
use crate::protocol::RemoteFolder;

/// Where the bytes of a mail come from: held, or made anew each time they are asked for, so that
/// a hundred thousand generated mails take no memory.
#[derive(Clone)]
pub enum Source {
    /// The bytes.
    Held(Arc<[u8]>),
    /// Makes the bytes; the same ones each time.
    Made(Arc<dyn Fn() -> Vec<u8> + Send + Sync>),
}

impl Source {
    /// Bytes that it holds: 0 where they are made when they are asked for.
    pub(super) fn held(&self) -> u64 {
        match self {
            Self::Held(bytes) => bytes.len() as u64,
            Self::Made(_) => 0,
        }
    }

    /// The raw mail.
    #[must_use]
    pub fn bytes(&self) -> Arc<[u8]> {
        match self {
            Self::Held(bytes) => Arc::clone(bytes),
            Self::Made(make) => make().into(),
        }
    }
}

impl From<Vec<u8>> for Source {
    fn from(raw: Vec<u8>) -> Self {
        Self::Held(raw.into())
    }
}

impl From<&[u8]> for Source {
    fn from(raw: &[u8]) -> Self {
        Self::Held(raw.into())
    }
}

impl From<&str> for Source {
    fn from(raw: &str) -> Self {
        Self::Held(raw.as_bytes().into())
    }
}

impl From<String> for Source {
    fn from(raw: String) -> Self {
        raw.into_bytes().into()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Held(bytes) => write!(f, "Held({} bytes)", bytes.len()),
            Self::Made(_) => f.write_str("Made"),
        }
    }
}

/// One mail as the server holds it.
#[derive(Debug, Clone)]
pub struct Held {
    /// UID; of POP3 kind the order of arrival.
    pub uid: u32,
    /// UIDL.
    pub uidl: String,
    /// System flags.
    pub flags: Flags,
    /// Keywords, sorted.
    pub keywords: Vec<String>,
    /// INTERNALDATE, Unix seconds.
    pub received: i64,
    /// When it last changed (RFC 7162).
    pub modseq: u64,
    /// The raw mail.
    pub source: Source,
}

#[derive(Debug, Clone)]
pub(super) struct Mail {
    pub(super) source: Source,
    pub(super) flags: Flags,
    pub(super) keywords: Vec<String>,
    pub(super) received: i64,
    pub(super) modseq: u64,
    /// One number for all copies: EMAILID and UIDL are made of it.
    pub(super) number: u64,
}

impl Mail {
    pub(super) fn new(source: Source, flags: Flags, received: i64, number: u64) -> Self {
        Self { source, flags, keywords: Vec::new(), received, modseq: 0, number }
    }

    pub(super) fn email_id(&self) -> String {
        format!("M{:08x}", self.number)
    }

    pub(super) fn uidl(&self) -> String {
        format!("{:08x}.memory", self.number)
    }
}

/// One folder: what RFC 9051 section 2.3.1 and RFC 7162 say of a mailbox.
#[derive(Debug, Clone)]
pub(super) struct Mailbox {
    pub(super) remote: String,
    pub(super) path: String,
    pub(super) role: Option<Role>,
    pub(super) subscribed: bool,
    pub(super) validity: u32,
    pub(super) uidnext: u32,
    pub(super) modseq: u64,
    pub(super) mails: BTreeMap<u32, Mail>,
    /// The only keywords that it keeps; `None`: any.
    pub(super) keeps: Option<Vec<String>>,
    /// What was removed: the modification sequence and the UID, ascending.
    pub(super) gone: Vec<(u64, u32)>,
}

impl Mailbox {
    pub(super) fn new(remote: String, path: String, role: Option<Role>, validity: u32) -> Self {
        Self {
            remote,
            path,
            role,
            subscribed: true,
            validity,
            uidnext: 1,
            modseq: 1,
            mails: BTreeMap::new(),
            keeps: None,
            gone: Vec::new(),
        }
    }

    /// Those of the keywords that it does not keep.
    pub(super) fn unkept(&self, words: &[String]) -> Vec<String> {
        let Some(keeps) = &self.keeps else { return Vec::new() };
        words.iter().filter(|word| !keeps.iter().any(|k| is_same_tag(k, word))).cloned().collect()
    }

    /// A server of its own taste: levels are joined by `.` on its wire.
    pub(super) fn wire_name(path: &str) -> String {
        path.replace('/', ".")
    }

    /// INBOX in any case (RFC 9051 section 5.1), other names as they are.
    pub(super) fn is_named(&self, remote: &str) -> bool {
        self.remote == remote || (self.remote == "INBOX" && remote.eq_ignore_ascii_case("INBOX"))
    }

    /// What a server with or without modification sequences tells of it in a list.
    pub(super) fn tell(&self, condstore: bool) -> RemoteFolder {
        RemoteFolder {
            remote: self.remote.clone(),
            path: self.path.clone(),
            role: self.role,
            selectable: true,
            subscribed: self.subscribed,
            messages: u32::try_from(self.len()).ok(),
            cursor: Some(Cursor {
                validity: self.validity,
                uidnext: self.uidnext,
                modseq: if condstore { self.modseq } else { 0 },
                backfill: self.uidnext,
            }),
            object_id: None,
        }
    }

    /// Differs from an earlier one once anything in the folder changed.
    pub(super) fn stamp(&self) -> (u32, u64) {
        (self.validity, self.modseq)
    }

    pub(super) fn len(&self) -> usize {
        self.mails.len()
    }

    /// The UID of a copy of this mail.
    pub(super) fn copy_of(&self, number: u64) -> Option<u32> {
        self.mails.iter().find(|(_, mail)| mail.number == number).map(|(uid, _)| *uid)
    }

    pub(super) fn add(&mut self, mut mail: Mail) -> u32 {
        self.modseq += 1;
        mail.modseq = self.modseq;
        let uid = self.uidnext;
        self.uidnext += 1;
        self.mails.insert(uid, mail);
        uid
    }

    pub(super) fn copies(&self, uids: &[u32]) -> Vec<(u32, Mail)> {
        uids.iter().filter_map(|uid| Some((*uid, self.mails.get(uid)?.clone()))).collect()
    }

    pub(super) fn take(&mut self, uids: &[u32]) -> Vec<(u32, Mail)> {
        let mut taken = Vec::new();
        for uid in uids {
            if let Some(mail) = self.mails.remove(uid) {
                self.modseq += 1;
                self.gone.push((self.modseq, *uid));
                taken.push((*uid, mail));
            }
        }
        taken
    }

    pub(super) fn flag(&mut self, uids: &[u32], delta: FlagDelta, add: &[String], del: &[String]) {
        for uid in uids {
            let Some(mail) = self.mails.get_mut(uid) else { continue };
            let before = (mail.flags, mail.keywords.clone());
            mail.flags = delta.apply(mail.flags);
            mail.keywords.retain(|k| !del.iter().any(|d| d.eq_ignore_ascii_case(k)));
            for word in add {
                if !mail.keywords.iter().any(|k| k.eq_ignore_ascii_case(word)) {
                    mail.keywords.push(word.clone());
                }
            }
            mail.keywords.sort_unstable();
            if (mail.flags, &mail.keywords) != (before.0, &before.1) {
                self.modseq += 1;
                mail.modseq = self.modseq;
            }
        }
    }

    /// Marks a mail as another copy of it is.
    pub(super) fn mark_as(&mut self, uid: u32, copy: &Mail) {
        let Some(mail) = self.mails.get_mut(&uid) else { return };
        if (mail.flags, &mail.keywords) != (copy.flags, &copy.keywords) {
            (mail.flags, mail.keywords) = (copy.flags, copy.keywords.clone());
            self.modseq += 1;
            mail.modseq = self.modseq;
        }
    }

    pub(super) fn renumber(&mut self, validity: u32) {
        self.validity = validity;
        self.uidnext = 1;
        self.modseq += 1;
        self.gone.clear();
        for (_, mail) in std::mem::take(&mut self.mails) {
            self.add(mail);
        }
    }

    pub(super) fn held(&self) -> Vec<Held> {
        let held = |(uid, mail): (&u32, &Mail)| Held {
            uid: *uid,
            uidl: mail.uidl(),
            flags: mail.flags,
            keywords: mail.keywords.clone(),
            received: mail.received,
            modseq: mail.modseq,
            source: mail.source.clone(),
        };
        self.mails.iter().map(held).collect()
    }
}
