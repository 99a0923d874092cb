//! Patches within a text: where one begins, what each of its lines is, and where it ends.

use super::render::Role;

/// Reads the lines of a text one by one and knows which belong to a patch.
#[derive(Debug, Default)]
pub(super) struct Diff {
    /// Lines of the old and of the new file that the hunk still holds.
    left: (usize, usize),
    in_head: bool,
}

impl Diff {
    /// The role of a line, with the line after it, if it belongs to a patch.
    pub(super) fn role(&mut self, line: &str, next: &str) -> Option<Role> {
        if self.left != (0, 0) {
            return self.in_hunk(line);
        }
        if let Some(left) = hunk(line) {
            (self.left, self.in_head) = (left, false);
            return Some(Role::DiffHunk);
        }
        let begins = line.starts_with("diff --git ")
            || line.starts_with("Index: ")
            || (line.starts_with("--- ") && next.starts_with("+++ "));
        if begins || (self.in_head && is_head(line)) {
            self.in_head = true;
            return Some(Role::DiffHead);
        }
        self.in_head = false;
        // `\ No newline at end of file` comes after the last line.
        line.starts_with("\\ No newline").then_some(Role::DiffHead)
    }

    fn in_hunk(&mut self, line: &str) -> Option<Role> {
        let (old, new) = self.left;
        let role = match line.as_bytes().first() {
            Some(b'+') if new > 0 => {
                self.left = (old, new - 1);
                Role::DiffAdd
            }
            Some(b'-') if old > 0 => {
                self.left = (old - 1, new);
                Role::DiffDel
            }
            // An empty line is context whose space was lost on the way.
            Some(b' ' | b'\t') | None => {
                self.left = (old.saturating_sub(1), new.saturating_sub(1));
                Role::Code
            }
            Some(b'\\') => Role::DiffHead,
            _ => {
                self.left = (0, 0);
                return None;
            }
        };
        Some(role)
    }
}

fn is_head(line: &str) -> bool {
    const STARTS: [&str; 13] = [
        "index ",
        "--- ",
        "+++ ",
        "new file mode ",
        "deleted file mode ",
        "old mode ",
        "new mode ",
        "similarity index ",
        "rename from ",
        "rename to ",
        "copy ",
        "Binary files ",
        "====",
    ];
    STARTS.iter().any(|start| line.starts_with(start))
}

/// The line counts of `@@ -1,2 +3,4 @@`.
fn hunk(line: &str) -> Option<(usize, usize)> {
    let (ranges, _) = line.strip_prefix("@@ -")?.split_once(" @@")?;
    let (old, new) = ranges.split_once(" +")?;
    let count = |range: &str| match range.split_once(',') {
        Some((_, count)) => count.parse().ok(),
        None => range.parse::<usize>().ok().map(|_| 1),
    };
    Some((count(old)?, count(new)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_ends_where_its_counts_say() {
        let text = concat!(
            "Hello\n---\n a.rs | 2 +-\n\ndiff --git a/a.rs b/a.rs\nindex 1..2 100644\n--- a/a.rs\n+++ b/a.rs\n",
            "@@ -1,3 +1,3 @@ fn main\n context\n-old\n+new\n\n-- \n2.40\n"
        );
        let lines: Vec<&str> = text.lines().collect();
        let mut diff = Diff::default();
        let roles: Vec<_> =
            lines.iter().enumerate().map(|(i, l)| diff.role(l, lines.get(i + 1).unwrap_or(&""))).collect();
        use Role::{Code, DiffAdd, DiffDel, DiffHead, DiffHunk};
        assert_eq!(roles[..4], [None; 4]);
        assert_eq!(roles[4..8], [Some(DiffHead); 4]);
        assert_eq!(
            roles[8..],
            [Some(DiffHunk), Some(Code), Some(DiffDel), Some(DiffAdd), Some(Code), None, None]
        );
    }

    #[test]
    fn prose_is_no_patch() {
        let mut diff = Diff::default();
        for line in ["- a list", "+ another", "--- a rule", "@@ nothing", "index of things"] {
            assert_eq!(diff.role(line, ""), None, "{line}");
        }
    }
}
