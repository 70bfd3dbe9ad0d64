//! The copy of the record of an access review, held against the package that it was taken from.

use super::super::CommandError;
use super::super::arguments::VerifyArgs;
use super::super::record::LastRecord;
use crate::package::{OpenPackage, Problem, Step, Verdict};

/// Compares a copied record of an access review with the package that it is said to be taken from: that package's own
/// evidence stands behind it, and is not in this one.
pub(super) fn last_review(args: &VerifyArgs, opened: &mut OpenPackage) -> Result<Option<Step>, CommandError> {
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
            let register = |record: &LastRecord| record.files.get(&*record.review.register.file).cloned();
            if register(&given) != register(&last) {
                problems
                    .push(Problem::of(&*last.review.register.file, format!("is not what {} holds", path.display())));
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
