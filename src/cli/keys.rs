//! `mailtui keys`: every command with its keys, from the one table.

use std::fmt::Write as _;

use serde_json::json;

use super::out::Out;
use crate::app::command::{COMMANDS, Command, Group};
use crate::app::key::Key;
use crate::app::keymap::Keymap;
use crate::app::scope::Focus;
use crate::config::{self, Config, Preset};
use crate::error::Result;
use crate::text::Clean;

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

/// The keys in force, and what the program whose keys are asked for does another way.
pub(super) fn run(as_markdown: bool, config: &Config, out: &mut Out) -> Result<()> {
    let (keymap, problems) = Keymap::of(config)?;
    if let Some(error) = config::mistake(&config.paths, &problems) {
        return Err(error);
    }
    let of =
        |c: &Command| keymap.keys_in(c, &Focus::ALL).iter().map(|keys| Key::print(keys)).collect::<Vec<_>>();
    if out.json {
        return COMMANDS.iter().try_for_each(|c| {
            out.object(&json!({ "command": c.name, "keys": of(c), "doc": c.doc, "in": places(c) }))
        });
    }
    if as_markdown {
        return out.bytes(markdown().as_bytes());
    }
    let widest = COMMANDS.iter().map(|c| of(c).join(" ").len()).max().unwrap_or(0);
    for (i, (group, commands)) in groups().into_iter().enumerate() {
        if i > 0 {
            out.line("")?;
        }
        out.line(group.title())?;
        for command in commands {
            out.line(format!("  {:<widest$} {:<28} :{}", of(command).join(" "), command.doc, command.name))?;
        }
    }
    let preset = Preset::named(&config.ui.keys)?;
    let own = keymap.own().iter().filter(|own| own.alone().is_none());
    for (i, own) in own.enumerate() {
        if i == 0 {
            out.line("")?;
            out.line("Several at once")?;
        }
        out.line(Clean::line(&format!("  {:<widest$} {}", Key::print(&own.keys), own.written)))?;
    }
    if let Some(preset) = preset {
        out.line("")?;
        out.line(format!("For hands that know {}", preset.name))?;
        preset.differs.iter().try_for_each(|line| out.line(format!("  {line}")))?;
    }
    Ok(())
}
