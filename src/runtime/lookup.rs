//! The user's own command that knows addresses: asked beside everything else, and given up when it takes long.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use super::inbox::Wakeup;
use crate::app::effect::Loaded;
use crate::error::{Error, Kind, Result};
use crate::model::{Address, is_sendable};
use crate::secret;
use crate::text::Clean;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Bytes of what it prints that are read, and people that are taken from it.
const BYTES: u64 = 256 << 10;
const PEOPLE: usize = 200;

/// The thread that asks it; it ends when this is dropped, and nobody waits for it.
#[derive(Debug)]
pub(super) struct Lookup(Option<Sender<String>>);

impl Lookup {
    /// Starts it, where the user named a command.
    pub(super) fn start(command: Option<String>, inbox: Sender<Wakeup>) -> Result<Self> {
        let Some(command) = command else { return Ok(Self(None)) };
        let (ask, asked) = channel();
        std::thread::Builder::new()
            .name("lookup".to_owned())
            .spawn(move || run(&command, &asked, &inbox))
            .map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))?;
        Ok(Self(Some(ask)))
    }

    /// Asks for whom it knows by this; an older question that waits is dropped.
    pub(super) fn ask(&self, typed: String) {
        if let Some(ask) = &self.0 {
            let _ = ask.send(typed);
        }
    }
}

fn run(command: &str, asked: &Receiver<String>, inbox: &Sender<Wakeup>) {
    while let Ok(first) = asked.recv() {
        let typed = asked.try_iter().last().unwrap_or(first);
        let result = people(command, &typed, PATIENCE).map_err(|e| Clean::line(&e.to_string()));
        if inbox.send(Wakeup::Loaded(Loaded::People { typed, result })).is_err() {
            return;
        }
    }
}

/// Whom a shell command knows by what was typed, which it gets as its last argument.
fn people(line: &str, typed: &str, patience: Duration) -> Result<Vec<Address>> {
    let fail = |why: &str| Error::new(Kind::Config, format!("address_command: {why}"));
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(format!("{line} \"$1\"")).arg("sh").arg(typed);
    // A group of its own, so that it ends with all that it started.
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    let mut child =
        secret::keep_from(&mut shell).spawn().map_err(|e| fail("it does not start").because(e))?;
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    let (tell, told) = channel();
    if let Some(out) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = out.take(BYTES).read_to_end(&mut bytes);
            let _ = tell.send(read.map(|_| bytes));
        });
    }
    let said = told.recv_timeout(patience);
    if let Some(group) = group.filter(|_| said.is_err()) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let bytes = match said {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(e)) => return Err(fail("its answer cannot be read").because(e)),
        Err(_) => {
            let _ = child.wait();
            return Err(fail(&format!("no answer within {} s", patience.as_secs())));
        }
    };
    // It has closed its output; should it stay for another reason, nobody waits.
    std::thread::spawn(move || child.wait());
    Ok(parsed(&String::from_utf8_lossy(&bytes)))
}

/// Lines `address TAB name`, as mutt's `query_command` gives them; other lines are told to people, not to us.
fn parsed(text: &str) -> Vec<Address> {
    let one = |line: &str| {
        let mut pieces = line.split('\t');
        let addr = pieces.next()?.trim();
        let name = Clean::line(pieces.next().unwrap_or_default()).to_string();
        is_sendable(addr).then(|| Address { name: name.trim().to_owned(), addr: addr.to_owned() })
    };
    text.lines().filter_map(one).take(PEOPLE).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_prints_is_people_and_what_is_typed_is_no_command() {
        let found =
            people("printf 'Searching...\\nada@example.org\\tAda\\tx\\n%s\\tyou\\n'", "a@b.c", PATIENCE);
        let found: Vec<_> = found.unwrap().into_iter().map(|who| (who.addr, who.name)).collect();
        let who = |addr: &str, name: &str| (addr.to_owned(), name.to_owned());
        assert_eq!(found, [who("ada@example.org", "Ada"), who("a@b.c", "you")]);
        assert!(people("true", "$(touch /tmp/never)", PATIENCE).unwrap().is_empty());
    }

    #[test]
    fn one_that_hangs_is_given_up_and_said() {
        let error = people("sleep 1000 #", "ada", Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("address_command: no answer"), "{error}");
    }
}
