//! JSON Schemas of the control files, for editors. They are made from the same lists of keys as the readers use, so
//! that neither knows a key that the other does not.

use super::check::KEYS as CHECK_KEYS;
use super::framework::{KEYS as FRAMEWORK_KEYS, REQUIREMENT_KEYS};
use super::managed_rule::{KEYS as CATALOGUE_KEYS, PARAMETER_KEYS, RULE_KEYS};
use crate::evidence::Operation;
use crate::finding::{Severity, Status};
use crate::resource::Kind;
use serde_json::{Map, Value, json};

/// The kinds of control files, and the names of their schemas.
pub const KINDS: [&str; 3] = ["check", "framework", "config-rules"];

/// The schema of a kind of control file, as a text that ends in a line feed.
pub fn schema(kind: &str) -> Option<String> {
    let body = match kind {
        "check" => object(&CHECK_KEYS, CHECK_REQUIRED, check_key),
        "framework" => object(&FRAMEWORK_KEYS, FRAMEWORK_KEYS_REQUIRED, framework_key),
        "config-rules" => object(&CATALOGUE_KEYS, &["config_rules"], catalogue_key),
        _ => return None,
    };
    let Value::Object(body) = body else { return None };
    let mut all = Map::new();
    all.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    all.insert("title".to_owned(), json!(format!("auditpack {kind} file")));
    all.extend(body);
    serde_json::to_string_pretty(&Value::Object(all)).ok().map(|text| text + "\n")
}

const CHECK_REQUIRED: &[&str] = &["id", "title", "resource", "pass", "severity", "message", "remediation", "cases"];
const FRAMEWORK_KEYS_REQUIRED: &[&str] = &["id", "title", "edition", "scope", "requirements"];

/// An object of known keys only. `of` describes each key: one that it does not know would be any value.
fn object(keys: &[&str], required: &[&str], of: fn(&str) -> Value) -> Value {
    let properties: Map<String, Value> = keys.iter().map(|key| ((*key).to_owned(), of(key))).collect();
    json!({"type": "object", "additionalProperties": false, "required": required, "properties": properties})
}

fn text(description: &str) -> Value {
    // What YAML takes for a number or a truth value is read as it is written.
    json!({"type": ["string", "number", "boolean"], "description": description})
}

fn texts(description: &str) -> Value {
    json!({"type": "array", "items": {"type": ["string", "number"]}, "description": description})
}

fn identifier(description: &str) -> Value {
    json!({"type": "string", "pattern": "^([A-Z0-9_]+|others)$", "description": description})
}

fn severity() -> Value {
    let words: Vec<&str> = Severity::ALL.iter().map(|severity| severity.word()).collect();
    json!({"enum": words, "description": "how bad a failure is"})
}

