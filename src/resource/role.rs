//! IAM roles.

use super::access::{Access, words};
use super::build::{Fact, Row, population, sorted};
use super::document::trusted_principals;
use super::input::Input;
use super::trust_path::{problems, requirement};
use super::user::{boundary, names, tags};
use super::{Kind, Population, permissions};
use crate::evidence::Operation;
use crate::evidence::iam::RoleDetail;
use crate::iam::trust::{PathKind, TrustReport};

/// How long IAM remembers when a role was used
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed.html>).
const TRACKING_DAYS: i64 = 400;

/// All roles.
pub(super) fn roles(input: &Input<'_>, access: &Access) -> Population {
    let details = input.details.arrived().map_or(&[][..], |details| &details.role_detail_list);
    let rows = details.iter().enumerate().map(|(at, role)| row(input, access, at, role)).collect();
    population(Kind::Role, rows, input.details.gap().cloned(), input.details.document())
}

/// Days since a role was last used, as far back as IAM tells.
pub(super) fn last_used_days(input: &Input<'_>, role: &RoleDetail) -> Fact<Option<i64>> {
    let used = role.role_last_used.as_ref().and_then(|used| used.last_used_date);
    used.map(|date| input.details.days(date, input.as_of(), "the role's last use")).transpose()
}

fn row(input: &Input<'_>, access: &Access, at: usize, role: &RoleDetail) -> Row {
    let details = &input.details;
    let id = role.arn.clone().unwrap_or_else(|| format!("role without ARN, number {at}"));
    let mut row = Row::new(Kind::Role, &id, role.role_name.as_deref(), None);
    row.seen(Operation::IamGetAccountAuthorizationDetails, details.at(format!("/RoleDetailList/{at}")));
    row.set("name", details.told(role.role_name.as_deref(), "the role's name"));
    row.set("arn", details.told(role.arn.as_deref(), "the role's ARN"));
    let path = details.told(role.path.as_deref(), "the role's path");
    row.set("path", path.clone());
    let created = details
        .told(role.create_date, "when the role was created")
        .and_then(|date| details.days(date, input.as_of(), "the role's creation"));
    let used = last_used_days(input, role);
    row.set("created_days", created.clone());
    row.set("last_used_days", used.clone());
    let idle = used.and_then(|used| used.map_or_else(|| created.map(|days| days.min(TRACKING_DAYS)), Ok));
    row.set("idle_days", idle);
    row.set("service_linked", path.clone().map(|path| path.starts_with("/aws-service-role/")));
    row.set("identity_center", path.map(|path| path.starts_with("/aws-reserved/sso.amazonaws.com/")));
    let listed = role.arn.as_deref().and_then(|arn| input.listed_roles.get(arn));
    if let Some((at, _)) = listed {
        row.seen(Operation::IamListRoles, input.list_roles.at(format!("/Roles/{at}")));
    }
    row.set(
        "max_session_seconds",
        match listed {
            Some((_, listed)) => input.list_roles.told(listed.max_session_duration, "the longest session"),
            None => Err(input.list_roles.not_listed("the role")),
        },
    );
    row.set(
        "trusted_principals",
        match &role.assume_role_policy_document {
            Some(document) => trusted_principals(document.as_str())
                .map_err(|e| details.unknown(format!("the trust policy cannot be read: {e}"))),
            None => Err(details.unknown("the answer does not tell the trust policy")),
        },
    );
    row.known("inline_policies", names(role.role_policy_list.iter().map(|policy| &policy.policy_name)));
    row.known("attached_policies", names(role.attached_managed_policies.iter().map(|policy| &policy.policy_arn)));
    row.set("permissions_boundary", boundary(role.permissions_boundary.as_ref(), input));
    row.known("tags", tags(&role.tags));
    permissions::set(&mut row, access, input, role.arn.as_deref());
    row.set("write_actions", permissions::write_actions(access, input, role.arn.as_deref()));
    from_trust(&mut row, access, input, role.arn.as_deref());
    row
}

/// What the trust policy makes of the role.
fn from_trust(row: &mut Row, access: &Access, input: &Input<'_>, arn: Option<&str>) {
    let details = &input.details;
    let report = arn.and_then(|arn| access.trust(arn)).ok_or_else(|| details.unknown("the role's ARN is not told"));
    let readable = report.clone().and_then(|report| match &report.problem {
        Some(problem) => Err(details.unknown(format!("the trust policy cannot be read whole: {problem}"))),
        None => Ok(report),
    });
    row.set("trust_kinds", readable.clone().map(|report| sorted(report.paths.iter().map(|path| path.kind.id()))));
    row.set("trust_external_id", report.clone().and_then(|report| requirement(input, &report.external_id)));
    row.set("trust_mfa", report.clone().and_then(|report| requirement(input, &report.mfa)));
    row.set("trust_mfa_max_age_seconds", readable.clone().and_then(|report| mfa_max_age(input, report)));
    row.set("trust_oidc_width", readable.clone().map(|report| report.oidc.map(|width| width.id())));
    row.set(
        "trust_problems",
        details.whole().and(readable).map(|report| sorted(report.paths.iter().flat_map(problems))),
    );
}

/// How old a sign-in with MFA may be over all ways in, services aside.
pub(super) fn mfa_max_age(input: &Input<'_>, report: &TrustReport) -> Fact<Option<i64>> {
    let mut oldest = None;
    for path in report.paths.iter().filter(|path| path.kind != PathKind::Service) {
        match words::mfa_limit(&path.requirements.mfa_limit).map_err(|reason| input.details.unknown(reason))? {
            None => return Ok(None),
            limit => oldest = oldest.max(limit),
        }
    }
    Ok(oldest)
}
