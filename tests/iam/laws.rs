//! Laws that hold for every policy.

use std::collections::BTreeMap;

use auditpack::iam::analysis::Account;
use auditpack::iam::context::Context;
use auditpack::iam::escalation::{Certainty, Escalation};
use auditpack::iam::policy::Document;
use auditpack::iam::principal::{Content, Kind, PolicySource, Principal, Scps};
use auditpack::iam::{Outcome, admin, can, compare, mfa, tamper, trust};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::reference::{self, Policies, Request};

const ACCOUNT: &str = "111122223333";
const KEYS: [&str; 7] = [
    "aws:PrincipalTag/a",
    "s3:prefix",
    "aws:TagKeys",
    "aws:Number",
    "aws:SourceIp",
    "aws:CurrentTime",
    "aws:SourceArn",
];
/// One bit for each key.
const HIDDEN: std::ops::Range<u8> = 0..128;

fn action() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "*",
        "s3:*",
        "S3:get*",
        "s3:GetObject",
        "s3:Get?bject",
        "s3:PutObject",
        "iam:*",
        "iam:PassRole",
        "*:*",
        "sts:AssumeRole",
        "lambda:*",
        "s3:*Object",
        "iam:Put*",
    ])
    .prop_map(str::to_owned)
}

fn resource() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b",
        "arn:aws:s3:::b/x?",
        "arn:aws:s3:::*",
        "arn:aws:s3:::c/*",
        "arn:aws:*",
        "arn:aws:iam::*:role/*",
        "arn:aws:s3:::b/${aws:PrincipalTag/a}",
        "arn:aws:s3:::${aws:PrincipalTag/a, 'b'}/*",
        "arn:aws:s3:::b/${*}",
        "arn:aws:s3:::?/${s3:prefix}*",
    ])
    .prop_map(str::to_owned)
}

fn clause() -> impl Strategy<Value = (String, String, Value)> {
    let text = prop::sample::select(vec![
        "StringEquals",
        "StringNotEquals",
        "StringLike",
        "StringNotLike",
        "StringEqualsIgnoreCase",
        "StringEqualsIfExists",
        "StringNotEqualsIfExists",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringLike",
        "ForAnyValue:StringNotEquals",
        "ForAllValues:StringNotLikeIfExists",
    ]);
    let number = prop::sample::select(vec![
        "NumericLessThan",
        "NumericGreaterThanEquals",
        "NumericNotEquals",
        "NumericEqualsIfExists",
    ]);
    let value = prop::sample::select(vec![
        "x",
        "y",
        "X",
        "x*",
        "*",
        "?",
        "${*}",
        "${aws:PrincipalTag/a}",
        "${s3:prefix, 'x'}",
        "?${aws:PrincipalTag/a}*",
    ]);
    let texts = (text, 0..3usize, prop::collection::vec(value, 1..3)).prop_map(|(operator, key, values)| {
        // What an operator without a set prefix means for several values is not documented.
        let key = if operator.contains(':') { key } else { key % 2 };
        (operator.to_owned(), KEYS[key].to_owned(), json!(values))
    });
    let numbers =
        (number, 0..20u8).prop_map(|(operator, value)| (operator.to_owned(), KEYS[3].to_owned(), json!(value)));
    let null = (0..4usize, any::<bool>())
        .prop_map(|(key, value)| ("Null".to_owned(), KEYS[key].to_owned(), json!(value.to_string())));
    let written = |operators: Vec<&'static str>, key: usize, values: Vec<&'static str>| {
        (prop::sample::select(operators), prop::collection::vec(prop::sample::select(values), 1..3))
            .prop_map(move |(operator, values)| (operator.to_owned(), KEYS[key].to_owned(), json!(values)))
    };
    let addresses = written(
        vec!["IpAddress", "NotIpAddress", "IpAddressIfExists", "ForAnyValue:IpAddress"],
        4,
        vec!["10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "192.0.2.0/25"],
    );
    let times = written(
        vec!["DateLessThan", "DateGreaterThanEquals", "DateNotEquals", "DateLessThanEqualsIfExists"],
        5,
        vec!["2026-01-01T00:00:00Z", "2026-06-01T12:00:00Z"],
    );
    let arns = written(
        vec!["ArnLike", "ArnNotEquals", "ArnNotLikeIfExists", "ForAllValues:ArnEquals"],
        6,
        vec!["arn:aws:sns:*:111122223333:t?", "arn:aws:s*:eu-west-1:*:t*", "arn:aws:sns:eu-west-1:111122223333:t1"],
    );
    prop_oneof![4 => texts, 2 => numbers, 1 => null, 1 => addresses, 1 => times, 1 => arns]
}

fn statement() -> impl Strategy<Value = Value> {
    (
        any::<bool>(),
        prop::bool::weighted(0.8),
        prop::collection::vec(action(), 1..3),
        prop::bool::weighted(0.8),
        prop::collection::vec(resource(), 1..3),
        prop::collection::vec(clause(), 0..3),
    )
        .prop_map(|(allow, plain_action, actions, plain_resource, resources, clauses)| {
            let mut statement = Map::new();
            statement.insert("Effect".into(), json!(if allow { "Allow" } else { "Deny" }));
            statement.insert(if plain_action { "Action" } else { "NotAction" }.into(), json!(actions));
            let element = if plain_resource { "Resource" } else { "NotResource" };
            statement.insert(element.into(), json!(resources));
            let mut block: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
            for (operator, key, values) in clauses {
                block.entry(operator).or_default().insert(key, values);
            }
            if !block.is_empty() {
                statement.insert("Condition".into(), json!(block));
            }
            Value::Object(statement)
        })
}

fn policy() -> impl Strategy<Value = Value> {
    prop::collection::vec(statement(), 1..4)
        .prop_map(|statements| json!({"Version": "2012-10-17", "Statement": statements}))
}

fn policies() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(policy(), 1..4)
}

