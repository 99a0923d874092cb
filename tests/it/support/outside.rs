//! A server of another make, and hands that act on it from outside: another client, in clear.

use mailtui::config::{Account, Protocol, Tls};
use mailtui::model::Flags;
use mailtui::secret::Secret;

use super::client::Client;
use super::cyrus;
use super::dovecot::{PASSWORD, account};
use super::hoodiecrow;
use super::pymap;

/// One user's mail on such a server.
pub struct Outside {
    pub account: Box<Account>,
    /// Where it speaks IMAP in clear.
    port: u16,
    /// What stands before the names of folders.
    prefix: &'static str,
    pub keeps_keywords: bool,
}

/// A mail as another client is told of it.
pub struct Seen {
    pub flags: Flags,
    pub keywords: Vec<String>,
    pub raw: Vec<u8>,
}

impl Outside {
    /// A user of Cyrus whom nobody else has, reached by `account`.
    pub fn on_cyrus(cyrus: &'static cyrus::Cyrus, account: impl Fn(&cyrus::User) -> Account) -> Self {
        let user = cyrus.user();
        let account = Box::new(account(&user));
        let outside = Self { account, port: cyrus.imap, prefix: "INBOX/", keeps_keywords: true };
        // The mailbox is made when its user comes for the first time.
        outside.client();
        outside
    }

    /// A user of pymap whom nobody else has.
    pub fn on_pymap(pymap: &pymap::Pymap) -> Self {
        let account = Box::new(account(&pymap.user(), pymap.port, Protocol::Imap, Tls::None));
        Self { account, port: pymap.port, prefix: "", keeps_keywords: false }
    }

    /// A server of hoodiecrow that nobody else uses.
    pub fn on_hoodiecrow(hoodiecrow: &hoodiecrow::Hoodiecrow) -> Self {
        let account = hoodiecrow.account();
        Self { port: account.port, account: Box::new(account), prefix: "", keeps_keywords: true }
    }

    /// Another client.
    pub fn client(&self) -> Client {
        Client::sign_in(self.port, &self.account.user)
    }

    /// Mails arrive.
    pub fn deliver<'a>(&self, folder: &str, raws: impl IntoIterator<Item = &'a Vec<u8>>) {
        let (mut client, folder) = (self.client(), self.quoted(folder));
        raws.into_iter().for_each(|raw| client.append(&folder, "", raw));
    }

    pub fn secret(&self) -> Secret {
        Secret::new(PASSWORD)
    }

    /// What this server calls a folder that may not be there. Names that it told are whole.
    pub fn wire_name(&self, folder: &str) -> String {
        if folder.starts_with("INBOX") { folder.to_owned() } else { format!("{}{folder}", self.prefix) }
    }

    /// The same as other clients write it.
    pub fn quoted(&self, folder: &str) -> String {
        format!("\"{}\"", self.wire_name(folder))
    }

    /// The mails of a folder in order of their UIDs.
    pub fn mails(&self, folder: &str) -> Vec<Seen> {
        mails(&mut self.client(), &self.quoted(folder))
    }

    /// Every mail that can be had, with the path of its folder.
    pub fn all(&self) -> Vec<(String, Seen)> {
        let mut client = self.client();
        let mut all = Vec::new();
        for path in self.folders() {
            let name = self.quoted(&path);
            all.extend(mails(&mut client, &name).into_iter().map(|mail| (path.clone(), mail)));
        }
        all
    }

    /// The paths of all folders.
    pub fn folders(&self) -> Vec<String> {
        self.paths("LIST")
    }

    /// The paths of those that are subscribed to.
    pub fn subscribed(&self) -> Vec<String> {
        self.paths("LSUB")
    }

    fn paths(&self, verb: &str) -> Vec<String> {
        let path = |line: &String| {
            let name = line.strip_prefix(&format!("* {verb} "))?.rsplit_once(' ')?.1.trim_matches('"');
            Some(name.strip_prefix(self.prefix).unwrap_or(name).to_owned())
        };
        self.client().ask(&format!("{verb} \"\" \"*\"")).iter().filter_map(path).collect()
    }
}

fn mails(client: &mut Client, folder: &str) -> Vec<Seen> {
    let mail = |(words, raw): (String, Vec<u8>)| {
        let (known, others): (Vec<_>, _) = words
            .split_ascii_whitespace()
            .filter(|word| *word != "\\Recent")
            .partition(|word| Flags::from_wire(word).is_some());
        let flags = known.iter().filter_map(|word| Flags::from_wire(word)).fold(Flags::NONE, |a, b| a | b);
        Seen { flags, keywords: others.into_iter().map(str::to_owned).collect(), raw }
    };
    client.mails(folder).into_iter().map(mail).collect()
}
