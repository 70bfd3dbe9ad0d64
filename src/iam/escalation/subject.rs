//! One principal, asked about the paths of the catalogue.

use std::collections::BTreeSet;

use super::{Certainty, Escalation, Need, Path, PathKind, Target, action_id, paths};
use crate::iam::arn::{is_aws_managed, is_protected_role};
use crate::iam::context::Context;
use crate::iam::glob::{self, Tok};
use crate::iam::interest::{ActionId, Bits};
use crate::iam::layers::{LayerKind, Layers, Located, Question};
use crate::iam::matching::{self, Asked, Wildcards};
use crate::iam::policy::{Document, Effect};
use crate::iam::principal::{Kind, Principal};
use crate::iam::truth::Truth;

/// A name that no policy is likely to single out: what is allowed on it is allowed on anybody.
const PROBE: &str = "auditpack-probe";
/// The name of a principal of which no name is known.
pub(crate) const SELF: &str = "auditpack-self";
/// No more than so many resources are tried for one action.
const MAX_WITNESSES: usize = 48;

/// A principal with its layers and what follows from who it is.
pub(crate) struct Subject<'a> {
    pub principal: &'a Principal,
    pub layers: Layers<'a>,
    pub context: Context,
    /// The actions of interest that any identity policy mentions in an Allow.
    pub reach: Bits,
    /// Nothing but the identity policies limits it.
    pub uncapped: bool,
    /// The role's own trust policy, where the account is known.
    pub trust: Option<&'a Document>,
}

impl<'a> Subject<'a> {
    /// A principal as it is; `uncapped` says that neither boundary nor SCP takes anything away.
    pub(crate) fn new(principal: &'a Principal, layers: Layers<'a>, uncapped: bool) -> Self {
        let mut context = principal.context();
        if principal.arn.is_empty() || principal.kind == Kind::Group {
            // `user/${aws:username}` must not look like everybody's ARN just because the name of the
            // one it stands for is unknown.
            context.set("aws:username", SELF);
        }
        let mut reach = Bits::default();
        let mut limited = false;
        for layer in &layers.layers {
            if layer.kind != LayerKind::Identity {
                limited = true;
                continue;
            }
            for located in &layer.statements {
                if located.statement.effect == Effect::Allow {
                    reach = reach.union(located.statement.interest);
                }
            }
        }
        if limited && layers.layers.iter().all(|l| l.kind != LayerKind::Identity) {
            // Only the limits are known, so anything within them may be granted.
            for located in layers.statements() {
                if located.statement.effect == Effect::Allow {
                    reach = reach.union(located.statement.interest);
                }
            }
        }
        Self { principal, layers, context, reach, uncapped, trust: None }
    }

    /// Is the action allowed on the resource?
    pub(crate) fn allows(&self, action: ActionId, resource: &str, context: &Context) -> Truth {
        if !self.reach.contains(action) {
            return Truth::False;
        }
        self.layers.answer(Question { action: Asked::Id(action), resource, context })
    }

    /// The same for a need of the catalogue, with the best of the choices that the caller has.
    pub(crate) fn meets(&self, need: &Need, resource: &str) -> Truth {
        self.meets_knowing(need, resource, None)
    }

    /// The same where something is known of the target: then that decides in place of a choice that would be
    /// among targets.
    pub(crate) fn meets_knowing(&self, need: &Need, resource: &str, known: Option<&Context>) -> Truth {
        let Some(action) = action_id(need) else {
            return Truth::False;
        };
        if !self.reach.contains(action) {
            return Truth::False;
        }
        if need.choose.is_empty() && known.is_none() {
            return self.allows(action, resource, &self.context);
        }
        let base = self.context.clone();
        let mut contexts = vec![match known {
            Some(known) => base.overlaid(known),
            None => base,
        }];
        for (key, values) in &need.choose {
            let of_target = values.iter().any(|value| value == "absent");
            if of_target && known.is_some_and(|known| known.knows(&key.to_ascii_lowercase())) {
                continue;
            }
            contexts = contexts
                .iter()
                .flat_map(|context| {
                    values.iter().map(|value| match value.as_str() {
                        "absent" => context.clone().without(key),
                        value => {
                            let value = value.replace("{partition}", self.principal.partition());
                            let value = value.replace("{account}", &self.principal.account);
                            context.clone().with(key, value)
                        }
                    })
                })
                .collect();
        }
        contexts.iter().map(|context| self.allows(action, resource, context)).fold(Truth::False, Truth::or)
    }

