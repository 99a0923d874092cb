//! A signed-in IMAP session with a server that follows a script.

use mailtui::config::{Protocol, Tls};
use mailtui::mime;
use mailtui::model::{Cursor, Flags};
use mailtui::net::{DialOptions, Interrupt};
use mailtui::protocol::imap::{Session, connect_with};
use mailtui::protocol::{FolderRef, Letter, RemoteId};
use mailtui::secret::Secret;

use super::script::{Script, Server};
use super::world::{Held, Here};

/// What a lonely server of old can do, and what one of today can.
pub const OLD: &str = "IMAP4rev1";
pub const NEW: &str =
    "IMAP4rev1 CONDSTORE ESEARCH UIDPLUS MOVE LITERAL+ IDLE SPECIAL-USE LIST-EXTENDED LIST-STATUS";

/// A session with a server that can do this and then goes on as written.
pub fn session(caps: &str, text: &str) -> (Server, Session) {
    session_with(caps, text, &Interrupt::new().unwrap())
}

pub fn session_with(caps: &str, text: &str, bell: &Interrupt) -> (Server, Session) {
    let script = format!(
        "S: * OK [CAPABILITY IMAP4rev1] hello\nC: a1 LOGIN *\nS: a1 OK [CAPABILITY {caps}] in\n{text}\n"
    );
    enter(Script::new(&script), bell)
}

/// A session with a server whose script goes as far as the sign-in at least.
pub fn enter(script: Script, bell: &Interrupt) -> (Server, Session) {
    let server = script.start();
    let options = DialOptions::from(&server.account(Protocol::Imap, Tls::None), bell);
    let session = connect_with(&options, "ann", &Secret::new("secret")).unwrap();
    (server, session)
}

pub fn inbox() -> FolderRef {
    FolderRef::new("INBOX")
}

pub fn id(uid: u32) -> RemoteId {
    RemoteId::Uid { validity: 7, uid }
}

pub fn ids(uids: &[u32]) -> Vec<RemoteId> {
    uids.iter().map(|uid| id(*uid)).collect()
}

/// A message for this folder.
pub fn letter(folder: &str, raw: &[u8]) -> Letter {
    Letter {
        folder: FolderRef::new(folder),
        make: true,
        flags: Flags::SEEN,
        keywords: vec![],
        received: 0,
        size: raw.len() as u64,
        envelope: mime::envelope(mime::header_block(raw)),
        others: vec![],
    }
}

/// Mails that are known already.
pub fn known(at: Cursor, uids: &[u32]) -> Held {
    let here = Here { flags: Flags::NONE, keywords: vec![], size: 1, received: 0, head: None };
    Held { at, mails: uids.iter().map(|uid| (id(*uid), here.clone())).collect(), ..Held::default() }
}

pub const SELECT: &str =
    "C: * SELECT \"INBOX\"\nS: * 3 EXISTS\nS: * OK [UIDVALIDITY 7] x\nS: * OK [UIDNEXT 10] x\nS: $tag OK\n";
