//! Does an `Action` or `Resource` element match? Policy variables are replaced here.
//!
//! - <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_action.html>
//! - <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
//! - <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use super::context::{Context, Known};
use super::glob::{self, Tok};
use super::interest::ActionId;
use super::policy::{Actions, Pattern, Resources, Statement};
use super::truth::Truth;

/// The action that is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asked<'a> {
    /// In lower case; may have wildcards, and then every action they match is asked about.
    Name(&'a str),
    /// An action of interest, looked up when the document was read.
    Id(ActionId),
}

impl Statement {
    /// Does the `Action` or `NotAction` element match?
    pub(crate) fn acts_on(&self, asked: Asked<'_>) -> Truth {
        match asked {
            Asked::Name(name) => self.actions.matches(name),
            Asked::Id(id) => Truth::from(self.interest.contains(id)),
        }
    }
}

impl Actions {
    /// The action in lower case, with or without wildcards.
    pub(crate) fn matches(&self, lower: &str) -> Truth {
        let found = if glob::is_glob(lower) {
            let asked = glob::tokens(lower);
            any(self.patterns.iter().map(|pattern| {
                let pattern = glob::tokens(&pattern.to_ascii_lowercase());
                relation(&pattern, &asked)
            }))
        } else {
            let mut patterns = self.patterns.iter();
            Truth::from(patterns.any(|pattern| glob::matches_lower(pattern, lower)))
        };
        found.negate_if(self.negated)
    }
}

/// Does a pattern match all, some or none of what another stands for?
pub(crate) fn relation(pattern: &[Tok], asked: &[Tok]) -> Truth {
    if glob::covers(pattern, asked) {
        Truth::True
    } else if glob::overlaps(pattern, asked) {
        Truth::Maybe
    } else {
        Truth::False
    }
}

/// Or over an iterator, stopping at the first that is certain.
fn any(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut result = Truth::False;
    for truth in truths {
        result = result.or(truth);
        if result.is_true() {
            break;
        }
    }
    result
}

impl Resources {
    /// Does the element match the resource? A resource with wildcards stands for every resource that
    /// they match, so `*` asks about any resource at all.
    pub(crate) fn matches(&self, resource: &str, context: &Context) -> Truth {
        any(self.patterns.iter().map(|pattern| pattern.matches_resource(resource, context, self.negated)))
            .negate_if(self.negated)
    }
}

impl Pattern {
    fn matches_resource(&self, resource: &str, context: &Context, negated: bool) -> Truth {
        if &*self.text == "*" {
            return Truth::True;
        }
        if !self.variables {
            if !glob::is_glob(resource) {
                return plain_resource(&self.text, resource);
            }
            return relation(&glob::tokens(&self.text), &glob::tokens(resource));
        }
        let replaced = replace(&self.text, Wildcards::Active, context);
        if replaced.missing {
            // A variable without a value matches nothing. Where that would make the statement apply,
            // remember that it "might cause the entire statement to be invalid".
            return if negated { Truth::Maybe } else { Truth::False };
        }
        let truth = if glob::is_glob(resource) {
            relation(&replaced.tokens, &glob::tokens(resource))
        } else if !glob::matches_tokens(&replaced.tokens, resource) {
            Truth::False
        } else if glob::matches_segments(&replaced.tokens, resource) == Some(true) {
            Truth::True
        } else {
            Truth::Maybe
        };
        replaced.soften(truth)
    }

    /// True if the resource element reaches every resource.
    pub(crate) fn is_everything(&self) -> bool {
        !self.text.is_empty() && self.text.bytes().all(|byte| byte == b'*')
    }
}

/// A resource pattern without variables against one resource.
fn plain_resource(pattern: &str, resource: &str) -> Truth {
    if !glob::matches(pattern, resource) {
        return Truth::False;
    }
    // Whole-string globbing says yes. Where segment by segment it would be no, nobody can tell.
    if same_segments(pattern, resource) {
        return Truth::True;
    }
    match glob::matches_segments(&glob::tokens(pattern), resource) {
        Some(true) => Truth::True,
        _ => Truth::Maybe,
    }
}

/// The quick way to see that segments match one by one.
fn same_segments(pattern: &str, resource: &str) -> bool {
    let mut left = pattern.splitn(6, ':');
    let mut right = resource.splitn(6, ':');
    loop {
        match (left.next(), right.next()) {
            (Some(a), Some(b)) if a == b || glob::matches(a, b) => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// What `*` and `?` of the policy text mean.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Active,
    /// Literal characters, as in `StringEquals`.
    Literal,
}

/// A text whose policy variables have been replaced as far as they are known.
pub(crate) struct Replaced {
    pub tokens: Vec<Tok>,
    /// A variable's value is unknown: a star stands in for it.
    pub uncertain: bool,
    /// A variable has no value in this request, and no default.
    pub missing: bool,
}

impl Replaced {
    /// What a match found with the stand-ins is worth.
    pub(super) fn soften(&self, truth: Truth) -> Truth {
        if truth.is_true() && self.uncertain { Truth::Maybe } else { truth }
    }
}

/// Replaces `${key}`, `${key, 'default'}`, `${*}`, `${?}` and `${$}`.
pub(crate) fn replace(text: &str, wildcards: Wildcards, context: &Context) -> Replaced {
    let mut result = Replaced { tokens: Vec::with_capacity(text.len()), uncertain: false, missing: false };
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        result.push(&rest[..start], wildcards);
        result.variable(&rest[start + 2..start + length], context);
        rest = &rest[start + length + 1..];
    }
    result.push(rest, wildcards);
    result
}

impl Replaced {
    fn push(&mut self, text: &str, wildcards: Wildcards) {
        match wildcards {
            Wildcards::Active => self.tokens.extend(glob::tokens(text)),
            Wildcards::Literal => self.literal(text),
        }
    }

    fn literal(&mut self, text: &str) {
        self.tokens.extend(text.bytes().map(Tok::Byte));
    }

    fn variable(&mut self, inside: &str, context: &Context) {
        if matches!(inside, "*" | "?" | "$") {
            return self.literal(inside);
        }
        let (key, default) = match inside.split_once(',') {
            Some((key, default)) => (key, Some(default.trim())),
            None => (inside, None),
        };
        match context.get(&key.trim().to_lowercase()) {
            Known::Present([value]) => self.literal(value),
            Known::Absent => match default.and_then(unquote) {
                Some(default) => self.literal(default),
                None => {
                    self.missing = true;
                    self.tokens.push(Tok::Star);
                }
            },
            // Several values cannot replace a variable.
            Known::Present(_) | Known::Unknown => {
                self.uncertain = true;
                self.tokens.push(Tok::Star);
            }
        }
    }
}

fn unquote(default: &str) -> Option<&str> {
    default.strip_prefix('\'')?.strip_suffix('\'')
}

/// The variables of a text, in lower case, without their defaults.
pub(crate) fn variables(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        let inside = &rest[start + 2..start + length];
        if !matches!(inside, "*" | "?" | "$") {
            let key = inside.split(',').next().unwrap_or(inside);
            found.push(key.trim().to_lowercase());
        }
        rest = &rest[start + length + 1..];
    }
    found
}
