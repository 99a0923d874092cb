//! What takes too long for the thread of the screen: laying mails out, reading whole lists, writing files.

use std::collections::VecDeque;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use super::desk::{Drafter, names_in};
use crate::app::effect::{Given, Load, Loaded, Piece, Wish};
use crate::app::letter::{Chip, Letter, Link, Whom};
use crate::engine::report;
use crate::error::{Error, Kind, Result};
use crate::mime::{self, Document, Part, PartKind, RenderOptions, Rendered};
use crate::model::{BodyState, MessageId};
use crate::store::Reader;
use crate::text::Clean;

/// Bytes of a mail that are read to show it; all of it is read to save it.
const SHOWN: u64 = 32 * 1024 * 1024;
/// Parsed mails that are kept, for another width or another form.
const KEPT: usize = 4;
/// Files of one name in one directory.
const NAMESAKES: usize = 1000;

/// Carries loads out.
#[derive(Debug)]
pub(super) struct Loader {
    db: Reader,
    drafter: Drafter,
    kept: VecDeque<(MessageId, Arc<Document>)>,
}

impl Loader {
    pub(super) fn new(db: Reader, drafter: Drafter) -> Self {
        Self { db, drafter, kept: VecDeque::new() }
    }

    /// Does it; a failure is part of the answer.
    pub(super) fn load(&mut self, load: Load) -> Loaded {
        let worded = |e: Error| Clean::line(&e.to_string());
        match load {
            Load::Mail { ticket, wish } => Loaded::Mail { ticket, result: self.letter(wish).map_err(worded) },
            Load::Gather { ticket, view, extent, ranks } => {
                self.db.arrange(ranks);
                let result = self.db.gather(view, &extent).map_err(worded);
                self.db.arrange(None);
                Loaded::Gathered { ticket, result }
            }
            Load::Rank { ticket, view, order, is_flat, words } => {
                let ranks = self.db.rank(view, order, is_flat, &words);
                Loaded::Ranked { ticket, result: ranks.map(Arc::new).map_err(worded) }
            }
            Load::Cleanable { account } => {
                Loaded::Cleanable { account, result: self.db.cleanable(account).map_err(worded) }
            }
            Load::Save { message, what, dir } => {
                Loaded::Saved(self.save(message, what, &dir).map_err(worded))
            }
            Load::Draft(deed) => Loaded::Drafted(self.drafter.carry_out(deed, &self.db).map_err(worded)),
            Load::Files { dir } => {
                let names = names_in(&dir);
                Loaded::Files { dir, names }
            }
            // Asked on a thread of its own: it may take long.
            Load::People { typed } => Loaded::People { typed, result: Ok(Vec::new()) },
            // On a thread of its own, likewise.
            Load::Give { .. } => Loaded::Given(Ok(Given::Nothing)),
            Load::Browse { browser, url } => Loaded::Browsed(browse(&browser, &url).map_err(worded)),
        }
    }

    fn letter(&mut self, wish: Wish) -> Result<Letter> {
        let gone = || Error::new(Kind::Gone, "the mail is not here any more");
        let mail = self.db.message(wish.message)?.ok_or_else(gone)?;
        if matches!(mail.body, BodyState::None | BodyState::Evicted) {
            return Ok(Letter::of_lines(wish, Vec::new(), BodyState::None));
        }
        if wish.raw {
            return self.source(wish, mail.body);
        }
        let document = self.document(wish.message, mail.body)?;
        let options = RenderOptions {
            html: wish.html,
            all_headers: wish.all_headers,
            all_quotes: wish.all_quotes,
            ..RenderOptions::default()
        };
        let rendered = mime::render(&document, wish.width.into(), &options);
        let whom = |p: &mime::Person| Whom { name: p.short().clone(), addr: p.addr.clone() };
        let chips = document.parts.iter().filter(|p| p.kind != PartKind::Signature).map(|p| Chip {
            part: p.index,
            name: p.name.clone(),
            kind: p.media.clone(),
            size: p.size,
        });
        Ok(Letter {
            wish,
            warnings: document.warnings.clone(),
            chips: chips.collect(),
            links: links(&rendered),
            to: document.to.iter().map(whom).collect(),
            cc: document.cc.iter().map(whom).collect(),
            has_choice: rendered.has_other_form,
            lines: rendered.lines,
            body: mail.body,
            lives: self.db.lives(wish.message)?,
        })
    }

    /// The mail as it came.
    fn source(&self, wish: Wish, body: BodyState) -> Result<Letter> {
        Ok(Letter::of_lines(wish, mime::source(&self.db.raw(wish.message, SHOWN)?), body))
    }

    fn document(&mut self, message: MessageId, body: BodyState) -> Result<Arc<Document>> {
        if let Some((_, kept)) = self.kept.iter().find(|(m, _)| *m == message && body == BodyState::Whole) {
            return Ok(Arc::clone(kept));
        }
        let raw = self.db.raw(message, SHOWN)?;
        let mut document = mime::open(&raw);
        if let Some(mail) = self.db.message(message)?
            && let Some(tidings) = report::tidings(&self.db, mail.account, &raw)?
        {
            document.warnings.splice(0..0, tidings.lines);
        }
        let document = Arc::new(document);
        if body == BodyState::Whole {
            self.kept.push_back((message, Arc::clone(&document)));
            if self.kept.len() > KEPT {
                self.kept.pop_front();
            }
        }
        Ok(document)
    }

