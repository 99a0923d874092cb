//! The server in memory with folders that are labels, as Gmail has them.
//!
//! One mail is in any number of labels, and in All Mail besides; in Trash and Junk it is in one of these alone. To
//! put it where it is already does nothing; to expunge it takes its label away, and from All Mail it never goes so.

use super::mailbox::Mail;
use super::{Server, State};
use crate::config::Protocol;
use crate::model::Role;

/// Where all mail is, and the other folders that are there from the beginning.
const ALL: &str = "[Gmail]/All Mail";
const FOLDERS: [(&str, Role); 5] = [
    (ALL, Role::All),
    ("[Gmail]/Drafts", Role::Drafts),
    ("[Gmail]/Sent Mail", Role::Sent),
    ("[Gmail]/Spam", Role::Junk),
    ("[Gmail]/Trash", Role::Trash),
];

impl Server {
    /// An empty server of IMAP kind with labels: INBOX, All Mail, Drafts, Sent Mail, Spam and Trash.
    #[must_use]
    pub fn with_labels() -> Self {
        let server = Self::new(Protocol::Imap);
        {
            let mut state = server.lock();
            state.labels = true;
            state.boxes.truncate(1);
            for (path, role) in FOLDERS {
                state.add_box(path, Some(role));
            }
        }
        server
    }

    /// Whether its folders are labels.
    #[must_use]
    pub fn has_labels(&self) -> bool {
        self.lock().labels
    }
}

impl State {
    fn role(&mut self, folder: &str) -> Option<Role> {
        self.mailbox(folder).and_then(|there| there.role)
    }

    /// Whether a mail in this folder is in no other.
    fn is_alone_in(&mut self, folder: &str) -> bool {
        matches!(self.role(folder), Some(Role::Trash | Role::Junk))
    }

    fn all_mail(&self) -> Option<String> {
        let all = self.boxes.iter().find(|there| there.role == Some(Role::All));
        all.filter(|_| self.labels).map(|there| there.remote.clone())
    }

    /// A mail that is in this folder, or was until now, is in All Mail too.
    pub(super) fn keep_in_all(&mut self, folder: &str, mail: &Mail) {
        if let Some(all) = self.all_mail()
            && !self.is_alone_in(folder)
        {
            self.put(&all, mail);
        }
    }

    /// Puts a mail into a folder that does not have it yet; its UID there.
    fn put(&mut self, folder: &str, mail: &Mail) -> u32 {
        let Some(there) = self.mailbox(folder) else { return 0 };
        there.copy_of(mail.number).unwrap_or_else(|| there.add(mail.clone()))
    }

    /// What the copies in one folder are marked with, all copies are.
    pub(super) fn flag_copies(&mut self, folder: &str, uids: &[u32]) {
        let marked = self.mailbox(folder).map(|there| there.copies(uids)).unwrap_or_default();
        for (_, mail) in marked {
            for there in &mut self.boxes {
                if let Some(uid) = there.copy_of(mail.number) {
                    there.mark_as(uid, &mail);
                }
            }
        }
    }

    /// Moves or copies; old and new UIDs in pairs.
    pub(super) fn relabel(&mut self, from: &str, to: &str, uids: &[u32], take: bool) -> Vec<(u32, u32)> {
        let mails = self.mailbox(from).map(|there| there.copies(uids)).unwrap_or_default();
        let (out_of_sight, back) = (self.is_alone_in(to), self.is_alone_in(from));
        let is_all = self.role(from) == Some(Role::All);
        let mut pairs = Vec::new();
        for (uid, mail) in mails {
            pairs.push((uid, self.put(to, &mail)));
            if out_of_sight {
                let others: Vec<String> =
                    self.boxes.iter().map(|b| b.remote.clone()).filter(|name| name != to).collect();
                others.iter().for_each(|name| self.drop_copy(name, &mail));
            } else if (take && !is_all) || back {
                self.drop_copy(from, &mail);
            }
            self.keep_in_all(to, &mail);
        }
        pairs
    }

    fn drop_copy(&mut self, folder: &str, mail: &Mail) {
        if let Some(there) = self.mailbox(folder)
            && let Some(uid) = there.copy_of(mail.number)
        {
            there.take(&[uid]);
        }
    }
}
