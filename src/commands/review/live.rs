//! Collecting for a review: what `collect` does, into the review's folder.

use super::super::arguments::{CloseArgs, CollectArgs, Format, JudgeArgs, OpenArgs, OutputArgs, SealArgs};
use super::super::{CommandError, collect};
use crate::evidence::Timestamp;
use std::path::PathBuf;

/// The package that a review is opened from; it stays in the review's folder.
pub(super) fn for_opening(args: &OpenArgs) -> Result<PathBuf, CommandError> {
    let target = args.out.join("opened-with.zip");
    collect::run(CollectArgs {
        session: args.session.clone(),
        scope: args.scope.clone(),
        judge: JudgeArgs { select: args.select.clone(), fail_on: None },
        review: None,
        output: OutputArgs { format: Format::Nothing, quiet: args.quiet },
        out: Some(target.clone()),
        force: false,
        replay: None,
        resume: None,
        deadline: None,
        keep_work: false,
        seal: SealArgs::default(),
        no_host_facts: false,
    })?;
    Ok(target)
}

/// The later evidence, beside the record that will hold it.
pub(super) fn for_closing(args: &CloseArgs, today: Timestamp) -> Result<PathBuf, CommandError> {
    let target = args.dir.join(format!("closed-with_{}.zip", today.0.format("%Y%m%dT%H%M%SZ")));
    let mut scope = args.scope.clone();
    scope.as_of = Some(today.zulu());
    collect::run(CollectArgs {
        session: args.session.clone(),
        scope,
        judge: args.judge.clone(),
        review: None,
        output: OutputArgs { format: Format::Nothing, quiet: args.quiet },
        out: Some(target.clone()),
        force: true,
        replay: None,
        resume: None,
        deadline: None,
        keep_work: false,
        seal: SealArgs::default(),
        no_host_facts: false,
    })?;
    Ok(target)
}
