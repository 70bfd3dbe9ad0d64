//! What `auditpack controls list|show|fields` say. Nothing here prints: the texts are for others to put somewhere.

use super::catalogue::Catalogue;
use super::check::Check;
use super::framework::{Framework, Requirement};
use crate::resource::{Kind, schema};
use std::fmt::Write;

/// One line of the list of checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The check's id.
    pub check: String,
    /// Its severity.
    pub severity: &'static str,
    /// The kind of resource that it judges.
    pub resource: &'static str,
    /// The frameworks that name it, by id.
    pub frameworks: Vec<String>,
    /// What should be so.
    pub title: String,
}

/// Every check of the catalogue, sorted by id.
pub fn list(catalogue: &Catalogue) -> Vec<Row> {
    let row = |check: &Check| Row {
        check: check.id.clone(),
        severity: check.severity.word(),
        resource: check.resource.id(),
        frameworks: catalogue.frameworks_of(&check.id).map(|framework| framework.id.clone()).collect(),
        title: check.title.clone(),
    };
    catalogue.checks.values().map(row).collect()
}

/// What there is to say about a check, a framework (`soc2`) or a requirement (`soc2 CC6.1`, or its id alone where
/// only one framework has it). `None` if nothing is called so; [`similar`] then helps.
pub fn show(catalogue: &Catalogue, name: &str) -> Option<String> {
    if let Some(check) = catalogue.checks.get(name) {
        return Some(show_check(catalogue, check));
    }
    if let Some(framework) = catalogue.frameworks.get(name) {
        return Some(show_framework(framework));
    }
    let (framework, id) = match name.split_once([' ', '/']) {
        Some((framework, id)) => (Some(framework), id),
        None => (None, name),
    };
    let frameworks = catalogue.frameworks.values().filter(|f| framework.is_none_or(|id| f.id == id));
    let found: Vec<String> = frameworks
        .flat_map(|f| f.requirements.iter().map(move |requirement| (f, requirement)))
        .filter(|(_, requirement)| requirement.id == id)
        .map(|(f, requirement)| show_requirement(catalogue, f, requirement))
        .collect();
    (!found.is_empty()).then(|| found.join("\n"))
}

/// What to say where [`show`] finds nothing.
pub fn similar(catalogue: &Catalogue, name: &str) -> Option<String> {
    let requirements = catalogue.frameworks.values().flat_map(|f| f.requirements.iter().map(|r| r.id.as_str()));
    let names = catalogue.checks.keys().chain(catalogue.frameworks.keys()).map(String::as_str).chain(requirements);
    super::error::suggest(name, names)
}

/// The width to which texts are wrapped.
const WIDTH: usize = 100;

fn show_check(catalogue: &Catalogue, check: &Check) -> String {
    let mut out = format!("{}\n{}\n\n", check.id, check.title);
    entry(&mut out, "resource", check.resource.id());
    entry(&mut out, "severity", check.severity.word());
    if let Some(scope) = &check.scope {
        entry(&mut out, "scope", &scope.text);
        entry(&mut out, "otherwise", check.scope_reason.as_deref().unwrap_or_default());
    }
    entry(&mut out, "pass", &check.pass.text);
    entry(&mut out, "because", check.severity_reason.as_deref().unwrap_or_default());
    entry(&mut out, "rationale", check.rationale.as_deref().unwrap_or_default());
    entry(&mut out, "message", &check.message.text);
    entry(&mut out, "remediation", &check.remediation);
    for name in check.parameters() {
        if let Some(parameter) = catalogue.parameters.get(name) {
            entry(&mut out, "parameter", &format!("{name} = {}: {}", parameter.default, parameter.meaning));
        }
    }
    let calls: Vec<String> = check.operations().iter().map(ToString::to_string).collect();
    entry(&mut out, "calls", &calls.join(", "));
    if !check.config_rules.is_empty() {
        entry(&mut out, "config rules", &check.config_rules.join(", "));
        entry(&mut out, "", check.config_rules_note.as_deref().unwrap_or_default());
    }
    for framework in catalogue.frameworks_of(&check.id) {
        let named = framework.requirements.iter().filter(|r| r.checks.contains(&check.id)).map(|r| r.id.as_str());
        entry(&mut out, "framework", &format!("{}: {}", framework.id, named.collect::<Vec<_>>().join(", ")));
    }
    for reference in &check.references {
        entry(&mut out, "reference", reference);
    }
    entry(&mut out, "file", &format!("controls/{}", check.file));
    out
}

fn show_framework(framework: &Framework) -> String {
    let mut out = format!("{}\n{}, {}\n\n", framework.id, framework.title, framework.edition);
    entry(&mut out, "scope", &framework.scope);
    for note in &framework.notes {
        entry(&mut out, "note", note);
    }
    let mut group = "";
    for requirement in &framework.requirements {
        if requirement.group != group {
            group = &requirement.group;
            let _ = write!(out, "\n{group}\n"); // writing to a String cannot fail
        }
        let checks = match requirement.checks.len() {
            0 => String::new(),
            1 => ", 1 check".to_owned(),
            n => format!(", {n} checks"),
        };
        let _ = writeln!(out, "  {} ({}{checks}) {}", requirement.id, requirement.automation.word(), requirement.title);
    }
    out
}

fn show_requirement(catalogue: &Catalogue, framework: &Framework, requirement: &Requirement) -> String {
    let mut out = format!("{} {}\n{}\n\n", framework.id, requirement.id, requirement.title);
    entry(&mut out, "group", &requirement.group);
    entry(&mut out, "automation", requirement.automation.word());
    for id in &requirement.checks {
        let title = catalogue.checks.get(id).map_or("", |check| check.title.as_str());
        entry(&mut out, "check", &format!("{id}: {title}"));
    }
    for operation in &requirement.evidence {
        entry(&mut out, "evidence", &format!("{operation}: {}", operation.summary()));
    }
    if let Some(manual) = &requirement.manual {
        entry(&mut out, "manual", manual);
    }
    out
}

