//! Frameworks: standards and their requirements, in our own words.

use super::check::Check;
use super::error::suggest;
use super::managed_rule::{self, ManagedRule};
use super::node::{Fields, Node, Reader};
use crate::evidence::Operation;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::str::FromStr;

/// A standard.
#[derive(Debug)]
pub struct Framework {
    /// Such as `soc2`.
    pub id: String,
    /// Such as "SOC 2".
    pub title: String,
    /// The edition that the requirements follow.
    pub edition: String,
    /// What part of the standard is listed.
    pub scope: String,
    /// What a reader must know: that the wording is ours, what was corrected, what is not covered.
    pub notes: Vec<String>,
    /// Every requirement in scope, in the standard's order.
    pub requirements: Vec<Requirement>,
    /// The file that it was read from, below `controls/`.
    pub file: String,
}

/// One numbered item of a standard.
#[derive(Debug)]
pub struct Requirement {
    /// Such as `CC6.1`.
    pub id: String,
    /// The part of the standard that it stands in.
    pub group: String,
    /// What it asks for, in our own words.
    pub title: String,
    /// How much of it AWS can evidence.
    pub automation: Automation,
    /// The checks that speak to it, by id.
    pub checks: Vec<String>,
    /// AWS Config rules that speak to it, by source identifier. Each is a check too, as the catalogue of rules says.
    pub config_rules: Vec<String>,
    /// Calls whose documents are evidence for it, besides those of its checks.
    pub evidence: Vec<Operation>,
    /// What a person must still provide; always there unless the automation is full.
    pub manual: Option<String>,
}

/// How much of a requirement AWS can evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Automation {
    /// All of it.
    Full,
    /// The technical part.
    Partial,
    /// Nothing.
    Manual,
}

impl Automation {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Automation::Full => "full",
            Automation::Partial => "partial",
            Automation::Manual => "manual",
        }
    }
}

impl FromStr for Automation {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Automation::Full, Automation::Partial, Automation::Manual];
        all.into_iter()
            .find(|automation| automation.word() == text)
            .ok_or_else(|| format!("`{text}` is no level of automation: expected full, partial or manual"))
    }
}

impl Framework {
    /// A Config rule speaks to a requirement through the check that asks it.
    pub(super) fn add_checks_of_rules(&mut self, rules: &BTreeMap<String, ManagedRule>) {
        for requirement in &mut self.requirements {
            for rule in requirement.config_rules.iter().filter_map(|rule| rules.get(rule)) {
                let check = rule.check_id();
                if !requirement.checks.contains(&check) {
                    requirement.checks.push(check);
                }
            }
        }
    }

    /// The checks that its requirements name.
    pub fn checks(&self) -> BTreeSet<&str> {
        self.requirements.iter().flat_map(|requirement| &requirement.checks).map(String::as_str).collect()
    }

    /// Whether a requirement of it names a check.
    pub fn names(&self, check: &str) -> bool {
        self.requirements.iter().any(|requirement| requirement.checks.iter().any(|named| named == check))
    }
}

/// Where a framework's file names checks and Config rules: they are looked up when all files have been read.
#[derive(Debug, Default)]
pub(super) struct Named {
    checks: Vec<(String, Range<usize>)>,
    config_rules: Vec<(String, Range<usize>)>,
}

/// The keys of a framework's file.
pub(super) const KEYS: [&str; 6] = ["id", "title", "edition", "scope", "notes", "requirements"];

/// The keys of a requirement.
pub(super) const REQUIREMENT_KEYS: [&str; 8] =
    ["id", "group", "title", "automation", "checks", "config_rules", "evidence", "manual"];

