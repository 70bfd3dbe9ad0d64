//! What a request needs on a path, by counter-example.
//!
//! Something is required if no request without it is allowed. A request counts as allowed if the Allow
//! statement's conditions are not certainly false and no Deny certainly applies: a *maybe* is a witness
//! that some request gets through.
//!
//! MFA keys: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-multifactorauthpresent>

use serde::Serialize;

use super::{AssumeAction, PathKind};
use crate::iam::condition::{self, Clause, Test};
use crate::iam::context::Context;
use crate::iam::glob;
use crate::iam::policy::Statement;
use crate::iam::truth::Truth;

/// A value that no policy names.
pub(super) const FRESH: &str = "auditpack-fresh-5b1e0c7d";

/// In seconds, older than any session of AWS.
const NO_AGE: u64 = 1 << 40;

const EXTERNAL_ID: &str = "sts:ExternalId";
const MFA_PRESENT: &str = "aws:MultiFactorAuthPresent";
const MFA_AGE: &str = "aws:MultiFactorAuthAge";
const SESSION_NAME: &str = "sts:RoleSessionName";
const SOURCE_IDENTITY: &str = "sts:SourceIdentity";
const SOURCE_SESSION: &str = "aws:SourceIdentity";

/// Whether something is required.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "requirement", rename_all = "kebab-case")]
pub enum Requirement {
    /// No request without it is allowed, and not any value will do.
    Required,
    /// It must be there, but any value will do.
    RequiredButAnyValue,
    /// It must fit a pattern, so that many values will do.
    RequiredButPattern,
    /// A request without it is allowed.
    NotRequired {
        /// Which one.
        counter_example: String,
    },
    /// The question makes no sense for such a path.
    NotApplicable,
    /// There is no path of which it could be asked.
    NoPath,
    /// A statement that could decide it cannot be read.
    Unknown {
        /// What it is.
        reason: String,
    },
}

impl Requirement {
    /// The stable id.
    #[must_use]
    pub fn id(&self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::RequiredButAnyValue => "required-but-any-value",
            Self::RequiredButPattern => "required-but-pattern",
            Self::NotRequired { .. } => "not-required",
            Self::NotApplicable => "not-applicable",
            Self::NoPath => "no-path",
            Self::Unknown { .. } => "unknown",
        }
    }

    /// The weakest of several; [`Self::NoPath`] of none.
    #[must_use]
    pub fn weakest<'r>(all: impl Iterator<Item = &'r Self>) -> Self {
        worst(all, None)
    }

    fn rank(&self) -> u8 {
        match self {
            Self::NoPath | Self::NotApplicable => 0,
            Self::Required => 1,
            Self::RequiredButPattern => 2,
            Self::RequiredButAnyValue => 3,
            Self::Unknown { .. } => 4,
            Self::NotRequired { .. } => 5,
        }
    }
}

/// The weakest of several; `unseen` says that there may be paths that nobody could read.
pub(super) fn worst<'r>(all: impl Iterator<Item = &'r Requirement>, unseen: Option<&str>) -> Requirement {
    let worst = all.filter(|one| one.rank() > 0).max_by_key(|one| one.rank()).cloned().unwrap_or(Requirement::NoPath);
    match unseen {
        Some(reason) if worst.rank() < 5 => Requirement::Unknown { reason: reason.to_owned() },
        _ => worst,
    }
}

/// How old a sign-in with MFA may be on a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "mfa_limit", rename_all = "kebab-case")]
pub enum MfaLimit {
    /// Of any age, or none at all is needed.
    None,
    /// No older than this; 0 where no request gets through.
    Seconds {
        /// In seconds.
        seconds: u64,
    },
    /// A statement that could decide it cannot be read.
    Unknown {
        /// What it is.
        reason: String,
    },
}

/// What a request needs on one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Requirements {
    /// `sts:ExternalId`.
    pub external_id: Requirement,
    /// A second factor.
    pub mfa: Requirement,
    /// A second factor that is not older than asked.
    pub mfa_age: Requirement,
    /// How old it may be, whatever was asked.
    pub mfa_limit: MfaLimit,
    /// A session name that the caller cannot choose freely.
    pub session_name: Requirement,
    /// A source identity.
    pub source_identity: Requirement,
}

/// A path, to be asked.
pub(super) struct Asking<'a> {
    pub statement: &'a Statement,
    /// The Deny statements that certainly cover its principal and action.
    pub denies: Vec<&'a Statement>,
    /// What is known of every request on the path.
    pub base: Context,
    pub action: AssumeAction,
    pub kind: PathKind,
    pub max_mfa_age: u64,
    /// A Deny statement that could not be read.
    pub unclear_deny: Option<&'a str>,
}

