//! The two literal questions that rows ask of a policy document: whom does a trust policy name, and does one
//! statement allow everything outright. What a policy means beyond its letter is the policy engine's to say.
//!
//! Reading is strict: a document with an unknown element, a duplicate key or a wrong type is not read at all, because
//! what it means is not known.

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;

/// Whether one statement of the document allows every action on every resource without a condition. NotAction and
/// NotResource are not such a statement, whatever they leave.
pub(super) fn has_admin_statement(text: &str) -> Result<bool, String> {
    Ok(statements(text)?.iter().any(|statement| {
        statement.allow
            && !statement.conditional
            && statement.actions.iter().any(|action| matches_every_action(action))
            && statement.resources.iter().any(|resource| is_stars(resource))
    }))
}

/// The principals that a trust policy lets in, as `kind:value`, sorted. `any:*` is everyone: a lone star, also as the
/// AWS principal, and all but those that NotPrincipal names.
pub(super) fn trusted_principals(text: &str) -> Result<Vec<String>, String> {
    let mut trusted = BTreeSet::new();
    for statement in statements(text)?.into_iter().filter(|statement| statement.allow) {
        trusted.extend(statement.principals.ok_or("a statement of a trust policy names no principal")?);
    }
    Ok(trusted.into_iter().collect())
}

/// Whether one statement of a resource's policy lets everyone in without a condition.
pub(super) fn lets_in_everyone(text: &str) -> Result<bool, String> {
    let everyone = |statement: &Statement| {
        let principals = statement.principals.as_deref().unwrap_or_default();
        statement.allow && !statement.conditional && principals.iter().any(|principal| principal == EVERYONE)
    };
    Ok(statements(text)?.iter().any(everyone))
}

/// The entries of a JSON object in a text, as Config rules have their parameters. What is no text is spelled as JSON.
pub(super) fn parameters(text: &str) -> Result<BTreeMap<String, String>, String> {
    let Value::Object(entries) = strict(text)? else { return Err("it is no JSON object".to_owned()) };
    let spelled = |value| match value {
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(entries.into_iter().map(|(name, value)| (name, spelled(value))).collect())
}

/// What the questions need of a statement.
#[derive(Default)]
struct Statement {
    allow: bool,
    conditional: bool,
    actions: Vec<String>,
    resources: Vec<String>,
    /// As [`trusted_principals`] writes them; `None` if the statement names none.
    principals: Option<Vec<String>>,
}

fn statements(text: &str) -> Result<Vec<Statement>, String> {
    let Value::Object(policy) = strict(text)? else { return Err("it is no JSON object".to_owned()) };
    let mut statements = None;
    for (element, value) in policy {
        match (element.as_str(), value) {
            ("Version" | "Id", Value::String(_)) => {}
            ("Statement", Value::Object(one)) => statements = Some(vec![Value::Object(one)]),
            ("Statement", Value::Array(many)) => statements = Some(many),
            _ => return Err(format!("`{element}` is no element of a policy or has the wrong type")),
        }
    }
    statements.ok_or("it has no statement")?.into_iter().map(statement).collect()
}

fn statement(value: Value) -> Result<Statement, String> {
    let Value::Object(elements) = value else { return Err("a statement is no object".to_owned()) };
    let mut statement = Statement::default();
    for exclusive in [["Action", "NotAction"], ["Resource", "NotResource"], ["Principal", "NotPrincipal"]] {
        if exclusive.iter().all(|element| elements.contains_key(*element)) {
            return Err(format!("a statement has both {}", exclusive.join(" and ")));
        }
    }
    statement.allow = match elements.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err("a statement's effect is neither Allow nor Deny".to_owned()),
    };
    for (element, value) in elements {
        match (element.as_str(), value) {
            ("Effect", _) | ("Sid", Value::String(_)) => {}
            ("Action", value) => statement.actions = texts(value)?,
            ("Resource", value) => statement.resources = texts(value)?,
            ("NotAction" | "NotResource", value) => drop(texts(value)?),
            ("Condition", Value::Object(conditions)) => statement.conditional = !conditions.is_empty(),
            ("Principal", value) => statement.principals = Some(principals(value)?),
            ("NotPrincipal", value) => {
                principals(value)?;
                statement.principals = Some(vec![EVERYONE.to_owned()]);
            }
            _ => return Err(format!("`{element}` is no element of a statement or has the wrong type")),
        }
    }
    Ok(statement)
}

