//! The editor: on this terminal in the place of the screen, or beside it, with a draft in a file that outlives both.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Sender;

use super::inbox::Wakeup;
use crate::app::compose::Written;
use crate::config::{EditorIn, Writing};
use crate::error::{Error, Kind, Result};
use crate::model::{Draft, DraftId, Purpose};
use crate::secret;
use crate::text::Clean;

/// On a terminal of its own the editor gets a process group that has the terminal, so that no key there reaches this
/// program; the shell that does it takes the terminal back, also after one that was interrupted. An editor that stops itself goes on at once: nobody could
/// wake it up again.
const ALONE: &str = "set -m 2>/dev/null; trap : INT; eval \"$1\"; s=$?
while [ $s -ge 145 ] && [ $s -le 150 ] && jobs %% >/dev/null 2>&1; do fg %% >/dev/null; s=$?; done; exit $s";
/// How often it is looked whether an editor beside the screen has ended, where the system does not tell.
const LOOK: std::time::Duration = std::time::Duration::from_millis(500);

/// Where the text of a draft lies while an editor has it: with the fields above it, and without.
pub(super) fn files(data: &Path, id: DraftId) -> [(PathBuf, bool); 2] {
    let dir = data.join("drafts");
    [(dir.join(format!("{}.eml", id.0)), true), (dir.join(format!("{}.txt", id.0)), false)]
}

pub(super) fn forget(data: &Path, id: DraftId) {
    for (path, _) in files(data, id) {
        let _ = fs::remove_file(path);
    }
}

/// A draft in a file, for an editor.
#[derive(Debug)]
pub(super) struct Sheet {
    id: DraftId,
    path: PathBuf,
    headers: bool,
    text: String,
    /// The editor's command line.
    line: String,
}

impl Sheet {
    /// Writes a draft into its file.
    pub(super) fn write(writing: &Writing, data: &Path, id: DraftId, draft: &Draft) -> Result<Self> {
        let headers = writing.edit_headers || draft.purpose == Purpose::New && draft.to.trim().is_empty();
        let [with, without] = files(data, id);
        let (path, _) = if headers { with } else { without };
        let text = draft.to_text(headers);
        let failed = |e| Error::new(Kind::Store, format!("could not write {}", path.display())).because(e);
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data.join("drafts")).map_err(failed)?;
        let _ = fs::remove_file(&path);
        let file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
        let own = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let named = writing.editor.clone().or_else(|| own("VISUAL")).or_else(|| own("EDITOR"));
        let line = format!("{} {}", named.unwrap_or_else(|| "vi".to_owned()), quoted(&path));
        Ok(Self { id, path, headers, text, line })
    }

    /// Runs the editor on this terminal and waits until it ends; `is_alone`: it is really one, and this program's.
    pub(super) fn here(self, is_alone: bool) -> Result<Written> {
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(if is_alone { ALONE } else { "eval \"$1\"" }).arg("sh").arg(&self.line);
        let ended = match secret::keep_from(&mut shell).status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(status.to_string()),
            Err(e) => Err(e.to_string()),
        };
        self.taken(ended)
    }

    /// Runs the editor beside the screen; when it ends the inbox is told.
    pub(super) fn aside(self, place: &EditorIn, inbox: Sender<Wakeup>) -> Result<()> {
        // Commands that open windows do not tell how what runs in them ends.
        let end = self.path.with_extension("ended");
        let _ = fs::remove_file(&end);
        let line = format!("{}; echo $? > {}", self.line, quoted(&end));
        let mut opener = match place {
            EditorIn::Command(command) => {
                let mut shell = Command::new("sh");
                shell.arg("-c").arg(format!("{command} \"$1\"")).arg("sh").arg(&line);
                shell
            }
            EditorIn::Here | EditorIn::Tmux => {
                let mut tmux = Command::new("tmux");
                tmux.args(["split-window", "-v", "-l", "60%", "-P", "-F", "#{pane_pid}"]).arg(&line);
                tmux
            }
        };
        opener.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let in_tmux = !matches!(place, EditorIn::Command(_));
        let fail = |e| Error::new(Kind::Unsupported, "the editor could not be opened").because(e);
        let child = secret::keep_from(&mut opener).spawn().map_err(fail)?;
        let wait = move || {
            let said = child.wait_with_output();
            if let (true, Ok(out)) = (in_tmux, &said)
                && let Ok(pane) = String::from_utf8_lossy(&out.stdout).trim().parse()
            {
                wait_for(pane);
            }
            let status = fs::read_to_string(&end).ok();
            let _ = fs::remove_file(&end);
            let ended = match (status.as_deref().map(str::trim), said) {
                (Some("0"), _) => Ok(()),
                (Some(code), _) => Err(format!("exit status: {code}")),
                (None, Ok(out)) if !out.status.success() => Err(String::from_utf8_lossy(&out.stderr)
                    .lines()
                    .next()
                    .unwrap_or("it did not open")
                    .to_owned()),
                (None, Ok(_)) => Err("its window was closed".to_owned()),
                (None, Err(e)) => Err(e.to_string()),
            };
            let id = self.id;
            let written = self.taken(ended).map_err(|e| Clean::line(&e.to_string()));
            let _ = inbox.send(Wakeup::Edited(id, written));
        };
        std::thread::Builder::new().name("editor".to_owned()).spawn(wait).map_err(fail)?;
        Ok(())
    }

    /// What the editor left. What cannot be taken over stays in a file beside it.
    fn taken(self, ended: std::result::Result<(), String>) -> Result<Written> {
        let left = fs::read(&self.path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let left = left.unwrap_or_default();
        let why = match ended {
            Ok(()) if left.trim().is_empty() => {
                let _ = fs::remove_file(&self.path);
                let text = "the editor left nothing: the draft is as it was before";
                return Err(Error::new(Kind::Refused, text));
            }
            Ok(()) => return Ok(Written { text: left, headers: self.headers }),
            Err(why) => Clean::line(&why),
        };
        let kept = if left == self.text || left.trim().is_empty() {
            let _ = fs::remove_file(&self.path);
            String::new()
        } else {
            let aside = self.path.with_file_name(format!("{}-left.txt", self.id.0));
            let failed = |e| Error::new(Kind::Store, "what was written could not be put aside").because(e);
            fs::rename(&self.path, &aside).map_err(failed)?;
            format!(", what was written is in {}", aside.display())
        };
        Err(Error::new(Kind::Refused, format!("the editor failed ({why}): the draft is as it was{kept}")))
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

/// Waits until a process ends that is not our child.
fn wait_for(process: i32) {
    let Some(pid) = rustix::process::Pid::from_raw(process) else { return };
    #[cfg(target_os = "linux")]
    if let Ok(fd) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()) {
        use rustix::event::{PollFd, PollFlags, poll};
        while matches!(poll(&mut [PollFd::new(&fd, PollFlags::IN)], None), Err(rustix::io::Errno::INTR)) {}
        return;
    }
    while rustix::process::test_kill_process(pid).is_ok() {
        std::thread::sleep(LOOK);
    }
}