/// Reads a framework, or gathers everything that is wrong with it in the reader.
pub(super) fn read(reader: &mut Reader, root: &Node) -> Option<(Framework, Named)> {
    let fields = reader.fields(root, "a framework", &KEYS)?;
    let id = super::check::id(reader, &fields);
    let title = reader.required_text(&fields, "title");
    let edition = reader.required_text(&fields, "edition");
    let scope = reader.required_text(&fields, "scope");
    let notes = reader.texts(&fields, "notes").into_iter().map(|(note, _)| note).collect();
    reader.required(&fields, "requirements");
    let mut named = Named::default();
    let mut requirements: Vec<Requirement> = Vec::new();
    let mut seen = BTreeSet::new();
    for node in reader.items(&fields, "requirements") {
        let Some(requirement) = requirement(reader, node, &mut named) else { continue };
        if !seen.insert(requirement.id.clone()) {
            reader.error(&node.span, format!("requirement `{}` stands here a second time", requirement.id));
        }
        requirements.push(requirement);
    }
    if let Some(node) = fields.get("requirements").filter(|_| requirements.is_empty() && reader.errors.is_empty()) {
        reader.error(&node.span, "a framework needs at least one requirement");
    }
    let file = reader.source.path.clone();
    Some((Framework { id: id?, title: title?, edition: edition?, scope: scope?, notes, requirements, file }, named))
}

fn requirement(reader: &mut Reader, node: &Node, named: &mut Named) -> Option<Requirement> {
    let fields = reader.fields(node, "a requirement", &REQUIREMENT_KEYS)?;
    let id = reader.required_text(&fields, "id");
    let group = reader.required_text(&fields, "group");
    let title = reader.required_text(&fields, "title");
    let automation: Option<Automation> = reader.word(&fields, "automation");
    let checks = reader.texts(&fields, "checks");
    let config_rules = reader.texts(&fields, "config_rules");
    let evidence = evidence(reader, &fields);
    let manual = reader.optional_text(&fields, "manual");
    let place = node.span.start..node.span.start.saturating_add(1);
    if let Some(automation) = automation {
        if automation != Automation::Full && fields.get("manual").is_none() {
            let word = automation.word();
            let help = Some("say what a person must still provide".to_owned());
            reader.error_with_help(&place, format!("a requirement of automation {word} needs `manual`"), help);
        }
        if automation == Automation::Manual && !(checks.is_empty() && config_rules.is_empty()) {
            reader.error(&place, "a requirement of automation manual has no checks; with checks it is partial or full");
        }
        let evidenced = ["checks", "config_rules", "evidence"].iter().any(|key| fields.get(key).is_some());
        if automation != Automation::Manual && !evidenced {
            let word = automation.word();
            reader.error(&place, format!("a requirement of automation {word} needs a check or an item of evidence"));
        }
    }
    named.checks.extend(checks.iter().cloned());
    named.config_rules.extend(config_rules.iter().cloned());
    let config_rules: Vec<String> = config_rules.into_iter().map(|(rule, _)| rule).collect();
    let checks: Vec<String> = checks.into_iter().map(|(check, _)| check).collect();
    let (id, group, title, automation) = (id?, group?, title?, automation?);
    Some(Requirement { id, group, title, automation, checks, config_rules, evidence, manual })
}

fn evidence(reader: &mut Reader, fields: &Fields<'_>) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (text, span) in reader.texts(fields, "evidence") {
        match text.parse() {
            Ok(operation) => operations.push(operation),
            Err(error) => {
                let error: crate::evidence::operation::UnknownOperation = error;
                let known: Vec<String> = Operation::ALL.iter().map(Operation::to_string).collect();
                reader.error_with_help(&span, error.to_string(), suggest(&text, known.iter().map(String::as_str)));
            }
        }
    }
    operations
}

/// Looks up the checks that a framework names. `known` has also the ids of checks that could not be read, which are
/// reported for themselves.
pub(super) fn look_up(
    reader: &mut Reader,
    named: &Named,
    checks: &BTreeMap<String, Check>,
    rules: &BTreeMap<String, ManagedRule>,
    known: &BTreeSet<String>,
) {
    for (rule, span) in &named.config_rules {
        if !rules.contains_key(rule) {
            let help = suggest(rule, rules.keys().map(String::as_str))
                .unwrap_or_else(|| format!("{} lists the rules; add yours there", managed_rule::FILE));
            reader.error_with_help(span, format!("there is no Config rule `{rule}` in the catalogue"), Some(help));
        }
    }
    for (check, span) in &named.checks {
        if !checks.contains_key(check) && !known.contains(check) {
            let help = suggest(check, checks.keys().map(String::as_str))
                .unwrap_or_else(|| "`auditpack controls list` lists the checks".to_owned());
            reader.error_with_help(span, format!("there is no check `{check}`"), Some(help));
        }
    }
}
