//! The layers that must all allow: identity policies, the permissions boundary, each level of service
//! control policies.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>

use std::collections::BTreeSet;

use super::condition;
use super::context::Context;
use super::decision::StatementRef;
use super::matching::{self, Asked};
use super::policy::{Effect, Statement};
use super::principal::{Content, PolicySource, Principal, Scps};
use super::truth::Truth;

/// Which layer a statement is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LayerKind {
    /// Inline, attached or group policy.
    Identity,
    /// Permissions boundary.
    Boundary,
    /// Service control policy.
    Scp,
}

/// Everything that decides about one principal, ready to be asked.
pub(crate) struct Layers<'a> {
    /// The identity layer first.
    pub layers: Vec<Layer<'a>>,
    /// No service control policies were given.
    pub upper_bound: bool,
}

pub(crate) struct Layer<'a> {
    pub kind: LayerKind,
    pub statements: Vec<Located<'a>>,
    /// Why the layer's answer cannot be trusted.
    pub gap: Option<String>,
}

/// A statement with its place.
#[derive(Clone, Copy)]
pub(crate) struct Located<'a> {
    pub layer: LayerKind,
    pub source: &'a PolicySource,
    pub index: usize,
    pub statement: &'a Statement,
}

/// What one layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub allow: Truth,
    pub deny: Truth,
}

/// One question.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub action: Asked<'a>,
    pub resource: &'a str,
    pub context: &'a Context,
}

impl<'a> Layers<'a> {
    pub(crate) fn of(principal: &'a Principal) -> Self {
        let mut layers = vec![Layer::new(LayerKind::Identity, &principal.policies)];
        if let Some(boundary) = &principal.boundary {
            layers.push(Layer::new(LayerKind::Boundary, std::slice::from_ref(boundary)));
        }
        if let Scps::Levels(levels) = &principal.scps {
            layers.extend(levels.iter().map(|level| Layer::new(LayerKind::Scp, level)));
        }
        Self { layers, upper_bound: matches!(principal.scps, Scps::Unknown) }
    }

    /// The first layer that cannot be trusted.
    pub(crate) fn gap(&self) -> Option<&str> {
        self.layers.iter().find_map(|layer| layer.gap.as_deref())
    }

    pub(crate) fn statements(&self) -> impl Iterator<Item = Located<'a>> + '_ {
        self.layers.iter().flat_map(|layer| layer.statements.iter().copied())
    }

    /// The answer of all layers together, gaps left aside.
    pub(crate) fn answer(&self, question: Question<'_>) -> Truth {
        let mut allow = Truth::True;
        for layer in &self.layers {
            let verdict = layer.verdict(question);
            if verdict.deny.is_true() || verdict.allow.is_false() {
                return Truth::False;
            }
            allow = allow.and(verdict.allow).and(verdict.deny.negate());
        }
        allow
    }

    /// The statements that may apply to a question: certain or conditional ones.
    pub(crate) fn applying(&self, question: Question<'_>) -> Vec<(Located<'a>, Truth)> {
        self.statements()
            .map(|located| (located, located.applies(question)))
            .filter(|(_, truth)| truth.is_possible())
            .collect()
    }
}

impl<'a> Layer<'a> {
    fn new(kind: LayerKind, sources: &'a [PolicySource]) -> Self {
        let mut layer = Self { kind, statements: Vec::new(), gap: None };
        for source in sources {
            let document = match &source.content {
                Content::Document(document) => document,
                Content::Unreadable(reason) => {
                    layer.gap.get_or_insert_with(|| format!("policy {} cannot be read: {reason}", source.policy));
                    continue;
                }
                Content::Missing => {
                    layer.gap.get_or_insert_with(|| format!("policy {} was not collected", source.policy));
                    continue;
                }
            };
            for (index, statement) in document.statements.iter().enumerate() {
                if let Some(problem) = unusable(statement) {
                    layer.gap.get_or_insert_with(|| format!("policy {}, statement {index}: {problem}", source.policy));
                    continue;
                }
                layer.statements.push(Located { layer: kind, source, index, statement });
            }
        }
        layer
    }

    pub(crate) fn verdict(&self, question: Question<'_>) -> Verdict {
        let mut verdict = Verdict { allow: Truth::False, deny: Truth::False };
        for located in &self.statements {
            let side = match located.statement.effect {
                Effect::Allow => &mut verdict.allow,
                _ => &mut verdict.deny,
            };
            if side.is_true() {
                continue;
            }
            *side = side.or(located.applies(question));
            if verdict.deny.is_true() {
                break;
            }
        }
        verdict
    }
}

/// Why a statement cannot be used in an identity policy, boundary or SCP.
fn unusable(statement: &Statement) -> Option<&str> {
    if let Some(problem) = &statement.problem {
        return Some(problem);
    }
    if statement.principals.is_some() {
        return Some("a Principal in a policy that cannot have one");
    }
    if statement.resources.is_none() {
        return Some("neither Resource nor NotResource");
    }
    None
}

impl Located<'_> {
    /// Does the statement apply to the question?
    pub(crate) fn applies(&self, question: Question<'_>) -> Truth {
        let action = self.statement.acts_on(question.action);
        if action.is_false() {
            return Truth::False;
        }
        let resource = self.resource_matches(question);
        if resource.is_false() {
            return Truth::False;
        }
        action.and(resource).and(condition::all_hold(&self.statement.conditions, question.context))
    }

    fn resource_matches(&self, question: Question<'_>) -> Truth {
        match &self.statement.resources {
            Some(resources) => resources.matches(question.resource, question.context),
            None => Truth::Maybe,
        }
    }

    /// The condition keys, variables and other unknowns that a *maybe* hangs on.
    pub(crate) fn open_keys(&self, question: Question<'_>, keys: &mut BTreeSet<String>) {
        if self.statement.acts_on(question.action) == Truth::Maybe {
            keys.insert("action".to_owned());
        }
        self.open_conditions(question.context, keys);
        if self.resource_matches(question) != Truth::Maybe {
            return;
        }
        let before = keys.len();
        for pattern in self.statement.resources.iter().flat_map(|r| &r.patterns) {
            if pattern.variables {
                let unknown = matching::variables(&pattern.text);
                keys.extend(unknown.into_iter().filter(|key| !question.context.knows(key)));
            }
        }
        if keys.len() == before {
            keys.insert("resource".to_owned());
        }
    }

    pub(crate) fn open_conditions(&self, context: &Context, keys: &mut BTreeSet<String>) {
        condition::open_keys(&self.statement.conditions, context, keys);
    }

    /// True if the statement reaches every resource there is.
    pub(crate) fn on_everything(&self) -> bool {
        self.statement
            .resources
            .as_ref()
            .is_some_and(|resources| !resources.negated && resources.patterns.iter().any(|p| p.is_everything()))
    }

    pub(crate) fn reference(&self) -> StatementRef {
        StatementRef {
            layer: self.layer,
            policy: self.source.policy.to_string(),
            via_group: self.source.via_group.as_deref().map(str::to_owned),
            index: self.index,
            sid: self.statement.sid.clone(),
            effect: self.statement.effect,
        }
    }
}
