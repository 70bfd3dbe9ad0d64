//! Facts of the policy language, one per entry of `vectors.json` and `edges.json`: given these statements, this is the
//! answer. The first file holds what every evaluator should know, the second what they get wrong.

use std::collections::BTreeMap;

use auditpack::iam::context::Context;
use auditpack::iam::policy::Document;
use auditpack::iam::principal::{Kind, PolicySource, Principal};
use auditpack::iam::trust::TrustReport;
use auditpack::iam::{admin, can, trust};
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct File {
    own_account: String,
    version: String,
    max_mfa_age: u64,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    title: String,
    asks: String,
    /// Lists of statements; a text is a whole document as AWS handed it over.
    policies: Vec<Value>,
    boundary: Option<Value>,
    action: Option<String>,
    resource: Option<String>,
    #[serde(default)]
    absent: Vec<String>,
    /// Condition keys with a value, several, or null for one that the request does not carry.
    #[serde(default)]
    context: BTreeMap<String, Value>,
    /// Another version of the policy language than the file's.
    version: Option<String>,
    /// The ARN of the user or role that is asked about.
    principal: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    answer: String,
}

impl File {
    fn document(&self, vector: &Vector, statements: &Value) -> String {
        match statements {
            Value::String(whole) => whole.clone(),
            _ => {
                let version = vector.version.as_ref().unwrap_or(&self.version);
                serde_json::json!({"Version": version, "Statement": statements}).to_string()
            }
        }
    }

    fn answer(&self, vector: &Vector) -> String {
        let arn = vector.principal.as_deref().unwrap_or_default();
        let kind = if arn.contains(":role/") { Kind::Role } else { Kind::User };
        let mut principal = Principal::new(kind, arn, &self.own_account);
        principal.tags = (!arn.is_empty()).then(|| vector.tags.clone());
        for (index, statements) in vector.policies.iter().enumerate() {
            let name = format!("policy-{index}");
            principal = principal.with(PolicySource::inline(&name, &self.document(vector, statements)));
        }
        if let Some(boundary) = &vector.boundary {
            principal = principal.bounded_by(PolicySource::inline("boundary", &self.document(vector, boundary)));
        }
        match vector.asks.as_str() {
            "administrator" => admin::verdict(&principal).verdict.id().to_owned(),
            "can" => {
                let action = vector.action.as_deref().expect("an action");
                let resource = vector.resource.as_deref().expect("a resource");
                can(&principal, action, resource, &context(vector)).outcome.id().to_owned()
            }
            question => self.trust(question, vector),
        }
    }

    fn trust(&self, question: &str, vector: &Vector) -> String {
        let document = Document::parse(&self.document(vector, &vector.policies[0])).expect("a policy");
        let around = trust::Surroundings { max_mfa_age: self.max_mfa_age, ..trust::Surroundings::default() };
        let role = format!("arn:aws:iam::{}:role/vendor", self.own_account);
        let report = trust::report(&role, &self.own_account, &document, &around);
        match question {
            "external-id" => report.external_id.id().to_owned(),
            "mfa" => report.mfa.id().to_owned(),
            "mfa-age" => report.mfa_age.id().to_owned(),
            "oidc-width" => report.oidc.expect("an identity provider").id().to_owned(),
            "session-name" => first(&report).requirements.session_name.id().to_owned(),
            "source-identity" => first(&report).requirements.source_identity.id().to_owned(),
            "guard" => first(&report).guard.as_ref().expect("a service").id().to_owned(),
            "open" => format!("{:?}", first(&report).open).to_lowercase(),
            "kinds" => {
                let kinds: Vec<&str> = report.paths.iter().map(|path| path.kind.id()).collect();
                kinds.join(" ")
            }
            other => panic!("{other}"),
        }
    }
}

fn first(report: &TrustReport) -> &trust::TrustPath {
    report.paths.first().expect("a path")
}

fn context(vector: &Vector) -> Context {
    let mut context = Context::new();
    for key in &vector.absent {
        context.set_absent(key);
    }
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    for (key, value) in &vector.context {
        context = match value {
            Value::Null => context.without(key),
            Value::Array(values) => context.with_values(key, values.iter().map(text).collect()),
            value => context.with(key, text(value)),
        };
    }
    context
}

fn wrong(text: &str, expected: usize) -> Vec<String> {
    let file: File = serde_json::from_str(text).expect("vectors");
    assert_eq!(file.vectors.len(), expected);
    let mut ids: Vec<&str> = file.vectors.iter().map(|vector| vector.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), expected, "ids are unique");
    let answers = file.vectors.iter().map(|vector| (vector, file.answer(vector)));
    answers
        .filter(|(vector, answer)| *answer != vector.answer)
        .map(|(vector, answer)| format!("{} {}: {answer}, not {}", vector.id, vector.title, vector.answer))
        .collect()
}

#[test]
fn every_vector_gets_its_answer() {
    let wrong = wrong(include_str!("vectors.json"), 94);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_edge_gets_its_answer() {
    let wrong = wrong(include_str!("edges.json"), 324);
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// What looks narrow and is not, and what is.
#[test]
fn every_narrowing_is_held_to_who_can_meet_it() {
    let wrong = wrong(include_str!("narrow.json"), 109);
    assert!(wrong.is_empty(), "{wrong:#?}");
}
