//! Policy documents: what was written, taken apart but not judged.
//!
//! The grammar is
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>. A document that is
//! not JSON, or not a policy, is an error. A statement with something in it that we do not know is kept,
//! marked with its [problem](Statement::problem): everything it could decide is then unknown.

mod parse;

use std::borrow::Cow;

use thiserror::Error;

use super::condition::Clause;
use super::interest::Bits;

/// Documents beyond this many bytes are refused. Customers' have 10 KB or so at most
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>), but AWS's own policies are not bound by
/// that: some have more than 70 KB.
pub const MAX_DOCUMENT_BYTES: usize = 1 << 20;

/// Why a text is not a policy document.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// The text is longer than [`MAX_DOCUMENT_BYTES`].
    #[error("policy document of {0} bytes is larger than any that AWS accepts")]
    TooLarge(usize),
    /// The text is not JSON, is nested too deeply, or repeats a key within one object.
    #[error("policy document is not acceptable JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The JSON is not a policy.
    #[error("not a policy document: {0}")]
    Shape(String),
}

/// The `Version` of the policy language.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `2008-10-17`, also when the element is missing: `${...}` is literal text.
    V2008,
    /// `2012-10-17`: policy variables are replaced.
    V2012,
}

/// What a statement does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// Grants.
    Allow,
    /// Forbids, whatever else is granted.
    Deny,
    /// The element is missing or misspelt (it is case-sensitive).
    Unreadable,
}

/// One policy document.
#[derive(Clone, Debug)]
pub struct Document {
    /// The policy language it is written in.
    pub version: Version,
    /// Its statements, in order.
    pub statements: Vec<Statement>,
}

/// One statement of a document.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Its name, if it has one.
    pub sid: Option<String>,
    /// Whether it grants or forbids.
    pub effect: Effect,
    /// What was found in it that the engine does not understand; such a statement decides nothing and
    /// makes the answer unknown.
    pub problem: Option<String>,
    pub(crate) actions: Actions,
    pub(crate) resources: Option<Resources>,
    pub(crate) principals: Option<Principals>,
    pub(crate) conditions: Vec<Clause>,
    /// Which of the actions of interest the `Action` element reaches.
    pub(crate) interest: Bits,
}

/// `Action` or `NotAction`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actions {
    pub negated: bool,
    pub patterns: Vec<Box<str>>,
}

/// `Resource` or `NotResource`.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    pub negated: bool,
    pub patterns: Vec<Pattern>,
}

/// A text with wildcards and perhaps policy variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pub text: Box<str>,
    /// There are policy variables in it, and the document's version gives them meaning.
    pub variables: bool,
}

/// `Principal` or `NotPrincipal`.
#[derive(Clone, Debug)]
pub(crate) struct Principals {
    pub negated: bool,
    pub entries: Vec<PrincipalEntry>,
}

/// One value of a principal element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PrincipalEntry {
    pub kind: PrincipalKind,
    pub value: String,
}

/// The key a principal stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PrincipalKind {
    /// A bare `"*"`.
    Anyone,
    Aws,
    Federated,
    Service,
    CanonicalUser,
}

impl Document {
    /// Reads a policy document from JSON text.
    ///
    /// # Errors
    ///
    /// If the text is too long, not JSON, nested too deeply, repeats a key within one object, or is not
    /// shaped like a policy. Trouble inside a statement is no error: see [`Statement::problem`].
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::document(text)
    }

    /// The first thing in the document that the engine does not understand.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        self.statements.iter().enumerate().find_map(|(index, statement)| {
            let problem = statement.problem.as_ref()?;
            Some(format!("statement {index}: {problem}"))
        })
    }
}

impl Statement {
    /// The actions as written, and whether they are a `NotAction`.
    pub fn actions(&self) -> (bool, impl Iterator<Item = &str>) {
        (self.actions.negated, self.actions.patterns.iter().map(AsRef::as_ref))
    }

    /// The resources as written, and whether they are a `NotResource`; nothing if there are none.
    #[must_use]
    pub fn resources(&self) -> Option<(bool, Vec<&str>)> {
        let resources = self.resources.as_ref()?;
        let patterns = resources.patterns.iter().map(|p| p.text.as_ref());
        Some((resources.negated, patterns.collect()))
    }

    /// The names of the condition keys it depends on, in lower case.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        self.conditions.iter().map(|clause| clause.key.as_ref())
    }
}

/// The document as JSON text: percent-decoded once if IAM handed it over percent-encoded (RFC 3986, so
/// that `+` is a plus), unchanged otherwise.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html>
#[must_use]
pub fn decode_document(text: &str) -> Cow<'_, str> {
    let trimmed = text.trim_start();
    if trimmed.starts_with('{') || !trimmed.contains('%') {
        return Cow::Borrowed(text);
    }
    percent_encoding::percent_decode_str(text).decode_utf8().unwrap_or(Cow::Borrowed(text))
}
