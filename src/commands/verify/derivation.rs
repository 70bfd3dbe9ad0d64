//! Making the package again from its recording, and comparing byte for byte.

use super::super::CommandError;
use super::super::arguments::VerifyArgs;
use super::super::attach;
use super::super::judge::contents;
use super::super::record::{self, LastRecord};
use super::super::source::Replay;
use super::other_version::{self, Comparison};
use crate::controls::Controls;
use crate::evaluate::evaluate;
use crate::finding::Severity;
use crate::package::{
    self, ATTESTATION, Manifest, OpenPackage, Problem, ScratchFolder, Seals, Step, TIMESTAMP, Verdict,
};
use crate::report::Audit;
use crate::resource::Resources;
use crate::review::{Closed, REGISTER_FILE};

/// The step's name.
const STEP: &str = "derivation";

/// Makes the package again from its recording, and compares.
pub(super) fn derivation(args: &VerifyArgs, opened: &mut OpenPackage, before: &[Step]) -> Result<Step, CommandError> {
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
    let folder = ScratchFolder::new().map_err(CommandError::no_package)?;
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
    let (resources, analysis) = Resources::with_analysis(&evidence, &controls.settings.profile);
    let records = record::made_again(opened, &evidence, &resources, &analysis)
        .and_then(|closed| LastRecord::packaged(opened).map(|last| (closed, last)));
    let (closed, last) = match records {
        Ok((Some(_), Some(_))) => return Ok(failed_to_read("it holds the records of two access reviews".to_owned())),
        Ok(records) => records,
        Err(reason) => {
            return Ok(failed_to_read(format!("the record of the access review cannot be made again: {reason}")));
        }
    };
    drop(analysis);
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
    Ok(judged(&manifest, opened, &mut again, problems))
}

/// The first version that was released.
const FIRST_VERSION: [u64; 3] = [0, 1, 0];

/// The numbers of a version such as 1.2.3.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let numbers: Option<Vec<u64>> = version.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// Of its own version, a package is the same byte by byte. What another version made is held to what all versions agree about.
fn judged(manifest: &Manifest, opened: &mut OpenPackage, again: &mut OpenPackage, mut problems: Vec<Problem>) -> Step {
    let ours = env!("CARGO_PKG_VERSION");
    let theirs = &manifest.tool.version;
    if theirs == ours {
        return Step::of(STEP, "", problems);
    }
    // Whoever claims a version that never was would have every difference excused.
    let Some(made_by) = numbers(theirs).filter(|theirs| *theirs >= FIRST_VERSION) else {
        let what = format!("says that auditpack {} made it, a version that was never released", theirs.escape_debug());
        problems.push(Problem::of(package::MANIFEST, what));
        return Step::of(STEP, "", problems);
    };
    if other_version::only_the_version_differs(opened, again, &problems) {
        let says = format!(
            "made again from AWS's answers and the packaged controls by auditpack {ours}: every file the same as {theirs} made it, \
             but for the version in the manifest"
        );
        return Step::ended(STEP, Verdict::Ok, says);
    }
    let Comparison { contradictions, unproven } = other_version::compare(opened, again, made_by, problems);
    if !contradictions.is_empty() {
        let says = format!(
            "the package says that auditpack {theirs} made it, and contradicts its own recording as {ours} reads it: it was \
             altered, or {theirs} reads differently; believe it only if {theirs} derives it in full:"
        );
        return Step { step: STEP, verdict: Verdict::Failed, says, problems: contradictions };
    }
    let says = format!(
        "the package was made by auditpack {theirs}; this is {ours}, which derives the same evidence, rows, values and statuses, and \
         cannot tell of the files below whether they say what {theirs} made: verify it with {theirs}"
    );
    Step { step: STEP, verdict: Verdict::InPart, says, problems: unproven }
}

fn fail_on(manifest: &Manifest) -> Result<Option<Severity>, String> {
    match manifest.conclusion.fail_on.as_str() {
        "none" => Ok(None),
        word => word.parse().map(Some),
    }
}
