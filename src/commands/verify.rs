//! `auditpack verify`: whether a package is what it says, and follows from what AWS answered.
//!
//! Nothing of the package is trusted. It is opened, compared with its own lists, made again from its recording, and
//! compared byte for byte; its signature is checked with a key that comes from elsewhere.

mod controls;
mod derivation;
mod events;
mod other_version;
mod review;
mod seals;

use super::arguments::VerifyArgs;
use super::record;
use super::{CommandError, Exit, print};
use crate::package::timestamp::{Roots, Stamped};
use crate::package::{self, Confirmed, Manifest, OpenPackage, Problem, PublicKey, Step, Verdict};
use serde::Serialize;
use std::path::Path;

/// The version of the JSON that --json prints.
const FORMAT: u32 = 1;

/// What a verification came to.
#[derive(Debug, Serialize)]
struct Report {
    format: u32,
    package: String,
    sha256: String,
    manifest_sha256: Option<String>,
    account: Option<String>,
    as_of: Option<String>,
    verdict: &'static str,
    says: String,
    exit_code: u8,
    steps: Vec<Step>,
    /// Files of another version's package of which this version cannot tell whether they follow from the recording.
    not_derived: Vec<String>,
    /// What the time stamp states, if it leads to a given root.
    time_stamp: Option<TimeStamp>,
    /// What became of each call in an export of CloudTrail events, if one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    corroboration: Option<Vec<Confirmed>>,
}

/// What a time stamp states.
#[derive(Debug, Serialize)]
struct TimeStamp {
    time: String,
    authority: String,
    policy: String,
    serial: String,
    accuracy: Option<String>,
}

impl From<Stamped> for TimeStamp {
    fn from(of: Stamped) -> Self {
        let Stamped { time, accuracy, authority, policy, serial } = of;
        Self { time: time.zulu(), authority, policy, serial, accuracy }
    }
}

/// What was established besides the steps.
#[derive(Debug, Default)]
struct Told {
    manifest: Option<Manifest>,
    manifest_sha256: Option<String>,
    time_stamp: Option<Stamped>,
    corroboration: Option<Vec<Confirmed>>,
}

pub(super) fn run(args: &VerifyArgs) -> Result<Exit, CommandError> {
    let key = args.key.as_deref().map(public_key).transpose()?;
    let roots = args.timestamp_roots.as_deref().map(timestamp_roots).transpose()?;
    // The SHA-256 of the zip, to compare with one that was told by another way.
    let sha256 = record::digest(&args.package)
        .map_err(|e| CommandError::usage(format!("cannot read {}: {e}", args.package.display())))?;
    let mut steps = Vec::new();
    let mut opened = match package::open_to_check(&args.package) {
        Ok(opened) => opened,
        Err(error) => {
            steps.push(Step::of("container", "", vec![Problem::of("", error.to_string())]));
            let rest = [
                "digests",
                "recording",
                "pages",
                "redactions",
                "consistency",
                "controls",
                "derivation",
                "signature",
                "time stamp",
            ];
            steps.extend(rest.map(|step| Step::ended(step, Verdict::NotChecked, "the package cannot be read")));
            return conclude(args, report(args, sha256, Told::default(), steps));
        }
    };
    let entries = opened.paths().count();
    let says = format!("{entries} entries, none with a name or a size that could do harm, and nothing besides");
    steps.push(Step::of("container", says, opened.layout().to_vec()));
    steps.extend(package::check(&mut opened).map_err(CommandError::no_package)?);
    steps.push(controls::controls(&mut opened));
    steps.push(derivation::derivation(args, &mut opened, &steps)?);
    steps.extend(review::last_review(args, &mut opened)?);
    steps.push(seals::signature(&mut opened, key.as_ref()));
    let (step, time_stamp) = seals::time_stamp(&mut opened, roots.as_ref());
    steps.push(step);
    let mut corroboration = None;
    if let Some(export) = &args.corroborate {
        let (step, calls) = events::corroborate(&mut opened, export)?;
        steps.push(step);
        corroboration = Some(calls);
    }
    let told = Told {
        manifest_sha256: manifest_sha256(&mut opened),
        manifest: Some(opened.manifest().clone()),
        time_stamp,
        corroboration,
    };
    conclude(args, report(args, sha256, told, steps))
}

fn manifest_sha256(opened: &mut OpenPackage) -> Option<String> {
    opened.bytes(package::MANIFEST).ok().map(|bytes| crate::evidence::digest::sha256(&bytes))
}

fn public_key(path: &Path) -> Result<PublicKey, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CommandError::usage(format!("cannot read the key {}: {e}", path.display())))?;
    PublicKey::from_pem(&text)
        .map_err(|reason| CommandError::usage(format!("cannot verify with {}: {reason}", path.display())))
}

fn timestamp_roots(path: &Path) -> Result<Roots, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CommandError::usage(format!("cannot read the certificates {}: {e}", path.display())))?;
    Roots::from_pem(&text)
        .map_err(|reason| CommandError::usage(format!("cannot verify with {}: {reason}", path.display())))
}

