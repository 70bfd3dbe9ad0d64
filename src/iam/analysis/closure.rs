//! Who can become an administrator through somebody else.
//!
//! Starts from those who are one by their own policies, surest first, and asks of each who can become
//! it. Whoever can is one, too, and is asked about in turn.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::Account;
use super::reach::{ByPrefix, literal_beginnings, mentioned_roles, services, trust_reach};
use crate::iam::admin::{AdminReport, AdminVerdict, Assessment};
use crate::iam::arn::is_protected_role;
use crate::iam::escalation::subject::{Subject, grade};
use crate::iam::escalation::{Certainty, Escalation, Path, PathKind, Target, action_id, paths};
use crate::iam::layers::{LayerKind, Question};
use crate::iam::matching::Asked;
use crate::iam::policy::Document;
use crate::iam::principal::{Content, Kind};
use crate::iam::trust;
use crate::iam::truth::Truth;

/// How many pairs of a principal and a role that it may rewrite are looked at in one account.
const MAX_REWRITES: usize = 2_000_000;

const LEVELS: [Certainty; 4] = [Certainty::Certain, Certainty::Potential, Certainty::Conditional, Certainty::Unknown];

pub(super) struct Closure<'a> {
    account: &'a Account,
    assessments: Vec<Assessment<'a>>,
    /// How sure it is that the principal is an administrator; nothing if it is not.
    grades: Vec<Option<Certainty>>,
    found: Vec<Vec<Escalation>>,
    queues: [VecDeque<usize>; 4],
    done: Vec<bool>,
    by_arn: HashMap<&'a str, usize>,
    trusts: HashMap<&'a str, &'a Content>,
    /// The principals that can do all that a path takes, but for the target; by the path's position.
    ready: HashMap<usize, HashMap<usize, Truth>>,
    /// Which of them may mean a certain target; by the path's position.
    meant: HashMap<usize, ByPrefix>,
    /// The services of which an administrator role has been seen: another one would add nothing to the
    /// paths through whatever runs there.
    served: HashSet<String>,
}

impl<'a> Closure<'a> {
    pub(super) fn new(account: &'a Account, mut assessments: Vec<Assessment<'a>>) -> Self {
        let count = assessments.len();
        let arns = account.principals.iter().enumerate();
        let trusts: HashMap<&str, &Content> = account.trusts.iter().map(|(arn, c)| (arn.as_str(), c)).collect();
        for subject in assessments.iter_mut().filter_map(|assessment| assessment.subject.as_mut()) {
            subject.trust = match trusts.get(subject.principal.arn.as_str()) {
                Some(Content::Document(document)) => Some(document),
                _ => None,
            };
        }
        Self {
            account,
            grades: vec![None; count],
            found: vec![Vec::new(); count],
            queues: Default::default(),
            done: vec![false; count],
            by_arn: arns.map(|(index, p)| (p.arn.as_str(), index)).collect(),
            trusts,
            ready: HashMap::new(),
            meant: HashMap::new(),
            served: HashSet::new(),
            assessments,
        }
    }

    pub(super) fn run(mut self) -> Vec<AdminReport> {
        self.start();
        self.index();
        self.rewrite_roles();
        for (queue, level) in LEVELS.into_iter().enumerate() {
            // Whoever is found is at this level or a later one, never at one that is done.
            while let Some(target) = self.queues[queue].pop_front() {
                if self.grades[target] == Some(level) && !self.done[target] {
                    self.done[target] = true;
                    self.reach(target, level);
                }
            }
        }
        let found = std::mem::take(&mut self.found);
        let reports = self.assessments.iter().zip(found).enumerate();
        reports
            .map(|(index, (assessment, paths))| {
                let mut report = assessment.conclude(paths);
                if report.verdict == AdminVerdict::NotAdmin
                    && let Some(subject) = &assessment.subject
                {
                    report.latent = subject.passes_anything();
                }
                self.cautious(index, report)
            })
            .collect()
    }

