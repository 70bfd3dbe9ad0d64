//! The validation of controls: everything is loaded and every case is run.

use super::catalogue::Catalogue;
use super::check::Check;
use super::error::{LoadError, LoadErrors};
use std::fmt::Write;
use std::path::Path;

/// What there is to say about controls that load.
#[derive(Debug)]
pub struct Validation {
    /// The controls.
    pub catalogue: Catalogue,
    /// How many cases ran.
    pub cases: usize,
    /// Cases that came out otherwise than expected.
    pub failures: Vec<LoadError>,
    /// What is allowed and yet likely a mistake.
    pub warnings: Vec<String>,
}

impl Validation {
    /// Whether every case came out as expected.
    pub fn is_ok(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Loads the controls, as a run would, and runs every case.
pub fn validate(dir: Option<&Path>) -> Result<Validation, LoadErrors> {
    Ok(run(Catalogue::load(dir)?))
}

/// Runs every case of a catalogue.
pub fn run(catalogue: Catalogue) -> Validation {
    let mut failures = Vec::new();
    let mut cases = 0;
    for check in catalogue.checks.values() {
        for case in &check.cases {
            cases += 1;
            let (status, reason) = case.run(check, &catalogue.parameters);
            if status != case.expect {
                let message = format!("case `{}` expects {} and comes out {status}", case.name, case.expect);
                let error = LoadError::at(&check.source, case.span.clone(), message);
                failures.push(if reason.is_empty() { error } else { error.help(reason) });
            }
        }
    }
    let mut warnings: Vec<String> = catalogue
        .unnamed_checks()
        .into_iter()
        .map(|check| format!("no framework names the check `{check}`: it is never run"))
        .collect();
    for check in catalogue.checks.values() {
        warnings.extend(warnings_of(check));
    }
    for rule in catalogue.rules.values() {
        if let Some(check) = rule.check.as_ref().filter(|id| !catalogue.checks.contains_key(*id)) {
            warnings
                .push(format!("{} names the check `{check}`, which there is not: nothing asks it", rule.identifier));
        }
    }
    Validation { catalogue, cases, failures, warnings }
}

/// Every case of one check, or of all, with how it came out; and how many came out otherwise than expected.
pub fn report(catalogue: &Catalogue, check: Option<&str>) -> (String, usize) {
    let mut out = String::new();
    let mut failed = 0;
    for check in catalogue.checks.values().filter(|c| check.is_none_or(|id| id == c.id)) {
        let _ = writeln!(out, "{}", check.id); // writing to a String cannot fail
        for case in &check.cases {
            let (status, reason) = case.run(check, &catalogue.parameters);
            let verdict = if status == case.expect {
                format!("ok     {status}")
            } else {
                failed += 1;
                format!("WRONG  {status}, expected {}", case.expect)
            };
            let reason =
                if reason.is_empty() || status == case.expect { String::new() } else { format!(" ({reason})") };
            let _ = writeln!(out, "  {verdict}: {}{reason}", case.name);
        }
    }
    (out, failed)
}

fn warnings_of(check: &Check) -> Option<String> {
    let differs = !check.config_rules.is_empty() && check.config_rules_note.is_none();
    differs.then(|| {
        format!(
            "check `{}` names Config rules and has no `config_rules_note`: say why they may say otherwise",
            check.id
        )
    })
}
