//! Folders (IMAP calls them mailboxes), their roles, and the views that a list can show.

use super::{AccountId, FolderId};
use crate::text::Clean;

/// Who holds the truth about an account's folders and flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Owner {
    /// This machine: POP3 and local accounts. Actions are done when the store has them.
    Here,
    /// The server: IMAP. Actions are queued and pushed.
    Server,
}

/// What a folder is for (RFC 6154).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Where mail arrives.
    Inbox,
    /// Drafts.
    Drafts,
    /// What was sent.
    Sent,
    /// Kept out of the inbox.
    Archive,
    /// Spam.
    Junk,
    /// Deleted, not yet for good.
    Trash,
    /// Everything (Gmail's All Mail).
    All,
}

impl Role {
    /// Every role, in the order in which folders are shown.
    pub const ALL: [Self; 7] =
        [Self::Inbox, Self::Drafts, Self::Sent, Self::Archive, Self::Junk, Self::Trash, Self::All];

    /// The name in the store: lower case, one word.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Inbox => "inbox",
            Self::Drafts => "drafts",
            Self::Sent => "sent",
            Self::Archive => "archive",
            Self::Junk => "junk",
            Self::Trash => "trash",
            Self::All => "all",
        }
    }

    /// The role with this name in the store.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// What a folder made for this role is called, on servers and here.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Inbox => "Inbox",
            Self::Drafts => "Drafts",
            Self::Sent => "Sent",
            Self::Archive => "Archive",
            Self::Junk => "Junk",
            Self::Trash => "Trash",
            Self::All => "All Mail",
        }
    }

    /// What the folders of this role of all accounts together are called.
    #[must_use]
    pub fn all_title(self) -> &'static str {
        match self {
            Self::Inbox => "All inboxes",
            Self::Drafts => "All drafts",
            Self::Sent => "All sent",
            Self::Archive => "All archives",
            Self::Junk => "All junk",
            Self::Trash => "All trash",
            Self::All => "All mail",
        }
    }
}

/// Whether a folder may be given this path, levels joined by `/`; if not, why, as a sentence. A server may
/// have wishes of its own.
pub fn check_folder_path(path: &str) -> Result<(), String> {
    const LONGEST: usize = 200;
    let wrong = |why: &str| Err(format!("a folder cannot be called so: {why}"));
    if path.is_empty() {
        return Err("a folder needs a name".to_owned());
    }
    if path.chars().count() > LONGEST {
        return wrong(&format!("it has more than {LONGEST} characters"));
    }
    if path.eq_ignore_ascii_case("INBOX") {
        return wrong("that is the inbox");
    }
    if path.split('/').any(|level| level.trim().is_empty() || level.trim() != level) {
        return wrong("a level of it is empty, or begins or ends with a blank");
    }
    if Clean::line(path).as_str() != path {
        return wrong("it holds characters that do not show");
    }
    Ok(())
}

/// One folder as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its row.
    pub id: FolderId,
    /// The account it belongs to.
    pub account: AccountId,
    /// Its name exactly as on the wire: an opaque key, never shown.
    pub remote: String,
    /// Its name for people, levels joined by `/`.
    pub path: Clean,
    /// What it is for.
    pub role: Option<Role>,
    /// Whether it can hold mail.
    pub selectable: bool,
    /// Whether the user subscribed to it.
    pub subscribed: bool,
    /// Whether the server does not list it any more, while something here still needs it.
    pub is_unlisted: bool,
    /// Messages in it, hidden ones left out.
    pub total: u32,
    /// Unread messages in it, hidden ones left out.
    pub unseen: u32,
    /// Unix time of the last complete look at the server; 0: never.
    pub synced_at: i64,
}

/// What a list of conversations shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// One folder.
    Folder(FolderId),
    /// The folders of this role of every account together.
    Unified(Role),
    /// Starred mail of every account, but for what lies in Trash or Junk.
    Starred,
    /// Unread mail of every account, but for what lies where nobody reads.
    Unread,
    /// Mail of every account that was put off, what comes back next first.
    Snoozed,
}

/// In which order the rows of a list stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Order {
    /// What came last first.
    #[default]
    Newest,
    /// What came first first.
    Oldest,
    /// By the name of who wrote last.
    Sender,
    /// By the subject, without what replies put before it.
    Subject,
    /// By the size of the largest mail.
    Largest,
    /// What is unread first.
    Unread,
}

impl Order {
    /// What it is called after `by` or `the order is`.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Newest => "newest first",
            Self::Oldest => "oldest first",
            Self::Sender => "by sender",
            Self::Subject => "by subject",
            Self::Largest => "largest first",
            Self::Unread => "unread first",
        }
    }
}

impl View {
    /// What it is called, where it is of all accounts together.
    #[must_use]
    pub fn all_title(self) -> Option<&'static str> {
        match self {
            Self::Folder(_) => None,
            Self::Unified(role) => Some(role.all_title()),
            Self::Starred => Some("Starred"),
            Self::Unread => Some("Unread"),
            Self::Snoozed => Some("Snoozed"),
        }
    }

    /// Whether mail of a folder, which is for this, may be in it.
    #[must_use]
    pub fn may_hold(self, folder: FolderId, role: Option<Role>) -> bool {
        match self {
            Self::Folder(own) => own == folder,
            Self::Unified(wanted) => role == Some(wanted),
            Self::Starred => !matches!(role, Some(Role::Trash | Role::Junk)),
            Self::Unread => {
                !matches!(role, Some(Role::Trash | Role::Junk | Role::Sent | Role::Drafts | Role::All))
            }
            Self::Snoozed => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn x4_odd_paths_are_refused_in_words() {
        for good in ["Work", "Work/Größe & Co", "a.b", "INBOX/x", "say \"so\"", "日本語", "100% {3}"] {
            assert_eq!(check_folder_path(good), Ok(()), "{good}");
        }
        let long = "x".repeat(201);
        for bad in ["", "/", "a//b", "a/", " a", "a\r\nb", "a\0", "inbox", "a\u{202e}b", &long] {
            let why = check_folder_path(bad).unwrap_err();
            assert!(!why.chars().any(char::is_control) && !why.ends_with('.'), "{why}");
        }
    }
}
