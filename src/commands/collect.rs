//! `auditpack collect`: plan, collect, evaluate, report, package.

use super::arguments::{CollectArgs, EventsArg, ScopeArgs, SessionArgs};
use super::custody;
use super::judge::{Judge, settings};
use super::progress::Terminal;
use super::seal::Sealing;
use super::signals;
use super::source::{self, Replay};
use super::work::{WorkFolder, period, time};
use super::{CommandError, Exit};
use crate::collect::may_pass;
use crate::collect::trail_logs::PublicKeys;
use crate::collect::{
    CollectError, Collection, Progress, Session, SessionOptions, Silent, StopSignal, TrailLogsSource, collect, plan,
};
use crate::evidence::recording::{Recording, Resumed, create_private_dir};
use crate::evidence::slicing::Slicing;
use crate::evidence::trail_logs::KeptFiles;
use crate::evidence::{EventKind, EventScope, EventSource, Evidence, Run, Timestamp};
use crate::package;
use crate::report::words::count;
use chrono::{SubsecRound, Utc};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub(super) fn run(args: CollectArgs) -> Result<Exit, CommandError> {
    match (&args.replay, &args.resume) {
        (Some(recording), _) => replay(&args, recording),
        (None, Some(folder)) => resume(&args, folder),
        (None, None) => live(&args),
    }
}

/// Collects from a recording: the same code, without network and credentials.
fn replay(args: &CollectArgs, path: &Path) -> Result<Exit, CommandError> {
    let replay = Replay::open(path)?;
    let judge = Judge::load(&args.judge, &replay.recording.run.frameworks)?.reviewed(args.review.as_deref())?;
    let as_of = replay.recording.run.as_of;
    let sealing = Sealing::load(&args.seal)?;
    check_out(args, as_of)?;
    let evidence = replay.evidence(args.session.expect_account.clone())?;
    let target = package::target(args.out.as_deref(), evidence.account.as_deref(), as_of);
    judge.conclude(&evidence, Some(&replay.recording), Some((&target, args.force)), sealing.seals(), &args.output)
}

/// Collects from AWS.
fn live(args: &CollectArgs) -> Result<Exit, CommandError> {
    let settings = settings(args.judge.select.config.as_deref())?;
    let as_of = match &args.scope.as_of {
        Some(text) => time(text, true)?,
        // The one reading of the clock. AWS's times have whole seconds.
        None => Timestamp(Utc::now().trunc_subsecs(0)),
    };
    let length = args.scope.period.clone().or_else(|| settings.period_days.map(|days| format!("{days}d")));
    let period = period(length.as_deref(), args.scope.from.as_deref(), args.scope.to.as_deref(), as_of)?;
    let named = if args.scope.regions.is_empty() { settings.regions.clone() } else { args.scope.regions.clone() };
    let judge = Judge::with(settings, &args.judge, &[])?.reviewed(args.review.as_deref())?;
    let trail_logs = trail_logs(&args.scope)?;
    let events = event_scope(&args.scope)?;
    let mut planned = plan::complete(&judge.controls.operations());
    if let Some(source) = &trail_logs {
        plan::from_trail_logs(&mut planned, !source.keys.is_empty());
    }
    let sealing = Sealing::load(&args.seal)?;
    check_out(args, as_of)?;
    let runtime = source::runtime()?;
    let session = runtime.block_on(connect(&args.session))?;
    let run = Run {
        format: Run::FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        as_of,
        period,
        regions: (!named.is_empty()).then_some(named),
        home_region: session.home_region.clone(),
        frameworks: judge.controls.frameworks.keys().cloned().collect(),
        operations: planned.iter().map(ToString::to_string).collect(),
        events,
        slicing: Slicing::of_new_runs(),
        config_history: args.scope.config_history,
    };
    let folder = out_folder(args);
    create_private_dir(&folder)
        .map_err(|e| CommandError::no_package(format!("cannot create the folder {}: {e}", folder.display())))?;
    let work = WorkFolder::create(&folder, as_of)?;
    create_private_dir(&work.recording()).map_err(CommandError::no_package)?;
    let mut recording = Recording::create(&work.recording(), run).map_err(CommandError::no_package)?;
    recording.add_start(custody::start(!args.no_host_facts)).map_err(CommandError::no_package)?;
    signals::resumable(work.path());
    finish(args, &judge, &sealing, &runtime, Asked { session, recording, trail_logs }, work)
}

