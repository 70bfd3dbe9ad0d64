//! The pages docs/checks.md and docs/coverage.md, made from the controls and held by a test.

use super::{Catalogue, Check};
use crate::evidence::Operation;
use std::collections::BTreeMap;
use std::fmt::Write;

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs");

/// What auditors ask for, row by row, and where the answer is.
const COVERAGE: &str = include_str!("../../docs/coverage.yaml");

#[derive(serde::Deserialize)]
struct Section {
    section: String,
    rows: Vec<Row>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    item: String,
    #[serde(default)]
    checks: Vec<String>,
    #[serde(default)]
    config_rules: Vec<String>,
    #[serde(default)]
    evidence: Vec<String>,
    /// A population's file.
    #[serde(default)]
    population: Vec<String>,
    /// The requirement that lists it as a manual item, where AWS cannot answer, or not all of it.
    #[serde(default)]
    manual: Vec<String>,
    /// Why there is no check.
    reason: Option<String>,
}

fn coverage(catalogue: &Catalogue) -> String {
    let sections: Vec<Section> = serde_saphyr::from_str(COVERAGE).unwrap();
    let mut out = "# What is asked for, and where the answer is\n\n\
        Made from [coverage.yaml](coverage.yaml) by the tests; do not edit. Each row is something that an auditor asks for, or that\n\
        the guides on which auditpack was built ask for. It is answered by a check, by AWS Config's verdict where the rule is\n\
        deployed, by a document or population in the package, or by people, in the requirement that says what to bring.\n"
        .to_owned();
    for section in sections {
        let _ = write!(
            out,
            "\n## {}\n\n| asked for | answered by | not answered, because |\n|---|---|---|\n",
            section.section
        );
        for row in section.rows {
            let mut answers = Vec::new();
            for id in &row.checks {
                assert!(catalogue.checks.contains_key(id), "coverage.yaml names the check {id}, which there is not");
                answers.push(format!("[{id}](checks.md#{id})"));
            }
            for rule in &row.config_rules {
                assert!(catalogue.rules.contains_key(rule), "coverage.yaml names the rule {rule}, which there is not");
                answers.push(format!("Config rule {rule}"));
            }
            for call in &row.evidence {
                let operation: Operation = call.parse().unwrap_or_else(|_| panic!("coverage.yaml: no call {call}"));
                let document = crate::evidence::CallId::global(operation).document_path();
                answers.push(format!("`{}`", document.rsplit('/').next().unwrap_or(&document)));
            }
            for file in &row.population {
                let known = crate::resource::Kind::ALL.iter().any(|kind| kind.schema().file == file);
                assert!(known, "coverage.yaml names the population {file}, which there is not");
                answers.push(format!("`populations/{file}`"));
            }
            for name in &row.manual {
                let found = name.split_once(' ').and_then(|(framework, id)| {
                    catalogue.frameworks.get(framework)?.requirements.iter().find(|r| r.id == id)
                });
                let requirement = found.unwrap_or_else(|| panic!("coverage.yaml: no requirement {name}"));
                assert!(requirement.manual.is_some(), "{name} lists no manual item");
                answers.push(format!("people: {name}"));
            }
            assert!(!answers.is_empty() || row.reason.is_some(), "{} has neither answer nor reason", row.item);
            let _ = writeln!(out, "| {} | {} | {} |", row.item, answers.join("<br>"), row.reason.unwrap_or_default());
        }
    }
    out
}

