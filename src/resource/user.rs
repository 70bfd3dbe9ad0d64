//! IAM users and their access keys.
//!
//! Users are those of the authorization details and those of the credential report together, matched by ARN. The
//! report can be four hours older than the details: a user whom only one of them knows is a row all the same, whose
//! other fields are unknown.

use super::access::Access;
use super::build::{Fact, Row, Source, population, sorted};
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
            Some(created) => input.report.days(created, at, "the user's creation"),
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
            (true, Some(set)) => input.report.days(set, at, "the password's setting").map(Some),
            (true, None) => Err(told("when the password was set")),
        }),
    );
    row.set(
        "password_last_used_days",
        reported.clone().and_then(|r| match (has_password.clone()?, r.password_last_used) {
            (true, LastUsed::At(used)) => input.report.days(used, at, "the password's last use").map(Some),
            _ => Ok(None),
        }),
    );
    row.set(
        "mfa_active",
        reported.clone().and_then(|r| r.mfa_active.ok_or_else(|| told("whether there is an MFA device"))),
    );
    let keys = reported.clone().and_then(|r| active_keys(r, input));
    row.set("active_keys", keys.clone());
    let open = |reason: String| input.report.unknown(format!("the credential report leaves it open: {reason}"));
    row.set("active_certificates", reported.clone().and_then(|r| r.active_certificates().map_err(open)));
    row.set("enabled_credentials", has_password.clone().and_then(|password| Ok(i64::from(password) + keys.clone()?)));
    row.set(
        "inactive_days",
        reported.and_then(|r| {
            // A key that is not listed, or of which nobody knows whether it works, may have been used since.
            let (has_password, _) = (has_password?, keys?);
            let latest = last_activity(r, has_password).map_err(|what| told(&what))?;
            latest.map(|latest| input.report.days(latest, at, "the last activity")).transpose()
        }),
    );
}

/// What the user's policies make of the user.
fn from_policies(row: &mut Row, arn: Option<&str>, reported: Fact<&report::Row>, access: &Access, input: &Input<'_>) {
    permissions::set(row, access, input, arn);
    let told = |what: &str| input.report.unknown(format!("the credential report does not tell {what}"));
    let password = reported.clone().and_then(|r| r.password_enabled.ok_or_else(|| told("whether there is a password")));
    let device = reported.clone().and_then(|r| r.mfa_active.ok_or_else(|| told("whether there is an MFA device")));
    let keys = reported.and_then(|r| active_keys(r, input));
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

fn active_keys(row: &report::Row, input: &Input<'_>) -> Fact<i64> {
    row.active_keys().map_err(|reason| input.report.unknown(format!("the credential report leaves it open: {reason}")))
}

/// When an enabled credential was last used; one that never was counts from when it was set. `None` without
/// enabled credentials, an error if the report does not tell when one was set.
fn last_activity(row: &report::Row, has_password: bool) -> Result<Option<Timestamp>, String> {
    let mut latest = None;
    let password =
        has_password.then_some((row.password_last_used, row.password_last_changed, "the password".to_owned()));
    let keys = row.keys.iter().filter(|key| key.may_be_active());
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
    let incomplete = input.report.gap().cloned().into_iter().chain(unlisted_keys(input));
    population(Kind::AccessKey, rows, incomplete, input.report.document())
}

/// How the reason begins that the keys of a user are not known because the report does not list the user.
pub(crate) const KEYS_OF_NEWER: &str = "the keys of ";

/// Why there may be more access keys than the report has: users who are newer than it, and keys that it only mentions.
fn unlisted_keys(input: &Input<'_>) -> Vec<Arc<Unknown>> {
    let Ok(report) = input.report.whole() else { return Vec::new() };
    let details = input.details.arrived().map_or(&[][..], |details| &details.user_detail_list);
    let newer = details.iter().filter(|user| user.arn.as_deref().is_some_and(|arn| !input.reported.contains_key(arn)));
    let newer = newer.map(|user| {
        let name = user.user_name.as_deref().unwrap_or("(unnamed)");
        input.report.unknown(format!("{KEYS_OF_NEWER}{name}: {}", missing_in_report(input, user).reason))
    });
    let further = report.rows.iter().filter(|row| row.additional.is_some()).filter_map(|row| {
        let reason = row.active_keys().err()?;
        Some(input.report.unknown(format!("further keys of {}: {reason}", row.user)))
    });
    newer.chain(further).collect()
}

fn access_key(input: &Input<'_>, user: &report::Row, key: &Key) -> Row {
    let at = input.reported_at();
    let id = format!("{}#access-key-{}", user.arn, key.slot);
    let mut row = Row::new(Kind::AccessKey, &id, Some(&format!("access key {} of {}", key.slot, user.user)), None);
    row.seen(Operation::IamGetCredentialReport, input.report.at(format!("L{}", user.line)));
    row.known("user", user.user.as_str());
    row.known("slot", i64::from(key.slot));
    let told = |what: &str| input.report.unknown(format!("the credential report does not tell {what}"));
    row.set("active", key.active.ok_or_else(|| told("whether the key is active")));
    let age = match key.rotated {
        Some(rotated) => input.report.days(rotated, at, "the key's creation").map(Some),
        None if !key.may_be_active() => Ok(None),
        None => Err(told("when the key was created")),
    };
    let used = match key.last_used {
        LastUsed::At(used) => input.report.days(used, at, "the key's last use").map(Some),
        LastUsed::Never | LastUsed::NoCredential => Ok(None),
    };
    row.set("age_days", age.clone());
    row.known("ever_used", matches!(key.last_used, LastUsed::At(_)));
    row.set("last_used_days", used.clone());
    row.set("idle_days", used.and_then(|used| used.map_or(age, |used| Ok(Some(used)))));
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
