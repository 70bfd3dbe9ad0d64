//! The catalogue of ways to become an administrator, path by path, as `paths.json` says what each takes: whoever may do
//! all of it has the path, whoever lacks one action or the role has not. The catalogue itself is not asked.

use std::collections::BTreeSet;

use auditpack::iam::analysis::Account;
use auditpack::iam::escalation::Certainty;
use auditpack::iam::principal::{Content, Kind, PolicySource, Principal};
use serde::Deserialize;

const ID: &str = "111122223333";

#[derive(Deserialize)]
struct File {
    paths: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    /// The service that an administrator role trusts; the account itself if there is none.
    trusts: Option<String>,
    /// What a user may do to everything.
    actions: Vec<String>,
    /// How sure the path then is.
    answer: String,
}

#[derive(Deserialize)]
struct Catalogue {
    paths: Vec<Path>,
}

#[derive(Deserialize)]
struct Path {
    id: String,
}

fn cases() -> Vec<Case> {
    let file: File = serde_json::from_str(include_str!("paths.json")).expect("cases");
    file.paths
}

/// How sure the path is for a user of an account with one administrator role.
fn certainty(case: &Case, actions: &[&str], trusts: Option<&str>) -> Option<Certainty> {
    let trust = match trusts {
        None => serde_json::json!({"Effect": "Allow", "Principal": {"AWS": ID}, "Action": "sts:AssumeRole"}),
        Some(service @ "cognito-identity.amazonaws.com") => {
            let principal = serde_json::json!({"Federated": service});
            serde_json::json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"})
        }
        Some(service) => {
            serde_json::json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
        }
    };
    let document = |statement| serde_json::json!({"Version": "2012-10-17", "Statement": statement}).to_string();
    let allow = |actions: &[&str]| document(serde_json::json!({"Effect": "Allow", "Action": actions, "Resource": "*"}));
    let principal = |kind, name: &str, actions: &[&str]| {
        let policy = PolicySource::inline("inline", &allow(actions));
        Principal::new(kind, &format!("arn:aws:iam::{ID}:{name}"), ID).with(policy)
    };
    let role = principal(Kind::Role, "role/admin", &["*"]);
    let account = Account {
        id: ID.into(),
        complete: true,
        trusts: vec![(role.arn.clone(), Content::read(&document(trust)))],
        principals: vec![principal(Kind::User, "user/ann", actions), role],
        ..Account::default()
    };
    let report = account.administrators().remove(0);
    report.paths.iter().find(|path| path.id == case.id).map(|path| path.certainty)
}

/// Cases of another kind than these are tests of their own, which name the path.
fn tests() -> String {
    let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/iam")).expect("the tests");
    let paths = folder.map(|entry| entry.expect("a file").path());
    let code = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    code.map(|path| std::fs::read_to_string(path).expect("a text")).collect()
}

#[test]
fn every_path_of_the_catalogue_has_a_case() {
    let catalogue: Catalogue =
        serde_saphyr::from_str(include_str!("../../src/iam/escalation.yaml")).expect("the catalogue");
    let paths: BTreeSet<String> = catalogue.paths.into_iter().map(|path| path.id).collect();
    let cases = cases();
    let named: BTreeSet<String> = cases.iter().map(|case| case.id.clone()).collect();
    assert_eq!(named.len(), cases.len(), "each once");
    assert!(named.is_subset(&paths), "{:?}", named.difference(&paths));
    let tests = tests();
    let steps = crate::escalations::steps_asked_for();
    let tested = |id: &String| steps.contains(id) || tests.contains(&format!("\"{id}\""));
    let missing: Vec<_> = paths.difference(&named).filter(|id| !tested(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn whoever_may_do_all_that_a_path_takes_has_it() {
    let mut wrong = Vec::new();
    for case in cases() {
        let actions: Vec<&str> = case.actions.iter().map(String::as_str).collect();
        let found = certainty(&case, &actions, case.trusts.as_deref());
        let found = found.map_or("none".to_owned(), |found| format!("{found:?}").to_lowercase());
        if found != case.answer {
            wrong.push(format!("{}: {found}, not {}", case.id, case.answer));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn whoever_lacks_one_action_has_not() {
    for case in cases() {
        for lacking in &case.actions {
            let rest = case.actions.iter().filter(|action| *action != lacking);
            let rest: Vec<&str> = rest.map(String::as_str).collect();
            let found = certainty(&case, &rest, case.trusts.as_deref());
            assert_eq!(found, None, "{} without {lacking}", case.id);
        }
    }
}

#[test]
fn a_path_through_a_service_takes_a_role_that_trusts_it() {
    for case in cases().into_iter().filter(|case| case.trusts.is_some()) {
        let actions: Vec<&str> = case.actions.iter().map(String::as_str).collect();
        assert_eq!(certainty(&case, &actions, Some("nobody.amazonaws.com")), None, "{}", case.id);
    }
}
