//! Is a principal an administrator, or can it become one?
//!
//! An administrator may do everything to everything
//! (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html>). The verdict is
//! about all policies of the principal together, its boundary and, if given, its SCPs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::analysis;
use super::condition;
use super::context::Context;
use super::decision::StatementRef;
use super::escalation::subject::Subject;
use super::escalation::{Certainty, Escalation};
use super::glob;
use super::layers::{Layer, LayerKind, Layers, Located};
use super::policy::{Actions, Effect};
use super::principal::Principal;
use super::truth::Truth;

/// No more pairs of action patterns are compared for one principal.
const MAX_COMPARED: usize = 250_000;

/// What kind of administrator a principal is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum AdminVerdict {
    /// Everything on everything, unconditionally.
    Admin,
    /// The same, save for what some Deny statements name.
    AdminExceptDeny,
    /// An administrator, or able to become one, if a condition is met.
    ConditionalAdmin,
    /// Not all at once, but it can make itself an administrator.
    AdminEquivalent {
        /// The surest way.
        path: Escalation,
    },
    /// None of these.
    NotAdmin,
    /// A document or statement that could decide it cannot be read.
    Unknown {
        /// What is missing.
        reason: String,
    },
}

impl AdminVerdict {
    /// The stable id of the verdict.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::AdminExceptDeny => "admin-except-deny",
            Self::ConditionalAdmin => "conditional-admin",
            Self::AdminEquivalent { .. } => "admin-equivalent",
            Self::NotAdmin => "not-admin",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// How sure it is that whoever becomes this principal is an administrator; nothing if it is not.
    pub(crate) fn certainty(&self) -> Option<Certainty> {
        match self {
            Self::Admin | Self::AdminExceptDeny => Some(Certainty::Certain),
            Self::AdminEquivalent { path } => Some(path.certainty),
            Self::ConditionalAdmin => Some(Certainty::Conditional),
            Self::Unknown { .. } => Some(Certainty::Unknown),
            Self::NotAdmin => None,
        }
    }
}

/// The verdict on a principal, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AdminReport {
    /// The verdict.
    #[serde(flatten)]
    pub verdict: AdminVerdict,
    /// The statements that make it an administrator (for an equivalent, those of the surest path).
    pub statements: Vec<StatementRef>,
    /// The Deny statements that take something away from an administrator.
    pub denies: Vec<StatementRef>,
    /// The condition keys that it hangs on, in lower case.
    pub keys: Vec<String>,
    /// The verdict rests on the first of the ways, not on statements that give everything outright.
    pub by_path: bool,
    /// All ways by which it can become an administrator, the surest first.
    pub paths: Vec<Escalation>,
    /// Ways that would be open if the account had an administrator role that a service trusts, which it
    /// has not today.
    pub latent: Vec<Escalation>,
    /// No service control policies were given.
    pub upper_bound: bool,
}

/// The verdict on a principal from its own policies, with nothing known of the rest of its account.
///
/// Roles that it could pass to a service are taken to exist, and the paths are then `potential`. Roles
/// that it could assume, and services that it could take over, are not looked at: for that, see
/// [`Account`](super::analysis::Account).
#[must_use]
pub fn verdict(principal: &Principal) -> AdminReport {
    analysis::alone(principal)
}

/// A verdict that still lacks what the rest of the account adds.
pub(crate) struct Assessment<'a> {
    pub report: AdminReport,
    /// The principal, to be asked further, unless everything is denied to it.
    pub subject: Option<Subject<'a>>,
    /// Paths can still change the verdict.
    pub open: bool,
    /// Part of the policies cannot be read, and the subject has those that can.
    pub gap: Option<String>,
}

