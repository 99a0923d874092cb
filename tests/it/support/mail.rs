//! Mail in a store of its own, built by hand: `mail("Ada <ada@example.org>", "Notes").answers(&first)`.

use mailtui::mime;
use mailtui::model::{AccountId, Flags, FolderId, Owner, Role};
use mailtui::store::{Batch, FolderSpec, Incoming, Packed, Packer, Step, Store};

/// Sun 14 Jun 2026 16:20 UTC: every test is at this moment.
pub const NOW: i64 = 1_781_454_000;
pub const MINUTE: i64 = 60;
pub const HOUR: i64 = 3_600;
pub const DAY: i64 = 86_400;

/// A mail to be delivered.
#[derive(Debug, Clone)]
pub struct Mail {
    from: String,
    to: String,
    subject: String,
    id: String,
    parent: Option<String>,
    list: Option<String>,
    at: i64,
    flags: Flags,
    body: String,
    html: Option<String>,
    files: Vec<(String, String)>,
    folder: Role,
}

/// A mail from someone about something, an hour ago.
pub fn mail(from: &str, subject: &str) -> Mail {
    Mail {
        from: from.to_owned(),
        to: "Robin <robin@example.org>".to_owned(),
        subject: subject.to_owned(),
        id: String::new(),
        parent: None,
        list: None,
        at: NOW - HOUR,
        flags: Flags::NONE,
        // The first words stand in the list too: what tests wait for in the reader comes after them.
        body: format!(
            "I hope that this finds you well, and the weather too.\n\nAbout {}.\n",
            subject.to_lowercase()
        ),
        html: None,
        files: Vec::new(),
        folder: Role::Inbox,
    }
}

impl Mail {
    pub fn ago(mut self, seconds: i64) -> Self {
        self.at = NOW - seconds;
        self
    }

    pub fn to(mut self, to: &str) -> Self {
        to.clone_into(&mut self.to);
        self
    }

    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }

    pub fn answers(mut self, parent: &str) -> Self {
        self.parent = Some(parent.to_owned());
        self
    }

    /// From a mailing list.
    pub fn list(mut self, id: &str) -> Self {
        self.list = Some(id.to_owned());
        self
    }

    pub fn flag(mut self, flag: Flags) -> Self {
        self.flags = self.flags | flag;
        self
    }

    pub fn seen(self) -> Self {
        self.flag(Flags::SEEN)
    }

    pub fn body(mut self, body: &str) -> Self {
        body.clone_into(&mut self.body);
        self
    }

    pub fn html(mut self, html: &str) -> Self {
        self.html = Some(html.to_owned());
        self
    }

    pub fn file(mut self, name: &str, content: &str) -> Self {
        self.files.push((name.to_owned(), content.to_owned()));
        self
    }

    pub fn folder(mut self, role: Role) -> Self {
        self.folder = role;
        self
    }

    /// As sent (RFC 5322).
    fn raw(&self, id: &str) -> Vec<u8> {
        let date = jiff::Timestamp::from_second(self.at).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
        let mut raw = format!(
            "From: {}\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{id}>\r\nDate: {}\r\n",
            self.from,
            self.to,
            self.subject,
            date.strftime("%a, %d %b %Y %H:%M:%S +0000"),
        );
        if let Some(parent) = &self.parent {
            raw.push_str(&format!("In-Reply-To: <{parent}>\r\nReferences: <{parent}>\r\n"));
        }
        if let Some(list) = &self.list {
            raw.push_str(&format!("List-Id: <{list}>\r\n"));
        }
        raw.push_str("MIME-Version: 1.0\r\n");
        let text = |kind: &str, text: &str| {
            let text = text.replace('\n', "\r\n");
            format!(
                "Content-Type: text/{kind}; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}"
            )
        };
        let body = match &self.html {
            Some(html) if self.body.is_empty() => text("html", html),
            Some(html) => format!(
                "Content-Type: multipart/alternative; boundary=alt\r\n\r\n--alt\r\n{}\r\n--alt\r\n{}\r\n--alt--\r\n",
                text("plain", &self.body),
                text("html", html)
            ),
            None => text("plain", &self.body),
        };
        if self.files.is_empty() {
            raw.push_str(&body);
            return raw.into_bytes();
        }
        raw.push_str(&format!("Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\n{body}\r\n"));
        for (name, content) in &self.files {
            let head = "Content-Type: application/octet-stream\r\nContent-Disposition: attachment";
            raw.push_str(&format!("--mix\r\n{head}; filename=\"{name}\"\r\n\r\n{content}\r\n"));
        }
        raw.push_str("--mix--\r\n");
        raw.into_bytes()
    }
}

