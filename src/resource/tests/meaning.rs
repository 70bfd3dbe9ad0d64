//! What fields mean, case by case.

use super::given::*;
use super::{build, row, rows};
use crate::evidence::Operation::*;
use crate::evidence::{CallId, Operation};
use crate::resource::{FieldValue, Kind, Resource, Resources, Standing, Value};
use serde_json::json;

fn known<'a>(row: &'a Resource, field: &str) -> &'a Value {
    match row.fields.get(field).unwrap() {
        FieldValue::Known(value) => value,
        FieldValue::Unknown(unknown) => panic!("{field} of {}: {}", row.id, unknown.reason),
    }
}

fn reason(row: &Resource, field: &str) -> String {
    match row.fields.get(field).unwrap() {
        FieldValue::Known(value) => panic!("{field} of {} is {value:?}", row.id),
        FieldValue::Unknown(unknown) => unknown.reason.clone(),
    }
}

#[track_caller]
fn assert_fields(row: &Resource, expected: &[(&str, Value)]) {
    for (field, value) in expected {
        assert_eq!(known(row, field), value, "{field} of {}", row.id);
    }
}

fn the_account(resources: &Resources) -> &Resource {
    row(resources, Kind::Account, ACCOUNT)
}

fn user_row<'a>(resources: &'a Resources, name: &str) -> &'a Resource {
    row(resources, Kind::User, &arn(&format!("user/{name}")))
}

const NONE: Value = Value::Null;

fn yes() -> Value {
    Value::from(true)
}

fn no() -> Value {
    Value::from(false)
}

fn int(value: i64) -> Value {
    Value::from(value)
}

fn text(value: &str) -> Value {
    Value::from(value)
}

fn texts(values: &[&str]) -> Value {
    Value::from(values.to_vec())
}

#[test]
fn an_absent_password_policy_is_the_default_of_aws() {
    let mut account = account();
    account.set(CallId::global(IamGetAccountPasswordPolicy), Given::Absent);
    let flags = ["symbols", "numbers", "uppercase", "lowercase"];
    let resources = build(&account);
    let found = the_account(&resources);
    for flag in flags {
        assert_eq!(known(found, &format!("password_require_{flag}")), &no());
    }
    let expected = [
        ("password_policy_exists", no()),
        ("password_minimum_length", int(8)),
        ("password_max_age_days", NONE),
        ("password_reuse_prevention", NONE),
        ("password_users_may_change", no()),
        ("password_hard_expiry", no()),
    ];
    assert_fields(found, &expected);
}

#[test]
fn a_password_that_does_not_expire_has_no_greatest_age() {
    let mut account = account();
    let call = CallId::global(IamGetAccountPasswordPolicy);
    for (expire, age, expected) in [
        (json!(false), json!(0), Some(NONE)),
        (json!(false), json!(90), Some(NONE)),
        (json!(true), json!(60), Some(int(60))),
        (json!(true), json!(null), None),
    ] {
        let policy = &mut account.json(call.clone())["PasswordPolicy"];
        policy["ExpirePasswords"] = expire;
        policy["MaxPasswordAge"] = age;
        let resources = build(&account);
        assert_eq!(the_account(&resources).fields.get("password_max_age_days").unwrap().known(), expected.as_ref());
    }
    account.json(call)["PasswordPolicy"]["RequireSymbols"] = json!(null);
    reason(the_account(&build(&account)), "password_require_symbols");
}

