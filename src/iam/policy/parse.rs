//! From JSON to [`Document`]: shape only, no judgement.

use std::collections::HashSet;

use super::{
    Actions, Document, Effect, MAX_DOCUMENT_BYTES, Pattern, PolicyError, PrincipalEntry, PrincipalKind, Principals,
    Resources, Statement, Version,
};
use crate::iam::condition::Clause;
use crate::iam::interest;
use crate::iam::json::Json;

/// No action has a longer name, and no resource a longer ARN. The bounds keep the comparison of patterns
/// with each other short.
const MAX_ACTION: usize = 256;
const MAX_RESOURCE: usize = 2048;

pub(super) fn document(text: &str) -> Result<Document, PolicyError> {
    if text.len() > MAX_DOCUMENT_BYTES {
        return Err(PolicyError::TooLarge(text.len()));
    }
    let Json::Object(entries) = Json::parse(text)? else {
        return Err(shape("the document is not an object"));
    };
    let mut version = Version::V2008;
    let mut statements = None;
    for (key, value) in entries {
        match (key.as_str(), value) {
            ("Version", Json::String(text)) => {
                version = match text.as_str() {
                    "2008-10-17" => Version::V2008,
                    "2012-10-17" => Version::V2012,
                    other => return Err(shape(format!("unknown version {other:?}"))),
                }
            }
            ("Id", Json::String(_)) => {}
            ("Statement", Json::Array(values)) => statements = Some(values),
            ("Statement", value @ Json::Object(_)) => statements = Some(vec![value]),
            (known @ ("Version" | "Id" | "Statement"), _) => {
                return Err(shape(format!("{known} has the wrong type")));
            }
            (other, _) => return Err(shape(format!("unknown element {other:?}"))),
        }
    }
    let statements = statements.ok_or_else(|| shape("there is no Statement"))?;
    let statements = statements.into_iter().map(|value| statement(value, version)).collect();
    Ok(Document { version, statements })
}

fn shape(message: impl Into<String>) -> PolicyError {
    PolicyError::Shape(message.into())
}

fn statement(value: Json, version: Version) -> Statement {
    let mut statement = Statement {
        sid: None,
        effect: Effect::Unreadable,
        problem: None,
        actions: Actions::default(),
        resources: None,
        principals: None,
        conditions: Vec::new(),
        interest: interest::Bits::default(),
    };
    statement.problem = fill(&mut statement, value, version).err();
    statement.interest = interest::of(&statement.actions);
    statement
}

fn fill(statement: &mut Statement, value: Json, version: Version) -> Result<(), String> {
    let Json::Object(mut entries) = value else {
        return Err("the statement is not an object".into());
    };
    // The effect and the name first, so that they are known even if the rest cannot be read.
    entries.sort_by_key(|(key, _)| !matches!(key.as_str(), "Effect" | "Sid"));
    let mut actions = None;
    for (key, value) in entries {
        match key.as_str() {
            "Sid" => match value {
                Json::String(sid) => statement.sid = Some(sid),
                _ => return Err("Sid is not a string".into()),
            },
            "Effect" => {
                statement.effect = match value {
                    Json::String(text) if text == "Allow" => Effect::Allow,
                    Json::String(text) if text == "Deny" => Effect::Deny,
                    _ => return Err("Effect is neither Allow nor Deny".into()),
                }
            }
            "Action" | "NotAction" => {
                if actions.is_some() {
                    return Err("both Action and NotAction".into());
                }
                let patterns = texts(&key, value)?;
                if let Some(bad) = patterns.iter().find(|text| !is_action(text)) {
                    return Err(format!("{bad:?} is not an action"));
                }
                actions = Some(Actions {
                    negated: key == "NotAction",
                    patterns: patterns.into_iter().map(String::into_boxed_str).collect(),
                });
            }
            "Resource" | "NotResource" => {
                if statement.resources.is_some() {
                    return Err("both Resource and NotResource".into());
                }
                let patterns = texts(&key, value)?;
                if patterns.iter().any(|text| text.len() > MAX_RESOURCE) {
                    return Err(format!("a resource of more than {MAX_RESOURCE} bytes"));
                }
                if let Some(bad) = patterns.iter().find(|text| !is_resource(text)) {
                    return Err(format!("{bad:?} is neither an ARN nor a star"));
                }
                statement.resources = Some(Resources {
                    negated: key == "NotResource",
                    patterns: patterns.into_iter().map(|text| Pattern::new(text, version)).collect(),
                });
            }
            "Principal" | "NotPrincipal" => {
                if statement.principals.is_some() {
                    return Err("both Principal and NotPrincipal".into());
                }
                statement.principals = Some(Principals { negated: key == "NotPrincipal", entries: principals(value)? });
            }
            "Condition" => statement.conditions = conditions(value, version)?,
            other => return Err(format!("unknown element {other:?}")),
        }
    }
    if statement.effect == Effect::Unreadable {
        return Err("there is no Effect".into());
    }
    statement.actions = actions.ok_or("neither Action nor NotAction")?;
    Ok(())
}