    fn save(&self, message: MessageId, what: Piece, dir: &Path) -> Result<Clean> {
        let raw = self.db.raw(message, u64::MAX)?;
        let document = mime::open(&raw);
        let files: Vec<(String, Vec<u8>)> = match what {
            Piece::Mail => vec![(format!("{}.eml", document.subject), raw)],
            Piece::Part(index) => vec![(named(&document, index), mime::part(&raw, index)?)],
            Piece::Parts => {
                let listed = document.parts.iter().filter(|p| p.kind != PartKind::Signature);
                listed.map(|p| Ok((p.file_name(), mime::part(&raw, p.index)?))).collect::<Result<_>>()?
            }
        };
        fs::create_dir_all(dir).map_err(|e| unsaved(dir, e))?;
        let written = files.iter().map(|(name, bytes)| write_new(dir, name, bytes));
        let written = written.collect::<Result<Vec<_>>>()?;
        let said = match &written[..] {
            [one] => format!("Saved {}", one.display()),
            many => format!("Saved {} files in {}", many.len(), dir.display()),
        };
        Ok(Clean::line(&said))
    }
}

pub(super) fn named(document: &Document, index: usize) -> String {
    let part = document.parts.iter().find(|p| p.index == index);
    part.map_or_else(|| "attachment".to_owned(), Part::file_name)
}

/// Writes a new file with a safe name, readable for its owner only. A name that is taken gets a number.
pub(super) fn write_new(dir: &Path, name: &str, bytes: &[u8]) -> Result<PathBuf> {
    let name = mime::safe_file_name(name);
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => (stem, format!(".{extension}")),
        _ => (name.as_str(), String::new()),
    };
    for n in 0..NAMESAKES {
        let path = match n {
            0 => dir.join(&name),
            n => dir.join(format!("{stem} ({n}){extension}")),
        };
        // `create_new` never follows a link and never opens what is there.
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(mut file) => {
                let done = file.write_all(bytes).and_then(|()| file.sync_all());
                return done.map(|()| path.clone()).map_err(|e| {
                    let _ = fs::remove_file(&path);
                    unsaved(&path, e)
                });
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(unsaved(&path, e)),
        }
    }
    Err(Error::new(Kind::Store, format!("there are too many files called {name} in {}", dir.display())))
}

fn unsaved(path: &Path, e: std::io::Error) -> Error {
    Error::new(Kind::Store, format!("could not save {}", path.display())).because(e)
}

/// The links that the text shows, each with what stands there for it.
fn links(rendered: &Rendered) -> Vec<Link> {
    let mut texts: Vec<Vec<&Clean>> = vec![Vec::new(); rendered.links.len()];
    for span in rendered.lines.iter().flat_map(|line| &line.spans) {
        if let Some(pieces) = span.role.link().and_then(|number| texts.get_mut(number)) {
            pieces.push(&span.text);
        }
    }
    let shown = texts.into_iter().zip(&rendered.links).enumerate().filter(|(_, (text, _))| !text.is_empty());
    shown
        .map(|(number, (text, url))| Link { number, text: Clean::join(text, " ").trim(), url: url.clone() })
        .collect()
}

/// Starts a browser that knows nothing of this terminal; how it ends nobody waits for.
fn browse(browser: &[String], url: &Clean) -> Result<()> {
    use std::os::unix::process::CommandExt as _;

    let Some((program, rest)) = browser.split_first() else { return Ok(()) };
    let mut command = Command::new(program);
    command.args(rest).arg(url.as_str());
    // A group of its own: what the terminal tells this program is not for the browser.
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    let mut child = command.spawn().map_err(|e| {
        Error::new(Kind::Unsupported, format!("{program} could not be started"))
            .because(e)
            .hint("yl copies the link; `[ui] browser` names another program")
    })?;
    // Only so that it does not stay behind as one that nobody asked after.
    std::thread::spawn(move || child.wait());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn x7_files_are_new_private_and_inside() {
        let dir = tempfile::tempdir().unwrap();
        let outside = dir.path().join("outside");
        fs::write(&outside, "kept").unwrap();
        let inside = dir.path().join("saved");
        fs::create_dir(&inside).unwrap();
        std::os::unix::fs::symlink(&outside, inside.join("a.txt")).unwrap();
        let first = write_new(&inside, "a.txt", b"one").unwrap();
        let second = write_new(&inside, "a.txt", b"two").unwrap();
        assert_eq!(fs::read_to_string(&outside).unwrap(), "kept");
        assert_eq!((first, second.clone()), (inside.join("a (1).txt"), inside.join("a (2).txt")));
        assert_eq!(fs::metadata(&second).unwrap().permissions().mode() & 0o777, 0o600);
        let sly = write_new(&inside, "../../etc/passwd", b"x").unwrap();
        assert_eq!(sly.parent(), Some(inside.as_path()));
    }
}
