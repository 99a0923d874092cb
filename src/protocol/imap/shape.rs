//! Folders renamed, removed, subscribed to (RFC 9051 sections 6.3.5 to 6.3.8).
//!
//! Each is safe to repeat: where a server says no, it is looked at whether an earlier try got so far.

use super::Session;
use super::answer::{Answer, Verdict};
use super::command::Command;
use super::link::{Tag, deaf};
use super::list::listed;
use super::names::{self, plain};
use super::reply::Reply;
use super::root::wire_name;
use super::trouble;
use crate::error::{Error, Kind, Result};

impl Session {
    /// Gives a folder another path; its key of then. What lies beneath goes with it (section 6.3.6), and so
    /// do subscriptions, which servers keep by name.
    pub(super) fn rename(&mut self, remote: &str, path: &str) -> Result<String> {
        let old = names::bytes(remote);
        let new = wire_name(path, &self.root()?)?;
        if plain(&old) == plain(&new) {
            return Ok(names::key(&new));
        }
        if names::is_inbox(&old) || names::is_inbox(&new) {
            return Err(Error::new(Kind::Refused, "the inbox keeps its name"));
        }
        self.step_out(remote)?;
        let followed = self.subscriptions()?;
        let answer = self.tell(&Command::new("RENAME").mailbox(&old).mailbox(&new))?;
        if answer.verdict != Verdict::Ok {
            match (listed(&mut self.link, &old)?.is_some(), listed(&mut self.link, &new)?.is_some()) {
                (false, true) => {}
                (false, false) => return Err(gone()),
                (true, true) => {
                    return Err(Error::new(
                        Kind::Refused,
                        "there is a folder of that name on the server already",
                    ));
                }
                (true, false) => {
                    return Err(trouble::refused("the server does not rename the folder", &answer));
                }
            }
        }
        let delimiter = self.root()?.delimiter;
        let mut tags: Vec<Tag> = Vec::new();
        for name in followed {
            let Some(rest) = name.strip_prefix(&old[..]) else { continue };
            if rest.is_empty() || rest.first() == delimiter.as_ref() {
                let now = [&new[..], rest].concat();
                tags.push(self.link.send(&Command::new("SUBSCRIBE").mailbox(&now))?);
                tags.push(self.link.send(&Command::new("UNSUBSCRIBE").mailbox(&name))?);
            }
        }
        for tag in tags {
            if self.link.answer(&tag, &mut deaf)?.verdict != Verdict::Ok {
                tracing::info!("a subscription did not follow its folder");
            }
        }
        Ok(names::key(&new))
    }

    /// Removes a folder that holds nothing.
    pub(super) fn remove_folder(&mut self, remote: &str) -> Result<()> {
        let name = names::bytes(remote);
        if names::is_inbox(&name) {
            return Err(Error::new(Kind::Refused, "the inbox cannot be removed"));
        }
        self.step_out(remote)?;
        if let Some(there) = listed(&mut self.link, &name)? {
            // DELETE would take the mail with it, and leave a name behind where there are folders beneath.
            if self.has_beneath(&name)? {
                return Err(Error::new(Kind::Refused, "there are folders within the folder on the server"));
            }
            let held = if there.is("\\noselect") { 0 } else { self.count(&name)? };
            if held > 0 {
                return Err(Error::new(
                    Kind::Refused,
                    format!("the folder holds {held} messages on the server"),
                )
                .hint("They came there meanwhile, or another program put them there"));
            }
            let answer = self.tell(&Command::new("DELETE").mailbox(&name))?;
            if answer.verdict != Verdict::Ok && listed(&mut self.link, &name)?.is_some() {
                return Err(trouble::refused("the server does not remove the folder", &answer));
            }
        }
        // Servers keep a subscription to what is not there any more.
        self.tell(&Command::new("UNSUBSCRIBE").mailbox(&name)).map(drop)
    }

    /// Subscribes to a folder, or unsubscribes.
    pub(super) fn subscribe(&mut self, remote: &str, on: bool) -> Result<()> {
        let name = names::bytes(remote);
        let verb = if on { "SUBSCRIBE" } else { "UNSUBSCRIBE" };
        let answer = self.tell(&Command::new(verb).mailbox(&name))?;
        if answer.verdict == Verdict::Ok || self.subscriptions()?.contains(&name) == on {
            return Ok(());
        }
        Err(trouble::refused(&format!("the server does not {} the folder", verb.to_lowercase()), &answer))
    }

    /// Sees to it that neither this folder nor one beneath it is selected, and forgets what was known of them.
    fn step_out(&mut self, remote: &str) -> Result<()> {
        let within = |name: &String| name.starts_with(remote);
        self.told.retain(|name, _| !within(name));
        self.sizes.retain(|name, _| !within(name));
        self.seen.retain(|name, _| !within(name));
        if self.link.state.selected.as_ref().is_some_and(|mailbox| within(&mailbox.remote)) {
            self.link.open_anew("INBOX")?;
        }
        Ok(())
    }

    fn tell(&mut self, command: &Command<'_>) -> Result<Answer> {
        let tag = self.link.send(command)?;
        self.link.answer(&tag, &mut deaf)
    }

    /// Every name that is subscribed to.
    fn subscriptions(&mut self) -> Result<Vec<Vec<u8>>> {
        let offers = &self.link.state.offers;
        let extended = offers.has("LIST-EXTENDED") || offers.has("IMAP4REV2");
        let command = if extended { "LIST (SUBSCRIBED) \"\" \"*\"" } else { "LSUB \"\" \"*\"" };
        self.names(&Command::new(command))
    }

    fn has_beneath(&mut self, name: &[u8]) -> Result<bool> {
        let Some(delimiter) = self.root()?.delimiter else { return Ok(false) };
        let start = [name, &[delimiter]].concat();
        let command = Command::new("LIST \"\"").mailbox(&[&start[..], b"%"].concat());
        let found = self.names(&command)?;
        Ok(found.iter().any(|other| other.len() > start.len() && other.starts_with(&start)))
    }

    /// The names that a LIST or LSUB brings; none where the server does not know the command.
    fn names(&mut self, command: &Command<'_>) -> Result<Vec<Vec<u8>>> {
        let mut found = Vec::new();
        let tag = self.link.send(command)?;
        self.link.answer(&tag, &mut |reply| match reply {
            Reply::List(folder) if !folder.is("\\nonexistent") || folder.is("\\subscribed") => {
                found.push(folder.name);
                Ok(None)
            }
            other => Ok(Some(other)),
        })?;
        Ok(found)
    }

    /// How many messages a folder holds.
    fn count(&mut self, name: &[u8]) -> Result<u32> {
        let mut count = None;
        let doing = "the server does not say whether the folder is empty";
        let command = Command::new("STATUS").mailbox(name).text(" (MESSAGES)");
        self.link.ask(doing, &command, &mut |reply| match reply {
            Reply::Status(told) if plain(&told.name) == plain(name) => {
                count = told.messages;
                Ok(None)
            }
            other => Ok(Some(other)),
        })?;
        count.ok_or_else(|| Error::new(Kind::Refused, doing))
    }
}

fn gone() -> Error {
    Error::new(Kind::Gone, "the folder is not on the server any more")
        .hint("another program removed it or gave it another name")
}
