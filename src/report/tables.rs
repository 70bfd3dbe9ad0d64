//! The package's tables: findings.csv, requirements.csv and the populations.

use super::Audit;
use super::csv::{Cell, Table};
use super::facts::{frameworks, requirements_of_checks};
use super::words::visible;
use crate::evidence::Operation;
use crate::finding::{ConfigRule, ConfigVerdict, Pointer, ResourceVerdict, Status};
use crate::resource::{FieldValue, Population, Resource, Value};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::io::{self, Write};

/// findings.csv: one row for each finding, in the order of the evaluation.
pub fn findings_csv(audit: &Audit<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    // Writing to memory cannot fail.
    let _ = write_findings_csv(audit, &mut out);
    out
}

/// Writes findings.csv row by row, so that it need not be in memory.
pub fn write_findings_csv(audit: &Audit<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&[
        "check",
        "title",
        "status",
        "severity",
        "resource_kind",
        "resource_id",
        "resource_name",
        "region",
        "message",
        "calls_missing",
        "aws_config_verdict",
        "exception_reason",
        "exception_approver",
        "exception_expires",
        "exception_ticket",
        "requirements",
        "evidence",
    ]);
    let requirements = requirements_of_checks(audit.controls);
    for finding in &audit.evaluation.findings {
        let check = audit.controls.checks.get(&*finding.check);
        let resource = finding.resource.as_ref();
        let exception = finding.exception.as_ref();
        table.row([
            (&*finding.check).into(),
            check.map(|check| check.title.clone()).into(),
            finding.status.word().into(),
            finding.severity.word().into(),
            // A finding about a population as a whole still says of which kind.
            resource.map(|r| r.kind.clone()).or_else(|| check.map(|check| check.resource.id().to_owned())).into(),
            resource.map(|r| r.id.clone()).into(),
            resource.map(|r| r.name.clone()).into(),
            resource.and_then(|r| r.region.clone()).into(),
            (&*finding.message).into(),
            joined(&finding.missing),
            finding.config_rules.iter().map(verdict_words).collect::<Vec<_>>().join("; ").into(),
            exception.map(|e| e.reason.clone()).into(),
            exception.map(|e| e.approver.clone()).into(),
            exception.map(|e| e.expires.to_string()).into(),
            exception.and_then(|e| e.ticket.clone()).into(),
            requirements.get(&*finding.check).map(|ids| ids.join("; ")).into(),
            joined(finding.evidence.iter()),
        ]);
        table.drain(out)?;
    }
    table.drain(out)
}

/// AWS Config's verdict with whose it is: `NON_COMPLIANT for AWS::IAM::User AIDA... by rule x (IDENTIFIER) in eu-west-1`;
/// where it is the rule's as a whole, it says so.
pub(super) fn verdict_words(verdict: &ConfigVerdict) -> String {
    let ConfigRule { identifier, rule, region, compliance } = verdict.rule.as_ref();
    let by = format!("by rule {rule} ({identifier}) in {region}");
    match &verdict.resource {
        None => format!("{compliance} for all that it looks at, {by}"),
        Some(ResourceVerdict { id, compliance: none }) if *none == "none" => {
            format!("nothing about {id} (the rule as a whole: {compliance}), {by}")
        }
        Some(ResourceVerdict { id, compliance: of_it }) => {
            format!("{of_it} for {id} (the rule as a whole: {compliance}), {by}")
        }
    }
}

/// AWS Config's verdict for the row of its resource, in short.
pub(super) fn verdict_short(verdict: &ConfigVerdict) -> String {
    let ConfigRule { rule, region, compliance, .. } = verdict.rule.as_ref();
    match &verdict.resource {
        Some(ResourceVerdict { id, compliance: of_it }) if *of_it == "none" || *of_it == "unknown" => {
            let why = if of_it == "none" { "has no result" } else { "does not tell its result" };
            format!("rule {rule} in {region} {why} for {id}; as a whole it says {compliance}")
        }
        Some(ResourceVerdict { id, compliance: of_it }) => format!("{of_it} for {id}, by rule {rule} in {region}"),
        None => format!("{compliance} for all that rule {rule} in {region} looks at"),
    }
}

/// What a rule says as a whole.
pub(super) fn rule_words(verdict: &ConfigVerdict) -> String {
    verdict_words(&ConfigVerdict { resource: None, ..verdict.clone() })
}