    /// An ARN of the kind that stands for anybody or anything.
    fn arbitrary(&self, target: Target) -> String {
        self.iam_arn(target, PROBE)
    }

    pub(crate) fn iam_arn(&self, target: Target, name: &str) -> String {
        let kind = match target {
            Target::User => "user",
            Target::Group => "group",
            Target::Policy | Target::Boundary => "policy",
            Target::SamlProvider => "saml-provider",
            Target::OidcProvider => "oidc-provider",
            Target::Role | Target::Passed | Target::Any => "role",
        };
        let (partition, account) = (self.principal.partition(), &self.principal.account);
        format!("arn:{partition}:iam::{account}:{kind}/{name}")
    }

    /// What of the kind is the principal itself, or gives it permissions.
    fn own(&self, target: Target) -> Vec<String> {
        let principal = self.principal;
        let itself = |target| {
            if principal.arn.is_empty() { self.iam_arn(target, SELF) } else { principal.arn.clone() }
        };
        match (target, principal.kind) {
            (Target::Role, Kind::Role) if is_protected_role(&principal.arn) => Vec::new(),
            (Target::User, Kind::User) | (Target::Role, Kind::Role) => vec![itself(target)],
            (Target::Group, Kind::Group) => vec![itself(target)],
            (Target::User, Kind::Group) => vec![self.iam_arn(target, SELF)],
            (Target::Group, _) => principal.groups.clone(),
            (Target::Policy, _) => {
                let policies = principal.policies.iter().map(|source| &*source.policy);
                policies
                    .filter(|policy| policy.starts_with("arn:") && !is_aws_managed(policy))
                    .map(str::to_owned)
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// Is the action allowed on some resource of its service?
    fn meets_somewhere(&self, need: &Need) -> Truth {
        let Some(action) = action_id(need) else {
            return Truth::False;
        };
        let mut resources = BTreeSet::new();
        let mut best = self.witnesses(action, need, &mut resources);
        for resource in resources {
            best = best.or(self.meets(need, &resource));
            if best.is_true() {
                break;
            }
        }
        best
    }

    /// Resources on which the action is allowed, if it is allowed on any: one for each pattern that
    /// grants it. *Maybe* if there are too many to be tried, so that there may be more.
    fn witnesses(&self, action: ActionId, need: &Need, found: &mut BTreeSet<String>) -> Truth {
        let service = need.action.split(':').next().unwrap_or_default();
        let (partition, account) = (self.principal.partition(), &self.principal.account);
        let generic = format!("arn:{partition}:{service}:us-east-1:{account}:{PROBE}");
        for located in self.layers.statements() {
            let statement = located.statement;
            if statement.effect != Effect::Allow || !statement.interest.contains(action) {
                continue;
            }
            let Some(resources) = &statement.resources else {
                continue;
            };
            for pattern in &resources.patterns {
                if found.len() >= MAX_WITNESSES {
                    return Truth::Maybe;
                }
                found.insert(if resources.negated || pattern.is_everything() {
                    generic.clone()
                } else if pattern.variables {
                    instance(&self.replaced(&pattern.text), account)
                } else {
                    instance(&pattern.text, account)
                });
            }
        }
        Truth::False
    }

    /// A pattern with the policy variables that are known replaced, and stars for the others.
    fn replaced(&self, pattern: &str) -> String {
        let replaced = matching::replace(pattern, Wildcards::Active, &self.context);
        let bytes = replaced.tokens.iter().map(|token| match token {
            Tok::Byte(byte) => *byte,
            Tok::One => b'?',
            Tok::Star => b'*',
        });
        String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
    }

    /// Is there one resource for which everything that a path takes is allowed? Not the principal
    /// itself, which cannot be made anew.
    fn meets_on_one(&self, path: &Path) -> Truth {
        let Some(first) = path.needs.first() else {
            return Truth::False;
        };
        let mut candidates = BTreeSet::from([self.arbitrary(first.on)]);
        let mut best = Truth::False;
        let kind = self.iam_arn(first.on, "");
        for need in &path.needs {
            let Some(action) = action_id(need) else {
                return Truth::False;
            };
            let mut found = BTreeSet::new();
            best = best.or(self.witnesses(action, need, &mut found));
            candidates.extend(found.into_iter().filter(|arn| arn.starts_with(&kind)));
        }
        let own = self.own(first.on);
        for candidate in candidates.iter().filter(|arn| !own.contains(arn)) {
            best = best.or(self.all(path, |need| self.meets(need, candidate)));
            if best.is_true() {
                break;
            }
        }
        best
    }

    /// The paths that the principal's own policies open, whoever else is in the account.
    pub(crate) fn own_paths(&self) -> Vec<Escalation> {
        paths().iter().filter(|path| self.reaches(path)).filter_map(|path| self.own_path(path)).collect()
    }

    /// The quick test: is every action of the path mentioned at all?
    pub(crate) fn reaches(&self, path: &Path) -> bool {
        let mut ids = path.needs.iter().map(action_id);
        ids.all(|id| id.is_some_and(|id| self.reach.contains(id)))
    }

    fn own_path(&self, path: &'static Path) -> Option<Escalation> {
        match path.kind {
            PathKind::Grant => {
                let need = path.needs.first()?;
                // A principal that a boundary holds down stays so, whatever it grants itself.
                let own = if self.uncapped { self.own(need.on) } else { Vec::new() };
                let best = own
                    .into_iter()
                    .map(|arn| (self.meets(need, &arn), arn))
                    .filter(|(truth, _)| truth.is_possible())
                    .min_by_key(|(truth, _)| !truth.is_true());
                let surest = path.surest();
                if let Some((truth, arn)) = &best
                    && truth.is_true()
                {
                    return Some(self.report(path, grade(*truth, surest), Some(arn)));
                }
                let anybody = self.meets(need, &self.arbitrary(need.on));
                if anybody.is_true() {
                    return Some(self.report(path, Certainty::Potential, None));
                }
                if let Some((truth, arn)) = best {
                    return Some(self.report(path, grade(truth, surest), Some(&arn)));
                }
                self.graded(path, anybody, Certainty::Potential)
            }
            PathKind::TakeOver => {
                let need = path.needs.first()?;
                let anybody = self.meets(need, &self.arbitrary(need.on));
                self.graded(path, anybody, Certainty::Potential)
            }
            // A boundary's own policy is looked at where it is known whose it is.
            PathKind::Uncap if path.needs.iter().any(|need| need.on == Target::Boundary) => None,
            PathKind::Uncap => {
                let need = path.needs.first()?;
                let anybody = self.meets(need, &self.arbitrary(need.on));
                self.graded(path, anybody, Certainty::Potential)
            }
            PathKind::Create => self.graded(path, self.meets_on_one(path), Certainty::Certain),
            // Whether there is such a user or role is not in the principal's own policies.
            PathKind::Combine => self.graded(path, self.meets_on_one(path), Certainty::Potential),
            PathKind::PassRole | PathKind::Existing | PathKind::Assume => None,
            PathKind::Unbar | PathKind::Tag | PathKind::Untag | PathKind::Provider | PathKind::SignIn => None,
        }
    }

    fn all(&self, path: &Path, meets: impl Fn(&Need) -> Truth) -> Truth {
        path.needs.iter().map(meets).fold(Truth::True, Truth::and)
    }

    /// Are the actions of a pass-role or existing-service path allowed, passing aside?
    pub(crate) fn ready_for(&self, path: &Path) -> Truth {
        if !self.reaches(path) {
            return Truth::False;
        }
        self.all(path, |need| match need.on {
            Target::Passed => Truth::True,
            _ => self.meets_somewhere(need),
        })
    }

    /// Can it hand the role to the path's service?
    pub(crate) fn passes(&self, path: &Path, role: &str) -> Truth {
        let Some(service) = &path.service else {
            return Truth::False;
        };
        let context = self.context.clone().with("iam:PassedToService", service);
        let passing = path.needs.iter().filter(|need| need.on == Target::Passed);
        passing.filter_map(action_id).map(|action| self.allows(action, role, &context)).fold(Truth::True, Truth::and)
    }

    /// The pass-role paths that are open for any role that there may be.
    pub(crate) fn passes_anything(&self) -> Vec<Escalation> {
        let passing = paths().iter().filter(|path| path.kind == PathKind::PassRole);
        passing
            .filter_map(|path| {
                let ready = self.ready_for(path);
                if ready.is_false() {
                    return None;
                }
                let truth = ready.and(self.passes(path, &self.arbitrary(Target::Role)));
                self.graded(path, truth, Certainty::Potential)
            })
            .collect()
    }

    fn graded(&self, path: &'static Path, truth: Truth, surest: Certainty) -> Option<Escalation> {
        truth.is_possible().then(|| self.report(path, grade(truth, surest), None))
    }

    /// The path with the statements that grant it and the keys it hangs on.
    pub(crate) fn report(&self, path: &'static Path, certainty: Certainty, target: Option<&str>) -> Escalation {
        let mut report = path.report(certainty);
        report.target = target.map(str::to_owned);
        let mut keys = BTreeSet::new();
        let mut statements = BTreeSet::new();
        let mut context = self.context.clone();
        if let Some(service) = &path.service {
            context.set("iam:PassedToService", service);
        }
        for need in &path.needs {
            let Some(action) = action_id(need) else {
                continue;
            };
            let resource = match need.on {
                Target::Any => "*".to_owned(),
                on => target.map_or_else(|| self.arbitrary(on), str::to_owned),
            };
            let question = Question { action: Asked::Id(action), resource: &resource, context: &context };
            let open = |located: &Located<'_>, truth: Truth| {
                truth == Truth::Maybe && (need.on != Target::Any || !located.statement.conditions.is_empty())
            };
            for (located, truth) in self.layers.applying(question) {
                let allows = located.statement.effect == Effect::Allow;
                if allows || certainty == Certainty::Conditional {
                    statements.insert(located.reference());
                }
                if certainty == Certainty::Conditional && open(&located, truth) {
                    let chosen = |key: &String| need.choose.keys().any(|k| k.eq_ignore_ascii_case(key));
                    let mut mine = BTreeSet::new();
                    located.open_keys(question, &mut mine);
                    keys.extend(mine.into_iter().filter(|key| !chosen(key)));
                }
            }
        }
        report.statements = statements.into_iter().collect();
        report.keys = keys.into_iter().collect();
        report
    }
}

/// A truth as a certainty, which is at most `surest`.
pub(crate) fn grade(truth: Truth, surest: Certainty) -> Certainty {
    if truth.is_true() { surest } else { Certainty::Conditional.max(surest) }
}

/// A resource that the pattern matches.
fn instance(pattern: &str, account: &str) -> String {
    let mut segments = Vec::new();
    for (index, segment) in pattern.splitn(6, ':').enumerate() {
        let filled = match (index, segment) {
            (1, "*") => "aws".to_owned(),
            (3, "*") => "us-east-1".to_owned(),
            (4, "*") => account.to_owned(),
            _ if glob::is_glob(segment) => segment.replace('*', PROBE).replace('?', "x"),
            _ => segment.to_owned(),
        };
        segments.push(filled);
    }
    segments.join(":")
}
