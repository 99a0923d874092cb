//! What a single value of the configuration may look like, and what to say when it does not.

use std::time::Duration;

use base64::Engine as _;
use jiff::tz::TimeZone;

use super::{
    Advance, Auth, Compress, EditorIn, KeepBodies, Leave, Preset, Protocol, ReplyStyle, Tls, Warning,
};

/// A value that was understood, or what is wrong with it in words that follow the value's name.
pub(super) type Parsed<T> = std::result::Result<T, String>;

/// `imap`, `pop3` or `local`.
pub(super) fn protocol(text: &str) -> Parsed<Protocol> {
    match text {
        "imap" => Ok(Protocol::Imap),
        "pop3" => Ok(Protocol::Pop3),
        "local" => Ok(Protocol::Local),
        _ => Err(choice(text, &["imap", "pop3", "local"])),
    }
}

/// `implicit`, `starttls` or `none`.
pub(super) fn tls(text: &str) -> Parsed<Tls> {
    match text {
        "implicit" => Ok(Tls::Implicit),
        "starttls" => Ok(Tls::Starttls),
        "none" => Ok(Tls::None),
        _ => Err(choice(text, &["implicit", "starttls", "none"])),
    }
}

/// `auto`, `on` or `off`.
pub(super) fn compress(text: &str) -> Parsed<Compress> {
    match text {
        "auto" => Ok(Compress::Auto),
        "on" => Ok(Compress::On),
        "off" => Ok(Compress::Off),
        _ => Err(choice(text, &["auto", "on", "off"])),
    }
}

/// How to sign in.
pub(super) fn auth(text: &str) -> Parsed<Auth> {
    let found = Auth::NAMES.into_iter().find(|(name, _)| *name == text);
    found.map(|(_, auth)| auth).ok_or_else(|| choice(text, &Auth::NAMES.map(|(name, _)| name)))
}

/// `forever`, `delete_after_download` or a number of days such as `14d`.
pub(super) fn leave(text: &str) -> Parsed<Leave> {
    match text {
        "forever" => return Ok(Leave::Forever),
        "delete_after_download" => return Ok(Leave::DeleteAfterDownload),
        _ => {}
    }
    match text.strip_suffix('d').map(str::trim).map(str::parse::<u32>) {
        Some(Ok(days)) if (1..=36_500).contains(&days) => Ok(Leave::Days(days)),
        _ => Err(choice(text, &["forever", "delete_after_download", "14d"])),
    }
}

/// `all`, or an age such as `90d`, a size such as `10MB`, or both.
pub(super) fn keep_bodies(text: &str) -> Parsed<KeepBodies> {
    let mut keep = KeepBodies::default();
    if text == "all" {
        return Ok(keep);
    }
    let wrong = || choice(text, &["all", "90d", "10MB", "90d 10MB"]);
    for word in text.split_whitespace() {
        let days = word.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
        match days.filter(|days| (1..=36_500).contains(days)) {
            Some(days) if keep.days.is_none() => keep.days = Some(days),
            None if keep.size.is_none() => keep.size = Some(size(word).map_err(|_| wrong())?),
            _ => return Err(wrong()),
        }
    }
    if keep == KeepBodies::default() { Err(wrong()) } else { Ok(keep) }
}

/// Time as people write it: `90s`, `5m`, `1.5s`, `2h`, `14d`, `1h 30m`; `0` is no time.
pub(super) fn duration(text: &str) -> Parsed<Duration> {
    let wrong = || format!("{text:?} is not a time: write 30s, 5m, 2h or 14d");
    let mut rest = text.trim();
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let number: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        seconds += number
            * match &rest[..letters] {
                "ms" => 0.001,
                "s" | "sec" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86_400.0,
                "w" => 604_800.0,
                _ => return Err(wrong()),
            };
        rest = rest[letters..].trim_start();
    }
    // A hundred years: more is a mistake, and would overflow clocks.
    if text.trim().is_empty() || seconds > 3.2e9 {
        return Err(wrong());
    }
    Ok(Duration::from_secs_f64(seconds))
}

/// An amount of data as people write it: `500kB`, `10MB`, `1.5 GB`; bytes without a unit.
pub(super) fn size(text: &str) -> Parsed<u64> {
    let wrong = || format!("{text:?} is not a size: write 500kB, 10MB or 1GB");
    let trimmed = text.trim();
    let letters = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let number: f64 = trimmed[..letters].parse().map_err(|_| wrong())?;
    let unit = match trimmed[letters..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "k" | "kb" => 1e3,
        "m" | "mb" => 1e6,
        "g" | "gb" => 1e9,
        _ => return Err(wrong()),
    };
    match number * unit {
        // A terabyte: no mail is as large, and no session takes as much.
        bytes @ 1.0..=1e12 => Ok(bytes as u64),
        _ => Err(wrong()),
    }
}

