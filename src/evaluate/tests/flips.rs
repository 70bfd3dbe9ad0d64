//! Every embedded check through the whole evaluation: its cases come out as they say, it can pass, fail and be unknown,
//! and taking away any one field that a pass rests on makes it unknown and names the call.

use super::*;
use crate::controls::check::Case;
use crate::controls::{Check, RuleSelector};
use std::collections::BTreeSet;

/// The resources that a case describes. What it does not give is denied.
fn resources_of(check: &Check, case: &Case) -> Resources {
    let of = |kind: Kind, given: &BTreeMap<String, Value>| -> Vec<(&'static str, Value)> {
        let field = |(name, value): (&String, &Value)| Some((kind.field(name)?.name, value.clone()));
        given.iter().filter_map(field).collect()
    };
    let mut one = row(check.resource, "one", &of(check.resource, &case.given));
    let mut rows = Vec::new();
    if check.resource != Kind::Account {
        rows.push(row(Kind::Account, "111122223333", &of(Kind::Account, &case.account)));
    }
    if check.resource == Kind::ConfigRule {
        // A rule of which the cases say nothing else is deployed in a Region whose recorder runs, and evaluated lately.
        one.region = Some("eu-west-1".into());
        let mut know = |name: &'static str, value: Value| {
            if !case.given.contains_key(name) && check.own_fields().all(|field| field.name != name) {
                one.fields.insert(name, FieldValue::Known(value));
            }
        };
        know("last_success_hours", Value::Int(1));
        know("narrowed_to", Value::Null);
        match &check.rule {
            Some(RuleSelector::Identifier(identifier)) => know("source_identifier", identifier.as_str().into()),
            Some(RuleSelector::Name(name)) => one.name.clone_from(name),
            Some(RuleSelector::Others) | None => {}
        }
        let mut recorder = row(Kind::Recorder, "recorder", &[("recording", Value::Bool(true))]);
        recorder.region = Some("eu-west-1".into());
        rows.push(recorder);
    }
    rows.push(one);
    resources(rows)
}

/// The finding on the row that a case describes, by its check alone.
fn finding(controls: &Controls, resources: &Resources) -> Finding {
    let findings = evaluate(&evidence(), resources, controls).findings;
    let on_the_row = |finding: &Finding| finding.resource.as_ref().is_some_and(|resource| resource.name != "recorder");
    findings.into_iter().find(on_the_row).expect("a finding on the row")
}

