//! Subjects without what replies and forwards put before them.

/// A subject without its `Re:`, `Fwd:` and their like, in the languages in which programs write them.
#[must_use]
pub fn bare(subject: &str) -> &str {
    let mut subject = subject.trim_start();
    while let Some((mark, rest)) = subject.split_once(':')
        && matches!(
            mark.to_lowercase().as_str(),
            "re" | "fw" | "fwd" | "aw" | "wg" | "sv" | "antw" | "tr" | "rv"
        )
    {
        subject = rest.trim_start();
    }
    subject
}