/// requirements.csv: one row for each requirement of each framework.
pub fn requirements_csv(audit: &Audit<'_>) -> Vec<u8> {
    let mut table = Table::new(&[
        "framework",
        "framework_title",
        "edition",
        "group",
        "requirement",
        "title",
        "automation",
        "status",
        "fail",
        "fail_excepted",
        "unknown",
        "manual",
        "pass",
        "not_applicable",
        "checks",
        "config_rules_not_deployed",
        "calls",
        "still_to_provide",
    ]);
    for facts in frameworks(audit) {
        for of in &facts.requirements {
            let (framework, requirement) = (facts.framework, of.requirement);
            let count = |status| Cell::from(of.tally.get(status));
            table.row([
                framework.id.as_str().into(),
                framework.title.as_str().into(),
                framework.edition.as_str().into(),
                requirement.group.as_str().into(),
                requirement.id.as_str().into(),
                requirement.title.as_str().into(),
                requirement.automation.word().into(),
                of.status.word().into(),
                count(Status::Fail),
                of.tally.excepted.into(),
                count(Status::Unknown),
                count(Status::Manual),
                count(Status::Pass),
                count(Status::NotApplicable),
                requirement.checks.join("; ").into(),
                of.without_evidence.join("; ").into(),
                joined(requirement_calls(audit, requirement)),
                requirement.manual.clone().into(),
            ]);
        }
    }
    table.finish()
}

/// The crosswalk of the controls: one row for each requirement and what speaks to it.
pub fn matrix_csv(rows: &[crate::controls::matrix::Row]) -> Vec<u8> {
    let mut table = Table::new(&["framework", "requirement", "title", "automation", "kind", "id", "severity", "what"]);
    for row in rows {
        table.row([
            row.framework.as_str().into(),
            row.requirement.as_str().into(),
            row.title.as_str().into(),
            row.automation.into(),
            row.kind.into(),
            row.id.as_str().into(),
            row.severity.into(),
            row.what.as_str().into(),
        ]);
    }
    table.finish()
}

/// The calls whose documents are evidence for a requirement: those of its checks and those it names.
pub(super) fn requirement_calls(audit: &Audit<'_>, requirement: &crate::controls::Requirement) -> BTreeSet<Operation> {
    let checks = requirement.checks.iter().filter_map(|id| audit.controls.checks.get(id));
    checks.flat_map(|check| check.operations()).chain(requirement.evidence.iter().copied()).collect()
}

/// A population: one row for each resource with all fields.
///
/// A fact of absence is an empty cell; what is not known says `unknown: ` and why. Lists are joined by `; `.
/// A population that may not be whole ends with a row that says so, so that an empty file always means "none".
pub fn write_population(population: &Population, out: &mut dyn Write) -> io::Result<()> {
    let fields = population.kind.schema().fields;
    let named = fields.iter().any(|field| field.name == "name");
    let mut header = vec!["id"];
    header.extend((!named).then_some("name"));
    header.push("region");
    header.extend(fields.iter().map(|field| field.name));
    header.push("evidence");
    let mut table = Table::new(&header);
    for row in &population.rows {
        let mut cells = vec![Cell::from(row.id.as_str())];
        cells.extend((!named).then(|| row.name.as_str().into()));
        cells.push(row.region.clone().into());
        cells.extend(fields.iter().map(|field| field_cell(row, field.name)));
        cells.push(joined(row.sources.iter().map(|(_, place)| place).collect::<BTreeSet<&Pointer>>()));
        table.row(cells);
        table.drain(out)?;
    }
    for unknown in &population.incomplete {
        let plural = population.kind.schema().plural;
        table.row([format!("unknown: there may be more {plural}: {}: {}", unknown.call, unknown.reason).into()]);
    }
    table.drain(out)
}

fn field_cell(row: &Resource, field: &str) -> Cell {
    match row.fields.get(field) {
        Some(FieldValue::Known(Value::Null)) => Cell::Empty,
        Some(FieldValue::Known(Value::Int(n))) => Cell::Int(*n),
        Some(FieldValue::Known(value)) => plain(value).into(),
        Some(FieldValue::Unknown(unknown)) => format!("unknown: {}: {}", unknown.call, unknown.reason).into(),
        None => "unknown: the field was not read".into(),
    }
}

/// A value as a person reads it: lists joined by `; `, maps as `name=value`.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(value) => value.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => visible(text).into_owned(),
        Value::List(values) => values.iter().map(plain).collect::<Vec<_>>().join("; "),
        Value::Map(values) => {
            let pair = |(name, value): (&String, &Value)| format!("{}={}", visible(name), plain(value));
            values.iter().map(pair).collect::<Vec<_>>().join("; ")
        }
    }
}

fn joined<T: Display>(items: impl IntoIterator<Item = T>) -> Cell {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join("; ").into()
}
