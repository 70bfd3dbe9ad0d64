//! Checks: one testable assertion over one kind of resource.

use crate::evidence::Operation;
use crate::finding::{Severity, Status};
use crate::resource::{Field, Kind, Value};
use std::collections::{BTreeMap, BTreeSet};

/// One check.
#[derive(Debug)]
pub struct Check {
    /// The id: kebab-case, stable.
    pub id: String,
    /// The assertion, in words, as what should be so: "Console users have MFA".
    pub title: String,
    /// The kind of resource that it judges.
    pub resource: Kind,
    /// Which resources it concerns; all if there is none.
    pub scope: Option<Expression>,
    /// Why a resource out of scope is not judged, in words.
    pub scope_reason: Option<String>,
    /// What must hold.
    pub pass: Expression,
    /// How bad a failure is.
    pub severity: Severity,
    /// What a failure says. `{field}` stands for the field's value, `{parameters.name}` for a parameter's.
    pub message: String,
    /// What to do about a failure.
    pub remediation: String,
    /// Source identifiers of Config rules that ask the same; AWS's own verdict is shown beside ours.
    pub config_rules: Vec<String>,
    /// Why a Config rule may say otherwise than the check.
    pub config_rules_note: Option<String>,
    /// Pages that the check rests on.
    pub references: Vec<String>,
    /// Examples with their outcome.
    pub cases: Vec<Case>,
    /// The file that it was read from, below `controls/`.
    pub file: String,
}

/// An expression over a resource's fields.
#[derive(Debug)]
pub struct Expression {
    /// The text in the file.
    pub text: String,
    /// The fields that it reads.
    pub fields: Vec<&'static Field>,
    /// The fields of the account that it reads, as `account.field`.
    pub account_fields: Vec<&'static Field>,
    /// The parameters that it reads.
    pub parameters: Vec<String>,
}

/// An example: fields given, outcome expected. A field that is not given was not collected.
#[derive(Debug)]
pub struct Case {
    /// What the example shows.
    pub name: String,
    /// The fields.
    pub given: BTreeMap<String, Value>,
    /// Fields of the account.
    pub account: BTreeMap<String, Value>,
    /// Parameters other than the default.
    pub parameters: BTreeMap<String, Value>,
    /// The outcome.
    pub expect: Status,
}

impl Check {
    /// Every field that the check reads, of its resource and of the account.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        let expressions = self.scope.iter().chain([&self.pass]);
        expressions.flat_map(|e| e.fields.iter().chain(&e.account_fields).copied())
    }

    /// The calls that supply them, and those that list the population.
    pub fn operations(&self) -> BTreeSet<Operation> {
        let fields = self.fields().flat_map(|field| field.calls.iter().copied());
        fields.chain(self.resource.schema().population.iter().copied()).collect()
    }
}
