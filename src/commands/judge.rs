//! What the judging commands share: settings, controls, and the way from evidence to a package and an exit code.

use super::arguments::{Format, JudgeArgs, OutputArgs};
use super::{CommandError, Exit, print};
use crate::controls::{Controls, Settings};
use crate::evaluate::{Evaluation, evaluate};
use crate::evidence::Evidence;
use crate::evidence::recording::Recording;
use crate::finding::Severity;
use crate::package::{self, Written};
use crate::report::{self, Audit, Conclusion};
use crate::resource::Resources;
use std::io::IsTerminal;
use std::path::Path;

/// The settings file that is read without being named.
const SETTINGS_FILE: &str = "auditpack.toml";

/// By what is judged.
#[derive(Debug)]
pub(super) struct Judge {
    pub controls: Controls,
    pub fail_on: Option<Severity>,
}

impl Judge {
    /// Reads settings and controls; all that is wrong with them is told at once.
    pub fn load(args: &JudgeArgs) -> Result<Self, CommandError> {
        let settings = settings(args.config.as_deref())?;
        let fail_on = match (args.fail_on, settings.fail_on) {
            (Some(least), _) => least.least(),
            (None, Some(least)) => least,
            (None, None) => Some(Severity::High),
        };
        let frameworks = if args.frameworks.is_empty() { settings.frameworks.clone() } else { args.frameworks.clone() };
        let controls =
            Controls::load(args.controls.as_deref(), settings, &frameworks).map_err(CommandError::usage)?;
        Ok(Self { controls, fail_on })
    }
}
