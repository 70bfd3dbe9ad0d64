//! From rows to findings, and what they come to.

mod flips;

use super::*;
use crate::controls::{Catalogue, Settings};
use crate::evidence::{CallId, Operation, Outcome, Period, Run, Timestamp};
use crate::finding::Pointer;
use crate::resource::{FieldValue, Fields, Population, Resource, Unknown, Value};
use proptest::prelude::*;
use std::sync::Arc;

const CHECKS: &[(&str, &str)] = &[
    (
        "checks/iam/has-mfa.yaml",
        r#"id: has-mfa
title: Console users have MFA
resource: iam.user
scope: password_enabled
scope_reason: the user has no password
pass: mfa_active && inactive_days < parameters.limit
severity: high
message: "{name} ({groups}) of {account.alias}: {inactive_days} of {parameters.limit}, {path}, {permissions_boundary}"
remediation: Mend it.
config_rules: [MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS]
cases: &cases
  - {name: p, given: {password_enabled: true, mfa_active: true, inactive_days: 1}, expect: pass}
  - {name: f, given: {password_enabled: true, mfa_active: false, inactive_days: 1}, expect: fail}
  - {name: u, given: {}, expect: unknown}
"#,
    ),
    (
        "checks/iam/few-groups.yaml",
        r#"id: few-groups
title: Few groups
resource: iam.group
pass: size(members) < account.console_users
severity: low
message: too many
remediation: Mend it.
cases:
  - {name: p, given: {members: []}, account: {console_users: 3}, expect: pass}
  - {name: f, given: {members: [a]}, account: {console_users: 1}, expect: fail}
  - {name: u, given: {members: []}, expect: unknown}
"#,
    ),
    (
        "checks/account/root.yaml",
        r#"id: root
title: Root has MFA
resource: account
pass: root_mfa_active
severity: critical
message: no MFA
remediation: Mend it.
cases:
  - {name: p, given: {root_mfa_active: true}, expect: pass}
  - {name: f, given: {root_mfa_active: false}, expect: fail}
  - {name: u, given: {}, expect: unknown}
"#,
    ),
    (
        "frameworks/own.yaml",
        r#"id: own
title: Own
edition: "1"
scope: all
requirements:
  - {id: R2, group: G, title: Two., automation: partial, manual: More., checks: [has-mfa, root]}
  - {id: R1, group: G, title: One., automation: manual, manual: All.}
  - {id: R3, group: G, title: Three., automation: partial, manual: More., checks: [few-groups]}
"#,
    ),
    (
        "parameters.yaml",
        "parameters: [{name: limit, type: int, default: 90, minimum: 1, maximum: 100, meaning: days}]\n",
    ),
];

fn controls(settings: &str) -> Controls {
    let files = CHECKS.iter().map(|(path, text)| ((*path).to_owned(), (*text).replace("&cases", ""))).collect();
    let settings = Settings::parse("auditpack.toml", settings).unwrap();
    Catalogue::from_files(&files)
        .and_then(|catalogue| catalogue.select(settings, &[]))
        .unwrap_or_else(|e| panic!("{e}"))
}

fn evidence() -> Evidence {
    let as_of = Timestamp::parse("2026-10-01T09:00:00Z").unwrap();
    let run = Run {
        format: Run::FORMAT,
        version: "0".into(),
        as_of,
        period: Period { from: as_of, to: as_of },
        regions: None,
        home_region: "eu-west-1".into(),
        frameworks: Vec::new(),
        operations: Vec::new(),
        events: Default::default(),
        slicing: Default::default(),
        config_history: Run::CONFIG_HISTORY,
    };
    let mut evidence = Evidence::new(run);
    let summary = CallId::global(Operation::IamGetAccountSummary);
    evidence.insert(summary, Outcome::Collected(crate::evidence::iam::AccountSummary::default()));
    evidence
}

fn denied(operation: Operation) -> Unknown {
    Unknown { call: CallId::global(operation), reason: "denied: AccessDenied".to_owned() }
}

fn pointer(file: &str, at: &str) -> Pointer {
    Pointer { file: file.into(), at: at.into() }
}

