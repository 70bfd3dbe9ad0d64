//! Findings: the outcome of one check for one resource.

use crate::evidence::{Operation, Timestamp};
use serde::{Deserialize, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

pub use crate::evidence::Text;

/// The outcome of a check. The order is that of badness: a requirement shows the worst of its findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The assertion does not concern the resource, or there is no resource of the kind.
    NotApplicable,
    /// The assertion holds, and everything that it rests on was collected completely.
    Pass,
    /// A person must answer.
    Manual,
    /// It cannot be said: something that it rests on was denied, failed, cut short or could not be read.
    Unknown,
    /// The assertion does not hold.
    Fail,
}

/// How bad a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Low,
    /// To be mended in the ordinary course.
    Medium,
    /// A common audit exception.
    High,
    /// The account can be lost through it.
    Critical,
}

macro_rules! words {
    ($type:ident, $what:literal: $($variant:ident $word:literal),*) => {
        impl $type {
            /// Every value, least first.
            pub const ALL: &'static [$type] = &[$($type::$variant,)*];

            /// The word for it in files and output.
            pub fn word(self) -> &'static str {
                match self { $($type::$variant => $word,)* }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.word())
            }
        }

        impl FromStr for $type {
            type Err = String;
            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|value| value.word() == text).ok_or_else(|| {
                    format!("`{text}` is no {}: expected {}", $what, [$($word),*].join(", "))
                })
            }
        }
    };
}

words!(Status, "status": NotApplicable "not-applicable", Pass "pass", Manual "manual", Unknown "unknown", Fail "fail");
words!(Severity, "severity": Low "low", Medium "medium", High "high", Critical "critical");

/// Where in the package something can be read: a file, and a JSON pointer (`/UserDetailList/3`) or a line (`L7`) in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Pointer {
    /// The file's path in the package.
    pub file: Text,
    /// The place in it; empty for the whole file.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub at: Text,
}

impl fmt::Display for Pointer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.at.is_empty() { f.write_str(&self.file) } else { write!(f, "{}#{}", self.file, self.at) }
    }
}

/// Which resource a finding is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ResourceRef {
    /// The kind, such as `iam.user`.
    pub kind: String,
    /// The ARN, or what identifies the resource where there is none.
    pub id: String,
    /// The name that people know it by.
    pub name: String,
    /// The Region; `None` for what is global.
    pub region: Option<String>,
}

/// A Config rule that asks the same question as a check, with what it says as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ConfigRule {
    /// The rule's source identifier.
    pub identifier: String,
    /// The rule's name in the account.
    pub rule: String,
    /// The Region of the rule.
    pub region: String,
    /// What the rule says of everything that it looks at: COMPLIANT, NON_COMPLIANT, NOT_APPLICABLE, or `unknown` where AWS
    /// has no verdict or it was not collected.
    pub compliance: String,
}

/// What AWS Config itself says where a Config rule asks the same question as the check.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ConfigVerdict {
    /// The rule.
    #[serde(flatten, serialize_with = "shared")]
    pub rule: Arc<ConfigRule>,
    /// What the rule says about the finding's own resource, where that can be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceVerdict>,
}

fn shared<S: Serializer>(rule: &Arc<ConfigRule>, serializer: S) -> Result<S::Ok, S::Error> {
    rule.as_ref().serialize(serializer)
}

/// What a Config rule says about one resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ResourceVerdict {
    /// The resource by AWS Config's type and id, `AWS::IAM::User AIDA...`: for an access key, its user.
    pub id: Text,
    /// COMPLIANT, NON_COMPLIANT or NOT_APPLICABLE; `none` where the rule has no result for the resource; `unknown`
    /// where the results were not collected completely.
    pub compliance: Text,
}

/// An accepted risk that covers a failure.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Exception {
    /// The check's id.
    pub check: String,
    /// The resource's id or name; `*` stands for any run of characters.
    pub resource: String,
    /// Why the risk is accepted.
    pub reason: String,
    /// Who accepted it.
    pub approver: String,
    /// The first day on which it holds, if that is said.
    #[serde(default)]
    pub granted: Option<chrono::NaiveDate>,
    /// The last day on which it holds, `2026-12-31`.
    pub expires: chrono::NaiveDate,
    /// Where the decision is recorded, if that is said.
    #[serde(default)]
    pub ticket: Option<String>,
}

/// What an exception is at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExceptionState {
    /// It covers failures.
    InForce,
    /// It covers nothing any more.
    Expired,
    /// It covers nothing yet.
    NotYet,
}

impl ExceptionState {
    /// The words for it.
    pub fn word(self) -> &'static str {
        match self {
            ExceptionState::InForce => "in force",
            ExceptionState::Expired => "expired",
            ExceptionState::NotYet => "not yet in force",
        }
    }
}

impl Exception {
    /// Whether it holds at a time: from the beginning of the day on which it was granted through the whole day on
    /// which it expires, in UTC.
    pub fn holds_at(&self, time: Timestamp) -> bool {
        self.state_at(time) == ExceptionState::InForce
    }

    /// What it is at a time.
    pub fn state_at(&self, time: Timestamp) -> ExceptionState {
        let day = time.0.date_naive();
        if day > self.expires {
            ExceptionState::Expired
        } else if self.granted.is_some_and(|granted| day < granted) {
            ExceptionState::NotYet
        } else {
            ExceptionState::InForce
        }
    }
}

/// The outcome of one check for one resource. A large account has hundreds of thousands: what is the same in many is
/// shared by them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The check's id.
    pub check: Text,
    /// The outcome.
    pub status: Status,
    /// The check's severity.
    pub severity: Severity,
    /// The resource; `None` where the finding is about the population as a whole: it is empty, or incomplete.
    pub resource: Option<Arc<ResourceRef>>,
    /// What was found, in a sentence.
    pub message: Text,
    /// Where the package shows it.
    pub evidence: Arc<[Pointer]>,
    /// For unknown: the calls that did not answer.
    pub missing: Box<[Operation]>,
    /// What AWS Config says about the same.
    pub config_rules: Box<[ConfigVerdict]>,
    /// The exception that covers the failure, valid at the as-of time.
    pub exception: Option<Box<Exception>>,
}

impl Finding {
    /// Whether the finding is a failure that no exception covers.
    pub fn is_open_failure(&self) -> bool {
        self.status == Status::Fail && self.exception.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_is_worse_than_unknown_is_worse_than_pass() {
        assert!(Status::Fail > Status::Unknown && Status::Unknown > Status::Manual && Status::Manual > Status::Pass);
        assert!(Severity::Critical > Severity::High && Severity::High > Severity::Medium);
    }

    #[test]
    fn words_are_read_back() {
        for status in Status::ALL {
            assert_eq!(status.word().parse::<Status>().as_ref(), Ok(status));
        }
        for severity in Severity::ALL {
            assert_eq!(severity.word().parse::<Severity>().as_ref(), Ok(severity));
        }
        assert!("severe".parse::<Severity>().unwrap_err().contains("critical"));
    }
}