pub(crate) fn assess(principal: &Principal) -> Assessment<'_> {
    let mut layers = Layers::of(principal);
    let context = principal.context();
    let mut report = AdminReport {
        verdict: AdminVerdict::NotAdmin,
        statements: Vec::new(),
        denies: Vec::new(),
        keys: Vec::new(),
        by_path: false,
        paths: Vec::new(),
        latent: Vec::new(),
        upper_bound: layers.upper_bound,
    };
    let cuts = cuts(&layers, &context);
    let total: Vec<_> = of_kind(&cuts, Cut::Total).collect();
    if !total.is_empty() {
        report.denies = total.iter().map(|located| located.reference()).collect();
        return Assessment { report, subject: None, open: false, gap: None };
    }
    let gap = layers.gap().map(str::to_owned);
    if gap.is_some() {
        // The layers that can be read limit the principal, whatever the others say: if they alone
        // leave no way, there is none.
        layers.layers.retain(|layer| layer.gap.is_none());
    }
    if layers.layers.is_empty() {
        report.verdict = unknown(gap.as_deref());
        return Assessment { report, subject: None, open: false, gap };
    }
    let found: Vec<_> = layers.layers.iter().map(|l| everything(l, &context)).collect();
    let all = found.iter().map(|f| f.truth).fold(Truth::True, Truth::and);
    let capped = of_kind(&cuts, Cut::Cap).next().is_some();
    let limits = layers.layers.iter().zip(&found);
    let uncapped = !capped
        && limits.filter(|(layer, _)| layer.kind != LayerKind::Identity).all(|(_, found)| found.truth.is_true());
    if all.is_possible() && !capped {
        let mut statements: Vec<_> = found.iter().flat_map(|f| f.statements.clone()).collect();
        statements.sort();
        statements.dedup();
        report.statements = statements;
        report.denies = cuts.iter().map(|(l, _)| l.reference()).collect();
        let conditional: Vec<_> = of_kind(&cuts, Cut::Conditional).collect();
        report.verdict = if !all.is_true() || !conditional.is_empty() {
            let mut keys = BTreeSet::new();
            for located in conditional.into_iter().chain(found.iter().flat_map(|f| f.open.clone())) {
                located.open_conditions(&context, &mut keys);
            }
            report.keys = keys.into_iter().collect();
            AdminVerdict::ConditionalAdmin
        } else if cuts.is_empty() {
            AdminVerdict::Admin
        } else {
            AdminVerdict::AdminExceptDeny
        };
        if gap.is_some() {
            report.verdict = unknown(gap.as_deref());
        }
        let subject = Subject::new(principal, layers, uncapped);
        if report.verdict == AdminVerdict::ConditionalAdmin {
            // A condition on part of the permissions may leave ways that need none.
            report.paths = subject.own_paths();
            report.paths.sort_by_key(|path| path.certainty);
        }
        return Assessment { subject: Some(subject), report, open: false, gap };
    }
    let subject = Subject::new(principal, layers, uncapped);
    report.paths = subject.own_paths();
    Assessment { subject: Some(subject), report, open: true, gap }
}

fn unknown(gap: Option<&str>) -> AdminVerdict {
    AdminVerdict::Unknown { reason: gap.unwrap_or("not all policies can be read").to_owned() }
}

impl Assessment<'_> {
    /// The verdict, once every path is known.
    pub(crate) fn conclude(&self, mut paths: Vec<Escalation>) -> AdminReport {
        let mut report = self.report.clone();
        if !self.open {
            report.paths.append(&mut paths);
            report.paths.sort_by_key(|path| path.certainty);
            return report;
        }
        paths.sort_by_key(|path| path.certainty);
        if let Some(best) = paths.first() {
            report.verdict = match best.certainty {
                Certainty::Certain | Certainty::Potential => AdminVerdict::AdminEquivalent { path: best.clone() },
                Certainty::Conditional => AdminVerdict::ConditionalAdmin,
                Certainty::Unknown => AdminVerdict::Unknown {
                    reason: match best.steps().last().and_then(|last| last.target.as_ref()) {
                        Some(target) => {
                            format!("nothing certain is known of {target}, which it can become")
                        }
                        None => "nothing certain is known of what it can become".to_owned(),
                    },
                },
            };
            report.statements = best.steps().flat_map(|step| step.statements.clone()).collect();
            report.statements.sort();
            report.statements.dedup();
            report.keys = best.keys.clone();
            report.by_path = true;
        }
        if self.gap.is_some() && report.verdict != AdminVerdict::NotAdmin {
            report.verdict = unknown(self.gap.as_deref());
        }
        report.paths = paths;
        report
    }
}

/// What a Deny takes away from one who may do everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cut {
    /// Everything.
    Total,
    /// Everything but what it names (`NotAction` or `NotResource`), as a boundary does.
    Cap,
    /// What it names.
    Part,
    /// Something, if a condition is met.
    Conditional,
}

fn of_kind<'c, 'a>(cuts: &'c [(Located<'a>, Cut)], kind: Cut) -> impl Iterator<Item = Located<'a>> + 'c {
    let found = cuts.iter().filter(move |(_, cut)| *cut == kind);
    found.map(|(located, _)| *located)
}

