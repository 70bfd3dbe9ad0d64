//! What one principal can change about another, or about itself, so that the other can do more afterwards: its
//! permissions, its boundary, the policies in which a Deny lies, its tags.
//!
//! A change is made up for as the principal that there would be: the rest of the engine is asked about that one as
//! about any other.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::subject::{SELF, Subject, grade};
use super::tags::{self, Rules};
use super::{Certainty, Escalation, Need, Path, PathKind, Takes, Target, action_id, actions, paths};
use crate::iam::arn::{Arn, is_aws_managed, is_protected_role};
use crate::iam::context::Context;
use crate::iam::interest::{self, Bits};
use crate::iam::policy::Effect;
use crate::iam::principal::{Content, Kind, PolicySource, Principal};

/// The name of the policy that somebody writes who can write any.
const WRITTEN: &str = "that it writes";

/// Something that can be changed, and the step that does it.
pub(crate) struct Change {
    pub what: What,
    pub step: Escalation,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    /// Everything is allowed; by a policy of the group, if one is named.
    Grant { group: Option<String> },
    /// The managed policy says what one likes.
    Rewrite(String),
    /// The boundary goes.
    Uncap,
    /// A policy goes, with all that it says; one that comes from the group, if one is named.
    Drop { group: Option<String>, policy: String },
    /// The user is no longer in the group.
    Leave(String),
    /// The user's tags, in lower case; nothing for one that is taken off.
    Tag(Vec<(String, Option<String>)>),
    /// Tags are changed to one does not know what.
    Loosen(BTreeSet<String>),
}

/// A principal as it would be, and how it comes to that.
pub(crate) struct Variant {
    pub principal: Principal,
    pub steps: Escalation,
    /// The same for the same changes.
    pub key: String,
}

/// The actions that change somebody.
static CHANGING: LazyLock<Bits> = LazyLock::new(|| bits(changes));
/// The actions that any path takes: a Deny of none of them is in nobody's way.
static ANY: LazyLock<Bits> = LazyLock::new(|| {
    let mut bits = Bits::default();
    actions().filter_map(interest::id).for_each(|id| bits.insert(id));
    bits
});

fn bits(wanted: impl Fn(&Path) -> bool) -> Bits {
    let mut bits = Bits::default();
    let needs = paths().iter().filter(|path| wanted(path)).flat_map(|path| &path.needs);
    needs.filter_map(action_id).for_each(|id| bits.insert(id));
    bits
}

/// Does the path change somebody?
pub(crate) fn changes(path: &Path) -> bool {
    matches!(path.kind, PathKind::Grant | PathKind::Uncap | PathKind::Unbar | PathKind::Tag | PathKind::Untag)
}

/// The quick test: does the actor have any action by which somebody is changed?
pub(crate) fn could_change(actor: &Subject<'_>) -> bool {
    actor.reach.meet(*CHANGING)
}

/// Is there a Deny in the policy that could be in somebody's way?
pub(crate) fn bars(source: &PolicySource) -> bool {
    has(source, Effect::Deny)
}

fn has(source: &PolicySource, effect: Effect) -> bool {
    let Content::Document(document) = &source.content else {
        return false;
    };
    document.statements.iter().any(|statement| statement.effect == effect && statement.interest.meet(*ANY))
}

/// Is it a principal that has written itself a policy, as one that was made up?
pub(crate) fn writes_itself(principal: &Principal) -> bool {
    principal.policies.iter().any(|source| &*source.policy == WRITTEN)
}

/// Does the path of the id do something for its target, and nothing for whoever takes it?
pub(crate) fn is_for_others(id: &str) -> bool {
    let path = paths().iter().find(|path| path.id == id);
    path.is_some_and(|path| matches!(path.kind, PathKind::Grant | PathKind::Uncap))
}

/// All that the actor can change about the target. `rules` are statements elsewhere that may hang on its tags.
pub(crate) fn possible(actor: &Subject<'_>, target: &Principal, rules: &Rules<'_>) -> Vec<Change> {
    if is_protected_role(&target.arn) || !could_change(actor) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let granted = writes_itself(target);
    for path in paths().iter().filter(|path| actor.reaches(path)) {
        let Some(need) = path.needs.first() else {
            continue;
        };
        let mut asking = Asking { actor, target, path, need, found: &mut found };
        match path.kind {
            PathKind::Grant if !granted => asking.grants(),
            PathKind::Uncap => asking.uncaps(),
            PathKind::Unbar => asking.unbars(path.takes),
            _ => {}
        }
    }
    found.extend(tags::retags(actor, target, rules));
    found
}