/// A row in which every field that is not given is denied.
fn row(kind: Kind, name: &str, known: &[(&'static str, Value)]) -> Resource {
    let schema = kind.schema();
    // What no call supplies is known of every row; here the call that lists the rows stands in for it.
    let unknown = |calls: &[Operation]| {
        FieldValue::Unknown(Arc::new(denied(
            *calls.first().or(schema.population.first()).unwrap_or(&Operation::StsGetCallerIdentity),
        )))
    };
    let mut fields = Fields::of(kind);
    for field in schema.fields {
        fields.insert(field.name, unknown(field.calls));
    }
    for (name, value) in known {
        fields.insert(name, FieldValue::Known(value.clone()));
    }
    let sources = vec![
        (Operation::IamGetCredentialReport, pointer("evidence/iam/get-credential-report.csv", "L3")),
        (Operation::IamListRoles, pointer("evidence/iam/list-roles.json", "/Roles/1")),
    ];
    Resource {
        kind,
        id: format!("arn:aws:iam::111122223333:x/{name}"),
        name: name.into(),
        region: None,
        fields,
        sources,
    }
}

fn resources(rows: Vec<Resource>) -> Resources {
    let mut resources = Resources::default();
    for kind in Kind::ALL {
        let rows: Vec<Resource> = rows.iter().filter(|row| row.kind == *kind).cloned().collect();
        let sources = vec![pointer("evidence/population.json", "")];
        resources.populations.insert(*kind, Population { kind: *kind, rows, incomplete: Vec::new(), sources });
    }
    resources
}

fn user(name: &str, mfa: bool) -> Resource {
    row(
        Kind::User,
        name,
        &[
            ("name", Value::from(name)),
            ("password_enabled", Value::Bool(true)),
            ("mfa_active", Value::Bool(mfa)),
            ("inactive_days", Value::Int(3)),
            ("groups", Value::from((0..12).map(|n| format!("g{n}")).collect::<Vec<_>>())),
            ("permissions_boundary", Value::Null),
        ],
    )
}

fn account() -> Resource {
    let known = [("root_mfa_active", Value::Bool(true)), ("alias", "acme".into()), ("console_users", Value::Int(3))];
    let mut account = row(Kind::Account, "111122223333", &known);
    account.sources.clear();
    account
}

fn of<'e>(evaluation: &'e Evaluation, check: &str) -> Vec<&'e Finding> {
    evaluation.findings.iter().filter(|finding| finding.check == check).collect()
}

#[test]
fn each_row_has_a_finding_with_its_facts_and_evidence() {
    let mut no_password = user("carol", false);
    no_password.fields.insert("password_enabled", FieldValue::Known(Value::Bool(false)));
    let resources = resources(vec![account(), user("bob", true), user("alice", false), no_password]);
    let evaluation = evaluate(&evidence(), &resources, &controls(""));
    let findings = of(&evaluation, "has-mfa");
    let statuses: Vec<_> = findings.iter().map(|f| (f.resource.as_ref().unwrap().name.as_str(), f.status)).collect();
    assert_eq!(statuses, [("alice", Status::Fail), ("bob", Status::Pass), ("carol", Status::NotApplicable)]);
    assert_eq!(
        findings[0].message,
        "alice (g0, g1, g2, g3, g4, g5, g6, g7, g8, g9 and 2 more) of acme: 3 of 90, (not known), none"
    );
    assert_eq!(findings[1].message, "Console users have MFA");
    assert_eq!(findings[2].message, "the user has no password");
    assert_eq!(findings[0].evidence[..], [pointer("evidence/iam/get-credential-report.csv", "L3")]);
    assert!(findings.iter().all(|f| f.missing.is_empty()));
    // The account's row names no place for the summary, whose document is the evidence then.
    assert_eq!(of(&evaluation, "root")[0].evidence[..], [pointer("evidence/iam/get-account-summary.json", "")]);
}

#[test]
fn what_is_not_known_is_unknown_and_names_the_calls() {
    let mut alice = user("alice", true);
    alice.fields.insert("inactive_days", FieldValue::Unknown(Arc::new(denied(Operation::IamListRoles))));
    let mut bob = user("bob", false);
    bob.fields.remove("inactive_days");
    let mut carol = user("carol", true);
    carol.fields.insert("inactive_days", FieldValue::Known(Value::Null));
    let mut dave = user("dave", true);
    dave.fields.remove("password_enabled");
    let resources = resources(vec![account(), alice, bob, carol, dave]);
    let evaluation = evaluate(&evidence(), &resources, &controls(""));
    let findings = of(&evaluation, "has-mfa");
    assert_eq!(findings[0].status, Status::Unknown);
    assert_eq!(findings[0].message, "not known for alice: inactive_days (iam:ListRoles: denied: AccessDenied)");
    assert_eq!(*findings[0].missing, [Operation::IamListRoles]);
    // Without MFA it fails, whatever the rest may be.
    assert_eq!((findings[1].status, findings[1].missing.len()), (Status::Fail, 0));
    assert_eq!(findings[2].message, "cannot be judged for carol: AWS gives no value for inactive_days");
    assert_eq!(*findings[3].missing, [Operation::IamGetCredentialReport]);
    let check = evaluation.checks.iter().find(|result| result.check == "has-mfa").unwrap();
    assert_eq!(check.counts, BTreeMap::from([(Status::Unknown, 3), (Status::Fail, 1)]));
}

