//! The reading of a check's file.

use super::{Case, Check, RuleSelector};
use crate::controls::error::suggest;
use crate::controls::expression::{Expression, Names};
use crate::controls::message::Message;
use crate::controls::node::{Content, Entry, Fields, Node, Reader};
use crate::controls::parameter::Parameter;
use crate::finding::Status;
use crate::resource::{Field, Kind, Value, schema};
use std::collections::BTreeMap;
use std::ops::Range;

pub(in crate::controls) const KEYS: [&str; 16] = [
    "id",
    "title",
    "resource",
    "scope",
    "scope_reason",
    "pass",
    "severity",
    "severity_reason",
    "rationale",
    "message",
    "remediation",
    "config_rule",
    "config_rules",
    "config_rules_note",
    "references",
    "cases",
];

/// Reads a check, or gathers everything that is wrong with it in the reader.
pub(in crate::controls) fn read(
    reader: &mut Reader,
    root: &Node,
    parameters: &BTreeMap<String, Parameter>,
) -> Option<Check> {
    let fields = reader.fields(root, "a check", &KEYS)?;
    let id = id(reader, &fields);
    let title = reader.required_text(&fields, "title");
    let resource = kind(reader, &fields);
    let severity = reader.word(&fields, "severity");
    let remediation = reader.required_text(&fields, "remediation");
    let scope_reason = reader.optional_text(&fields, "scope_reason");
    let severity_reason = reader.optional_text(&fields, "severity_reason");
    let rationale = reader.optional_text(&fields, "rationale");
    let rule = config_rule(reader, &fields, resource);
    match (fields.get("scope"), fields.get("scope_reason")) {
        (Some(scope), None) => {
            let help = "say in words why a resource out of scope is not judged".to_owned();
            reader.error_with_help(&scope.span, "a check with `scope` needs `scope_reason`", Some(help));
        }
        (None, Some(reason)) => reader.error(&reason.span, "`scope_reason` without `scope`"),
        _ => {}
    }
    let (config_rules, config_rules_note) = config_rules(reader, &fields);
    let references = references(reader, &fields);
    let pass_node = reader.required(&fields, "pass");
    let message_node = reader.required(&fields, "message");
    if fields.get("cases").is_none() {
        reader.required(&fields, "cases");
    }
    // Names can only be looked up in a kind that is known.
    let resource = resource?;
    let names = Names { kind: resource, parameters };
    let scope = fields.get("scope").and_then(|node| expression(reader, node, names));
    let pass = pass_node.and_then(|node| expression(reader, node, names));
    let message = message_node.and_then(|node| message(reader, node, names));
    let cases = cases(reader, &fields, names);
    Some(Check {
        id: id?,
        title: title?,
        resource,
        scope,
        scope_reason,
        pass: pass?,
        severity: severity?,
        severity_reason,
        rationale,
        rule,
        message: message?,
        remediation: remediation?,
        config_rules,
        config_rules_note,
        references,
        cases,
        file: reader.source.path.clone(),
        source: reader.source.clone(),
    })
}

/// The id, which must be the file's name: a check is found by it.
pub(in crate::controls) fn id(reader: &mut Reader, fields: &Fields<'_>) -> Option<String> {
    let node = reader.required(fields, "id")?;
    let id = reader.text(node)?;
    if let Err(message) = id_error(&id) {
        let help = "such as `user-console-mfa`".to_owned();
        reader.error_with_help(&node.span, message, Some(help));
    }
    let stem = reader.source.path.rsplit('/').next().and_then(|name| name.strip_suffix(".yaml"));
    if stem.is_some_and(|stem| stem != id) {
        reader.error(&node.span, format!("the file must be named after the id: `{id}.yaml`"));
    }
    Some(id)
}

/// What is wrong with an id.
pub(in crate::controls) fn id_error(id: &str) -> Result<(), String> {
    let mut words = id.split('-');
    let kebab =
        words.all(|word| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()));
    match kebab && id.len() <= 100 {
        true => Ok(()),
        false => Err("an id is made of lower-case letters, digits and `-`".to_owned()),
    }
}

