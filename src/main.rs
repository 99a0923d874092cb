//! The program: hands the command line to the library, prints its error, answers its exit code.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;
use mailtui::cli::{self, args::Cli};
use mailtui::text::Clean;

fn main() -> ExitCode {
    let mut args: Vec<_> = std::env::args_os().collect();
    // So that it can be what opens such links: `mailtui mailto:…`.
    if args.get(1).and_then(|arg| arg.to_str()).is_some_and(|arg| arg.starts_with("mailto:")) {
        args.insert(1, "compose".into());
    }
    match cli::run(Cli::parse_from(args)) {
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
