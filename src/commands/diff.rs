//! `auditpack diff`: what changed between two packages.

use super::arguments::{DiffArgs, DiffFormat};
use super::{CommandError, Exit, print};
use crate::package::{self, Change, Changes};
use crate::report::csv::Table;
use crate::report::words::visible;
use serde::Serialize;
use std::collections::BTreeMap;

/// The version of the JSON.
const FORMAT: u32 = 1;
/// How many changes of a kind are listed for people; the other formats list all.
const MOST: usize = 25;

/// How much of a value people are shown, in characters.
const LONGEST: usize = 100;

pub(super) fn run(args: &DiffArgs) -> Result<Exit, CommandError> {
    let mut old = package::open_intact(&args.old).map_err(CommandError::usage)?;
    let mut new = package::open_intact(&args.new).map_err(CommandError::usage)?;
    let changes = package::diff(&mut old, &mut new).map_err(CommandError::usage)?;
    let of = |opened: &package::OpenPackage| opened.manifest().as_of.zulu();
    let (from, to) = (of(&old), of(&new));
    print(&match args.format {
        DiffFormat::Text => people(&changes, &from, &to, false),
        DiffFormat::Markdown => people(&changes, &from, &to, true),
        DiffFormat::Json => json(&changes, from, to)?,
        DiffFormat::Csv => csv(&changes.changes),
    })?;
    Ok(Exit::Clean)
}

#[derive(Serialize)]
struct Out<'a> {
    format: u32,
    old_as_of: String,
    new_as_of: String,
    counts: BTreeMap<String, u64>,
    #[serde(flatten)]
    changes: &'a Changes,
}

fn json(changes: &Changes, old_as_of: String, new_as_of: String) -> Result<String, CommandError> {
    let mut counts = BTreeMap::new();
    for change in &changes.changes {
        *counts.entry(format!("{} {}", change.area, change.change)).or_default() += 1;
    }
    let out = Out { format: FORMAT, old_as_of, new_as_of, counts, changes };
    serde_json::to_string_pretty(&out).map(|text| text + "\n").map_err(CommandError::no_package)
}

fn csv(changes: &[Change]) -> String {
    let mut table = Table::new(&["area", "change", "of", "id", "region", "field", "old", "new"]);
    for of in changes {
        let texts = [of.area, of.change, &of.of, &of.id, &of.region, &of.field, &of.old, &of.new];
        table.row(texts.map(Into::into));
    }
    String::from_utf8_lossy(&table.finish()).into_owned()
}

/// The sections for people, in the order of what they want to know first.
const SECTIONS: [(&str, &str, &str); 8] = [
    ("finding", "new", "New failures"),
    ("finding", "became-unknown", "Findings that became unknown"),
    ("finding", "resolved", "Resolved failures"),
    ("finding", "persisting", "Persisting failures"),
    ("requirement", "changed", "Requirements whose status changed"),
    ("population", "added", "Added resources"),
    ("population", "removed", "Removed resources"),
    ("population", "changed", "Changed resources"),
];

fn people(changes: &Changes, from: &str, to: &str, markdown: bool) -> String {
    let mut out = if markdown { format!("# From {from} to {to}\n") } else { format!("From {from} to {to}\n") };
    if !changes.notes.is_empty() {
        out.push_str(if markdown { "\n## To be known\n\n" } else { "\nTo be known\n" });
        for note in &changes.notes {
            out.push_str(&item(note, markdown));
        }
    }
    for (area, change, title) in SECTIONS {
        let these: Vec<&Change> = changes.changes.iter().filter(|of| of.area == area && of.change == change).collect();
        let title = format!("{title} ({})", these.len());
        out.push_str(&if markdown { format!("\n## {title}\n") } else { format!("\n{title}\n") });
        if markdown && !these.is_empty() {
            out.push('\n');
        }
        // What persists is counted; its list is in the packages.
        let most = if change == "persisting" { 0 } else { MOST };
        for of in these.iter().take(most) {
            out.push_str(&item(&words(of), markdown));
        }
        if these.len() > most && most > 0 {
            out.push_str(&item(&format!("and {} more: --format csv or json lists all", these.len() - most), markdown));
        }
    }
    out
}

fn words(of: &Change) -> String {
    let mut text = format!("{} {}", of.of, of.id);
    if !of.region.is_empty() {
        text.push_str(&format!(" in {}", of.region));
    }
    if !of.field.is_empty() {
        text.push_str(&format!(": {}", of.field));
    }
    if !(of.old.is_empty() && of.new.is_empty()) {
        let shown = |value: &str| match value.char_indices().nth(LONGEST) {
            _ if value.is_empty() => "(none)".to_owned(),
            Some((end, _)) => format!("{}...", value.get(..end).unwrap_or_default()),
            None => value.to_owned(),
        };
        text.push_str(&format!(" {} -> {}", shown(&of.old), shown(&of.new)));
    }
    text
}

/// A line of a list. In Markdown, nothing that comes from AWS is markup.
fn item(text: &str, markdown: bool) -> String {
    let text = visible(text);
    if !markdown {
        return format!("  - {text}\n");
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_ascii_punctuation() && !matches!(c, '-' | ':' | '.' | ',' | '/' | '(' | ')' | ';') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    format!("- {escaped}\n")
}
