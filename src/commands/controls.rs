//! `auditpack controls`: shows the checks, frameworks and fields, and checks control files.

use super::arguments::{ControlsArgs, ControlsCommand};
use super::source::Replay;
use super::{CommandError, Exit, print};
use crate::controls::{Catalogue, conformance_pack, json_schema, listing, matrix, scaffold, validate};
use crate::resource::Kind;
use std::fmt::Write;
use std::path::Path;

pub(super) fn run(args: ControlsArgs) -> Result<Exit, CommandError> {
    match args.command {
        ControlsCommand::List { controls } => list(controls.as_deref()),
        ControlsCommand::Show { id, controls } => show(&id, controls.as_deref()),
        ControlsCommand::Validate { controls } => check(controls.as_deref()),
        ControlsCommand::Test { check, controls } => test(check.as_deref(), controls.as_deref()),
        ControlsCommand::New { id, resource, controls } => new(&id, resource.as_deref(), &controls),
        ControlsCommand::Matrix { frameworks, csv, controls } => matrix(&frameworks, csv, controls.as_deref()),
        ControlsCommand::ConformancePack { path, region, part, framework, controls, config } => {
            let deployed = (path.as_deref(), region.as_deref());
            pack(deployed, &framework, controls.as_deref(), config.as_deref(), part)
        }
        ControlsCommand::Schema { kind } => {
            print(&json_schema::schema(&kind).unwrap_or_default())?;
            Ok(Exit::Clean)
        }
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

fn test(check: Option<&str>, folder: Option<&Path>) -> Result<Exit, CommandError> {
    let catalogue = load(folder)?;
    if let Some(id) = check
        && !catalogue.checks.contains_key(id)
    {
        let help = listing::similar(&catalogue, id).map(|help| format!("; {help}")).unwrap_or_default();
        return Err(CommandError::usage(format!("no check is called `{id}`{help}")));
    }
    let (text, failed) = validate::report(&catalogue, check);
    print(&text)?;
    match failed {
        0 => Ok(Exit::Clean),
        1 => Err(CommandError::usage("1 case came out otherwise than expected")),
        n => Err(CommandError::usage(format!("{n} cases came out otherwise than expected"))),
    }
}

fn new(id: &str, resource: Option<&str>, folder: &Path) -> Result<Exit, CommandError> {
    let (below, text) = match resource {
        Some(name) => {
            let kind = find_kind(name)?;
            let service = name.split('.').next().unwrap_or(name);
            (format!("checks/{service}/{id}.yaml"), scaffold::check(id, kind))
        }
        None => (format!("frameworks/{id}.yaml"), scaffold::framework(id, None)),
    };
    let text = text.map_err(CommandError::usage)?;
    let path = folder.join(below);
    let failed = |e: std::io::Error| CommandError::usage(format!("{} cannot be written: {e}", path.display()));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    // What is already there is somebody's work.
    let mut file = std::fs::File::create_new(&path).map_err(failed)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(failed)?;
    print(&format!("{}\n", path.display()))?;
    Ok(Exit::Clean)
}

fn matrix(frameworks: &[String], csv: bool, folder: Option<&Path>) -> Result<Exit, CommandError> {
    let catalogue = load(folder)?;
    if let Some(id) = frameworks.iter().find(|id| !catalogue.frameworks.contains_key(*id)) {
        let help = listing::similar(&catalogue, id).map(|help| format!("; {help}")).unwrap_or_default();
        return Err(CommandError::usage(format!("no framework is called `{id}`{help}")));
    }
    if csv {
        print(&String::from_utf8_lossy(&crate::report::matrix_csv(&matrix::rows(&catalogue, frameworks))))?;
    } else {
        print(&matrix::text(&catalogue, frameworks))?;
    }
    Ok(Exit::Clean)
}

fn pack(
    (path, region): (Option<&Path>, Option<&str>),
    frameworks: &[String],
    folder: Option<&Path>,
    config: Option<&Path>,
    part: usize,
) -> Result<Exit, CommandError> {
    let catalogue = load(folder)?;
    let settings = super::judge::settings(config)?;
    let deployed = match path {
        Some(path) => {
            let evidence = Replay::open(path)?;
            let evidence = evidence.evidence(None)?;
            let resources = crate::resource::Resources::build(&evidence, &settings.profile);
            let deployed = conformance_pack::Deployed::of(&resources).map_err(CommandError::no_package)?;
            Some(match region {
                Some(region) => deployed.only(region).map_err(CommandError::usage)?,
                None => deployed,
            })
        }
        None => None,
    };
    let text = conformance_pack::write(&catalogue, frameworks, settings, deployed.as_ref(), part)
        .map_err(CommandError::usage)?;
    print(&text)?;
    Ok(Exit::Clean)
}

fn find_kind(id: &str) -> Result<Kind, CommandError> {
    Kind::find(id).ok_or_else(|| {
        let known: Vec<&str> = Kind::ALL.iter().map(|kind| kind.id()).collect();
        CommandError::usage(format!("no kind of resource is called `{id}`; there are {}", known.join(", ")))
    })
}

fn fields(kind: Option<&str>, markdown: bool) -> Result<Exit, CommandError> {
    if markdown {
        print(&listing::fields_markdown(&load(None)?))?;
        return Ok(Exit::Clean);
    }
    let kind = kind.map(find_kind).transpose()?;
    print(&listing::fields_text(kind))?;
    Ok(Exit::Clean)
}
