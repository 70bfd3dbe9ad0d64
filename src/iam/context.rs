//! What is known about a request: condition keys with their values, keys known to be absent, and
//! everything else, which is unknown.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};

/// The condition keys of a request, as far as they are known.
///
/// Key names are case-insensitive
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html>).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    facts: BTreeMap<String, Fact>,
    /// Of the keys that begin so, all that the request carries are among the facts.
    told: Option<&'static str>,
}

/// What is known about one condition key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fact {
    /// Whatever else was told, nothing is known of this one.
    Open,
    Absent,
    Present(Vec<String>),
}

/// What a context says about a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known<'a> {
    /// Nobody said anything: the key may be absent or have any value.
    Unknown,
    /// The request does not carry the key.
    Absent,
    /// The request carries the key with these values (one, for a single-valued key).
    Present(&'a [String]),
}

impl Context {
    /// A context in which every key is unknown.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same context, in which `key` has the one value `value`.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.set(key, value);
        self
    }

    /// The same context, in which `key` has several values.
    #[must_use]
    pub fn with_values(mut self, key: &str, values: Vec<String>) -> Self {
        self.facts.insert(key.to_lowercase(), Fact::Present(values));
        self
    }

    /// The same context, in which the request does not carry `key`.
    #[must_use]
    pub fn without(mut self, key: &str) -> Self {
        self.set_absent(key);
        self
    }

    /// The same context at a time in seconds since 1970; without one, of a request at any time.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-currenttime>
    #[must_use]
    pub(crate) fn at(mut self, seconds: Option<i64>) -> Self {
        if let Some(time) = seconds.and_then(|seconds| DateTime::from_timestamp(seconds, 0)) {
            self.set("aws:CurrentTime", time.to_rfc3339_opts(SecondsFormat::Secs, true));
            self.set("aws:EpochTime", time.timestamp().to_string());
        }
        self
    }

    /// Says that `key` has the one value `value`.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.facts.insert(key.to_lowercase(), Fact::Present(vec![value.into()]));
    }

    /// Says that the request does not carry `key`.
    pub fn set_absent(&mut self, key: &str) {
        self.facts.insert(key.to_lowercase(), Fact::Absent);
    }

    /// Says that the request carries no other key that begins with `prefix` (in lower case) than those that are known.
    pub(crate) fn tell_all(&mut self, prefix: &'static str) {
        self.told = Some(prefix);
    }

    /// Says that nothing is known of `key`, even if all of its kind were told.
    pub(crate) fn forget(&mut self, key: &str) {
        self.facts.insert(key.to_lowercase(), Fact::Open);
    }

    /// Adds what `other` knows; where both know a key, `other` is right.
    #[must_use]
    pub fn overlaid(mut self, other: &Self) -> Self {
        self.told = self.told.or(other.told);
        for (key, fact) in &other.facts {
            self.facts.insert(key.clone(), fact.clone());
        }
        self
    }

    /// What is known about a key, which must be given in lower case.
    pub(crate) fn get(&self, lower_case_key: &str) -> Known<'_> {
        match self.facts.get(lower_case_key) {
            None if self.told.is_some_and(|prefix| lower_case_key.starts_with(prefix)) => Known::Absent,
            None | Some(Fact::Open) => Known::Unknown,
            Some(Fact::Absent) => Known::Absent,
            Some(Fact::Present(values)) => Known::Present(values),
        }
    }

    /// True if the key, in lower case, is known to be absent or known with its value.
    pub(crate) fn knows(&self, lower_case_key: &str) -> bool {
        !matches!(self.get(lower_case_key), Known::Unknown)
    }
}

impl Context {
    /// The same with all values in lower case, for comparisons that ignore case.
    pub(crate) fn lower_cased(&self) -> Self {
        let lower = |fact: &Fact| match fact {
            Fact::Open => Fact::Open,
            Fact::Absent => Fact::Absent,
            Fact::Present(values) => Fact::Present(values.iter().map(|value| value.to_lowercase()).collect()),
        };
        let facts = self.facts.iter();
        Self { facts: facts.map(|(key, fact)| (key.clone(), lower(fact))).collect(), told: self.told }
    }
}
