//! The appendix: the checks as they were asked, parameters, exceptions, and the evidence files by call.

use super::{Context, Link, command};
use crate::controls::{Check, check::Expression};
use crate::evaluate::ExceptionResult;
use crate::evidence::Operation;
use crate::finding::ExceptionState;
use crate::report::tables::plain;
use crate::report::words::{Shown, number};
use std::collections::BTreeMap;

/// How many documents of an operation are linked.
const MOST_DOCUMENTS: usize = 60;

pub(super) struct View {
    pub(super) checks: Vec<CheckView>,
    pub(super) parameters: Vec<(Shown, Shown)>,
    pub(super) exceptions: Vec<ExceptionRow>,
    pub(super) calls: Vec<CallRow>,
}

pub(super) struct CheckView {
    pub(super) anchor: String,
    pub(super) id: Shown,
    pub(super) title: Shown,
    pub(super) severity: &'static str,
    pub(super) resource: &'static str,
    pub(super) scope: Shown,
    pub(super) scope_reason: Shown,
    pub(super) pass: Shown,
    pub(super) parameters: Vec<(Shown, Shown)>,
    pub(super) calls: String,
    pub(super) rules: Shown,
    pub(super) rules_note: Shown,
    pub(super) references: Vec<Shown>,
    pub(super) file: Link,
}

pub(super) struct ExceptionRow {
    pub(super) check: Shown,
    pub(super) resource: Shown,
    pub(super) reason: Shown,
    pub(super) approver: Shown,
    pub(super) ticket: Shown,
    pub(super) granted: String,
    pub(super) expires: String,
    pub(super) state: String,
    pub(super) remarks: Vec<Shown>,
}

pub(super) struct CallRow {
    pub(super) anchor: String,
    pub(super) operation: String,
    pub(super) command: String,
    pub(super) summary: &'static str,
    pub(super) outcomes: String,
    pub(super) documents: Vec<Link>,
    pub(super) more: String,
}

pub(super) fn view(context: &Context<'_>) -> View {
    let controls = context.audit.controls;
    View {
        checks: controls.checks.values().map(|check| check_view(context, check)).collect(),
        parameters: controls.settings.parameters.iter().map(|(k, v)| (k.into(), plain(v).into())).collect(),
        exceptions: context.audit.evaluation.exceptions.iter().map(exception_row).collect(),
        calls: calls(context),
    }
}

fn check_view(context: &Context<'_>, check: &Check) -> CheckView {
    let parameters = &context.audit.controls.settings.parameters;
    let expressions = || check.scope.iter().chain([&check.pass]);
    let used: BTreeMap<&String, Shown> = expressions()
        .flat_map(|expression: &Expression| &expression.parameters)
        .map(|name| (name, parameters.get(name).map(plain).unwrap_or_default().into()))
        .collect();
    CheckView {
        anchor: super::anchor("definition", &check.id),
        id: (&check.id).into(),
        title: (&check.title).into(),
        severity: check.severity.word(),
        resource: check.resource.id(),
        scope: check.scope.as_ref().map(|scope| scope.text.trim()).unwrap_or_default().into(),
        scope_reason: check.scope_reason.as_deref().unwrap_or_default().into(),
        pass: check.pass.text.trim().into(),
        parameters: used.into_iter().map(|(name, value)| (name.into(), value)).collect(),
        calls: check.operations().iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        rules: check.config_rules.join(", ").into(),
        rules_note: check.config_rules_note.as_deref().unwrap_or_default().into(),
        references: check.references.iter().map(Shown::from).collect(),
        file: context.link(&format!("controls/{}", check.file), &check.file),
    }
}

/// Whether an exception holds, what it covers, and why somebody should look at it.
fn exception_row(result: &ExceptionResult) -> ExceptionRow {
    let ExceptionResult { exception, state, failures, remarks } = result;
    let covers = match state {
        ExceptionState::InForce => {
            format!("in force, covers {}", crate::report::words::count(*failures, "failure", "failures"))
        }
        other => format!("{}: covers nothing", other.word()),
    };
    ExceptionRow {
        check: (&exception.check).into(),
        resource: (&exception.resource).into(),
        reason: (&exception.reason).into(),
        approver: (&exception.approver).into(),
        ticket: exception.ticket.as_deref().unwrap_or_default().into(),
        granted: exception.granted.map(|day| day.to_string()).unwrap_or_default(),
        expires: exception.expires.to_string(),
        state: covers,
        remarks: remarks.iter().map(Shown::from).collect(),
    }
}

fn calls(context: &Context<'_>) -> Vec<CallRow> {
    let mut by_operation: BTreeMap<Operation, (BTreeMap<String, u64>, Vec<Link>)> = BTreeMap::new();
    for (call, outcome) in context.audit.evidence.calls() {
        let (outcomes, documents) = by_operation.entry(call.operation).or_default();
        *outcomes.entry(outcome.word()).or_default() += 1;
        let text = match (&call.resource, &call.region) {
            (Some(resource), Some(region)) => format!("{} ({region})", short(resource)),
            (Some(resource), None) => short(resource).to_owned(),
            (None, Some(region)) => region.clone(),
            (None, None) => "document".to_owned(),
        };
        let link = context.document(call, &text);
        if link.href.is_some() {
            documents.push(link);
        }
    }
    // A call that the controls name and nobody made has its place here too, so that every link finds it.
    for operation in context.audit.controls.operations() {
        by_operation.entry(operation).or_default();
    }
    let row = |(operation, (outcomes, documents)): (Operation, (BTreeMap<String, u64>, Vec<Link>))| {
        let more = documents.len().saturating_sub(MOST_DOCUMENTS);
        let outcomes: Vec<String> = outcomes.iter().map(|(word, n)| format!("{} {word}", number(*n))).collect();
        CallRow {
            anchor: super::anchor("call", &operation.to_string()),
            operation: operation.to_string(),
            command: command(operation),
            summary: operation.summary(),
            outcomes: if outcomes.is_empty() { "no call made".to_owned() } else { outcomes.join(", ") },
            documents: documents.into_iter().take(MOST_DOCUMENTS).collect(),
            more: if more == 0 { String::new() } else { number(more as u64) },
        }
    };
    by_operation.into_iter().map(row).collect()
}

/// The last part of an ARN, which is the name that people know.
fn short(resource: &str) -> &str {
    match resource.strip_prefix("arn:") {
        Some(rest) => rest.rsplit_once('/').or_else(|| rest.rsplit_once(':')).map_or(rest, |(_, name)| name),
        None => resource,
    }
}