#[test]
fn ages_of_credentials_are_counted_to_the_report_and_never_used_counts_from_when_it_was_set() {
    let mut account = account();
    let mut rows = report_rows();
    let never = "true,no_information,2026-09-24T10:00:00+00:00";
    rows.push(report_row("new", never, "false", "true,2026-09-11T10:00:00+00:00,N/A,N/A,N/A", NO_KEY));
    rows.push(report_row("odd", "false,N/A,N/A", "false", "true,N/A,N/A,N/A,N/A", NO_KEY));
    rows.push(report_row("old", "false,N/A,N/A", "false", "false,N/A,2026-09-21T10:00:00+00:00,N/A,ec2", NO_KEY));
    account.set(CallId::global(IamGetCredentialReport), report(&rows));
    for name in ["new", "odd", "old"] {
        account.details()["UserDetailList"].as_array_mut().unwrap().push(user(name));
    }
    let resources = build(&account);
    // The report is of 10:00, the run of 12:00.
    let ann = [
        ("created_days", int(638)),
        ("password_age_days", int(273)),
        ("password_last_used_days", int(30)),
        ("inactive_days", int(10)),
        ("active_keys", int(1)),
        ("enabled_credentials", int(2)),
    ];
    assert_fields(user_row(&resources, "ann"), &ann);
    let new = [("password_last_used_days", NONE), ("password_age_days", int(7)), ("inactive_days", int(7))];
    assert_fields(user_row(&resources, "new"), &new);
    let bob = [("inactive_days", NONE), ("password_age_days", NONE), ("enabled_credentials", int(0))];
    assert_fields(user_row(&resources, "smith,bob"), &bob);
    assert!(reason(user_row(&resources, "odd"), "inactive_days").contains("access key 1"));

    let key = |name: &str, slot: i64| row(&resources, Kind::AccessKey, &arn(&format!("user/{name}#access-key-{slot}")));
    assert_fields(key("ann", 1), &[("age_days", int(61)), ("idle_days", int(10)), ("last_used_service", "s3".into())]);
    let unused = [
        ("active", no()),
        ("age_days", int(365)),
        ("ever_used", no()),
        ("last_used_days", NONE),
        ("idle_days", int(365)),
    ];
    assert_fields(key("ann", 2), &unused);
    assert_fields(key("old", 1), &[("age_days", NONE), ("idle_days", int(10)), ("ever_used", yes())]);
    reason(key("odd", 1), "age_days");
    reason(key("odd", 1), "idle_days");
    assert_eq!(resources.populations[&Kind::AccessKey].rows.len(), 5);
    assert_fields(the_account(&resources), &[("console_users", int(2)), ("root_last_used_days", int(122))]);
}

#[test]
fn ages_of_roles_are_counted_to_the_as_of_time_and_idleness_ends_where_iam_forgets() {
    let resources = build(&account());
    let ci = row(&resources, Kind::Role, &arn("role/ci"));
    let expected =
        [("created_days", int(30)), ("last_used_days", int(10)), ("idle_days", int(10)), ("service_linked", no())];
    assert_fields(ci, &expected);
    assert_fields(
        ci,
        &[("max_session_seconds", int(7200)), ("trusted_principals", texts(&["aws:arn:aws:iam::999988887777:root"]))],
    );
    let linked = row(&resources, Kind::Role, &arn("role/AWSServiceRoleForConfig"));
    assert_fields(linked, &[("last_used_days", NONE), ("idle_days", int(400)), ("service_linked", yes())]);
}

#[test]
fn a_trust_policy_that_cannot_be_read_trusts_nobody_knows_whom() {
    let mut account = account();
    account.details()["RoleDetailList"][0]["AssumeRolePolicyDocument"] = json!("{\"Statement\": [");
    assert!(
        reason(row(&build(&account), Kind::Role, &arn("role/ci")), "trusted_principals").contains("cannot be read")
    );
}

