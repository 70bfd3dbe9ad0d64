//! What a closed review says about the requirements that ask for one: the findings of the checks on access reviews.
//!
//! The checks are controls like any others (`controls/checks/review/`), and the frameworks map them; here they are
//! only picked out of the evaluation, requirement by requirement, for the record.

use crate::controls::Controls;
use crate::evaluate::Evaluation;
use crate::finding::{Finding, Status};
use crate::resource::Kind;

/// The outcome of one check on the review, for one requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReviewFinding {
    /// The framework's id.
    pub framework: String,
    /// The requirement's id.
    pub requirement: String,
    /// The check's id.
    pub check: String,
    /// The outcome.
    pub status: Status,
    /// What was found, in a sentence.
    pub message: String,
    /// Whether a valid exception covers the failure.
    pub excepted: bool,
    /// Where the package shows it.
    pub evidence: Vec<String>,
}

/// The findings on the review, by framework and requirement in the standard's order.
pub fn findings(evaluation: &Evaluation, controls: &Controls) -> Vec<ReviewFinding> {
    let is_review = |finding: &&Finding| {
        controls.checks.get(&*finding.check).is_some_and(|check| check.resource == Kind::AccessReview)
    };
    let found: Vec<&Finding> = evaluation.findings.iter().filter(is_review).collect();
    let mut all = Vec::new();
    for framework in controls.frameworks.values() {
        for requirement in &framework.requirements {
            for check in &requirement.checks {
                all.extend(found.iter().filter(|finding| finding.check == *check).map(|finding| ReviewFinding {
                    framework: framework.id.clone(),
                    requirement: requirement.id.clone(),
                    check: check.clone(),
                    status: finding.status,
                    message: finding.message.to_string(),
                    excepted: finding.exception.is_some(),
                    evidence: finding.evidence.iter().map(ToString::to_string).collect(),
                }));
            }
        }
    }
    all
}

/// The worst outcome, where accepted risks count as what they are; `None` if no requirement in scope asks for a review.
pub fn worst<'f>(findings: impl IntoIterator<Item = &'f ReviewFinding>) -> Option<Status> {
    findings.into_iter().map(|finding| finding.status).max()
}
