//! `auditpack controls new`: a control file to begin with, which loads and whose cases run.

use super::check::id_error;
use crate::resource::{Kind, schema::Type};
use std::fmt::Write;

/// A check on a kind of resource: it asks about one of its fields, and lists the others. `None` for a kind without a
/// field that can be asked about.
pub fn check(id: &str, kind: Kind) -> Result<String, String> {
    id_error(id)?;
    let schema = kind.schema();
    let field = schema.fields.iter().find(|field| field.kind == Type::Bool && !field.nullable);
    let field = field.or_else(|| schema.fields.iter().find(|field| field.kind == Type::Texts));
    let field = field.ok_or_else(|| format!("{} has no field to begin with", schema.id))?;
    let (pass, good, bad) = match field.kind {
        Type::Bool => (field.name.to_owned(), "true", "false"),
        _ => (format!("{} == []", field.name), "[]", "[something]"),
    };
    let name = field.name;
    let mut out = format!(
        "id: {id}\ntitle: Say here what should be so\nresource: {}\npass: '{pass}'\nseverity: medium\n\
         severity_reason: say in a line why a failure is that bad\nrationale: Say why it should be so.\n\
         message: \"say what is wrong, with the facts: {name} is {{{name}}}\"\n\
         remediation: Say what to do, in the console and by the CLI.\nreferences:\n  - https://docs.aws.amazon.com/\ncases:\n  \
         - {{name: as it should be, given: {{{name}: {good}}}, expect: pass}}\n  \
         - {{name: as it should not be, given: {{{name}: {bad}}}, expect: fail}}\n  \
         - {{name: not collected, given: {{}}, expect: unknown}}\n\n# The fields of {}:\n",
        schema.id, schema.id
    );
    for field in schema.fields {
        let null = if field.nullable { " or null" } else { "" };
        let _ = writeln!(out, "#   {}: {}{null}: {}", field.name, field.kind, field.meaning); // writing to a String cannot fail
    }
    Ok(out)
}

/// A framework with one requirement that a check speaks to, and one for people.
pub fn framework(id: &str, check: Option<&str>) -> Result<String, String> {
    id_error(id)?;
    let check = check.unwrap_or("user-console-mfa");
    Ok(format!(
        "id: {id}\ntitle: Say here what the standard is called\nedition: \"1\"\nscope: all of it\nnotes:\n  \
         - The wording is ours; the standard itself decides.\nrequirements:\n  - id: \"1.1\"\n    group: Access\n    \
         title: Say in your own words what is asked for.\n    automation: partial\n    checks: [{check}]\n    \
         manual: Say what a person must still provide.\n  - id: \"1.2\"\n    group: Access\n    title: Somebody answers for the \
         standard.\n    automation: manual\n    manual: Name the owner.\n"
    ))
}
