//! What else is remarkable about a path into a role.

use super::requirement::{Asking, Requirement};
use super::{AssumeAction, OidcWidth, PathKind, ServiceGuard, Surroundings, TrustFinding, TrustPath};
use crate::iam::arn::{Arn, is_account_id};
use crate::iam::condition::{Set, Test};
use crate::iam::glob;
use crate::iam::truth::Truth;

/// External ids shorter than this are advised against: long enough not to be guessed.
const SHORT: usize = 16;

pub(super) fn of(
    path: &TrustPath,
    asking: &Asking<'_>,
    narrowed: &[String],
    role_arn: &str,
    around: &Surroundings<'_>,
) -> Vec<TrustFinding> {
    let mut found = Vec::new();
    let mut add = |id: &'static str, detail: String| {
        let finding = TrustFinding { id, detail };
        if !found.contains(&finding) {
            found.push(finding);
        }
    };
    match path.kind {
        PathKind::Public => add(
            "public-principal",
            format!("{} lets every AWS account in that meets the conditions", path.principal),
        ),
        PathKind::Orphan => add(
            "deleted-principal",
            format!("{} is the id of a principal that no longer exists", path.principal),
        ),
        PathKind::Unclear => add(
            "unclear-principal",
            format!("{} is not a principal that a trust policy can name", path.principal),
        ),
        PathKind::Saml => add(
            "identity-provider-decides",
            "who may assume the role, and whether with MFA, is decided in the identity provider".into(),
        ),
        _ => {}
    }
    if !narrowed.is_empty() {
        add("narrowed-by-condition", format!("anybody, narrowed by {}", narrowed.join(", ")));
    }
    if let Some(known) = around.known_principals
        && path.kind == PathKind::SameAccount
        && Arn::parse(&path.principal).is_some_and(|arn| arn.service == "iam" && arn.resource != "root")
        && !known.contains(&path.principal)
    {
        add("missing-principal", format!("{} does not exist in the account", path.principal));
    }
    if path.open == Truth::False {
        add(
            "closed-path",
            "no request can meet the conditions: the path grants nothing".into(),
        );
        let federated = matches!(path.action, AssumeAction::WithSaml | AssumeAction::WithWebIdentity);
        if federated && asking.clauses().any(|clause| clause.key.starts_with("aws:multifactorauth")) {
            add(
                "mfa-on-federated-path",
                "federated identities carry no MFA keys, so that a condition on them is never met".into(),
            );
        }
    }
    external_ids(path, role_arn, around, &mut add);
    if path.kind.is_external()
        && matches!(path.requirements.external_id, Requirement::Required)
        && path.kind == PathKind::Public
    {
        add("external-id-is-the-only-guard", "an external id is not a secret".into());
    }
    if path.oidc.as_ref().is_some_and(|oidc| oidc.width == OidcWidth::Open) {
        add("open-identity-provider", "any customer of the identity provider gets in".into());
    }
    if path.oidc.as_ref().is_some_and(|oidc| oidc.width == OidcWidth::Dead) {
        add("dead-identity-condition", "no token can have what the conditions ask for".into());
    }
    if matches!(path.guard, Some(ServiceGuard::Unguarded { .. })) {
        add(
            "unguarded-service",
            format!("{} could be made to act for another account", path.principal),
        );
    }
    lints(asking, &mut add);
    found
}

fn external_ids(
    path: &TrustPath,
    role_arn: &str,
    around: &Surroundings<'_>,
    add: &mut impl FnMut(&'static str, String),
) {
    let role_name = Arn::parse(role_arn).map_or("", |arn| arn.name());
    for id in &path.external_ids {
        if is_account_id(id) {
            add("external-id-is-account-id", format!("the external id {id} is an account id"));
        }
        let is_name = |name: &str| !name.is_empty() && id.eq_ignore_ascii_case(name);
        if is_name(role_name) || around.vendor_names.iter().any(|name| is_name(name)) {
            add("external-id-is-a-name", format!("the external id {id} is the role's or vendor's name"));
        }
        if id.chars().count() < SHORT {
            add(
                "external-id-short",
                format!("the external id {id} has fewer than {SHORT} characters"),
            );
        }
    }
    if path.external_ids.len() > 1 {
        add(
            "several-external-ids",
            format!("any of {} is accepted", path.external_ids.join(", ")),
        );
    }
}

/// Conditions that do not do what they look like.
fn lints(asking: &Asking<'_>, add: &mut impl FnMut(&'static str, String)) {
    for clause in &asking.statement.conditions {
        let (operator, key) = (clause.operator, &clause.key);
        let guards = key.starts_with("aws:multifactorauth")
            || &**key == "sts:externalid"
            || key.ends_with(":sub");
        if guards && operator.if_exists {
            add("if-exists-in-allow", format!("{key} need not be there, because of IfExists"));
        }
        if guards && operator.set == Set::All {
            add("for-all-values-in-allow", format!("{key} need not be there, because of ForAllValues"));
        }
        if guards && operator.negated && operator.set == Set::Single {
            add("negated-in-allow", format!("{key} need not be there, because the operator is negated"));
        }
        let exact = matches!(operator.test, Test::Equals | Test::EqualsIgnoreCase);
        if exact && clause.written.iter().any(|value| glob::is_glob(value) && !value.contains("${")) {
            add("wildcard-taken-literally", format!("the wildcard in the value of {key} is compared literally"));
        }
        if exact && &**key == "aws:multifactorauthpresent" {
            add("string-operator-on-bool", format!("{key} is a Bool, compared as a string"));
        }
    }
}
