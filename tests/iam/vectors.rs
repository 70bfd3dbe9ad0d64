//! Facts of the policy language, one per entry of `vectors.json`: given these statements, this is the
//! answer.

use auditpack::iam::context::Context;
use auditpack::iam::policy::Document;
use auditpack::iam::principal::{Kind, PolicySource, Principal};
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
    policies: Vec<Value>,
    boundary: Option<Value>,
    action: Option<String>,
    resource: Option<String>,
    #[serde(default)]
    absent: Vec<String>,
    answer: String,
}

impl File {
    fn document(&self, statements: &Value) -> String {
        serde_json::json!({"Version": self.version, "Statement": statements}).to_string()
    }

    fn answer(&self, vector: &Vector) -> String {
        let mut principal = Principal::new(Kind::User, "", &self.own_account);
        for (index, statements) in vector.policies.iter().enumerate() {
            let name = format!("policy-{index}");
            principal = principal.with(PolicySource::inline(&name, &self.document(statements)));
        }
        if let Some(boundary) = &vector.boundary {
            principal = principal.bounded_by(PolicySource::inline("boundary", &self.document(boundary)));
        }
        match vector.asks.as_str() {
            "administrator" => admin::verdict(&principal).verdict.id().to_owned(),
            "can" => {
                let mut context = Context::new();
                for key in &vector.absent {
                    context.set_absent(key);
                }
                let action = vector.action.as_deref().expect("an action");
                let resource = vector.resource.as_deref().expect("a resource");
                can(&principal, action, resource, &context).outcome.id().to_owned()
            }
            question => self.trust(question, &vector.policies[0]),
        }
    }

    fn trust(&self, question: &str, statements: &Value) -> String {
        let document = Document::parse(&self.document(statements)).expect("a policy");
        let around = trust::Surroundings {
            max_mfa_age: self.max_mfa_age,
            ..trust::Surroundings::default()
        };
        let role = format!("arn:aws:iam::{}:role/vendor", self.own_account);
        let report = trust::report(&role, &self.own_account, &document, &around);
        match question {
            "external-id" => report.external_id.id(),
            "mfa" => report.mfa.id(),
            "mfa-age" => report.mfa_age.id(),
            "oidc-width" => report.oidc.expect("an identity provider").id(),
            other => panic!("{other}"),
        }
        .to_owned()
    }
}

#[test]
fn every_vector_gets_its_answer() {
    let file: File = serde_json::from_str(include_str!("vectors.json")).expect("vectors");
    assert_eq!(file.vectors.len(), 94);
    let wrong: Vec<String> = file
        .vectors
        .iter()
        .filter_map(|vector| {
            let answer = file.answer(vector);
            (answer != vector.answer).then(|| {
                format!("{} {}: {answer}, not {}", vector.id, vector.title, vector.answer)
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
