//! Messages: sentences with places for facts, such as `{name} signs in with a password and no MFA device`.

use super::expression::Names;
use crate::resource::{Field, Value};
use std::ops::Range;

/// How many items of a list are written out.
const ITEMS: usize = 10;
/// How many characters of one value are written out.
const CHARACTERS: usize = 300;

/// A sentence with places for facts.
#[derive(Clone, Debug, Default)]
pub struct Message {
    /// The text in the file.
    pub text: String,
    parts: Vec<Part>,
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Field(&'static Field),
    AccountField(&'static Field),
    Parameter(String),
}

/// Where a message gets its facts from. `None` is "not known".
pub trait Facts {
    /// A field of the resource.
    fn field(&self, name: &str) -> Option<&Value>;
    /// A field of the account.
    fn account(&self, name: &str) -> Option<&Value>;
    /// A parameter.
    fn parameter(&self, name: &str) -> Option<&Value>;
}

/// What is wrong with a message, where in its text (in bytes), and what to do about it.
pub type MessageError = (Range<usize>, String, Option<String>);

impl Message {
    /// Reads a message, or says everything that is wrong with it. `{{` and `}}` stand for braces.
    pub fn parse(text: &str, names: Names<'_>) -> Result<Message, Vec<MessageError>> {
        let mut message = Message { text: text.to_owned(), parts: Vec::new() };
        let mut errors = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            plain.push_str(before);
            let offset = text.len() - from.len();
            if let Some(after) = from.strip_prefix("{{").or_else(|| from.strip_prefix("}}")) {
                plain.extend(from.chars().next());
                rest = after;
            } else if let Some((name, after)) = from.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
                message.parts.push(Part::Text(std::mem::take(&mut plain)));
                match part(name, names) {
                    Ok(part) => message.parts.push(part),
                    Err((message, help)) => errors.push((offset + 1..offset + 1 + name.len(), message, Some(help))),
                }
                rest = after;
            } else {
                let help = Some("write `{{` or `}}` for a brace".to_owned());
                errors.push((offset..offset + 1, "a brace without its counterpart".to_owned(), help));
                rest = from.get(1..).unwrap_or_default();
            }
        }
        plain.push_str(rest);
        message.parts.push(Part::Text(plain));
        if errors.is_empty() { Ok(message) } else { Err(errors) }
    }

    /// The fields of the resource that it shows.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(*field),
            _ => None,
        })
    }

    /// The fields of the account that it shows.
    pub fn account_fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::AccountField(field) => Some(*field),
            _ => None,
        })
    }

    /// The sentence.
    pub fn render(&self, facts: &impl Facts) -> String {
        let mut out = String::new();
        for part in &self.parts {
            let value = match part {
                Part::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Part::Field(field) => facts.field(field.name),
                Part::AccountField(field) => facts.account(field.name),
                Part::Parameter(name) => facts.parameter(name),
            };
            match value {
                Some(value) => out.push_str(&words(value)),
                None => out.push_str("(not known)"),
            }
        }
        out
    }
}

fn part(name: &str, names: Names<'_>) -> Result<Part, (String, String)> {
    if let Some(field) = name.strip_prefix("account.") {
        let found = names.account_field(field).map(Part::AccountField);
        return found.map_err(|help| (format!("account has no field `{field}`"), help));
    }
    if let Some(parameter) = name.strip_prefix("parameters.") {
        let found = names.parameter(parameter).map(|found| Part::Parameter(found.name.clone()));
        return found.map_err(|help| (format!("there is no parameter `{parameter}`"), help));
    }
    names.field(name).map(Part::Field).map_err(|help| (format!("{} has no field `{name}`", names.kind.id()), help))
}

/// A value in a sentence.
fn words(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Text(text) => text.clone(),
        Value::List(items) if items.is_empty() => "none".to_owned(),
        Value::Map(map) if map.is_empty() => "none".to_owned(),
        Value::List(items) => listed(items.iter().map(words), items.len()),
        Value::Map(map) => listed(map.iter().map(|(name, value)| format!("{name}={}", words(value))), map.len()),
    };
    if matches!(value, Value::Text(_)) && text.chars().count() > CHARACTERS {
        let kept: String = text.chars().take(CHARACTERS).collect();
        return format!("{kept}...");
    }
    text
}

fn listed(items: impl Iterator<Item = String>, count: usize) -> String {
    let mut text = items.take(ITEMS).collect::<Vec<_>>().join(", ");
    if count > ITEMS {
        text.push_str(&format!(" and {} more", count - ITEMS));
    }
    text
}
