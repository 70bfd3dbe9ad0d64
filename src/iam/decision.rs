//! Can this principal do X on Y?
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>. The answer is for
//! the identity side: resource policies, session policies, resource control policies and endpoint
//! policies are out of sight.

use std::collections::BTreeSet;

use serde::Serialize;

use super::context::Context;
pub use super::layers::LayerKind;
use super::layers::{Layers, Question};
use super::matching::Asked;
use super::policy::Effect;
use super::principal::Principal;
use super::truth::Truth;

/// A statement, by its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StatementRef {
    /// Identity policy, boundary or SCP.
    pub layer: LayerKind,
    /// The name of the inline policy or the ARN of the managed one.
    pub policy: String,
    /// The group that a user has it from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub via_group: Option<String>,
    /// The statement's position in the document, from 0.
    pub index: usize,
    /// Its name, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
}

/// The answer to "can it do X on Y".
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Yes, no, or it depends.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The statements that decide: the denying ones, or the allowing ones, or those it hangs on.
    pub statements: Vec<StatementRef>,
    /// No service control policies were given: what is allowed here may still be denied there.
    pub upper_bound: bool,
}

/// How a question ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// Allowed in every request that fits the context.
    Allow,
    /// A Deny statement applies.
    ExplicitDeny,
    /// Nothing allows it.
    ImplicitDeny,
    /// Allowed in some requests; these keys decide. `resource` and `action` stand among them if a
    /// question about many is answered differently for some.
    Conditional {
        /// The condition keys, in lower case.
        keys: Vec<String>,
    },
    /// A document or statement that could decide it cannot be read.
    Unknown {
        /// What is missing.
        reason: String,
    },
}

impl Outcome {
    /// The stable id of the outcome.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ExplicitDeny => "explicit-deny",
            Self::ImplicitDeny => "implicit-deny",
            Self::Conditional { .. } => "conditional",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// True only if it is certain that the principal cannot do it.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::ExplicitDeny | Self::ImplicitDeny)
    }
}

/// Can `principal` do `action` on `resource`?
///
/// `context` adds to (and overrides) what follows from the principal itself. A resource with wildcards
/// asks about all that they match: `*` is "any resource". The same goes for the action.
#[must_use]
pub fn can(principal: &Principal, action: &str, resource: &str, context: &Context) -> Decision {
    let action = action.to_ascii_lowercase();
    let context = principal.context().overlaid(context);
    decide(
        &Layers::of(principal),
        Question {
            action: Asked::Name(&action),
            resource,
            context: &context,
        },
    )
}

pub(crate) fn decide(layers: &Layers<'_>, question: Question<'_>) -> Decision {
    let done = |outcome, statements| Decision {
        outcome,
        statements,
        upper_bound: layers.upper_bound,
    };
    let applying = layers.applying(question);
    let picked = |effect: Effect, truth: Option<Truth>| -> Vec<StatementRef> {
        applying
            .iter()
            .filter(|(located, found)| {
                located.statement.effect == effect && truth.is_none_or(|truth| truth == *found)
            })
            .map(|(located, _)| located.reference())
            .collect()
    };
    // Any Deny that certainly applies decides, whatever else could not be read.
    let denies = picked(Effect::Deny, Some(Truth::True));
    if !denies.is_empty() {
        return done(Outcome::ExplicitDeny, denies);
    }
    let mut allowed = Truth::True;
    let mut granted = Vec::new();
    for layer in &layers.layers {
        let verdict = layer.verdict(question);
        if verdict.allow.is_true() {
            granted.push(layer.kind);
        }
        if layer.gap.is_none() && verdict.allow.is_false() {
            // Each layer must allow, and this one is completely known.
            return done(Outcome::ImplicitDeny, Vec::new());
        }
        allowed = allowed.and(verdict.allow).and(verdict.deny.negate());
    }
    if let Some(gap) = layers.gap() {
        let reason = gap.to_owned();
        return done(Outcome::Unknown { reason }, Vec::new());
    }
    if allowed.is_true() {
        return done(Outcome::Allow, picked(Effect::Allow, Some(Truth::True)));
    }
    let mut keys = BTreeSet::new();
    for (located, truth) in &applying {
        // An Allow that hangs on something decides nothing where another is certain.
        let moot = located.statement.effect == Effect::Allow && granted.contains(&located.layer);
        if *truth == Truth::Maybe && !moot {
            located.open_keys(question, &mut keys);
        }
    }
    let mut statements = picked(Effect::Allow, None);
    statements.extend(picked(Effect::Deny, None));
    let keys = keys.into_iter().collect();
    done(Outcome::Conditional { keys }, statements)
}
