//! What the decoder makes of bytes, whole, in pieces, broken and hostile.

use super::*;
use proptest::prelude::*;

/// The keys as written, pastes in quotes.
fn shown(inputs: Vec<Input>) -> String {
    let one = |input| match input {
        Input::Key(key) => key.to_string(),
        Input::Paste(text) => format!("{text:?}"),
        Input::Column(column) => format!("column {column}"),
    };
    inputs.into_iter().map(one).collect::<Vec<_>>().join(" ")
}

fn at_once(bytes: &[u8]) -> String {
    shown(Decoder::default().feed(bytes, Instant::now()))
}

/// Byte after byte, each after such a pause, then a long silence.
fn slowly(bytes: &[u8], pause: Duration) -> String {
    let (mut decoder, mut now, mut all) = (Decoder::default(), Instant::now(), Vec::new());
    for byte in bytes {
        all.extend(decoder.expire(now));
        all.extend(decoder.feed(&[*byte], now));
        now += pause;
    }
    all.extend(decoder.expire(now + Duration::from_secs(9)));
    shown(all)
}

#[test]
fn keys_are_read() {
    assert_eq!(at_once(b"j"), "j");
    assert_eq!(at_once(b"\r\t\x7f\x04"), "<Enter> <Tab> <BS> <C-d>");
    assert_eq!(at_once(b"\x1b[A\x1bOB\x1b[Z"), "<Up> <Down> <S-Tab>");
    assert_eq!(at_once(b"\x1b[5~\x1b[6~\x1b[1;5C"), "<PgUp> <PgDn> <C-Right>");
    assert_eq!(at_once("é漢".as_bytes()), "é 漢");
    assert_eq!(at_once(b"\x1b[15~\x1b[[B\x1bx"), "<F5> <F2> <A-x>");
}

#[test]
fn a_lone_escape_is_a_key_after_a_moment() {
    assert_eq!(at_once(b"\x1b"), "");
    assert_eq!(slowly(b"\x1b", Duration::from_millis(1)), "<Esc>");
    assert_eq!(slowly(b"\x1bj", Duration::from_millis(600)), "<Esc> j");
    assert_eq!(slowly(b"\x1bj", Duration::from_millis(12)), "<Esc> j");
}

#[test]
fn a11_unknown_sequences_are_swallowed_whole() {
    for unknown in [
        &b"\x1b[>0;276;0c"[..],
        b"\x1b[?1;2c",
        b"\x1b[200;1;2;3$y",
        b"\x1b]11;rgb:1818/1818/1c1c\x07",
        b"\x1b]11;rgb:1818/1818/1c1c\x1b\\",
        b"\x1bP1$r0m\x1b\\",
        b"\x1b_Gi=31;OK\x1b\\",
        b"\x1b[<35;20;5M",
        b"\x1b[M !!",
        b"\x1b[I",
        b"\x1b(B",
        b"\x1b[97;5u",
    ] {
        let mut with_key = unknown.to_vec();
        with_key.push(b'j');
        assert_eq!(at_once(&with_key), "j", "{unknown:?}");
    }
}

#[test]
fn a11_sequences_in_pieces_run_nothing() {
    for pause in [1, 20, 45, 90, 200, 300] {
        let said = slowly(b"\x1b[A", Duration::from_millis(pause));
        assert!(said == "<Up>" || said == "<Esc> <Up>", "{pause} ms: {said}");
        let said = slowly(b"\x1b[>0;276;0c", Duration::from_millis(pause));
        assert!(said.is_empty() || said == "<Esc>", "{pause} ms: {said}");
    }
    assert_eq!(slowly(b"\x1b[1;", Duration::from_millis(5)), "");
    assert_eq!(at_once(b"\x1b[1;\x1b[B"), "<Down>");
}

#[test]
fn a_paste_is_one_thing() {
    assert_eq!(at_once(b"\x1b[200~dd\x1b[Aq\r\x1b[201~j"), "\"dd\\u{1b}[Aq\\r\" j");
    assert_eq!(slowly(b"\x1b[200~dd\x1b[201~", Duration::from_millis(20)), "\"dd\"");
    assert_eq!(slowly(b"\x1b[200~never ended", Duration::from_millis(1)), "\"never ended\"");
}

#[test]
fn a11_a_burst_is_a_paste_and_held_keys_are_not() {
    assert_eq!(at_once(b"please delete it\r"), "\"please delete it\\n\"");
    assert_eq!(at_once(b"jjjjjjjjjjjjjjjjjjjj").matches('j').count(), 20);
    assert_eq!(at_once(b":quit\r"), ": q u i t <Enter>");
    let (mut decoder, now) = (Decoder::default(), Instant::now());
    decoder.feed(b"a long line of text that was", now);
    let tail = decoder.feed(b" cut", now + Duration::from_millis(10));
    assert_eq!(shown(tail), "\" cut\"");
    assert_eq!(shown(decoder.feed(b"d", now + Duration::from_millis(300))), "d");
}

/// As a terminal passes on what was pasted without brackets: in pieces, as fast as the line is.
#[test]
fn a11_four_kilobytes_of_prose_are_no_key() {
    let prose = "Dear all, please delete the old drafts: d, then ZZ quits. Quite sad!\n".repeat(60);
    assert!(prose.len() > 4096);
    let (mut decoder, mut now, mut inputs) = (Decoder::default(), Instant::now(), Vec::new());
    for piece in prose.as_bytes().chunks(256) {
        inputs.extend(decoder.feed(piece, now));
        now += Duration::from_millis(3);
    }
    assert!(!inputs.is_empty());
    assert!(inputs.iter().all(|input| matches!(input, Input::Paste(_))), "{inputs:?}");
}

#[test]
fn the_cursor_column_is_told_only_when_it_was_asked_for() {
    assert_eq!(at_once(b"\x1b[1;2R"), "<F3>");
    let mut decoder = Decoder::default();
    decoder.expect_column();
    assert_eq!(shown(decoder.feed(b"\x1b[1;3R", Instant::now())), "column 3");
}

proptest! {
    #[test]
    fn r7_any_bytes_in_any_pieces_end_well(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 1usize..20) {
        let (mut decoder, mut now) = (Decoder::default(), Instant::now());
        for piece in bytes.chunks(cut) {
            decoder.feed(piece, now);
            now += Duration::from_millis(3);
        }
        decoder.expire(now + Duration::from_secs(9));
        prop_assert!(decoder.deadline().is_none());
    }

    #[test]
    fn pieces_do_not_matter(cut in 1usize..6) {
        let bytes = "j\x1b[A\x1b[5~é\x1bOB\x1b[>1cq".as_bytes();
        let (mut decoder, now) = (Decoder::default(), Instant::now());
        let all: Vec<_> = bytes.chunks(cut).flat_map(|piece| decoder.feed(piece, now)).collect();
        prop_assert_eq!(shown(all), "j <Up> <PgUp> é <Down> q");
    }
}
