//! Checks: one testable assertion over one kind of resource.

mod case;
mod read;

pub use case::Case;
pub(super) use read::{KEYS, id, id_error, is_identifier, read};

use super::error::Source;
use super::expression::Row;
use super::message::Message;
use crate::evidence::Operation;
use crate::finding::Severity;
use crate::resource::{Field, Kind};
use std::collections::BTreeSet;
use std::sync::Arc;

pub use super::expression::Expression;

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
    /// Why a resource out of scope is not judged, in words. Always there when there is a scope.
    pub scope_reason: Option<String>,
    /// What must hold.
    pub pass: Expression,
    /// How bad a failure is.
    pub severity: Severity,
    /// Why a failure is that bad, in a line.
    pub severity_reason: Option<String>,
    /// Why it should be so: what can happen where it is not.
    pub rationale: Option<String>,
    /// Which AWS Config rules it judges, where it judges only some; only for checks on `config.rule`.
    pub rule: Option<RuleSelector>,
    /// What a failure says.
    pub message: Message,
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
    /// The text of that file.
    pub(super) source: Arc<Source>,
}

/// Which AWS Config rules a check judges. Others are no rows of its population: where none is left, there is no
/// evidence, because no such rule is deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleSelector {
    /// Those of one source identifier.
    Identifier(String),
    /// Those of a name, in which `*` stands for anything.
    Name(String),
    /// Those that no other check selects.
    Others,
}

impl RuleSelector {
    /// The word for [`RuleSelector::Others`] in a file.
    pub const OTHERS: &'static str = "others";

    /// Whether it selects a rule, by its name and source identifier. Others are not known by themselves.
    pub fn selects(&self, name: &str, identifier: Option<&str>) -> bool {
        match self {
            RuleSelector::Identifier(wanted) => identifier == Some(wanted),
            RuleSelector::Name(pattern) => matches(pattern, name),
            RuleSelector::Others => false,
        }
    }
}

/// Whether a name is as a pattern says, in which `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| name.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// What a check says about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The assertion holds, and all fields that the check reads are known.
    Pass,
    /// The assertion does not hold, whatever the fields that are not known may be.
    Fail,
    /// The resource is out of scope.
    NotApplicable,
    /// It cannot be said. The reason is that of the expression, for where all fields are known and it failed.
    Unknown(String),
}

impl Check {
    /// Every field that the verdict rests on, of its resource and of the account.
    pub fn fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.own_fields().chain(self.account_fields())
    }

    /// Every field of the resource that the verdict rests on.
    pub fn own_fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.expressions().flat_map(|e| e.fields.iter().copied())
    }

    /// Every field of the account that the verdict rests on.
    pub fn account_fields(&self) -> impl Iterator<Item = &'static Field> + '_ {
        self.expressions().flat_map(|e| e.account_fields.iter().copied())
    }

    /// Every parameter that the verdict rests on.
    pub fn parameters(&self) -> BTreeSet<&str> {
        self.expressions().flat_map(|e| e.parameters.iter().map(String::as_str)).collect()
    }

    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        self.scope.iter().chain([&self.pass])
    }

    /// The calls that supply the fields that it reads or shows, and those that list the population.
    pub fn operations(&self) -> BTreeSet<Operation> {
        let shown = self.message.fields().chain(self.message.account_fields());
        let fields = self.fields().chain(shown).flat_map(|field| field.calls.iter().copied());
        // A verdict of AWS counts only while the Region's recorder runs and the rule evaluates.
        let ages = [Kind::Recorder.field("recording"), Kind::ConfigRule.field("last_success_hours")];
        let ages = ages.into_iter().flatten().filter(|_| self.rule.is_some()).flat_map(|field| field.calls);
        let population = self.resource.schema().population;
        fields.chain(population.iter().copied()).chain(ages.copied()).collect()
    }

    /// The verdict on a row of which the known fields are declared. `whole` says whether every field that the check
    /// reads is known: without that nothing passes, however the expression comes out.
    pub fn judge(&self, row: &Row<'_>, whole: bool) -> Verdict {
        match self.scope.as_ref().map(|scope| scope.evaluate(row)) {
            Some(Ok(false)) => return Verdict::NotApplicable,
            Some(Err(reason)) => return Verdict::Unknown(reason),
            Some(Ok(true)) | None => {}
        }
        match self.pass.evaluate(row) {
            Ok(false) => Verdict::Fail,
            Ok(true) if whole => Verdict::Pass,
            Ok(true) => Verdict::Unknown("a field that the check reads is not known".to_owned()),
            Err(reason) => Verdict::Unknown(reason),
        }
    }
}
