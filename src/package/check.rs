//! Whether a package is what it says of itself, as far as that can be told from the package alone.
//!
//! These are the steps 1 to 4 of docs/package-format.md, section 11. They need no replay and no key, and judge
//! nothing: every step ends with a verdict, and every complaint names the file that it is about.

mod consistency;
mod recording;

use super::error::PackageError;
use super::manifest::Source;
use super::open::OpenPackage;
use super::{ATTESTATION, MANIFEST, SUMS, TIMESTAMP};
use serde::Serialize;

/// What a step of a verification came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It holds.
    Ok,
    /// It does not concern this package.
    NotApplicable,
    /// It holds as far as this version of auditpack can tell, and the rest is said.
    InPart,
    /// Nobody asked for it, or an earlier step makes it impossible.
    NotChecked,
    /// It does not hold.
    Failed,
}

impl Verdict {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::NotApplicable => "n/a",
            Verdict::InPart => "in part",
            Verdict::NotChecked => "not checked",
            Verdict::Failed => "FAILED",
        }
    }
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// The file of the package; empty where it is the package as a whole.
    pub file: String,
    /// What is wrong.
    pub what: String,
}

impl Problem {
    /// A problem of a file.
    pub fn of(file: impl Into<String>, what: impl Into<String>) -> Self {
        Self { file: file.into(), what: what.into() }
    }
}

/// One step of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What was looked at.
    pub step: &'static str,
    /// What it came to.
    pub verdict: Verdict,
    /// What was established, in a sentence.
    pub says: String,
    /// What is wrong.
    pub problems: Vec<Problem>,
}

impl Step {
    /// A step that failed if there are problems, and otherwise establishes what `says` says.
    pub fn of(step: &'static str, says: impl Into<String>, problems: Vec<Problem>) -> Self {
        match problems.len() {
            0 => Self::ended(step, Verdict::Ok, says),
            n => {
                let says = if n == 1 { "one thing is wrong:".to_owned() } else { format!("{n} things are wrong:") };
                Self { step, verdict: Verdict::Failed, says, problems }
            }
        }
    }

    /// A step that ended in another way.
    pub fn ended(step: &'static str, verdict: Verdict, says: impl Into<String>) -> Self {
        Self { step, verdict, says: says.into(), problems: Vec::new() }
    }
}

/// Looks at all that a package says of itself. The container was looked at when it was opened.
pub fn check(package: &mut OpenPackage) -> Result<Vec<Step>, PackageError> {
    let mut steps = vec![digests(package)];
    let recorded = package.manifest().source == Source::Recording;
    if package.paths().any(|path| path.starts_with("raw/")) {
        steps.extend(recording::check(package)?);
    } else if recorded {
        // What is not there cannot contradict what was made from it.
        let what = "says that the evidence was made from a recording, and raw/ is not there";
        steps.push(Step::of("recording", "", vec![Problem::of(MANIFEST, what)]));
    } else {
        steps.push(Step::ended(
            "recording",
            Verdict::NotApplicable,
            "the package was made from files that somebody supplied; there are no answers of AWS to rebuild it from",
        ));
    }
    steps.push(consistency::check(package)?);
    Ok(steps)
}

pub(super) fn digests(package: &mut OpenPackage) -> Step {
    let report = package.check_sums();
    let mut problems: Vec<Problem> = report.altered.iter().map(|(file, what)| Problem::of(file, what)).collect();
    problems.extend(report.missing.iter().map(|file| Problem::of(file, "is named and not there")));
    problems.extend(report.unlisted.iter().map(|file| Problem::of(file, "is there, and nothing names it")));
    problems.extend(package.check_lists());
    problems.sort();
    problems.dedup();
    Step::of("digests", format!("{} files have the SHA-256 that {SUMS} and {MANIFEST} say", report.checked), problems)
}

/// Whether a path is one of the entries that seal a package, and so are in neither list.
pub(super) fn is_seal(path: &str) -> bool {
    path == ATTESTATION || path == TIMESTAMP
}
