//! The documents say what is true: the README's picture, keys and exit codes, and how examples are run.
//!
//! `MAILTUI_WRITE_DOCS=1 cargo test --test it docs` writes the README's generated parts anew.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use mailtui::cli::args::EXIT_CODES;
use mailtui::cli::keys;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The part of the README between `<!-- name -->` and `<!-- /name -->` must be this.
fn expect_part(name: &str, content: &str) {
    let path = root().join("README.md");
    // Tests run side by side: one at a time reads and writes the file.
    static FILE: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _one = FILE.lock().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let (open, close) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->\n"));
    let start = text.find(&open).unwrap_or_else(|| panic!("README.md has no {open}")) + open.len();
    let end = text.find(&close).unwrap_or_else(|| panic!("README.md has no {close}"));
    if std::env::var_os("MAILTUI_WRITE_DOCS").is_some() {
        fs::write(&path, format!("{}{content}{}", &text[..start], &text[end..])).unwrap();
        return;
    }
    assert!(
        &text[start..end] == content,
        "the {name} of README.md are not what they should be:\n{content}\n\
         MAILTUI_WRITE_DOCS=1 cargo test --test it docs  writes them anew"
    );
}

#[test]
fn the_readme_has_the_keys_of_the_table() {
    expect_part("keys", &keys::markdown());
}

#[test]
fn the_readme_has_the_exit_codes() {
    let mut rows = String::new();
    for (code, meaning) in EXIT_CODES {
        let _ = writeln!(rows, "| {code} | {meaning} |");
    }
    // A comment would end the table: its head stands inside.
    expect_part("codes", &format!("| exit code | meaning |\n|---|---|\n{rows}"));
}

#[test]
fn the_readme_shows_the_demo_as_it_is() {
    let output = Command::new(env!("CARGO_BIN_EXE_mailtui"))
        .args(["demo", "--snapshot", "100x30", "--now", "2026-06-10T16:20"])
        .env("TZ", "Europe/London")
        .env("MAILTUI_CONFIG", root().join("tests/nowhere.toml"))
        .env_remove("MAILTUI_DATA")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let screen = String::from_utf8(output.stdout).unwrap();
    let screen: String = screen.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    expect_part("picture", &format!("```text\n{screen}```\n"));
}

#[test]
fn every_example_says_what_it_does_and_how_it_is_run() {
    let mut examples = 0;
    for entry in fs::read_dir(root().join("examples")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        examples += 1;
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{name} does not begin with a sentence");
        let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(head.contains(&format!("cargo run --example {name}")), "{name} does not say how it is run");
    }
    assert!(examples >= 4);
}

#[test]
fn links_between_documents_lead_somewhere() {
    for document in ["README.md", "CHANGELOG.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            assert!(link.starts_with("https://") || root().join(link).exists(), "{document}: {link}");
        }
        // Backticked paths of the repository are there.
        for path in text.split('`').skip(1).step_by(2).filter(|p| p.ends_with(".rs") && p.contains('/')) {
            let there = [root().join(path), root().join("src").join(path)].iter().any(|p| p.exists());
            assert!(there, "{document}: {path}");
        }
    }
}

#[test]
fn no_document_names_a_place_on_one_machine() {
    for document in ["README.md", "CHANGELOG.md", "ARCHITECTURE.md", "examples/config.toml", "tests/run"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for place in ["/home/", "/root/", "/work/", "/Users/"] {
            assert!(!text.contains(place), "{document} names {place}");
        }
    }
}
