//! The terminal lent to another program: a shell, one command, a pager.

use std::io::{BufRead as _, Write as _};
use std::process::{Command, ExitStatus, Stdio};

use crate::error::{Error, Kind, Result};
use crate::secret;
use crate::text::Clean;

fn own(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// Runs the user's shell until it ends, or one command in it, whose answer stays on the terminal until Enter.
pub(super) fn shell(line: &str) -> Result<()> {
    let shell = own("SHELL").unwrap_or_else(|| "sh".to_owned());
    let mut command = Command::new(&shell);
    if !line.is_empty() {
        command.arg("-c").arg(line);
    }
    let status = secret::keep_from(&mut command)
        .status()
        .map_err(|e| Error::new(Kind::Unsupported, format!("{shell} could not be started")).because(e))?;
    if line.is_empty() {
        return Ok(());
    }
    let ended = if status.success() { String::new() } else { format!("`{line}` failed ({status}). ") };
    let mut out = std::io::stdout();
    let _ = write!(out, "\n{}Enter goes back to the mail ", Clean::line(&ended)).and_then(|()| out.flush());
    // Whatever is typed, or an end of the input: back.
    let _ = std::io::stdin().lock().read_line(&mut String::new());
    Ok(())
}

/// Shows lines in the user's pager.
pub(super) fn page(lines: &[Clean]) -> Result<()> {
    let pager = own("PAGER").unwrap_or_else(|| "less".to_owned());
    let failed = |why: &str| Error::new(Kind::Unsupported, format!("the pager `{pager}` {why}"));
    let mut command = Command::new("sh");
    command.arg("-c").arg(&pager).stdin(Stdio::piped());
    let mut child =
        secret::keep_from(&mut command).spawn().map_err(|e| failed("does not start").because(e))?;
    if let Some(to) = child.stdin.take() {
        let mut to = std::io::BufWriter::new(to);
        // Who leaves it early has seen enough.
        let _ = lines.iter().try_for_each(|line| writeln!(to, "{line}")).and_then(|()| to.flush());
    }
    let status: ExitStatus = child.wait().map_err(|e| failed("was lost").because(e))?;
    if status.success() { Ok(()) } else { Err(failed(&format!("failed ({status})"))) }
}
