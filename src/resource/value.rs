//! The values of fields.

use crate::evidence::{CallId, Operation};
use litemap::LiteMap;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A value that a check can read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// A fact of absence: no password, never used, no boundary.
    Null,
    /// True or false.
    Bool(bool),
    /// A count, a number of days or seconds.
    Int(i64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// Values by name.
    Map(LiteMap<String, Value>),
}

/// A field's value, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// The value.
    Known(Value),
    /// Why there is none. Shared: one denied call can leave thousands of fields without value.
    Unknown(Arc<Unknown>),
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unknown {
    /// The call that gave no complete answer, or whose answer does not say.
    pub call: CallId,
    /// The reason in words.
    pub reason: String,
}

impl Unknown {
    /// The operation that did not answer.
    pub fn operation(&self) -> Operation {
        self.call.operation
    }
}

impl FieldValue {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&Value> {
        match self {
            FieldValue::Known(value) => Some(value),
            FieldValue::Unknown(_) => None,
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Value::List(values.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<BTreeMap<String, T>> for Value {
    fn from(values: BTreeMap<String, T>) -> Self {
        Value::Map(values.into_iter().map(|(name, value)| (name, value.into())).collect())
    }
}