#[test]
fn a_user_of_one_source_only_is_a_row_and_the_reason_is_told() {
    let mut account = account();
    let mut rows = report_rows();
    rows.push(report_row("gone", "false,N/A,N/A", "false", NO_KEY, NO_KEY));
    rows.push(report_row("ghost", "false,N/A,N/A", "false", NO_KEY, NO_KEY));
    account.set(CallId::global(IamGetCredentialReport), report(&rows));
    let mut late = user("late");
    late["CreateDate"] = json!("2026-10-01T11:00:00Z");
    account.details()["UserDetailList"].as_array_mut().unwrap().push(late);
    let deletion = |name: &str, time: &str| {
        json!({"eventName": "DeleteUser", "eventSource": "iam.amazonaws.com", "eventTime": time, "eventID": name,
            "userIdentity": {"type": "IAMUser"}, "requestParameters": {"userName": name}})
    };
    // The ghost was deleted before the report was made, so that this explains nothing.
    let records = [deletion("gone", "2026-10-01T11:30:00Z"), deletion("ghost", "2026-09-01T00:00:00Z")];
    account.set(CallId::regional(CloudTrailLookupEvents, OTHER), Given::Events(events(&records)));
    let resources = build(&account);
    assert!(reason(user_row(&resources, "late"), "mfa_active").contains("2026-10-01T11:00:00Z"));
    assert_fields(user_row(&resources, "late"), &[("groups", texts(&[]))]);
    assert!(reason(user_row(&resources, "gone"), "groups").contains("2026-10-01T11:30:00Z"));
    assert!(reason(user_row(&resources, "ghost"), "groups").contains("nothing collected explains"));
    assert_fields(
        user_row(&resources, "ghost"),
        &[("mfa_active", no()), ("name", "ghost".into()), ("path", "/".into())],
    );

    let users = &resources.reconciliation[0];
    assert!(!users.agrees, "{users:?}");
    let text = users.differences.join("\n");
    assert_eq!(text.matches("nothing collected explains").count(), 1, "{text}");
    assert!(text.contains("the summary can lag"), "{text}");
    assert_eq!(users.counts[0], ("iam:GetAccountAuthorizationDetails".to_owned(), Some(3)));
}

#[test]
fn sources_that_agree_are_reconciled_and_one_that_lacks_a_role_is_told() {
    let mut account = account();
    let resources = build(&account);
    assert_eq!(resources.reconciliation.len(), 5);
    for found in &resources.reconciliation {
        assert!(found.agrees && found.differences.is_empty(), "{found:?}");
    }
    account.json(CallId::global(IamListRoles))["Roles"].as_array_mut().unwrap().pop();
    let resources = build(&account);
    let roles = resources.reconciliation.iter().find(|found| found.population == "iam.role").unwrap();
    assert!(
        !roles.agrees
            && roles.differences.join("").contains("role/ci is in the authorization details, not in ListRoles")
    );
    assert!(
        reason(row(&resources, Kind::Role, &arn("role/ci")), "max_session_seconds").contains("does not list the role")
    );
}

#[test]
fn a_list_of_rules_that_is_shorter_than_what_else_tells_of_rules_is_told() {
    let mut account = account();
    let of = |account: &Account| {
        let all = build(account).reconciliation;
        all.into_iter().find(|found| found.population == "config.rule").unwrap()
    };
    let runs = CallId::regional(ConfigDescribeConfigRuleEvaluationStatus, HOME);
    account.json(runs)["ConfigRulesEvaluationStatus"].as_array_mut().unwrap().pop();
    let found = of(&account);
    assert_eq!((found.agrees, found.standing()), (true, Standing::Explained), "{found:?}");
    assert!(found.differences.concat().contains("what that would tell of it is unknown"), "{found:?}");
    account.json(CallId::regional(ConfigDescribeConfigRules, HOME))["ConfigRules"].as_array_mut().unwrap().remove(0);
    let found = of(&account);
    assert_eq!((found.agrees, found.standing()), (false, Standing::Unexplained), "{found:?}");
    assert!(
        found.differences.concat().contains("root mfa in eu-west-1 is in config:DescribeComplianceByConfigRule"),
        "{found:?}"
    );
    let short = account.without(ConfigDescribeConfigRules).without(ConfigDescribeComplianceByConfigRule);
    assert!(!build(&short).reconciliation.iter().any(|found| found.population == "config.rule" && found.agrees));
}

