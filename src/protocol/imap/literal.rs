//! Numbers, and the headers of literals (RFC 9051 section 4.3).

/// A decimal number; `None` when it is none or does not fit.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |sum, digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

/// The literal that the end of `line` announces (RFC 9051 section 4.3): where its `{` is, and its size.
/// The line may end in CRLF, in LF, or have its end cut off already.
pub(super) fn announced(line: &[u8]) -> Option<(usize, u64)> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|&byte| byte == b'{')?;
    let digits = inner.get(open + 1..)?;
    let digits = digits.strip_suffix(b"+").or_else(|| digits.strip_suffix(b"-")).unwrap_or(digits);
    Some((open, number(digits)?))
}

/// The header of a literal at the start of `bytes`: its length with its line end, and the literal's size.
pub(super) fn at_start(bytes: &[u8]) -> Option<(usize, u64)> {
    let brace = usize::from(bytes.first() == Some(&b'~'));
    if bytes.get(brace) != Some(&b'{') {
        return None;
    }
    // 20 digits, a sign, the braces, the line end: nothing longer is a header.
    let window = bytes.get(..bytes.len().min(brace + 26))?;
    let end = window.iter().position(|&byte| byte == b'\n')? + 1;
    let (open, size) = announced(&window[..end])?;
    (open == brace).then_some((end, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_overflow_are_none() {
        assert_eq!(number(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(number(b"18446744073709551616"), None);
        assert_eq!(number(b""), None);
        assert_eq!(number(b"1x"), None);
        assert_eq!(announced(b"* X {18446744073709551616}\r\n"), None);
        assert_eq!(announced(b"* X {4294967295}\r\n"), Some((4, 4_294_967_295)));
        assert_eq!(announced(b"* X ~{12+}\n"), Some((5, 12)));
        assert_eq!(announced(b"* X {1}."), None);
    }
}
