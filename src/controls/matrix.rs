//! The crosswalk: requirement by check by framework. A requirement without evidence is there too, and marked.

use super::Catalogue;
use super::framework::{Framework, Requirement};
use std::fmt::Write;

/// What speaks to a requirement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The framework's id.
    pub framework: String,
    /// The requirement's id.
    pub requirement: String,
    /// What it asks for, in our words.
    pub title: String,
    /// How much of it AWS can evidence.
    pub automation: &'static str,
    /// `check`, `config-rule`, `evidence`, or `none` where nothing does.
    pub kind: &'static str,
    /// The check, the rule's source identifier, or the call; empty for none.
    pub id: String,
    /// The severity of a check; empty otherwise.
    pub severity: &'static str,
    /// What the check asserts, what the call tells, or what a person must provide.
    pub what: String,
}

/// All rows of the frameworks, in the standards' order; `frameworks` empty is all.
pub fn rows(catalogue: &Catalogue, frameworks: &[String]) -> Vec<Row> {
    let chosen = catalogue.frameworks.values().filter(|f| frameworks.is_empty() || frameworks.contains(&f.id));
    chosen.flat_map(|f| f.requirements.iter().flat_map(|r| rows_of(catalogue, f, r))).collect()
}

fn rows_of(catalogue: &Catalogue, framework: &Framework, requirement: &Requirement) -> Vec<Row> {
    let row = |kind: &'static str, id: &str, severity: &'static str, what: &str| Row {
        framework: framework.id.clone(),
        requirement: requirement.id.clone(),
        title: requirement.title.clone(),
        automation: requirement.automation.word(),
        kind,
        id: id.to_owned(),
        severity,
        what: what.to_owned(),
    };
    let mut rows = Vec::new();
    for check in requirement.checks.iter().filter_map(|id| catalogue.checks.get(id)) {
        let rule = catalogue.rules.values().find(|rule| rule.check.is_none() && rule.check_id() == check.id);
        let (kind, id) = rule.map_or(("check", &check.id), |rule| ("config-rule", &rule.identifier));
        rows.push(row(kind, id, check.severity.word(), &check.title));
    }
    for operation in &requirement.evidence {
        rows.push(row("evidence", &operation.to_string(), "", operation.summary()));
    }
    if rows.is_empty() {
        rows.push(row("none", "", "", requirement.manual.as_deref().unwrap_or_default()));
    }
    rows
}

/// The matrix for a terminal: one line a requirement, with how many checks, rules and calls speak to it.
pub fn text(catalogue: &Catalogue, frameworks: &[String]) -> String {
    let mut out = String::new();
    let rows = rows(catalogue, frameworks);
    for of_framework in rows.chunk_by(|a, b| a.framework == b.framework) {
        let Some(first) = of_framework.first() else { continue };
        let title = catalogue.frameworks.get(&first.framework).map_or("", |framework| framework.title.as_str());
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{title}\n  {:<24} {:<8} {:>6} {:>6} {:>6}  checks",
            "requirement", "level", "checks", "rules", "calls"
        );
        for of_requirement in of_framework.chunk_by(|a, b| a.requirement == b.requirement) {
            let Some(first) = of_requirement.first() else { continue };
            let count = |kind: &str| of_requirement.iter().filter(|row| row.kind == kind).count();
            let names: Vec<&str> =
                of_requirement.iter().filter(|row| row.kind == "check").map(|row| row.id.as_str()).collect();
            let names =
                if first.kind == "none" { "NO EVIDENCE FROM AWS: provide it".to_owned() } else { names.join(" ") };
            let cell = |n: usize| if n == 0 { "-".to_owned() } else { n.to_string() };
            let line = format!(
                "  {:<24} {:<8} {:>6} {:>6} {:>6}  {names}",
                first.requirement,
                first.automation,
                cell(count("check")),
                cell(count("config-rule")),
                cell(count("evidence"))
            );
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out.push('\n');
    }
    out
}