/// Goes on with an interrupted collection.
fn resume(args: &CollectArgs, folder: &Path) -> Result<Exit, CommandError> {
    let work = WorkFolder::reopen(folder)?;
    signals::resumable(work.path());
    let Resumed { mut recording, lost } = Recording::resume(&work.recording()).map_err(CommandError::no_package)?;
    let judge = Judge::load(&args.judge, &recording.run.frameworks)?.reviewed(args.review.as_deref())?;
    let trail_logs = trail_logs(&args.scope)?;
    let from_logs = recording.run.events.source == EventSource::TrailLogs;
    if from_logs
        && trail_logs.is_none()
        && KeptFiles::read(recording.dir()).map_err(CommandError::no_package)?.is_none()
    {
        let text =
            "the log files of the trail were not taken in to their end: give --trail-logs (and --trail-keys) again";
        return Err(CommandError::usage(text));
    }
    if !from_logs && trail_logs.is_some() {
        let text = "the interrupted collection reads the event history: --trail-logs cannot be added to it";
        return Err(CommandError::usage(text));
    }
    let sealing = Sealing::load(&args.seal)?;
    check_out(args, recording.run.as_of)?;
    let runtime = source::runtime()?;
    let mut options = args.session.clone();
    options.region.get_or_insert_with(|| recording.run.home_region.clone());
    let session = runtime.block_on(connect(&options))?;
    recording.add_start(custody::start(!args.no_host_facts)).map_err(CommandError::no_package)?;
    if lost > 0 && !args.output.quiet {
        let text = "recorded by the interrupted run cannot be read back, and are asked for again";
        // If nobody reads it, the answers come all the same.
        let _ = writeln!(anstream::stderr(), "{} {text}", count(lost, "answer", "answers"));
    }
    finish(args, &judge, &sealing, &runtime, Asked { session, recording, trail_logs }, work)
}

/// The log files that the arguments name. What can be told to be wrong with them is told before anything is asked.
pub(super) fn trail_logs(args: &ScopeArgs) -> Result<Option<TrailLogsSource>, CommandError> {
    let Some(dir) = &args.trail_logs else { return Ok(None) };
    if !dir.is_dir() {
        let text =
            format!("there is no folder {}; --trail-logs takes the one that `aws s3 sync` wrote to", dir.display());
        return Err(CommandError::usage(text));
    }
    let mut keys = PublicKeys::default();
    for path in &args.trail_keys {
        let bytes = std::fs::read(path)
            .map_err(|e| CommandError::usage(format!("cannot read the public keys {}: {e}", path.display())))?;
        keys.add_listing(&bytes, None).map_err(|e| CommandError::usage(format!("{}: {e}", path.display())))?;
    }
    Ok(Some(TrailLogsSource { dir: dir.clone(), keys: args.trail_keys.clone() }))
}

/// Which events the arguments ask for.
fn event_scope(args: &ScopeArgs) -> Result<EventScope, CommandError> {
    let scope = EventScope {
        source: if args.trail_logs.is_some() { EventSource::TrailLogs } else { EventSource::EventHistory },
        kind: match args.events {
            EventsArg::All => EventKind::All,
            EventsArg::Write => EventKind::Write,
            EventsArg::None => EventKind::None,
        },
        names: sorted(&args.event_name),
        resources: sorted(&args.resource),
    };
    let narrowed = !scope.names.is_empty() || !scope.resources.is_empty() || args.trail_logs.is_some();
    if scope.kind == EventKind::None && narrowed {
        let text = "--events none leaves nothing for --event-name, --resource and --trail-logs";
        return Err(CommandError::usage(text));
    }
    Ok(scope)
}

fn sorted(texts: &[String]) -> Vec<String> {
    let texts: std::collections::BTreeSet<String> = texts.iter().filter(|text| !text.is_empty()).cloned().collect();
    texts.into_iter().collect()
}

/// What is asked, and how.
struct Asked {
    session: Session,
    recording: Recording,
    trail_logs: Option<TrailLogsSource>,
}

