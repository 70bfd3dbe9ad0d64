//! Does a role's trust policy let a certain user or role of the same account in?

use super::super::arn::Arn;
use super::super::condition;
use super::super::context::Context;
use super::super::policy::{Document, Effect, PrincipalEntry, PrincipalKind, Statement};
use super::super::principal::Principal;
use super::super::truth::Truth;
use super::walk::trust_statement;

/// What a trust policy says to one principal of the role's account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admission {
    /// Lets the principal in by name (or everybody): its own policies need not allow it.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-single-account.html>
    pub direct: Truth,
    /// Leaves it to the account's own policies who comes in.
    pub by_account: Truth,
    /// A statement could not be read.
    pub unclear: bool,
}

/// How a statement's principals take somebody in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meant {
    No,
    ByAccount,
    /// Some of its sessions.
    Session,
    ByName,
}

pub(crate) fn admits(document: &Document, principal: &Principal, context: &Context) -> Admission {
    let mut admission = Admission {
        direct: Truth::False,
        by_account: Truth::False,
        unclear: false,
    };
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
        let meant = meant(statement, principal);
        if meant == Meant::No {
            continue;
        }
        let applies = action.and(condition::all_hold(&statement.conditions, context));
        match (statement.effect, meant) {
            (Effect::Deny, Meant::Session) => denied = denied.or(applies.and(Truth::Maybe)),
            (Effect::Deny, _) => denied = denied.or(applies),
            (_, Meant::ByName) => admission.direct = admission.direct.or(applies),
            (_, Meant::Session) => {
                admission.direct = admission.direct.or(applies.and(Truth::Maybe));
            }
            (_, _) => admission.by_account = admission.by_account.or(applies),
        }
    }
    admission.direct = admission.direct.and(denied.negate());
    admission.by_account = admission.by_account.and(denied.negate());
    admission
}

fn meant(statement: &Statement, principal: &Principal) -> Meant {
    let entries = statement.principals.iter().flat_map(|p| &p.entries);
    let mut best = Meant::No;
    for entry in entries {
        let one = meant_by(entry, principal);
        let rank = |meant| match meant {
            Meant::No => 0,
            Meant::ByAccount => 1,
            Meant::Session => 2,
            Meant::ByName => 3,
        };
        if rank(one) > rank(best) {
            best = one;
        }
    }
    best
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
        PrincipalKind::Aws => {
            let session_of = |arn: Arn<'_>| {
                let mut parts = arn.resource.split('/');
                arn.service == "sts"
                    && arn.account == principal.account
                    && parts.next() == Some("assumed-role")
                    && parts.next() == Some(principal.name())
            };
            if Arn::parse(&entry.value).is_some_and(session_of) {
                Meant::Session
            } else {
                Meant::No
            }
        }
        _ => Meant::No,
    }
}