/// A name in a column of its own and a text beside it, wrapped.
fn entry(out: &mut String, name: &str, text: &str) {
    const COLUMN: usize = 14;
    let mut line = format!("{name:<COLUMN$}");
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{}", line.trim_end()); // writing to a String cannot fail
            line = " ".repeat(COLUMN);
            empty = true;
        }
        if !empty {
            line.push(' ');
        }
        line.push_str(word);
        empty = false;
    }
    if !empty {
        let _ = writeln!(out, "{}", line.trim_end());
    }
}

/// The fields of a kind, or of all, as text.
pub fn fields_text(kind: Option<Kind>) -> String {
    let mut out = String::new();
    for kind in Kind::ALL.iter().copied().filter(|k| kind.is_none_or(|wanted| wanted == *k)) {
        let schema = kind.schema();
        let _ = writeln!(out, "{} ({})", schema.id, schema.title);
        for field in schema.fields {
            let calls: Vec<String> = field.calls.iter().map(ToString::to_string).collect();
            let _ = writeln!(out, "  {}: {}", field.name, of_type(field));
            let _ = writeln!(out, "      {}", field.meaning);
            let _ = writeln!(out, "      from {}", calls.join(", "));
        }
        out.push('\n');
    }
    out
}

/// The fields of every kind, as the page docs/controls-fields.md.
pub fn fields_markdown(catalogue: &Catalogue) -> String {
    let mut out = "# Fields and parameters\n\n\
        Made by `auditpack controls fields --format markdown`; do not edit. [controls.md](controls.md) says how checks use them.\n\n\
        A field is known only if every call beside it was collected completely. A field that may be null is null where\n\
        AWS says that there is none, which is a fact; a field that is not known is not there at all.\n"
        .to_owned();
    for kind in Kind::ALL {
        let schema = kind.schema();
        let population: Vec<String> = schema.population.iter().map(|call| format!("`{call}`")).collect();
        let _ = write!(
            out,
            "\n## `{}`\n\nOne row for each {} in `populations/{}`, {}.\n\n",
            schema.id,
            schema.title.trim_start_matches("the "),
            schema.file,
            if population.is_empty() {
                "which no call to AWS lists".to_owned()
            } else {
                format!("as listed by {}", population.join(" and "))
            }
        );
        out.push_str("| field | type | meaning | calls |\n|---|---|---|---|\n");
        for field in schema.fields {
            let calls: Vec<String> = field.calls.iter().map(|call| format!("`{call}`")).collect();
            let _ =
                writeln!(out, "| `{}` | {} | {} | {} |", field.name, of_type(field), field.meaning, calls.join(", "));
        }
    }
    out.push_str("\n## Parameters\n\nSet them in `auditpack.toml` under `[parameters]`.\n\n");
    out.push_str("| parameter | default | from | to | meaning |\n|---|---|---|---|---|\n");
    for p in catalogue.parameters.values() {
        let _ = writeln!(out, "| `{}` | {} | {} | {} | {} |", p.name, p.default, p.minimum, p.maximum, p.meaning);
    }
    out
}

fn of_type(field: &schema::Field) -> String {
    if field.nullable { format!("{} or null", field.kind) } else { field.kind.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/controls-fields.md");

    #[test]
    fn the_page_of_fields_is_up_to_date() {
        let page = fields_markdown(&Catalogue::load(None).unwrap());
        if std::env::var_os("AUDITPACK_WRITE_DOCS").is_some() {
            std::fs::write(PAGE, &page).unwrap();
        }
        let written = std::fs::read_to_string(PAGE).unwrap_or_default();
        assert!(written == page, "docs/controls-fields.md is stale: run the tests once with AUDITPACK_WRITE_DOCS=1");
    }

    #[test]
    fn checks_frameworks_and_requirements_are_shown() {
        let framework = "id: own\ntitle: Own\nedition: \"1\"\nscope: all\nrequirements:\n  - {id: R1, group: G, title: One., \
            automation: partial, manual: More., checks: [role-not-stale], evidence: [iam:ListRoles]}\n";
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("frameworks")).unwrap();
        std::fs::write(dir.path().join("frameworks/own.yaml"), framework).unwrap();
        let catalogue = Catalogue::load(Some(dir.path())).unwrap();
        let row = list(&catalogue).into_iter().find(|row| row.check == "role-not-stale").unwrap();
        assert!(row.frameworks.contains(&"own".to_owned()) && row.resource == "iam.role");
        let shown = show(&catalogue, "role-not-stale").unwrap();
        for part in
            ["role_unused_days = 180", "own: R1", "iam:GetAccountAuthorizationDetails", "idle_days < parameters"]
        {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(shown.lines().all(|line| line.chars().count() <= WIDTH || line.contains("https://")), "{shown}");
        assert!(show(&catalogue, "own").unwrap().contains("R1 (partial, 1 check) One."));
        assert!(show(&catalogue, "own R1").unwrap().contains("iam:ListRoles: all roles"));
        assert_eq!(show(&catalogue, "R1"), show(&catalogue, "own/R1"));
        assert_eq!(show(&catalogue, "role-not-stail"), None);
        assert_eq!(similar(&catalogue, "role-not-stail").as_deref(), Some("did you mean `role-not-stale`?"));
        assert!(fields_text(Some(Kind::Role)).contains("idle_days: int or null"));
    }
}
