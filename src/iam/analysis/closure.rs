//! Who can become an administrator through somebody else.
//!
//! Starts from those who are one by their own policies, surest first, and asks of each who can become
//! it. Whoever can is one, too, and is asked about in turn.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use super::Account;
use super::door::Door;
use super::reach::{ByPrefix, Reached, literal_beginnings, trust_reach};
use super::shadow::{Node, Room};
use crate::iam::admin::{self, AdminReport, AdminVerdict, Assessment};
use crate::iam::escalation::change;
use crate::iam::escalation::{Certainty, Escalation, Path, PathKind, Target, action_id, paths};
use crate::iam::principal::Content;
use crate::iam::truth::Truth;

const LEVELS: [Certainty; 4] = [Certainty::Certain, Certainty::Potential, Certainty::Conditional, Certainty::Unknown];

pub(super) struct Closure<'a> {
    pub(super) account: &'a Account,
    pub(super) room: &'a Room,
    /// The principals of the account, and after them those that they could be made.
    pub(super) nodes: Vec<Node<'a>>,
    /// By its position in the account, what a principal could be made.
    pub(super) made: HashMap<usize, Vec<usize>>,
    pub(super) assessments: Vec<Assessment<'a>>,
    /// How sure it is that the principal is an administrator; nothing if it is not.
    pub(super) grades: Vec<Option<Certainty>>,
    found: Vec<Vec<Escalation>>,
    queues: [VecDeque<usize>; 4],
    done: Vec<bool>,
    by_arn: HashMap<&'a str, usize>,
    pub(super) trusts: HashMap<&'a str, &'a Content>,
    /// The principals that can do all that a path takes, but for the target; by the path's position.
    ready: HashMap<usize, HashMap<usize, Truth>>,
    /// Which of them may mean a certain target; by the path's position.
    meant: HashMap<usize, ByPrefix>,
    /// The services of which an administrator role has been seen: another one would add nothing to the
    /// paths through whatever runs there.
    served: HashSet<String>,
}

impl<'a> Closure<'a> {
    pub(super) fn new(account: &'a Account, room: &'a Room) -> Self {
        let arns = account.principals.iter().enumerate();
        let mut closure = Self {
            account,
            room,
            nodes: Vec::new(),
            made: HashMap::new(),
            assessments: Vec::new(),
            grades: Vec::new(),
            found: Vec::new(),
            queues: Default::default(),
            done: Vec::new(),
            by_arn: arns.map(|(index, p)| (p.arn.as_str(), index)).collect(),
            trusts: account.trusts.iter().map(|(arn, c)| (arn.as_str(), c)).collect(),
            ready: HashMap::new(),
            meant: HashMap::new(),
            served: HashSet::new(),
        };
        for (index, principal) in account.principals.iter().enumerate() {
            closure.enter(Node::real(index, principal));
        }
        closure
    }

    pub(super) fn run(mut self) -> Vec<AdminReport> {
        self.spread();
        let reports = self.conclude();
        reports.into_iter().enumerate().map(|(index, report)| self.cautious(index, report)).collect()
    }

    /// The same where it is not asked whether a principal could use somebody who is not known.
    pub(super) fn by_themselves(mut self) -> Vec<AdminReport> {
        self.spread();
        self.conclude()
    }

    fn spread(&mut self) {
        self.imagine();
        self.index();
        for (queue, level) in LEVELS.into_iter().enumerate() {
            // Whoever is found is at this level or a later one, never at one that is done.
            while let Some(target) = self.queues[queue].pop_front() {
                if self.grades[target] == Some(level) && !self.done[target] {
                    self.done[target] = true;
                    match self.nodes[target].by.is_empty() {
                        true => self.reach(target, level),
                        false => self.fall_back(target, level),
                    }
                }
            }
        }
    }

    fn conclude(&mut self) -> Vec<AdminReport> {
        let found = std::mem::take(&mut self.found);
        let real = self.assessments.iter().zip(found).take(self.account.principals.len());
        real.map(|(assessment, paths)| {
            let mut report = assessment.conclude(paths);
            if report.verdict == AdminVerdict::NotAdmin
                && let Some(subject) = &assessment.subject
            {
                report.latent = subject.passes_anything();
            }
            report
        })
        .collect()
    }

