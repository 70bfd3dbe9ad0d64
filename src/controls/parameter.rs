//! Parameters: the thresholds of the checks, with their defaults and bounds.

use super::node::{Node, Reader};
use std::collections::BTreeMap;

/// A threshold that a user can set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// The name in expressions, after `parameters.`.
    pub name: String,
    /// The value where the user sets none.
    pub default: i64,
    /// The least value allowed.
    pub minimum: i64,
    /// The greatest value allowed.
    pub maximum: i64,
    /// What it means, with its unit.
    pub meaning: String,
}

impl Parameter {
    /// Why a value is not allowed.
    pub fn refusal(&self, value: i64) -> Option<String> {
        let (name, least, most) = (&self.name, self.minimum, self.maximum);
        (value < least || value > most).then(|| format!("`{name}` must be from {least} to {most}, not {value}"))
    }

    /// A value for it in a file, within its bounds.
    pub fn read_value(&self, reader: &mut Reader, node: &Node) -> Option<i64> {
        let value = reader.int(node)?;
        match self.refusal(value) {
            Some(refusal) => {
                reader.error(&node.span, refusal);
                None
            }
            None => Some(value),
        }
    }
}

/// Reads `parameters.yaml`: a list under the key `parameters`.
pub fn read(reader: &mut Reader, root: &Node) -> BTreeMap<String, Parameter> {
    let mut parameters = BTreeMap::new();
    let Some(file) = reader.fields(root, "the parameters file", &["parameters"]) else { return parameters };
    for node in reader.items(&file, "parameters") {
        if let Some(parameter) = read_one(reader, node)
            && let Some(earlier) = parameters.insert(parameter.name.clone(), parameter)
        {
            reader.error(&node.span, format!("parameter `{}` is declared twice", earlier.name));
        }
    }
    parameters
}

fn read_one(reader: &mut Reader, node: &Node) -> Option<Parameter> {
    let keys = ["name", "type", "default", "minimum", "maximum", "meaning"];
    let fields = reader.fields(node, "a parameter", &keys)?;
    let name = reader.required(&fields, "name")?;
    let name_text = reader.text(name)?;
    if !is_name(&name_text) {
        reader.error(&name.span, "a parameter's name is made of lower-case letters, digits and `_`");
    }
    if let Some(of) = reader.required(&fields, "type")
        && reader.text(of).is_some_and(|text| text != "int")
    {
        reader.error(&of.span, "the type of a parameter is `int`");
    }
    let mut int = |key: &str| reader.required(&fields, key).and_then(|node| reader.int(node));
    let (default, minimum, maximum) = (int("default"), int("minimum"), int("maximum"));
    let meaning = reader.required_text(&fields, "meaning");
    let parameter =
        Parameter { name: name_text, default: default?, minimum: minimum?, maximum: maximum?, meaning: meaning? };
    if let Some(refusal) = parameter.refusal(parameter.default) {
        reader.error(&node.span, format!("the default: {refusal}"));
    }
    Some(parameter)
}

/// Writes parameters as a file from which [`read`] reads the same.
pub fn write(parameters: &BTreeMap<String, Parameter>) -> String {
    let mut text = "parameters:\n".to_owned();
    for p in parameters.values() {
        // JSON's quoting is YAML's too.
        let meaning = serde_json::Value::from(p.meaning.as_str());
        text.push_str(&format!(
            "  - {{name: {}, type: int, default: {}, minimum: {}, maximum: {}, meaning: {meaning}}}\n",
            p.name, p.default, p.minimum, p.maximum
        ));
    }
    if parameters.is_empty() { "parameters: []\n".to_owned() } else { text }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
