//! `mailtui reply`: an answer to a mail, its text on standard input.

use std::io::Read as _;

use super::args::Reply;
use super::out::Out;
use super::{find, get, send};
use crate::compose;
use crate::config::Config;
use crate::engine::drafting;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, BodyState, Purpose};
use crate::secret;
use crate::store::Store;

/// Bytes of the mail that is answered that are read for the list it came by.
const HEAD: u64 = 1 << 20;

/// Answers the exit code, as `mailtui send` does.
pub(super) fn run(what: &Reply, config: &Config, store: &Store, out: &mut Out) -> Result<u8> {
    let reader = store.lister()?;
    let mail = find::message(&reader, what.id)?;
    if mail.body != BodyState::Head {
        get::whole(&mail)?;
    }
    let name = reader.accounts()?.into_iter().find(|row| row.id == mail.account).map(|row| row.name);
    let account = send::sender(config, name.as_deref(), None)?;
    let purpose = match (what.all, what.list) {
        (true, _) => Purpose::ReplyAll,
        (_, true) => Purpose::ReplyList,
        _ => Purpose::Reply,
    };
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|e| Error::new(Kind::Config, "standard input could not be read").because(e))?;
    let mut draft =
        drafting::begin(&reader, (account, mail.account), purpose, mail.message, &config.ui.timezone)?;
    let from = compose::people("From", &draft.from)?;
    drafting::say(account, &mut draft, &text);
    let original = compose::Original::read(None, &reader.raw(mail.message, HEAD)?);
    let known: Vec<Address> = reader.known()?.into_iter().map(|one| one.who).collect();
    let concerns = compose::concerns(&draft, &config.compose, &original.list, &known);
    if let Some(concern) = concerns.iter().find(|concern| !(what.force && concern.may_be_ignored())) {
        return Err(Error::new(Kind::Config, format!("nothing was sent: {concern}"))
            .hint("--force sends it all the same"));
    }
    // Kept first: what cannot be sent is a draft, and not lost.
    let msgid = compose::message_id(secret::random()?, from.first().map_or("", |who| &who.addr));
    let (id, _) = store.save_draft(None, &msgid, &draft)?;
    let row = drafting::send(store, account, id, 0, &send::date(config))?;
    send::tell(store, account, row, what.queue, out)
}
