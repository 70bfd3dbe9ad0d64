//! The gaps: what could not be collected, why, and what it costs. They come first.

use super::scope::{ReconciliationRow, reconciliation};
use super::{Context, Link};
use crate::evidence::GapKind;
use crate::report::costs::{GapCost, gap_costs, gap_count};
use crate::report::words::{Shown, number};
use std::collections::{BTreeMap, BTreeSet};

/// How many places, checks and requirements are named in a row.
const MOST: usize = 24;

pub(super) struct View {
    pub(super) calls: String,
    pub(super) none: bool,
    pub(super) rows: Vec<Row>,
    pub(super) populations: Vec<PopulationRow>,
    pub(super) differences: Vec<ReconciliationRow>,
    pub(super) notes: Vec<NoteRow>,
}

pub(super) struct Row {
    pub(super) service: &'static str,
    pub(super) name: &'static str,
    pub(super) summary: &'static str,
    pub(super) outcome: String,
    pub(super) reason: Shown,
    /// What a policy must allow, for a denied call.
    pub(super) action: Option<String>,
    pub(super) partial: bool,
    pub(super) places: Vec<Shown>,
    pub(super) more_places: usize,
    pub(super) consequence: &'static str,
    pub(super) findings: String,
    pub(super) checks: Vec<CheckCost>,
    pub(super) requirements: Vec<FrameworkCost>,
}

pub(super) struct CheckCost {
    pub(super) title: Shown,
    pub(super) anchor: String,
    pub(super) findings: String,
}

pub(super) struct FrameworkCost {
    pub(super) framework: Shown,
    pub(super) ids: Shown,
}

pub(super) struct PopulationRow {
    pub(super) name: &'static str,
    pub(super) rows: String,
    pub(super) reasons: Vec<Shown>,
    pub(super) file: Link,
}

pub(super) struct NoteRow {
    pub(super) place: Shown,
    pub(super) text: Shown,
    pub(super) incomplete: bool,
}

pub(super) fn view(context: &Context<'_>) -> View {
    let audit = &context.audit;
    let costs = gap_costs(audit);
    let populations: Vec<PopulationRow> = audit
        .resources
        .populations
        .values()
        .filter(|population| !population.incomplete.is_empty())
        .map(|population| {
            let schema = population.kind.schema();
            let reasons: BTreeSet<String> =
                population.incomplete.iter().map(|unknown| format!("{}: {}", unknown.call, unknown.reason)).collect();
            PopulationRow {
                name: schema.plural,
                rows: number(population.rows.len() as u64),
                reasons: reasons.iter().take(MOST).map(Shown::from).collect(),
                file: context.link(&format!("populations/{}", schema.file), schema.file),
            }
        })
        .collect();
    let differences: Vec<ReconciliationRow> =
        audit.resources.reconciliation.iter().filter(|of| !of.agrees).map(reconciliation).collect();
    let notes: Vec<NoteRow> = audit
        .evidence
        .notes
        .iter()
        .map(|note| NoteRow { place: (&note.place).into(), text: (&note.text).into(), incomplete: note.incomplete })
        .collect();
    View {
        calls: number(gap_count(&costs)),
        none: costs.is_empty()
            && populations.is_empty()
            && differences.is_empty()
            && !notes.iter().any(|n| n.incomplete),
        rows: costs.iter().map(|cost| row(context, cost)).collect(),
        populations,
        differences,
        notes,
    }
}

fn row(context: &Context<'_>, cost: &GapCost) -> Row {
    let place = |call: &crate::evidence::CallId| match (&call.resource, &call.region) {
        (Some(resource), Some(region)) => Some(format!("{resource} in {region}")),
        (Some(resource), None) => Some(resource.clone()),
        (None, Some(region)) => Some(region.clone()),
        (None, None) => None,
    };
    let places: Vec<String> = cost.calls.iter().filter_map(|(call, _)| place(call)).collect();
    let check = |(id, findings): (&String, &u64)| CheckCost {
        title: context.audit.controls.checks.get(id).map_or(id, |check| &check.title).into(),
        anchor: super::anchor("check", id),
        findings: number(*findings),
    };
    let mut requirements: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (framework, id) in &cost.requirements {
        requirements.entry(framework).or_default().push(id);
    }
    let framework = |(id, ids): (&str, Vec<&str>)| FrameworkCost {
        framework: context.audit.controls.frameworks.get(id).map_or(id, |f| &f.title).into(),
        ids: listed(context, id, &ids).into(),
    };
    Row {
        service: cost.operation.service().prefix(),
        name: cost.operation.name(),
        summary: cost.operation.summary(),
        outcome: cost.gap.kind.to_string(),
        reason: (&cost.gap.reason).into(),
        action: (cost.gap.kind == GapKind::Denied).then(|| cost.operation.iam_action()).flatten(),
        partial: cost.partial(),
        more_places: places.len().saturating_sub(MOST),
        places: places.iter().take(MOST).map(Shown::from).collect(),
        consequence: cost.consequence().unwrap_or_default(),
        findings: super::cell(cost.findings()),
        checks: cost.unknown.iter().map(check).collect(),
        requirements: requirements.into_iter().map(framework).collect(),
    }
}

/// Ids of requirements in the standard's order, cut if they are many.
fn listed(context: &Context<'_>, framework: &str, ids: &[&str]) -> String {
    let ids: BTreeSet<&str> = ids.iter().copied().collect();
    let all = context.audit.controls.frameworks.get(framework).map(|f| f.requirements.as_slice()).unwrap_or_default();
    let ordered: Vec<&str> = all.iter().map(|r| r.id.as_str()).filter(|id| ids.contains(id)).collect();
    let more = ordered.len().saturating_sub(MOST);
    let mut text = ordered.into_iter().take(MOST).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
