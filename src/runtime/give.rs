//! A mail, or a file of it, handed to another program: each on a thread of its own, so that nothing waits for it.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::inbox::Wakeup;
use super::loads::{named, write_new};
use crate::app::effect::{Given, Loaded, Piece, To};
use crate::error::{Error, Kind, Result};
use crate::mime::{self, RenderOptions};
use crate::model::MessageId;
use crate::secret;
use crate::store::{Reader, Store};
use crate::text::Clean;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of its answer that are read, and lines of a text that are shown.
const BYTES: u64 = 1 << 20;
const LINES: usize = 20_000;

/// What is handed over, and to whom.
#[derive(Debug)]
pub(super) struct Gift {
    pub(super) message: MessageId,
    pub(super) what: Piece,
    pub(super) to: To,
}

/// Hands it over beside everything else; the answer comes into the inbox.
pub(super) fn start(gift: Gift, store: &Store, bell: Sender<Wakeup>) -> Result<()> {
    let store = store.clone();
    let run = move || {
        let given = store.reader().and_then(|db| give(&db, gift));
        let told = given.map_err(|e| Clean::line(&e.to_string()));
        // A screen that ended needs no news.
        let _ = bell.send(Wakeup::Loaded(Loaded::Given(told)));
    };
    let thread = std::thread::Builder::new().name("give".to_owned()).spawn(run);
    thread.map(drop).map_err(|e| Error::new(Kind::Bug, "could not start a thread").because(e))
}

fn give(db: &Reader, Gift { message, what, to }: Gift) -> Result<Given> {
    let raw = db.raw(message, u64::MAX)?;
    let (name, bytes) = match what {
        Piece::Part(index) => (named(&mime::open(&raw), index), mime::part(&raw, index)?),
        Piece::Mail | Piece::Parts => (format!("{}.eml", mime::open(&raw).subject), raw.clone()),
    };
    match to {
        To::Command(line) => pipe(&line, bytes, PATIENCE),
        To::Reader(width) => {
            let Piece::Part(index) = what else { return Ok(Given::Nothing) };
            let lines = text(&raw, index, &name, width)?;
            Ok(Given::Text { title: Clean::line(&name), lines })
        }
        To::Pager => {
            let Piece::Part(index) = what else { return Ok(Given::Nothing) };
            Ok(Given::Page(text(&raw, index, &name, 80)?))
        }
        To::Opener(opener, dir) => {
            let path = save(&dir, &name, &bytes)?;
            let Some((program, rest)) = opener.split_first() else {
                let text = format!("Saved {}: there is no desktop here to open it on", path.display());
                return Ok(Given::Said(Clean::line(&text)));
            };
            let mut command = Command::new(program);
            command.args(rest).arg(&path);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
            let mut child = secret::keep_from(&mut command).spawn().map_err(|e| {
                Error::new(Kind::Unsupported, format!("{program} could not be started")).because(e)
            })?;
            std::thread::spawn(move || child.wait());
            Ok(Given::Said(Clean::line(&format!("Opening {}", path.display()))))
        }
        To::Away(dir) => {
            let path = save(&dir, &name, &bytes)?;
            Ok(Given::Copy(Clean::line(&fetching(&path, &|name| std::env::var(name).ok()))))
        }
    }
}

fn save(dir: &Path, name: &str, bytes: &[u8]) -> Result<std::path::PathBuf> {
    let failed = |e| Error::new(Kind::Store, format!("could not save in {}", dir.display())).because(e);
    std::fs::create_dir_all(dir).map_err(failed)?;
    write_new(dir, name, bytes)
}

/// The command that fetches a file to the computer at the other end of an SSH session; without one, its path.
fn fetching(path: &Path, env: &dyn Fn(&str) -> Option<String>) -> String {
    let quoted = format!("'{}'", path.display().to_string().replace('\'', "'\\''"));
    // Addresses and ports of both ends, ours last.
    let ends = env("SSH_CONNECTION").unwrap_or_default();
    let ends: Vec<&str> = ends.split_whitespace().collect();
    let [_, _, host, port] = ends[..] else { return path.display().to_string() };
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let user = env("USER").or_else(|| env("LOGNAME")).map(|user| format!("{user}@")).unwrap_or_default();
    let port = if port == "22" { String::new() } else { format!("-P {port} ") };
    format!("scp {port}{user}{host}:{quoted} .")
}

/// The text of a part in lines, laid out as the text of a mail is.
fn text(raw: &[u8], index: usize, name: &str, width: usize) -> Result<Vec<Clean>> {
    let Some(mail) = mime::part_as_mail(raw, index)? else {
        let text = format!("{name} is no text: o opens it, w saves it, y copies how to fetch it");
        return Err(Error::new(Kind::Unsupported, text));
    };
    let rendered = mime::render(&mime::open(&mail), width, &RenderOptions::default());
    let line = |line: mime::Line| Clean::join(line.spans.iter().map(|span| &span.text), "");
    Ok(rendered.lines.into_iter().take(LINES).map(line).collect())
}