const EVERYONE: &str = "any:*";

fn principals(value: Value) -> Result<Vec<String>, String> {
    let kinds: Map<String, Value> = match value {
        Value::String(text) if text == "*" => return Ok(vec![EVERYONE.to_owned()]),
        Value::Object(kinds) => kinds,
        _ => return Err("a principal is neither `*` nor an object".to_owned()),
    };
    let mut named = Vec::new();
    for (kind, values) in kinds {
        let word = match kind.as_str() {
            "AWS" => "aws",
            "Service" => "service",
            "Federated" => "federated",
            "CanonicalUser" => "canonical",
            other => return Err(format!("`{other}` is no kind of principal")),
        };
        named.extend(texts(values)?.into_iter().map(|value| match (word, value.as_str()) {
            ("aws", "*") => EVERYONE.to_owned(),
            _ => format!("{word}:{value}"),
        }));
    }
    Ok(named)
}

/// A text, or a list of texts.
fn texts(value: Value) -> Result<Vec<String>, String> {
    let text = |value| match value {
        Value::String(text) => Ok(text),
        other => Err(format!("`{other}` is no text")),
    };
    match value {
        Value::Array(values) => values.into_iter().map(text).collect(),
        one => text(one).map(|text| vec![text]),
    }
}

/// Reads JSON that holds no key twice: of two equal keys, AWS and a reader could each believe another.
fn strict(text: &str) -> Result<Value, String> {
    serde_json::from_str::<NoDuplicates>(text).map_err(|e| e.to_string())?;
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// Any JSON in which no object has a key twice. serde_json bounds the depth.
struct NoDuplicates;

impl<'de> Deserialize<'de> for NoDuplicates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Anything;
        impl<'de> Visitor<'de> for Anything {
            type Value = NoDuplicates;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<NoDuplicates, E> {
                Ok(NoDuplicates)
            }
            fn visit_bool<E>(self, _: bool) -> Result<NoDuplicates, E> {
                Ok(NoDuplicates)
            }
            fn visit_i64<E>(self, _: i64) -> Result<NoDuplicates, E> {
                Ok(NoDuplicates)
            }
            fn visit_u64<E>(self, _: u64) -> Result<NoDuplicates, E> {
                Ok(NoDuplicates)
            }
            fn visit_f64<E>(self, _: f64) -> Result<NoDuplicates, E> {
                Ok(NoDuplicates)
            }
            fn visit_str<E>(self, _: &str) -> Result<NoDuplicates, E> {
                Ok(NoDuplicates)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<NoDuplicates, A::Error> {
                while items.next_element::<NoDuplicates>()?.is_some() {}
                Ok(NoDuplicates)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<NoDuplicates, A::Error> {
                let mut seen = HashSet::new();
                while let Some((key, NoDuplicates)) = entries.next_entry::<String, NoDuplicates>()? {
                    if let Some(twice) = seen.replace(key) {
                        return Err(de::Error::custom(format_args!("the key `{twice}` occurs twice")));
                    }
                }
                Ok(NoDuplicates)
            }
        }
        deserializer.deserialize_any(Anything)
    }
}

/// `*`, also written more than once.
fn is_stars(pattern: &str) -> bool {
    !pattern.is_empty() && pattern.bytes().all(|byte| byte == b'*')
}

/// `*` and `*:*`.
fn matches_every_action(pattern: &str) -> bool {
    is_stars(pattern) || pattern.split_once(':').is_some_and(|(service, action)| is_stars(service) && is_stars(action))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admin(statement: &str) -> Result<bool, String> {
        has_admin_statement(&format!(r#"{{"Version": "2012-10-17", "Statement": {statement}}}"#))
    }

    #[test]
    fn only_a_literal_statement_is_an_admin_statement() {
        for statement in [
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*"}"#,
            r#"[{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, {"Effect": "Allow", "Action": ["s3:*", "*:*"], "Resource": ["a", "*"]}]"#,
            r#"{"Effect": "Allow", "Action": "**", "Resource": "*", "Condition": {}}"#,
        ] {
            assert_eq!(admin(statement), Ok(true), "{statement}");
        }
        for statement in [
            r#"{"Effect": "Deny", "Action": "*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::*"}"#,
            r#"{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": "*", "NotResource": "*"}"#,
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}"#,
            r#"[]"#,
        ] {
            assert_eq!(admin(statement), Ok(false), "{statement}");
        }
    }

    #[test]
    fn what_cannot_be_read_strictly_is_not_read() {
        for statement in [
            r#"{"Effect": "Allow", "Action": "*", "Action": "s3:*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a": "1", "a": "2"}}}"#,
            r#"{"Effect": "Allow", "Action": "*", "Resources": "*"}"#,
            r#"{"Effect": "allow", "Action": "*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": 1, "Resource": "*"}"#,
            r#""no statement""#,
            r#"[["a", "Allow", null, null, "*", [], "*"]]"#,
            r#"{"Effect": "Allow", "Action": "*", "NotAction": "s3:*", "Resource": "*"}"#,
            r#"{"Effect": "Allow", "Action": {"s3": "*"}, "Resource": "*"}"#,
        ] {
            assert!(admin(statement).is_err(), "{statement}");
        }
        assert!(has_admin_statement("").is_err());
        assert!(has_admin_statement("[]").is_err());
        assert!(has_admin_statement(&"[".repeat(100_000)).is_err());
    }

    fn trusted(statement: &str) -> Result<Vec<String>, String> {
        trusted_principals(&format!(r#"{{"Statement": {statement}}}"#))
    }

    #[test]
    fn trusted_principals_are_those_that_are_let_in() {
        let statement = r#"[
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": ["arn:aws:iam::1:root", "AIDAEXAMPLE"], "Service": "ec2.amazonaws.com"}},
            {"Effect": "Allow", "Action": "sts:AssumeRoleWithSAML", "Principal": {"Federated": "arn:aws:iam::1:saml-provider/x"}},
            {"Effect": "Deny", "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::2:root"}}]"#;
        assert_eq!(
            trusted(statement).unwrap(),
            [
                "aws:AIDAEXAMPLE",
                "aws:arn:aws:iam::1:root",
                "federated:arn:aws:iam::1:saml-provider/x",
                "service:ec2.amazonaws.com"
            ]
        );
        for everyone in [r#""Principal": "*""#, r#""Principal": {"AWS": "*"}"#, r#""NotPrincipal": {"AWS": "x"}"#] {
            let statement = format!(r#"{{"Effect": "Allow", "Action": "sts:AssumeRole", {everyone}}}"#);
            assert_eq!(trusted(&statement).unwrap(), ["any:*"], "{statement}");
        }
        assert!(trusted(r#"{"Effect": "Allow", "Action": "sts:AssumeRole"}"#).is_err());
        assert!(trusted(r#"{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Aws": "x"}}"#).is_err());
    }

    #[test]
    fn parameters_are_read_from_their_text() {
        let read = parameters(r#"{"maxAccessKeyAge": "90", "count": 3}"#).unwrap();
        assert_eq!(read.get("maxAccessKeyAge").map(String::as_str), Some("90"));
        assert_eq!(read.get("count").map(String::as_str), Some("3"));
        assert!(parameters(r#"{"a": "90", "a": "365"}"#).is_err());
        assert!(parameters("[]").is_err());
        assert!(parameters("maxAccessKeyAge=90").is_err());
    }
}