/// An address, a time and an ARN.
fn other_keys() -> impl Strategy<Value = [Option<&'static str>; 3]> {
    let maybe = |values: Vec<&'static str>| prop::option::of(prop::sample::select(values));
    [
        maybe(vec!["10.1.2.3", "192.0.2.127", "192.0.2.128"]),
        maybe(vec!["2025-12-31T23:59:59Z", "2026-01-01T00:00:00Z", "2026-06-01T12:00:01Z"]),
        maybe(vec!["arn:aws:sns:eu-west-1:111122223333:t1", "arn:aws:sqs:eu-west-1:111122223333:t:1"]),
    ]
}

fn known_keys() -> impl Strategy<Value = BTreeMap<String, Vec<String>>> {
    let text = prop::option::of(prop::collection::vec(prop::sample::select(vec!["x", "y", "X", "xx"]), 1..3));
    (text.clone(), text.clone(), text, prop::option::of(0..20u8), other_keys()).prop_map(|(a, b, c, number, others)| {
        let mut keys = BTreeMap::new();
        // The first two are single-valued.
        for (index, values) in [a, b].into_iter().enumerate() {
            if let Some(values) = values {
                keys.insert(KEYS[index].to_owned(), vec![values[0].to_owned()]);
            }
        }
        if let Some(values) = c {
            keys.insert(KEYS[2].to_owned(), values.into_iter().map(str::to_owned).collect());
        }
        if let Some(number) = number {
            keys.insert(KEYS[3].to_owned(), vec![number.to_string()]);
        }
        let named = others.into_iter().enumerate();
        keys.extend(named.filter_map(|(at, value)| Some((KEYS[at + 4].to_owned(), vec![value?.to_owned()]))));
        keys
    })
}

fn request() -> impl Strategy<Value = Request> {
    let action = prop::sample::select(vec!["s3:GetObject", "s3:PutObject", "iam:PassRole", "ec2:RunInstances"]);
    let resource = prop::sample::select(vec![
        "arn:aws:s3:::b/x",
        "arn:aws:s3:::b/xy",
        "arn:aws:s3:::b",
        "arn:aws:s3:::c/d/e",
        "arn:aws:iam::111122223333:role/r",
    ]);
    (action, resource, known_keys()).prop_map(|(action, resource, keys)| Request {
        action: action.to_owned(),
        resource: resource.to_owned(),
        keys,
    })
}

fn principal(policies: &[Value], boundary: Option<&Value>) -> Principal {
    let mut principal = Principal::new(Kind::User, "", ACCOUNT);
    for (index, policy) in policies.iter().enumerate() {
        principal = principal.with(PolicySource::inline(&format!("p{index}"), &policy.to_string()));
    }
    match boundary {
        Some(boundary) => principal.bounded_by(PolicySource::inline("boundary", &boundary.to_string())),
        None => principal,
    }
}

/// The keys whose bit is set in `hidden` are left unknown.
fn context(request: &Request, hidden: u8) -> Context {
    let mut context = Context::new();
    for (index, key) in KEYS.iter().enumerate() {
        if hidden & (1 << index) != 0 {
            continue;
        }
        context = match request.keys.get(*key) {
            Some(values) => context.with_values(key, values.clone()),
            None => context.without(key),
        };
    }
    context
}

/// How much an outcome lets through. A conditional deny lets less through than an allow.
fn width(outcome: &Outcome) -> u8 {
    match outcome {
        Outcome::ExplicitDeny | Outcome::ImplicitDeny => 0,
        Outcome::Conditional { .. } => 1,
        Outcome::Unknown { .. } => 2,
        Outcome::Allow => 3,
    }
}