fn checks(catalogue: &Catalogue) -> String {
    let own: Vec<&Check> = catalogue.checks.values().filter(|check| check.file.starts_with("checks/")).collect();
    let mut out = format!(
        "# Checks\n\nMade from the files in controls/ by the tests; do not edit. [controls.md](controls.md) says how to write one.\n\n\
         {} checks over {} kinds of resources, and {} rules of AWS Config.\n",
        own.len(),
        own.iter().map(|check| check.resource).collect::<std::collections::BTreeSet<_>>().len(),
        catalogue.rules.len()
    );
    let mut by_kind: BTreeMap<crate::resource::Kind, Vec<&Check>> = BTreeMap::new();
    for check in own {
        by_kind.entry(check.resource).or_default().push(check);
    }
    for (kind, checks) in by_kind {
        let _ = write!(out, "\n## On {} (`{}`)\n", kind.schema().plural, kind.id());
        for check in checks {
            let _ = write!(out, "\n### {}\n\n**{}.** {}\n\n", check.id, check.title, line(check.rationale.as_deref()));
            let severity = check.severity.word();
            let _ = writeln!(out, "- Severity {severity}: {}.", line(check.severity_reason.as_deref()));
            if let Some(scope) = &check.scope {
                let _ = writeln!(
                    out,
                    "- Concerns: `{}`; otherwise {}.",
                    line(Some(&scope.text)),
                    line(check.scope_reason.as_deref())
                );
            }
            let _ = writeln!(out, "- Passes: `{}`", line(Some(&check.pass.text)));
            for name in check.parameters() {
                let Some(parameter) = catalogue.parameters.get(name) else { continue };
                let _ = writeln!(out, "- Threshold `{name}`, {} by default: {}.", parameter.default, parameter.meaning);
            }
            let _ = writeln!(out, "- Remediation: {}", line(Some(&check.remediation)));
            if !check.config_rules.is_empty() {
                let note = line(check.config_rules_note.as_deref());
                let _ = writeln!(out, "- AWS Config asks the same by {}: {note}", check.config_rules.join(", "));
            }
            for framework in catalogue.frameworks_of(&check.id) {
                let named =
                    framework.requirements.iter().filter(|r| r.checks.contains(&check.id)).map(|r| r.id.as_str());
                let _ = writeln!(out, "- {}: {}", framework.title, named.collect::<Vec<_>>().join(", "));
            }
            for reference in &check.references {
                let _ = writeln!(out, "- <{reference}>");
            }
        }
    }
    out.push_str(
        "\n## AWS Config rules\n\nEach is a check on the rules of its source identifier that are deployed. Where none is, the requirement says so.\n\
         `auditpack controls conformance-pack` prints those that are missing.\n\n| rule | service | what should be so | severity |\n|---|---|---|---|\n",
    );
    for rule in catalogue.rules.values() {
        let severity = format!("{}: {}", rule.severity.word(), rule.severity_reason);
        let _ = writeln!(
            out,
            "| [{}]({}) | {} | {} | {severity} |",
            rule.identifier,
            rule.page(),
            rule.service,
            rule.title
        );
    }
    out
}

/// A text in one line.
fn line(text: Option<&str>) -> String {
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn hold(name: &str, page: &str) {
    let path = format!("{DOCS}/{name}");
    if std::env::var_os("AUDITPACK_WRITE_DOCS").is_some() {
        std::fs::write(&path, page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == page, "docs/{name} is stale: run the tests once with AUDITPACK_WRITE_DOCS=1");
}

#[test]
fn the_page_of_checks_is_up_to_date() {
    hold("checks.md", &checks(&Catalogue::load(None).unwrap()));
}

#[test]
fn the_page_of_coverage_is_up_to_date() {
    hold("coverage.md", &coverage(&Catalogue::load(None).unwrap()));
}

/// The issue's own terms: breadth, an argued severity, a way to mend it in the console and by the CLI, pages of AWS.
#[test]
fn every_check_is_argued_and_can_be_mended() {
    let catalogue = Catalogue::load(None).unwrap();
    let own: Vec<&Check> = catalogue.checks.values().filter(|check| check.file.starts_with("checks/")).collect();
    assert!(own.len() >= 110, "{} checks", own.len());
    for check in own {
        assert!(check.references.iter().any(|page| page.contains("aws.amazon.com")), "{}: references", check.id);
        assert!(
            check.rationale.is_some() && check.severity_reason.is_some(),
            "{}: rationale, severity_reason",
            check.id
        );
    }
}
