//! Collection: sends the planned calls, live or from a recording, and judges nothing.
//!
//! Each service has a file with its calls; all calls go through one [`caller::Caller`]; under the SDK lies one
//! HTTP client, which records or replays. What a run asks is fixed by its [`Run`], so that a replay asks the same.

pub mod caller;
mod clock;
mod cloudtrail;
mod config;
mod config_history;
mod convert;
mod events;
mod failure;
pub mod folder;
mod iam;
mod pace;
pub mod plan;
mod post;
pub mod session;
mod tape;
mod trail_events;
pub mod trail_logs;
mod whole;

pub use caller::{Halt, Progress, STOPPED, Silent, StopSignal};
pub use failure::may_pass;
pub use post::{Post, post};
pub use session::{Session, SessionError, SessionOptions};
pub use trail_events::TrailLogsSource;

use crate::evidence::identity::{CallerIdentity, ListRegions, Region, is_account_id};
use crate::evidence::recording::Recording;
use crate::evidence::{CallId, EventKind, EventSource, Evidence, Gap, GapKind, Note, Operation, Outcome, Run};
use aws_config::SdkConfig;
use caller::Caller;
use convert::{convert, words};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

convert! {
    aws_sdk_account::types::Region => Region { region_name, region_opt_status }
}
words! { aws_sdk_account::types::RegionOptStatus }

/// What a collection needs.
#[derive(Debug)]
pub struct Collection {
    /// Where AWS, or the recording, is reached.
    pub session: Session,
    /// Where answers are written to, or come from.
    pub recording: Arc<Recording>,
    /// Log files of a trail to read events from, for a live run whose events come from those.
    pub trail_logs: Option<TrailLogsSource>,
    /// A folder for files that are too large for memory. They must outlive the evidence.
    pub scratch: PathBuf,
    /// Whether to ask without regard to AWS's limits: an emulator that enforces none.
    pub unpaced: bool,
    /// The only account that may be asked.
    pub expect_account: Option<String>,
    /// Who hears how it goes.
    pub progress: Arc<dyn Progress>,
    /// Who may end it early.
    pub stop: StopSignal,
}

/// A collection that left no evidence to judge.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The account could not be asked who it is.
    #[error("AWS does not say whose credentials these are: {0}")]
    Identity(String),
    /// The credentials are those of another account.
    #[error("these credentials are of account {found}, not of {expected}; nothing more was asked")]
    OtherAccount {
        /// The account that was expected.
        expected: String,
        /// The account that answered.
        found: String,
    },
    /// The log files of the trail could not be taken into the recording.
    #[error("{0}")]
    TrailLogs(String),
    /// It was ended early, or an answer could not be written.
    #[error(transparent)]
    Halted(#[from] Halt),
}

