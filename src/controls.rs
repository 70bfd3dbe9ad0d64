//! Controls: checks, frameworks, parameters and exceptions, as data.
//!
//! They are embedded in the binary and can be overridden and extended from a folder. All errors of all
//! files are reported at once, each with file, line and column. docs/controls.md is for their authors.

mod catalogue;
pub mod check;
pub mod conformance_pack;
pub mod error;
pub mod expression;
pub mod framework;
pub mod json_schema;
pub mod listing;
mod load;
pub mod managed_rule;
pub mod manual;
pub mod matrix;
pub mod message;
mod node;
mod own_rule;
#[cfg(test)]
mod pages;
pub mod parameter;
pub mod scaffold;
pub mod settings;
pub mod validate;

pub use catalogue::Catalogue;
pub use check::{Check, RuleSelector};
pub use error::{LoadError, LoadErrors};
pub use framework::{Automation, Framework, Requirement};
pub use managed_rule::ManagedRule;
pub use parameter::Parameter;
pub use settings::Settings;

use crate::evidence::Operation;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[cfg(test)]
mod tests;

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
    /// The embedded controls, overridden and extended by those of a folder, as the settings say. Only the selected
    /// frameworks are kept, and the checks that they name; `frameworks` empty is those of the settings, or all.
    pub fn load(dir: Option<&Path>, settings: Settings, frameworks: &[String]) -> Result<Controls, LoadErrors> {
        Catalogue::load(dir)?.select(settings, frameworks)
    }

    /// The same without the cases of the checks, which take hundreds of kilobytes and which judging does not need.
    pub fn without_cases(mut self) -> Self {
        self.checks.values_mut().for_each(|check| check.cases = Vec::new());
        self
    }

    /// The controls that a package holds in its folder `controls/`, settings included: path below it, and text.
    /// Nothing that is embedded in this program is used, so that an old package is judged as it was.
    pub fn from_files(files: &BTreeMap<String, String>) -> Result<Controls, LoadErrors> {
        let settings = match files.get(Settings::FILE) {
            Some(text) => Settings::parse(Settings::FILE, text)?,
            None => Settings::default(),
        };
        Catalogue::from_files(files)?.select_with(settings, &[], true)
    }

    /// The files that are part of the program, by path below `controls/`.
    pub fn embedded_files() -> BTreeMap<String, String> {
        load::embedded().iter().map(|source| (source.path.clone(), source.text.clone())).collect()
    }

    /// The calls that the checks and the frameworks' evidence need. GetCallerIdentity and ListRegions are always among them.
    pub fn operations(&self) -> BTreeSet<Operation> {
        let of_checks = self.checks.values().flat_map(Check::operations);
        let of_requirements = self.frameworks.values().flat_map(|f| &f.requirements).flat_map(|r| r.evidence.clone());
        let mut operations: BTreeSet<Operation> = of_checks.chain(of_requirements).collect();
        operations.extend([Operation::StsGetCallerIdentity, Operation::AccountListRegions]);
        operations
    }
}
