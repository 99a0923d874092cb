//! Numbers as people read them.

/// The word for so many.
pub(super) fn plural(count: u64, word: &str) -> String {
    if count == 1 { word.to_owned() } else { format!("{word}s") }
}

/// `12,345`
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1.9 MB`: as people count, in thousands.
pub(super) fn sized(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let bytes = bytes as f64;
    match units.into_iter().find(|(_, size)| bytes >= *size) {
        Some((unit, size)) if bytes / size < 10.0 => format!("{:.1} {unit}", bytes / size),
        Some((unit, size)) => format!("{:.0} {unit}", bytes / size),
        None => format!("{bytes:.0} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0, 999, 1000, 1_900_000].map(sized), ["0 B", "999 B", "1.0 kB", "1.9 MB"]);
        assert_eq!((plural(1, "mail"), plural(2, "mail")), ("mail".to_owned(), "mails".to_owned()));
    }
}
