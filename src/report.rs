//! Reports: what people and programs read, made from evidence, resources, controls and findings.
//!
//! Every function here turns an [`Audit`] into text or bytes and does nothing else: no file, no clock, no terminal.
//! Equal input gives equal bytes. Whatever came from outside is shown so that it cannot pass for something else:
//! escaped in HTML, defused in CSV, visible everywhere; the JSON keeps the original.

pub mod costs;
pub mod csv;
pub mod facts;
pub mod html;
pub mod json;
pub mod readme;
pub mod tables;
pub mod terminal;
pub mod trail_logs;
pub mod words;

pub use costs::{GapCost, gap_costs};
pub use facts::controls_digest;
pub use html::write_html;
pub use json::{findings_json, summary_json, write_findings_json};
pub use readme::readme_txt;
pub use tables::{findings_csv, matrix_csv, requirements_csv, write_findings_csv, write_population};
pub use terminal::{Written, summary};
pub use trail_logs::trail_logs;

use crate::controls::Controls;
use crate::evaluate::Evaluation;
use crate::evidence::Evidence;
use crate::finding::Severity;
use crate::resource::Resources;
use serde::{Deserialize, Serialize};

/// Everything that a report is made from.
#[derive(Clone, Copy, Debug)]
pub struct Audit<'a> {
    /// What was collected.
    pub evidence: &'a Evidence,
    /// What it was read as.
    pub resources: &'a Resources,
    /// What it was judged by.
    pub controls: &'a Controls,
    /// What was found.
    pub evaluation: &'a Evaluation,
    /// The least severity of an open failure that makes the run fail; `None` for none.
    pub fail_on: Option<Severity>,
}

/// How a run that left a package ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conclusion {
    /// Exit 0: no open failure at or above the threshold, nothing unknown.
    Clean,
    /// Exit 1: open failures at or above the threshold.
    Failed,
    /// Exit 3: no such failure, but something in scope is not known.
    Incomplete,
}

impl Audit<'_> {
    /// How the run ended.
    pub fn conclusion(&self) -> Conclusion {
        use crate::finding::Status;
        let findings = &self.evaluation.findings;
        let fails =
            |f: &&crate::finding::Finding| f.is_open_failure() && self.fail_on.is_some_and(|least| f.severity >= least);
        // A check that left no finding says nothing, which is no pass.
        let unknown = findings.iter().any(|f| f.status == Status::Unknown) || facts::silent_checks(self) > 0;
        let gap = !costs::gaps(self).is_empty()
            || self.evidence.notes.iter().any(|note| note.incomplete)
            || self.resources.populations.values().any(|population| !population.incomplete.is_empty())
            || self.resources.reconciliation.iter().any(|reconciliation| !reconciliation.agrees);
        if findings.iter().any(|f| fails(&f)) {
            Conclusion::Failed
        } else if unknown || gap {
            Conclusion::Incomplete
        } else {
            Conclusion::Clean
        }
    }
}
