//! The crosswalk: what there is for each requirement at a glance, and which requirements each check speaks to.

use super::Context;
use crate::finding::{Finding, Status};
use crate::report::facts::{self, FrameworkFacts, RequirementFacts};
use crate::report::tables::requirement_calls;
use crate::report::words::Shown;
use std::collections::BTreeSet;

pub(super) struct View {
    pub(super) frameworks: Vec<FrameworkMap>,
    pub(super) checks: Vec<CheckRow>,
    /// AWS Config's rules that are deployed nowhere: checks without evidence.
    pub(super) silent: Vec<CheckRow>,
    pub(super) legend: Vec<Legend>,
}

pub(super) struct Legend {
    pub(super) state: State,
    pub(super) meaning: &'static str,
}

pub(super) struct FrameworkMap {
    pub(super) title: Shown,
    pub(super) counts: Vec<(State, usize)>,
    pub(super) tiles: Vec<Tile>,
}

pub(super) struct Tile {
    pub(super) id: Shown,
    pub(super) target: String,
    pub(super) state: State,
    /// What is there, in words: for whoever cannot see the colour.
    pub(super) words: String,
}

pub(super) struct CheckRow {
    pub(super) id: Shown,
    pub(super) target: String,
    pub(super) status: &'static str,
    pub(super) status_class: &'static str,
    /// The requirements in each framework, in the order of the frameworks.
    pub(super) requirements: Vec<String>,
}

/// What the package holds for a requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Fails,
    Unknown,
    Passes,
    Documents,
    Nothing,
    People,
}

impl State {
    const ALL: [State; 6] =
        [State::Fails, State::Unknown, State::Passes, State::Documents, State::Nothing, State::People];

    pub(super) fn class(self) -> &'static str {
        match self {
            State::Fails => "t fail",
            State::Unknown => "t unknown",
            State::Passes => "t pass",
            State::Documents => "t docs",
            State::Nothing => "t none",
            State::People => "t people",
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            State::Fails => "fail",
            State::Unknown => "unknown",
            State::Passes => "pass",
            State::Documents => "documents only",
            State::Nothing => "no evidence",
            State::People => "people",
        }
    }

    /// A mark besides the colour, for print.
    pub(super) fn mark(self) -> &'static str {
        match self {
            State::Fails => "✕",
            State::Unknown => "?",
            State::Passes => "✓",
            State::Documents => "▤",
            State::Nothing => "∅",
            State::People => "○",
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            State::Fails => "checks speak to it, and one fails",
            State::Unknown => "checks speak to it, and one is unknown",
            State::Passes => "checks speak to it, and those that judged something pass",
            State::Documents => "no check judged anything; the package holds documents",
            State::Nothing => "AWS could give evidence, and the package holds none",
            State::People => "AWS can give none: people provide it all",
        }
    }
}

pub(super) fn view(context: &Context<'_>) -> View {
    let frameworks = facts::frameworks(&context.audit);
    let findings = facts::by_check(&context.audit);
    let (mut checks, mut silent) = (Vec::new(), Vec::new());
    let requirements = frameworks.iter().flat_map(|framework| &framework.requirements);
    let nowhere: BTreeSet<&String> = requirements.flat_map(|of| &of.without_evidence).collect();
    for id in context.audit.controls.checks.keys() {
        let row = check_row(id, &frameworks, findings.get(id.as_str()).map(Vec::as_slice).unwrap_or_default());
        if nowhere.contains(id) { silent.push(row) } else { checks.push(row) }
    }
    View {
        frameworks: frameworks.iter().map(|framework| map(context, framework)).collect(),
        checks,
        silent,
        legend: State::ALL.iter().map(|&state| Legend { state, meaning: state.meaning() }).collect(),
    }
}

fn map(context: &Context<'_>, facts: &FrameworkFacts<'_>) -> FrameworkMap {
    let tiles: Vec<Tile> = facts.requirements.iter().map(|of| tile(context, &facts.framework.id, of)).collect();
    let count = |state: State| (state, tiles.iter().filter(|tile| tile.state == state).count());
    FrameworkMap {
        title: (&facts.framework.title).into(),
        counts: State::ALL.into_iter().map(count).filter(|(_, n)| *n > 0).collect(),
        tiles,
    }
}

fn tile(context: &Context<'_>, framework: &str, of: &RequirementFacts<'_>) -> Tile {
    let state = state(context, of);
    let checks = of.requirement.checks.len() - of.without_evidence.len().min(of.requirement.checks.len());
    let not_deployed = match of.without_evidence.len() {
        0 => String::new(),
        1 => ", 1 AWS Config rule not deployed".to_owned(),
        n => format!(", {n} AWS Config rules not deployed"),
    };
    Tile {
        id: (&of.requirement.id).into(),
        target: super::anchor("requirement", &format!("{framework} {}", of.requirement.id)),
        state,
        words: format!("{}: {checks} checks{not_deployed}", state.word()),
    }
}

fn state(context: &Context<'_>, of: &RequirementFacts<'_>) -> State {
    let has = |status| of.tally.get(status) > 0;
    if has(Status::Fail) {
        return State::Fails;
    }
    if has(Status::Unknown) {
        return State::Unknown;
    }
    if has(Status::Pass) {
        return State::Passes;
    }
    let requirement = of.requirement;
    if requirement.checks.is_empty() && requirement.evidence.is_empty() {
        return State::People;
    }
    // The list of rules that shows that a rule is missing is no evidence on what the rule would have looked at.
    let own = |operation: &crate::evidence::Operation| {
        requirement.evidence.contains(operation) || of.without_evidence.len() < requirement.checks.len()
    };
    let evidence = context.audit.evidence;
    let arrived = |operation| evidence.calls_of(operation).any(|(_, outcome)| outcome.arrived().is_some());
    let mut calls = requirement_calls(&context.audit, requirement).into_iter().filter(own);
    if calls.any(arrived) { State::Documents } else { State::Nothing }
}

fn check_row(id: &str, frameworks: &[FrameworkFacts<'_>], findings: &[&Finding]) -> CheckRow {
    let status = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Unknown);
    let detailed = matches!(status, Status::Fail | Status::Unknown | Status::Manual);
    let of_one = |facts: &FrameworkFacts<'_>| {
        let named = facts.requirements.iter().filter(|of| of.requirement.checks.iter().any(|check| check == id));
        named.map(|of| of.requirement.id.as_str()).collect::<Vec<_>>().join(", ")
    };
    CheckRow {
        id: id.into(),
        target: super::anchor(if detailed { "check" } else { "definition" }, id),
        status: status.word(),
        status_class: super::status_class(status),
        requirements: frameworks.iter().map(of_one).collect(),
    }
}
