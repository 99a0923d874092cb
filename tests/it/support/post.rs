//! A spool in a directory, and another program that delivers there.

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use mailtui::config::{Account, Auth, Leave, Portion, Protocol, SecretSource, Spool, Tls};
use mailtui::mime::Mbox;

use super::world::There;

pub fn spool(dir: &Path) -> Spool {
    Spool { path: dir.join("ada"), aside: dir.join("aside") }
}

/// An account without a server.
pub fn local(spool: Option<Spool>) -> Account {
    Account {
        name: "box".to_owned(),
        email: "ada@localhost".to_owned(),
        display_name: String::new(),
        protocol: Protocol::Local,
        host: String::new(),
        port: 0,
        tls: Tls::None,
        allow_plaintext: false,
        user: "ada@localhost".to_owned(),
        password: SecretSource::Nothing,
        auth: Auth::Auto,
        compress: Default::default(),
        folders: Vec::new(),
        ca_file: None,
        pin: None,
        leave_on_server: Leave::Forever,
        delete_on_server_when_deleted_here: true,
        portion: Portion::default(),
        keep_bodies: mailtui::config::KeepBodies::default(),
        check_every: Duration::from_secs(3600),
        spool,
        sending: Default::default(),
    }
}

/// The bytes of a mail as they lie in the file: its last line has an end there.
pub fn served(raw: &[u8]) -> Vec<u8> {
    [raw, if raw.ends_with(b"\n") { b"" } else { b"\n" }].concat()
}

/// Written at once, so that nobody sees a half of it.
pub fn deliver(dir: &Path, raw: &[u8]) {
    let mail = [b"From ada@example.org Mon Nov 23 14:22:01 2026\n", &served(raw)[..], b"\n"].concat();
    let file = std::fs::OpenOptions::new().append(true).create(true).open(spool(dir).path);
    file.unwrap().write_all(&mail).unwrap();
}

pub fn mails(dir: &Path) -> Vec<There> {
    let text = std::fs::read(spool(dir).path).unwrap_or_default();
    let mut mbox = Mbox::new(&text[..], 0);
    let found = std::iter::from_fn(|| mbox.next_mail().unwrap());
    let at = |offset| usize::try_from(offset).unwrap();
    found.map(|mail| There { flags: mail.flags, raw: text[at(mail.begin)..at(mail.end)].to_vec() }).collect()
}
