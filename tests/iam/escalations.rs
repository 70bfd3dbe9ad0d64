//! Ways of more than one step, one account per entry of `escalations.json`: who is an administrator there, by which
//! steps, and what each step needs. Of each, twins are made for every action that is needed: once it is not allowed, and
//! once it is denied from above, nobody is an administrator.

use std::collections::{BTreeMap, BTreeSet};

use auditpack::iam::admin::AdminReport;
use auditpack::iam::analysis::Account;
use auditpack::iam::escalation::{Certainty, Escalation};
use auditpack::iam::principal::{Content, Kind, PolicySource, Principal, Scps};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct File {
    account: String,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    title: String,
    /// The users, roles and groups of the account.
    principals: Vec<Entry>,
    /// Managed policies by ARN: lists of statements.
    #[serde(default)]
    managed: BTreeMap<String, Value>,
    /// Whose verdict it is: the end of an ARN.
    asks: String,
    answer: String,
    /// The ids of the steps, joined by ` > `, and how sure they are.
    by: Option<String>,
    /// Without any of these actions, it is no administrator.
    #[serde(default)]
    needs: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    arn: String,
    /// Inline policies: lists of statements.
    policies: Vec<Value>,
    #[serde(default)]
    attached: Vec<String>,
    #[serde(default)]
    groups: Vec<String>,
    boundary: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    trust: Option<Value>,
}

/// What is taken from the one who is asked about.
#[derive(Clone, Copy)]
enum Twin<'t> {
    Whole,
    NotAllowed(&'t str),
    Denied(&'t str),
}

fn text(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// The statements without an action among those that are allowed.
fn without(statements: &Value, action: &str) -> Value {
    let mut kept = statements.as_array().cloned().expect("statements");
    for statement in &mut kept {
        if let (Some("Allow"), Some(actions)) = (statement["Effect"].as_str(), statement["Action"].as_array()) {
            statement["Action"] = actions.iter().filter(|one| *one != action).cloned().collect();
        }
    }
    kept.retain(|statement| statement["Action"] != json!([]));
    Value::Array(kept)
}

impl Vector {
    fn report(&self, account: &str, twin: Twin<'_>) -> AdminReport {
        let mut whole = Account { id: account.to_owned(), complete: true, ..Account::default() };
        let arn = |name: &str| format!("arn:aws:iam::{account}:{name}");
        let managed = |arn: &str| PolicySource::managed(arn, self.managed.get(arn).map(text).as_deref());
        let inline = |entry: &Entry| -> Vec<PolicySource> {
            let policies = entry.policies.iter().enumerate();
            let named = policies.map(|(index, statements)| match twin {
                Twin::NotAllowed(action) if entry.arn == self.asks => (index, without(statements, action)),
                _ => (index, statements.clone()),
            });
            named.map(|(index, statements)| PolicySource::inline(&format!("p{index}"), &text(&statements))).collect()
        };
        for entry in &self.principals {
            let kind = match entry.arn.split('/').next() {
                Some("user") => Kind::User,
                Some("role") => Kind::Role,
                _ => Kind::Group,
            };
            let mut principal = Principal::new(kind, &arn(&entry.arn), account);
            principal.policies = inline(entry);
            principal.policies.extend(entry.attached.iter().map(|arn| managed(arn)));
            principal.boundary = entry.boundary.as_deref().map(managed);
            principal.tags = Some(entry.tags.clone());
            principal.groups = entry.groups.clone();
            for group in &entry.groups {
                let of = |other: &&Entry| arn(&other.arn) == *group;
                let group = self.principals.iter().find(of).expect("a group");
                let name = group.arn.trim_start_matches("group/");
                let attached = group.attached.iter().map(|arn| managed(arn));
                principal.policies.extend(inline(group).into_iter().chain(attached).map(|source| source.via(name)));
            }
            if let (Twin::Denied(action), true) = (twin, entry.arn == self.asks) {
                let deny = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"},
                    {"Effect": "Deny", "Action": action, "Resource": "*"}]);
                principal.scps = Scps::Levels(vec![vec![PolicySource::inline("scp", &text(&deny))]]);
            }
            if let Some(trust) = &entry.trust {
                whole.trusts.push((principal.arn.clone(), Content::read(&text(trust))));
            }
            whole.principals.push(principal);
        }
        let at = whole.principals.iter().position(|principal| principal.arn == arn(&self.asks));
        whole.administrators().swap_remove(at.expect("the one who is asked about"))
    }
}

fn steps(path: &Escalation) -> String {
    let ids: Vec<_> = path.steps().map(|step| step.id).collect();
    let certainty = match path.certainty {
        Certainty::Certain => "certain",
        Certainty::Potential => "potential",
        Certainty::Conditional => "conditional",
        Certainty::Unknown => "unknown",
    };
    format!("{}: {certainty}", ids.join(" > "))
}

fn file() -> File {
    serde_json::from_str(include_str!("escalations.json")).expect("vectors")
}

/// The ids of all steps that the accounts are about.
pub fn steps_asked_for() -> BTreeSet<String> {
    let ways = file().vectors.into_iter().filter_map(|vector| vector.by);
    let ids = ways
        .flat_map(|by| by.split(':').next().unwrap_or_default().split(" > ").map(str::to_owned).collect::<Vec<_>>());
    ids.collect()
}

#[test]
fn every_way_of_several_steps_is_found_and_named() {
    let file = file();
    assert_eq!(file.vectors.len(), 70);
    let mut wrong = Vec::new();
    for vector in &file.vectors {
        let report = vector.report(&file.account, Twin::Whole);
        let by = report.paths.first().map(steps);
        let named = vector.by.is_none() || vector.by == by;
        if report.verdict.id() != vector.answer || !named {
            wrong.push(format!("{} {}: {} by {by:?}", vector.id, vector.title, report.verdict.id()));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_way_of_several_steps_needs_every_one_of_them() {
    let file = file();
    let mut wrong = Vec::new();
    let mut count = 0;
    for vector in &file.vectors {
        for action in &vector.needs {
            for twin in [Twin::NotAllowed(action), Twin::Denied(action)] {
                count += 1;
                let report = vector.report(&file.account, twin);
                if report.verdict.id() != "not-admin" {
                    let how = if matches!(twin, Twin::Denied(_)) { "denied" } else { "not allowed" };
                    let by = report.paths.first().map(steps);
                    wrong.push(format!(
                        "{} {}, {action} {how}: {} by {by:?}",
                        vector.id,
                        vector.title,
                        report.verdict.id()
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(count, 178);
}
