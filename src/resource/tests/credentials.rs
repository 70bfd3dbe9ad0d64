//! What the credential report leaves open stays open.

use super::given::*;
use super::{build, row};
use crate::evidence::CallId;
use crate::evidence::Operation::*;
use crate::resource::{FieldValue, Kind, Resource, Value};

fn reason(row: &Resource, field: &str) -> String {
    match row.fields.get(field).unwrap() {
        FieldValue::Known(value) => panic!("{field} of {} is {value:?}", row.id),
        FieldValue::Unknown(unknown) => unknown.reason.clone(),
    }
}

fn is_known(row: &Resource, field: &str) -> bool {
    matches!(row.fields.get(field).unwrap(), FieldValue::Known(_))
}

/// The account, with ann's row of the report as given: password, MFA and the keys' cells.
fn ann(password: &str, key_1: &str, key_2: &str) -> Account {
    let mut account = account();
    let mut rows = report_rows();
    rows[1] = report_row("ann", password, "true", key_1, key_2);
    account.set(CallId::global(IamGetCredentialReport), report(&rows));
    account
}

const PASSWORD: &str = "true,2026-09-01T10:00:00+00:00,2026-01-01T10:00:00+00:00";
const KEY: &str = "true,2026-08-01T10:00:00+00:00,2026-09-21T10:00:00+00:00,eu-west-1,s3";

#[test]
fn keys_that_are_only_mentioned_leave_every_count_open() {
    let mut account = account();
    let header = format!("{REPORT_HEADER},additional_credentials_info");
    let mut rows: Vec<String> = report_rows().iter().map(|row| format!("{},N/A\n", row.trim_end())).collect();
    rows[1] = rows[1].replace(",N/A\n", ",\"1 further access key\"\n");
    let text = format!("{header}\n{}", rows.concat());
    account.set(CallId::global(IamGetCredentialReport), Given::Report(text));
    let resources = build(&account);
    let ann = row(&resources, Kind::User, &arn("user/ann"));
    for field in ["active_keys", "active_certificates", "enabled_credentials", "inactive_days", "key_exposure"] {
        assert!(reason(ann, field).contains("1 further access key"), "{field}: {}", reason(ann, field));
    }
    let bob = row(&resources, Kind::User, &arn("user/smith,bob"));
    assert!(is_known(bob, "active_keys") && is_known(bob, "active_certificates"));
    let keys = &resources.populations[&Kind::AccessKey];
    assert_eq!(keys.incomplete.len(), 1, "{:?}", keys.incomplete);
    assert!(keys.incomplete[0].reason.contains("ann"), "{:?}", keys.incomplete);
}

#[test]
fn a_key_that_is_neither_active_nor_not_is_neither() {
    let resources = build(&ann(PASSWORD, &KEY.replacen("true", "N/A", 1), NO_KEY));
    let user = row(&resources, Kind::User, &arn("user/ann"));
    assert!(reason(user, "active_keys").contains("access key 1"));
    assert!(reason(user, "key_exposure").contains("access key 1"));
    let key = row(&resources, Kind::AccessKey, &format!("{}#access-key-1", arn("user/ann")));
    assert!(reason(key, "active").contains("whether the key is active"));
}

#[test]
fn users_who_are_newer_than_the_report_make_the_keys_incomplete() {
    let mut account = account();
    assert!(build(&account).populations[&Kind::AccessKey].incomplete.is_empty());
    let mut newcomer = user("newcomer");
    newcomer["CreateDate"] = "2026-10-01T11:00:00Z".into();
    account.details()["UserDetailList"].as_array_mut().unwrap().push(newcomer);
    let resources = build(&account);
    let incomplete = &resources.populations[&Kind::AccessKey].incomplete;
    assert!(incomplete.iter().any(|one| one.reason.contains("newcomer")), "{incomplete:?}");
}

#[test]
fn a_date_that_is_yet_to_come_is_no_age() {
    let late = |cells: &str| cells.replace("2026-0", "2036-0");
    let resources = build(&ann(&late(PASSWORD), &late(KEY), NO_KEY));
    let user = row(&resources, Kind::User, &arn("user/ann"));
    for field in ["password_age_days", "password_last_used_days", "inactive_days"] {
        assert!(reason(user, field).contains("2036"), "{field}");
    }
    let key = row(&resources, Kind::AccessKey, &format!("{}#access-key-1", arn("user/ann")));
    for field in ["age_days", "last_used_days", "idle_days"] {
        assert!(reason(key, field).contains("2036"), "{field}");
    }
    // Within a day, a long run explains it.
    let soon = KEY.replace("2026-09-21T10:00:00", "2026-10-02T09:00:00");
    let resources = build(&ann(PASSWORD, &soon, NO_KEY));
    let key = row(&resources, Kind::AccessKey, &format!("{}#access-key-1", arn("user/ann")));
    assert_eq!(*key.fields.get("last_used_days").unwrap(), FieldValue::Known(Value::from(0)));
}

#[test]
fn nor_is_it_for_roles_and_trails() {
    let mut account = account();
    for role in account.details()["RoleDetailList"].as_array_mut().unwrap() {
        role["CreateDate"] = "2036-01-01T00:00:00Z".into();
        role["RoleLastUsed"] = serde_json::json!({"LastUsedDate": "2036-01-01T00:00:00Z"});
    }
    let status = CallId::regional(CloudTrailGetTrailStatus, HOME).about(TRAIL);
    account.json(status)["LatestDeliveryTime"] = "2036-01-01T00:00:00Z".into();
    let resources = build(&account);
    let role = resources.populations[&Kind::Role].rows.first().unwrap();
    for field in ["created_days", "last_used_days", "idle_days"] {
        assert!(reason(role, field).contains("2036"), "{field}");
    }
    let trail = resources.populations[&Kind::Trail].rows.first().unwrap();
    assert!(reason(trail, "delivered_hours").contains("2036"));
    assert!(reason(trail, "delivering").contains("2036"));
}
