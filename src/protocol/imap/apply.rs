//! What is done to the mail on the server (promises I5, I6).

use super::Session;
use super::answer::{Answer, Code, Verdict};
use super::command::Command;
use super::link::{Link, Tag};
use super::list;
use super::names;
use super::reply::Reply;
use super::select::Mailbox;
use super::sets::{self, Ranges};
use super::trouble;
use crate::error::{Error, Kind, Result};
use crate::model::UidSet;
use crate::protocol::{Applied, RemoteId};

/// How many commands are sent ahead of their answers.
const AHEAD: usize = 8;

/// Old UIDs and new ones.
type Pairs = Vec<(RemoteId, RemoteId)>;

/// What a server says while it carries something out.
#[derive(Debug, Default)]
struct Progress {
    pairs: Pairs,
    expunged: u32,
    /// Other messages went too.
    others: bool,
}

impl Progress {
    /// Swallows what our own doing causes. `old` is where the messages were.
    fn hear(&mut self, reply: Reply, old: &Mailbox, uids: &UidSet) -> Option<Reply> {
        match reply {
            Reply::Says(answer) => self.learn(&answer, old, uids),
            Reply::Expunge => self.expunged = self.expunged.saturating_add(1),
            Reply::Vanished { uids: gone, .. } => {
                let gone = gone.map(Ranges::into_set);
                self.others |= gone.as_ref().is_none_or(|gone| !sets::difference(gone, uids).is_empty());
                let count = gone.map_or(0, |gone| u32::try_from(gone.len()).unwrap_or(u32::MAX));
                self.expunged = self.expunged.saturating_add(count);
            }
            Reply::Fetch(_) => {}
            other => return Some(other),
        }
        None
    }

    /// COPYUID (RFC 4315 section 3): believed where it speaks of these messages only, of each and its copy once, and
    /// of copies in ascending order, as they are made.
    fn learn(&mut self, answer: &Answer, old: &Mailbox, uids: &UidSet) {
        let Some(Code::CopyUid { validity, from, to }) = &answer.code else { return };
        let count = from.count();
        let Some(count) = usize::try_from(count).ok().filter(|_| count <= uids.len()) else { return };
        if let (Some(from), Some(to)) = (from.exactly(count), to.exactly(count))
            && from.iter().all(|uid| uids.contains(*uid))
        {
            let told = |id: &RemoteId| uid_of(id).unwrap_or(0);
            let each: UidSet = from.iter().copied().chain(self.pairs.iter().map(|(a, _)| told(a))).collect();
            let copies: UidSet = to.iter().copied().chain(self.pairs.iter().map(|(_, b)| told(b))).collect();
            let count = (self.pairs.len() + from.len()) as u64;
            if each.len() != count || copies.len() != count || !to.is_sorted() {
                tracing::warn!("the server tells what cannot be: where it put the messages is looked for");
                return;
            }
            let id = |validity, uid| RemoteId::Uid { validity, uid };
            self.pairs.extend(from.into_iter().zip(to).map(|(a, b)| (id(old.validity, a), id(*validity, b))));
        }
    }
}

impl Session {
    /// Moves: MOVE (RFC 6851), else COPY, then exactly those are removed.
    pub(super) fn move_to(&mut self, from: &str, to: &str, ids: &[RemoteId]) -> Result<Applied> {
        let (mailbox, uids) = self.writable(from, ids)?;
        if from == to || uids.is_empty() {
            return Ok(Applied::done());
        }
        let doing = "the server does not move the messages";
        if self.link.state.offers.has("MOVE") || self.link.state.offers.has("IMAP4REV2") {
            let moved = self.transfer(doing, "UID MOVE", to, &mailbox, &uids)?;
            return Ok(Applied::Done { moved, created: None });
        }
        let (moved, copied) = self.copied(doing, to, &mailbox, &uids)?;
        match self.remove(&mailbox, &copied)? {
            true => Ok(Applied::Done { moved, created: None }),
            false => Ok(refused(&mailbox, &copied)),
        }
    }

