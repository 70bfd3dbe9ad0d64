//! Principals as somebody could make them: without their boundary, without a Deny, with other tags, or with all
//! permissions. Whoever can make one and become it, is it.
//!
//! Such a principal stands beside those of the account and is assessed like them, with one difference: only those
//! who can make it can become it. What one can make of oneself, one is.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::closure::Closure;
use super::door::Door;
use super::reach::literal_beginnings;
use crate::iam::admin::AdminVerdict;
use crate::iam::arn::{is_aws_managed, is_protected_role};
use crate::iam::escalation::change::{self, Change, Variant};
use crate::iam::escalation::subject::Subject;
use crate::iam::escalation::tags::Rules;
use crate::iam::escalation::{Certainty, Escalation, Path, PathKind, action_id, paths};
use crate::iam::principal::{Content, Kind, Principal};
use crate::iam::truth::Truth;

/// How many pairs of a principal and one that it may change are looked at in one account.
const MAX_PAIRS: usize = 2_000_000;
/// How many changes one after the other are followed.
const MAX_DEPTH: u8 = 6;
/// How many principals are made up, beside one for each that there is.
const SPARE: usize = 1_000;

/// Where the principals are kept that are made up on the way.
pub(super) struct Room(Vec<OnceCell<Box<Principal>>>);

impl Room {
    pub(super) fn beside(principals: usize) -> Self {
        Self(vec![OnceCell::new(); principals.saturating_add(SPARE)])
    }
}

/// A principal of the account, or one that it could be made.
pub(super) struct Node<'a> {
    pub principal: &'a Principal,
    /// Which of the account it is, or was.
    pub base: usize,
    /// Who can make it and become it, and how. Empty for those of the account.
    pub by: Vec<(usize, Escalation)>,
    depth: u8,
}

impl<'a> Node<'a> {
    pub(super) fn real(base: usize, principal: &'a Principal) -> Self {
        Self { principal, base, by: Vec::new(), depth: 0 }
    }
}

/// What all that is made up has in common.
struct Imagining<'a> {
    /// The principals made up so far, by what they were and what was changed.
    made: HashMap<(usize, String), usize>,
    /// Statements of trust policies that hang on a caller's tags, those of administrators first.
    rules: Rules<'a>,
    /// Who changes with a user, role, group or policy, by the ARN.
    affected: Option<BTreeMap<&'a str, Vec<usize>>>,
    pairs: usize,
}

/// Somebody changed, and how the one who changed it becomes it. Nothing is to be done for that if it is oneself.
struct Made {
    node: usize,
    variants: Vec<Variant>,
    becoming: Option<Escalation>,
}

impl<'a> Closure<'a> {
    /// Makes up whoever can be made of those of the account.
    pub(super) fn imagine(&mut self) {
        let mut subjects = self.assessments.iter().filter_map(|assessment| assessment.subject.as_ref());
        if !subjects.any(change::could_change) {
            return;
        }
        let mut imagining = Imagining { made: HashMap::new(), rules: self.rules(), affected: None, pairs: MAX_PAIRS };
        let mut next = 0;
        while next < self.nodes.len() {
            self.expand(next, &mut imagining);
            next += 1;
        }
    }

    /// The principal as it is, and as it could be made.
    pub(super) fn selves(&self, base: usize) -> impl Iterator<Item = usize> {
        std::iter::once(base).chain(self.made.get(&base).into_iter().flatten().copied())
    }

    /// Whoever can make and become the principal is what it is.
    pub(super) fn fall_back(&mut self, target: usize, level: Certainty) {
        let way = self.way_of(target).cloned();
        let keys = self.assessments[target].report.keys.clone();
        for (index, steps) in self.nodes[target].by.clone() {
            let assessment = &self.assessments[index];
            // An administrator under a condition may be able to take that condition away.
            let may = assessment.open || assessment.report.verdict == AdminVerdict::ConditionalAdmin;
            let mut path = steps;
            path.certainty = path.certainty.max(level);
            if let Some(way) = &way {
                path = path.followed_by(way.clone());
            } else if level == Certainty::Conditional {
                path.hang_on(keys.iter().cloned());
            }
            if may && self.grades[index].is_none_or(|grade| path.certainty < grade) {
                self.add(index, path);
            }
        }
    }

