//! report.html: one page that holds everything it needs, to read and to print.
//!
//! No script, no network: the content security policy allows its own style sheet, by hash, and nothing else.
//! Templates escape all text; texts from outside are of the type [`Shown`], so that what is invisible is seen.
//! Long lists are cut, with a count of what is left out and where it is: the page stays readable for any account.

mod access;
mod appendix;
mod findings;
mod gaps;
mod matrix;
mod requirements;
mod scope;

use super::facts;
use super::words::{Shown, number};
use super::{Audit, Conclusion};
use crate::evidence::digest::sha256;
use crate::evidence::{CallId, Operation};
use crate::finding::{Pointer, Severity, Status};
use askama::Template;
use base64::Engine as _;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::collections::BTreeSet;
use std::io::{self, Write};

const STYLE: &str = include_str!("../../templates/report/style.css");

/// The page. `files` are the paths in the package: only what is there is linked.
pub fn write_html(audit: &Audit<'_>, files: &BTreeSet<String>, out: &mut dyn Write) -> io::Result<()> {
    let context = Context { audit: *audit, files };
    let style = format!("{STYLE}{}", page_header(audit));
    let conclusion = audit.conclusion();
    let page = Page {
        policy: content_security_policy(&style),
        style,
        account: facts::account_words(audit).into(),
        conclusion: match conclusion {
            Conclusion::Clean => "clean",
            Conclusion::Failed => "failed",
            Conclusion::Incomplete => "incomplete",
        },
        headline: conclusion.headline(),
        exit_code: conclusion.exit_code(),
        why: facts::conclusion_words(audit),
        access: access::view(&context),
        scope: scope::view(&context),
        gaps: gaps::view(&context),
        findings: findings::view(&context),
        matrix: matrix::view(&context),
        frameworks: requirements::view(&context),
        manual: requirements::manual(&context),
        appendix: appendix::view(&context),
    };
    page.write_into(out)
}

#[derive(Template)]
#[template(path = "report/page.html")]
struct Page {
    policy: String,
    style: String,
    account: Shown,
    conclusion: &'static str,
    headline: &'static str,
    exit_code: u8,
    why: Vec<String>,
    access: access::View,
    scope: scope::View,
    gaps: gaps::View,
    findings: findings::View,
    matrix: matrix::View,
    frameworks: Vec<requirements::FrameworkView>,
    manual: requirements::ManualView,
    appendix: appendix::View,
}

/// What every section is made from.
struct Context<'a> {
    audit: Audit<'a>,
    files: &'a BTreeSet<String>,
}

/// A reference to a file of the package.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    /// Where to, if the file is there.
    href: Option<String>,
    /// What it is called.
    text: Shown,
    /// The place in the file.
    at: Shown,
}

impl Context<'_> {
    /// A link to a file of the package by its path.
    fn link(&self, path: &str, text: &str) -> Link {
        Link { href: self.files.contains(path).then(|| href(path)), text: text.into(), at: Shown::default() }
    }

    /// A link to where a pointer points.
    fn pointer(&self, pointer: &Pointer) -> Link {
        let text = pointer.file.strip_prefix("evidence/").unwrap_or(&pointer.file);
        Link { at: (&pointer.at).into(), ..self.link(&pointer.file, text) }
    }

    /// A link to a call's document.
    fn document(&self, call: &CallId, text: &str) -> Link {
        self.link(&format!("evidence/{}", call.document_path()), text)
    }
}

/// What stands in a URL's path as it is. Percent signs of file names are encoded once more.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'/');

fn href(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// An id within the page for an id from a control file.
fn anchor(prefix: &str, id: &str) -> String {
    let safe = id.chars().map(|c| match c {
        c if c.is_ascii_alphanumeric() || c == '-' || c == '.' => c.to_string(),
        c => format!("_{:x}", u32::from(c)),
    });
    format!("{prefix}-{}", safe.collect::<String>())
}

/// The name of an operation as the AWS CLI has it: `iam get-account-summary`.
fn command(operation: Operation) -> String {
    format!("{} {}", operation.service().cli_name(), operation.cli_command())
}

/// The class that colours a status. The word is always there too.
fn status_class(status: Status) -> &'static str {
    match status {
        Status::Fail => "s fail",
        Status::Unknown => "s unknown",
        Status::Manual => "s manual",
        Status::Pass => "s pass",
        Status::NotApplicable => "s na",
    }
}

/// The class that weighs a severity. The word is always there too.
fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "v critical",
        Severity::High => "v high",
        Severity::Medium => "v medium",
        Severity::Low => "v low",
    }
}

/// The class of a check's severity: it weighs only where the check does not hold.
fn weight(severity: Severity, status: Status) -> &'static str {
    match status {
        Status::Fail | Status::Unknown => severity_class(severity),
        _ => "v low",
    }
}

/// A count for a table: nothing is a dash, so that what is there stands out.
fn cell(n: u64) -> String {
    if n == 0 { "–".to_owned() } else { number(n) }
}

/// The line at the head of each printed page: account and as-of time, of which only harmless characters are taken.
fn page_header(audit: &Audit<'_>) -> String {
    let harmless =
        |text: &str| text.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ':')).collect::<String>();
    let account = harmless(audit.evidence.account.as_deref().unwrap_or("unknown"));
    let as_of = harmless(&audit.evidence.as_of().zulu());
    format!("@page{{@top-left{{content:\"AWS account {account}\"}}@top-right{{content:\"as of {as_of}\"}}}}\n")
}

/// A page as a text. Rendering into a String fails only where a Display of ours fails, and none does. Were that ever
/// untrue, a page that says so is better than a page cut short.
pub(crate) fn render(page: &impl Template) -> String {
    page.render()
        .unwrap_or_else(|error| format!("<!doctype html><title>failed</title><p>the page was not made: {error}"))
}

/// The content security policy of a page with nothing but its own style sheet: no script, no network.
pub(crate) fn content_security_policy(style: &str) -> String {
    let hash = base64_of_hex(&sha256(style.as_bytes()));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
}

/// A hash in hexadecimal as base64, which is how a content security policy takes it.
fn base64_of_hex(hex: &str) -> String {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    let bytes: Vec<u8> = hex
        .as_bytes()
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |value, byte| (value << 4) | digit(*byte)))
        .collect();
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_with_percent_signs_is_linked_as_it_is_named() {
        assert_eq!(href("evidence/eu-west-1/a%20rule/x,y.json"), "evidence/eu-west-1/a%2520rule/x%2Cy.json");
    }

    #[test]
    fn the_policy_holds_the_hash_that_browsers_compute() {
        // printf '' | openssl dgst -sha256 -binary | base64
        assert_eq!(base64_of_hex(&sha256(b"")), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }
}