fn cuts<'a>(layers: &Layers<'a>, context: &Context) -> Vec<(Located<'a>, Cut)> {
    let mut found = Vec::new();
    for located in layers.statements() {
        let statement = located.statement;
        if statement.effect != Effect::Deny {
            continue;
        }
        let holds = condition::all_hold(&statement.conditions, context);
        let any_resource = located.on_everything();
        let resources_negated = statement.resources.as_ref().is_some_and(|r| r.negated);
        let no_resource = statement
            .resources
            .as_ref()
            .is_some_and(|resources| resources.negated && resources.patterns.iter().any(|p| p.is_everything()));
        let actions = &statement.actions;
        let no_action = actions.negated && actions.has_everything();
        if holds.is_false() || no_resource || no_action {
            continue;
        }
        let any_action = !actions.negated && actions.has_everything();
        let cut = match holds {
            Truth::Maybe => Cut::Conditional,
            _ if any_action && any_resource => Cut::Total,
            _ if actions.negated && (any_resource || resources_negated) => Cut::Cap,
            _ if any_action && resources_negated => Cut::Cap,
            _ => Cut::Part,
        };
        found.push((located, cut));
    }
    found
}

/// Whether a layer allows everything.
struct Everything<'a> {
    truth: Truth,
    statements: Vec<StatementRef>,
    /// The statements on whose conditions it hangs.
    open: Vec<Located<'a>>,
}

fn everything<'a>(layer: &Layer<'a>, context: &Context) -> Everything<'a> {
    let grants: Vec<_> = layer
        .statements
        .iter()
        .filter(|located| located.statement.effect == Effect::Allow && located.on_everything())
        .map(|located| {
            let holds = condition::all_hold(&located.statement.conditions, context);
            (*located, holds)
        })
        .filter(|(_, holds)| holds.is_possible())
        .collect();
    for truth in [Truth::True, Truth::Maybe] {
        let usable: Vec<_> = grants
            .iter()
            .filter(|(_, holds)| truth == Truth::Maybe || holds.is_true())
            .map(|(located, _)| *located)
            .collect();
        if let Some(needed) = cover_everything(&usable) {
            return Everything {
                truth,
                statements: needed.iter().map(Located::reference).collect(),
                open: if truth == Truth::Maybe { needed } else { Vec::new() },
            };
        }
    }
    Everything { truth: Truth::False, statements: Vec::new(), open: Vec::new() }
}

/// The statements, all on every resource, that together allow every action.
fn cover_everything<'a>(grants: &[Located<'a>]) -> Option<Vec<Located<'a>>> {
    let plain = |located: &&Located<'_>| !located.statement.actions.negated;
    if let Some(one) = grants.iter().filter(plain).find(|located| located.statement.actions.has_everything()) {
        return Some(vec![*one]);
    }
    // All but some actions, and those granted elsewhere. Tables beyond any real policy's are not
    // compared: the verdict then rests on the escalation paths, which find the same.
    let patterns = |located: &Located<'_>| located.statement.actions.patterns.len();
    let (without, with): (Vec<_>, Vec<_>) = grants.iter().partition(plain);
    let count = |some: Vec<&Located<'_>>| some.into_iter().map(patterns).sum::<usize>();
    if count(without).saturating_mul(count(with)) > MAX_COMPARED {
        return None;
    }
    for located in grants.iter().filter(|located| !plain(located)) {
        let mut needed = vec![*located];
        let covered = located.statement.actions.patterns.iter().all(|left_out| {
            let left_out = glob::tokens(&left_out.to_ascii_lowercase());
            let by = grants.iter().filter(plain).find(|grant| {
                grant
                    .statement
                    .actions
                    .patterns
                    .iter()
                    .any(|pattern| glob::covers(&glob::tokens(&pattern.to_ascii_lowercase()), &left_out))
            });
            needed.extend(by.copied());
            by.is_some()
        });
        if covered {
            return Some(needed);
        }
    }
    None
}

impl Actions {
    /// True if one of the patterns alone matches every action: `*`, `*:*`, `?*` and the like.
    pub(crate) fn has_everything(&self) -> bool {
        self.patterns.iter().any(|pattern| {
            let sides: Vec<_> = pattern.split(':').collect();
            sides.len() <= 2
                && sides.iter().all(|side| {
                    let marks = side.bytes().filter(|byte| *byte == b'?').count();
                    side.bytes().all(|byte| byte == b'*' || byte == b'?') && side.contains('*') && marks <= 1
                })
        })
    }
}