    /// The statements of trust policies that hang on the tags of whoever comes.
    fn rules(&self) -> Rules<'a> {
        let mut rules = Rules::default();
        for administrators in [true, false] {
            for (index, principal) in self.account.principals.iter().enumerate() {
                if self.grades[index].is_some() == administrators
                    && let Some(Content::Document(document)) = self.trusts.get(principal.arn.as_str())
                {
                    document.statements.iter().for_each(|statement| rules.add(statement));
                }
            }
        }
        rules
    }

    fn expand(&mut self, actor: usize, imagining: &mut Imagining<'a>) {
        let assessment = &self.assessments[actor];
        let grade = self.grades[actor];
        let Some(subject) = assessment.subject.as_ref().filter(|subject| change::could_change(subject)) else {
            return;
        };
        let conditional = assessment.report.verdict == AdminVerdict::ConditionalAdmin;
        if grade == Some(Certainty::Certain) || !assessment.open && !conditional {
            return;
        }
        let mut made = Vec::new();
        let changes = change::possible(subject, subject.principal, &imagining.rules);
        if !changes.is_empty() {
            made.push(Made { node: actor, variants: change::variants(subject.principal, &changes), becoming: None });
        }
        // Whoever can change anybody has a potential path already; what remains to be found is for those who
        // can change some.
        if assessment.open
            && matches!(grade, None | Some(Certainty::Unknown))
            && let Some(exhausted) = self.others(actor, subject, imagining, &mut made)
        {
            self.add(actor, exhausted);
        }
        for Made { node, variants, becoming } in made {
            self.make(actor, node, variants, becoming, imagining);
        }
    }

    /// Those whom the actor can change and become. If there are too many to be looked at, nobody is cleared: the path
    /// says so.
    fn others(
        &self,
        actor: usize,
        subject: &Subject<'_>,
        imagining: &mut Imagining<'a>,
        made: &mut Vec<Made>,
    ) -> Option<Escalation> {
        let usable: Vec<&'static Path> =
            paths().iter().filter(|path| change::changes(path) && subject.reaches(path)).collect();
        let first = *usable.first()?;
        let affected = imagining.affected.get_or_insert_with(|| self.affected());
        let mut targets = BTreeSet::new();
        for path in usable {
            let ids: Vec<_> = path.needs.iter().filter_map(action_id).collect();
            for prefix in literal_beginnings(subject, &ids) {
                let from = affected.range(prefix.as_str()..);
                for (_, bases) in from.take_while(|(arn, _)| arn.starts_with(&prefix)) {
                    if bases.len() > imagining.pairs {
                        return Some(first.report(Certainty::Unknown));
                    }
                    imagining.pairs -= bases.len();
                    targets.extend(bases.iter().copied().filter(|base| self.is_changed_by(path, *base)));
                }
            }
        }
        let ready = ready(subject);
        for target in targets.into_iter().filter(|target| *target != self.nodes[actor].base) {
            let Some(becoming) = become_it(&self.door(target), subject, &ready) else {
                continue;
            };
            let principal = &self.account.principals[target];
            let changes: Vec<Change> = change::possible(subject, principal, &imagining.rules);
            if !changes.is_empty() {
                let variants = change::variants(principal, &changes);
                made.push(Made { node: target, variants, becoming: Some(becoming) });
            }
        }
        None
    }

    /// Can a path of the kind do anything for the principal?
    fn is_changed_by(&self, path: &Path, base: usize) -> bool {
        let principal = &self.account.principals[base];
        match path.kind {
            PathKind::Uncap => principal.boundary.is_some(),
            PathKind::Unbar => principal.policies.iter().any(change::bars),
            PathKind::Tag | PathKind::Untag => principal.kind == Kind::User,
            _ => true,
        }
    }

    /// The users, roles and groups that change with each user, role, group and policy.
    fn affected(&self) -> BTreeMap<&'a str, Vec<usize>> {
        let mut affected: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
        for (index, principal) in self.account.principals.iter().enumerate() {
            if is_protected_role(&principal.arn) {
                continue;
            }
            let policies = principal.policies.iter().chain(&principal.boundary).map(|source| &*source.policy);
            let managed = policies.filter(|policy| policy.starts_with("arn:") && !is_aws_managed(policy));
            let groups = principal.groups.iter().map(String::as_str);
            for arn in managed.chain(groups).chain([principal.arn.as_str()]) {
                let list = affected.entry(arn).or_default();
                if list.last() != Some(&index) {
                    list.push(index);
                }
            }
        }
        affected
    }

    /// Enters what can be made of a node, until that is an administrator outright.
    fn make(
        &mut self,
        actor: usize,
        node: usize,
        variants: Vec<Variant>,
        becoming: Option<Escalation>,
        imagining: &mut Imagining<'a>,
    ) {
        for variant in variants {
            let steps = match &becoming {
                Some(becoming) => variant.steps.followed_by(becoming.clone()),
                None => variant.steps,
            };
            let key = (node, variant.key);
            let made = match imagining.made.get(&key) {
                Some(made) => *made,
                None => {
                    let depth = self.nodes[actor].depth + 1;
                    let at = self.nodes.len() - self.account.principals.len();
                    let cell = self.room.0.get(at).filter(|_| depth <= MAX_DEPTH);
                    let Some(cell) = cell else {
                        // Too many, or too far: nobody is cleared for that.
                        let unknown = Escalation { certainty: Certainty::Unknown, ..steps };
                        return self.add(actor, unknown);
                    };
                    let principal = cell.get_or_init(|| Box::new(variant.principal));
                    let base = self.nodes[node].base;
                    let made = self.enter(Node { principal, base, by: Vec::new(), depth });
                    imagining.made.insert(key, made);
                    self.made.entry(base).or_default().push(made);
                    made
                }
            };
            let outright = self.grades[made] == Some(Certainty::Certain) && steps.certainty == Certainty::Certain;
            self.nodes[made].by.push((actor, steps));
            if outright {
                return;
            }
        }
    }
}

/// What of the paths through a service the subject can do, the role aside.
fn ready(subject: &Subject<'_>) -> Vec<(&'static Path, Truth)> {
    let found = paths().iter().filter_map(|path| match path.kind {
        PathKind::PassRole | PathKind::Existing => Some((path, subject.ready_for(path))),
        PathKind::Assume | PathKind::TakeOver | PathKind::Provider => {
            // Whom a role trusts by name needs no permission.
            let always = path.kind == PathKind::Assume;
            Some((path, Truth::from(always || subject.reaches(path))))
        }
        _ => None,
    });
    found.filter(|(_, truth)| truth.is_possible()).collect()
}

/// The surest way for the subject to become somebody.
fn become_it(door: &Door<'_>, subject: &Subject<'_>, ready: &[(&'static Path, Truth)]) -> Option<Escalation> {
    let ways = ready.iter().filter(|(path, _)| door.fits(path));
    let ways = ways.filter_map(|(path, ready)| Some((*path, door.way(subject, path, *ready)?)));
    let (path, way) = ways.min_by_key(|(_, way)| way.certainty)?;
    Some(door.step(subject, path, &way, way.certainty))
}