#[test]
fn a_field_of_the_account_that_is_not_known_makes_every_row_unknown() {
    let group = row(Kind::Group, "g", &[("members", Value::List(Vec::new()))]);
    let mut bare = account();
    bare.fields.remove("console_users");
    for rows in [vec![bare, group.clone()], vec![group]] {
        let evaluation = evaluate(&evidence(), &resources(rows), &controls(""));
        let finding = of(&evaluation, "few-groups")[0];
        assert_eq!(finding.status, Status::Unknown, "{}", finding.message);
        assert!(
            !finding.missing.is_empty() && finding.message.contains("account.console_users"),
            "{}",
            finding.message
        );
    }
}

#[test]
fn an_empty_population_is_not_applicable_with_proof_and_an_incomplete_one_is_unknown() {
    let mut resources = resources(vec![account(), user("alice", true)]);
    let evaluation = evaluate(&evidence(), &resources, &controls(""));
    let finding = of(&evaluation, "few-groups")[0];
    assert_eq!((finding.status, finding.resource.is_none()), (Status::NotApplicable, true));
    assert_eq!(finding.message, "there are no IAM groups in scope");
    assert_eq!(finding.evidence[..], [pointer("evidence/population.json", "")]);

    for kind in [Kind::Group, Kind::User] {
        let population = resources.populations.get_mut(&kind).unwrap();
        population.incomplete.push(denied(Operation::IamGetAccountAuthorizationDetails));
    }
    let evaluation = evaluate(&evidence(), &resources, &controls(""));
    let groups = of(&evaluation, "few-groups");
    assert_eq!((groups.len(), groups[0].status), (1, Status::Unknown));
    assert_eq!(*groups[0].missing, [Operation::IamGetAccountAuthorizationDetails]);
    let users = of(&evaluation, "has-mfa");
    assert_eq!((users.len(), users[0].status, users[1].status), (2, Status::Unknown, Status::Pass));
    assert_eq!(
        users[0].message,
        "there may be more IAM users: 1 were found, but iam:GetAccountAuthorizationDetails: denied: AccessDenied"
    );

    // A population that nobody derived is no empty one.
    resources.populations.remove(&Kind::Group);
    let evaluation = evaluate(&evidence(), &resources, &controls(""));
    assert_eq!(of(&evaluation, "few-groups")[0].status, Status::Unknown);
}

#[test]
fn an_exception_covers_a_failure_through_its_last_day_and_the_failure_remains_one() {
    let resources = resources(vec![account(), user("alice", false), user("bob", true), user("svc-x", false)]);
    for (expires, covered) in [("2026-10-01", true), ("2026-09-30", false)] {
        let settings = format!(
            "[[exceptions]]\ncheck = \"has-mfa\"\nresource = \"*:x/a*\"\nreason = \"r\"\napprover = \"a\"\nexpires = {expires}\n\
             [[exceptions]]\ncheck = \"root\"\nresource = \"*\"\nreason = \"r\"\napprover = \"a\"\nexpires = \"2027-01-01\"\n"
        );
        let evaluation = evaluate(&evidence(), &resources, &controls(&settings));
        let findings = of(&evaluation, "has-mfa");
        assert_eq!((findings[0].status, findings[0].exception.is_some()), (Status::Fail, covered));
        assert!(findings[1].exception.is_none() && findings[2].exception.is_none() && findings[2].is_open_failure());
        let requirement = &evaluation.requirements[0];
        assert_eq!((requirement.requirement.as_str(), requirement.status), ("R2", Status::Fail));
        assert_eq!(requirement.excepted, u64::from(covered));
    }
}

#[test]
fn requirements_stand_in_the_standard_s_order_with_their_worst_status() {
    let resources = resources(vec![account(), user("alice", true)]);
    let evaluation = evaluate(&evidence(), &resources, &controls(""));
    let requirements: Vec<_> = evaluation.requirements.iter().map(|r| (r.requirement.as_str(), r.status)).collect();
    assert_eq!(requirements, [("R2", Status::Pass), ("R1", Status::Manual), ("R3", Status::NotApplicable)]);
    assert_eq!(evaluation.requirements[0].counts, BTreeMap::from([(Status::Pass, 2)]));
}

