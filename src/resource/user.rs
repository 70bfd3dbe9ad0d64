//! IAM users and their access keys.
//!
//! Users are those of the authorization details and those of the credential report together, matched by ARN. The
//! report can be four hours older than the details: a user whom only one of them knows is a row all the same, whose
//! other fields are unknown.

use super::access::Access;
use super::build::{Fact, Row, Source, days, population, sorted};
use super::events::{Entity, Events};
use super::input::Input;
use super::{Kind, Population, Unknown, permissions};
use crate::evidence::Operation;
use crate::evidence::Timestamp;
use crate::evidence::credential_report::{self as report, Key, LastUsed};
use crate::evidence::iam::{ListServiceSpecificCredentials, PermissionsBoundary, Tag, UserDetail};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// A service-specific credential's place in its list, and what the user's field says of it.
type Credentials<'a> = HashMap<&'a str, Vec<(usize, Option<String>)>>;

/// All users.
pub(super) fn users(input: &Input<'_>, events: &Events, access: &Access) -> Population {
    let service = Source::<ListServiceSpecificCredentials>::global(input.evidence);
    let credentials = service_credentials(&service);
    let mut rows = Vec::new();
    let details = input.details.arrived().map_or(&[][..], |details| &details.user_detail_list);
    for (at, detail) in details.iter().enumerate() {
        let place = input.details.at(format!("/UserDetailList/{at}"));
        let id = detail.arn.clone().unwrap_or_else(|| format!("user without ARN, number {at}"));
        let mut row = Row::new(Kind::User, &id, detail.user_name.as_deref(), None);
        row.seen(Operation::IamGetAccountAuthorizationDetails, place);
        row.set("name", input.details.told(detail.user_name.as_deref(), "the user's name"));
        row.set("arn", input.details.told(detail.arn.as_deref(), "the user's ARN"));
        row.set("path", input.details.told(detail.path.as_deref(), "the user's path"));
        from_details(&mut row, Ok(detail), input);
        let reported = detail.arn.as_deref().and_then(|arn| input.reported.get(arn).copied());
        from_report(&mut row, reported.ok_or_else(|| missing_in_report(input, detail)), input);
        from_credentials(&mut row, detail.user_name.as_deref(), &service, &credentials);
        from_policies(
            &mut row,
            detail.arn.as_deref(),
            reported.ok_or_else(|| missing_in_report(input, detail)),
            access,
            input,
        );
        rows.push(row);
    }
    for reported in input.report.arrived().into_iter().flat_map(|report| report.users()) {
        if input.users.contains_key(reported.arn.as_str()) {
            continue;
        }
        let mut row = Row::new(Kind::User, &reported.arn, Some(&reported.user), None);
        row.known("name", reported.user.as_str());
        row.known("arn", reported.arn.as_str());
        row.set("path", path(&reported.arn).ok_or_else(|| input.report.unknown("the ARN holds no path")));
        from_details(&mut row, Err(missing_in_details(input, events, reported)), input);
        from_report(&mut row, Ok(reported), input);
        from_credentials(&mut row, Some(&reported.user), &service, &credentials);
        let missing = missing_in_details(input, events, reported);
        without_policies(&mut row, &missing);
        rows.push(row);
    }
    let incomplete = [input.details.gap(), input.report.gap()].into_iter().flatten().cloned();
    population(Kind::User, rows, incomplete, input.details.document().into_iter().chain(input.report.document()))
}

fn missing_in_report(input: &Input<'_>, user: &UserDetail) -> Arc<Unknown> {
    if let Some(gap) = input.report.gap() {
        return gap.clone();
    }
    let generated = input.report.arrived().and_then(|report| report.generated);
    input.report.unknown(match (user.create_date, generated) {
        (Some(created), Some(generated)) if created > generated => {
            format!("the credential report does not list the user: it is of {generated}, the user of {created}")
        }
        _ => "the credential report does not list the user, and nothing collected explains why".to_owned(),
    })
}

fn missing_in_details(input: &Input<'_>, events: &Events, user: &report::Row) -> Arc<Unknown> {
    if let Some(gap) = input.details.gap() {
        return gap.clone();
    }
    let removed = events.changes(&Entity::User(user.user.clone())).removed;
    input.details.unknown(match removed.filter(|removed| *removed >= input.reported_at()) {
        Some(removed) => format!(
            "the authorization details do not list the user: it was deleted or renamed at {removed}, after the credential report was made"
        ),
        None => "the authorization details do not list the user, and nothing collected explains why".to_owned(),
    })
}

