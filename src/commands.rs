//! The command line: what a user types, and what each command prints and exits with.
//!
//! stdout carries the result and only the result; progress and diagnostics go to stderr.

mod arguments;
mod attach;
mod collect;
mod controls;
mod custody;
mod diff;
mod evaluate;
mod explain;
mod judge;
mod keygen;
mod memory;
mod permissions;
mod progress;
mod record;
mod review;
mod seal;
mod shell;
mod signals;
mod source;
mod verify;
mod work;

pub use arguments::Cli;

use std::fmt;
use std::process::ExitCode;

/// What the process exits with. One number means one thing (docs/exit-codes.md).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done; no open failure at or above --fail-on, nothing in scope unknown.
    Clean = 0,
    /// Done; open failures at or above --fail-on.
    Failed = 1,
    /// Wrong usage, configuration or control file; nothing was collected.
    Usage = 2,
    /// Done, but evidence in scope is incomplete.
    Incomplete = 3,
    /// No package: credentials, network, disk, interrupted.
    NoPackage = 4,
    /// verify: the package is not intact, not authentic, or does not re-derive.
    NotIntact = 5,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        // The enumeration's numbers are the exit codes.
        ExitCode::from(exit as u8)
    }
}

/// A command that could not do what it was asked.
#[derive(Debug)]
pub struct CommandError {
    /// What the process exits with.
    pub exit: Exit,
    /// Cause, place and remedy.
    pub message: String,
}

impl CommandError {
    fn usage(message: impl fmt::Display) -> Self {
        Self { exit: Exit::Usage, message: message.to_string() }
    }

    fn no_package(message: impl fmt::Display) -> Self {
        Self { exit: Exit::NoPackage, message: message.to_string() }
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CommandError {}

/// Runs a command.
pub fn run(cli: Cli) -> Result<Exit, CommandError> {
    use arguments::Command;
    signals::watch();
    match cli.command {
        Command::Collect(args) => collect::run(*args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Review(args) => review::run(args.command),
        Command::Verify(args) => verify::run(&args),
        Command::Diff(args) => diff::run(&args),
        Command::Keygen(args) => keygen::run(&args),
        Command::Explain(args) => explain::run(&args),
        Command::Controls(args) => controls::run(args),
        Command::Permissions(args) => permissions::run(args),
        Command::Completions { shell } => shell::completions(shell),
        Command::Man { out } => shell::manual(out.as_deref()),
    }
}

/// Prints a result. A reader that goes away (`auditpack ... | head`) is not an error.
fn print(text: &str) -> Result<(), CommandError> {
    use std::io::Write;
    let mut out = anstream::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(CommandError::no_package(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
