//! Who may mean whom: which principals name a role, which roles a principal names. So that the closure asks
//! only those for whom the answer may be yes.

use std::collections::HashMap;

use crate::iam::escalation::subject::Subject;
use crate::iam::interest::ActionId;
use crate::iam::layers::LayerKind;
use crate::iam::policy::{Document, Effect, PrincipalKind};
use crate::iam::trust;

const COGNITO: &str = "cognito-identity.amazonaws.com";

/// Principals by the literal beginnings of the resources that their statements name, so that a target
/// is compared with those that may mean it and no others.
#[derive(Default)]
pub(super) struct ByPrefix(HashMap<String, Vec<usize>>);

impl ByPrefix {
    pub(super) fn add(&mut self, prefix: String, index: usize) {
        let list = self.0.entry(prefix).or_default();
        if list.last() != Some(&index) {
            list.push(index);
        }
    }

    pub(super) fn of(&self, arn: &str) -> Vec<usize> {
        let ends = arn.char_indices().map(|(end, _)| end).chain([arn.len()]);
        let lists = ends.filter_map(|end| self.0.get(&arn[..end]));
        let mut found: Vec<usize> = lists.flatten().copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Whom of the account a trust policy may let in.
#[derive(Default)]
pub(super) struct Reached {
    /// By name.
    pub named: Vec<usize>,
    /// Anybody whom the account's policies allow it.
    pub everybody: bool,
}

pub(super) fn trust_reach(document: Option<&Document>, by_arn: &HashMap<&str, usize>, account: &str) -> Reached {
    let Some(document) = document else {
        return Reached { everybody: true, ..Reached::default() };
    };
    let mut reached = Reached::default();
    for statement in &document.statements {
        reached.everybody |= statement.problem.is_some();
        if statement.effect != Effect::Allow {
            continue;
        }
        for entry in statement.principals.iter().flat_map(|p| &p.entries) {
            match entry.kind {
                PrincipalKind::Anyone => {
                    // By name, in effect: nobody needs a permission of its own.
                    reached.everybody = true;
                    reached.named.extend(by_arn.values().copied());
                }
                PrincipalKind::Aws => match by_arn.get(entry.value.as_str()) {
                    Some(index) => reached.named.push(*index),
                    None => {
                        reached.everybody |= entry.value.contains(account);
                        // A session's ARN has its role's name, but not the role's path.
                        if let Some(session) = trust::session(&entry.value) {
                            let role = Some(session.role);
                            let named = |arn: &str| arn.contains(":role/") && arn.rsplit('/').next() == role;
                            let roles = by_arn.iter().filter(|(arn, _)| named(arn));
                            reached.named.extend(roles.map(|(_, index)| *index));
                        }
                    }
                },
                _ => {}
            }
        }
    }
    reached.named.sort_unstable();
    reached.named.dedup();
    reached
}

/// The services that a trust policy lets in, by the names that the catalogue has for them. Amazon Cognito comes with its
/// identities' tokens, and yet roles are passed to it:
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html>.
pub(super) fn services(document: &Document) -> Vec<String> {
    let usable = document.statements.iter().filter(|s| s.effect == Effect::Allow && s.problem.is_none());
    let mut found = Vec::new();
    for statement in usable {
        for entry in statement.principals.iter().flat_map(|p| &p.entries) {
            let action = match entry.kind {
                PrincipalKind::Service => "sts:assumerole",
                PrincipalKind::Federated if entry.value == COGNITO => "sts:assumerolewithwebidentity",
                _ => continue,
            };
            if statement.actions.matches(action).is_possible() {
                found.push(service_name(&entry.value));
            }
        }
    }
    found
}

/// `states.eu-west-1.amazonaws.com` and `ec2.amazonaws.com.cn` are the services `states` and `ec2`.
fn service_name(value: &str) -> String {
    let global = value.strip_suffix(".cn").unwrap_or(value);
    match global.split('.').collect::<Vec<_>>().as_slice() {
        [service, region, domain, top] if region.contains('-') => format!("{service}.{domain}.{top}"),
        _ => global.to_owned(),
    }
}

/// What the resources of the statements that grant an action begin with, up to the first wildcard or
/// variable. None begins with another.
pub(super) fn literal_beginnings(subject: &Subject<'_>, ids: &[ActionId]) -> Vec<String> {
    let limits_only = subject.layers.layers.iter().all(|l| l.kind != LayerKind::Identity);
    let mut prefixes: Vec<&str> = Vec::new();
    for located in subject.layers.statements() {
        let statement = located.statement;
        let about = ids.iter().any(|id| statement.interest.contains(*id));
        let grants = located.layer == LayerKind::Identity || limits_only;
        if statement.effect != Effect::Allow || !about || !grants {
            continue;
        }
        if let Some(resources) = &statement.resources {
            for pattern in &resources.patterns {
                let end = pattern.text.find(['*', '?', '$']).unwrap_or(pattern.text.len());
                prefixes.push(if resources.negated { "" } else { &pattern.text[..end] });
            }
        }
    }
    prefixes.sort_unstable();
    let mut kept: Vec<String> = Vec::new();
    for prefix in prefixes {
        if !kept.last().is_some_and(|last| prefix.starts_with(last.as_str())) {
            kept.push(prefix.to_owned());
        }
    }
    kept
}