/// Makes all planned calls.
pub async fn collect(collection: &Collection) -> Result<Evidence, CollectError> {
    let Collection { session, recording, scratch, progress, stop, .. } = collection;
    let run: &Run = &recording.run;
    let caller = if session.is_replay() {
        Caller::replay(Arc::clone(recording), Arc::clone(progress), stop.clone())
    } else {
        Caller::live(Arc::clone(recording), Arc::clone(progress), stop.clone(), collection.unpaced)
            .with_clock(session.clock())
    };
    let sdk = session.sdk_config(recording);
    let mut evidence = Evidence::new(run.clone());
    let mut planned: BTreeSet<Operation> = run.operations.iter().filter_map(|text| text.parse().ok()).collect();
    let left_out = run.events.kind == EventKind::None && planned.remove(&Operation::CloudTrailLookupEvents);
    evidence.custody = recording.custody.clone();

    let resumed = !session.is_replay() && !recording.is_empty();
    let identity = caller_identity(&caller, &sdk).await;
    halted(&caller)?;
    check_identity(&identity, collection)?;
    if resumed {
        let now = same_account(&caller, &identity, &sdk).await?;
        if let Some(start) = evidence.custody.runs.last_mut() {
            start.caller = now;
        }
        recording.write_custody(&evidence.custody).map_err(|e| Halt::CannotRecord(e.to_string()))?;
    }
    evidence.account = identity.collected().and_then(|identity| identity.account.clone());
    evidence.insert(CallId::global(Operation::StsGetCallerIdentity), identity);

    evidence.regions = regions(&caller, &sdk, &planned, &mut evidence).await;
    let from_logs = run.events.source == EventSource::TrailLogs;
    let asked = if from_logs { trail_events::period(&evidence) } else { event_period(&mut evidence) };
    plan_note(caller.progress(), run, evidence.regions.len(), &planned);
    let trails: BTreeMap<String, aws_sdk_cloudtrail::Client> =
        evidence.regions.iter().map(|region| (region.clone(), cloudtrail_client(&sdk, region))).collect();

    let iam_client = aws_sdk_iam::Client::new(&sdk);
    let mut of_iam = Evidence::new(run.clone());
    let of_regions = futures_util::future::join_all(evidence.regions.iter().map(async |region| {
        let config_client = aws_sdk_configservice::Client::new(&in_region(&sdk, region));
        let events = async {
            match (planned.contains(&Operation::CloudTrailLookupEvents), trails.get(region)) {
                (true, Some(client)) => Some(events::lookup(&caller, client, region, asked, run, scratch).await),
                _ => None,
            }
        };
        let described = async {
            match (planned.contains(&Operation::CloudTrailDescribeTrails), trails.get(region)) {
                (true, Some(client)) => Some(cloudtrail::describe_trails(&caller, client, region).await),
                _ => None,
            }
        };
        let keys = async {
            match (planned.contains(&Operation::CloudTrailListPublicKeys), trails.get(region)) {
                (true, Some(client)) => Some(cloudtrail::public_keys(&caller, client, region, asked).await),
                _ => None,
            }
        };
        let (config, events, described, keys) =
            tokio::join!(config::collect(&caller, &config_client, region, &planned, run), events, described, keys);
        (region.clone(), config, events, described, keys)
    }));
    let taken_in = take_in_logs(collection, evidence.account.clone(), evidence.regions.clone(), asked);
    let ((), of_regions, taken_in) =
        tokio::join!(iam::collect(&caller, &iam_client, &planned, &mut of_iam), of_regions, taken_in);
    taken_in?;
    evidence.absorb(of_iam);
    for (region, config, events, described, keys) in of_regions {
        if let Some(keys) = keys {
            evidence.insert(CallId::regional(Operation::CloudTrailListPublicKeys, &region), keys);
        }
        config.into_iter().for_each(|insert| insert(&mut evidence));
        if let Some(events) = events {
            evidence.insert(CallId::regional(Operation::CloudTrailLookupEvents, &region), events);
        }
        if let Some(described) = described {
            evidence.insert(CallId::regional(Operation::CloudTrailDescribeTrails, &region), described);
        }
    }
    if left_out {
        for region in evidence.regions.clone() {
            let gap = Gap::not_collected("left out on request: no events (--events none)");
            let call = CallId::regional(Operation::CloudTrailLookupEvents, region);
            evidence.insert::<crate::evidence::cloudtrail::LookupEvents>(call, Outcome::missing(gap));
        }
    }
    cloudtrail::trail_details(&caller, &trails, |region| cloudtrail_client(&sdk, region), &planned, &mut evidence)
        .await;

    end_identity(&caller, &sdk, &mut evidence).await;
    halted(&caller)?;
    if from_logs {
        let (recording, scratch) = (Arc::clone(recording), scratch.clone());
        let read = tokio::task::spawn_blocking(move || {
            trail_events::insert(&recording, &scratch, &mut evidence);
            evidence
        });
        evidence = read.await.map_err(|e| CollectError::TrailLogs(format!("the log files cannot be read: {e}")))?;
    }
    Ok(evidence)
}

/// Takes the log files of a trail into the recording, beside the calls: it needs the disk, they need the network.
async fn take_in_logs(
    collection: &Collection,
    account: Option<String>,
    regions: BTreeSet<String>,
    period: crate::evidence::Period,
) -> Result<(), CollectError> {
    let Some(source) = collection.trail_logs.clone() else { return Ok(()) };
    let recording = Arc::clone(&collection.recording);
    let copied = tokio::task::spawn_blocking(move || {
        trail_events::take_in(&source, &recording, account.as_deref(), &regions, period)
    });
    match copied.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(CollectError::TrailLogs(error.to_string())),
        Err(error) => Err(CollectError::TrailLogs(format!("the log files cannot be copied: {error}"))),
    }
}

