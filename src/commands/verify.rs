//! `auditpack verify`: whether a package is what it says, and follows from what AWS answered.
//!
//! Nothing of the package is trusted. It is opened, compared with its own lists, made again from its recording, and
//! compared byte for byte; its signature is checked with a key that comes from elsewhere.

use super::arguments::VerifyArgs;
use super::attach;
use super::judge::contents;
use super::record::{self, LastRecord};
use super::source::Replay;
use super::{CommandError, Exit, print};
use crate::controls::Controls;
use crate::evaluate::evaluate;
use crate::finding::Severity;
use crate::package::{
    self, ATTESTATION, Attestation, Manifest, OpenPackage, Problem, PublicKey, Seals, Step, TIMESTAMP, Verdict,
};
use crate::report::Audit;
use crate::resource::Resources;
use crate::review::Closed;
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
}

pub(super) fn run(args: &VerifyArgs) -> Result<Exit, CommandError> {
    let key = args.key.as_deref().map(public_key).transpose()?;
    // The SHA-256 of the zip, to compare with one that was told by another way.
    let sha256 = record::digest(&args.package)
        .map_err(|e| CommandError::usage(format!("cannot read {}: {e}", args.package.display())))?;
    let mut steps = Vec::new();
    let mut opened = match package::open_to_check(&args.package) {
        Ok(opened) => opened,
        Err(error) => {
            steps.push(Step::of("container", "", vec![Problem::of("", error.to_string())]));
            let rest = ["digests", "recording", "pages", "redactions", "consistency", "derivation", "signature"];
            steps.extend(rest.map(|step| Step::ended(step, Verdict::NotChecked, "the package cannot be read")));
            return conclude(args, report(args, sha256, None, steps));
        }
    };
    let entries = opened.paths().count();
    steps.push(Step::ended(
        "container",
        Verdict::Ok,
        format!("{entries} entries, none with a name or a size that could do harm"),
    ));
    steps.extend(package::check(&mut opened).map_err(CommandError::no_package)?);
    steps.push(derivation(args, &mut opened, &steps)?);
    steps.extend(last_review(args, &mut opened)?);
    steps.push(signature(&mut opened, key.as_ref()));
    let told = (opened.manifest().clone(), manifest_sha256(&mut opened));
    conclude(args, report(args, sha256, Some(told), steps))
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

/// Makes the package again from its recording, and compares.
fn derivation(args: &VerifyArgs, opened: &mut OpenPackage, before: &[Step]) -> Result<Step, CommandError> {
    const STEP: &str = "derivation";
    if args.no_derivation {
        return Ok(Step::ended(
            STEP,
            Verdict::NotChecked,
            "left out on request: whether the tables follow from AWS's answers is not known",
        ));
    }
    if !opened.paths().any(|path| path.starts_with("raw/")) {
        return Ok(Step::ended(STEP, Verdict::NotApplicable, "there are no answers of AWS to derive anything from"));
    }
    let failed_to_read = |reason: String| Step::of(STEP, "", vec![Problem::of("", reason)]);
    // What cannot be unpacked with the right digests cannot be replayed, and was told of before.
    let replay = match Replay::open(&args.package) {
        Ok(replay) => replay,
        Err(_) if before.iter().any(|step| step.verdict == Verdict::Failed) => {
            return Ok(Step::ended(STEP, Verdict::NotChecked, "impossible with files that were altered"));
        }
        Err(error) => return Ok(failed_to_read(error.to_string())),
    };
    let folder = tempfile::Builder::new()
        .prefix("auditpack-")
        .tempdir()
        .map_err(|e| CommandError::no_package(format!("cannot create a temporary folder: {e}")))?;
    let mut controls = match opened.controls().map_err(|e| e.to_string()).and_then(|files| {
        Controls::from_files(&files).map_err(|e| format!("the packaged controls cannot be read: {e}"))
    }) {
        Ok(controls) => controls,
        Err(reason) => return Ok(failed_to_read(reason)),
    };
    let manual = folder.path().join("manual");
    let attached = std::fs::create_dir(&manual).map_err(|e| e.to_string());
    let attached = attached.and_then(|()| opened.unpack("manual/", &manual).map_err(|e| e.to_string()));
    if let Err(reason) = attached.and_then(|_| attach::unpacked(&mut controls.settings, &manual)) {
        return Ok(failed_to_read(reason));
    }
    let manifest = opened.manifest().clone();
    let fail_on = match fail_on(&manifest) {
        Ok(fail_on) => fail_on,
        Err(reason) => return Ok(failed_to_read(reason)),
    };
    let evidence = match replay.evidence(None) {
        Ok(evidence) => evidence,
        Err(error) => return Ok(failed_to_read(format!("the recording cannot be replayed: {error}"))),
    };
    let resources = Resources::build(&evidence, &controls.settings.profile);
    let records = record::made_again(opened, &evidence, &resources)
        .and_then(|closed| LastRecord::packaged(opened).map(|last| (closed, last)));
    let (closed, last) = match records {
        Ok((Some(_), Some(_))) => return Ok(failed_to_read("it holds the records of two access reviews".to_owned())),
        Ok(records) => records,
        Err(reason) => {
            return Ok(failed_to_read(format!("the record of the access review cannot be made again: {reason}")));
        }
    };
    let review = closed.as_ref().map(Closed::last_review).or_else(|| last.as_ref().map(|last| last.review.clone()));
    let resources = resources.reviewed(&evidence, review);
    let evaluation = evaluate(&evidence, &resources, &controls);
    let review = match closed {
        Some(closed) => {
            let findings = closed.findings(&evaluation, &controls);
            closed.files(&findings)
        }
        None => last.map(|last| last.files).unwrap_or_default(),
    };
    let audit =
        Audit { evidence: &evidence, resources: &resources, controls: &controls, evaluation: &evaluation, fail_on };
    let mut seals = Vec::new();
    for path in [ATTESTATION, TIMESTAMP] {
        if let Ok(bytes) = opened.bytes(path) {
            seals.push((path, bytes));
        }
    }
    let seals = Seals::copied(manifest.seals.clone(), seals);
    let target = folder.path().join("again.zip");
    let written =
        contents(audit, Some(&replay.recording), review, seals).and_then(|made| package::write(made, &target, false));
    if let Err(error) = written {
        return Ok(failed_to_read(format!("the package cannot be made again: {error}")));
    }
    if package::same_bytes(&args.package, &target).map_err(CommandError::no_package)? {
        return Ok(Step::ended(
            STEP,
            Verdict::Ok,
            format!(
                "made again from AWS's answers and the packaged controls: {} files, every byte of the zip the same",
                manifest.files.len() + 2
            ),
        ));
    }
    let mut again = package::open(&target).map_err(CommandError::no_package)?;
    let mut problems = package::differences(opened, &mut again).map_err(CommandError::no_package)?;
    if problems.is_empty() {
        problems.push(Problem::of("", "its files are those that auditpack makes, but the zip around them is not: it was packed anew, or bytes between its files were changed; ask for the original"));
    }
    if manifest.tool.version != env!("CARGO_PKG_VERSION") && statuses(opened) != statuses(&mut again) {
        problems.push(Problem::of(
            "controls/",
            "by the packaged controls, the findings have other statuses than the package says",
        ));
    }
    Ok(other_version(&manifest, problems))
}

/// Compares a copied record of an access review with the package that it is said to be taken from: that package's own
/// evidence stands behind it, and is not in this one.
fn last_review(args: &VerifyArgs, opened: &mut OpenPackage) -> Result<Option<Step>, CommandError> {
    const STEP: &str = "review";
    let last = match LastRecord::packaged(opened) {
        Ok(Some(last)) => last,
        Ok(None) if args.review.is_some() => {
            let text = "--review is for packages that hold a copy of the record of an access review; this one does not";
            return Err(CommandError::usage(text));
        }
        Ok(None) => return Ok(None),
        Err(reason) => return Ok(Some(Step::of(STEP, "", vec![Problem::of(crate::review::LAST_FOLDER, reason)]))),
    };
    let said = last.review.record.as_ref();
    let (name, sha256) = said.map_or(("", ""), |record| (record.name.as_str(), record.sha256.as_str()));
    let Some(path) = &args.review else {
        let says = format!(
            "its record of the access review is said to be taken from {name}, SHA-256 {sha256}: give that with --review"
        );
        return Ok(Some(Step::ended(STEP, Verdict::NotChecked, says)));
    };
    let mut problems = Vec::new();
    match LastRecord::load(path) {
        Ok(given) => {
            if given.review.record.as_ref().map(|record| &record.sha256) != said.map(|record| &record.sha256) {
                let text = format!(
                    "is said to be taken from a package with SHA-256 {sha256}, which {} has not",
                    path.display()
                );
                problems.push(Problem::of(crate::review::LAST_FOLDER, text));
            }
            let register = |record: &LastRecord| record.files.get(&record.review.register.file).cloned();
            if register(&given) != register(&last) {
                problems.push(Problem::of(&last.review.register.file, format!("is not what {} holds", path.display())));
            }
        }
        Err(error) => problems.push(Problem::of("", error.to_string())),
    }
    if problems.is_empty() {
        let says =
            format!("its record of the access review is that of {name}, which follows from that package's evidence");
        return Ok(Some(Step::ended(STEP, Verdict::Ok, says)));
    }
    Ok(Some(Step::of(STEP, "", problems)))
}

/// Check, resource and status of each finding; nothing if they cannot be read.
fn statuses(package: &mut OpenPackage) -> Option<Vec<[serde_json::Value; 3]>> {
    let json: serde_json::Value = serde_json::from_slice(&package.bytes("findings.json").ok()?).ok()?;
    let finding = |of: &serde_json::Value| ["check", "resource", "status"].map(|member| of[member].clone());
    Some(json["findings"].as_array()?.iter().map(finding).collect())
}

/// Another version may lay out reports and tables in another way. What AWS told and what was found may not differ.
fn other_version(manifest: &Manifest, problems: Vec<Problem>) -> Step {
    const STEP: &str = "derivation";
    let ours = env!("CARGO_PKG_VERSION");
    let theirs = &manifest.tool.version;
    if theirs == ours {
        return Step::of(STEP, "", problems);
    }
    let says = format!(
        "the package was made by auditpack {theirs}; this is {ours}, which makes some files otherwise: verify it with {theirs}"
    );
    let must_be_same = |problem: &Problem| {
        ["evidence/", "raw/", "controls/", "manual/"].iter().any(|folder| problem.file.starts_with(folder))
    };
    let verdict = if problems.iter().any(must_be_same) { Verdict::Failed } else { Verdict::InPart };
    Step { step: STEP, verdict, says, problems }
}

fn fail_on(manifest: &Manifest) -> Result<Option<Severity>, String> {
    match manifest.conclusion.fail_on.as_str() {
        "none" => Ok(None),
        word => word.parse().map(Some),
    }
}

fn signature(opened: &mut OpenPackage, key: Option<&PublicKey>) -> Step {
    const STEP: &str = "signature";
    let declared = opened.manifest().seals.signed_by.clone();
    let fail = |what: String| Step::of(STEP, "", vec![Problem::of(ATTESTATION, what)]);
    if !opened.has(ATTESTATION) {
        return match (declared, key) {
            (Some(key), _) => fail(format!("is missing: the manifest says that key {key} signed the package")),
            (None, Some(_)) => fail("is missing: the package is not signed".to_owned()),
            (None, None) => {
                Step::ended(STEP, Verdict::NotApplicable, "the package is not signed: anybody could have made it")
            }
        };
    }
    let read = opened.bytes(ATTESTATION).map_err(|e| e.to_string()).and_then(|bytes| Attestation::read(&bytes));
    let attestation = match read {
        Ok(attestation) => attestation,
        Err(reason) => return fail(reason),
    };
    let said = attestation.keys().collect::<Vec<_>>().join(", ");
    if Some(&attestation.manifest_sha256) != manifest_sha256(opened).as_ref() {
        return fail("is about another manifest".to_owned());
    }
    match (&declared, key) {
        (None, _) => fail("is there, and the manifest does not say that the package is signed".to_owned()),
        (Some(declared), _) if said != *declared => {
            fail(format!("says it is by key {said}, the manifest says key {declared}"))
        }
        (Some(_), None) => Step::ended(
            STEP,
            Verdict::NotChecked,
            format!("the package says that key {said} signed it; give that key, from elsewhere, with --key"),
        ),
        (Some(_), Some(key)) if !attestation.is_by(key) => {
            fail(format!("is not by the key that was given, {}: the package says key {said}", key.fingerprint()))
        }
        (Some(_), Some(key)) => {
            Step::ended(STEP, Verdict::Ok, format!("signed by the key that was given, {}", key.fingerprint()))
        }
    }
}

fn report(args: &VerifyArgs, sha256: String, told: Option<(Manifest, Option<String>)>, steps: Vec<Step>) -> Report {
    let failed = steps.iter().any(|step| step.verdict == Verdict::Failed);
    let verdict_of = |name: &str| steps.iter().find(|step| step.step == name).map(|step| step.verdict);
    let derived = match verdict_of("derivation") {
        Some(Verdict::Ok) => "everything in it follows from AWS's answers",
        Some(Verdict::InPart) => {
            "the evidence in it follows from AWS's answers; other files could not be derived by this version"
        }
        Some(Verdict::NotApplicable) => "it holds no answers of AWS to check it against",
        _ => "whether it follows from AWS's answers was not checked",
    };
    let (verdict, says) = match (failed, verdict_of("signature")) {
        (true, _) => ("not intact", "the package is not what it says; do not rely on it".to_owned()),
        (false, Some(Verdict::Ok)) => ("authentic", format!("intact, signed by the key that was given; {derived}")),
        (false, _) => ("intact, origin not proven", format!("nothing shows who made it; {derived}")),
    };
    let (manifest, manifest_sha256) = told.unzip();
    Report {
        format: FORMAT,
        package: args.package.display().to_string(),
        sha256,
        manifest_sha256: manifest_sha256.flatten(),
        account: manifest.as_ref().and_then(|manifest| manifest.account.id.clone()),
        as_of: manifest.as_ref().map(|manifest| manifest.as_of.zulu()),
        verdict,
        says,
        exit_code: if failed { Exit::NotIntact as u8 } else { Exit::Clean as u8 },
        steps,
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
        let lead = format!("  {:<12} {:<12} ", step.step, step.verdict.word());
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