/// How often a server is asked: any time from a second on.
pub(super) fn interval(text: &str) -> Parsed<Duration> {
    let time = duration(text)?;
    if time < Duration::from_secs(1) { Err("less than a second is too often".to_owned()) } else { Ok(time) }
}

/// When a mail in the preview becomes read: a time, or `never`.
pub(super) fn mark_read_after(text: &str) -> Parsed<Option<Duration>> {
    if text == "never" {
        return Ok(None);
    }
    duration(text).map(Some).map_err(|_| format!("{text:?} is not a time: write 1.5s, 0 or never"))
}

/// Where the cursor goes when mail leaves the list.
pub(super) fn advance(text: &str) -> Parsed<Advance> {
    let found = Advance::ALL.into_iter().find(|(_, name)| *name == text);
    found.map(|(way, _)| way).ok_or_else(|| format!("{text:?} is not one of next, prev, unread, list"))
}

/// `mailtui`, or a program whose hands are known.
pub(super) fn preset(text: &str) -> Parsed<()> {
    Preset::named(text).map(drop).map_err(|e| match e.hint_text() {
        Some(hint) => format!("{e}; {hint}"),
        None => e.to_string(),
    })
}

/// A public key pin: `sha256:` and 64 hexadecimal digits or base64.
pub(super) fn pin(text: &str) -> Parsed<[u8; 32]> {
    let wrong = || "is not a pin: write sha256: and the digest of the key, in hex or base64".to_owned();
    let digest = text.strip_prefix("sha256:").ok_or_else(wrong)?.trim();
    let bytes = if digest.len() == 64 {
        let pairs =
            (0..32).map(|i| digest.get(2 * i..2 * i + 2).and_then(|d| u8::from_str_radix(d, 16).ok()));
        pairs.collect::<Option<Vec<u8>>>()
    } else {
        base64::engine::general_purpose::STANDARD.decode(digest).ok()
    };
    bytes.and_then(|b| b.try_into().ok()).ok_or_else(wrong)
}

/// A time zone of the IANA database, `UTC` among them.
pub(super) fn zone(text: &str) -> Parsed<TimeZone> {
    crate::text::when::zone(Some(text)).map_err(|_| {
        let names: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
        let near = nearest(text, names.iter().map(String::as_str));
        format!("{text:?} is not a time zone{}", did_you_mean(near))
    })
}

/// Where the answer to a mail goes.
pub(super) fn reply(text: &str) -> Parsed<ReplyStyle> {
    let found = ReplyStyle::NAMES.iter().find(|(name, _)| *name == text);
    found.map(|(_, style)| *style).ok_or_else(|| choice(text, &ReplyStyle::NAMES.map(|(name, _)| name)))
}

/// The line above a quote: what is in braces must be known.
pub(super) fn attribution(text: &str) -> Parsed<()> {
    line(text)?;
    let known = ["name", "email", "date", "time", "subject"];
    for piece in text.split('{').skip(1) {
        match piece.split_once('}') {
            Some((name, _)) if known.contains(&name) => {}
            Some((name, _)) => return Err(format!("{{{name}}}: {}", choice(name, &known))),
            None => return Err("has a { that is not closed".to_owned()),
        }
    }
    Ok(())
}

/// A text of several lines.
pub(super) fn lines(text: &str) -> Parsed<()> {
    let is_bad = |c: char| c.is_control() && c != '\n' && c != '\t';
    if text.contains(is_bad) { Err("has a control character in it".to_owned()) } else { Ok(()) }
}

/// An address, or `*@` and a domain.
pub(super) fn alias(text: &str) -> Parsed<()> {
    match text.strip_prefix('*') {
        Some(domain) if domain.starts_with('@') => email(&format!("any{domain}")),
        Some(_) => Err(format!("{text:?} is neither an address nor *@ and a domain")),
        None => email(text),
    }
}

/// A check before sending.
pub(super) fn warning(text: &str) -> Parsed<Warning> {
    let found = Warning::NAMES.iter().find(|(name, _)| *name == text);
    found.map(|(_, warning)| *warning).ok_or_else(|| choice(text, &Warning::NAMES.map(|(name, _)| name)))
}

/// Where the editor runs.
pub(super) fn editor_in(text: &str) -> Parsed<EditorIn> {
    Ok(match text {
        "here" => EditorIn::Here,
        "tmux" => EditorIn::Tmux,
        "" => return Err("is empty: \"here\", \"tmux\", or a command that is given the editor's".to_owned()),
        command => line(command).map(|()| EditorIn::Command(command.to_owned()))?,
    })
}

/// Something with an `@` inside.
pub(super) fn email(text: &str) -> Parsed<()> {
    let parts = text.rsplit_once('@').is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    let clean = !text.contains(|c: char| c.is_control() || c.is_whitespace() || "<>,;".contains(c));
    if parts && clean { Ok(()) } else { Err(format!("{text:?} is not a mail address")) }
}