/// Says what a collection is about to do, and how fast AWS's limits let it.
fn plan_note(progress: &dyn Progress, run: &Run, regions: usize, planned: &BTreeSet<Operation>) {
    let mut plan = format!("plan: {} operations in {regions} Regions", planned.len());
    if planned.contains(&Operation::CloudTrailLookupEvents) {
        let rate = thousands(events::A_MINUTE * regions as u64);
        let restriction = run.events.restriction().map(|words| format!(" ({words})")).unwrap_or_default();
        let days = run.period.days();
        plan.push_str(&format!("; events of {days} days{restriction}: about {rate} events a minute at AWS's limit"));
    } else if run.events.source == EventSource::TrailLogs {
        plan.push_str("; events from the log files of the trail");
    }
    progress.note(&plan);
}

/// A number with commas between thousands.
fn thousands(n: u64) -> String {
    match n {
        0..1000 => n.to_string(),
        _ => format!("{},{:03}", thousands(n / 1000), n % 1000),
    }
}

fn halted(caller: &Caller) -> Result<(), CollectError> {
    caller.halted().map_or(Ok(()), |halt| Err(halt.into()))
}

fn in_region(sdk: &SdkConfig, region: &str) -> SdkConfig {
    sdk.to_builder().region(aws_config::Region::new(region.to_owned())).build()
}

fn cloudtrail_client(sdk: &SdkConfig, region: &str) -> aws_sdk_cloudtrail::Client {
    aws_sdk_cloudtrail::Client::new(&in_region(sdk, region))
}

async fn caller_identity(caller: &Caller, sdk: &SdkConfig) -> Outcome<CallerIdentity> {
    let client = aws_sdk_sts::Client::new(sdk);
    let call = CallId::global(Operation::StsGetCallerIdentity);
    let told = caller.once(&call, || client.get_caller_identity().send()).await;
    match told.map(|o| CallerIdentity { user_id: o.user_id, account: o.account, arn: o.arn }) {
        // Whoever answers so is not AWS, and whose account it is, is not known.
        Outcome::Collected(CallerIdentity { account: Some(account), .. }) if !is_account_id(&account) => {
            let reason = format!("the answer names the account `{account}`, which is no account id of twelve digits");
            Outcome::Missing { gap: Gap::new(GapKind::Failed, reason), partial: None }
        }
        told => told,
    }
}

/// Ends the run before another call where the credentials do not work at all, or are those of another account.
fn check_identity(identity: &Outcome<CallerIdentity>, collection: &Collection) -> Result<(), CollectError> {
    let found = identity.collected().and_then(|identity| identity.account.clone());
    match (&collection.expect_account, found) {
        (Some(expected), Some(found)) if *expected != found => {
            return Err(CollectError::OtherAccount { expected: expected.clone(), found });
        }
        (Some(expected), None) => {
            let found = "an account that AWS does not name".to_owned();
            return Err(CollectError::OtherAccount { expected: expected.clone(), found });
        }
        _ => {}
    }
    match identity.gap() {
        // GetCallerIdentity needs no permission. Credentials that it does not accept, or a network that does not
        // reach it, will not do better elsewhere; an organisation's deny may forbid just this call.
        Some(gap) if !gap.reason.starts_with("AccessDenied") && !collection.session.is_replay() => {
            Err(CollectError::Identity(gap.reason.clone()))
        }
        _ => Ok(()),
    }
}

/// Ends a resumed run whose credentials are no longer those of the account that it had begun with. The question is
/// asked outside of the recording, which holds the answer of the start. Who asks now, goes into the chain of custody.
async fn same_account(
    caller: &Caller,
    recorded: &Outcome<CallerIdentity>,
    sdk: &SdkConfig,
) -> Result<Option<String>, CollectError> {
    let client = aws_sdk_sts::Client::new(sdk);
    let call = CallId::global(Operation::StsGetCallerIdentity);
    let now = caller.unrecorded(&call, || client.get_caller_identity().send()).await;
    let now = now.map_err(CollectError::Identity)?;
    match (recorded.collected().and_then(|identity| identity.account.clone()), now.account) {
        (Some(expected), Some(found)) if expected != found => Err(CollectError::OtherAccount { expected, found }),
        _ => Ok(now.arn),
    }
}

