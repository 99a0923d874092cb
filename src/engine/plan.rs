//! What an account's thread does next, as a pure function of what it knows.

use std::time::Instant;

use crate::model::FolderId;
use crate::protocol::Caps;

/// How long an engine works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Until it is stopped.
    Watch,
    /// Until it is in step once; a failure ends it.
    Once,
}

/// What an account's thread knows when it decides.
#[derive(Debug, Clone)]
pub(super) struct View<'a> {
    pub(super) now: Instant,
    pub(super) mode: Mode,
    /// It only fetches bodies that nobody waits for, and watches.
    pub(super) bulk: bool,
    /// The folder that it watches meanwhile.
    pub(super) watch: Option<FolderId>,
    /// It was told to end.
    pub(super) stopping: bool,
    /// Only the user can help.
    pub(super) paused: bool,
    /// Not before this time, after a failure.
    pub(super) not_before: Option<Instant>,
    /// What the open session can do; `None`: not connected.
    pub(super) caps: Option<Caps>,
    /// Bodies that the user waits for.
    pub(super) wanted: bool,
    /// Something is to be searched for.
    pub(super) search: bool,
    /// Operations may be ready.
    pub(super) ops: bool,
    /// When the next queued operation may be tried again.
    pub(super) ops_at: Option<Instant>,
    /// The list of folders is to be asked for.
    pub(super) folders: bool,
    /// Folders to pull, the most urgent first.
    pub(super) pulls: &'a [FolderId],
    /// POP3: listed messages that are to be taken.
    pub(super) take: bool,
    /// Bodies may be missing.
    pub(super) bodies: bool,
    /// POP3: deletions may be due.
    pub(super) deletions: bool,
    /// When the server is to be looked at again.
    pub(super) check_at: Instant,
}

/// The next thing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// End, in order if connected.
    Stop,
    /// Rest without a connection until then, or until there is a note; `None`: for ever.
    Sleep(Option<Instant>),
    Connect,
    /// The body that the user waits for.
    Wanted,
    /// What the user searches for.
    Search,
    Push,
    Folders,
    Pull(FolderId),
    Take,
    Bodies,
    Deletions,
    /// End the session in order: everything is done.
    Finish,
    /// Wait for news on the open connection until then.
    Wait(Instant),
    /// Wait for news of this folder, for whoever looks at it.
    Watch(FolderId),
}

/// A body that the user waits for, then what the user did, then news, then everything else.
pub(super) fn next(view: &View<'_>) -> Next {
    if view.stopping {
        return Next::Stop;
    }
    let Some(caps) = view.caps else {
        return unconnected(view);
    };
    if view.wanted {
        return Next::Wanted;
    }
    if view.search {
        return Next::Search;
    }
    let ops = view.ops || view.ops_at.is_some_and(|at| at <= view.now);
    if ops && caps.flags {
        return Next::Push;
    }
    if view.folders {
        return Next::Folders;
    }
    if let Some(folder) = view.pulls.first() {
        return Next::Pull(*folder);
    }
    if view.take {
        return Next::Take;
    }
    if view.bodies && !caps.snapshot {
        return Next::Bodies;
    }
    if view.deletions {
        return Next::Deletions;
    }
    if let Some(folder) = view.watch.filter(|_| view.bulk && caps.push) {
        return Next::Watch(folder);
    }
    if caps.snapshot || view.bulk || view.mode == Mode::Once {
        return Next::Finish;
    }
    Next::Wait(view.ops_at.map_or(view.check_at, |at| at.min(view.check_at)))
}