/// The resources of a kind that the target is or has its policies from: each with the name of the group.
fn holders(actor: &Subject<'_>, target: &Principal, on: Target) -> Vec<(String, Option<String>)> {
    let itself = || if target.arn.is_empty() { actor.iam_arn(on, SELF) } else { target.arn.clone() };
    match (on, target.kind) {
        (Target::User, Kind::User) | (Target::Role, Kind::Role) | (Target::Group, Kind::Group) => {
            vec![(itself(), None)]
        }
        (Target::Group, Kind::User) => target
            .groups
            .iter()
            .filter_map(|arn| Some((arn.clone(), Some(Arn::parse(arn)?.name().to_owned()))))
            .collect(),
        _ => Vec::new(),
    }
}

/// What is known of the target in a request to change it.
fn known(target: &Principal, on: Target) -> Context {
    let context = Context::new();
    match &target.boundary {
        Some(boundary) if matches!(on, Target::User | Target::Role) => {
            if boundary.policy.starts_with("arn:") {
                context.with("iam:PermissionsBoundary", &*boundary.policy)
            } else {
                context
            }
        }
        _ => context.without("iam:PermissionsBoundary"),
    }
}

/// A customer's own managed policy, which can be rewritten.
fn is_own_policy(source: &PolicySource) -> bool {
    source.policy.starts_with("arn:") && !is_aws_managed(&source.policy)
}

struct Asking<'s, 'a> {
    actor: &'s Subject<'a>,
    target: &'s Principal,
    path: &'static Path,
    need: &'static Need,
    found: &'s mut Vec<Change>,
}

impl Asking<'_, '_> {
    fn add(&mut self, resource: &str, known: &Context, what: What) {
        let truth = self.actor.meets_knowing(self.need, resource, Some(known));
        if truth.is_possible() {
            let step = self.actor.report(self.path, grade(truth, self.path.surest()), Some(resource));
            self.found.push(Change { what, step });
        }
    }

    fn grants(&mut self) {
        let known = known(self.target, self.need.on);
        for (resource, group) in holders(self.actor, self.target, self.need.on) {
            self.add(&resource, &known, What::Grant { group });
        }
        if self.need.on == Target::Policy {
            for source in self.target.policies.iter().filter(|source| is_own_policy(source)) {
                self.add(&source.policy, &known, What::Rewrite(source.policy.to_string()));
            }
        }
    }

    fn uncaps(&mut self) {
        let Some(boundary) = &self.target.boundary else {
            return;
        };
        let known = known(self.target, self.need.on);
        if self.need.on == Target::Boundary && is_own_policy(boundary) {
            self.add(&boundary.policy, &known, What::Uncap);
        }
        for (resource, _) in holders(self.actor, self.target, self.need.on) {
            self.add(&resource, &known, What::Uncap);
        }
    }

    fn unbars(&mut self, takes: Option<Takes>) {
        let known = known(self.target, self.need.on);
        for (resource, group) in holders(self.actor, self.target, self.need.on) {
            let from_there = |source: &&PolicySource| source.via_group.as_deref() == group.as_deref();
            let barring = self.target.policies.iter().filter(from_there).filter(|source| bars(source));
            for source in barring {
                let attached = source.policy.starts_with("arn:");
                let known = if attached { known.clone().with("iam:PolicyARN", &*source.policy) } else { known.clone() };
                let policy = source.policy.to_string();
                match (takes, &group) {
                    (Some(Takes::All), Some(group)) => self.add(&resource, &known, What::Leave(group.clone())),
                    (Some(Takes::Inline), _) if !attached => {
                        self.add(&resource, &known, What::Drop { group: group.clone(), policy });
                    }
                    (Some(Takes::Attached), _) if attached => {
                        self.add(&resource, &known, What::Drop { group: group.clone(), policy });
                    }
                    _ => {}
                }
            }
        }
    }
}

impl What {
    fn apply(&self, principal: &mut Principal) {
        match self {
            Self::Grant { .. } => {}
            Self::Rewrite(arn) => {
                principal.policies.retain(|source| *source.policy != **arn);
                if principal.boundary.as_ref().is_some_and(|boundary| *boundary.policy == **arn) {
                    principal.boundary = None;
                }
            }
            Self::Uncap => principal.boundary = None,
            Self::Drop { group, policy } => principal
                .policies
                .retain(|source| *source.policy != **policy || source.via_group.as_deref() != group.as_deref()),
            Self::Leave(group) => {
                principal.policies.retain(|source| source.via_group.as_deref() != Some(group));
                principal.groups.retain(|arn| Arn::parse(arn).is_none_or(|arn| arn.name() != group));
            }
            Self::Tag(tags) => {
                let mine = principal.tags.get_or_insert_default();
                for (key, value) in tags {
                    mine.retain(|old, _| old.to_lowercase() != *key);
                    mine.extend(value.clone().map(|value| (key.clone(), value)));
                }
                principal.retagged = true;
            }
            Self::Loosen(keys) => {
                principal.loose_tags.extend(keys.iter().cloned());
                principal.retagged = true;
            }
        }
        if matches!(self, Self::Grant { .. } | Self::Rewrite(_)) {
            principal.policies.push(PolicySource::everything(WRITTEN));
        }
    }

