//! Becoming one principal of the account: by which ways, and who can take them.

use crate::iam::arn::is_protected_role;
use crate::iam::escalation::subject::{Subject, grade};
use crate::iam::escalation::{Certainty, Escalation, Path, PathKind, Target, action_id, paths};
use crate::iam::layers::{LayerKind, Question};
use crate::iam::matching::Asked;
use crate::iam::policy::Document;
use crate::iam::principal::{Content, Kind, Principal};
use crate::iam::trust::{self, Provider};
use crate::iam::truth::Truth;

use super::reach::services;

/// How somebody is become, who is not known to be an administrator yet.
pub(super) struct Door<'a> {
    pub principal: &'a Principal,
    /// A role's trust policy, if it can be read.
    pub document: Option<&'a Document>,
    /// The services that a role trusts.
    pub served: Vec<String>,
    /// There may be more of them.
    unclear: bool,
    providers: Vec<Provider>,
    /// Nobody in the account can edit it or hand it to anything.
    protected: bool,
}

/// How somebody becomes the principal by one path.
pub(super) struct Way {
    pub certainty: Certainty,
    /// The identity provider that it leads through.
    provider: Option<String>,
}

impl<'a> Door<'a> {
    pub(super) fn of(principal: &'a Principal, trust: Option<&'a Content>) -> Self {
        let document: Option<&'a Document> = match trust {
            Some(Content::Document(document)) => Some(document),
            _ => None,
        };
        let role = principal.kind == Kind::Role;
        Self {
            principal,
            document,
            served: document.map(services).unwrap_or_default(),
            unclear: role && document.is_none_or(|document| document.problem().is_some()),
            providers: document.map(|document| trust::providers(document, principal.as_of)).unwrap_or_default(),
            protected: is_protected_role(&principal.arn),
        }
    }

    /// Can the path lead to the principal at all?
    pub(super) fn fits(&self, path: &Path) -> bool {
        let kind = self.principal.kind;
        let of_a_provider = path.kind == PathKind::Provider && kind == Kind::Role;
        if self.protected {
            // IAM Identity Center's roles trust a provider that is in the account like any other.
            return of_a_provider && self.principal.arn.contains(":role/aws-reserved/") && !self.providers.is_empty();
        }
        match path.kind {
            PathKind::TakeOver => path.needs.iter().any(|need| fits(need.on, kind)),
            PathKind::Assume => kind == Kind::Role,
            PathKind::PassRole | PathKind::Existing => self.unclear || self.serves(path),
            PathKind::Provider => of_a_provider && (self.unclear || !self.providers.is_empty()),
            _ => false,
        }
    }

    fn serves(&self, path: &Path) -> bool {
        path.service.as_ref().is_some_and(|service| self.served.contains(service))
    }

    /// The providers that the path can speak for.
    pub(super) fn providers<'d>(&'d self, path: &'d Path) -> impl Iterator<Item = &'d Provider> {
        self.providers.iter().filter(|provider| {
            let on = if provider.saml { Target::SamlProvider } else { Target::OidcProvider };
            path.needs.iter().all(|need| need.on == on)
        })
    }

    /// How sure it is that the subject gets in by the path. `ready` says whether it can do all that the path takes,
    /// but for the target.
    pub(super) fn way(&self, subject: &Subject<'_>, path: &Path, ready: Truth) -> Option<Way> {
        let direct = |certainty: Certainty| Way { certainty, provider: None };
        // What the trust policy may say beside what can be read of it.
        let doubtful = |certainty: Certainty| {
            direct(if self.serves(path) { certainty } else { certainty.max(Certainty::Unknown) })
        };
        match path.kind {
            PathKind::Assume => assume(subject, &self.principal.arn, self.document).map(direct),
            PathKind::TakeOver => take_over(subject, path, &self.principal.arn).map(direct),
            PathKind::PassRole => {
                let passed = ready.and(subject.passes(path, &self.principal.arn));
                certain(passed, path.surest()).map(doubtful)
            }
            PathKind::Existing => certain(ready, Certainty::Potential).map(doubtful),
            PathKind::Provider => self.by_provider(subject, path),
            _ => None,
        }
    }

    fn by_provider(&self, subject: &Subject<'_>, path: &Path) -> Option<Way> {
        let known = self.providers(path).filter_map(|provider| {
            let allowed =
                path.needs.iter().map(|need| subject.meets(need, &provider.arn)).fold(Truth::True, Truth::and);
            let surest = if self.protected { Certainty::Potential } else { path.surest() };
            let certainty = certain(allowed.and(provider.admits), surest)?;
            let certainty = if provider.unclear { certainty.max(Certainty::Unknown) } else { certainty };
            Some(Way { certainty, provider: Some(provider.arn.clone()) })
        });
        let best = known.min_by_key(|way| way.certainty);
        let unknown = || Way { certainty: Certainty::Unknown, provider: None };
        best.or_else(|| (self.unclear && subject.reaches(path)).then(unknown))
    }

    /// The way in words, with what grants it.
    pub(super) fn step(
        &self,
        subject: &Subject<'_>,
        path: &'static Path,
        way: &Way,
        certainty: Certainty,
    ) -> Escalation {
        let Some(provider) = &way.provider else {
            let mut report = subject.report(path, certainty, Some(&self.principal.arn));
            if certainty == Certainty::Conditional && path.kind == PathKind::Assume {
                let entering = self.document.map(|document| admission(subject, document).keys);
                report.hang_on(entering.into_iter().flatten());
            }
            return report;
        };
        let speaking = subject.report(path, certainty, Some(provider));
        let on = path.needs.first().map(|need| need.on);
        let signing_in = paths()
            .iter()
            .find(|other| other.kind == PathKind::SignIn && other.needs.first().map(|need| need.on) == on);
        match signing_in {
            Some(other) => {
                let mut next = other.report(certainty);
                next.target = Some(self.principal.arn.clone());
                speaking.followed_by(next)
            }
            None => speaking,
        }
    }
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