fn from_details(row: &mut Row, detail: Fact<&UserDetail>, input: &Input<'_>) {
    let detail = detail.as_ref().map_err(Arc::clone);
    row.set("inline_policies", detail.clone().map(|d| names(d.user_policy_list.iter().map(|p| &p.policy_name))));
    row.set(
        "attached_policies",
        detail.clone().map(|d| names(d.attached_managed_policies.iter().map(|p| &p.policy_arn))),
    );
    row.set("groups", detail.clone().map(|d| sorted(d.group_list.iter().map(String::as_str))));
    row.set("permissions_boundary", detail.clone().and_then(|d| boundary(d.permissions_boundary.as_ref(), input)));
    row.set("tags", detail.map(|d| tags(&d.tags)));
}

fn from_report(row: &mut Row, reported: Fact<&report::Row>, input: &Input<'_>) {
    let at = input.reported_at();
    if let Ok(reported) = reported {
        row.seen(Operation::IamGetCredentialReport, input.report.at(format!("L{}", reported.line)));
    }
    let told = |what: &str| input.report.unknown(format!("the credential report does not tell {what}"));
    let reported = reported.as_ref().map_err(Arc::clone);
    row.set(
        "created_days",
        reported.clone().and_then(|r| match r.created {
            Some(created) => Ok(days(created, at)),
            None => Err(told("when the user was created")),
        }),
    );
    let has_password =
        reported.clone().and_then(|r| r.password_enabled.ok_or_else(|| told("whether there is a password")));
    row.set("password_enabled", has_password.clone());
    row.set(
        "password_age_days",
        reported.clone().and_then(|r| match (has_password.clone()?, r.password_last_changed) {
            (false, _) => Ok(None),
            (true, Some(set)) => Ok(Some(days(set, at))),
            (true, None) => Err(told("when the password was set")),
        }),
    );
    row.set(
        "password_last_used_days",
        reported.clone().and_then(|r| match (has_password.clone()?, r.password_last_used) {
            (true, LastUsed::At(used)) => Ok(Some(days(used, at))),
            _ => Ok(None),
        }),
    );
    row.set(
        "mfa_active",
        reported.clone().and_then(|r| r.mfa_active.ok_or_else(|| told("whether there is an MFA device"))),
    );
    row.set("active_keys", reported.clone().map(active_keys));
    row.set(
        "active_certificates",
        reported.clone().map(|r| r.certificates.iter().map(|active| i64::from(*active)).sum::<i64>()),
    );
    row.set(
        "enabled_credentials",
        reported.clone().and_then(|r| Ok(i64::from(has_password.clone()?) + active_keys(r))),
    );
    row.set(
        "inactive_days",
        reported.and_then(|r| {
            let latest = last_activity(r, has_password?).map_err(|what| told(&what))?;
            Ok(latest.map(|latest| days(latest, at)))
        }),
    );
}

/// What the user's policies make of the user.
fn from_policies(row: &mut Row, arn: Option<&str>, reported: Fact<&report::Row>, access: &Access, input: &Input<'_>) {
    permissions::set(row, access, input, arn);
    let told = |what: &str| input.report.unknown(format!("the credential report does not tell {what}"));
    let password = reported.clone().and_then(|r| r.password_enabled.ok_or_else(|| told("whether there is a password")));
    let device = reported.clone().and_then(|r| r.mfa_active.ok_or_else(|| told("whether there is an MFA device")));
    let keys = reported.map(|r| active_keys(&r));
    permissions::set_mfa(row, &access.mfa(input, arn), (password, device, keys));
}

/// The same for a user of whom only the credential report knows.
fn without_policies(row: &mut Row, missing: &Arc<Unknown>) {
    for field in POLICY_FIELDS {
        row.set(field, Err::<bool, _>(Arc::clone(missing)));
    }
}

/// The fields that come from the user's policies.
const POLICY_FIELDS: [&str; 15] = [
    "admin",
    "admin_by",
    "admin_certainty",
    "admin_reason",
    "admin_conditions",
    "escalation_paths",
    "upper_bound",
    "log_tampering",
    "log_tampering_actions",
    "log_tampering_conditional",
    "mfa_enforced",
    "mfa_counter_example",
    "without_mfa",
    "password_exposure",
    "key_exposure",
];

fn active_keys(row: &&report::Row) -> i64 {
    row.keys.iter().map(|key| i64::from(key.active)).sum()
}

