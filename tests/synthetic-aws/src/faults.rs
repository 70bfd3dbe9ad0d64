//! Faults: rules that make chosen requests fail in the ways that AWS and networks fail.

mod syntax;

use std::fmt;
use std::time::Duration;

pub use syntax::{FaultSyntaxError, SYNTAX};

/// What happens to a request that a rule hits.
#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    /// AccessDenied (403 in query and REST), AccessDeniedException (400 in JSON).
    Deny,
    /// The protocol's throttling code with this HTTP status (400, 429 or 503).
    Throttle(u16),
    /// InternalFailure (500), ServiceUnavailable (503): this status, the protocol's body.
    Error(u16),
    /// ExpiredToken (query), ExpiredTokenException (JSON, REST).
    ExpiredToken,
    /// The connection closes before any answer.
    Cut,
    /// Half of the body, then a TCP reset.
    Reset,
    /// Half of the body, correctly framed: the JSON or XML just ends.
    Truncate,
    /// The body in sixteen pieces with this pause between them.
    Drip(Duration),
    /// The answer waits for this long.
    Delay(Duration),
    /// Half of the body, then silence on an open connection.
    Stall,
    /// No answer at all on an open connection.
    Hang,
    /// The clock-skew error that the protocol's services answer, with a `Date` of fifteen minutes ahead:
    /// SignatureDoesNotMatch (query), InvalidSignatureException (JSON), both "Signature expired".
    Skew,
    /// RequestTimeTooSkewed, with the same `Date`.
    TooSkewed,
    /// A correct answer whose `Date` header is off by so many seconds.
    Date(i64),
    /// As a Region that is not enabled answers: InvalidClientTokenId (IAM), RegionDisabledException
    /// (STS), UnrecognizedClientException (JSON, REST).
    RegionDisabled,
    /// OptInRequired, 403.
    OptInRequired,
    /// A page with nothing on it and a token, from which the list goes on.
    EmptyPage,
    /// A page that says it is the last, though the list goes on.
    LastPage,
    /// A last page whose token leads back to the second, without end.
    LoopPages,
    /// InvalidNextTokenException, or what the service says for its own kind of token; only requests
    /// that carry a token are hit (and counted).
    InvalidToken,
    /// JSON arrays become text and text becomes numbers; XML values are no longer what their names say.
    WrongTypes,
}

/// Which of the matching requests are hit. The default: all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// Only the n-th matching request, from 1.
    pub nth: Option<u64>,
    /// Not the first n.
    pub after: u64,
    /// Then only every k-th (k, 2k, ... after `after`).
    pub every: Option<u64>,
    /// At most so many hits.
    pub times: Option<u64>,
}

/// One rule. `None` matches everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub kind: FaultKind,
    pub service: Option<String>,
    pub operation: Option<String>,
    pub region: Option<String>,
    /// The request body contains this text (query bodies are percent-encoded).
    pub containing: Option<String>,
    pub when: When,
}

impl Fault {
    /// A rule that hits every request to one operation.
    pub fn new(kind: FaultKind, service: &str, operation: &str) -> Self {
        let some = |s: &str| (s != "*").then(|| s.to_owned());
        Self {
            kind,
            service: some(service),
            operation: some(operation),
            region: None,
            containing: None,
            when: When::default(),
        }
    }

    /// The same rule, for requests whose body contains `text`.
    pub fn containing(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }

    fn matches(&self, request: &Matched<'_>) -> bool {
        let is = |rule: &Option<String>, value: &str| rule.as_deref().is_none_or(|r| r == value);
        is(&self.service, request.service)
            && is(&self.operation, request.operation)
            && is(&self.region, request.region)
            && (self.kind != FaultKind::InvalidToken || request.has_token)
            && self.containing.as_deref().is_none_or(|text| request.body.contains(text))
    }
}

/// What of a request a rule can see.
pub(crate) struct Matched<'a> {
    pub(crate) service: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) region: &'a str,
    pub(crate) body: &'a str,
    pub(crate) has_token: bool,
}

/// A rule with its counters.
struct Armed {
    fault: Fault,
    seen: u64,
    hits: u64,
}

impl Armed {
    fn hit(&mut self, request: &Matched<'_>) -> bool {
        if !self.fault.matches(request) {
            return false;
        }
        self.seen += 1;
        let when = &self.fault.when;
        let past = self.seen.saturating_sub(when.after);
        let due = when.nth.is_none_or(|n| self.seen == n)
            && past > 0
            && when.every.is_none_or(|k| k > 0 && past.is_multiple_of(k))
            && when.times.is_none_or(|t| self.hits < t);
        self.hits += u64::from(due);
        due
    }
}

/// The rules of a running server. Each rule counts the requests that match it by itself.
#[derive(Default)]
pub(crate) struct Rules {
    armed: Vec<Armed>,
}

impl Rules {
    pub(crate) fn add(&mut self, fault: Fault) {
        self.armed.push(Armed { fault, seen: 0, hits: 0 });
    }

    pub(crate) fn clear(&mut self) {
        self.armed.clear();
    }

    /// All rules that hit this request, in the order in which they were added.
    pub(crate) fn hits(&mut self, request: &Matched<'_>) -> Vec<FaultKind> {
        self.armed.iter_mut().filter_map(|a| a.hit(request).then(|| a.fault.kind.clone())).collect()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        syntax::write(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(rule: &str, requests: u64) -> Vec<u64> {
        let mut rules = Rules::default();
        rules.add(rule.parse().unwrap());
        let request =
            Matched { service: "iam", operation: "ListRoles", region: "us-east-1", body: "", has_token: false };
        (1..=requests).filter(|_| !rules.hits(&request).is_empty()).collect()
    }

    #[test]
    fn rules_count_as_they_say() {
        assert_eq!(fired("deny:iam:ListRoles", 3), [1, 2, 3]);
        assert_eq!(fired("deny:iam:ListRoles:nth=2", 4), [2]);
        assert_eq!(fired("deny:iam:*:after=2", 4), [3, 4]);
        assert_eq!(fired("deny:*:*:us-east-1:every=3", 7), [3, 6]);
        assert_eq!(fired("deny:after=1,every=2,times=2", 9), [3, 5]);
        assert_eq!(fired("deny:iam:ListRoles:eu-west-1", 3), [0; 0]);
        assert_eq!(fired("invalid-token:iam:ListRoles", 3), [0; 0], "no token, no hit");
    }
}
