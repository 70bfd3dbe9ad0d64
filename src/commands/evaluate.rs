//! `auditpack evaluate`: judges again what was collected before, offline.

use super::arguments::EvaluateArgs;
use super::judge::{Judge, settings};
use super::seal::Sealing;
use super::source::{Replay, is_recording};
use super::work::{period, time};
use super::{CommandError, Exit};
use crate::collect::{folder, plan};
use crate::evidence::{Evidence, Run, Timestamp};
use crate::package::{self, ScratchFolder};
use chrono::{SubsecRound, Utc};
use std::path::PathBuf;

pub(super) fn run(args: EvaluateArgs) -> Result<Exit, CommandError> {
    if !args.path.exists() {
        return Err(CommandError::usage(format!("there is no {}", args.path.display())));
    }
    if args.out.is_none() && (args.seal.sign.is_some() || args.seal.timestamp_url.is_some()) {
        let text = "--sign and --timestamp-url seal a package: name its file or folder with --out";
        return Err(CommandError::usage(text));
    }
    let is_package = args.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("zip"));
    if is_package || is_recording(&args.path) {
        let given = [("--as-of", args.as_of.is_some()), ("--regions", !args.regions.is_empty())];
        if let Some((option, _)) = given.iter().find(|(_, given)| *given) {
            let text = format!("{option} is for AWS CLI output; a recording states its own time and Regions");
            return Err(CommandError::usage(text));
        }
        return recorded(&args);
    }
    printed(&args)
}

/// Judges files that the AWS CLI printed. What is planned and is not among them is not collected.
fn printed(args: &EvaluateArgs) -> Result<Exit, CommandError> {
    let settings = settings(args.judge.select.config.as_deref())?;
    let as_of = match &args.as_of {
        Some(text) => time(text, true)?,
        None => Timestamp(Utc::now().trunc_subsecs(0)),
    };
    let length = settings.period_days.map(|days| format!("{days}d"));
    let judge = Judge::with(settings, &args.judge, &[])?.reviewed(args.review.as_deref())?;
    let run = Run {
        format: Run::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        as_of,
        period: period(length.as_deref(), None, None, as_of)?,
        regions: (!args.regions.is_empty()).then(|| args.regions.clone()),
        home_region: args.regions.first().cloned().unwrap_or_else(|| "us-east-1".to_owned()),
        frameworks: judge.controls.frameworks.keys().cloned().collect(),
        operations: plan::complete(&judge.controls.operations()).iter().map(ToString::to_string).collect(),
        events: Default::default(),
        slicing: Default::default(),
        config_history: Run::CONFIG_HISTORY,
    };
    let scratch = ScratchFolder::new().map_err(CommandError::no_package)?;
    let evidence = folder::read(&args.path, run, scratch.path()).map_err(CommandError::usage)?;
    let target = target(args, &evidence);
    let sealing = Sealing::load(&args.seal)?;
    let target = target.as_deref().map(|target| (target, args.force));
    judge.conclude(&evidence, None, target, sealing.seals(), &args.output)
}

fn target(args: &EvaluateArgs, evidence: &Evidence) -> Option<PathBuf> {
    let out = args.out.as_deref()?;
    Some(package::target(Some(out), evidence.account.as_deref(), evidence.as_of()))
}

/// Judges a recording: what was asked and when stands in it.
fn recorded(args: &EvaluateArgs) -> Result<Exit, CommandError> {
    let replay = Replay::open(&args.path)?;
    let judge = Judge::load(&args.judge, &replay.recording.run.frameworks)?.reviewed(args.review.as_deref())?;
    let evidence = replay.evidence(None)?;
    let target = target(args, &evidence);
    let target = target.as_deref().map(|target| (target, args.force));
    let sealing = Sealing::load(&args.seal)?;
    judge.conclude(&evidence, Some(&replay.recording), target, sealing.seals(), &args.output)
}
