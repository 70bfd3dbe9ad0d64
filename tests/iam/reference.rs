//! A slow and obvious evaluator of policies, to compare the engine with. It works on the JSON itself, knows
//! only two truth values, and shares no code with the engine.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde_json::Value;

/// A request of which everything is known: a key that is not in the map is absent.
#[derive(Clone, Debug)]
pub struct Request {
    pub action: String,
    pub resource: String,
    pub keys: BTreeMap<String, Vec<String>>,
}

/// The policies of a principal: its own with those of its groups, its boundary, and one list for each level of the
/// organisation.
#[derive(Clone, Debug, Default)]
pub struct Policies<'a> {
    pub identity: &'a [Value],
    pub boundary: Option<&'a Value>,
    pub levels: &'a [Vec<Value>],
}

/// `allow`, `explicit-deny` or `implicit-deny`; nothing where AWS does not say what a variable without a value does.
pub fn evaluate(policies: &Policies<'_>, request: &Request) -> Option<&'static str> {
    let mut layers = vec![policies.identity.to_vec()];
    layers.extend(policies.boundary.map(|boundary| vec![boundary.clone()]));
    layers.extend(policies.levels.iter().cloned());
    let evaluator = Evaluator { request, unsaid: Cell::new(false) };
    let applies = |effect: &str, layer: &[Value]| {
        let mut found = false;
        for statement in layer.iter().flat_map(|policy| list(&policy["Statement"])) {
            found |= statement["Effect"] == effect && evaluator.applies(&statement);
        }
        found
    };
    let denied: Vec<bool> = layers.iter().map(|layer| applies("Deny", layer)).collect();
    let allowed: Vec<bool> = layers.iter().map(|layer| applies("Allow", layer)).collect();
    let answer = if denied.contains(&true) {
        "explicit-deny"
    } else if allowed.contains(&false) {
        "implicit-deny"
    } else {
        "allow"
    };
    (!evaluator.unsaid.get()).then_some(answer)
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

/// A character of a pattern; one that came out of a variable is no wildcard.
#[derive(Clone, Copy, PartialEq)]
enum Piece {
    Written(char),
    Literal(char),
}

struct Evaluator<'a> {
    request: &'a Request,
    /// A variable without a value stands where that would make a statement apply.
    unsaid: Cell<bool>,
}

impl Evaluator<'_> {
    fn applies(&self, statement: &Value) -> bool {
        let action = self.request.action.to_lowercase();
        let acts = |name: &str| texts(&statement[name]).iter().any(|pattern| glob(&pattern.to_lowercase(), &action));
        let actions = if statement.get("Action").is_some() { acts("Action") } else { !acts("NotAction") };
        let reaches = |name: &str, negated: bool| {
            let mut found = false;
            for pattern in texts(&statement[name]) {
                found |=
                    self.expand(&pattern, negated).is_some_and(|pattern| matches(&pattern, &self.request.resource));
            }
            found
        };
        let resources = if statement.get("Resource").is_some() {
            reaches("Resource", false)
        } else {
            !reaches("NotResource", true)
        };
        let conditions = self.conditions(&statement["Condition"]);
        actions && resources && conditions
    }

    fn value(&self, key: &str) -> Option<Vec<String>> {
        let mut keys = self.request.keys.iter();
        keys.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, values)| values.clone())
    }

    /// Nothing if a variable has no value.
    fn expand(&self, pattern: &str, negated: bool) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut rest = pattern;
        while let Some(at) = rest.find("${") {
            let end = at + rest[at..].find('}')?;
            pieces.extend(rest[..at].chars().map(Piece::Written));
            let inside = &rest[at + 2..end];
            let text = match inside {
                "*" | "?" | "$" => inside.to_owned(),
                _ => {
                    let (key, default) = match inside.split_once(", ") {
                        Some((key, default)) => (key, Some(default.trim_matches('\'').to_owned())),
                        None => (inside, None),
                    };
                    match self.value(key).map(|values| values[0].clone()).or(default) {
                        Some(text) => text,
                        None => {
                            self.unsaid.set(self.unsaid.get() || negated);
                            return None;
                        }
                    }
                }
            };
            pieces.extend(text.chars().map(Piece::Literal));
            rest = &rest[end + 1..];
        }
        pieces.extend(rest.chars().map(Piece::Written));
        Some(pieces)
    }

    fn conditions(&self, block: &Value) -> bool {
        let Value::Object(operators) = block else {
            return true;
        };
        let mut all = true;
        for (operator, keys) in operators {
            for (key, values) in keys.as_object().expect("an object") {
                all &= self.condition(operator, key, &texts(values));
            }
        }
        all
    }

    fn condition(&self, operator: &str, key: &str, wanted: &[String]) -> bool {
        let actual = self.value(key);
        if operator == "Null" {
            return wanted.iter().any(|value| (value == "true") == actual.is_none());
        }
        let (set, operator) = match operator.split_once(':') {
            Some((set, operator)) => (set, operator),
            None => ("", operator),
        };
        let base = operator.trim_end_matches("IfExists");
        let negated = base.contains("Not");
        let Some(actual) = actual else {
            if base != operator || set == "ForAllValues" {
                return true;
            }
            return set != "ForAnyValue" && negated;
        };
        let one = |value: &String| {
            let mut hit = false;
            for wanted in wanted {
                hit |= self.compare(base, wanted, value, negated);
            }
            hit != negated
        };
        let each: Vec<bool> = actual.iter().map(one).collect();
        match set {
            "ForAllValues" => !each.contains(&false),
            "ForAnyValue" => each.contains(&true),
            _ => each[0],
        }
    }

    fn compare(&self, operator: &str, wanted: &str, actual: &str, negated: bool) -> bool {
        let numbers = || {
            let read = |text: &str| text.parse::<f64>().expect("a number");
            (read(actual), read(wanted))
        };
        let expanded = || self.expand(wanted, negated);
        let literal = |pieces: Vec<Piece>| -> String {
            pieces.iter().map(|(Piece::Written(c) | Piece::Literal(c))| *c).collect()
        };
        match operator.replace("Not", "").as_str() {
            "StringEquals" => expanded().is_some_and(|text| literal(text) == actual),
            "StringEqualsIgnoreCase" => {
                expanded().is_some_and(|text| literal(text).to_lowercase() == actual.to_lowercase())
            }
            "StringLike" => expanded().is_some_and(|pattern| matches(&pattern, actual)),
            "Bool" => wanted.eq_ignore_ascii_case(actual),
            "NumericEquals" => numbers().0 == numbers().1,
            "NumericLessThan" => numbers().0 < numbers().1,
            "NumericLessThanEquals" => numbers().0 <= numbers().1,
            "NumericGreaterThan" => numbers().0 > numbers().1,
            "NumericGreaterThanEquals" => numbers().0 >= numbers().1,
            // In one form and one zone, times sort as texts.
            "DateEquals" => actual == wanted,
            "DateLessThan" => actual < wanted,
            "DateLessThanEquals" => actual <= wanted,
            "DateGreaterThan" => actual > wanted,
            "DateGreaterThanEquals" => actual >= wanted,
            "IpAddress" => inside(wanted, actual),
            "ArnEquals" | "ArnLike" => {
                let (wanted, actual): (Vec<_>, Vec<_>) =
                    (wanted.splitn(6, ':').collect(), actual.splitn(6, ':').collect());
                wanted.iter().zip(&actual).all(|(wanted, actual)| glob(wanted, actual))
            }
            other => panic!("{other}"),
        }
    }
}

