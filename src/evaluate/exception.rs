//! Which exception covers a failure.

use crate::controls::Controls;
use crate::evidence::Timestamp;
use crate::finding::{Exception, ExceptionState, Finding, Status};
use crate::resource::{Resource, Resources};

/// The first exception that covers a resource at a time.
pub(super) fn covering<'e>(
    exceptions: &[&'e Exception],
    resource: &Resource,
    as_of: Timestamp,
) -> Option<&'e Exception> {
    exceptions.iter().copied().find(|exception| {
        let pattern = &exception.resource;
        exception.holds_at(as_of) && (matches(pattern, &resource.id) || matches(pattern, &resource.name))
    })
}

/// What became of an exception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExceptionResult {
    /// The exception.
    pub exception: Exception,
    /// What it is at the as-of time.
    pub state: ExceptionState,
    /// Failures that it covers, or would cover were it in force.
    pub failures: u64,
    /// Why somebody should look at it; empty if there is no reason.
    pub remarks: Vec<String>,
}

/// What became of each exception of the settings. One whose check is not selected covers nothing, and says so.
pub(super) fn results(
    findings: &[Finding],
    resources: &Resources,
    controls: &Controls,
    as_of: Timestamp,
) -> Vec<ExceptionResult> {
    let of = |exception: &Exception| {
        let state = exception.state_at(as_of);
        let covers = |id: &str, name: &str| matches(&exception.resource, id) || matches(&exception.resource, name);
        // A failure that an earlier exception covers leaves nothing to a later one.
        let others = |finding: &&Finding| finding.exception.as_ref().is_some_and(|other| **other != *exception);
        let failures = findings
            .iter()
            .filter(|finding| *finding.check == *exception.check && finding.status == Status::Fail && !others(finding))
            .filter(|finding| finding.resource.as_ref().is_some_and(|of| covers(&of.id, &of.name)))
            .count() as u64;
        let check = controls.checks.get(&exception.check);
        let rows = check.and_then(|check| resources.populations.get(&check.resource)).map(|of| of.rows.as_slice());
        let rows = rows.unwrap_or_default();
        let matched = rows.iter().filter(|row| covers(&row.id, &row.name)).count();
        let mut remarks = Vec::new();
        match (state, failures) {
            (ExceptionState::Expired, 0) => remarks.push(format!("it expired on {}", exception.expires)),
            (ExceptionState::Expired, n) => {
                remarks.push(format!("it expired on {}: {} open again", exception.expires, failures_are(n)));
            }
            (ExceptionState::NotYet, _) => {
                remarks.push(format!("it holds only from {}", exception.granted.unwrap_or(exception.expires)));
            }
            (ExceptionState::InForce, _) => {}
        }
        if check.is_none() {
            remarks.push("its check is not among those selected".to_owned());
        } else if failures == 0 {
            remarks.push("it is unused: no failure is of its resources".to_owned());
        }
        let all = rows.len() > 1 && matched == rows.len();
        if all || exception.resource.chars().all(|c| c == '*') {
            remarks.push(format!("it is too broad: it accepts the failure of every resource, {matched} now"));
        }
        ExceptionResult { exception: exception.clone(), state, failures, remarks }
    };
    controls.settings.exceptions.iter().map(of).collect()
}

fn failures_are(n: u64) -> String {
    if n == 1 { "1 failure is".to_owned() } else { format!("{n} failures are") }
}

/// Whether a text is of a pattern, in which `*` stands for any run of characters. Takes time linear in the text for each
/// part between stars, whatever the pattern.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, expected) in [
            ("alice", "alice", true),
            ("alice", "alice2", false),
            ("*", "", true),
            ("svc-*", "svc-backup", true),
            ("*:user/*-bot", "arn:aws:iam::111122223333:user/ci-bot", true),
            ("*:user/*-bot", "arn:aws:iam::111122223333:user/ci-bots", false),
            ("a*a", "a", false),
            ("*é*", "café au lait", true),
            ("alice?", "alice1", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