    /// Copies.
    pub(super) fn copy_to(&mut self, from: &str, to: &str, ids: &[RemoteId]) -> Result<Applied> {
        let mailbox = self.link.open(from)?;
        let uids = mailbox.uids(ids)?;
        let (moved, _) = self.copied("the server does not copy the messages", to, &mailbox, &uids)?;
        Ok(Applied::Done { moved, created: None })
    }

    /// Copies what is not in the target already. Old names and new ones as far as told, and which
    /// messages are surely in the target now.
    fn copied(&mut self, doing: &str, to: &str, mailbox: &Mailbox, uids: &UidSet) -> Result<(Pairs, UidSet)> {
        let (mut pairs, mut sure, mut rest) = (Pairs::new(), UidSet::new(), uids.clone());
        for (uid, twin) in self.present(&mailbox.remote, to, uids)? {
            rest.remove(uid);
            sure.insert(uid);
            pairs.push((RemoteId::Uid { validity: mailbox.validity, uid }, twin));
        }
        if self.link.mailbox()?.validity != mailbox.validity {
            return Err(Error::new(Kind::Conflict, "the server numbered this folder anew"));
        }
        let told = self.transfer(doing, "UID COPY", to, mailbox, &rest)?;
        // A copy that the server names is sure; without names its OK is for all or nothing.
        let named: UidSet = told.iter().filter_map(|(old, _)| uid_of(old)).collect();
        let done = if named.is_empty() { rest } else { named };
        done.ranges().iter().for_each(|&(lo, hi)| sure.insert_range(lo, hi));
        pairs.extend(told);
        Ok((pairs, sure))
    }

    /// Removes for good.
    pub(super) fn delete(&mut self, remote: &str, ids: &[RemoteId]) -> Result<Applied> {
        let (mailbox, uids) = self.writable(remote, ids)?;
        Ok(if self.remove(&mailbox, &uids)? { Applied::done() } else { refused(&mailbox, &uids) })
    }

    fn writable(&mut self, remote: &str, ids: &[RemoteId]) -> Result<(Mailbox, UidSet)> {
        let mailbox = self.link.open(remote)?;
        let uids = mailbox.uids(ids)?;
        if mailbox.read_only {
            return Err(Error::new(Kind::Refused, "the folder is read-only on the server"));
        }
        Ok((mailbox, uids))
    }

    /// Runs MOVE or COPY over the messages, making the target where it is missing.
    fn transfer(
        &mut self,
        doing: &str,
        verb: &str,
        to: &str,
        mailbox: &Mailbox,
        uids: &UidSet,
    ) -> Result<Pairs> {
        let name = names::bytes(to);
        let mut progress = Progress::default();
        for line in sets::lines(uids) {
            let command = Command::new(format!("{verb} {line}")).mailbox(&name);
            let answer = with_folder(&mut self.link, &name, |link| {
                let tag = link.send(&command)?;
                link.answer(&tag, &mut |reply| Ok(progress.hear(reply, mailbox, uids)))
            })?;
            progress.learn(&answer, mailbox, uids);
            if answer.verdict != Verdict::Ok && self.are_there(uids)? {
                return Err(trouble::refused(doing, &answer));
            }
        }
        self.account_for(&progress, uids);
        Ok(progress.pairs)
    }