fn finish(
    args: &CollectArgs,
    judge: &Judge,
    sealing: &Sealing,
    runtime: &tokio::runtime::Runtime,
    asked: Asked,
    mut work: WorkFolder,
) -> Result<Exit, CommandError> {
    let terminal = (!args.output.quiet).then(|| Arc::new(Terminal::new()));
    let progress: Arc<dyn Progress> = match &terminal {
        Some(terminal) => Arc::clone(terminal) as Arc<dyn Progress>,
        None => Arc::new(Silent),
    };
    let Asked { session, recording, trail_logs } = asked;
    let stop = StopSignal::default();
    let recording = Arc::new(recording);
    let collection = Collection {
        session,
        recording: Arc::clone(&recording),
        trail_logs,
        unpaced: args.session.no_pacing,
        scratch: work.scratch(),
        expect_account: args.session.expect_account.clone(),
        progress,
        stop: stop.clone(),
    };
    let collected = runtime.block_on(async {
        if let Some(minutes) = args.deadline {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
                stop.deadline();
            });
        }
        signals::asks(&stop, &collection.progress);
        let collected = collect(&collection).await;
        signals::asks_no_more();
        // What is no call, such as reading log files, does not hear of it.
        if stop.is_stopped() { collected.and(Err(stop.halt().into())) } else { collected }
    });
    if let Some(terminal) = terminal {
        terminal.finish();
    }
    let evidence: Evidence = match collected {
        Ok(evidence) => evidence,
        Err(error) => {
            // What an interrupted run has left is kept, whatever is wrong with the attempt to go on with it.
            work.keep |= matches!(error, CollectError::Halted(_) | CollectError::TrailLogs(_));
            let how =
                if work.keep && work.recording().is_dir() { signals::how_to_go_on(work.path()) } else { String::new() };
            return Err(CommandError::no_package(format!("{error}{how}")));
        }
    };
    let target = package::target(args.out.as_deref(), evidence.account.as_deref(), recording.run.as_of);
    let concluded =
        judge.conclude(&evidence, Some(&recording), Some((&target, args.force)), sealing.seals(), &args.output);
    // A gap that renewed credentials or a better network would close can be closed.
    let renewable = evidence.gaps().any(|(_, gap)| may_pass(gap));
    if renewable && !args.output.quiet {
        let mut stderr = anstream::stderr();
        // If nobody reads it, the gaps say it as well.
        let _ = writeln!(
            stderr,
            "auditpack: some calls failed in a way that may pass; to make those again, with valid credentials: \
             auditpack collect --resume {} --force",
            work.path().display()
        );
    }
    work.keep = args.keep_work || renewable || concluded.is_err();
    concluded
        .map_err(|error| CommandError { message: format!("{error}{}", signals::how_to_go_on(work.path())), ..error })
}

/// Where the work folder goes: beside the package, so that both are on one disk.
fn out_folder(args: &CollectArgs) -> PathBuf {
    let target = package::target(args.out.as_deref(), None, Timestamp(chrono::DateTime::UNIX_EPOCH));
    match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Refuses a target that cannot be written, before hours of collection rather than after.
fn check_out(args: &CollectArgs, as_of: Timestamp) -> Result<(), CommandError> {
    let folder = out_folder(args);
    if !folder.exists() {
        return Ok(());
    }
    package::check_target(&package::target(args.out.as_deref(), None, as_of), args.force)
        .map_err(CommandError::no_package)
}

async fn connect(args: &SessionArgs) -> Result<Session, CommandError> {
    let options = SessionOptions {
        profile: args.profile.clone(),
        region: args.region.clone(),
        role_arn: args.role_arn.clone(),
        external_id: args.external_id.clone(),
        session_name: args.session_name.clone(),
        mfa_serial: args.mfa_serial.clone(),
        mfa_code: args.mfa_code.clone(),
        endpoint_url: args.endpoint_url.clone(),
        timeout: Some(Duration::from_secs(args.timeout)),
    };
    Session::connect(&options, &ask_mfa_code).await.map_err(CommandError::no_package)
}

fn ask_mfa_code(serial: &str) -> Result<String, String> {
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "the code of MFA device {serial} is needed and there is no terminal to ask for it; use --mfa-code"
        ));
    }
    let code = rpassword::prompt_password(format!("code of MFA device {serial}: "));
    code.map(|code| code.trim().to_owned()).map_err(|e| format!("cannot read the code from the terminal: {e}"))
}
