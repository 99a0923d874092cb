//! Bytes of any charset to text: the label is believed only as far as the bytes bear it out.

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};

/// The charset with this name (RFC 2231 language suffixes and quotes are ignored); `None` if unknown.
pub(super) fn find(label: &[u8]) -> Option<&'static Encoding> {
    let label = label.split(|b| *b == b'*').next().unwrap_or_default();
    let label = label.trim_ascii().trim_ascii_start();
    let alias: &[u8] = match label.to_ascii_lowercase().as_slice() {
        b"cp932" | b"ms932" | b"x-ms-cp932" | b"shift-jis-2004" | b"shift_jisx0213" => b"shift_jis",
        b"cp936" | b"ms936" | b"gb_2312" | b"euc-cn" | b"hz-gb-2312" => b"gbk",
        b"cp949" | b"ms949" | b"uhc" | b"euckr" => b"euc-kr",
        b"cp950" | b"ms950" => b"big5",
        b"utf-8-mac" | b"utf8mb4" | b"utf_8" => b"utf-8",
        b"cp-1252" | b"cp_1252" | b"windows-1252http-equivcontent-type" => b"windows-1252",
        b"koi8r" => b"koi8-r",
        _ => label,
    };
    // What the web replaces as a whole (ISO-2022-KR and the like) is better guessed.
    Encoding::for_label_no_replacement(alias)
}

/// The text that `bytes` hold, said to be in `label`; never fails.
///
/// Text that is UTF-8 although it is labelled otherwise is read as UTF-8; without a usable label it is
/// read as UTF-8, else as windows-1252.
pub(super) fn decode(bytes: &[u8], label: Option<&'static Encoding>) -> String {
    if bytes.is_ascii() && label.is_none_or(|l| l.is_ascii_compatible() && l != encoding_rs::ISO_2022_JP) {
        return as_ascii(bytes);
    }
    match label {
        None => guess(bytes),
        Some(label) if label == UTF_8 => guess(bytes),
        // One stray byte per character rarely makes valid UTF-8.
        Some(label) if label.is_single_byte() => match valid_utf8(bytes) {
            Some(text) if label != encoding_rs::X_USER_DEFINED => text.to_owned(),
            _ => label.decode_without_bom_handling(bytes).0.into_owned(),
        },
        Some(label) => {
            let (text, _, broken) = label.decode(bytes);
            match valid_utf8(bytes) {
                Some(utf8) if broken => utf8.to_owned(),
                _ => text.into_owned(),
            }
        }
    }
}

fn as_ascii(bytes: &[u8]) -> String {
    // ASCII was checked by the caller: nothing is lost.
    String::from_utf8_lossy(bytes).into_owned()
}

/// UTF-8 if it is, or if it nearly is; else windows-1252, which every byte is something in.
fn guess(bytes: &[u8]) -> String {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if let Some(text) = valid_utf8(bytes) {
        return text.to_owned();
    }
    let (mut good, mut bad) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().bytes().filter(|b| *b >= 0xc0).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    if good > bad {
        String::from_utf8_lossy(bytes).into_owned()
    } else {
        WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned()
    }
}

/// The text if it is UTF-8, perhaps cut off within its last character.
fn valid_utf8(bytes: &[u8]) -> Option<&str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(e) if e.error_len().is_none() && e.valid_up_to() > 0 => {
            std::str::from_utf8(&bytes[..e.valid_up_to()]).ok().filter(|text| !text.is_ascii())
        }
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8], label: &str) -> String {
        decode(bytes, find(label.as_bytes()))
    }

    #[test]
    fn labels_are_believed_where_the_bytes_agree() {
        assert_eq!(read(b"\x93\xfa\x96{", "Shift_JIS"), "日本");
        assert_eq!(read(b"\xc4\xe3\xba\xc3", "gb18030"), "你好");
        assert_eq!(read(b"\xf0\xd2\xc9\xd7\xc5\xd4", "koi8-r"), "Привет");
        assert_eq!(read(b"\x1b$B$3$s\x1b(B", "ISO-2022-JP"), "こん");
        assert_eq!(read(b"caf\xe9", "iso-8859-1"), "café");
        assert_eq!(read(b"\x80 5", "us-ascii"), "€ 5");
    }

    #[test]
    fn a_wrong_label_does_not_spoil_utf8() {
        assert_eq!(read("Grüße".as_bytes(), "iso-8859-1"), "Grüße");
        assert_eq!(read("Привет".as_bytes(), "koi8-r"), "Привет");
        assert_eq!(read("日本語です".as_bytes(), "gb2312"), "日本語です");
        assert_eq!(read("Grüße".as_bytes(), "x-no-such-charset"), "Grüße");
        assert_eq!(read("Grüße".as_bytes(), ""), "Grüße");
    }

    #[test]
    fn latin_under_a_utf8_label_is_read_as_latin() {
        assert_eq!(read(b"caf\xe9 cr\xe8me", "utf-8"), "café crème");
        assert_eq!(read(b"gr\xc3\xbc\xc3\x9f \xff ok", "utf-8"), "grüß \u{fffd} ok");
    }

    #[test]
    fn a_text_cut_within_a_character_keeps_its_charset() {
        assert_eq!(read(&"für".as_bytes()[..2], "utf-8"), "fÃ");
        assert_eq!(read(&"grüßü".as_bytes()[..7], "utf-8"), "grüß");
    }

    #[test]
    fn languages_and_aliases_are_known() {
        assert_eq!(find(b"utf-8*en").map(Encoding::name), Some("UTF-8"));
        assert_eq!(find(b"cp932").map(Encoding::name), Some("Shift_JIS"));
        assert_eq!(find(b"iso-2022-kr"), None);
        assert_eq!(find(b""), None);
    }
}