fn check_key(key: &str) -> Value {
    match key {
        "id" => {
            json!({"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 100, "description": "lower-case words with -; the file's name"})
        }
        "resource" => {
            let kinds: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
            json!({"enum": kinds, "description": "the kind of resource"})
        }
        "severity" => severity(),
        "scope" => text("a CEL expression: which resources the check concerns"),
        "pass" => text("a CEL expression: what must hold"),
        "config_rule" => identifier("the source identifier of the Config rules that it judges, or `others`"),
        "config_rules" => texts("source identifiers of Config rules that ask the same"),
        "references" => texts("https addresses of the pages that it rests on"),
        "cases" => {
            let outcomes: Vec<&str> =
                Status::ALL.iter().map(|status| status.word()).filter(|w| *w != "manual").collect();
            json!({"type": "array", "minItems": 3, "description": "examples: at least one each of pass, fail and unknown", "items": {
            "type": "object", "additionalProperties": false, "required": ["name", "given", "expect"], "properties": {
                "name": text("what the example shows"),
                "given": {"type": "object", "description": "fields of the resource; one that is not given was not collected"},
                "account": {"type": "object", "description": "fields of the account"},
                "parameters": {"type": "object", "description": "thresholds other than the default"},
                "expect": {"enum": outcomes},
            }}})
        }
        "title" => text("what should be so, as a sentence"),
        "scope_reason" => text("why the others are not judged"),
        "severity_reason" => text("why a failure is that bad, in a line"),
        "rationale" => text("why it should be so"),
        "message" => text("what a failure says, with {field}, {account.field} and {parameters.name}"),
        "remediation" => text("what to do about a failure, in the console and by the CLI"),
        "config_rules_note" => text("why such a rule may say otherwise"),
        _ => json!({}),
    }
}

fn framework_key(key: &str) -> Value {
    match key {
        "id" => check_key("id"),
        "title" => text("the standard's name"),
        "edition" => text("which edition of the standard"),
        "scope" => text("which part of the standard is listed"),
        "notes" => texts("what a reader must know"),
        "requirements" => {
            json!({"type": "array", "items": object(&REQUIREMENT_KEYS, &["id", "group", "title", "automation"], requirement_key)})
        }
        _ => json!({}),
    }
}

fn requirement_key(key: &str) -> Value {
    match key {
        "id" => text("the requirement's number"),
        "group" => text("the part of the standard that it stands in"),
        "title" => text("what it asks for, in your own words"),
        "automation" => {
            json!({"enum": ["full", "partial", "manual"], "description": "how much of it AWS can evidence"})
        }
        "checks" => texts("the checks that speak to it"),
        "config_rules" => texts("source identifiers of the catalogue's Config rules that speak to it"),
        "evidence" => {
            let calls: Vec<String> = Operation::ALL.iter().map(Operation::to_string).collect();
            json!({"type": "array", "items": {"enum": calls}, "description": "calls whose documents are evidence, besides those of the checks"})
        }
        "manual" => text("what a person must still provide; needed unless the automation is full"),
        _ => json!({}),
    }
}

fn catalogue_key(key: &str) -> Value {
    match key {
        "config_rules" => {
            let required = ["identifier", "service", "title", "severity", "severity_reason"];
            json!({"type": "array", "items": object(&RULE_KEYS, &required, rule_key)})
        }
        _ => json!({}),
    }
}

fn rule_key(key: &str) -> Value {
    match key {
        "identifier" => identifier("the rule's source identifier"),
        "rule" => text("the name of its page, where that is not the identifier in lower case"),
        "service" => text("the service that it looks at"),
        "title" => text("what should be so, as a sentence"),
        "severity" => severity(),
        "severity_reason" => text("why a failure is that bad, in a line"),
        "check" => text("the check that asks the rule already"),
        "parameters" => {
            json!({"type": "object", "description": "the parameters by which it must be as strict as we are", "additionalProperties": object(&PARAMETER_KEYS, &[], parameter_key)})
        }
        _ => json!({}),
    }
}

fn parameter_key(key: &str) -> Value {
    match key {
        "at_most" => text("a number, or the name of a parameter of ours"),
        "at_least" => text("a number, or the name of a parameter of ours"),
        "equals" => text("the value that it must have"),
        "default" => text("what AWS takes where it is not set; alone, it is deployed and not judged"),
        "meaning" => text("what to give where AWS has no default and we know no value"),
        _ => json!({}),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_in_the_docs_are_up_to_date_and_describe_every_key() {
        for kind in KINDS {
            let text = schema(kind).unwrap();
            let path = format!("{}/docs/schema/{kind}.json", env!("CARGO_MANIFEST_DIR"));
            if std::env::var_os("AUDITPACK_WRITE_DOCS").is_some() {
                std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema")).unwrap();
                std::fs::write(&path, &text).unwrap();
            }
            let written = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(written == text, "{path} is stale: run the tests once with AUDITPACK_WRITE_DOCS=1");
            assert!(!text.contains(": {}"), "a key of {kind} is not described");
        }
    }
}