#[test]
fn aws_config_s_own_verdict_stands_beside_ours() {
    let mut rule =
        row(Kind::ConfigRule, "a rule", &[("source_identifier", "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS".into())]);
    rule.region = Some("eu-west-1".into());
    let mut other = row(Kind::ConfigRule, "other", &[("source_identifier", "ACCESS_KEYS_ROTATED".into())]);
    other.fields.insert("compliance", FieldValue::Known("COMPLIANT".into()));
    let evaluation = evaluate(&evidence(), &resources(vec![account(), user("a", true), rule, other]), &controls(""));
    let verdicts = &of(&evaluation, "has-mfa")[0].config_rules;
    assert_eq!(verdicts.len(), 1);
    assert_eq!((verdicts[0].rule.compliance.as_str(), verdicts[0].rule.region.as_str()), ("unknown", "eu-west-1"));
    assert!(of(&evaluation, "root")[0].config_rules.is_empty());
}

fn value(of: crate::resource::schema::Type) -> BoxedStrategy<Value> {
    use crate::resource::schema::Type;
    let word =
        prop::sample::select(vec!["all", "ACTIVE", "COMPLIANT", "NON_COMPLIANT", "ACCESS_KEYS_ROTATED", "90", "x"]);
    match of {
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Int => prop::sample::select(vec![0, 1, 2, 14, 24, 48, 89, 90, 91, 180, 400]).prop_map(Value::Int).boxed(),
        Type::Text => word.prop_map(Value::from).boxed(),
        Type::Texts => prop::collection::vec(word, 0..3).prop_map(Value::from).boxed(),
        Type::Map => {
            prop::collection::btree_map(Just("maxAccessKeyAge".to_owned()), word, 0..2).prop_map(Value::from).boxed()
        }
    }
}

/// A whole row of a kind, and which of its fields to take away.
fn whole_row(kind: Kind) -> impl Strategy<Value = (Vec<Value>, Vec<bool>)> {
    let fields = kind.schema().fields.iter().map(|field| {
        let value = value(field.kind);
        if field.nullable { prop_oneof![1 => Just(Value::Null), 3 => value].boxed() } else { value }
    });
    (fields.collect::<Vec<_>>(), prop::collection::vec(any::<bool>(), kind.schema().fields.len()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// The law: with less evidence a finding stays as it is or becomes unknown.
    #[test]
    fn less_evidence_never_makes_a_verdict_better(
        (kind, (values, gone), (account_values, account_gone)) in prop::sample::select(Kind::ALL.to_vec())
            .prop_flat_map(|kind| (Just(kind), whole_row(kind), whole_row(Kind::Account)))
    ) {
        let controls = every_check();
        let make = |kind: Kind, values: &[Value], gone: Option<&[bool]>| {
            let known: Vec<(&'static str, Value)> = kind.schema().fields.iter().zip(values).enumerate()
                .filter(|(i, _)| !gone.is_some_and(|gone| gone[*i]))
                .map(|(_, (field, value))| (field.name, value.clone())).collect();
            row(kind, "r", &known)
        };
        let judge = |gone: Option<&[bool]>, account_gone: Option<&[bool]>| {
            let mut rows = vec![make(Kind::Account, &account_values, account_gone)];
            if kind != Kind::Account {
                rows.push(make(kind, &values, gone));
            }
            evaluate(&evidence(), &resources(rows), &controls)
        };
        let (whole, less) = (judge(None, None), judge(Some(&gone), Some(&account_gone)));
        prop_assert_eq!(whole.findings.len(), less.findings.len());
        for (before, after) in whole.findings.iter().zip(&less.findings) {
            prop_assert_eq!(&before.check, &after.check);
            prop_assert!(
                after.status == before.status || after.status == Status::Unknown,
                "{}: {} becomes {}", before.check, before.status, after.status
            );
            prop_assert_eq!(after.status == Status::Unknown, !after.missing.is_empty() || before.status == Status::Unknown && before.missing == after.missing);
        }
    }
}

/// The embedded checks, all of them named by one framework.
fn every_check() -> Controls {
    let catalogue = Catalogue::load(None).unwrap();
    let checks: Vec<&String> = catalogue.checks.keys().collect();
    let names: Vec<&str> = checks.iter().map(|id| id.as_str()).collect();
    let framework = format!(
        "id: every\ntitle: E\nedition: \"1\"\nscope: all\nrequirements:\n  - {{id: R, group: G, title: T., automation: full, checks: [{}]}}\n",
        names.join(", ")
    );
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("frameworks")).unwrap();
    std::fs::write(dir.path().join("frameworks/every.yaml"), framework).unwrap();
    Controls::load(Some(dir.path()), Settings::default(), &["every".to_owned()]).unwrap_or_else(|e| panic!("{e}"))
}
