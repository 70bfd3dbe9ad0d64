//! The tags of a user that somebody can change, and the values that would help.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_iam-tags.html>

use std::collections::BTreeSet;

use super::change::{Change, What};
use super::subject::{Subject, grade};
use super::{Certainty, Escalation, Need, Path, PathKind, paths};
use crate::iam::condition::Clause;
use crate::iam::context::Context;
use crate::iam::glob;
use crate::iam::layers::Layers;
use crate::iam::matching;
use crate::iam::policy::{Effect, Statement};
use crate::iam::principal::{Kind, Principal};
use crate::iam::truth::Truth;

const PREFIX: &str = "aws:principaltag/";
/// A value that nobody names.
const ANY_VALUE: &str = "auditpack-probe";
/// No more sets of tags are tried; beyond, it stays open what the tags could be.
const MAX_TRIED: usize = 16;
/// No more different demands of trust policies are looked at.
const MAX_RULES: usize = 64;

/// Tags with their new values; nothing for one that is taken off.
type Tags = Vec<(String, Option<String>)>;

/// Does the statement hang on tags of the principal?
fn hangs_on_tags(statement: &Statement) -> bool {
    statement.conditions.iter().any(|clause| clause.key.starts_with(PREFIX)) || !variables(statement).is_empty()
}

/// The tags whose values are put into the statement.
fn variables(statement: &Statement) -> Vec<String> {
    let patterns = statement.resources.iter().flat_map(|resources| &resources.patterns);
    let in_resources = patterns.filter(|pattern| pattern.variables).flat_map(|p| matching::variables(&p.text));
    let in_conditions = statement.conditions.iter().flat_map(Clause::variables);
    in_resources.chain(in_conditions).filter(|key| key.starts_with(PREFIX)).collect()
}

/// Statements of trust policies that hang on the tags of whoever comes.
#[derive(Default)]
pub(crate) struct Rules<'a> {
    statements: Vec<&'a Statement>,
    seen: BTreeSet<String>,
    /// The keys of those that are too many to be tried.
    beyond: BTreeSet<String>,
}

impl<'a> Rules<'a> {
    /// Takes a statement in, if it hangs on tags and no other asks the same of them.
    pub(crate) fn add(&mut self, statement: &'a Statement) {
        if !hangs_on_tags(statement) {
            return;
        }
        let clauses = statement.conditions.iter().filter(|clause| clause.key.starts_with(PREFIX));
        let asked: Vec<_> = clauses.clone().map(|clause| (&clause.key, clause.operator, &clause.written)).collect();
        if !self.seen.insert(format!("{:?} {asked:?} {:?}", statement.effect, variables(statement))) {
            return;
        }
        if self.statements.len() < MAX_RULES {
            self.statements.push(statement);
        } else {
            let keys = clauses.map(|clause| clause.key.to_string()).chain(variables(statement));
            self.beyond.extend(keys.filter_map(|key| key.strip_prefix(PREFIX).map(str::to_owned)));
        }
    }
}

/// What can be made of a user's tags. Of roles and of whoever has a policy, the tags are not known anyway.
pub(super) fn retags(actor: &Subject<'_>, target: &Principal, rules: &Rules<'_>) -> Vec<Change> {
    if target.kind != Kind::User || target.tags.is_none() || target.arn.is_empty() || target.retagged {
        return Vec::new();
    }
    let tagging = paths().iter().filter(|path| matches!(path.kind, PathKind::Tag | PathKind::Untag));
    let can = |path: &Path| {
        let somehow = |need: &Need| actor.meets(need, &target.arn).is_possible();
        actor.reaches(path) && path.needs.iter().all(somehow)
    };
    if !tagging.into_iter().any(can) {
        return Vec::new();
    }
    let layers = Layers::of(target);
    let own: Vec<&Statement> = layers.statements().map(|located| located.statement).collect();
    let hanging: Vec<&Statement> =
        own.iter().chain(&rules.statements).copied().filter(|statement| hangs_on_tags(statement)).collect();
    let mut found = Vec::new();
    let mut tried: BTreeSet<Tags> = BTreeSet::new();
    let mut loose = rules.beyond.clone();
    let context = target.context();
    for statement in &hanging {
        if let Some(tags) = helping(actor, target, statement, &context)
            && !tried.contains(&tags)
        {
            if tried.len() >= MAX_TRIED {
                loose.extend(tags.into_iter().map(|(key, _)| key));
                continue;
            }
            found.extend(set(actor, target, tags.clone()));
            tried.insert(tags);
        }
        loose.extend(uncertain(statement).filter_map(|key| Some(key.strip_prefix(PREFIX)?.to_owned())));
    }
    let mut keys: Vec<&String> = tried.iter().flatten().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() > 1 && tried.len() > 1 {
        // Several tags may have to be changed for several statements.
        loose.extend(keys.into_iter().cloned());
    }
    found.extend(loosen(actor, target, loose));
    found
}