fn kind(reader: &mut Reader, fields: &Fields<'_>) -> Option<Kind> {
    let node = reader.required(fields, "resource")?;
    let text = reader.text(node)?;
    let kind = Kind::find(&text);
    if kind.is_none() {
        let help = suggest(&text, Kind::ALL.iter().map(|kind| kind.id()));
        reader.error_with_help(&node.span, format!("there is no kind of resource `{text}`"), help);
    }
    kind
}

/// Which Config rules the check judges: those of a source identifier, or those that no other check judges.
fn config_rule(reader: &mut Reader, fields: &Fields<'_>, resource: Option<Kind>) -> Option<RuleSelector> {
    let node = fields.get("config_rule")?;
    let text = reader.text(node)?;
    if resource.is_some_and(|kind| kind != Kind::ConfigRule) {
        let help = "it says which rules a check on `config.rule` judges; `config_rules` names rules that ask the same";
        reader.error_with_help(&node.span, "`config_rule` is for checks on `config.rule`", Some(help.to_owned()));
    }
    if text == RuleSelector::OTHERS {
        return Some(RuleSelector::Others);
    }
    if !is_identifier(&text) {
        let help = format!("a source identifier such as `INCOMING_SSH_DISABLED`, or `{}`", RuleSelector::OTHERS);
        reader.error_with_help(&node.span, format!("`{text}` is no source identifier"), Some(help));
    }
    Some(RuleSelector::Identifier(text))
}

/// Whether a text is the source identifier of a managed rule.
pub(in crate::controls) fn is_identifier(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn config_rules(reader: &mut Reader, fields: &Fields<'_>) -> (Vec<String>, Option<String>) {
    let rules = reader.texts(fields, "config_rules");
    for (rule, span) in &rules {
        if !is_identifier(rule) {
            let help = "a rule's name is free text; its source identifier is such as `IAM_ROOT_ACCESS_KEY_CHECK`";
            reader.error_with_help(span, format!("`{rule}` is no source identifier"), Some(help.to_owned()));
        }
    }
    let note = reader.optional_text(fields, "config_rules_note");
    if let Some(node) = fields.get("config_rules_note")
        && rules.is_empty()
    {
        reader.error(&node.span, "`config_rules_note` without `config_rules`");
    }
    (rules.into_iter().map(|(rule, _)| rule).collect(), note)
}

fn references(reader: &mut Reader, fields: &Fields<'_>) -> Vec<String> {
    let references = reader.texts(fields, "references");
    for (reference, span) in &references {
        let rest = reference.strip_prefix("https://").unwrap_or_default();
        if rest.is_empty() || rest.contains(|c: char| c.is_whitespace() || c.is_control() || "<>\"'`".contains(c)) {
            reader.error(span, "a reference is an address that starts with https://");
        }
    }
    references.into_iter().map(|(reference, _)| reference).collect()
}

fn expression(reader: &mut Reader, node: &Node, names: Names<'_>) -> Option<Expression> {
    let text = reader.text(node)?;
    Expression::parse(&text, names)
        .map_err(|errors| {
            for error in errors {
                let span = within(&reader.source.text, node, &text, &error.span);
                reader.error_with_help(&span, error.message, error.help);
            }
        })
        .ok()
}

fn message(reader: &mut Reader, node: &Node, names: Names<'_>) -> Option<Message> {
    let text = reader.text(node)?;
    Message::parse(&text, names)
        .map_err(|errors| {
            for (span, message, help) in errors {
                let span = within(&reader.source.text, node, &text, &span);
                reader.error_with_help(&span, message, help);
            }
        })
        .ok()
}

/// The place in the file of a place in a text: YAML may have quoted the text, folded or indented it, but it keeps
/// the order of all characters that are not white space, so that these are counted.
fn within(file: &str, node: &Node, text: &str, span: &Range<usize>) -> Range<usize> {
    let Some(written) = file.get(node.span.clone()) else { return node.span.clone() };
    // `|`, `>-` and their like stand on a line of their own; a quote stands before the first character.
    let skip = match written.chars().next() {
        Some('|' | '>') => written.find('\n').map_or(0, |at| at + 1),
        Some('"' | '\'') => 1,
        _ => 0,
    };
    let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let before = solid(text.get(..span.start).unwrap_or_default());
    let length = solid(text.get(span.clone()).unwrap_or_default()).max(1);
    let rest = written.get(skip..).unwrap_or_default();
    let mut solids = rest.char_indices().filter(|(_, c)| !c.is_whitespace()).skip(before);
    let start = node.span.start + skip;
    let Some((first, c)) = solids.next() else { return node.span.clone() };
    let last = solids.take(length - 1).last().unwrap_or((first, c));
    start + first..start + last.0 + last.1.len_utf8()
}

fn cases(reader: &mut Reader, fields: &Fields<'_>, names: Names<'_>) -> Vec<Case> {
    let items = reader.items(fields, "cases");
    let cases: Vec<Case> = items.iter().filter_map(|node| case(reader, node, names)).collect();
    // A case that could not be read is reported as such, not as missing.
    if let Some(node) = fields.get("cases")
        && cases.len() == items.len()
    {
        for status in [Status::Pass, Status::Fail, Status::Unknown] {
            if !cases.iter().any(|case| case.expect == status) {
                let first = node.span.start..node.span.start.saturating_add(1);
                let help = "a check needs at least one case each of pass, fail and unknown".to_owned();
                reader.error_with_help(&first, format!("there is no case that expects {status}"), Some(help));
            }
        }
    }
    cases
}

fn case(reader: &mut Reader, node: &Node, names: Names<'_>) -> Option<Case> {
    let fields = reader.fields(node, "a case", &["name", "given", "account", "parameters", "expect"])?;
    let name = reader.required_text(&fields, "name");
    let given = values(reader, fields.get("given"), "the given fields", |name| names.field(name));
    let account = values(reader, fields.get("account"), "the account's fields", |name| names.account_field(name));
    let parameters = match fields.get("parameters") {
        Some(node) => parameters(reader, node, names),
        None => BTreeMap::new(),
    };
    let expect: Option<Status> = reader.word(&fields, "expect");
    if expect == Some(Status::Manual) {
        reader.error(&node.span, "a check is never manual: a requirement is");
    }
    Some(Case { name: name?, given, account, parameters, expect: expect?, span: node.span.clone() })
}

fn values(
    reader: &mut Reader,
    node: Option<&Node>,
    what: &'static str,
    find: impl Fn(&str) -> Result<&'static Field, String>,
) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    let Some(fields) = node.and_then(|node| reader.map(node, what)) else { return values };
    for Entry { name, span, node } in fields.entries() {
        match find(name) {
            Ok(field) => {
                if let Some(value) = value(reader, node, field) {
                    values.insert(name.to_owned(), value);
                }
            }
            Err(help) => reader.error_with_help(span, format!("there is no field `{name}`"), Some(help)),
        }
    }
    values
}