#[test]
fn every_check_passes_fails_and_is_unknown_through_the_evaluation_as_its_cases_say() {
    let mut controls = Controls::load(None, Settings::default(), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let defaults = controls.settings.parameters.clone();
    let mut wrong = Vec::new();
    for (id, check) in std::mem::take(&mut controls.checks) {
        let cases = check.cases.clone();
        controls.checks = BTreeMap::from([(id.clone(), check)]);
        let mut reached = BTreeSet::new();
        for case in &cases {
            controls.settings.parameters.clone_from(&defaults);
            controls.settings.parameters.extend(case.parameters.clone());
            let resources = resources_of(&controls.checks[&id], case);
            let found = finding(&controls, &resources);
            reached.insert(found.status);
            if found.status != case.expect {
                wrong.push(format!("{id}, {}: {} and not {}: {}", case.name, found.status, case.expect, found.message));
            }
            if found.status == Status::Pass {
                wrong.extend(without_one_field(&controls, &id, &resources));
            }
        }
        for status in [Status::Pass, Status::Fail, Status::Unknown] {
            if !reached.contains(&status) {
                wrong.push(format!("{id} never comes out {status}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What is wrong with the findings where one field that a pass rests on is denied.
fn without_one_field(controls: &Controls, id: &str, resources: &Resources) -> Vec<String> {
    let check = &controls.checks[id];
    let own = check.own_fields().map(|field| (check.resource, field));
    let account = check.account_fields().map(|field| (Kind::Account, field));
    let mut wrong = Vec::new();
    for (kind, field) in own.chain(account) {
        let mut denied_one = resources.populations.clone();
        let Some(&call) = field.calls.first() else { continue };
        for row in denied_one.get_mut(&kind).map(|population| population.rows.as_mut_slice()).unwrap_or_default() {
            row.fields.insert(field.name, FieldValue::Unknown(Arc::new(denied(call))));
        }
        let resources = Resources { populations: denied_one, ..Resources::default() };
        let found = finding(controls, &resources);
        if found.status != Status::Unknown || !found.missing.contains(&call) {
            wrong.push(format!("{id} without {}: {}, missing {:?}", field.name, found.status, found.missing));
        }
    }
    wrong
}

#[test]
fn a_verdict_of_aws_that_may_be_old_or_of_a_part_is_no_pass() {
    let controls = Controls::load(None, Settings::default(), &[]).unwrap_or_else(|errors| panic!("{errors}"));
    let deployed = |hours: Value, narrowed: Value, recording: bool, compliance: &str| {
        let mut rule = row(
            Kind::ConfigRule,
            "encrypted-volumes",
            &[
                ("source_identifier", "ENCRYPTED_VOLUMES".into()),
                ("state", "ACTIVE".into()),
                ("detective", true.into()),
                ("internal", false.into()),
                ("compliance", compliance.into()),
                ("last_success_hours", hours),
                ("narrowed_to", narrowed),
            ],
        );
        rule.region = Some("eu-west-1".into());
        let mut recorder = row(Kind::Recorder, "recorder", &[("recording", Value::Bool(recording))]);
        recorder.region = Some("eu-west-1".into());
        let evaluation = evaluate(&evidence(), &resources(vec![account(), rule, recorder]), &controls);
        let found = of(&evaluation, "aws-encrypted-volumes").into_iter().find(|f| f.resource.is_some()).cloned();
        found.map(|finding| (finding.status, finding.message)).expect("a finding")
    };
    assert_eq!(deployed(48.into(), Value::Null, true, "COMPLIANT").0, Status::Pass);
    let (status, message) = deployed(49.into(), Value::Null, true, "COMPLIANT");
    assert!(status == Status::Unknown && message.contains("last evaluated 49 hours ago"), "{message}");
    let (status, message) = deployed(Value::Null, Value::Null, true, "COMPLIANT");
    assert!(status == Status::Unknown && message.contains("never evaluated"), "{message}");
    let (status, message) = deployed(1.into(), Value::Null, false, "COMPLIANT");
    assert!(status == Status::Unknown && message.contains("recorder does not run"), "{message}");
    let (status, message) = deployed(1.into(), "resources with the tag env=prod".into(), true, "COMPLIANT");
    assert!(status == Status::Unknown && message.contains("the tag env=prod"), "{message}");
    // What AWS found wrong stays wrong, however old.
    assert_eq!(deployed(900.into(), Value::Null, false, "NON_COMPLIANT").0, Status::Fail);
}

/// AWS's result for the very resource stands beside its finding; the rule's own verdict is told apart.
#[test]
fn aws_config_s_result_for_the_resource_is_told_apart_from_the_rule_s() {
    let mut evidence = evidence();
    let details: crate::evidence::iam::AuthorizationDetails = serde_json::from_str(
        r#"{"UserDetailList": [{"UserName": "alice", "UserId": "AIDAALICE", "Arn": "arn:aws:iam::111122223333:x/alice"},
            {"UserName": "bob", "UserId": "AIDABOB", "Arn": "arn:aws:iam::111122223333:x/bob"}],
            "GroupDetailList": [], "RoleDetailList": [], "Policies": []}"#,
    )
    .unwrap();
    evidence.insert(CallId::global(Operation::IamGetAccountAuthorizationDetails), Outcome::Collected(details));
    let results: crate::evidence::config::ComplianceDetails = serde_json::from_str(
        r#"{"EvaluationResults": [{"ComplianceType": "COMPLIANT", "EvaluationResultIdentifier":
            {"EvaluationResultQualifier": {"ResourceType": "AWS::IAM::User", "ResourceId": "AIDAALICE"}}}]}"#,
    )
    .unwrap();
    let call = CallId::regional(Operation::ConfigGetComplianceDetailsByConfigRule, "eu-west-1").about("mfa");
    evidence.insert(call, Outcome::Collected(results));
    let identifier = ("source_identifier", "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS".into());
    let mut rule = row(Kind::ConfigRule, "mfa", &[identifier, ("compliance", "NON_COMPLIANT".into())]);
    rule.region = Some("eu-west-1".into());
    let rows = vec![account(), user("alice", true), user("bob", false), rule];
    let evaluation = evaluate(&evidence, &resources(rows), &controls(""));
    let told: Vec<_> = of(&evaluation, "has-mfa")
        .iter()
        .map(|finding| {
            let verdict = &finding.config_rules[0];
            let own = verdict.resource.as_ref().unwrap();
            (verdict.rule.compliance.as_str(), own.id.as_str(), own.compliance.as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("NON_COMPLIANT", "AWS::IAM::User AIDAALICE", "COMPLIANT"),
            ("NON_COMPLIANT", "AWS::IAM::User AIDABOB", "none")
        ]
    );
}
