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

#[cfg(test)]
mod tests {
    use super::super::{Catalogue, RuleSelector, Settings, conformance_pack};

    fn selected(toml: &str) -> Result<super::super::Controls, super::super::LoadErrors> {
        Catalogue::load(None)?.select(Settings::parse("auditpack.toml", toml)?, &[])
    }

    #[test]
    fn a_rule_of_ones_own_speaks_to_the_requirements_that_the_settings_name() {
        let toml = "[[config_rules]]\nrule = \"payments-*\"\ntitle = \"Payments are tagged: \\\"all\\\"\"\nrequirements = \
                    [\"soc2 CC6.1\", \"soc2 CC6.4\"]\n";
        let controls = selected(toml).unwrap();
        let check = &controls.checks["own-payments"];
        assert_eq!((check.title.as_str(), check.file.as_str()), ("Payments are tagged: \"all\"", Settings::FILE));
        let selector = check.rule.as_ref().unwrap();
        assert!(matches!(selector, RuleSelector::Name(_)));
        assert!(
            selector.selects("payments-tagging-conformance-pack-x", None) && !selector.selects("x-payments-", None)
        );
        let named = |id: &str| {
            let requirement = controls.frameworks["soc2"].requirements.iter().find(|r| r.id == id).unwrap();
            requirement.checks.contains(&"own-payments".to_owned()).then(|| requirement.automation.word())
        };
        assert_eq!((named("CC6.1"), named("CC6.4"), named("CC6.2")), (Some("partial"), Some("partial"), None));
        // What a package keeps of it is read again as it was.
        let again = super::super::Controls::from_files(&controls.files).unwrap();
        assert!(again.checks.keys().eq(controls.checks.keys()));

        let error = selected(&toml.replace("CC6.4", "CC66.4")).unwrap_err().to_string();
        assert!(
            error.contains("there is no requirement `soc2 CC66.4`") && error.contains("auditpack.toml:4:"),
            "{error}"
        );
    }

    #[test]
    fn a_conformance_pack_has_the_rules_of_the_framework_with_our_thresholds() {
        let catalogue = Catalogue::load(None).unwrap();
        let settings = Settings::parse("a.toml", "[parameters]\naccess_key_max_age_days = 60\n").unwrap();
        let pack = conformance_pack::write(&catalogue, &["soc2".to_owned()], settings, None, 1).unwrap();
        assert!(
            pack.contains("maxAccessKeyAge: \"60\"") && pack.contains("SourceIdentifier: ACCESS_KEYS_ROTATED"),
            "{pack}"
        );
        assert!(pack.len() < 51_200 && pack.matches("SourceIdentifier:").count() <= 130);
        let parts: usize = (1..)
            .map_while(|part| {
                conformance_pack::write(&catalogue, &["soc2".to_owned()], Settings::default(), None, part).ok()
            })
            .map(|pack| pack.matches("SourceIdentifier:").count())
            .sum();
        assert_eq!(parts, catalogue.rules.len(), "soc2 speaks of every rule of the catalogue");
        let error = conformance_pack::write(&catalogue, &["sox".to_owned()], Settings::default(), None, 1).unwrap_err();
        assert!(error.to_string().contains("there is no framework `sox`"), "{error}");
    }
}
