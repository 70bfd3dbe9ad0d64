//! `auditpack controls`: shows the checks, frameworks and fields, and checks control files.

use super::arguments::{ControlsArgs, ControlsCommand};
use super::{CommandError, Exit, print};
use crate::controls::{Catalogue, listing, validate};
use crate::resource::Kind;
use std::fmt::Write;
use std::path::Path;

pub(super) fn run(args: ControlsArgs) -> Result<Exit, CommandError> {
    match args.command {
        ControlsCommand::List { controls } => list(controls.as_deref()),
        ControlsCommand::Show { id, controls } => show(&id, controls.as_deref()),
        ControlsCommand::Validate { controls } => check(controls.as_deref()),
        ControlsCommand::Fields { kind, markdown } => fields(kind.as_deref(), markdown),
    }
}

fn load(folder: Option<&Path>) -> Result<Catalogue, CommandError> {
    Catalogue::load(folder).map_err(CommandError::usage)
}

fn list(folder: Option<&Path>) -> Result<Exit, CommandError> {
    let head = ["check", "severity", "resource", "frameworks", "what should be so"].map(str::to_owned);
    let rows = listing::list(&load(folder)?)
        .into_iter()
        .map(|row| [row.check, row.severity.to_owned(), row.resource.to_owned(), row.frameworks.join(" "), row.title]);
    let rows: Vec<[String; 5]> = std::iter::once(head).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    for [check, severity, resource, frameworks, title] in &rows {
        let [a, b, c, d] = widths;
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{check:a$}  {severity:b$}  {resource:c$}  {frameworks:d$}  {title}");
    }
    print(&text)?;
    Ok(Exit::Clean)
}

fn show(id: &str, folder: Option<&Path>) -> Result<Exit, CommandError> {
    let catalogue = load(folder)?;
    match listing::show(&catalogue, id) {
        Some(text) => print(&text).map(|()| Exit::Clean),
        None => {
            let help = listing::similar(&catalogue, id).map(|help| format!("; {help}")).unwrap_or_default();
            Err(CommandError::usage(format!("no check, framework or requirement is called `{id}`{help}")))
        }
    }
}

fn check(folder: Option<&Path>) -> Result<Exit, CommandError> {
    let validation = validate::validate(folder).map_err(CommandError::usage)?;
    let mut text = String::new();
    for warning in &validation.warnings {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "warning: {warning}");
    }
    let catalogue = &validation.catalogue;
    let requirements: usize = catalogue.frameworks.values().map(|framework| framework.requirements.len()).sum();
    let _ = writeln!(
        text,
        "{} checks, {} frameworks with {requirements} requirements, {} cases: {}",
        catalogue.checks.len(),
        catalogue.frameworks.len(),
        validation.cases,
        if validation.is_ok() {
            "all as expected".to_owned()
        } else {
            format!("{} not as expected", validation.failures.len())
        }
    );
    print(&text)?;
    if validation.is_ok() {
        return Ok(Exit::Clean);
    }
    let failures: Vec<String> = validation.failures.iter().map(ToString::to_string).collect();
    Err(CommandError::usage(failures.join("\n")))
}

fn fields(kind: Option<&str>, markdown: bool) -> Result<Exit, CommandError> {
    if markdown {
        print(&listing::fields_markdown(&load(None)?))?;
        return Ok(Exit::Clean);
    }
    let kind = kind
        .map(|id| {
            Kind::find(id).ok_or_else(|| {
                let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
                CommandError::usage(format!("no kind of resource is called `{id}`; there are {}", known.join(", ")))
            })
        })
        .transpose()?;
    print(&listing::fields_text(kind))?;
    Ok(Exit::Clean)
}