/// The tags of which one value may do as little as another: a part of a pattern, or put into something else.
fn uncertain(statement: &Statement) -> impl Iterator<Item = String> {
    let patterns = statement.conditions.iter().filter(|clause| clause.written.iter().any(|value| glob::is_glob(value)));
    let keys = patterns.map(|clause| clause.key.to_string()).filter(|key| key.starts_with(PREFIX));
    keys.chain(variables(statement))
}

/// The tags with which an Allow applies, as far as it hangs on them, or a Deny does not; of those that the actor may
/// give.
fn helping(actor: &Subject<'_>, target: &Principal, statement: &Statement, context: &Context) -> Option<Tags> {
    let wanted = Truth::from(statement.effect == Effect::Allow);
    let clauses = statement.conditions.iter().filter(|clause| clause.key.starts_with(PREFIX));
    let mut keys: Vec<&str> = clauses.clone().map(|clause| &*clause.key).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut tags = Tags::new();
    for key in keys {
        let mine: Vec<&Clause> = clauses.clone().filter(|clause| &*clause.key == key).collect();
        let holds = |context: &Context| mine.iter().map(|c| c.holds(context)).fold(Truth::True, Truth::and) == wanted;
        if holds(context) {
            continue;
        }
        let name = key.strip_prefix(PREFIX)?;
        let written = mine.iter().flat_map(|clause| &clause.written).map(|value| example(value));
        let allowed = asked_for(actor, &format!("aws:requesttag/{name}"));
        let values = written.chain(allowed).chain([ANY_VALUE.to_owned()]).map(Some).chain([None]);
        let helps = |value: &Option<String>| match value {
            Some(value) => holds(&context.clone().with(key, value)),
            None => holds(&context.clone().without(key)),
        };
        let mut values = values.filter(helps).filter(|value| can_set(actor, target, name, value.as_deref()));
        match values.next() {
            Some(value) => tags.push((name.to_owned(), value)),
            // A Deny is out of the way once one of its conditions is not met.
            None if wanted.is_false() => {}
            None => return None,
        }
    }
    (!tags.is_empty()).then_some(tags)
}

/// A value that the pattern matches, if it is one.
fn example(value: &str) -> String {
    if glob::is_glob(value) && !value.contains("${") {
        value.replace('*', ANY_VALUE).replace('?', "x")
    } else {
        value.to_owned()
    }
}

/// The change to certain tags.
fn set(actor: &Subject<'_>, target: &Principal, tags: Tags) -> Option<Change> {
    let (given, taken): (Vec<_>, Vec<_>) = tags.iter().cloned().partition(|(_, value)| value.is_some());
    let mut step: Option<Escalation> = None;
    for (kind, part) in [(PathKind::Tag, given), (PathKind::Untag, taken)] {
        if part.is_empty() {
            continue;
        }
        let path = path(kind)?;
        let truth = may(actor, target, path, &part);
        if truth.is_false() {
            return None;
        }
        let mut report = actor.report(path, grade(truth, Certainty::Certain), Some(&target.arn));
        let words = part.iter().map(|(key, value)| match value {
            Some(value) => format!("{key}={value}"),
            None => key.clone(),
        });
        report.with = Some(words.collect::<Vec<_>>().join(", "));
        step = Some(match step {
            Some(step) => step.followed_by(report),
            None => report,
        });
    }
    Some(Change { what: What::Tag(tags), step: step? })
}