fn admin_width(principal: &Principal) -> u8 {
    let report = admin::verdict(principal);
    let surely = |path: &Escalation| path.certainty <= Certainty::Potential;
    match report.verdict.id() {
        "not-admin" => 0,
        // An administrator under a condition may have ways that need no condition.
        "conditional-admin" if report.paths.iter().any(surely) => 2,
        "conditional-admin" => 1,
        "admin-equivalent" => 2,
        "admin-except-deny" => 3,
        "admin" => 4,
        other => panic!("{other}"),
    }
}

fn principal_verdict(principal: &Principal) -> &'static str {
    admin::verdict(principal).verdict.id()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_agrees_with_the_reference(
        policies in policies(), groups in prop::collection::vec(policy(), 0..3), boundary in prop::option::of(policy()),
        levels in prop::collection::vec(prop::collection::vec(policy(), 1..3), 0..3), request in request()
    ) {
        let mut principal = principal(&policies, boundary.as_ref());
        for (index, policy) in groups.iter().enumerate() {
            principal = principal.with(PolicySource::inline(&format!("g{index}"), &policy.to_string()).via("group"));
        }
        if !levels.is_empty() {
            let source = |policy: &Value| PolicySource::inline("scp", &policy.to_string());
            principal.scps = Scps::Levels(levels.iter().map(|level| level.iter().map(source).collect()).collect());
        }
        let identity = [policies, groups].concat();
        let all = Policies { identity: &identity, boundary: boundary.as_ref(), levels: &levels };
        let decision = can(&principal, &request.action, &request.resource, &context(&request, 0));
        if let Some(expected) = reference::evaluate(&all, &request) {
            prop_assert_eq!(decision.outcome.id(), expected);
        }
        prop_assert_eq!(decision.upper_bound, levels.is_empty());
    }

    #[test]
    fn what_is_not_known_is_never_decided(
        policies in policies(), boundary in prop::option::of(policy()), request in request(), hidden in HIDDEN
    ) {
        // Whatever the hidden keys are, an answer that was certain without them is right.
        let whole = principal(&policies, boundary.as_ref());
        let partial = can(&whole, &request.action, &request.resource, &context(&request, hidden));
        let all = Policies { identity: &policies, boundary: boundary.as_ref(), levels: &[] };
        let Some(expected) = reference::evaluate(&all, &request) else { return Ok(()) };
        match partial.outcome {
            Outcome::Allow => prop_assert_eq!(expected, "allow"),
            Outcome::ExplicitDeny => prop_assert_eq!(expected, "explicit-deny"),
            Outcome::ImplicitDeny => prop_assert_ne!(expected, "allow"),
            Outcome::Conditional { keys } => prop_assert!(!keys.is_empty()),
            Outcome::Unknown { reason } => prop_assert!(false, "{}", reason),
        }
    }

    #[test]
    fn a_question_about_many_covers_each(policies in policies(), request in request()) {
        let principal = principal(&policies, None);
        let context = context(&request, 0);
        let one = can(&principal, &request.action, &request.resource, &context).outcome;
        for (action, resource) in [(request.action.as_str(), "*"), ("*", request.resource.as_str()), ("s3:*", "arn:aws:s3:::b/*")] {
            if action == "s3:*" && !(request.action.starts_with("s3:") && request.resource.starts_with("arn:aws:s3:::b/")) {
                continue;
            }
            match can(&principal, action, resource, &context).outcome {
                Outcome::Allow => prop_assert_eq!(&one, &Outcome::Allow),
                Outcome::ExplicitDeny => prop_assert_eq!(&one, &Outcome::ExplicitDeny),
                Outcome::ImplicitDeny => prop_assert!(one.is_denied()),
                _ => {}
            }
        }
    }

    #[test]
    fn adding_a_deny_never_widens(
        policies in policies(), deny in statement(), request in request(), hidden in HIDDEN
    ) {
        let mut deny = deny;
        deny["Effect"] = json!("Deny");
        let mut more = policies.clone();
        more.push(json!({"Version": "2012-10-17", "Statement": deny}));
        let (before, after) = (principal(&policies, None), principal(&more, None));
        let context = context(&request, hidden);
        let ask = |principal: &Principal| can(principal, &request.action, &request.resource, &context).outcome;
        prop_assert!(width(&ask(&after)) <= width(&ask(&before)));
        prop_assert!(admin_width(&after) <= admin_width(&before));
        let tampered = |principal: &Principal| tamper::tampering(principal, &Default::default()).len();
        prop_assert!(tampered(&after) <= tampered(&before));
    }

    #[test]
    fn a_boundary_never_widens(policies in policies(), boundary in policy(), request in request(), hidden in HIDDEN) {
        let (before, after) = (principal(&policies, None), principal(&policies, Some(&boundary)));
        let context = context(&request, hidden);
        let ask = |principal: &Principal| can(principal, &request.action, &request.resource, &context).outcome;
        prop_assert!(width(&ask(&after)) <= width(&ask(&before)));
        prop_assert!(admin_width(&after) <= admin_width(&before));
    }

    #[test]
    fn removing_evidence_never_answers_an_open_question(
        policies in policies(), boundary in prop::option::of(policy()), request in request(),
        first in any::<prop::sample::Index>(), second in any::<prop::sample::Index>(), hidden in HIDDEN
    ) {
        let mut some = principal(&policies, boundary.as_ref());
        let count = some.policies.len();
        let forget = |principal: &mut Principal, index: usize| match principal.policies.get_mut(index) {
            Some(source) => source.content = Content::Missing,
            None => if let Some(boundary) = &mut principal.boundary { boundary.content = Content::Missing },
        };
        forget(&mut some, first.index(count + 1));
        let mut less = some.clone();
        forget(&mut less, second.index(count + 1));
        let context = context(&request, hidden);
        let ask = |principal: &Principal| can(principal, &request.action, &request.resource, &context).outcome;
        if matches!(ask(&some), Outcome::Unknown { .. }) {
            let outcome = ask(&less);
            prop_assert!(matches!(outcome, Outcome::Unknown { .. }), "{:?}", outcome);
        }
        if principal_verdict(&some) == "unknown" {
            prop_assert_eq!(principal_verdict(&less), "unknown");
        }
        // And what was certain with everything is not contradicted by less.
        let whole = ask(&principal(&policies, boundary.as_ref()));
        match ask(&less) {
            Outcome::Allow => prop_assert_eq!(whole, Outcome::Allow),
            Outcome::ExplicitDeny => prop_assert_eq!(whole, Outcome::ExplicitDeny),
            Outcome::ImplicitDeny => prop_assert!(whole.is_denied()),
            _ => {}
        }
        if principal_verdict(&less) == "not-admin" {
            prop_assert_eq!(principal_verdict(&principal(&policies, boundary.as_ref())), "not-admin");
        }
    }

    #[test]
    fn not_knowing_the_other_principals_clears_nobody(policies in policies()) {
        let user = principal(&policies, None);
        let role = "arn:aws:iam::111122223333:role/admin";
        let admin = Principal::new(Kind::Role, role, ACCOUNT)
            .with(PolicySource::missing("arn:aws:iam::aws:policy/AdministratorAccess"));
        let trust = json!({"Statement": {"Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"AWS": ACCOUNT, "Service": "lambda.amazonaws.com"}}});
        let known = Account {
            id: ACCOUNT.into(),
            principals: vec![user.clone(), admin],
            trusts: vec![(role.into(), Content::read(&trust.to_string()))],
            complete: true,
            ..Account::default()
        };
        let unknown = Account { id: ACCOUNT.into(), principals: vec![user], ..Account::default() };
        if unknown.administrators()[0].verdict.id() == "not-admin" {
            prop_assert_eq!(known.administrators()[0].verdict.id(), "not-admin");
        }
    }

    #[test]
    fn nothing_panics_on_any_bytes(text in "\\PC{0,200}", policies in policies(), cut in 0usize..400) {
        exercise(&text);
        let whole = policies[0].to_string();
        let cut = cut.min(whole.len());
        exercise(&whole[..cut]);
        exercise(&whole.replacen("x", &text, 3));
        exercise(&format!("{}{}", &whole[..cut], text));
    }
}

/// Everything that reads a document, on one that may be anything.
fn exercise(text: &str) {
    let source = PolicySource::inline("p", text);
    let principal = Principal::new(Kind::User, "arn:aws:iam::111122223333:user/u", ACCOUNT)
        .with(source.clone())
        .bounded_by(source.clone());
    let _ = can(&principal, "s3:GetObject", "*", &Context::new());
    let _ = admin::verdict(&principal);
    let _ = mfa::enforcement(&principal);
    let _ = compare::read_only(&principal, &compare::NameHeuristic);
    if let Ok(document) = Document::parse(text) {
        let _ = trust::report("arn:aws:iam::111122223333:role/r", ACCOUNT, &document, &Default::default());
    }
    let account = Account {
        id: ACCOUNT.into(),
        trusts: vec![(principal.arn.clone(), source.content)],
        principals: vec![principal],
        complete: true,
        ..Account::default()
    };
    let _ = account.analyse();
}