/// An action is `service:Name`, wildcards allowed anywhere.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
fn is_action(text: &str) -> bool {
    (text.contains(':') || text.contains('*')) && text.len() <= MAX_ACTION
}

/// A resource is an ARN or `*`; what begins with a wildcard is taken as it stands.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
fn is_resource(text: &str) -> bool {
    const BEGINNING: &str = "arn:";
    let literal = text.find(['*', '?']).map_or(text, |at| &text[..at]);
    literal.starts_with(BEGINNING) || BEGINNING.starts_with(literal) && literal.len() < text.len()
}

/// A string, or an array of at least one string.
fn texts(element: &str, value: Json) -> Result<Vec<String>, String> {
    let wrong = || format!("{element} is neither a string nor an array of strings");
    match value {
        Json::String(text) => Ok(vec![text]),
        Json::Array(values) if !values.is_empty() => values
            .into_iter()
            .map(|value| match value {
                Json::String(text) => Ok(text),
                _ => Err(wrong()),
            })
            .collect(),
        _ => Err(wrong()),
    }
}

fn principals(value: Json) -> Result<Vec<PrincipalEntry>, String> {
    let groups = match value {
        Json::String(text) if text == "*" => {
            return Ok(vec![PrincipalEntry { kind: PrincipalKind::Anyone, value: text }]);
        }
        Json::Object(groups) => groups,
        _ => return Err("Principal is neither \"*\" nor an object".into()),
    };
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    for (key, values) in groups {
        let kind = match key.as_str() {
            "AWS" => PrincipalKind::Aws,
            "Federated" => PrincipalKind::Federated,
            "Service" => PrincipalKind::Service,
            "CanonicalUser" => PrincipalKind::CanonicalUser,
            other => return Err(format!("unknown kind of principal {other:?}")),
        };
        for value in texts("Principal", values)? {
            // {"AWS": "*"} is the same as "*":
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
            let kind = match kind {
                PrincipalKind::Aws if value == "*" => PrincipalKind::Anyone,
                kind => kind,
            };
            // Naming somebody twice says nothing more.
            if seen.insert((key.clone(), value.clone())) {
                entries.push(PrincipalEntry { kind, value });
            }
        }
    }
    Ok(entries)
}

fn conditions(value: Json, version: Version) -> Result<Vec<Clause>, String> {
    let Json::Object(operators) = value else {
        return Err("Condition is not an object".into());
    };
    let mut clauses = Vec::new();
    for (operator, keys) in operators {
        let Json::Object(keys) = keys else {
            return Err(format!("the condition {operator:?} is not an object"));
        };
        if keys.is_empty() {
            Clause::check_operator(&operator)?;
        }
        let mut seen = HashSet::new();
        for (key, values) in keys {
            // Keys are the same in any case, and AWS calls two of them an error without saying which counts:
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
            if !seen.insert(key.to_ascii_lowercase()) {
                return Err(format!("{operator} has the key {key} twice, in different case"));
            }
            let values = scalars(values)
                .ok_or_else(|| format!("the values of {operator} {key} are neither scalars nor an array of them"))?;
            // The same page says of an empty list that it is true, and that the statement gives nothing.
            if values.is_empty() && !operator.contains(':') {
                return Err(format!("{operator} {key} has no value"));
            }
            clauses.push(Clause::new(&operator, &key, values, version)?);
        }
    }
    Ok(clauses)
}

/// Condition values may be strings, booleans or numbers, alone or in an array.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>
fn scalars(value: Json) -> Option<Vec<String>> {
    fn scalar(value: Json) -> Option<String> {
        match value {
            Json::String(text) | Json::Number(text) => Some(text),
            Json::Bool(value) => Some(value.to_string()),
            _ => None,
        }
    }
    match value {
        Json::Array(values) => values.into_iter().map(scalar).collect(),
        value => Some(vec![scalar(value)?]),
    }
}

impl Pattern {
    pub(crate) fn new(text: String, version: Version) -> Self {
        Self { variables: version == Version::V2012 && text.contains("${"), text: text.into_boxed_str() }
    }
}
