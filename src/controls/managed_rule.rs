//! The catalogue of AWS Config rules: what AWS itself can be asked about services that auditpack does not read.
//!
//! Each rule of the catalogue becomes a check on the deployed rules of its source identifier: it passes where AWS says
//! COMPLIANT and the rule's parameters are at least as strict as ours. Where no such rule is deployed there is no
//! evidence, and `auditpack controls conformance-pack` prints what to deploy.

use super::check::is_identifier;
use super::error::{Source, suggest};
use super::node::{Content, Fields, Node, Reader};
use super::parameter::Parameter;
use crate::finding::Severity;
use crate::resource::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

/// The catalogue's file, below `controls/`.
pub const FILE: &str = "config-rules.yaml";

/// The keys of the catalogue's file.
pub(super) const KEYS: [&str; 1] = ["config_rules"];

/// The keys of a rule.
pub(super) const RULE_KEYS: [&str; 8] =
    ["identifier", "rule", "service", "title", "severity", "severity_reason", "check", "parameters"];

/// The keys of a rule's parameter.
pub(super) const PARAMETER_KEYS: [&str; 5] = ["at_most", "at_least", "equals", "default", "meaning"];

/// One rule that AWS manages.
#[derive(Clone, Debug)]
pub struct ManagedRule {
    /// The source identifier, such as `INCOMING_SSH_DISABLED`.
    pub identifier: String,
    /// The name that AWS gives it, which its page is called by: `restricted-ssh`.
    pub rule: String,
    /// The service that it looks at.
    pub service: String,
    /// What should be so, in our words.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// Why, in a line.
    pub severity_reason: String,
    /// The check that asks the rule already; without one, the rule is a check of its own.
    pub check: Option<String>,
    /// The parameters by which it must be at least as strict as we are.
    pub parameters: Vec<RuleParameter>,
}

/// A parameter of a rule.
#[derive(Clone, Debug)]
pub struct RuleParameter {
    /// Its name, such as `maxAccessKeyAge`.
    pub name: String,
    /// What it must be.
    pub bound: Bound,
    /// What AWS takes where it is not set; without one AWS asks for a value.
    pub default: Option<String>,
    /// What to give it where AWS has no default and we know no value.
    pub meaning: Option<String>,
}

/// What a rule's parameter is set to when the rule is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// This.
    Value(String),
    /// What whoever deploys it gives: a value of ours would be invented. With what to give.
    Asked(String),
}

/// What a rule's parameter must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// At most a number, or the parameter of ours that is named.
    AtMost(String),
    /// At least a number, or the parameter of ours that is named.
    AtLeast(String),
    /// This text.
    Equals(String),
    /// Anything: it says nothing about how strict the rule is.
    Any,
}