/// A host name or an address of a machine, without a port.
pub(super) fn host(text: &str) -> Parsed<()> {
    let port = text.rsplit_once(':').filter(|(name, port)| {
        !name.contains(':') && !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
    });
    if let Some((name, port)) = port {
        return Err(format!("{text:?} has a port: write host = {name:?} and port = {port}"));
    }
    if text.contains("://") {
        return Err(format!("{text:?} is an address of the web: write the name of the server alone"));
    }
    let bad = text.is_empty() || text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '/');
    if bad { Err(format!("{text:?} is not the name of a server")) } else { Ok(()) }
}

/// One line of text.
pub(super) fn line(text: &str) -> Parsed<()> {
    if text.contains(char::is_control) { Err("has a control character in it".to_owned()) } else { Ok(()) }
}

/// A name of an account: it becomes part of file names and of commands.
pub(super) fn account_name(name: &str) -> Parsed<()> {
    let fits = !name.is_empty() && name.len() <= 64 && !name.starts_with(['.', '-']);
    let clean = name.chars().all(|c| c.is_alphanumeric() || "._-+@".contains(c));
    if fits && clean {
        Ok(())
    } else {
        Err(format!("{name:?} cannot be the name of an account: letters, digits and . _ - + @ can"))
    }
}

/// Whether the server is this machine, so that nobody can listen on the way.
pub(super) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn choice(text: &str, choices: &[&str]) -> String {
    let list: Vec<String> = choices.iter().map(|c| format!("{c:?}")).collect();
    let near = nearest(text, choices.iter().copied());
    format!("{text:?} is none of {}{}", list.join(", "), did_you_mean(near))
}

/// `, did you mean "x"?`, or nothing.
fn did_you_mean(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean {near:?}?"))
}

/// The one that looks most like `word`, if one looks like it at all.
#[must_use]
pub fn nearest<'a>(word: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let limit = 1 + word.chars().count() / 3;
    among
        .map(|other| {
            let lower = other.to_lowercase();
            // What was only begun, or has something after it, is near too.
            let inside = word.len() >= 3 && (lower.starts_with(&word) || word.starts_with(&lower));
            (if inside { 1 } else { distance(&word, &lower) }, other)
        })
        .min_by_key(|(d, _)| *d)
        .filter(|(d, _)| *d <= limit)
        .map(|(_, other)| other)
}

/// How many letters must be put in, left out, changed or swapped (optimal string alignment).
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j - 1] + change).min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [("90s", 90.0), ("5m", 300.0), ("1.5s", 1.5), ("1h 30m", 5400.0), ("0", 0.0)] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "5", "m", "5 years", "-1s", "1.2.3s", "9999999999d", "1e3s", "５m"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert!(interval("0.5s").is_err());
        assert_eq!(mark_read_after("never"), Ok(None));
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("500kB", 500_000),
            ("10MB", 10_000_000),
            ("1.5 GB", 1_500_000_000),
            ("20m", 20_000_000),
            ("7", 7),
        ] {
            assert_eq!(size(text), Ok(bytes), "{text}");
        }
        for text in ["", "MB", "0", "-1MB", "10 MiB", "1e6", "9999TB", "5000GB", "1.2.3M"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn leave_policies_are_three() {
        assert_eq!(leave("forever"), Ok(Leave::Forever));
        assert_eq!(leave("14d"), Ok(Leave::Days(14)));
        assert!(leave("0d").is_err());
        let said = leave("delete_after_downlaod").unwrap_err();
        assert!(said.ends_with("did you mean \"delete_after_download\"?"), "{said}");
    }

    #[test]
    fn a_pin_is_hex_or_base64_of_32_bytes() {
        assert_eq!(pin(&format!("sha256:{}", "ab".repeat(32))), Ok([0xab; 32]));
        let base64 = base64::engine::general_purpose::STANDARD.encode([7; 32]);
        assert_eq!(pin(&format!("sha256:{base64}")), Ok([7; 32]));
        for text in ["", "sha256:", "sha256:abcd", "sha1:00", &format!("sha256:{}", "é".repeat(32))] {
            assert!(pin(text).is_err(), "{text}");
        }
    }

    #[test]
    fn hosts_and_loopback() {
        assert!(host("mail.example.org:993").unwrap_err().contains("port = 993"));
        assert!(host("imaps://x").is_err());
        assert_eq!(host("::1"), Ok(()));
        assert!(is_loopback("LOCALHOST") && is_loopback("127.9.9.9") && is_loopback("[::1]"));
        assert!(!is_loopback("127.0.0.1.example.org") && !is_loopback("localhost.example.org"));
    }

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let words = ["password", "protocol", "port", "host"];
        for (typed, meant) in
            [("pasword", "password"), ("prt", "port"), ("Host", "host"), ("passwrod", "password")]
        {
            assert_eq!(nearest(typed, words.into_iter()), Some(meant));
        }
        assert_eq!(nearest("smtp_relay", words.into_iter()), None);
    }
}