impl Asking<'_> {
    /// Might the request get through?
    pub(super) fn allowed(&self, context: &Context) -> bool {
        condition::all_hold(&self.statement.conditions, context).is_possible()
            && !self.denies.iter().any(|deny| condition::all_hold(&deny.conditions, context).is_true())
    }

    /// Can any request take the path?
    pub(super) fn open(&self) -> Truth {
        let allow = condition::all_hold(&self.statement.conditions, &self.base);
        let denies = self.denies.iter();
        denies.fold(allow, |open, deny| open.and(condition::all_hold(&deny.conditions, &self.base).negate()))
    }

    /// The conditions that decide the path.
    pub(super) fn clauses(&self) -> impl Iterator<Item = &Clause> {
        let denies = self.denies.iter().flat_map(|deny| &deny.conditions);
        self.statement.conditions.iter().chain(denies)
    }

    pub(super) fn requirements(&self) -> Requirements {
        let by_caller = self.action == AssumeAction::AssumeRole && self.kind != PathKind::Service;
        let named = by_caller || self.action == AssumeAction::WithWebIdentity;
        let not_applicable = Requirement::NotApplicable;
        Requirements {
            external_id: match self.kind {
                PathKind::Service => not_applicable.clone(),
                _ => self.external_id(),
            },
            mfa: self.mfa(),
            mfa_age: self.mfa_age(),
            mfa_limit: self.mfa_limit(),
            session_name: if named { self.session_name() } else { not_applicable.clone() },
            source_identity: match self.kind {
                PathKind::Service => not_applicable,
                _ => self.source_identity(),
            },
        }
    }

    fn external_id(&self) -> Requirement {
        let without = self.base.clone().without(EXTERNAL_ID);
        if self.allowed(&without) {
            return self.weak(Requirement::NotRequired { counter_example: format!("a request without {EXTERNAL_ID}") });
        }
        self.strength(EXTERNAL_ID, &self.base)
    }

    /// How freely the value of a key that must be there can be chosen.
    fn strength(&self, key: &str, base: &Context) -> Requirement {
        if self.can_be_absent_only(key) {
            return Requirement::Required;
        }
        if self.allowed(&base.clone().with(key, FRESH)) {
            return self.weak(Requirement::RequiredButAnyValue);
        }
        let lower = key.to_lowercase();
        let patterns = self
            .clauses()
            .filter(|clause| *clause.key == *lower && matches!(clause.operator.test, Test::Like | Test::Arn))
            .flat_map(|clause| &clause.written)
            .filter(|value| glob::is_glob(value) && !value.contains("${"));
        for pattern in patterns {
            let instance = pattern.replace('*', FRESH).replace('?', "q");
            if self.allowed(&base.clone().with(key, instance)) {
                return self.weak(Requirement::RequiredButPattern);
            }
        }
        Requirement::Required
    }

    /// On paths on which the key cannot exist there is no value to choose.
    fn can_be_absent_only(&self, key: &str) -> bool {
        key == EXTERNAL_ID && (self.action != AssumeAction::AssumeRole || self.kind == PathKind::Service)
    }

    /// A weakness stands only if no unreadable Deny might make up for it.
    fn weak(&self, requirement: Requirement) -> Requirement {
        match self.unclear_deny {
            Some(reason) => Requirement::Unknown { reason: reason.to_owned() },
            None => requirement,
        }
    }

    /// Requests without a second factor: long-term keys and federated identities do not carry the key at
    /// all, temporary credentials without MFA carry *false*.
    fn without_mfa(&self) -> Vec<(String, Context)> {
        let base = self.base.clone().without(MFA_AGE);
        let mut requests = vec![(
            format!("a request that does not carry {MFA_PRESENT} (long-term keys, federated identities)"),
            base.clone().without(MFA_PRESENT),
        )];
        if self.action == AssumeAction::AssumeRole && self.kind != PathKind::Service {
            requests.push((format!("a request with {MFA_PRESENT} = false"), base.with(MFA_PRESENT, "false")));
        }
        requests
    }

    fn mfa(&self) -> Requirement {
        self.refuses(self.without_mfa())
    }

    fn mfa_age(&self) -> Requirement {
        let mut requests = self.without_mfa();
        if self.action == AssumeAction::AssumeRole && self.kind != PathKind::Service {
            let limit = self.max_mfa_age;
            let thresholds = self.mfa_thresholds();
            let mut ages: Vec<u64> = [limit + 1, limit.saturating_mul(2), 36 * 3600, NO_AGE]
                .into_iter()
                .chain(thresholds)
                .filter(|age| *age > limit)
                .collect();
            ages.sort_unstable();
            ages.dedup();
            requests.extend(ages.into_iter().map(|age| {
                let context = self.base.clone().with(MFA_PRESENT, "true");
                (format!("a request with {MFA_AGE} = {age}"), context.with(MFA_AGE, age.to_string()))
            }));
        }
        self.refuses(requests)
    }

    /// The oldest sign-in with MFA that gets through. Conditions compare with the thresholds that they name, so
    /// that between two of those all ages fare the same.
    fn mfa_limit(&self) -> MfaLimit {
        let weak = |limit| match self.unclear_deny {
            Some(reason) => MfaLimit::Unknown { reason: reason.to_owned() },
            None => limit,
        };
        if !matches!(self.mfa(), Requirement::Required) {
            return weak(MfaLimit::None);
        }
        if self.action != AssumeAction::AssumeRole || self.kind == PathKind::Service {
            return MfaLimit::Seconds { seconds: 0 };
        }
        let passes = |age: &u64| {
            let context = self.base.clone().with(MFA_PRESENT, "true");
            self.allowed(&context.with(MFA_AGE, age.to_string()))
        };
        if passes(&NO_AGE) {
            return weak(MfaLimit::None);
        }
        let seconds = self.mfa_thresholds().chain([0]).filter(passes).max().unwrap_or(0);
        weak(MfaLimit::Seconds { seconds })
    }

    /// The ages at which conditions change their mind, and those beside them.
    fn mfa_thresholds(&self) -> impl Iterator<Item = u64> {
        let key = MFA_AGE.to_lowercase();
        self.clauses()
            .filter(move |clause| *clause.key == *key)
            .flat_map(|clause| &clause.written)
            .filter_map(|text| text.parse::<f64>().ok())
            .filter(|age| (0.0..1e15).contains(age))
            // In whole seconds, and bounded just now.
            .map(|age| age as u64)
            .flat_map(|age| [age.saturating_sub(1), age, age + 1])
    }

    /// Required if every one of the requests is refused.
    fn refuses(&self, requests: Vec<(String, Context)>) -> Requirement {
        for (counter_example, context) in requests {
            if self.allowed(&context) {
                return self.weak(Requirement::NotRequired { counter_example });
            }
        }
        Requirement::Required
    }

    /// The session name is chosen by the caller unless the policy pins it.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#ck_rolesessionname>
    fn session_name(&self) -> Requirement {
        let base = self.somebody();
        if self.allowed(&base.clone().with(SESSION_NAME, FRESH)) {
            return self.weak(Requirement::NotRequired {
                counter_example: format!("a request with a freely chosen {SESSION_NAME}"),
            });
        }
        self.strength(SESSION_NAME, &base)
    }

    fn source_identity(&self) -> Requirement {
        let base = self.somebody();
        let without = base.clone().without(SOURCE_IDENTITY).without(SOURCE_SESSION);
        if self.allowed(&without) {
            return self
                .weak(Requirement::NotRequired { counter_example: format!("a request without {SOURCE_IDENTITY}") });
        }
        // A source identity is set here, or was by an earlier role of the chain and stays
        // (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html).
        let set_here = base.clone().without(SOURCE_SESSION);
        let kept = base.without(SOURCE_IDENTITY);
        let strengths = [self.strength(SOURCE_IDENTITY, &set_here), self.strength(SOURCE_SESSION, &kept)];
        Requirement::weakest(strengths.iter())
    }

    /// A caller with a name, so that `${aws:username}` pins something.
    fn somebody(&self) -> Context {
        if self.base.knows("aws:username") {
            return self.base.clone();
        }
        self.base.clone().with("aws:username", "auditpack-caller")
    }

    /// The values of a key that the policy names and accepts.
    pub(super) fn accepted(&self, lower_case_key: &str) -> Vec<String> {
        let mut values: Vec<String> = self
            .clauses()
            .filter(|clause| *clause.key == *lower_case_key && clause.operator.test != Test::Null)
            .flat_map(|clause| clause.written.iter().cloned())
            .collect();
        values.sort();
        values.dedup();
        let known = |value: &String| !glob::is_glob(value) && !value.contains("${");
        values.retain(|value| known(value) && self.allowed(&self.base.clone().with(lower_case_key, value)));
        values
    }
}