fn kebab(identifier: &str) -> String {
    identifier.to_ascii_lowercase().split('_').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

impl ManagedRule {
    /// The id of the check that asks the rule.
    pub fn check_id(&self) -> String {
        self.check.clone().unwrap_or_else(|| format!("aws-{}", kebab(&self.identifier)))
    }

    /// AWS's page about it.
    pub fn page(&self) -> String {
        format!("https://docs.aws.amazon.com/config/latest/developerguide/{}.html", self.rule)
    }

    /// The parameters to deploy it with, so that it is as strict as we are.
    pub fn inputs(&self, parameters: &BTreeMap<String, Value>) -> BTreeMap<String, Input> {
        let input = |parameter: &RuleParameter| match &parameter.bound {
            Bound::Equals(text) => Input::Value(text.clone()),
            Bound::AtMost(limit) | Bound::AtLeast(limit) => match parameters.get(limit) {
                Some(Value::Int(number)) => Input::Value(number.to_string()),
                _ => Input::Value(limit.clone()),
            },
            Bound::Any => match &parameter.default {
                Some(default) => Input::Value(default.clone()),
                None => Input::Asked(parameter.meaning.clone().unwrap_or_default()),
            },
        };
        self.parameters.iter().map(|parameter| (parameter.name.clone(), input(parameter))).collect()
    }

    /// The check that it is, as the text of a file.
    pub(super) fn as_check(&self) -> Source {
        let mut out = String::new();
        let id = self.check_id();
        let mut pass = "compliance == \"COMPLIANT\"".to_owned();
        let mut given = String::new();
        for parameter in &self.parameters {
            let RuleParameter { name, bound, default, .. } = parameter;
            let default = default.as_deref().unwrap_or_default();
            let set = format!("\"{name}\" in input_parameters ?");
            let number = |limit: &str| match limit.parse::<i64>() {
                Ok(number) => number.to_string(),
                Err(_) => format!("parameters.{limit}"),
            };
            let condition = match bound {
                Bound::AtMost(limit) => {
                    format!("({set} int(input_parameters[\"{name}\"]) : {default}) <= {}", number(limit))
                }
                Bound::AtLeast(limit) => {
                    format!("({set} int(input_parameters[\"{name}\"]) : {default}) >= {}", number(limit))
                }
                Bound::Any => continue,
                Bound::Equals(text) => {
                    format!("({set} input_parameters[\"{name}\"] : {}) == {}", quoted(default), quoted(text))
                }
            };
            let _ = write!(pass, " && {condition}");
        }
        let bounded = self.parameters.iter().any(|parameter| parameter.bound != Bound::Any);
        if bounded {
            given.push_str(", input_parameters: {}");
        }
        // A scope that reads no more than it must: a rule that is being deleted needs no verdict.
        let scope =
            "state in [\"ACTIVE\", \"EVALUATING\"] && detective && !internal && compliance != \"NOT_APPLICABLE\"";
        let parameters = if !bounded { "" } else { " (its parameters: {input_parameters})" };
        let (title, identifier) = (&self.title, &self.identifier);
        let message = format!(
            "AWS's rule {{name}}{parameters} says {{compliance}}, or is less strict than asked for; resources: {{noncompliant_resources}}; last evaluated {{last_success_hours}} hours ago"
        );
        let remediation = format!(
            "AWS Config console of the Region, Rules, the rule, names each resource with the reason, as does aws configservice get-compliance-details-by-config-rule --config-rule-name. Mend the resources ({}), or exclude them from the rule's scope with a reason that is recorded.",
            self.service
        );
        let rationale = format!(
            "AWS Config is asked because auditpack does not read {}. The verdict is AWS's, for the resources that the Region's recorder records.",
            self.service
        );
        let base = "state: ACTIVE, detective: true, internal: false";
        for (key, value) in [
            ("id", id.as_str()),
            ("title", title),
            ("resource", "config.rule"),
            ("config_rule", identifier),
            ("scope", scope),
            ("scope_reason", "the rule is not in force, hides its evaluations, or has nothing to evaluate"),
            ("pass", &pass),
            ("severity", self.severity.word()),
            ("severity_reason", &self.severity_reason),
            ("rationale", &rationale),
            ("message", &message),
            ("remediation", &remediation),
        ] {
            let _ = writeln!(out, "{key}: {}", quoted(value)); // writing to a String cannot fail
        }
        let _ = writeln!(out, "references: [{}]", quoted(&self.page()));
        let strict: Vec<String> = self
            .parameters
            .iter()
            .filter(|p| p.bound != Bound::Any)
            .map(|p| format!("{}: {}", quoted(&p.name), quoted(&strictest(&p.bound))))
            .collect();
        let strict =
            if strict.is_empty() { String::new() } else { format!(", input_parameters: {{{}}}", strict.join(", ")) };
        let _ = writeln!(
            out,
            "cases:\n  - {{name: complied with, given: {{{base}, compliance: COMPLIANT{strict}}}, expect: pass}}\n  \
             - {{name: not complied with, given: {{{base}, compliance: NON_COMPLIANT{strict}}}, expect: fail}}\n  \
             - {{name: insufficient data, given: {{{base}{strict}}}, expect: unknown}}"
        );
        Source {
            name: format!("controls/{FILE}, {identifier}"),
            path: format!("checks/aws-config/{id}.yaml"),
            text: out,
        }
    }
}

/// A value that meets a bound whatever the thresholds are.
fn strictest(bound: &Bound) -> String {
    match bound {
        Bound::AtMost(_) => "0".to_owned(),
        Bound::AtLeast(_) => "1000000".to_owned(),
        Bound::Equals(text) => text.clone(),
        Bound::Any => String::new(),
    }
}

/// A text as YAML and CEL quote it alike.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads the catalogue, or gathers everything that is wrong with it in the reader.
pub(super) fn read(reader: &mut Reader, root: &Node, parameters: &BTreeMap<String, Parameter>) -> Vec<ManagedRule> {
    let Some(fields) = reader.fields(root, "the catalogue of Config rules", &KEYS) else { return Vec::new() };
    reader.required(&fields, "config_rules");
    let mut seen = BTreeSet::new();
    let mut rules = Vec::new();
    for node in reader.items(&fields, "config_rules") {
        let Some(rule) = rule(reader, node, parameters) else { continue };
        if !seen.insert(rule.identifier.clone()) {
            reader.error(&node.span, format!("rule `{}` stands here a second time", rule.identifier));
        }
        rules.push(rule);
    }
    rules
}

fn rule(reader: &mut Reader, node: &Node, parameters: &BTreeMap<String, Parameter>) -> Option<ManagedRule> {
    let fields = reader.fields(node, "a Config rule", &RULE_KEYS)?;
    let identifier = reader.required_text(&fields, "identifier");
    if let (Some(text), Some(node)) = (&identifier, fields.get("identifier"))
        && !is_identifier(text)
    {
        reader.error(&node.span, format!("`{text}` is no source identifier, such as `INCOMING_SSH_DISABLED`"));
    }
    let name = reader.optional_text(&fields, "rule");
    let service = reader.required_text(&fields, "service");
    let title = reader.required_text(&fields, "title");
    let severity = reader.word(&fields, "severity");
    let severity_reason = reader.required_text(&fields, "severity_reason");
    let check = reader.optional_text(&fields, "check");
    let mut own = Vec::new();
    if let Some(map) = fields.get("parameters").and_then(|node| reader.map(node, "the parameters")) {
        for entry in map.entries() {
            own.extend(rule_parameter(reader, entry.name, entry.node, parameters));
        }
    }
    let identifier = identifier.filter(|text| is_identifier(text))?;
    let rule = name.unwrap_or_else(|| kebab(&identifier));
    Some(ManagedRule {
        rule,
        identifier,
        service: service?,
        title: title?,
        severity: severity?,
        severity_reason: severity_reason?,
        check,
        parameters: own,
    })
}

fn rule_parameter(
    reader: &mut Reader,
    name: &str,
    node: &Node,
    parameters: &BTreeMap<String, Parameter>,
) -> Option<RuleParameter> {
    let fields = reader.fields(node, "a rule's parameter", &PARAMETER_KEYS)?;
    let default = reader.optional_text(&fields, "default");
    let meaning = reader.optional_text(&fields, "meaning");
    let parameter = |bound| RuleParameter { name: name.to_owned(), bound, default: default.clone(), meaning };
    let bounds = ["at_most", "at_least", "equals"].into_iter().filter_map(|key| Some((key, fields.get(key)?)));
    let bounds: Vec<(&str, &Node)> = bounds.collect();
    let (key, value) = match bounds.as_slice() {
        [] if fields.get("default").is_some() || fields.get("meaning").is_some() => return Some(parameter(Bound::Any)),
        [bound] if fields.get("default").is_some() => *bound,
        [_] => {
            reader.error(&node.span, "a rule's parameter with a bound needs AWS's `default`");
            return None;
        }
        _ => {
            let message = "a rule's parameter needs one of `at_most`, `at_least` and `equals`, or none of them: then \
                           AWS's `default` is deployed, or, where there is none, `meaning` says what to give";
            reader.error(&node.span, message);
            return None;
        }
    };
    let text = reader.text(value)?;
    if key == "equals" {
        return Some(parameter(Bound::Equals(text)));
    }
    if default.as_deref().is_none_or(|default| default.parse::<i64>().is_err()) {
        whole_number(reader, &fields);
        return None;
    }
    if !matches!(value.content, Content::Int(_)) && !parameters.contains_key(&text) {
        let help = suggest(&text, parameters.keys().map(String::as_str));
        reader.error_with_help(&value.span, format!("there is no parameter `{text}`"), help);
        return None;
    }
    Some(parameter(if key == "at_most" { Bound::AtMost(text) } else { Bound::AtLeast(text) }))
}

fn whole_number(reader: &mut Reader, fields: &Fields<'_>) {
    if let Some(node) = fields.get("default") {
        reader.error(&node.span, "the default of a bounded parameter is a whole number");
    }
}

/// The catalogue as one file, where layers were put together.
pub(super) fn write(rules: &BTreeMap<String, ManagedRule>) -> String {
    let mut out = String::from("config_rules:\n");
    for rule in rules.values() {
        let _ = writeln!(out, "  - identifier: {}\n    rule: {}", rule.identifier, quoted(&rule.rule));
        let _ = writeln!(out, "    service: {}\n    title: {}", quoted(&rule.service), quoted(&rule.title));
        let _ = writeln!(
            out,
            "    severity: {}\n    severity_reason: {}",
            rule.severity.word(),
            quoted(&rule.severity_reason)
        );
        if let Some(check) = &rule.check {
            let _ = writeln!(out, "    check: {check}");
        }
        if !rule.parameters.is_empty() {
            let _ = writeln!(out, "    parameters:");
        }
        for RuleParameter { name, bound, default, meaning } in &rule.parameters {
            let bound = match bound {
                Bound::AtMost(limit) => Some(format!("at_most: {limit}")),
                Bound::AtLeast(limit) => Some(format!("at_least: {limit}")),
                Bound::Equals(text) => Some(format!("equals: {}", quoted(text))),
                Bound::Any => None,
            };
            let default = default.as_deref().map(|text| format!("default: {}", quoted(text)));
            let meaning = meaning.as_deref().map(|text| format!("meaning: {}", quoted(text)));
            let all: Vec<String> = [bound, default, meaning].into_iter().flatten().collect();
            let _ = writeln!(out, "      {}: {{{}}}", quoted(name), all.join(", "));
        }
    }
    out
}

/// The checks that the rules are, each as a file of its own that is nowhere written.
pub(super) fn checks(rules: &BTreeMap<String, ManagedRule>) -> Vec<Arc<Source>> {
    rules.values().filter(|rule| rule.check.is_none()).map(|rule| Arc::new(rule.as_check())).collect()
}