/// Bit by bit.
fn inside(range: &str, address: &str) -> bool {
    let bits = |address: &str| -> Vec<bool> {
        let numbers = address.split('.').map(|part| part.parse::<u8>().expect("a number"));
        numbers.flat_map(|number| (0..8).rev().map(move |bit| number & (1 << bit) != 0)).collect()
    };
    let (network, length) = range.split_once('/').unwrap_or((range, "32"));
    let length: usize = length.parse().expect("a length");
    bits(network)[..length] == bits(address)[..length]
}

pub fn glob(pattern: &str, text: &str) -> bool {
    matches(&pattern.chars().map(Piece::Written).collect::<Vec<_>>(), text)
}

fn matches(pattern: &[Piece], text: &str) -> bool {
    let Some((first, rest)) = pattern.split_first() else {
        return text.is_empty();
    };
    let next = text.chars().next();
    let after = |c: char| &text[c.len_utf8()..];
    match (first, next) {
        (Piece::Written('*'), None) => matches(rest, text),
        (Piece::Written('*'), Some(next)) => matches(rest, text) || matches(pattern, after(next)),
        (Piece::Written('?'), Some(next)) => matches(rest, after(next)),
        (Piece::Written(c) | Piece::Literal(c), Some(next)) => *c == next && matches(rest, after(next)),
        (_, None) => false,
    }
}
