//! What became of a call.
//!
//! The rule that the whole program rests on: nothing that was not collected completely can be
//! read as an answer. An [`Outcome`] hands out its value only together with that fact.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Why a call gave no complete answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// AWS refused: the caller may not, or its credentials are not accepted (any more).
    Denied,
    /// The call failed, was throttled out, cut off, or its answer could not be read.
    Failed,
    /// The call was not made or its document was not supplied.
    NotCollected,
}

impl fmt::Display for GapKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GapKind::Denied => "denied",
            GapKind::Failed => "failed",
            GapKind::NotCollected => "not collected",
        })
    }
}

/// A call without a complete answer, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// What happened.
    pub kind: GapKind,
    /// The cause in words, with AWS's error code where there is one.
    pub reason: String,
}

impl Gap {
    /// A gap of some kind with its reason.
    pub fn new(kind: GapKind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into() }
    }

    /// The gap of a call that was never made.
    pub fn not_collected(reason: impl Into<String>) -> Self {
        Self::new(GapKind::NotCollected, reason)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.reason)
    }
}

/// The outcome of one call.
#[derive(Clone, Debug)]
pub enum Outcome<T> {
    /// Answered completely.
    Collected(T),
    /// AWS says that there is none: a fact, declared per operation.
    Absent,
    /// No complete answer. What came before the call broke off is kept as evidence.
    Missing {
        /// Why.
        gap: Gap,
        /// The pages that did arrive.
        partial: Option<T>,
    },
}

impl<T> Outcome<T> {
    /// A call that gave nothing.
    pub fn missing(gap: Gap) -> Self {
        Outcome::Missing { gap, partial: None }
    }

    /// The complete answer, if there is one.
    pub fn collected(&self) -> Option<&T> {
        match self {
            Outcome::Collected(value) => Some(value),
            _ => None,
        }
    }

    /// Whatever arrived, complete or not. For lists of what is there, never for what is not.
    pub fn arrived(&self) -> Option<&T> {
        match self {
            Outcome::Collected(value) | Outcome::Missing { partial: Some(value), .. } => Some(value),
            _ => None,
        }
    }

    /// Why the answer is not complete, if it is not.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Outcome::Missing { gap, .. } => Some(gap),
            _ => None,
        }
    }

    /// The same outcome of another value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Outcome<U> {
        match self {
            Outcome::Collected(value) => Outcome::Collected(f(value)),
            Outcome::Absent => Outcome::Absent,
            Outcome::Missing { gap, partial } => Outcome::Missing { gap, partial: partial.map(f) },
        }
    }

    /// The same outcome of another value, unless the answer turns out not to say it.
    pub fn and_then<U>(self, f: impl FnOnce(T) -> Result<U, Gap>) -> Outcome<U> {
        match self {
            Outcome::Collected(value) => match f(value) {
                Ok(value) => Outcome::Collected(value),
                Err(gap) => Outcome::missing(gap),
            },
            Outcome::Absent => Outcome::Absent,
            Outcome::Missing { gap, .. } => Outcome::missing(gap),
        }
    }

    /// The same outcome, borrowed.
    pub fn as_ref(&self) -> Outcome<&T> {
        match self {
            Outcome::Collected(value) => Outcome::Collected(value),
            Outcome::Absent => Outcome::Absent,
            Outcome::Missing { gap, partial } => Outcome::Missing { gap: gap.clone(), partial: partial.as_ref() },
        }
    }

    /// The design's word for the outcome: collected, absent, denied, failed or not collected.
    pub fn word(&self) -> String {
        match self {
            Outcome::Collected(_) => "collected".to_owned(),
            Outcome::Absent => "absent".to_owned(),
            Outcome::Missing { gap, .. } => gap.kind.to_string(),
        }
    }
}
