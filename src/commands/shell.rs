//! Completion scripts and manual pages, made from the arguments.

use super::arguments::Cli;
use super::{CommandError, Exit, print};
use clap::CommandFactory;
use std::path::Path;

pub(super) fn completions(shell: clap_complete::Shell) -> Result<Exit, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "auditpack", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Clean)
}

pub(super) fn manual(out: Option<&Path>) -> Result<Exit, CommandError> {
    let command = Cli::command();
    match out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(CommandError::no_package)?;
            print(&String::from_utf8_lossy(&page))?;
        }
        Some(folder) => {
            let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(command, folder));
            written.map_err(|e| {
                CommandError::no_package(format!("cannot write manual pages to {}: {e}", folder.display()))
            })?;
        }
    }
    Ok(Exit::Clean)
}
