//! Numbers and sizes as people read them.

use super::Clean;

/// A number with its thousands apart.
#[must_use]
pub fn number(n: u64) -> Clean {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    Clean::line(&out)
}

/// A size in bytes for people: `880 B`, `88 KB`, `1.2 MB`.
#[must_use]
pub fn size(bytes: u64) -> Clean {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return Clean::line(&format!("{bytes} B"));
    }
    let (mut tenths, mut unit) = (bytes / 100, 0);
    while tenths >= 9_995 && unit + 1 < UNITS.len() {
        (tenths, unit) = ((tenths + 500) / 1000, unit + 1);
    }
    let text = match tenths {
        0..100 if tenths % 10 != 0 => format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit]),
        _ => format!("{} {}", (tenths + 5) / 10, UNITS[unit]),
    };
    Clean::line(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_sizes_read_well() {
        let numbers: Vec<_> = [0, 999, 1_204, 1_000_000].map(|n| number(n).to_string()).to_vec();
        assert_eq!(numbers, ["0", "999", "1,204", "1,000,000"]);
        let sizes: Vec<_> =
            [880, 1_000, 88_400, 999_949, 1_250_000, 25_000_000_000].map(|n| size(n).to_string()).to_vec();
        assert_eq!(sizes, ["880 B", "1 KB", "88 KB", "1 MB", "1.3 MB", "25 GB"]);
    }
}
