//! Config rules of one's own, custom Lambda functions, Guard policies or managed rules that the catalogue lacks: where
//! `auditpack.toml` says to which requirements one speaks, its verdict counts there.

use super::check::{self, Check, RuleSelector};
use super::error::{LoadError, Source, suggest};
use super::framework::Automation;
use super::node::{self, Node, Reader};
use super::parameter::Parameter;
use super::{Framework, Settings};
use crate::finding::Severity;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

/// A Config rule and the requirements to which it speaks.
#[derive(Clone, Debug)]
pub struct OwnRule {
    /// The rule's name, in which `*` stands for anything: copies in conformance packs end in the pack's id.
    pub rule: String,
    /// What should be so.
    pub title: String,
    /// How bad a failure is.
    pub severity: Severity,
    /// The requirements, such as `soc2 CC6.1`, and where they stand.
    requirements: Vec<(String, Range<usize>)>,
    place: Range<usize>,
}

impl OwnRule {
    /// The id of the check that it is.
    pub fn check_id(&self) -> String {
        let words = self.rule.to_ascii_lowercase();
        let words: Vec<&str> =
            words.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        format!("own-{}", words.join("-"))
    }
}

/// The keys of a Config rule of one's own.
pub(super) const KEYS: [&str; 4] = ["rule", "title", "severity", "requirements"];

pub(super) fn read(reader: &mut Reader, node: &Node) -> Option<OwnRule> {
    let fields = reader.fields(node, "a Config rule", &KEYS)?;
    let rule = reader.required_text(&fields, "rule");
    let title = reader.required_text(&fields, "title");
    let severity = match fields.get("severity") {
        Some(_) => reader.word(&fields, "severity")?,
        None => Severity::Medium,
    };
    reader.required(&fields, "requirements");
    let requirements = reader.texts(&fields, "requirements");
    let place = fields.get("rule").map_or(node.span.clone(), |node| node.span.clone());
    let rule = rule?;
    if !rule.chars().any(|c| c.is_ascii_alphanumeric()) || rule.len() > 128 {
        reader.error(&place, "the name of a Config rule has letters or digits, and at most 128 characters");
        return None;
    }
    Some(OwnRule { rule, title: title?, severity, requirements, place })
}

/// Adds the checks that the settings' rules are, and names them in the requirements. A package, read leniently, holds
/// only the frameworks used.
pub(super) fn add(
    settings: &Settings,
    checks: &mut BTreeMap<String, Check>,
    frameworks: &mut BTreeMap<String, Framework>,
    parameters: &BTreeMap<String, Parameter>,
    lenient: bool,
) -> Vec<LoadError> {
    let Some(source) = settings.source() else { return Vec::new() };
    let mut reader = Reader::new(source);
    let mut own = BTreeSet::new();
    for rule in &settings.own_rules {
        let id = rule.check_id();
        if !own.insert(id.clone()) || checks.contains_key(&id) {
            reader.error(&rule.place, format!("there already is a check `{id}`: give the rule's name in one entry"));
            continue;
        }
        match as_check(rule, &id, parameters) {
            Ok(check) => drop(checks.insert(id.clone(), check)),
            Err(message) => reader.error(&rule.place, message),
        }
        for (name, place) in &rule.requirements {
            let found = name.split_once([' ', '/']).and_then(|(framework, requirement)| {
                let framework = frameworks.get_mut(framework)?;
                framework.requirements.iter_mut().find(|candidate| candidate.id == requirement)
            });
            match found {
                Some(requirement) => {
                    requirement.checks.push(id.clone());
                    if requirement.automation == Automation::Manual {
                        requirement.automation = Automation::Partial;
                    }
                }
                None if lenient => {}
                None => {
                    let names: Vec<String> = frameworks
                        .values()
                        .flat_map(|f| f.requirements.iter().map(move |r| format!("{} {}", f.id, r.id)))
                        .collect();
                    let help = suggest(name, names.iter().map(String::as_str))
                        .unwrap_or_else(|| "such as `soc2 CC6.1`: framework and requirement".to_owned());
                    reader.error_with_help(place, format!("there is no requirement `{name}`"), Some(help));
                }
            }
        }
    }
    reader.errors
}

fn as_check(rule: &OwnRule, id: &str, parameters: &BTreeMap<String, Parameter>) -> Result<Check, String> {
    let text = format!(
        r#"id: {id}
title: TITLE
resource: config.rule
config_rule: others
scope: state in ["ACTIVE", "EVALUATING"] && detective && !internal && compliance != "NOT_APPLICABLE"
scope_reason: the rule is not in force, hides its evaluations, or has nothing to evaluate
pass: compliance == "COMPLIANT"
severity: {severity}
severity_reason: as set in auditpack.toml
rationale: auditpack.toml says that this rule speaks to the requirement.
message: "rule {{name}} says {{compliance}} in {{noncompliant_resources}}"
remediation: >-
  AWS Config console of the Region, Rules, the rule, names each resource with the reason, as does aws configservice
  get-compliance-details-by-config-rule --config-rule-name.
cases:
  - {{name: complied with, given: {{state: ACTIVE, detective: true, internal: false, compliance: COMPLIANT}}, expect: pass}}
  - {{name: not, given: {{state: ACTIVE, detective: true, internal: false, compliance: NON_COMPLIANT}}, expect: fail}}
  - {{name: no verdict, given: {{state: ACTIVE, detective: true, internal: false}}, expect: unknown}}
"#,
        severity = rule.severity.word()
    );
    let source =
        Source { name: format!("{}, rule {}", Settings::FILE, rule.rule), path: format!("checks/own/{id}.yaml"), text };
    let source = Arc::new(source);
    let failed = |error: &LoadError| format!("no check can be made of the rule: {error}");
    let root = node::parse(&source).map_err(|error| failed(&error))?;
    let mut reader = Reader::new(source);
    let check = check::read(&mut reader, &root, parameters);
    match (check, reader.errors.first()) {
        (Some(mut check), None) => {
            rule.title.clone_into(&mut check.title);
            check.rule = Some(RuleSelector::Name(rule.rule.clone()));
            Settings::FILE.clone_into(&mut check.file);
            Ok(check)
        }
        (_, Some(error)) => Err(failed(error)),
        (None, None) => Err("no check can be made of the rule".to_owned()),
    }
}