    /// What each principal is by its own policies.
    fn start(&mut self) {
        for index in 0..self.assessments.len() {
            let assessment = &self.assessments[index];
            if !assessment.open {
                let report = &assessment.report;
                let paths = report.paths.iter().map(|path| path.certainty);
                let whole = report.verdict.certainty();
                if let Some(certainty) = paths.chain(whole).min()
                    && assessment.gap.is_none()
                {
                    self.improve(index, certainty);
                } else if let Some(certainty) = whole {
                    self.improve(index, certainty);
                }
                continue;
            }
            let mut paths = assessment.report.paths.clone();
            if !self.account.complete
                && let Some(subject) = &assessment.subject
            {
                // Roles that were not collected may be there to be passed.
                paths.extend(subject.passes_anything());
            }
            for path in paths {
                self.add(index, path);
            }
        }
    }

    fn add(&mut self, index: usize, path: Escalation) {
        let certainty = match &self.assessments[index].gap {
            // What the rest of the policies says is not known.
            Some(_) => Certainty::Unknown,
            None => path.certainty,
        };
        self.found[index].push(path);
        self.improve(index, certainty);
    }

    fn improve(&mut self, index: usize, certainty: Certainty) {
        if self.grades[index].is_none_or(|old| certainty < old) {
            self.grades[index] = Some(certainty);
            let level = LEVELS.iter().position(|one| *one == certainty).unwrap_or(3);
            self.queues[level].push_back(index);
        }
    }

    /// For each path that needs somebody else: who could take it?
    fn index(&mut self) {
        for (index, assessment) in self.assessments.iter().enumerate() {
            let (true, Some(subject)) = (assessment.open, &assessment.subject) else {
                continue;
            };
            for (number, path) in paths().iter().enumerate() {
                let truth = match path.kind {
                    PathKind::PassRole | PathKind::Existing => subject.ready_for(path),
                    PathKind::TakeOver | PathKind::Assume => subject.reaches(path).into(),
                    _ => Truth::False,
                };
                if truth.is_false() {
                    continue;
                }
                self.ready.entry(number).or_default().insert(index, truth);
                let target = path.needs.iter().filter(|need| need.on != Target::Any);
                for id in target.filter_map(action_id) {
                    let meant = self.meant.entry(number).or_default();
                    for prefix in literal_beginnings(subject, &[id]) {
                        meant.add(prefix, index);
                    }
                }
            }
        }
    }

    /// The condition keys that a conditional administrator hangs on.
    fn keys(&self, index: usize) -> BTreeSet<String> {
        let conditional = |path: &&Escalation| path.certainty == Certainty::Conditional;
        let path = self.found[index].iter().find(conditional);
        let keys = path.map_or(&self.assessments[index].report.keys, |path| &path.keys);
        keys.iter().cloned().collect()
    }

    /// Would a path to `level` tell anything new about the principal?
    fn open_to(&self, index: usize, level: Certainty) -> bool {
        self.assessments[index].open && self.grades[index].is_none_or(|grade| level < grade)
    }

