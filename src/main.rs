//! The program `auditpack`: hands the command line to the library and exits with its code.

use auditpack::commands::{self, Cli, Exit};
use clap::Parser;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::run(Cli::parse()) {
        Ok(exit) => exit.into(),
        Err(error) => {
            // If standard error is closed there is nobody left to tell; the exit code still does.
            let _ = writeln!(anstream::stderr(), "auditpack: {error}");
            debug_assert!(error.exit != Exit::Clean);
            error.exit.into()
        }
    }
}
