//! The program: hands the command line to the library, prints its error, answers its exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use mailtui::cli::{self, args::Cli};
use mailtui::text::Clean;

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(code) => ExitCode::from(code),
        // `mailtui list | head`: whoever read has read enough.
        Err(error) if cli::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Where nobody can be told, the exit code still says it.
            let mut stderr = std::io::stderr();
            let _ = writeln!(stderr, "mailtui: {}", Clean::line(&error.to_string()));
            if let Some(hint) = error.hint_text() {
                let _ = writeln!(stderr, "hint: {}", Clean::line(hint));
            }
            ExitCode::from(error.kind().exit_code())
        }
    }
}