#[test]
fn root_is_judged_by_two_sources_that_must_not_contradict_each_other() {
    let mut account = account();
    account.json(CallId::global(IamGetAccountSummary))["SummaryMap"]["AccountMFAEnabled"] = json!(0);
    let text = reason(the_account(&build(&account)), "root_mfa_active");
    assert!(text.contains("AccountMFAEnabled = 0") && text.contains("true"), "{text}");

    // Neither no row for root nor a column that is not supported contradicts anything.
    let mut rows = report_rows();
    rows[0] = report_row("<root_account>", "not_supported,N/A,N/A", "not_supported", NO_KEY, NO_KEY);
    account.set(CallId::global(IamGetCredentialReport), report(&rows));
    assert_fields(the_account(&build(&account)), &[("root_mfa_active", no()), ("root_last_used_days", NONE)]);
    account.set(CallId::global(IamGetCredentialReport), report(&rows[1..]));
    let resources = build(&account);
    assert_fields(the_account(&resources), &[("root_mfa_active", no()), ("root_access_keys_present", no())]);
    reason(the_account(&resources), "root_last_used_days");

    account.json(CallId::global(IamGetAccountSummary))["SummaryMap"]["AccountPasswordPresent"] = json!(0);
    assert_fields(the_account(&build(&account)), &[("root_has_credentials", no())]);
    let summary = account.json(CallId::global(IamGetAccountSummary));
    summary["SummaryMap"].as_object_mut().unwrap().remove("AccountPasswordPresent");
    assert_fields(the_account(&build(&account)), &[("root_has_credentials", yes())]);
}

#[test]
fn of_a_list_that_is_cut_off_the_rows_are_known_and_the_sums_are_not() {
    let mut account = account();
    account.cut(CallId::global(IamGetAccountAuthorizationDetails));
    let resources = build(&account);
    for kind in [Kind::User, Kind::Role, Kind::Group, Kind::Policy] {
        let population = &resources.populations[&kind];
        assert!(population.incomplete[0].reason.contains("Throttling") && !population.rows.is_empty());
    }
    assert_fields(user_row(&resources, "ann"), &[("groups", texts(&["admins"]))]);
    let group = row(&resources, Kind::Group, &arn("group/admins"));
    assert_fields(group, &[("attached_policies", texts(&[&arn("policy/team")]))]);
    assert!(reason(group, "members").contains("Throttling"));
    assert_fields(row(&resources, Kind::Policy, &arn("policy/team")), &[("attached", yes()), ("boundary_only", no())]);
    let idle = row(&resources, Kind::Policy, &arn("policy/idle"));
    assert!(reason(idle, "attached").contains("Throttling") && reason(idle, "boundary_only").contains("Throttling"));
}

#[test]
fn policies_are_judged_by_the_version_in_force() {
    let mut account = account();
    let unused = json!({"PolicyName": "Billing", "Arn": "arn:aws:iam::aws:policy/Billing", "AttachmentCount": 0, "PolicyVersionList": []});
    account.details()["Policies"].as_array_mut().unwrap().push(unused);
    let admin = "arn:aws:iam::aws:policy/AdministratorAccess";
    account.details()["RoleDetailList"][1]["AttachedManagedPolicies"] =
        json!([{"PolicyName": "AdministratorAccess", "PolicyArn": admin}]);
    let resources = build(&account);
    let policy = |id: &str| row(&resources, Kind::Policy, id);
    // Its first version would not be one, that of the boundary would.
    assert_fields(policy(&arn("policy/team")), &[("admin_statement", yes()), ("kind", "customer".into())]);
    assert_fields(
        policy(&arn("policy/limit")),
        &[("admin_statement", no()), ("boundary_only", yes()), ("attached", no())],
    );
    assert_fields(policy(&arn("policy/idle")), &[("boundary_only", no()), ("attached", no())]);
    let inline = policy(&arn("user/ann#all"));
    assert_fields(inline, &[("admin_statement", yes()), ("owner", Value::from(arn("user/ann"))), ("arn", NONE)]);
    assert_fields(
        policy(READ_ONLY),
        &[("admin_statement", no()), ("default_version", "v9".into()), ("kind", "aws".into())],
    );
    assert_fields(policy(admin), &[("admin_statement", yes()), ("attached", yes())]);
    reason(policy(admin), "default_version");
    assert!(rows(&resources).all(|row| row.name != "Billing"));

    let call = CallId::global(IamGetPolicy).about(READ_ONLY);
    account.json(call)["Policy"]["DefaultVersionId"] = json!("v10");
    let resources = build(&account);
    assert!(reason(row(&resources, Kind::Policy, READ_ONLY), "admin_statement").contains("version v9"));
}

