//! Controls: checks, frameworks, parameters and exceptions, as data.
//!
//! They are embedded in the binary and can be overridden and extended from a folder. All errors of all
//! files are reported at once, each with file, line and column.

pub mod check;
pub mod framework;
pub mod settings;

pub use check::Check;
pub use framework::{Automation, Framework, Requirement};
pub use settings::Settings;

use crate::evidence::Operation;
use std::collections::{BTreeMap, BTreeSet};

/// The controls that a run uses.
#[derive(Debug)]
pub struct Controls {
    /// The checks that the selected frameworks name, by id.
    pub checks: BTreeMap<String, Check>,
    /// The selected frameworks, by id.
    pub frameworks: BTreeMap<String, Framework>,
    /// Parameters and exceptions.
    pub settings: Settings,
    /// The files that all this was read from: path below `controls/` in the package, and text.
    pub files: BTreeMap<String, String>,
}

impl Controls {
    /// The calls that the checks and the frameworks' evidence need. GetCallerIdentity and ListRegions are always among them.
    pub fn operations(&self) -> BTreeSet<Operation> {
        let of_checks = self.checks.values().flat_map(Check::operations);
        let of_requirements = self.frameworks.values().flat_map(|f| &f.requirements).flat_map(|r| r.evidence.clone());
        let mut operations: BTreeSet<Operation> = of_checks.chain(of_requirements).collect();
        operations.extend([Operation::StsGetCallerIdentity, Operation::AccountListRegions]);
        operations
    }
}
