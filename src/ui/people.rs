//! Who wrote a conversation, in the cells there are: whole names, else first names, else the ends.

use crate::text::Clean;

/// One person of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) name: Clean,
    pub(super) unread: bool,
}

/// Between names.
const COMMA: &str = ", ";
/// Where names were left out; the brush has a plain form of it.
pub(super) const GAP: &str = " … ";

/// The names to draw in at most `cells`, with what goes between them; the last may still be too long.
pub(super) fn fit(people: &[Person], cells: usize) -> Vec<(Person, &'static str)> {
    let whole = joined(people.to_vec());
    if width(&whole) <= cells || people.len() < 2 {
        return whole;
    }
    let first: Vec<_> = people.iter().map(|p| Person { name: first_name(&p.name), ..p.clone() }).collect();
    let short = joined(first.clone());
    if width(&short) <= cells {
        return short;
    }
    // The one who began, and as many of the last as fit.
    for kept in (1..first.len().saturating_sub(1)).rev() {
        let mut ends = joined([&first[..1], &first[first.len() - kept..]].concat());
        ends[0].1 = GAP;
        if width(&ends) <= cells {
            return ends;
        }
    }
    let (begun, last) = (&first[0], &first[first.len() - 1]);
    vec![(begun.clone(), COMMA), (last.clone(), "")]
}

fn joined(people: Vec<Person>) -> Vec<(Person, &'static str)> {
    let last = people.len().saturating_sub(1);
    people.into_iter().enumerate().map(|(i, p)| (p, if i < last { COMMA } else { "" })).collect()
}

fn width(names: &[(Person, &'static str)]) -> usize {
    names.iter().map(|(p, after)| p.name.width() + crate::text::width(after)).sum()
}

/// What a person is called by those who know them: `Lovelace, Ada` is Ada, `ada@example.org` is ada.
fn first_name(name: &Clean) -> Clean {
    let text = name.as_str();
    let text = match text.split_once(", ") {
        Some((_, given)) if !given.trim().is_empty() => given,
        _ => text,
    };
    let word = text.split_whitespace().next().unwrap_or(text);
    Clean::line(word.split_once('@').map_or(word, |(local, _)| local))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(names: &[&str], cells: usize) -> String {
        let people: Vec<_> = names.iter().map(|n| Person { name: Clean::line(n), unread: false }).collect();
        fit(&people, cells).iter().map(|(p, after)| format!("{}{after}", p.name)).collect()
    }

    #[test]
    fn names_get_shorter_as_there_is_less_room() {
        let names = ["Alan Turing", "Joan Clarke", "Clarke, Gordon", "me"];
        assert_eq!(shown(&names, 60), "Alan Turing, Joan Clarke, Clarke, Gordon, me");
        assert_eq!(shown(&names, 24), "Alan, Joan, Gordon, me");
        assert_eq!(shown(&names, 18), "Alan … Gordon, me");
        assert_eq!(shown(&names, 14), "Alan … me");
        assert_eq!(shown(&names, 8), "Alan, me");
        assert_eq!(shown(&["ada@example.org", "me"], 10), "ada, me");
        assert_eq!(shown(&["Charles Babbage"], 8), "Charles Babbage");
        assert_eq!(shown(&[], 8), "");
    }
}
