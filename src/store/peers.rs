//! Other processes with the same store: each binds a datagram socket, and is poked after every commit.

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::fault::file_fault;
use super::home::subdirectory;
use crate::error::Result;

/// Our socket and the way to the others'.
#[derive(Debug)]
pub(super) struct Peers {
    socket: UnixDatagram,
    /// `run/` beside the store, kept open so that its name can be short.
    run: fs::File,
    dir: PathBuf,
    name: String,
}

impl Peers {
    /// Binds `run/PID-N.sock`.
    pub(super) fn join(store: &Path) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = store.join("run");
        let fail = |e| file_fault(format!("could not make a socket in {}", dir.display()), e);
        subdirectory(&dir).map_err(fail)?;
        let run = fs::File::open(&dir).map_err(fail)?;
        let name = format!("{}-{}.sock", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        // A process that had our number and did not clean up.
        let _ = fs::remove_file(dir.join(&name));
        let socket = UnixDatagram::bind(address(&dir, &run, &name)).map_err(fail)?;
        // A full inbox of another has a poke in it already: never wait for it.
        socket.set_nonblocking(false).map_err(fail)?;
        Ok(Self { socket, run, dir, name })
    }

    /// A second handle on the socket, for the thread that listens.
    pub(super) fn ear(&self) -> Result<Ear> {
        self.socket.try_clone().map(Ear).map_err(|e| file_fault("could not listen to other processes", e))
    }

    /// Tells every other process that the store changed; removes the sockets of those that are gone.
    pub(super) fn poke(&self) {
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|n| n.ends_with(".sock") && *n != self.name) else {
                continue;
            };
            let sent = UnixDatagram::unbound().and_then(|from| {
                from.set_nonblocking(true)?;
                from.send_to(b"!", address(&self.dir, &self.run, name))
            });
            if matches!(sent, Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }

    /// Ends the thread that listens.
    pub(super) fn leave(&self) {
        let _ = fs::remove_file(self.dir.join(&self.name));
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
    }
}

/// The listening end.
#[derive(Debug)]
pub(super) struct Ear(UnixDatagram);

impl Ear {
    /// Waits for a poke; takes all that came meanwhile as one. False: the store is being closed.
    pub(super) fn hear(&self) -> bool {
        let mut sink = [0; 8];
        loop {
            match self.0.recv(&mut sink) {
                // Nobody sends nothing: this is the shutdown.
                Ok(0) => return false,
                Ok(_) => break,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
        if self.0.set_nonblocking(true).is_ok() {
            while matches!(self.0.recv(&mut sink), Ok(n) if n > 0) {}
        }
        self.0.set_nonblocking(false).is_ok()
    }
}

/// A path to `name` that fits into a socket address (108 bytes) even when the directory's does not.
fn address(dir: &Path, run: &fs::File, name: &str) -> PathBuf {
    let path = dir.join(name);
    if path.as_os_str().len() < 100 {
        return path;
    }
    PathBuf::from(format!("/proc/self/fd/{}/{name}", run.as_raw_fd()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(dir: &Path) -> (Peers, Ear) {
        let peers = Peers::join(dir).unwrap();
        let ear = peers.ear().unwrap();
        (peers, ear)
    }

    #[test]
    fn a_poke_reaches_the_other_and_not_oneself() {
        let dir = tempfile::tempdir().unwrap();
        let (one, _) = joined(dir.path());
        let (two, ear) = joined(dir.path());
        one.poke();
        one.poke();
        assert!(ear.hear());
        two.leave();
        assert!(!ear.hear(), "leaving ends the wait");
        assert_eq!(fs::read_dir(dir.path().join("run")).unwrap().count(), 1);
    }

    #[test]
    fn the_socket_of_a_process_that_died_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (one, _) = joined(dir.path());
        drop(UnixDatagram::bind(dir.path().join("run/1-0.sock")).unwrap());
        one.poke();
        assert!(!dir.path().join("run/1-0.sock").exists());
    }

    #[test]
    fn a_long_path_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("d".repeat(120));
        fs::create_dir(&deep).unwrap();
        let (one, _) = joined(&deep);
        let (_two, ear) = joined(&deep);
        one.poke();
        assert!(ear.hear());
    }
}