/// The change of those of the tags that can be changed at all, to values of which nothing is known.
fn loosen(actor: &Subject<'_>, target: &Principal, keys: BTreeSet<String>) -> Option<Change> {
    let mut loose = BTreeSet::new();
    let mut by = None;
    for key in keys {
        let tag = path(PathKind::Tag).filter(|path| {
            let mut values = asked_for(actor, &format!("aws:requesttag/{key}"));
            values.push(ANY_VALUE.to_owned());
            let mut truths = values.into_iter().map(|value| may(actor, target, path, &[(key.clone(), Some(value))]));
            truths.any(Truth::is_possible)
        });
        let untag = path(PathKind::Untag).filter(|path| may(actor, target, path, &[(key.clone(), None)]).is_possible());
        if let Some(path) = tag.or(untag) {
            by = by.or(Some(path));
            loose.insert(key);
        }
    }
    let mut step = actor.report(by?, Certainty::Conditional, Some(&target.arn));
    step.keys.extend(loose.iter().map(|key| format!("{PREFIX}{key}")));
    Some(Change { what: What::Loosen(loose), step })
}

fn can_set(actor: &Subject<'_>, target: &Principal, key: &str, value: Option<&str>) -> bool {
    let kind = if value.is_some() { PathKind::Tag } else { PathKind::Untag };
    let tag = (key.to_owned(), value.map(str::to_owned));
    path(kind).is_some_and(|path| may(actor, target, path, &[tag]).is_possible())
}

fn path(kind: PathKind) -> Option<&'static Path> {
    paths().iter().find(|path| path.kind == kind)
}

/// May the actor give the target these tags, or take them off? It may send others along, if a policy asks for that.
fn may(actor: &Subject<'_>, target: &Principal, path: &Path, tags: &[(String, Option<String>)]) -> Truth {
    let Some(need) = path.needs.first() else {
        return Truth::False;
    };
    let mut known = Context::new();
    for (key, value) in tags {
        if let Some(value) = value {
            known.set(&format!("aws:RequestTag/{key}"), value);
        }
    }
    let keys: Vec<String> = tags.iter().map(|(key, _)| key.clone()).collect();
    let named = asked_for(actor, "aws:tagkeys");
    let others = named.into_iter().filter(|other| !keys.iter().any(|key| key.eq_ignore_ascii_case(other)));
    let along = others.take(MAX_TRIED).map(|other| [keys.as_slice(), &[other]].concat());
    let mut truth = Truth::False;
    // AWS compares the keys as they are written; the tag's own spelling is one that a policy names.
    for keys in std::iter::once(keys.clone()).chain(spelt(actor, &keys)).chain(along) {
        let known = known.clone().with_values("aws:TagKeys", keys);
        truth = truth.or(actor.meets_knowing(need, &target.arn, Some(&known)));
        if truth.is_true() {
            break;
        }
    }
    truth
}

/// The keys as the actor's policies spell them, where they do.
fn spelt(actor: &Subject<'_>, keys: &[String]) -> Option<Vec<String>> {
    let named = asked_for(actor, "aws:tagkeys");
    let spelt: Vec<String> = keys
        .iter()
        .map(|key| named.iter().find(|name| name.eq_ignore_ascii_case(key)).unwrap_or(key).clone())
        .collect();
    (spelt != keys).then_some(spelt)
}

/// What the actor's policies compare a key with.
fn asked_for(actor: &Subject<'_>, key: &str) -> Vec<String> {
    let clauses = actor.layers.statements().flat_map(|located| &located.statement.conditions);
    clauses.filter(|clause| &*clause.key == key).flat_map(|clause| &clause.written).map(|v| example(v)).collect()
}