/// Asks again, at the end, who is asking: credentials may have been renewed or changed in between.
async fn end_identity(caller: &Caller, sdk: &SdkConfig, evidence: &mut Evidence) {
    let end = caller_identity(caller, sdk).await;
    let start = evidence.global::<CallerIdentity>();
    let arn = |identity: Option<&CallerIdentity>| identity.and_then(|identity| identity.arn.clone());
    let resumed = evidence.custody.runs.iter().skip(1).map(|start| start.caller.clone());
    let all = std::iter::once(arn(start.collected().copied())).chain(resumed).chain([arn(end.collected())]);
    let mut callers: Vec<String> = all.flatten().collect();
    callers.dedup();
    if callers.len() > 1 {
        evidence.notes.push(Note {
            place: Operation::StsGetCallerIdentity.to_string(),
            text: format!("the caller changed during the run, from {}", callers.join(" to ")),
            incomplete: false,
        });
    }
    evidence.caller_end = end.collected().cloned();
    if let Some(gap) = end.gap() {
        evidence.notes.push(Note {
            place: Operation::StsGetCallerIdentity.to_string(),
            text: format!("who was asking at the end of the run is not known: {gap}"),
            incomplete: true,
        });
    }
}

/// The Regions in scope: those that the user named, or all that are enabled.
async fn regions(
    caller: &Caller,
    sdk: &SdkConfig,
    planned: &BTreeSet<Operation>,
    evidence: &mut Evidence,
) -> BTreeSet<String> {
    let home = evidence.run.home_region.clone();
    if !planned.contains(&Operation::AccountListRegions) {
        return evidence.run.regions.clone().unwrap_or_default().into_iter().collect();
    }
    let client = aws_sdk_account::Client::new(sdk);
    let call = CallId::global(Operation::AccountListRegions);
    let send = |token| client.list_regions().max_results(50).set_next_token(token).send();
    let listed = caller
        .pages(&call, ListRegions { regions: Vec::new() }, send, |all, page| {
            (iam::extend(&mut all.regions, page.regions), caller::Next::token(page.next_token))
        })
        .await;
    let enabled: BTreeSet<String> =
        listed.collected().into_iter().flat_map(ListRegions::enabled).map(str::to_owned).collect();
    for (region, status) in listed.collected().into_iter().flat_map(ListRegions::in_between) {
        evidence.notes.push(Note {
            place: "scope".to_owned(),
            text: format!("{region} was not asked: it is neither enabled nor disabled, but {status}"),
            incomplete: false,
        });
    }
    let scope = match (&evidence.run.regions, &listed) {
        (Some(named), _) => {
            let named: BTreeSet<String> = named.iter().cloned().collect();
            let left_out: Vec<&str> = enabled.difference(&named).map(String::as_str).collect();
            if !left_out.is_empty() {
                evidence.notes.push(Note {
                    place: "scope".to_owned(),
                    text: format!("left out on request, though enabled: {}", left_out.join(", ")),
                    incomplete: false,
                });
            }
            named
        }
        (None, Outcome::Collected(_)) if !enabled.is_empty() => enabled,
        (None, outcome) => {
            let why = outcome.gap().map_or_else(|| "it names no enabled Region".to_owned(), ToString::to_string);
            evidence.notes.push(Note {
                place: call.to_string(),
                text: format!("only {home} was asked, because the Regions of the account are not known ({why})"),
                incomplete: true,
            });
            BTreeSet::from([home])
        }
    };
    evidence.insert(call, listed);
    scope
}

/// The part of the period that the event history can still tell: 90 days.
fn event_period(evidence: &mut Evidence) -> crate::evidence::Period {
    let mut period = evidence.run.period;
    let reach = crate::evidence::Timestamp(evidence.run.as_of.0 - chrono::TimeDelta::days(90));
    if period.from < reach && evidence.run.operations.iter().any(|op| op == "cloudtrail:LookupEvents") {
        evidence.notes.push(Note {
            place: Operation::CloudTrailLookupEvents.to_string(),
            text: format!(
                "the event history reaches back 90 days, to {reach}; events of the period before that were not collected"
            ),
            incomplete: true,
        });
        period.from = reach;
    }
    period
}
