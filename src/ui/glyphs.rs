//! The marks on the screen: one cell each, never emoji, with a plain set for terminals that cannot.

/// One set of marks.
#[derive(Debug)]
pub(super) struct Glyphs {
    /// An unread mail.
    pub(super) unread: &'static str,
    /// A starred mail.
    pub(super) star: &'static str,
    /// A mail that was answered.
    pub(super) answered: &'static str,
    /// A mail that was forwarded.
    pub(super) forwarded: &'static str,
    /// A mail with attachments.
    pub(super) attachment: &'static str,
    /// A selected row.
    pub(super) selected: &'static str,
    /// The row under the cursor.
    pub(super) bar: &'static str,
    /// Between panes.
    pub(super) rule: &'static str,
    /// Above panels.
    pub(super) line: &'static str,
    /// A branch of a conversation with more below it.
    pub(super) branch: &'static str,
    /// The last branch.
    pub(super) last: &'static str,
    /// A level that goes on.
    pub(super) trunk: &'static str,
    /// An unfolded conversation.
    pub(super) open: &'static str,
    /// Text was cut off.
    pub(super) cut: &'static str,
    /// A line goes on to the right.
    pub(super) more: &'static str,
    /// News above.
    pub(super) up: &'static str,
    /// To whom.
    pub(super) to: &'static str,
    /// Between facts.
    pub(super) dot: &'static str,
    /// An account in step.
    pub(super) good: &'static str,
    /// An account that is not.
    pub(super) off: &'static str,
}

/// For terminals that draw each of these in one cell.
pub(super) static UNICODE: Glyphs = Glyphs {
    unread: "●",
    star: "★",
    answered: "↰",
    forwarded: "↱",
    attachment: "@",
    selected: "✓",
    bar: "▌",
    rule: "│",
    line: "─",
    branch: "├─",
    last: "└─",
    trunk: "│ ",
    open: "▾",
    cut: "…",
    more: "›",
    up: "↑",
    to: "→",
    dot: "·",
    good: "●",
    off: "○",
};

/// For all others.
pub(super) static ASCII: Glyphs = Glyphs {
    unread: "o",
    star: "*",
    answered: "r",
    forwarded: "f",
    attachment: "@",
    selected: "+",
    bar: ">",
    rule: "|",
    line: "-",
    branch: "|-",
    last: "`-",
    trunk: "| ",
    open: "v",
    cut: "~",
    more: ">",
    up: "^",
    to: ">",
    dot: "-",
    good: "+",
    off: "-",
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::width;

    #[test]
    fn every_mark_takes_its_cells_in_both_sets() {
        for set in [&UNICODE, &ASCII] {
            let one = [
                set.unread,
                set.star,
                set.answered,
                set.forwarded,
                set.attachment,
                set.selected,
                set.bar,
                set.rule,
                set.line,
                set.open,
                set.cut,
                set.more,
                set.up,
                set.to,
                set.dot,
                set.good,
                set.off,
            ];
            assert!(one.iter().all(|g| width(g) == 1), "{set:?}");
            assert!([set.branch, set.last, set.trunk].iter().all(|g| width(g) == 2), "{set:?}");
        }
        assert!(ASCII.bar.is_ascii() && ASCII.last.is_ascii() && ASCII.cut.is_ascii());
    }
}