fn trail_row(account: &Account) -> (Resource, Vec<String>) {
    let resources = build(account);
    let effective = match known(the_account(&resources), "effective_trails") {
        Value::List(values) => values.iter().map(|value| format!("{value:?}")).collect(),
        other => panic!("{other:?}"),
    };
    (row(&resources, Kind::Trail, TRAIL).clone(), effective)
}

#[test]
fn a_trail_of_all_regions_is_one_row_and_is_effective_while_it_delivers() {
    let mut account = account();
    let (trail, effective) = trail_row(&account);
    assert_eq!(trail.places(CloudTrailDescribeTrails).count(), 2);
    assert_eq!(trail.region.as_deref(), Some(HOME));
    assert_fields(&trail, &[("delivering", yes()), ("delivered_hours", int(2)), ("management_events", "all".into())]);
    assert_eq!(effective.len(), 1, "the other trail records one Region only");

    let status = CallId::regional(CloudTrailGetTrailStatus, HOME).about(TRAIL);
    account.json(status.clone())["LatestDeliveryTime"] = json!("2026-09-30T10:59:00Z");
    let (trail, effective) = trail_row(&account);
    assert_fields(&trail, &[("delivering", no()), ("delivered_hours", int(25))]);
    assert!(effective.is_empty());
    account.json(status.clone())["LatestDeliveryTime"] = json!("2026-10-01T11:00:00Z");
    account.json(status.clone())["LatestDeliveryError"] = json!("NoSuchBucket");
    assert_fields(&trail_row(&account).0, &[("delivering", no()), ("delivery_error", "NoSuchBucket".into())]);
    *account.json(status) = json!({"IsLogging": true});
    assert_fields(&trail_row(&account).0, &[("delivering", no()), ("delivered_hours", NONE)]);

    let selectors = CallId::regional(CloudTrailGetEventSelectors, HOME).about(TRAIL);
    *account.json(selectors) = json!({"EventSelectors": [], "AdvancedEventSelectors": []});
    let resources = build(&account);
    assert!(reason(row(&resources, Kind::Trail, TRAIL), "management_events").contains("no selectors"));
    // It delivers nothing, so that what it records no longer matters.
    assert_fields(the_account(&resources), &[("effective_trails", texts(&[]))]);
}