/// When an enabled credential was last used; one that never was counts from when it was set. `None` without
/// enabled credentials, an error if the report does not tell when one was set.
fn last_activity(row: &report::Row, has_password: bool) -> Result<Option<Timestamp>, String> {
    let mut latest = None;
    let password =
        has_password.then_some((row.password_last_used, row.password_last_changed, "the password".to_owned()));
    let keys = row.keys.iter().filter(|key| key.active);
    let keys = keys.map(|key| (key.last_used, key.rotated, format!("access key {}", key.slot)));
    for (used, set, what) in password.into_iter().chain(keys) {
        let time = match used {
            LastUsed::At(used) => used,
            // The user's own creation is no stand-in: the credential can be years younger.
            LastUsed::Never | LastUsed::NoCredential => set.ok_or_else(|| format!("when {what} was set"))?,
        };
        latest = latest.max(Some(time));
    }
    Ok(latest)
}

fn service_credentials<'a>(source: &Source<'a, ListServiceSpecificCredentials>) -> Credentials<'a> {
    let mut by_user = Credentials::new();
    let list = source.arrived().map_or(&[][..], |list| &list.service_specific_credentials);
    for (at, credential) in list.iter().enumerate() {
        let Some(user) = credential.user_name.as_deref() else { continue };
        let active = credential.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("Active"));
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "unnamed".to_owned());
        let named = active.then(|| {
            format!("{} {}", text(&credential.service_name), text(&credential.service_specific_credential_id))
        });
        by_user.entry(user).or_default().push((at, named));
    }
    by_user
}

fn from_credentials(
    row: &mut Row,
    user: Option<&str>,
    source: &Source<'_, ListServiceSpecificCredentials>,
    credentials: &Credentials<'_>,
) {
    let own = user.and_then(|user| credentials.get(user)).map_or(&[][..], Vec::as_slice);
    for (at, _) in own {
        row.seen(Operation::IamListServiceSpecificCredentials, source.at(format!("/ServiceSpecificCredentials/{at}")));
    }
    row.set("service_credentials", source.whole().map(|_| sorted(own.iter().filter_map(|(_, active)| active.clone()))));
}

/// All access keys that the credential report shows, root's too.
pub(super) fn access_keys(input: &Input<'_>) -> Population {
    let mut rows = Vec::new();
    for user in input.report.arrived().into_iter().flat_map(|report| &report.rows) {
        // An inactive key can have lost its date of rotation, but was used all the same.
        let exists = |key: &&Key| key.exists() || matches!(key.last_used, LastUsed::At(_));
        for key in user.keys.iter().filter(exists) {
            rows.push(access_key(input, user, key));
        }
    }
    population(Kind::AccessKey, rows, input.report.gap().cloned(), input.report.document())
}

fn access_key(input: &Input<'_>, user: &report::Row, key: &Key) -> Row {
    let at = input.reported_at();
    let id = format!("{}#access-key-{}", user.arn, key.slot);
    let mut row = Row::new(Kind::AccessKey, &id, Some(&format!("access key {} of {}", key.slot, user.user)), None);
    row.seen(Operation::IamGetCredentialReport, input.report.at(format!("L{}", user.line)));
    row.known("user", user.user.as_str());
    row.known("slot", i64::from(key.slot));
    row.known("active", key.active);
    let age = match key.rotated {
        Some(rotated) => Ok(Some(days(rotated, at))),
        None if !key.active => Ok(None),
        None => Err(input.report.unknown("the credential report does not tell when the key was created")),
    };
    let used = match key.last_used {
        LastUsed::At(used) => Some(days(used, at)),
        LastUsed::Never | LastUsed::NoCredential => None,
    };
    row.set("age_days", age.clone());
    row.known("ever_used", used.is_some());
    row.known("last_used_days", used);
    row.set("idle_days", used.map_or(age, |used| Ok(Some(used))));
    row.known("last_used_service", key.last_used_service.as_deref());
    row.known("last_used_region", key.last_used_region.as_deref());
    row
}

/// Names or ARNs of a list's entries, sorted. One that AWS left unnamed is counted by a text that says so.
pub(super) fn names<'a>(names: impl Iterator<Item = &'a Option<String>>) -> Vec<String> {
    sorted(names.map(|name| name.as_deref().unwrap_or("(unnamed)")))
}

/// The ARN of the permissions boundary, or none.
pub(super) fn boundary(boundary: Option<&PermissionsBoundary>, input: &Input<'_>) -> Fact<Option<String>> {
    boundary
        .map(|b| input.details.told(b.permissions_boundary_arn.clone(), "the permissions boundary's ARN"))
        .transpose()
}

/// Tags by key.
pub(super) fn tags(tags: &[Tag]) -> BTreeMap<String, String> {
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

/// The path in a user's ARN, with slashes around it.
fn path(arn: &str) -> Option<String> {
    let (_, rest) = arn.split_once(":user/")?;
    Some(rest.rsplit_once('/').map_or_else(|| "/".to_owned(), |(path, _)| format!("/{path}/")))
}