/// Gives bytes to a shell command and reads what it says.
fn pipe(line: &str, bytes: Vec<u8>, patience: Duration) -> Result<Given> {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(line).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own, so that it ends with all that it started.
    shell.process_group(0);
    let failed = |why: String| Error::new(Kind::Refused, format!("`{line}` {why}"));
    let mut child =
        secret::keep_from(&mut shell).spawn().map_err(|e| failed("does not start".to_owned()).because(e))?;
    let group = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(mut to) = child.stdin.take() {
        // Who reads not all of it has seen enough.
        std::thread::spawn(move || to.write_all(&bytes));
    }
    let (tell, told) = channel();
    std::thread::spawn(move || tell.send(answer(child)));
    let Ok((out, err, status)) = told.recv_timeout(patience) else {
        if let Some(group) = group {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
        return Err(failed(format!("did not end within {} s and was stopped", patience.as_secs())));
    };
    let lines = |bytes: &[u8]| -> Vec<Clean> {
        let text = String::from_utf8_lossy(bytes);
        text.trim_end().lines().filter(|_| !text.trim().is_empty()).take(LINES).map(Clean::tabbed).collect()
    };
    let status = status.map_err(|e| failed("was lost".to_owned()).because(e))?;
    if !status.success() {
        let why = lines(&err).pop().map(|last| format!(": {last}")).unwrap_or_default();
        return Err(failed(format!("failed ({status}){why}")));
    }
    let mut said = lines(&out);
    said.extend(lines(&err));
    Ok(match said.len() {
        0 => Given::Said(Clean::line(&format!("`{line}` took it and said nothing"))),
        1 => Given::Said(Clean::line(&format!("`{line}`: {}", said[0]))),
        _ => Given::Text { title: Clean::line(line), lines: said },
    })
}

/// What a child says until it ends: what it prints, what it complains of, and how it ended.
fn answer(mut child: Child) -> (Vec<u8>, Vec<u8>, std::io::Result<std::process::ExitStatus>) {
    let err = child.stderr.take().map(|err| std::thread::spawn(move || read(err)));
    let out = child.stdout.take().map(read).unwrap_or_default();
    let err = err.and_then(|err| err.join().ok()).unwrap_or_default();
    (out, err, child.wait())
}

/// Its first megabyte; the rest is taken and forgotten, so that who writes it is not held up.
fn read(mut from: impl std::io::Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = from.by_ref().take(BYTES).read_to_end(&mut bytes);
    let _ = std::io::copy(&mut from, &mut std::io::sink());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str, bytes: &[u8]) -> String {
        match pipe(line, bytes.to_vec(), PATIENCE) {
            Ok(Given::Said(text)) => text.to_string(),
            Ok(Given::Text { title, lines }) => format!("{title}|{}", Clean::join(&lines, "|")),
            Ok(_) => "?".to_owned(),
            Err(why) => why.to_string(),
        }
    }

    #[test]
    fn a_program_gets_the_bytes_and_its_answer_is_cleaned() {
        assert_eq!(said("wc -c", &[b'x'; 300_000]).replace(' ', ""), "`wc-c`:300000");
        assert_eq!(said("cat", b"one\ntw\x1b[2Jo\n"), "cat|one|tw�[2Jo");
        assert_eq!(said("true", b"not read"), "`true` took it and said nothing");
        assert!(said("head -c 2000000 /dev/zero | tr '\\0' x >&2", b"").starts_with('`'));
        assert_eq!(said("echo no >&2; exit 3", b"x"), "`echo no >&2; exit 3` failed (exit status: 3): no");
        assert!(said("/no/such/program", b"").contains("failed (exit status: 127)"));
    }

    #[test]
    fn a_program_that_hangs_is_stopped_and_said() {
        let why = pipe("sleep 1000", Vec::new(), Duration::from_millis(50)).unwrap_err();
        assert!(why.to_string().contains("`sleep 1000` did not end within"), "{why}");
    }

    #[test]
    fn a_file_is_fetched_over_the_line_that_is_there() {
        let env = |ssh: Option<&'static str>| {
            move |name: &str| match name {
                "SSH_CONNECTION" => ssh.map(str::to_owned),
                "USER" => Some("ada".to_owned()),
                _ => None,
            }
        };
        let path = Path::new("/home/ada/it's.pdf");
        assert_eq!(fetching(path, &env(None)), "/home/ada/it's.pdf");
        let there = env(Some("10.0.0.9 50122 192.0.2.1 22"));
        assert_eq!(fetching(path, &there), "scp ada@192.0.2.1:'/home/ada/it'\\''s.pdf' .");
        let there = env(Some("::1 50122 2001:db8::1 2222"));
        assert!(fetching(path, &there).starts_with("scp -P 2222 ada@[2001:db8::1]:'"));
    }
}
