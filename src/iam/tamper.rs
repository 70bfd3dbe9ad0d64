//! What a principal can do to the evidence of what was done.
//!
//! "Cannot delete the logs" is a statement about every action of `log-tampering.yaml`.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::context::Context;
use super::decision::{Decision, decide};
use super::interest;
use super::layers::{Layers, Question};
use super::matching::Asked;
use super::principal::Principal;
use super::truth::Truth;

/// An action that can destroy or blind evidence.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TamperAction {
    /// The action, `service:Name`.
    pub action: String,
    /// The kind of resource that it is about.
    pub on: String,
    /// What it does to the evidence.
    pub effect: String,
    /// The page that says so.
    pub source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Catalogue {
    actions: Vec<TamperAction>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| {
    // The file is part of the program, and the test below reads it: this cannot fail at run time.
    #[allow(clippy::expect_used)]
    serde_saphyr::from_str(include_str!("log-tampering.yaml")).expect("log-tampering.yaml is readable")
});

/// The catalogue of such actions.
#[must_use]
pub fn catalogue() -> &'static [TamperAction] {
    &CATALOGUE.actions
}

pub(crate) fn actions() -> impl Iterator<Item = &'static str> {
    catalogue().iter().map(|entry| entry.action.as_str())
}

/// The resources that hold an account's evidence, as far as they are known.
#[derive(Clone, Debug, Default)]
pub struct EvidenceResources {
    /// The kind, as in the catalogue (`objects`, `bucket`, `trail`, ...), with ARNs; wildcards stand for
    /// all that they match. A kind that is not listed is asked about as a whole.
    pub by_kind: Vec<(String, Vec<String>)>,
}

/// One thing that a principal can do to the evidence.
#[derive(Clone, Debug, Serialize)]
pub struct Tampering {
    /// The action.
    pub action: &'static str,
    /// What it does.
    pub effect: &'static str,
    /// The resource that was asked about; `*` stands for any.
    pub resource: String,
    /// How the question ended; never a denial.
    pub decision: Decision,
}

/// Everything of the catalogue that is not certainly denied to the principal: allowed, conditional and
/// unknown ones.
#[must_use]
pub fn tampering(principal: &Principal, resources: &EvidenceResources) -> Vec<Tampering> {
    let layers = Layers::of(principal);
    let context = principal.context();
    tampering_of(&layers, &context, resources)
}

pub(crate) fn tampering_of(
    layers: &Layers<'_>,
    context: &Context,
    resources: &EvidenceResources,
) -> Vec<Tampering> {
    let anything = ["*".to_owned()];
    let mut found = Vec::new();
    for entry in catalogue() {
        let Some(action) = interest::id(&entry.action) else {
            continue;
        };
        let known = resources.by_kind.iter().find(|(kind, _)| *kind == entry.on);
        let asked = known.map_or(&anything[..], |(_, arns)| arns.as_slice());
        for resource in asked {
            let question = Question {
                action: Asked::Id(action),
                resource,
                context,
            };
            if layers.gap().is_none() && layers.answer(question) == Truth::False {
                continue;
            }
            let decision = decide(layers, question);
            if !decision.outcome.is_denied() {
                found.push(Tampering {
                    action: &entry.action,
                    effect: &entry.effect,
                    resource: resource.clone(),
                    decision,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_readable() {
        assert!(catalogue().len() >= 38);
        for entry in catalogue() {
            assert!(entry.source.starts_with("https://"), "{}", entry.action);
        }
    }
}
