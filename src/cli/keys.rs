//! `mailtui keys`: every command with its keys, from the one table.

use std::fmt::Write as _;

use serde_json::json;

use super::out::Out;
use crate::app::command::{COMMANDS, Command, Group};
use crate::app::scope::Focus;
use crate::error::Result;

/// The key table for a document.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from("| keys | what they do | command |\n|---|---|---|\n");
    for (group, commands) in groups() {
        let _ = writeln!(text, "| **{}** | | |", group.title());
        for command in commands {
            let mut keys: Vec<String> = command.keys.iter().map(|k| format!("`{k}`")).collect();
            if keys.is_empty() {
                keys.push("none".to_owned());
            }
            let _ = writeln!(text, "| {} | {} | `:{}` |", keys.join(" "), command.doc, command.name);
        }
    }
    text
}

fn groups() -> Vec<(Group, Vec<&'static Command>)> {
    let mut groups: Vec<(Group, Vec<&Command>)> = Vec::new();
    for command in COMMANDS {
        match groups.iter_mut().find(|(group, _)| *group == command.group) {
            Some((_, list)) => list.push(command),
            None => groups.push((command.group, vec![command])),
        }
    }
    groups.sort_by_key(|(group, _)| *group);
    groups
}

fn places(command: &Command) -> Vec<&'static str> {
    Focus::ALL.into_iter().filter(|focus| command.scope.covers(*focus)).map(Focus::title).collect()
}

pub(super) fn run(as_markdown: bool, out: &mut Out) -> Result<()> {
    if out.json {
        return COMMANDS.iter().try_for_each(|c| {
            out.object(&json!({ "command": c.name, "keys": c.keys, "doc": c.doc, "in": places(c) }))
        });
    }
    if as_markdown {
        return out.bytes(markdown().as_bytes());
    }
    let widest = COMMANDS.iter().map(|c| c.keys.join(" ").len()).max().unwrap_or(0);
    for (i, (group, commands)) in groups().into_iter().enumerate() {
        if i > 0 {
            out.line("")?;
        }
        out.line(group.title())?;
        for command in commands {
            out.line(format!("  {:<widest$} {:<28} :{}", command.keys.join(" "), command.doc, command.name))?;
        }
    }
    Ok(())
}
