//! Imports go down the floors only, and each library stays on its floor.

use std::fs;
use std::path::{Path, PathBuf};

const FLOORS: &[(&str, u8)] = &[
    ("error", 0),
    ("model", 0),
    ("text", 0),
    ("config", 1),
    ("secret", 1),
    ("net", 1),
    ("mime", 1),
    ("compose", 1),
    ("protocol", 2),
    ("transport", 2),
    ("store", 2),
    ("engine", 3),
    ("app", 4),
    ("ui", 5),
    ("runtime", 6),
    ("cli", 6),
];

/// A library and the places that may name it.
const HOMES: &[(&str, &[&str])] = &[
    ("ratatui", &["ui", "runtime", "config/theme"]),
    ("crossterm", &["runtime", "app/key"]),
    ("rusqlite", &["store"]),
    ("imap_proto", &["protocol/imap", "net"]),
    ("imap::", &["protocol/imap"]),
    ("native_tls", &["net"]),
    ("keyring::", &["secret"]),
    ("html2text", &["mime"]),
];

fn sources(dir: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

fn is_word_start(line: &str, at: usize) -> bool {
    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':' || c == '.')
}

/// The upward or sideways import on this line of a file in `home`, if there is one.
fn upward<'a>(home: &str, line: &'a str) -> Option<&'a str> {
    let own = floor(home)?;
    line.match_indices("crate::").find_map(|(at, _)| {
        let rest = &line[at + 7..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        let other = &rest[..end];
        let up = floor(other).is_some_and(|there| there > own || (there == own && own == 2 && other != home));
        up.then_some(other)
    })
}

#[test]
fn imports_go_down_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 20, "the sources were not found");
    let mut wrong = Vec::new();
    for file in files {
        let inside = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        let home = inside.split('/').next().unwrap().trim_end_matches(".rs").to_owned();
        let text = fs::read_to_string(&file).unwrap();
        if !text.starts_with("//! ") {
            wrong.push(format!("{inside}:1: does not open with a sentence that says what it is for"));
        }
        for (i, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            if let Some(other) = upward(&home, line) {
                wrong.push(format!("{inside}:{}: {home} may not use {other}: {}", i + 1, line.trim()));
            }
            for (library, homes) in HOMES {
                let named = line.match_indices(library).any(|(at, _)| is_word_start(line, at));
                if named && !homes.iter().any(|h| inside.starts_with(h)) && !line.contains("crate::") {
                    wrong.push(format!(
                        "{inside}:{}: {library} belongs to {homes:?}: {}",
                        i + 1,
                        line.trim()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn an_upward_import_is_found() {
    assert_eq!(upward("store", "use crate::protocol::Change;"), Some("protocol"));
    assert_eq!(upward("model", "fn f(x: crate::ui::X) {}"), Some("ui"));
    assert_eq!(upward("engine", "use crate::store::Store;"), None);
    assert_eq!(upward("app", "use crate::app::key::Key;"), None);
}
