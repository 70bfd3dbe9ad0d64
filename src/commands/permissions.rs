//! `auditpack permissions`: the least-privilege policy, derived from the plan.

use super::arguments::{JudgeArgs, PermissionsArgs};
use super::judge::Judge;
use super::{CommandError, Exit, print};
use crate::collect::plan;

pub(super) fn run(args: PermissionsArgs) -> Result<Exit, CommandError> {
    let judge = Judge::load(&JudgeArgs { select: args.select, fail_on: None }, &[])?;
    let mut planned = plan::complete(&judge.controls.operations());
    if args.trail_logs {
        plan::from_trail_logs(&mut planned, false);
    }
    let policy = plan::policy(&planned);
    // A serde_json value always serialises.
    let text = serde_json::to_string_pretty(&policy).map_err(CommandError::usage)?;
    print(&format!("{text}\n"))?;
    Ok(Exit::Clean)
}