    /// Who can become the target?
    fn reach(&mut self, target: usize, level: Certainty) {
        let principal = &self.account.principals[target];
        if is_protected_role(&principal.arn) {
            return;
        }
        let trust = self.trusts.get(principal.arn.as_str()).copied();
        let document = match trust {
            Some(Content::Document(document)) => Some(&**document),
            _ => None,
        };
        let services = document.map(services).unwrap_or_default();
        let own = trust_reach(document, &self.by_arn, &principal.account);
        let mut improved = Vec::new();
        for (number, path) in paths().iter().enumerate() {
            let fits = match path.kind {
                PathKind::TakeOver => path.needs.iter().any(|need| fits(need.on, principal.kind)),
                PathKind::Assume => principal.kind == Kind::Role,
                PathKind::PassRole | PathKind::Existing => {
                    path.service.as_ref().is_some_and(|service| services.contains(service))
                }
                _ => false,
            };
            if !fits {
                continue;
            }
            let all: Vec<usize> = match (path.kind, self.ready.get(&number)) {
                (PathKind::Assume, _) if !own.everybody => own.named.clone(),
                (PathKind::Existing, ready) => {
                    let seen = path.service.iter().all(|service| self.served.contains(service));
                    let everybody = ready.filter(|_| !seen);
                    let mut all: Vec<usize> = everybody.into_iter().flat_map(|ready| ready.keys().copied()).collect();
                    all.sort_unstable();
                    all
                }
                (kind, _) => {
                    let mut all = self.meant.get(&number).map_or_else(Vec::new, |m| m.of(&principal.arn));
                    if kind == PathKind::Assume {
                        all.extend(&own.named);
                    }
                    all
                }
            };
            for index in all {
                let ready = self.ready.get(&number).and_then(|ready| ready.get(&index));
                let ready = ready.copied().unwrap_or(Truth::False);
                if index == target || !self.open_to(index, level) {
                    continue;
                }
                let Some(subject) = &self.assessments[index].subject else {
                    continue;
                };
                let certainty = match path.kind {
                    PathKind::Assume => assume(subject, &principal.arn, document),
                    PathKind::TakeOver => take_over(subject, path, &principal.arn),
                    PathKind::PassRole => certain(ready.and(subject.passes(path, &principal.arn)), path.surest()),
                    _ => certain(ready, Certainty::Potential),
                };
                let Some(certainty) = certainty.map(|edge| edge.max(level)) else {
                    continue;
                };
                if self.grades[index].is_none_or(|grade| certainty < grade) {
                    let mut report = subject.report(path, certainty, Some(&principal.arn));
                    if certainty == Certainty::Conditional {
                        let entering = document.filter(|_| path.kind == PathKind::Assume);
                        hang_on(&mut report, entering.map(|document| admission(subject, document).keys));
                        hang_on(&mut report, (level == certainty).then(|| self.keys(target)));
                    }
                    improved.push((index, report));
                }
            }
        }
        for (index, path) in improved {
            if self.open_to(index, path.certainty) {
                self.add(index, path);
            }
        }
        self.served.extend(services);
    }

    /// Rewriting a role's permissions and assuming it: no administrator need be there before.
    fn rewrite_roles(&mut self) {
        let granting: Vec<&'static Path> = paths()
            .iter()
            .filter(|path| path.kind == PathKind::Grant && path.needs.iter().all(|n| n.on == Target::Role))
            .collect();
        let mut arns: Vec<&str> = self.trusts.keys().copied().collect();
        arns.sort_unstable();
        let mut improved = Vec::new();
        let mut budget = MAX_REWRITES;
        for (index, assessment) in self.assessments.iter().enumerate() {
            let Some(subject) = &assessment.subject else {
                continue;
            };
            // Whoever can rewrite any role has a potential path already; what remains to be found is for
            // those who can rewrite some.
            let undecided = matches!(self.grades[index], None | Some(Certainty::Unknown));
            if !assessment.open || !undecided {
                continue;
            }
            for path in granting.iter().filter(|path| subject.reaches(path)) {
                let asked = mentioned_roles(subject, path, &arns).take(budget + 1);
                let mut count = 0;
                let role = asked
                    .inspect(|_| count += 1)
                    .filter(|role| *role != subject.principal.arn && !is_protected_role(role))
                    .filter_map(|role| {
                        let need = path.needs.first()?;
                        let granted = certain(subject.meets(need, role), Certainty::Certain)?;
                        let Some(Content::Document(document)) = self.trusts.get(role) else {
                            return None;
                        };
                        let assumed = assume(subject, role, Some(document))?;
                        Some((granted.max(assumed), role))
                    })
                    .min();
                if count > budget {
                    // Too many to be asked about: nobody is cleared for that.
                    improved.push((index, path.report(Certainty::Unknown)));
                }
                budget = budget.saturating_sub(count);
                if let Some((certainty, role)) = role {
                    let mut report = subject.report(path, certainty, Some(role));
                    if certainty == Certainty::Conditional
                        && let Some(Content::Document(document)) = self.trusts.get(role)
                    {
                        hang_on(&mut report, Some(admission(subject, document).keys));
                    }
                    improved.push((index, report));
                }
            }
        }
        for (index, path) in improved {
            self.add(index, path);
        }
    }

