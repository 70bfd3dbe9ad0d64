//! Making the package again from its recording, and comparing byte for byte.

use super::super::CommandError;
use super::super::arguments::VerifyArgs;
use super::super::attach;
use super::super::judge::contents;
use super::super::record::{self, LastRecord};
use super::super::source::Replay;
use crate::controls::Controls;
use crate::evaluate::evaluate;
use crate::finding::Severity;
use crate::package::{self, ATTESTATION, Manifest, OpenPackage, Problem, Seals, Step, TIMESTAMP, Verdict};
use crate::report::Audit;
use crate::resource::Resources;
use crate::review::{Closed, REGISTER_FILE};

/// Makes the package again from its recording, and compares.
pub(super) fn derivation(args: &VerifyArgs, opened: &mut OpenPackage, before: &[Step]) -> Result<Step, CommandError> {
    const STEP: &str = "derivation";
    if args.no_derivation {
        return Ok(Step::ended(
            STEP,
            Verdict::NotChecked,
            "left out on request: whether the tables follow from AWS's answers is not known",
        ));
    }
    if !opened.paths().any(|path| path.starts_with("raw/")) {
        const NOTHING: &str = "there are no answers of AWS to derive anything from";
        if !opened.has(REGISTER_FILE) {
            return Ok(Step::ended(STEP, Verdict::NotApplicable, NOTHING));
        }
        let (again, packaged) = (record::from_documents(opened), opened.read(REGISTER_FILE).map_err(|e| e.to_string()));
        return Ok(match (again, packaged) {
            (Ok(Some(again)), Ok(packaged)) if again == packaged => Step::ended(
                STEP,
                Verdict::NotApplicable,
                format!(
                    "{NOTHING}; the record of the access review follows from the documents below evidence/ that somebody supplied"
                ),
            ),
            (Ok(_), Ok(_)) => {
                let text = "does not follow from review/input/ and the documents below evidence/";
                Step::of(STEP, "", vec![Problem::of(REGISTER_FILE, text)])
            }
            (Err(reason), _) | (_, Err(reason)) => Step::of(STEP, "", vec![Problem::of(REGISTER_FILE, reason)]),
        });
    }
    let failed_to_read = |reason: String| Step::of(STEP, "", vec![Problem::of("", reason)]);
    // What cannot be unpacked with the right digests cannot be replayed, and was told of before.
    let replay = match Replay::open_unchecked(&args.package) {
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

/// The conclusion, the statuses of the requirements and of the checks, and check, resource and status of each finding; nothing if they cannot be read.
fn statuses(package: &mut OpenPackage) -> Option<Vec<[serde_json::Value; 3]>> {
    let json: serde_json::Value = serde_json::from_slice(&package.bytes("findings.json").ok()?).ok()?;
    let requirement = |of: &serde_json::Value| ["framework", "requirement", "status"].map(|member| of[member].clone());
    let requirements = json["requirements"].as_array()?.iter().map(requirement);
    let check = |of: &serde_json::Value| ["check", "severity", "status"].map(|member| of[member].clone());
    let checks = json["checks"].as_array()?.iter().map(check);
    let run = ["conclusion", "exit_code", "fail_on"].map(|member| json["run"][member].clone());
    let finding = |of: &serde_json::Value| ["check", "resource", "status"].map(|member| of[member].clone());
    Some(
        std::iter::once(run)
            .chain(requirements)
            .chain(checks)
            .chain(json["findings"].as_array()?.iter().map(finding))
            .collect(),
    )
}

/// The first version that was released.
const FIRST_VERSION: [u64; 3] = [0, 1, 0];

/// The numbers of a version such as 1.2.3.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = version.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Another version may lay out reports and tables in another way. What AWS told and what was found may not differ.
fn other_version(manifest: &Manifest, problems: Vec<Problem>) -> Step {
    const STEP: &str = "derivation";
    let ours = env!("CARGO_PKG_VERSION");
    let theirs = &manifest.tool.version;
    if theirs == ours {
        return Step::of(STEP, "", problems);
    }
    // Whoever claims a version that never was would have every difference excused.
    if numbers(theirs).is_none_or(|theirs| FIRST_VERSION > theirs) {
        let mut problems = problems;
        let what = format!("says that auditpack {} made it, a version that was never released", theirs.escape_debug());
        problems.push(Problem::of(package::MANIFEST, what));
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
