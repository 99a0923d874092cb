//! Waiting for a spool to change, without a tick: inotify where there is one (inotify(7)).

use std::path::Path;
use std::time::Instant;

use super::lock;
use super::spool::Content;
use crate::error::Result;
use crate::net::Interrupt;
use crate::protocol::Wake;

/// Blocks until the spool is not what `known` was read from.
#[cfg(target_os = "linux")]
pub(super) fn wait(path: &Path, known: &Content, bell: &Interrupt, until: Instant) -> Result<Wake> {
    use std::os::fd::AsFd as _;

    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

    let Ok(events) = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK) else {
        return Ok(Wake::Unsupported);
    };
    let file = WatchFlags::MODIFY
        | WatchFlags::CLOSE_WRITE
        | WatchFlags::ATTRIB
        | WatchFlags::MOVE_SELF
        | WatchFlags::DELETE_SELF;
    let place = WatchFlags::CREATE | WatchFlags::MOVED_TO | WatchFlags::ONLYDIR;
    loop {
        // Watched first, looked at then: nothing falls in between. The directory only while there is no file,
        // for it tells of the spools of others too.
        let watched = inotify::add_watch(&events, path, file | WatchFlags::DONT_FOLLOW).or_else(|_| {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            inotify::add_watch(&events, parent.unwrap_or(Path::new(".")), place)
        });
        if watched.is_err() {
            return Ok(Wake::Unsupported);
        }
        if !known.is_of(lock::look(path)?.as_ref()) {
            return Ok(Wake::Changed);
        }
        if bell.wait_beside(Some(events.as_fd()), Some(until)) {
            return Ok(Wake::Interrupted);
        }
        let mut sink = [0; 4096];
        let mut any = false;
        while rustix::io::read(&events, &mut sink).is_ok_and(|read| read > 0) {
            any = true;
        }
        if !any && Instant::now() >= until {
            return Ok(Wake::TimedOut);
        }
    }
}

/// Others are looked at as often as the account is checked.
#[cfg(not(target_os = "linux"))]
pub(super) fn wait(_: &Path, _: &Content, _: &Interrupt, _: Instant) -> Result<Wake> {
    Ok(Wake::Unsupported)
}