/// A store with accounts that mail is delivered to.
pub struct Post {
    pub store: Store,
    pub work: AccountId,
    next: std::cell::Cell<u32>,
    pub dir: tempfile::TempDir,
}

impl Post {
    /// One account, `work`, whose truth is on a server.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open_at(dir.path(), std::sync::Arc::new(|| NOW)).unwrap();
        let work = store.account("work", "memory", Owner::Server, "robin@example.org").unwrap();
        let roles = [Role::Inbox, Role::Drafts, Role::Sent, Role::Archive, Role::Junk, Role::Trash];
        let spec = |name: &str, role: Option<Role>| FolderSpec {
            remote: if role == Some(Role::Inbox) { "INBOX".to_owned() } else { name.to_owned() },
            path: name.to_owned(),
            role,
            selectable: true,
            subscribed: true,
            object_id: None,
            state: None,
        };
        let mut folders: Vec<_> = roles.iter().map(|role| spec(role.title(), Some(*role))).collect();
        folders.extend(["Projects", "Projects/Engine", "rust"].map(|name| spec(name, None)));
        store.commit(Batch { account: work, steps: vec![Step::Folders(folders)] }).unwrap();
        Self { store, work, next: std::cell::Cell::new(1), dir }
    }

    /// Another account, `home`, whose truth is here.
    pub fn home(&self) -> AccountId {
        self.store.account("home", "memory", Owner::Here, "robin@home.example").unwrap()
    }

    /// Returns when everything that was asked of the store before is done.
    pub fn settle(&self) {
        self.store.commit(Batch { account: self.work, steps: Vec::new() }).unwrap();
    }

    pub fn folder(&self, account: AccountId, role: Role) -> FolderId {
        self.store.reader().unwrap().folder_by_role(account, role).unwrap().unwrap().id
    }

    /// Delivers a mail to `work`; answers its Message-ID.
    pub fn deliver(&self, mail: Mail) -> String {
        self.deliver_to(self.work, mail)
    }

    /// Delivers a mail; answers its Message-ID.
    pub fn deliver_to(&self, account: AccountId, mail: Mail) -> String {
        let n = self.next.replace(self.next.get() + 1);
        let id = if mail.id.is_empty() { format!("m{n}@example.org") } else { mail.id.clone() };
        let raw = mail.raw(&id);
        let facts = mime::facts(&raw);
        let mut packer = Packer::new().unwrap();
        let mut chunks = packer.push(&raw).unwrap();
        let (last, size, sha256) = packer.finish().unwrap();
        chunks.extend(last);
        let body = Packed { chunks, size, sha256, snippet: facts.snippet, attachments: facts.attachments };
        let here = account != self.work;
        let incoming = Incoming {
            folder: self.folder(account, mail.folder),
            uid: (!here).then_some(n),
            uidl: None,
            remote_id: None,
            flags: mail.flags,
            keywords: Vec::new(),
            size,
            received: mail.at,
            internal: 0,
            envelope: mime::envelope(mime::header_block(&raw)),
            body: Some(body),
        };
        self.store.commit(Batch { account, steps: vec![Step::Message(Box::new(incoming))] }).unwrap();
        id
    }
}