    /// Removes exactly these messages. False: without UIDPLUS, another program has marked messages of its
    /// own, which an EXPUNGE would take too; so ours are left marked.
    fn remove(&mut self, mailbox: &Mailbox, uids: &UidSet) -> Result<bool> {
        let lines = sets::lines(uids);
        let mark = |line: &String| Command::new(format!("UID STORE {line} +FLAGS.SILENT (\\Deleted)"));
        let doing = "the server does not remove the messages";
        let offers = &self.link.state.offers;
        if offers.has("UIDPLUS") || offers.has("IMAP4REV2") {
            let expunge = |line: &String| Command::new(format!("UID EXPUNGE {line}"));
            let commands: Vec<_> = lines.iter().flat_map(|line| [mark(line), expunge(line)]).collect();
            self.carry_out(doing, &commands, mailbox, uids)?;
            return Ok(true);
        }
        let commands: Vec<_> = lines.iter().map(mark).collect();
        self.carry_out(doing, &commands, mailbox, uids)?;
        let marked = self.search("DELETED")?;
        let going = self.going.take().filter(|(remote, _)| *remote == mailbox.remote);
        let going = going.and_then(|(_, ids)| mailbox.uids(&ids).ok()).unwrap_or_default();
        let others = sets::difference(&sets::difference(&marked, uids), &going);
        if !others.is_empty() {
            tracing::warn!("other messages are marked as deleted: ours are left marked beside them");
            return Ok(false);
        }
        self.carry_out(doing, &[Command::new("EXPUNGE")], mailbox, uids)?;
        Ok(true)
    }

    /// Sends commands that follow from each other in one go. A refusal counts only while one of the
    /// messages is still there.
    pub(super) fn carry_out(
        &mut self,
        doing: &str,
        commands: &[Command<'_>],
        mailbox: &Mailbox,
        uids: &UidSet,
    ) -> Result<()> {
        let mut progress = Progress::default();
        let mut refusal: Option<Answer> = None;
        let mut ahead: std::collections::VecDeque<Tag> = std::collections::VecDeque::new();
        let mut commands = commands.iter();
        loop {
            while ahead.len() < AHEAD
                && refusal.is_none()
                && let Some(command) = commands.next()
            {
                ahead.push_back(self.link.send(command)?);
            }
            let Some(tag) = ahead.pop_front() else { break };
            let answer = self.link.answer(&tag, &mut |reply| Ok(progress.hear(reply, mailbox, uids)))?;
            if answer.verdict != Verdict::Ok {
                refusal = refusal.or(Some(answer));
            }
        }
        self.account_for(&progress, uids);
        match refusal {
            Some(answer) if self.are_there(uids)? => Err(trouble::refused(doing, &answer)),
            _ => Ok(()),
        }
    }

    /// What was expunged is not news, as far as it was ours.
    fn account_for(&mut self, progress: &Progress, uids: &UidSet) {
        if let Some(mailbox) = &mut self.link.state.selected {
            mailbox.exists = mailbox.exists.saturating_sub(progress.expunged);
            self.link.state.news |= progress.others || u64::from(progress.expunged) > uids.len();
        }
    }

    /// Whether any of these messages is still in the selected mailbox.
    pub(super) fn are_there(&mut self, uids: &UidSet) -> Result<bool> {
        for line in sets::lines(uids) {
            if !self.search(&format!("UID {line}"))?.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The messages of the selected mailbox for which this holds; words of this program only.
    pub(super) fn search(&mut self, what: &str) -> Result<UidSet> {
        let mut found = None;
        let command = Command::new(format!("UID SEARCH {what}"));
        self.link.ask("the server does not search", &command, &mut |reply| match reply {
            Reply::Found(ranges) => {
                found = ranges;
                Ok(None)
            }
            other => Ok(Some(other)),
        })?;
        Ok(found.unwrap_or_default().into_set())
    }
}

/// Runs a command that needs a folder; where it is missing (TRYCREATE), it is made, once.
pub(super) fn with_folder(
    link: &mut Link,
    name: &[u8],
    mut run: impl FnMut(&mut Link) -> Result<Answer>,
) -> Result<Answer> {
    let answer = run(link)?;
    if answer.verdict == Verdict::No && answer.says("TRYCREATE") {
        list::make(link, name)?;
        return run(link);
    }
    Ok(answer)
}

fn refused(mailbox: &Mailbox, uids: &UidSet) -> Applied {
    let id = |uid| RemoteId::Uid { validity: mailbox.validity, uid };
    Applied::Partial { refused: uids.iter().map(id).collect() }
}

fn uid_of(id: &RemoteId) -> Option<u32> {
    match id {
        RemoteId::Uid { uid, .. } => Some(*uid),
        RemoteId::Uidl(_) => None,
    }
}