#[test]
fn a_region_without_a_recorder_of_the_customer_is_a_row() {
    let mut account = account();
    let resources = build(&account);
    let home = row(&resources, Kind::Recorder, HOME);
    let expected = [("name", "default".into()), ("all_types", yes()), ("global_types", yes()), ("recording", yes())];
    assert_fields(home, &expected);
    assert_fields(home, &[("last_status", "success".into()), ("delivering", yes()), ("retention_days", int(400))]);
    let other = row(&resources, Kind::Recorder, OTHER);
    assert_fields(other, &[("exists", no()), ("recording", no()), ("delivering", no()), ("last_status", NONE)]);
    assert_fields(the_account(&resources), &[("config_global_regions", texts(&[HOME]))]);

    let call = CallId::regional(ConfigDescribeConfigurationRecorders, HOME);
    for (group, all, global) in [
        (
            json!({"recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}, "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::Role"]}}),
            no(),
            no(),
        ),
        (
            json!({"recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}, "exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::Volume"]}}),
            no(),
            yes(),
        ),
        (
            json!({"recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}, "resourceTypes": ["AWS::IAM::Role"]}),
            no(),
            no(),
        ),
        (json!({"allSupported": true, "includeGlobalResourceTypes": false}), yes(), no()),
        (json!({"allSupported": false}), no(), no()),
    ] {
        account.json(call.clone())["ConfigurationRecorders"][1]["recordingGroup"] = group.clone();
        let resources = build(&account);
        let recorder = row(&resources, Kind::Recorder, HOME);
        assert_fields(recorder, &[("all_types", all), ("global_types", global)]);
    }
    let status = CallId::regional(ConfigDescribeDeliveryChannelStatus, HOME);
    account.json(status)["DeliveryChannelsStatus"][0]["configSnapshotDeliveryInfo"] = json!({"lastStatus": "FAILURE"});
    assert_fields(row(&build(&account), Kind::Recorder, HOME), &[("delivering", no())]);
}

#[test]
fn a_rule_has_a_verdict_only_if_aws_config_stands_by_one() {
    let id = |identifier: &str| format!("arn:aws:config:{HOME}:{ACCOUNT}:config-rule/{identifier}");
    let mut account = account();
    let resources = build(&account);
    let rule = |identifier: &str| row(&resources, Kind::ConfigRule, &id(identifier));
    let root = rule("ROOT_ACCOUNT_MFA_ENABLED");
    let expected = [
        ("compliance", "COMPLIANT".into()),
        ("evaluated_resources", int(2)),
        ("noncompliant_resources", texts(&["AWS::IAM::User AIDA2"])),
        ("last_success_hours", int(12)),
        (
            "input_parameters",
            Value::from(
                [("maxAccessKeyAge".to_owned(), "90")]
                    .map(|(k, v)| (k, v.to_owned()))
                    .into_iter()
                    .collect::<std::collections::BTreeMap<_, _>>(),
            ),
        ),
    ];
    assert_fields(root, &expected);
    assert!(reason(rule("ACCESS_KEYS_ROTATED"), "compliance").contains("insufficient data"));
    assert!(reason(rule("HIDDEN"), "compliance").contains("INTERNAL"));

    let list = CallId::regional(ConfigDescribeConfigRules, HOME);
    account.json(list.clone())["ConfigRules"][0]["ConfigRuleState"] = json!("DELETING");
    account.json(list)["ConfigRules"][0]["InputParameters"] = json!("{not json");
    let verdicts = CallId::regional(ConfigDescribeComplianceByConfigRule, HOME);
    account.json(verdicts)["ComplianceByConfigRules"].as_array_mut().unwrap().remove(1);
    let resources = build(&account);
    let rule = |identifier: &str| row(&resources, Kind::ConfigRule, &id(identifier));
    assert!(reason(rule("ROOT_ACCOUNT_MFA_ENABLED"), "compliance").contains("DELETING"));
    assert!(reason(rule("ROOT_ACCOUNT_MFA_ENABLED"), "input_parameters").contains("cannot be read"));
    assert!(reason(rule("ACCESS_KEYS_ROTATED"), "compliance").contains("does not list the rule"));
    assert_fields(the_account(&resources), &[("config_rule_identifiers", texts(&["ACCESS_KEYS_ROTATED", "HIDDEN"]))]);
}

fn root_counts(history: String) -> Result<(Value, Value), String> {
    let mut account = account();
    account.set(CallId::regional(CloudTrailLookupEvents, HOME), Given::Events(history));
    account.set(CallId::regional(CloudTrailLookupEvents, OTHER), Given::Events(String::new()));
    let resources = build(&account);
    let found = the_account(&resources);
    match (found.fields.get("root_console_logins").unwrap(), found.fields.get("root_events").unwrap()) {
        (FieldValue::Known(logins), FieldValue::Known(events)) => Ok((logins.clone(), events.clone())),
        (FieldValue::Unknown(unknown), FieldValue::Unknown(_)) => Err(unknown.reason.clone()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_what_root_itself_did_is_counted() {
    let mut by_service = root_event("Decrypt");
    by_service["userIdentity"]["invokedBy"] = json!("cloudtrail.amazonaws.com");
    let mut of_service = root_event("AwsServiceEvent");
    of_service["eventType"] = json!("AwsServiceEvent");
    let mut earlier = root_event("CreateBucket");
    earlier["eventTime"] = json!("2026-07-01T00:00:00Z");
    let mut other = root_event("CreateBucket");
    other["userIdentity"]["type"] = json!("IAMUser");
    let mut awkward = root_event("CreateBucket");
    awkward["requestParameters"] = json!("not \"an\" object");
    let records = [by_service, of_service, earlier, other, root_login("Failure"), root_login("Success"), awkward];
    assert_eq!(root_counts(events(&records)), Ok((int(1), int(2))));
}

#[test]
fn a_history_that_cannot_be_read_to_its_end_counts_nothing() {
    let good = events(&[root_event("CreateBucket")]);
    assert!(root_counts(format!("{good}{{\"eventName\": ")).unwrap_err().contains("line 2"));
    assert!(root_counts(format!("{good}[]\n")).unwrap_err().contains("line 2"));
    assert!(root_counts(format!("{good}{{}}\n")).unwrap_err().contains("no event name"));
    let endless = format!("{good}{}", "x".repeat(5 << 20));
    assert!(root_counts(endless).unwrap_err().contains("too long"));

    let account = account();
    let evidence = account.evidence();
    let file = |region| match evidence.regional::<crate::evidence::cloudtrail::LookupEvents>(region).collected() {
        Some(history) => history.file.clone(),
        None => panic!("no events of {region}"),
    };
    std::fs::write(file(HOME), good.repeat(3)).unwrap();
    let resources = Resources::build(&evidence, &super::given::profile());
    assert!(reason(the_account(&resources), "root_events").contains("the file holds 3"));
    std::fs::remove_file(file(HOME)).unwrap();
    let resources = Resources::build(&evidence, &super::given::profile());
    assert!(reason(the_account(&resources), "root_events").contains("cannot be read"));
}

#[test]
fn events_of_less_than_the_period_count_nothing() {
    let mut account = account();
    let evidence = account.evidence();
    account.run.period.from = time("2026-01-01T00:00:00Z");
    let mut wider = crate::evidence::Evidence::new(account.run.clone());
    wider.regions = evidence.regions.clone();
    wider.account = evidence.account.clone();
    for region in [HOME, OTHER] {
        let history = evidence.regional::<crate::evidence::cloudtrail::LookupEvents>(region);
        let history = history.map(Clone::clone);
        wider.insert(CallId::regional(Operation::CloudTrailLookupEvents, region), history);
    }
    let list = evidence.global::<crate::evidence::identity::ListRegions>().map(Clone::clone);
    wider.insert(CallId::global(AccountListRegions), list);
    assert!(
        reason(the_account(&Resources::build(&wider, &super::given::profile())), "root_events")
            .contains("the period is from 2026-01-01")
    );
}

#[test]
fn where_the_details_break_off_only_outright_administrators_are_told() {
    let mut account = account();
    account.details()["UserDetailList"][0]["PermissionsBoundary"] = json!(null);
    let whole = build(&account);
    let ann = arn("user/ann");
    assert_fields(row(&whole, Kind::User, &ann), &[("admin", text("admin")), ("admin_by", text("statements"))]);
    assert_fields(row(&whole, Kind::Role, &arn("role/ci")), &[("admin", text("not-admin"))]);
    account.cut(CallId::global(Operation::IamGetAccountAuthorizationDetails));
    let cut = build(&account);
    assert_fields(row(&cut, Kind::User, &ann), &[("admin", text("admin"))]);
    assert!(reason(row(&cut, Kind::Role, &arn("role/ci")), "admin").contains("Throttling"));
    // The policies of a group that did not arrive could deny everything.
    account = super::given::account();
    account.details()["UserDetailList"][0]["PermissionsBoundary"] = json!(null);
    account.details()["GroupDetailList"] = json!([]);
    account.cut(CallId::global(Operation::IamGetAccountAuthorizationDetails));
    assert!(reason(row(&build(&account), Kind::User, &ann), "admin").contains("Throttling"));
}

#[test]
fn a_vendors_session_tells_who_came_and_with_what() {
    let resources = build(&account());
    let session = row(&resources, Kind::VendorSession, "e3");
    assert_fields(
        session,
        &[
            ("vendor", text("vendor")),
            ("outcome", text("assumed")),
            ("session_name", text("ann")),
            ("generic_name", no()),
            ("mfa", yes()),
            ("duration_seconds", int(3600)),
            ("access_key", text("ASIAEXAMPLE")),
        ],
    );
    let vendor = row(&resources, Kind::Vendor, "vendor");
    assert_fields(vendor, &[("sessions", int(1)), ("refused", int(0)), ("missing_roles", texts(&["gone"]))]);
    let outsider = row(&resources, Kind::ExternalPrincipal, "999988887777#cross-account");
    assert_fields(
        outsider,
        &[("external_id", text("required")), ("roles", texts(&["ci"])), ("last_entered_days", int(30))],
    );
}
