//! A conformance pack with the Config rules that are missing, to be deployed as it is.
//! <https://docs.aws.amazon.com/config/latest/developerguide/conformance-packs.html>

use super::managed_rule::{Input, ManagedRule};
use super::{Catalogue, LoadError, LoadErrors, Settings};
use crate::resource::{FieldValue, Kind, Resources, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// How many rules are put into one pack. It may have 130, and its template at most 51,200 bytes
/// (<https://docs.aws.amazon.com/config/latest/developerguide/configlimits.html>), comments included.
pub const MOST_RULES: usize = 75;

/// Which rules are deployed where, as far as it is known.
#[derive(Debug, Default)]
pub struct Deployed {
    /// The Regions in scope.
    regions: BTreeSet<String>,
    /// The Regions of each source identifier.
    rules: BTreeMap<String, BTreeSet<String>>,
}

impl Deployed {
    /// What the resources of an account show. An error where the rules are not known: to call them missing would be a guess.
    pub fn of(resources: &Resources) -> Result<Self, String> {
        let rules = resources.populations.get(&Kind::ConfigRule);
        let rules = rules.ok_or("the rules were not read")?;
        if let Some(gap) = rules.incomplete.first() {
            return Err(format!("which rules are deployed is not known: {}: {}", gap.call, gap.reason));
        }
        let mut deployed = Self::default();
        let account = resources.populations.get(&Kind::Account).and_then(|population| population.rows.first());
        if let Some(FieldValue::Known(Value::List(regions))) = account.and_then(|account| account.fields.get("regions"))
        {
            deployed.regions.extend(regions.iter().filter_map(text));
        }
        for row in &rules.rows {
            let field = |name: &str| row.fields.get(name).and_then(FieldValue::known).and_then(text);
            let in_force = field("state").is_some_and(|state| state == "ACTIVE" || state == "EVALUATING");
            if let (Some(identifier), Some(region), true) = (field("source_identifier"), &row.region, in_force) {
                deployed.rules.entry(identifier).or_default().insert(region.clone());
            }
        }
        Ok(deployed)
    }

    /// What is deployed in one Region: a pack is deployed Region by Region. An error where it is not in scope.
    pub fn only(mut self, region: &str) -> Result<Self, String> {
        if !self.regions.contains(region) {
            let known = self.regions.into_iter().collect::<Vec<_>>().join(", ");
            return Err(format!("the Region {region} is not in scope; those in scope are: {known}"));
        }
        self.regions.retain(|name| name == region);
        Ok(self)
    }

    /// The Regions in which a rule is missing.
    fn missing(&self, identifier: &str) -> Vec<&str> {
        let there = self.rules.get(identifier);
        self.regions
            .iter()
            .filter(|region| there.is_none_or(|there| !there.contains(*region)))
            .map(String::as_str)
            .collect()
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The pack: the rules that the frameworks name, without those that are deployed in every Region in scope. With rules
/// that are deployed nowhere known, all. `settings` give the thresholds.
pub fn write(
    catalogue: &Catalogue,
    frameworks: &[String],
    settings: Settings,
    deployed: Option<&Deployed>,
    part: usize,
) -> Result<String, LoadErrors> {
    if let Some(id) = frameworks.iter().find(|id| !catalogue.frameworks.contains_key(*id)) {
        let known = catalogue.frameworks.keys().cloned().collect::<Vec<_>>().join(", ");
        let error = LoadError::about("--framework", format!("there is no framework `{id}`"));
        return Err(LoadErrors(vec![error.help(format!("the frameworks are: {known}"))]));
    }
    let wanted = |id: &String| frameworks.is_empty() || frameworks.contains(id);
    let mut speaks: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for framework in catalogue.frameworks.values().filter(|framework| wanted(&framework.id)) {
        for requirement in &framework.requirements {
            for rule in catalogue.rules.values().filter(|rule| requirement.checks.contains(&rule.check_id())) {
                speaks.entry(&rule.identifier).or_default().push(format!("{} {}", framework.id, requirement.id));
            }
        }
    }
    let mut parameters: BTreeMap<String, Value> =
        catalogue.parameters.values().map(|p| (p.name.clone(), Value::Int(p.default))).collect();
    parameters.extend(settings.parameters);
    let rules: Vec<(&ManagedRule, Vec<&str>)> = (catalogue.rules.values())
        .filter(|rule| speaks.contains_key(rule.identifier.as_str()))
        .map(|rule| (rule, deployed.map(|deployed| deployed.missing(&rule.identifier)).unwrap_or_default()))
        .filter(|(_, missing)| deployed.is_none() || !missing.is_empty())
        .collect();
    let parts = rules.len().div_ceil(MOST_RULES).max(1);
    if !(1..=parts).contains(&part) {
        let error = LoadError::about("--part", format!("there is no part {part}"));
        return Err(LoadErrors(vec![error.help(format!("the rules fill {parts} packs: --part 1 to --part {parts}"))]));
    }
    let of_part = rules.chunks(MOST_RULES).nth(part - 1).unwrap_or_default();
    Ok(template(of_part, (part, parts, rules.len()), &speaks, &parameters, deployed))
}

fn template(
    rules: &[(&ManagedRule, Vec<&str>)],
    (part, parts, all): (usize, usize, usize),
    speaks: &BTreeMap<&str, Vec<String>>,
    parameters: &BTreeMap<String, Value>,
    deployed: Option<&Deployed>,
) -> String {
    let mut out = String::from("# Conformance pack for AWS Config, made by auditpack.\n");
    // Writing to a String cannot fail.
    let _ = match deployed {
        Some(deployed) => {
            let regions: Vec<&str> = deployed.regions.iter().map(String::as_str).collect();
            writeln!(out, "# {all} rules are missing in at least one of {}.", regions.join(", "))
        }
        None => writeln!(out, "# {all} rules, deployed or not."),
    };
    let name = if parts == 1 { "auditpack".to_owned() } else { format!("auditpack-{part}") };
    if parts > 1 {
        let _ =
            writeln!(out, "# This is part {part} of {parts}, with {} of them; --part prints the others.", rules.len());
    }
    let _ = writeln!(
        out,
        "# aws configservice put-conformance-pack --conformance-pack-name {name} --template-body file://THIS-FILE"
    );
    if rules.is_empty() {
        out.push_str("# No rule is missing: there is nothing to deploy.\nResources: {}\n");
        return out;
    }
    out.push_str(&parameters_asked(rules, parameters));
    out.push_str("Resources:\n");
    for (rule, missing) in rules {
        let logical = logical(&rule.identifier);
        let _ = writeln!(out, "  # {}", rule.title);
        let _ =
            writeln!(out, "  # {}", speaks.get(rule.identifier.as_str()).map_or(String::new(), |ids| ids.join(", ")));
        if !missing.is_empty() {
            let _ = writeln!(out, "  # missing in {}", missing.join(", "));
        }
        let _ = writeln!(out, "  {logical}:\n    Type: AWS::Config::ConfigRule\n    Properties:");
        let _ = writeln!(out, "      ConfigRuleName: {}", rule.rule);
        let inputs = rule.inputs(parameters);
        if !inputs.is_empty() {
            out.push_str("      InputParameters:\n");
        }
        for (name, input) in inputs {
            let _ = match input {
                Input::Value(value) => writeln!(out, "        {name}: \"{value}\""),
                Input::Asked(_) => writeln!(out, "        {name}:\n          Ref: {}", asked(rule, &name)),
            };
        }
        let _ = writeln!(out, "      Source:\n        Owner: AWS\n        SourceIdentifier: {}", rule.identifier);
    }
    out
}

/// The pack's own parameters: what AWS asks for, and nobody but you can say. They have no default, so that AWS refuses
/// the pack until they are given.
fn parameters_asked(rules: &[(&ManagedRule, Vec<&str>)], parameters: &BTreeMap<String, Value>) -> String {
    let mut out = String::new();
    for (rule, _) in rules {
        for (name, input) in rule.inputs(parameters) {
            let Input::Asked(meaning) = input else { continue };
            // Writing to a String cannot fail.
            let _ =
                writeln!(out, "  {}:\n    Type: String\n    # {name} of {}: {meaning}", asked(rule, &name), rule.rule);
        }
    }
    if out.is_empty() {
        return out;
    }
    let first = out.lines().next().map(|line| line.trim().trim_end_matches(':').to_owned()).unwrap_or_default();
    format!(
        "# AWS has no default for the parameters below: give each to the command, as in\n#   \
         --conformance-pack-input-parameters ParameterName={first},ParameterValue=...\nParameters:\n{out}"
    )
}

/// The name of the pack's parameter that a rule's parameter is taken from.
fn asked(rule: &ManagedRule, name: &str) -> String {
    let mut letters = name.chars();
    let name = letters.next().map_or(String::new(), |first| first.to_ascii_uppercase().to_string() + letters.as_str());
    format!("{}{name}", logical(&rule.identifier))
}

/// The logical id of a rule in the template: letters and digits only.
fn logical(identifier: &str) -> String {
    identifier.split('_').map(capitalised).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or(String::new(), |first| first.to_string() + &letters.as_str().to_ascii_lowercase())
}
