//! `auditpack evaluate`: judges again what was collected before, offline.

use super::arguments::EvaluateArgs;
use super::judge::Judge;
use super::source::{Replay, is_recording};
use super::{CommandError, Exit};
use crate::package;

pub(super) fn run(args: EvaluateArgs) -> Result<Exit, CommandError> {
    if !args.path.exists() {
        return Err(CommandError::usage(format!("there is no {}", args.path.display())));
    }
    let is_package = args.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    if is_package || is_recording(&args.path) {
        return recorded(&args);
    }
    Err(CommandError::usage("not yet"))
}

/// Judges a recording: what was asked and when stands in it.
fn recorded(args: &EvaluateArgs) -> Result<Exit, CommandError> {
    let replay = Replay::open(&args.path)?;
    let judge = Judge::load(&args.judge, &replay.recording.run.frameworks)?;
    let evidence = replay.evidence(None)?;
    let target = args
        .out
        .as_deref()
        .map(|out| package::target(Some(out), evidence.account.as_deref(), replay.recording.run.as_of));
    let target = target.as_deref().map(|target| (target, args.force));
    judge.conclude(&evidence, Some(&replay.recording), target, &args.output)
}