fn value(reader: &mut Reader, node: &Node, field: &'static Field) -> Option<Value> {
    match (field.kind, &node.content) {
        (_, Content::Null) if field.nullable => Some(Value::Null),
        (schema::Type::Bool, Content::Bool(value)) => Some(Value::Bool(*value)),
        (schema::Type::Int, Content::Int(value)) => Some(Value::Int(*value)),
        (schema::Type::Text, Content::Text(value)) => Some(Value::Text(value.clone())),
        (schema::Type::Texts, Content::List(items)) => {
            let texts = items.iter().filter_map(|item| reader.raw_text(item).map(Value::Text));
            Some(Value::List(texts.collect()))
        }
        (schema::Type::Map, Content::Map(_)) => {
            let fields = reader.map(node, "a map of texts")?;
            let entries =
                fields.entries().filter_map(|entry| Some((entry.name.to_owned(), reader.raw_text(entry.node)?)));
            Some(Value::Map(entries.map(|(name, text)| (name, Value::Text(text))).collect()))
        }
        _ => {
            let null = if field.nullable { " or null" } else { "" };
            reader.error(&node.span, format!("field `{}` is of type {}{null}", field.name, field.kind));
            None
        }
    }
}

fn parameters(reader: &mut Reader, node: &Node, names: Names<'_>) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    let Some(fields) = reader.map(node, "the parameters") else { return values };
    for Entry { name, span, node } in fields.entries() {
        match names.parameter(name) {
            Ok(parameter) => {
                if let Some(value) = parameter.read_value(reader, node) {
                    values.insert(name.to_owned(), Value::Int(value));
                }
            }
            Err(help) => reader.error_with_help(span, format!("there is no parameter `{name}`"), Some(help)),
        }
    }
    values
}