    /// If not everybody is known, nobody who could use a stranger is cleared.
    fn cautious(&self, index: usize, mut report: AdminReport) -> AdminReport {
        if self.account.complete || report.verdict != AdminVerdict::NotAdmin {
            return report;
        }
        let Some(subject) = &self.assessments[index].subject else {
            return report;
        };
        let through_others = paths().iter().filter(|path| {
            matches!(path.kind, PathKind::Assume | PathKind::PassRole | PathKind::Existing | PathKind::TakeOver)
        });
        let mut usable = through_others.filter(|path| subject.reaches(path));
        if let Some(path) = usable.next() {
            report.verdict = AdminVerdict::Unknown {
                reason: format!("not all principals were collected, and it could {}", path.title),
            };
        }
        report
    }
}

/// Adds condition keys to those that a path hangs on.
fn hang_on(path: &mut Escalation, keys: Option<BTreeSet<String>>) {
    path.keys.extend(keys.into_iter().flatten());
    path.keys.sort();
    path.keys.dedup();
}

fn admission(subject: &Subject<'_>, document: &Document) -> trust::Admission {
    trust::admits(document, subject.principal, subject.trust, &subject.context)
}

fn certain(truth: Truth, surest: Certainty) -> Option<Certainty> {
    truth.is_possible().then(|| grade(truth, surest))
}

fn fits(target: Target, kind: Kind) -> bool {
    matches!((target, kind), (Target::User, Kind::User) | (Target::Role, Kind::Role) | (Target::Group, Kind::Group))
}

fn take_over(subject: &Subject<'_>, path: &Path, target: &str) -> Option<Certainty> {
    let need = path.needs.first()?;
    // Only users can join a group themselves; a role can only make somebody join.
    let surest = match (need.on, subject.principal.kind) {
        (Target::Group, Kind::Role) => Certainty::Potential,
        _ => Certainty::Certain,
    };
    certain(subject.meets(need, target), surest)
}

/// Can the principal assume the role?
fn assume(subject: &Subject<'_>, role: &str, document: Option<&Document>) -> Option<Certainty> {
    let assume = paths().iter().find(|path| path.kind == PathKind::Assume)?;
    let action = action_id(assume.needs.first()?)?;
    let question = Question { action: Asked::Id(action), resource: role, context: &subject.context };
    let allowed = subject.layers.answer(question);
    let Some(document) = document else {
        // Who may come in is not known.
        return allowed.is_possible().then_some(Certainty::Unknown);
    };
    let admission = admission(subject, document);
    let direct = match admission.direct {
        Truth::False => Truth::False,
        direct => direct.and(unopposed(subject, question)),
    };
    let truth = direct.or(admission.by_account.and(allowed));
    if truth.is_false() && admission.unclear && allowed.is_possible() {
        return Some(Certainty::Unknown);
    }
    certain(truth, Certainty::Certain)
}

/// For somebody whom the role's own policy lets in by name, it is enough that nothing is against it: no
/// Deny, no SCP, and for a role no boundary
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>).
fn unopposed(subject: &Subject<'_>, question: Question<'_>) -> Truth {
    let mut truth = Truth::True;
    for layer in &subject.layers.layers {
        let verdict = layer.verdict(question);
        truth = truth.and(verdict.deny.negate());
        let must_allow = match layer.kind {
            LayerKind::Identity => false,
            LayerKind::Boundary => subject.principal.kind == Kind::Role,
            LayerKind::Scp => true,
        };
        if must_allow {
            truth = truth.and(verdict.allow);
        }
    }
    truth
}
