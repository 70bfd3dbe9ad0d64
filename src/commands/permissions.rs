//! `auditpack permissions`: the least-privilege policy, derived from the plan.

use super::arguments::PermissionsArgs;
use super::judge::Judge;
use super::{CommandError, Exit, print};
use crate::collect::plan;

pub(super) fn run(args: PermissionsArgs) -> Result<Exit, CommandError> {
    let judge = Judge::load(&args.judge, &[])?;
    let policy = plan::policy(&plan::complete(&judge.controls.operations()));
    // A serde_json value always serialises.
    let text = serde_json::to_string_pretty(&policy).map_err(CommandError::usage)?;
    print(&format!("{text}\n"))?;
    Ok(Exit::Clean)
}
