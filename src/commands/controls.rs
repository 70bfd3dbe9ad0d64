//! `auditpack controls`.

use super::arguments::ControlsArgs;
use super::{CommandError, Exit};

pub(super) fn run(_: ControlsArgs) -> Result<Exit, CommandError> {
    Err(CommandError::usage("not yet"))
}
