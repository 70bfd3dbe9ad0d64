//! The ways into roles: one row for each statement, principal and action by which a role can be taken.

use super::access::{Access, has_statement_list, words};
use super::build::{Fact, Row, population};
use super::input::Input;
use super::profile::Profile;
use super::role::last_used_days;
use super::{Kind, Population, Unknown};
use crate::evidence::Operation;
use crate::evidence::iam::RoleDetail;
use crate::iam::trust::{OidcWidth, PathKind, Requirement, TrustPath, TrustReport};
use std::collections::HashSet;
use std::sync::Arc;

/// All ways into all roles.
pub(super) fn trust_paths(input: &Input<'_>, access: &Access, profile: &Profile) -> Population {
    let details = &input.details;
    let list = details.arrived().map_or(&[][..], |details| &details.role_detail_list);
    let mut rows = Vec::new();
    let mut incomplete: Vec<Arc<Unknown>> = details.gap().cloned().into_iter().collect();
    let mut seen = HashSet::new();
    for (at, role) in list.iter().enumerate() {
        let name = role.role_name.as_deref().unwrap_or("(unnamed)");
        let Some(arn) = role.arn.as_deref() else {
            incomplete.push(details.unknown(format!("the ARN of the role {name} is not told")));
            continue;
        };
        let Some(report) = access.trust(arn).filter(|_| seen.insert(arn)) else { continue };
        if let Some(problem) = &report.problem {
            incomplete
                .push(details.unknown(format!("the trust policy of the role {name} cannot be read whole: {problem}")));
        }
        rows.extend(report.paths.iter().map(|path| row(input, access, profile, at, role, report, path)));
    }
    population(Kind::TrustPath, rows, incomplete, details.document())
}

fn row(
    input: &Input<'_>,
    access: &Access,
    profile: &Profile,
    at: usize,
    role: &RoleDetail,
    report: &TrustReport,
    path: &TrustPath,
) -> Row {
    let details = &input.details;
    let name = role.role_name.as_deref().unwrap_or(&report.role);
    let id = format!("{}#{}:{}:{}", report.role, path.statement + 1, path.principal, path.action.name());
    let mut row = Row::new(Kind::TrustPath, &id, Some(&format!("{} into {name}", who(path))), None);
    row.seen(Operation::IamGetAccountAuthorizationDetails, details.at(place(at, role, path.statement)));
    row.set("role", details.told(role.role_name.as_deref(), "the role's name"));
    row.known("role_arn", report.role.as_str());
    row.known("kind", path.kind.id());
    row.known("principal", path.principal.as_str());
    row.known("principal_type", principal_type(path));
    row.known("account", path.account.as_deref());
    row.known("own", path.own);
    let vendor = path.account.as_deref().and_then(|account| profile.vendor_of_account(account));
    row.known("vendor", vendor.map(|vendor| vendor.name.as_str()));
    row.known("action", path.action.name());
    row.known("statement", path.statement as i64 + 1);
    row.known("sid", path.sid.as_deref());
    row.known("open", words::openness(path));
    row.known("condition_keys", path.condition_keys.clone());
    let requirements = &path.requirements;
    row.set("external_id", requirement(input, &requirements.external_id));
    row.set("external_id_counter_example", counter_example(input, &requirements.external_id));
    row.known("external_ids", path.external_ids.clone());
    row.set("mfa", requirement(input, &requirements.mfa));
    row.set("mfa_counter_example", counter_example(input, &requirements.mfa));
    row.set("mfa_max_age_seconds", words::mfa_limit(&requirements.mfa_limit).map_err(|e| details.unknown(e)));
    row.set("session_name", requirement(input, &requirements.session_name));
    row.set("source_identity", requirement(input, &requirements.source_identity));
    let oidc = path.oidc.as_ref();
    row.known("oidc_width", oidc.map(|oidc| oidc.width.id()));
    row.known("oidc_example", words::oidc_example(path));
    row.known("oidc_subjects", oidc.map_or_else(Vec::new, |oidc| oidc.subjects.clone()));
    row.known("service_guard", path.guard.as_ref().map(|guard| guard.id()));
    let dead = oidc.is_some_and(|oidc| oidc.width == OidcWidth::Dead);
    let gone = path.kind == PathKind::Orphan || path.open.is_false() || dead;
    let missing = path.findings.iter().any(|finding| finding.id == "missing-principal");
    // Whether a principal exists is known only where all principals are.
    let whole = || details.whole().map(|_| missing);
    row.set("stale", if gone { Ok(true) } else { whole() });
    row.set("problems", details.whole().map(|_| problems(path)));
    row.set("role_admin", access.admin(input, Some(&report.role)).map(|admin| admin.verdict.id()));
    row.known("role_service_linked", report.service_linked);
    row.known("role_identity_center", report.permission_set);
    row.set("role_last_used_days", last_used_days(input, role));
    row
}

/// Where the authorization details show a statement of a role's trust policy.
fn place(at: usize, role: &RoleDetail, statement: usize) -> String {
    let document = role.assume_role_policy_document.as_ref();
    match document.is_some_and(|document| has_statement_list(document.as_str())) {
        true => format!("/RoleDetailList/{at}/AssumeRolePolicyDocument/Statement/{statement}"),
        false => format!("/RoleDetailList/{at}/AssumeRolePolicyDocument/Statement"),
    }
}

/// A requirement in one word, or why it is not known.
pub(super) fn requirement(input: &Input<'_>, requirement: &Requirement) -> Fact<&'static str> {
    match requirement {
        Requirement::Unknown { reason } => Err(input.details.unknown(reason)),
        known => Ok(known.id()),
    }
}

/// The request that gets through without what is asked.
pub(super) fn counter_example(input: &Input<'_>, requirement: &Requirement) -> Fact<Option<String>> {
    match requirement {
        Requirement::Unknown { reason } => Err(input.details.unknown(reason)),
        known => Ok(words::counter_example(known).map(str::to_owned)),
    }
}

/// What is remarkable about a path, in words.
pub(super) fn problems(path: &TrustPath) -> Vec<String> {
    path.findings.iter().map(|finding| format!("{}: {}", finding.id, finding.detail)).collect()
}

/// Who takes a path, for a reader.
pub(super) fn who(path: &TrustPath) -> String {
    match (path.kind, &path.account) {
        (PathKind::Public, _) => "anybody".to_owned(),
        (PathKind::CrossAccount, None) => "accounts that the conditions narrow it to".to_owned(),
        (_, Some(account)) if path.principal == *account || path.principal.ends_with(":root") => {
            format!("account {account}")
        }
        _ => path.principal.clone(),
    }
}

fn principal_type(path: &TrustPath) -> &'static str {
    match path.kind {
        PathKind::Public => "anyone",
        PathKind::Saml | PathKind::Oidc => "provider",
        PathKind::Service => "service",
        PathKind::Orphan => "deleted",
        PathKind::Unclear => "other",
        // Anybody, narrowed by conditions that name no single account.
        PathKind::CrossAccount if path.account.is_none() => "organization",
        PathKind::SameAccount | PathKind::CrossAccount => {
            let resource = path.principal.splitn(6, ':').nth(5).unwrap_or_default();
            match resource.split('/').next().unwrap_or_default() {
                "role" => "role",
                "user" => "user",
                "assumed-role" | "federated-user" => "session",
                _ => "account",
            }
        }
    }
}