fn unconnected(view: &View<'_>) -> Next {
    if view.paused {
        return Next::Sleep(None);
    }
    if let Some(at) = view.not_before
        && at > view.now
    {
        return Next::Sleep(Some(at));
    }
    if view.bulk {
        return if view.bodies || view.watch.is_some() { Next::Connect } else { Next::Sleep(None) };
    }
    let due = view.wanted || view.search || view.ops || view.folders || view.check_at <= view.now;
    let ops_due = view.ops_at.is_some_and(|at| at <= view.now);
    if due || ops_due {
        return Next::Connect;
    }
    Next::Sleep(Some(view.ops_at.map_or(view.check_at, |at| at.min(view.check_at))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const IMAP: Caps = Caps {
        folders: true,
        flags: true,
        append: true,
        push: true,
        snapshot: false,
        deletes: true,
        labels: false,
        search: true,
    };
    const POP3: Caps = Caps {
        folders: false,
        flags: false,
        append: false,
        push: false,
        snapshot: true,
        deletes: true,
        labels: false,
        search: false,
    };

    fn idle(now: Instant) -> View<'static> {
        View {
            now,
            mode: Mode::Watch,
            bulk: false,
            watch: None,
            stopping: false,
            paused: false,
            not_before: None,
            caps: None,
            wanted: false,
            search: false,
            ops: false,
            ops_at: None,
            folders: false,
            pulls: &[],
            take: false,
            bodies: false,
            deletions: false,
            check_at: now + Duration::from_secs(60),
        }
    }

    #[test]
    fn what_the_user_waits_for_comes_first() {
        let now = Instant::now();
        let all = View {
            caps: Some(IMAP),
            wanted: true,
            ops: true,
            folders: true,
            pulls: &[FolderId(1)],
            bodies: true,
            ..idle(now)
        };
        assert_eq!(next(&all), Next::Wanted);
        let all = View { wanted: false, search: true, ..all };
        assert_eq!(next(&all), Next::Search);
        let all = View { search: false, ..all };
        assert_eq!(next(&all), Next::Push);
        let all = View { ops: false, ..all };
        assert_eq!(next(&all), Next::Folders);
        let all = View { folders: false, ..all };
        assert_eq!(next(&all), Next::Pull(FolderId(1)));
        let all = View { pulls: &[], ..all };
        assert_eq!(next(&all), Next::Bodies);
        let all = View { bodies: false, ..all };
        assert_eq!(next(&all), Next::Wait(all.check_at));
        assert_eq!(next(&View { mode: Mode::Once, ..all.clone() }), Next::Finish);
        assert_eq!(next(&View { stopping: true, ..all }), Next::Stop);
    }

    #[test]
    fn a_snapshot_is_taken_then_deleted_from_then_finished() {
        let now = Instant::now();
        let all =
            View { caps: Some(POP3), take: true, deletions: true, bodies: true, ops: true, ..idle(now) };
        assert_eq!(next(&all), Next::Take);
        let all = View { take: false, ..all };
        assert_eq!(next(&all), Next::Deletions);
        let all = View { deletions: false, ..all };
        assert_eq!(next(&all), Next::Finish);
    }

    #[test]
    fn a_failure_is_slept_off_and_a_pause_waits_for_the_user() {
        let now = Instant::now();
        let later = now + Duration::from_secs(9);
        let due = View { folders: true, ..idle(now) };
        assert_eq!(next(&due), Next::Connect);
        assert_eq!(next(&View { not_before: Some(later), ..due.clone() }), Next::Sleep(Some(later)));
        assert_eq!(next(&View { not_before: Some(now), ..due.clone() }), Next::Connect);
        assert_eq!(next(&View { paused: true, ..due.clone() }), Next::Sleep(None));
        assert_eq!(next(&idle(now)), Next::Sleep(Some(idle(now).check_at)));
        assert_eq!(next(&View { ops_at: Some(later), ..idle(now) }), Next::Sleep(Some(later)));
    }

    #[test]
    fn a_bulk_thread_connects_for_bodies_only() {
        let now = Instant::now();
        let bulk = View { bulk: true, check_at: now, ..idle(now) };
        assert_eq!(next(&bulk), Next::Sleep(None));
        assert_eq!(next(&View { bodies: true, ..bulk.clone() }), Next::Connect);
        assert_eq!(next(&View { bodies: true, caps: Some(IMAP), ..bulk.clone() }), Next::Bodies);
        assert_eq!(next(&View { caps: Some(IMAP), ..bulk }), Next::Finish);
    }

    #[test]
    fn i9_a_bulk_thread_without_work_watches_the_folder_that_is_open() {
        let now = Instant::now();
        let later = now + Duration::from_secs(9);
        let bulk = View { bulk: true, watch: Some(FolderId(3)), ..idle(now) };
        assert_eq!(next(&bulk), Next::Connect);
        assert_eq!(next(&View { not_before: Some(later), ..bulk.clone() }), Next::Sleep(Some(later)));
        let there = View { caps: Some(IMAP), ..bulk };
        assert_eq!(next(&there), Next::Watch(FolderId(3)));
        assert_eq!(next(&View { bodies: true, ..there.clone() }), Next::Bodies);
        let silent = Caps { push: false, ..IMAP };
        assert_eq!(next(&View { caps: Some(silent), ..there }), Next::Finish);
    }
}
