//! A slow and obvious evaluator of policies, to compare the engine with. It works on the JSON itself, knows
//! only two truth values, and shares no code with the engine.

use std::collections::BTreeMap;

use serde_json::Value;

/// A request of which everything is known: a key that is not in the map is absent.
#[derive(Clone, Debug)]
pub struct Request {
    pub action: String,
    pub resource: String,
    pub keys: BTreeMap<String, Vec<String>>,
}

/// `allow`, `explicit-deny` or `implicit-deny`.
pub fn evaluate(identity: &[Value], boundary: Option<&Value>, request: &Request) -> &'static str {
    let mut layers = vec![identity.to_vec()];
    layers.extend(boundary.map(|boundary| vec![boundary.clone()]));
    let applies = |effect: &str, layer: &[Value]| {
        layer.iter().any(|policy| {
            statements(policy)
                .iter()
                .any(|statement| statement["Effect"] == effect && applies(statement, request))
        })
    };
    if layers.iter().any(|layer| applies("Deny", layer)) {
        "explicit-deny"
    } else if layers.iter().all(|layer| applies("Allow", layer)) {
        "allow"
    } else {
        "implicit-deny"
    }
}

fn statements(policy: &Value) -> Vec<Value> {
    list(&policy["Statement"])
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(values) => values.clone(),
        other => vec![other.clone()],
    }
}

fn texts(value: &Value) -> Vec<String> {
    list(value)
        .iter()
        .map(|value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        })
        .collect()
}

fn applies(statement: &Value, request: &Request) -> bool {
    let action = request.action.to_lowercase();
    let hits = |name: &str, text: &str, lower: bool| {
        texts(&statement[name]).iter().any(|pattern| {
            let pattern = if lower { pattern.to_lowercase() } else { pattern.clone() };
            glob(&pattern, text)
        })
    };
    let actions = if statement.get("Action").is_some() {
        hits("Action", &action, true)
    } else {
        !hits("NotAction", &action, true)
    };
    let resources = if statement.get("Resource").is_some() {
        hits("Resource", &request.resource, false)
    } else {
        !hits("NotResource", &request.resource, false)
    };
    actions && resources && conditions(&statement["Condition"], request)
}

pub fn glob(pattern: &str, text: &str) -> bool {
    let Some(first) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[first.len_utf8()..];
    match (first, text.chars().next()) {
        ('*', None) => glob(rest, text),
        ('*', Some(next)) => glob(rest, text) || glob(pattern, &text[next.len_utf8()..]),
        ('?', Some(next)) => glob(rest, &text[next.len_utf8()..]),
        (first, Some(next)) => first == next && glob(rest, &text[next.len_utf8()..]),
        (_, None) => false,
    }
}

fn conditions(block: &Value, request: &Request) -> bool {
    let Value::Object(operators) = block else {
        return true;
    };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object().expect("an object");
        keys.iter()
            .all(|(key, values)| condition(operator, key, &texts(values), request))
    })
}

fn condition(operator: &str, key: &str, wanted: &[String], request: &Request) -> bool {
    let actual = request
        .keys
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(key))
        .map(|(_, values)| values.clone());
    if operator == "Null" {
        return wanted.iter().any(|value| (value == "true") == actual.is_none());
    }
    let (set, operator) = match operator.split_once(':') {
        Some((set, operator)) => (set, operator),
        None => ("", operator),
    };
    let base = operator.trim_end_matches("IfExists");
    let Some(actual) = actual else {
        if base != operator || set == "ForAllValues" {
            return true;
        }
        return set != "ForAnyValue" && base.contains("Not");
    };
    let one = |value: &String| {
        let hit = wanted.iter().any(|wanted| compare(base, wanted, value));
        hit != base.contains("Not")
    };
    match set {
        "ForAllValues" => actual.iter().all(one),
        "ForAnyValue" => actual.iter().any(one),
        _ => one(&actual[0]),
    }
}

fn compare(operator: &str, wanted: &str, actual: &str) -> bool {
    let numbers = || {
        let read = |text: &str| text.parse::<f64>().expect("a number");
        (read(actual), read(wanted))
    };
    match operator {
        "StringEquals" | "StringNotEquals" => wanted == actual,
        "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" => {
            wanted.to_lowercase() == actual.to_lowercase()
        }
        "StringLike" | "StringNotLike" => glob(wanted, actual),
        "Bool" => wanted.eq_ignore_ascii_case(actual),
        "NumericEquals" | "NumericNotEquals" => numbers().0 == numbers().1,
        "NumericLessThan" => numbers().0 < numbers().1,
        "NumericLessThanEquals" => numbers().0 <= numbers().1,
        "NumericGreaterThan" => numbers().0 > numbers().1,
        "NumericGreaterThanEquals" => numbers().0 >= numbers().1,
        other => panic!("{other}"),
    }
}
