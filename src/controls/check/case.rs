//! Cases: examples that a check carries, and the running of them.

use super::{Check, Verdict};
use crate::controls::expression::Surroundings;
use crate::controls::parameter::Parameter;
use crate::finding::Status;
use crate::resource::{Kind, Value};
use std::collections::BTreeMap;
use std::ops::Range;

/// The as-of time of every case.
const AS_OF: &str = "2026-10-01T09:00:00Z";

/// An example: fields given, outcome expected. A field that is not given was not collected.
#[derive(Clone, Debug)]
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
    /// Where it stands in the check's file, in bytes.
    pub span: Range<usize>,
}

impl Case {
    /// The outcome that the check gives.
    pub fn run(&self, check: &Check, parameters: &BTreeMap<String, Parameter>) -> (Status, String) {
        let mut values: BTreeMap<String, Value> =
            parameters.values().map(|p| (p.name.clone(), Value::Int(p.default))).collect();
        values.extend(self.parameters.clone());
        // A check on the account reads the same fields either way.
        let account = if check.resource == Kind::Account { &self.given } else { &self.account };
        let known = |map: &BTreeMap<String, Value>, name: &str| map.contains_key(name);
        let whole = check.own_fields().all(|field| known(&self.given, field.name))
            && check.account_fields().all(|field| known(account, field.name));
        let surroundings = Surroundings::new(account.iter().map(|(k, v)| (k.as_str(), v)), &values, AS_OF);
        let row = surroundings.row(self.given.iter().map(|(k, v)| (k.as_str(), v)));
        match check.judge(&row, whole) {
            Verdict::Pass => (Status::Pass, String::new()),
            Verdict::Fail => (Status::Fail, String::new()),
            Verdict::NotApplicable => (Status::NotApplicable, String::new()),
            Verdict::Unknown(reason) => (Status::Unknown, reason),
        }
    }
}
