//! Subjects without what replies and forwards put before them.

/// What programs write before the subject of a reply, in their languages.
const REPLY: &[&str] =
    &["re", "aw", "sv", "antw", "odp", "vs", "rép", "rif", "yanıt", "ynt", "回复", "答复", "回覆"];
/// And of a mail that is passed on.
const FORWARD: &[&str] = &["fw", "fwd", "wg", "tr", "rv", "vb", "doorst", "pd", "转发", "轉寄"];

/// A subject without its `Re:`, `Fwd:` and their like, in the languages in which programs write them.
#[must_use]
pub fn bare(subject: &str) -> &str {
    let mut subject = subject.trim_start();
    while let Some(rest) = after_mark(subject) {
        subject = rest;
    }
    subject
}

/// What follows the first mark; `None`: there is none. `Re[2]:`, `Re(2):` and `Re^2:` count how often.
fn after_mark(subject: &str) -> Option<&str> {
    let end = subject.find([':', '：'])?;
    let mark = subject[..end].trim_end();
    let word = mark.split(['[', '(', '^']).next().unwrap_or_default().trim_end();
    let count = mark[word.len()..].trim().trim_matches(['[', ']', '(', ')', '^']);
    let word = word.to_lowercase();
    let is_mark = REPLY.contains(&word.as_str()) || FORWARD.contains(&word.as_str());
    let is_counted = count.is_empty() || (count.len() <= 3 && count.bytes().all(|b| b.is_ascii_digit()));
    (is_mark && is_counted).then(|| subject[end..].trim_start_matches([':', '：']).trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_and_words_stay() {
        for (subject, expected) in [
            ("Re: AW: RE[2]: Fwd: lunch", "lunch"),
            ("Sv: Re^3:lunch", "lunch"),
            ("Re : lunch: today", "lunch: today"),
            ("回复：午饭", "午饭"),
            ("Report: all well", "Report: all well"),
            ("[list] Re: x", "[list] Re: x"),
            ("re[x]: y", "re[x]: y"),
            ("Re:", ""),
            ("", ""),
        ] {
            assert_eq!(bare(subject), expected, "{subject}");
        }
    }
}