    /// Nothing is lost by it: it takes away no Allow that could count.
    fn only_widens(&self, target: &Principal) -> bool {
        let mut lost = target.policies.iter().filter(|source| match self {
            Self::Drop { group, policy } => {
                *source.policy == **policy && source.via_group.as_deref() == group.as_deref()
            }
            Self::Leave(group) => source.via_group.as_deref() == Some(group),
            _ => false,
        });
        !lost.any(|source| has(source, Effect::Allow))
    }

    fn removes(&self) -> bool {
        matches!(self, Self::Drop { .. } | Self::Leave(_))
    }

    fn retags(&self) -> bool {
        matches!(self, Self::Tag(_) | Self::Loosen(_))
    }
}

/// The principals that the target can be made by the changes: those that take the surest changes first, and of these
/// those that take the fewest. Changes that may take something away as well are tried one by one and all together.
pub(crate) fn variants(target: &Principal, changes: &[Change]) -> Vec<Variant> {
    let mut levels: Vec<Certainty> = changes.iter().map(|change| change.step.certainty).collect();
    levels.sort();
    levels.dedup();
    let mut found: Vec<Variant> = Vec::new();
    for level in levels {
        let usable: Vec<&Change> = best_of(changes.iter().filter(|change| change.step.certainty <= level));
        for set in sets(target, &usable) {
            let Some(variant) = variant(target, &set) else {
                continue;
            };
            if variant.steps.certainty == level && found.iter().all(|other| other.key != variant.key) {
                found.push(variant);
            }
        }
    }
    found
}

/// The surest of those that do the same.
fn best_of<'c>(changes: impl Iterator<Item = &'c Change>) -> Vec<&'c Change> {
    let mut best: Vec<&Change> = Vec::new();
    for change in changes {
        match best.iter_mut().find(|other| other.what == change.what) {
            Some(other) if change.step.certainty < other.step.certainty => *other = change,
            Some(_) => {}
            None => best.push(change),
        }
    }
    best
}

fn sets<'c>(target: &Principal, usable: &[&'c Change]) -> Vec<Vec<&'c Change>> {
    let of = |wanted: &dyn Fn(&What) -> bool| -> Vec<&'c Change> {
        usable.iter().copied().filter(|change| wanted(&change.what)).collect()
    };
    let group = |what: &What| matches!(what, What::Grant { group: Some(_) });
    let grant = of(&|what| matches!(what, What::Grant { .. } | What::Rewrite(_)))
        .into_iter()
        .min_by_key(|change| (change.step.certainty, group(&change.what)));
    let uncap: Vec<_> = of(&|what| *what == What::Uncap).into_iter().take(1).collect();
    let removals = of(&|what| what.removes());
    let rewrites = of(&|what| matches!(what, What::Rewrite(_)));
    let mut sets = Vec::new();
    let mut base = Vec::new();
    if let Some(grant) = grant {
        sets.push(vec![grant]);
        base = vec![grant];
        base.extend(&uncap);
        sets.push(base.clone());
        // Whoever leaves the group loses what it was given there.
        let kept = removals.into_iter().filter(|change| match (&grant.what, &change.what) {
            (What::Grant { group: Some(group) }, What::Leave(left)) => group != left,
            _ => true,
        });
        base.extend(kept);
        base.extend(rewrites.into_iter().filter(|change| change.what != grant.what));
        sets.push(base.clone());
    } else {
        base.extend(&uncap);
        sets.push(base.clone());
        let (free, dear): (Vec<_>, Vec<_>) = removals.into_iter().partition(|change| change.what.only_widens(target));
        base.extend(free);
        sets.push(base.clone());
        for one in &dear {
            sets.push([base.as_slice(), &[one]].concat());
        }
        sets.push([base.as_slice(), &dear].concat());
    }
    for tag in of(&|what| what.retags()) {
        sets.push([base.as_slice(), &[tag]].concat());
    }
    sets
}

fn variant(target: &Principal, set: &[&Change]) -> Option<Variant> {
    let mut principal = target.clone();
    for change in set {
        change.what.apply(&mut principal);
    }
    let mut whats: Vec<&What> = set.iter().map(|change| &change.what).collect();
    whats.sort();
    let steps = set.iter().map(|change| change.step.clone()).reduce(Escalation::followed_by)?;
    Some(Variant { principal, steps, key: format!("{whats:?}") })
}
