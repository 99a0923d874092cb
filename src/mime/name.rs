//! File names from mail made safe to create (promise X7).

use crate::text::Clean;

/// Bytes of a name; file systems take 255, and a counter may be added.
const LONGEST: usize = 120;
/// Bytes of an ending that is kept when a name is cut.
const LONGEST_ENDING: usize = 20;

/// A name under which a part may be saved: one path component, never empty, at most 120 bytes, without
/// controls and separators, not hidden, not an option, not a device; the ending stays what it is.
#[must_use]
pub fn safe_file_name(name: &str) -> String {
    // Paths are sent, too: only the last component counts.
    let last = name.rsplit(['/', '\\']).find(|piece| !piece.trim().is_empty()).unwrap_or("");
    let mut out = String::with_capacity(last.len());
    for c in Clean::line(last).as_str().chars() {
        match c {
            ':' | '*' | '?' | '"' | '<' | '>' | '|' | '\u{fffd}' | '∕' | '⁄' | '／' | '＼' => {
                out.push('_')
            }
            // Rows of spaces push the real ending out of sight.
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    // What goes from the beginning may leave marks behind that stood on it.
    let kept = loop {
        let kept = out.trim_start_matches(['.', '-', '~', ' ']).trim_end_matches(['.', ' ']);
        let kept = String::from(Clean::line(kept));
        if kept == out {
            break kept;
        }
        out = kept;
    };
    let kept = if is_device(&kept) { format!("_{kept}") } else { kept };
    if kept.is_empty() { "attachment".to_owned() } else { cut(&kept) }
}

/// Names that mean something else on some system (CON, NUL, COM1, with any ending).
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_ascii_uppercase();
    match stem.as_str() {
        "CON" | "PRN" | "AUX" | "NUL" | "CLOCK$" => true,
        stem => {
            let number = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
            number.is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
        }
    }
}

fn cut(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |at| &name[at..]);
    let ending = if ending.len() > LONGEST_ENDING { "" } else { ending };
    let mut stem = LONGEST - ending.len();
    while !name.is_char_boundary(stem) {
        stem -= 1;
    }
    let stem = name[..stem].trim_end_matches(['.', ' ']);
    format!("{stem}{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn x7_names_are_single_harmless_components() {
        assert_eq!(safe_file_name("report.pdf"), "report.pdf");
        assert_eq!(safe_file_name("../../etc/passwd"), "passwd");
        assert_eq!(safe_file_name("C:\\temp\\x.doc"), "x.doc");
        assert_eq!(safe_file_name("/"), "attachment");
        assert_eq!(safe_file_name(".."), "attachment");
        assert_eq!(safe_file_name(".bashrc"), "bashrc");
        assert_eq!(safe_file_name("-rf"), "rf");
        assert_eq!(safe_file_name("~/.ssh/authorized_keys"), "authorized_keys");
        assert_eq!(safe_file_name("a\0b\nc\x1b[31m.txt"), "ab c_[31m.txt");
        assert_eq!(safe_file_name("exe.\u{202e}fdp.scr"), "exe.fdp.scr");
        assert_eq!(safe_file_name("photo.jpg                      .exe"), "photo.jpg .exe");
        assert_eq!(safe_file_name("-\u{301}-\u{301}x"), "x");
        assert_eq!(safe_file_name("nul.txt"), "_nul.txt");
        assert_eq!(safe_file_name("COM1"), "_COM1");
        assert_eq!(safe_file_name("Übersicht 2024.docx"), "Übersicht 2024.docx");
    }

    #[test]
    fn x7_a_long_name_keeps_its_ending() {
        let name = safe_file_name(&format!("{}.tar.gz", "日".repeat(100)));
        assert!(name.len() <= LONGEST && name.ends_with(".gz"), "{name}");
    }

    proptest! {
        #[test]
        fn x7_every_name_is_safe(raw in "[./\\\\~ :a-c\u{0}\u{202e}-]{0,20}|\\PC{0,200}") {
            let name = safe_file_name(&raw);
            prop_assert!(!name.is_empty() && name.len() <= LONGEST);
            prop_assert!(!name.contains(['/', '\\', '\0', '\n', ':']) && !name.starts_with(['.', '-', '~', ' ']));
            prop_assert!(!name.chars().any(char::is_control));
            prop_assert_eq!(safe_file_name(&name), name.clone(), "safe twice is the same");
        }
    }
}