fn report(args: &VerifyArgs, sha256: String, told: Told, steps: Vec<Step>) -> Report {
    let failed = steps.iter().any(|step| step.verdict == Verdict::Failed);
    let only = |name: &str| steps.iter().all(|step| step.verdict != Verdict::Failed || step.step == name);
    let verdict_of = |name: &str| steps.iter().find(|step| step.step == name).map(|step| step.verdict);
    let derived = match verdict_of("derivation") {
        Some(Verdict::Ok) => "everything in it follows from AWS's answers",
        Some(Verdict::InPart) => {
            "its evidence, rows, values and statuses follow from AWS's answers; whether the files named under derivation do, \
             this version cannot tell: rely on them only after a verification with the version that made them"
        }
        Some(Verdict::NotApplicable) => "it holds no answers of AWS to check it against",
        _ => "whether it follows from AWS's answers was not checked",
    };
    let derivable = verdict_of("derivation") != Some(Verdict::NotApplicable);
    let in_part = verdict_of("derivation") == Some(Verdict::InPart);
    let mut derived = derived.to_owned();
    if let Some(stamped) = &told.time_stamp {
        derived.push_str(&format!("; it was there at {}", stamped.time.zulu()));
    }
    match verdict_of("corroboration") {
        Some(Verdict::Ok) => derived.push_str("; AWS's own log confirms the calls"),
        Some(Verdict::InPart) => derived.push_str("; AWS's own log confirms some of the calls, and denies none"),
        Some(Verdict::NotChecked | Verdict::NotApplicable) => derived.push_str("; AWS's own log confirms no call"),
        _ => {}
    }
    let (verdict, says) = match (failed, verdict_of("signature")) {
        (true, _) if only("corroboration") => (
            "not corroborated",
            "the package is intact, and AWS's own log does not know all of its calls; do not rely on it".to_owned(),
        ),
        (true, _) => ("not intact", "the package is not what it says; do not rely on it".to_owned()),
        (false, Some(Verdict::Ok)) => (
            match (in_part, derivable) {
                (true, _) => "authentic, derived in part",
                (_, false) => "authentic, not derivable",
                _ => "authentic",
            },
            format!("intact, signed by the key that was given; {derived}"),
        ),
        (false, _) => (
            match (in_part, derivable) {
                (true, _) => "intact, derived in part, origin not proven",
                (_, false) => "intact, not derivable, origin not proven",
                _ => "intact, origin not proven",
            },
            format!("nothing shows who made it; {derived}"),
        ),
    };
    let Told { manifest, manifest_sha256, time_stamp, corroboration } = told;
    let of_another_version = steps.iter().filter(|step| step.step == "derivation" && step.verdict == Verdict::InPart);
    let not_derived = of_another_version.flat_map(|step| &step.problems).map(|of| of.file.clone()).collect();
    Report {
        format: FORMAT,
        package: args.package.display().to_string(),
        sha256,
        manifest_sha256,
        account: manifest.as_ref().and_then(|manifest| manifest.account.id.clone()),
        as_of: manifest.as_ref().map(|manifest| manifest.as_of.zulu()),
        verdict,
        says,
        exit_code: if failed { Exit::NotIntact as u8 } else { Exit::Clean as u8 },
        steps,
        not_derived,
        time_stamp: time_stamp.map(TimeStamp::from),
        corroboration,
    }
}

fn conclude(args: &VerifyArgs, report: Report) -> Result<Exit, CommandError> {
    let text = if args.json {
        // Texts, numbers and lists always serialise.
        let json = serde_json::to_string_pretty(&report).map_err(CommandError::no_package)?;
        format!("{json}\n")
    } else {
        text(&report)
    };
    print(&text)?;
    Ok(if report.exit_code == 0 { Exit::Clean } else { Exit::NotIntact })
}

/// How many problems of a step are told one by one; --json tells all.
const MOST_PROBLEMS: usize = 12;

fn text(report: &Report) -> String {
    let mut out = format!("{}\n  SHA-256  {}\n", report.package, report.sha256);
    if let Some(sha256) = &report.manifest_sha256 {
        out.push_str(&format!("  manifest {sha256}\n"));
    }
    out.push('\n');
    for step in &report.steps {
        let lead = format!("  {:<13} {:<12} ", step.step, step.verdict.word());
        crate::report::words::paragraph(&mut out, &lead, &crate::report::words::visible(&step.says), 100);
        for problem in step.problems.iter().take(MOST_PROBLEMS) {
            let place = if problem.file.is_empty() { String::new() } else { format!("{}: ", problem.file) };
            let told = format!("{place}{}", problem.what);
            crate::report::words::paragraph(&mut out, "      - ", &crate::report::words::visible(&told), 100);
        }
        let more = step.problems.len().saturating_sub(MOST_PROBLEMS);
        if more > 0 {
            out.push_str(&format!("      - and {more} more; --json tells all\n"));
        }
    }
    out.push_str(&format!("\nVerdict: {}\n", report.verdict));
    crate::report::words::paragraph(&mut out, "         ", &report.says, 100);
    out
}
