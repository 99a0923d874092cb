//! The name of a message that shares its UIDL with others (promise P7): its UIDL and the hash of its header.

/// What stands between the two: no UIDL holds it, each of whose characters is one byte.
const BETWEEN: char = '\u{2016}';

/// The name of the message of this UIDL whose raw header block has this SHA-256.
#[must_use]
pub fn twin(uidl: &str, head: &[u8; 32]) -> String {
    let head: String = head.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{uidl}{BETWEEN}{head}")
}

/// The UIDL in a name: all of it, or what stands before the hash.
#[must_use]
pub fn uidl_in(name: &str) -> &str {
    name.split_once(BETWEEN).map_or(name, |(uidl, _)| uidl)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p7_a_twin_is_its_uidl_and_its_header() {
        let name = twin("a\u{e9} b", &[0xab; 32]);
        assert_eq!(uidl_in(&name), "a\u{e9} b");
        assert_eq!(uidl_in("plain"), "plain");
        assert_ne!(name, twin("a\u{e9} b", &[0xac; 32]));
    }
}
