//! Does a role's trust policy let a certain user or role of the same account in?

use std::collections::BTreeSet;

use super::super::arn::Arn;
use super::super::condition;
use super::super::context::Context;
use super::super::policy::{Document, Effect, PrincipalEntry, PrincipalKind};
use super::super::principal::{Kind, Principal};
use super::super::truth::Truth;
use super::walk::trust_statement;

/// What a trust policy says to one principal of the role's account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Lets the principal in by name (or everybody): its own policies need not allow it.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html>
    pub direct: Truth,
    /// Leaves it to the account's own policies who comes in.
    pub by_account: Truth,
    /// A statement could not be read.
    pub unclear: bool,
    /// The condition keys that it hangs on.
    pub keys: BTreeSet<String>,
}

/// How a statement's principals take somebody in. Later is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Meant {
    No,
    ByAccount,
    /// Its sessions of a name.
    Session,
    ByName,
}

/// `own` is the principal's own trust policy, if it is a role: it says who names its sessions.
pub(crate) fn admits(
    document: &Document,
    principal: &Principal,
    own: Option<&Document>,
    context: &Context,
) -> Admission {
    let mut admission =
        Admission { direct: Truth::False, by_account: Truth::False, unclear: false, keys: BTreeSet::new() };
    let mut denied = Truth::False;
    for statement in &document.statements {
        if !trust_statement(statement).is_true() {
            admission.unclear = true;
            continue;
        }
        let action = statement.actions.matches("sts:assumerole");
        if action.is_false() {
            continue;
        }
        let entries = || statement.principals.iter().flat_map(|p| &p.entries);
        let meant = entries().map(|entry| meant_by(entry, principal)).max().unwrap_or(Meant::No);
        if meant == Meant::No {
            continue;
        }
        condition::open_keys(&statement.conditions, context, &mut admission.keys);
        let mut applies = action.and(condition::all_hold(&statement.conditions, context));
        if meant == Meant::Session {
            let sessions = entries().filter_map(|entry| session(&entry.value));
            let names = sessions.filter(|session| session.is_of(principal)).map(|session| session.name);
            let named = match statement.effect {
                // Who denies one name leaves all others.
                Effect::Deny => Truth::Maybe,
                _ => names.map(|name| session_named(own, name)).fold(Truth::False, Truth::or),
            };
            if named == Truth::Maybe {
                admission.keys.insert("sts:rolesessionname".to_owned());
            }
            applies = applies.and(named);
        }
        match (statement.effect, meant) {
            (Effect::Deny, _) => denied = denied.or(applies),
            (_, Meant::ByAccount) => admission.by_account = admission.by_account.or(applies),
            (_, _) => admission.direct = admission.direct.or(applies),
        }
    }
    admission.direct = admission.direct.and(denied.negate());
    admission.by_account = admission.by_account.and(denied.negate());
    admission
}

/// Can a role be assumed under a name? Whoever assumes it chooses one, unless the role's trust policy has a word in it;
/// services and SAML providers choose for themselves.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
fn session_named(own: Option<&Document>, name: &str) -> Truth {
    let Some(own) = own else { return Truth::Maybe };
    let context = Context::new().with("sts:RoleSessionName", name);
    let mut truth = Truth::False;
    for statement in &own.statements {
        if !trust_statement(statement).is_true() {
            truth = truth.or(Truth::Maybe);
            continue;
        }
        // The other conditions are about who comes in, not about the name.
        let about = statement.conditions.iter().filter(|clause| &*clause.key == "sts:rolesessionname");
        let fits = about.map(|clause| clause.holds(&context)).fold(Truth::True, Truth::and);
        if statement.effect == Effect::Deny {
            if condition::all_hold(&statement.conditions, &context).is_true() {
                return Truth::False;
            }
            continue;
        }
        for entry in statement.principals.iter().flat_map(|p| &p.entries) {
            let (action, chosen) = match entry.kind {
                PrincipalKind::Anyone | PrincipalKind::Aws => ("sts:assumerole", Truth::True),
                PrincipalKind::Service => ("sts:assumerole", Truth::Maybe),
                PrincipalKind::Federated if entry.value.contains(":saml-provider/") => {
                    ("sts:assumerolewithsaml", Truth::Maybe)
                }
                PrincipalKind::Federated => ("sts:assumerolewithwebidentity", Truth::True),
                PrincipalKind::CanonicalUser => continue,
            };
            truth = truth.or(statement.actions.matches(action).and(fits).and(chosen));
        }
    }
    truth
}

fn meant_by(entry: &PrincipalEntry, principal: &Principal) -> Meant {
    match entry.kind {
        PrincipalKind::Anyone => Meant::ByName,
        PrincipalKind::Aws if entry.value == principal.arn => Meant::ByName,
        PrincipalKind::Aws if super::is_whole_account(&entry.value) => {
            if super::principal_account(&entry.value) == Some(&principal.account) {
                Meant::ByAccount
            } else {
                Meant::No
            }
        }
        PrincipalKind::Aws => match session(&entry.value) {
            Some(session) if session.is_of(principal) => Meant::Session,
            _ => Meant::No,
        },
        _ => Meant::No,
    }
}

/// A session of a role.
pub(crate) struct Session<'a> {
    account: &'a str,
    pub role: &'a str,
    name: &'a str,
}

impl Session<'_> {
    fn is_of(&self, principal: &Principal) -> bool {
        self.account == principal.account && self.role == principal.name() && principal.kind == Kind::Role
    }
}

/// The session of an ARN like `arn:aws:sts::111122223333:assumed-role/role/name`.
pub(crate) fn session(value: &str) -> Option<Session<'_>> {
    let arn = Arn::parse(value).filter(|arn| arn.service == "sts")?;
    let (role, name) = arn.resource.strip_prefix("assumed-role/")?.split_once('/')?;
    Some(Session { account: arn.account, role, name })
}