    /// Takes a principal in, as what it is by its own policies.
    pub(super) fn enter(&mut self, node: Node<'a>) -> usize {
        let index = self.nodes.len();
        let mut assessment = admin::assess(node.principal);
        if let Some(subject) = &mut assessment.subject {
            subject.trust = match self.trusts.get(node.principal.arn.as_str()) {
                Some(Content::Document(document)) => Some(document),
                _ => None,
            };
        }
        self.assessments.push(assessment);
        self.nodes.push(node);
        self.grades.push(None);
        self.found.push(Vec::new());
        self.done.push(false);
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
            return index;
        }
        let mut paths = assessment.report.paths.clone();
        if change::writes_itself(self.nodes[index].principal) {
            // What it can do for others, once it has allowed itself that, is nothing to itself unless it can become
            // one of them; and whom it can become is looked at one by one.
            paths.retain(|path| path.target.is_some() || !change::is_for_others(path.id));
        }
        if !self.account.complete
            && let Some(subject) = &assessment.subject
        {
            // Roles that were not collected may be there to be passed.
            paths.extend(subject.passes_anything());
        }
        for path in paths {
            self.add(index, path);
        }
        index
    }

    pub(super) fn add(&mut self, index: usize, path: Escalation) {
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
                    PathKind::TakeOver | PathKind::Assume | PathKind::Provider => subject.reaches(path).into(),
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

    /// The surest way by which somebody is an administrator who is not one outright.
    pub(super) fn way_of(&self, index: usize) -> Option<&Escalation> {
        let report = &self.assessments[index].report;
        let paths = report.paths.iter().filter(|_| !self.assessments[index].open).chain(&self.found[index]);
        let best = paths.min_by_key(|path| path.certainty)?;
        report.verdict.certainty().is_none_or(|whole| best.certainty < whole).then_some(best)
    }

    /// The door to a principal of the account.
    pub(super) fn door(&self, base: usize) -> Door<'a> {
        let principal = &self.account.principals[base];
        Door::of(principal, self.trusts.get(principal.arn.as_str()).copied())
    }

    /// Who can become the target?
    fn reach(&mut self, target: usize, level: Certainty) {
        let door = self.door(target);
        let own = trust_reach(door.document, &self.by_arn, &door.principal.account);
        let mut improved = Vec::new();
        for (number, path) in paths().iter().enumerate().filter(|(_, path)| door.fits(path)) {
            for index in self.candidates(number, path, &door, &own) {
                let ready = self.ready.get(&number).and_then(|ready| ready.get(&index));
                let ready = ready.copied().unwrap_or(Truth::False);
                if self.nodes[index].base == target || !self.open_to(index, level) {
                    continue;
                }
                let Some(subject) = &self.assessments[index].subject else {
                    continue;
                };
                let Some(way) = door.way(subject, path, ready) else {
                    continue;
                };
                let certainty = way.certainty.max(level);
                if self.grades[index].is_none_or(|grade| certainty < grade) {
                    let mut report = door.step(subject, path, &way, certainty);
                    if certainty == Certainty::Conditional && level == certainty {
                        report.hang_on(self.keys(target));
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
        self.served.extend(door.served);
    }

    /// Those who may be able to take the path to the door.
    fn candidates(&self, number: usize, path: &Path, door: &Door<'_>, own: &Reached) -> Vec<usize> {
        let ready = || {
            let ready = self.ready.get(&number).into_iter();
            let mut all: Vec<usize> = ready.flat_map(|ready| ready.keys().copied()).collect();
            all.sort_unstable();
            all
        };
        let meant = |arn: &str| self.meant.get(&number).map_or_else(Vec::new, |meant| meant.of(arn));
        let named = || own.named.iter().flat_map(|base| self.selves(*base));
        match path.kind {
            PathKind::Assume if !own.everybody => named().collect(),
            PathKind::Assume => meant(&door.principal.arn).into_iter().chain(named()).collect(),
            PathKind::Existing => {
                let seen = path.service.iter().all(|service| self.served.contains(service));
                if seen { Vec::new() } else { ready() }
            }
            PathKind::Provider if door.document.is_none() => ready(),
            PathKind::Provider => door.providers(path).flat_map(|provider| meant(&provider.arn)).collect(),
            _ => meant(&door.principal.arn),
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
            matches!(
                path.kind,
                PathKind::Assume | PathKind::PassRole | PathKind::Existing | PathKind::TakeOver | PathKind::Provider
            )
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
