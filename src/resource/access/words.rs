//! The engine's answers in words, the same in tables, findings, the report and `explain`.

use crate::iam::admin::{AdminReport, AdminVerdict};
use crate::iam::decision::{LayerKind, StatementRef};
use crate::iam::escalation::{Certainty, Escalation};
use crate::iam::mfa::{MfaReport, MfaVerdict};
use crate::iam::tamper::Tampering;
use crate::iam::trust::{MfaLimit, PathKind, Requirement, TrustPath};
use crate::iam::{Outcome, Truth};

/// No more statements, keys or paths are named in one sentence.
const NAMED: usize = 3;

/// A statement by its place: `statement 2 (AllowAll) of the policy admins, through the group admins`.
pub fn statement(reference: &StatementRef) -> String {
    // People count from one.
    let mut text = format!("statement {}", reference.index + 1);
    if let Some(sid) = &reference.sid {
        text.push_str(&format!(" ({sid})"));
    }
    let layer = match reference.layer {
        LayerKind::Identity => "the policy",
        LayerKind::Boundary => "the boundary",
        LayerKind::Scp => "the service control policy",
    };
    text.push_str(&format!(" of {layer} {}", short(&reference.policy)));
    if let Some(group) = &reference.via_group {
        text.push_str(&format!(" through the group {group}"));
    }
    text
}

/// A managed policy by the part of its ARN that tells it apart.
fn short(policy: &str) -> &str {
    policy.split_once(":policy/").map_or(policy, |(_, name)| name)
}

fn few<T>(items: &[T], name: impl Fn(&T) -> String) -> String {
    let mut text = items.iter().take(NAMED).map(name).collect::<Vec<_>>().join(", ");
    if items.len() > NAMED {
        text.push_str(&format!(" and {} more", items.len() - NAMED));
    }
    text
}

/// The condition keys that something hangs on.
fn conditions(keys: &[String]) -> String {
    match keys {
        [] => "a condition".to_owned(),
        keys => few(keys, Clone::clone),
    }
}

/// Why a verdict is what it is. That somebody is an administrator is an upper bound unless service control policies were
/// given; that somebody is none, is true with and without them.
pub fn admin_reason(report: &AdminReport) -> String {
    let reason = bare_reason(report);
    match &report.verdict {
        AdminVerdict::NotAdmin | AdminVerdict::Unknown { .. } => reason,
        _ if report.upper_bound => format!("{reason} ({UPPER_BOUND})"),
        _ => reason,
    }
}

/// What is said of all that is allowed while service control policies are not known.
pub const UPPER_BOUND: &str = "an upper bound: service control policies were not read";

/// The reason alone, for whoever says elsewhere what the verdict is worth.
pub fn bare_reason(report: &AdminReport) -> String {
    let statements = || few(&report.statements, statement);
    let keys = || conditions(&report.keys);
    match &report.verdict {
        AdminVerdict::Admin => format!("everything on everything by {}", statements()),
        AdminVerdict::AdminExceptDeny => {
            format!(
                "everything on everything by {}, except what is denied by {}",
                statements(),
                few(&report.denies, statement)
            )
        }
        // Through a way that hangs on conditions, or by statements that do.
        AdminVerdict::ConditionalAdmin => match report.paths.first().filter(|_| report.by_path) {
            Some(path) => escalation(path),
            None => format!("an administrator by {}, depending on {}", statements(), keys()),
        },
        AdminVerdict::AdminEquivalent { path } => escalation(path),
        AdminVerdict::NotAdmin => match report.latent.as_slice() {
            [] => "no statement or combination of statements gives everything, and no known way leads to it".to_owned(),
            latent => format!(
                "not today, but it would be if an administrator role trusted a service: {}",
                few(latent, |path| path.title.to_owned())
            ),
        },
        AdminVerdict::Unknown { reason } => reason.clone(),
    }
}

/// A way to become an administrator.
pub fn escalation(path: &Escalation) -> String {
    let mut text = path.steps().map(step).collect::<Vec<_>>().join("; then ");
    match path.certainty {
        Certainty::Certain => {}
        Certainty::Potential => text.push_str("; whether there is something to use it on is not in the documents"),
        Certainty::Conditional => text.push_str(&format!("; it hangs on {}", few(&path.keys, Clone::clone))),
        Certainty::Unknown => text.push_str("; it leads through somebody of whom not everything is known"),
    }
    text
}

/// One step of a way.
fn step(path: &Escalation) -> String {
    let mut text = format!("{} ({})", path.title, path.actions.join(" and "));
    if let Some(with) = &path.with {
        text.push_str(&format!(" to {with}"));
    }
    match &path.target {
        // A group or policy is asked about for somebody who has nothing else, and who may work on itself.
        Some(target) if target.ends_with("/auditpack-self") => text.push_str(", on whoever has it"),
        Some(target) => text.push_str(&format!(", on {target}")),
        None => {}
    }
    if !path.statements.is_empty() {
        text.push_str(&format!(", by {}", few(&path.statements, statement)));
    }
    text
}

/// By what somebody is an administrator: `statements`, a `path`, or `none`.
pub fn admin_by(report: &AdminReport) -> &'static str {
    match &report.verdict {
        AdminVerdict::NotAdmin | AdminVerdict::Unknown { .. } => "none",
        _ if report.by_path => "path",
        _ => "statements",
    }
}

/// How sure it is that somebody is an administrator: `certain`, `potential` or `conditional`; `none` if not at all.
pub fn certainty(report: &AdminReport) -> &'static str {
    match &report.verdict {
        AdminVerdict::Admin | AdminVerdict::AdminExceptDeny => "certain",
        AdminVerdict::AdminEquivalent { path } if path.certainty == Certainty::Certain => "certain",
        AdminVerdict::AdminEquivalent { .. } => "potential",
        AdminVerdict::ConditionalAdmin => "conditional",
        AdminVerdict::NotAdmin | AdminVerdict::Unknown { .. } => "none",
    }
}

/// Whether somebody can tamper with the records: `none`, `conditional` or `can`.
pub fn tampering_verdict(found: &[Tampering]) -> &'static str {
    let allowed = found.iter().any(|one| one.decision.outcome == Outcome::Allow);
    match (allowed, found.is_empty()) {
        (true, _) => "can",
        (false, true) => "none",
        (false, false) => "conditional",
    }
}

/// The actions that are allowed without a condition, or those that hang on one; each once.
pub fn tampering_actions(found: &[Tampering], allowed: bool) -> Vec<String> {
    let of = |action: &str| found.iter().any(|one| one.action == action && one.decision.outcome == Outcome::Allow);
    let mut actions: Vec<String> =
        found.iter().filter(|one| of(one.action) == allowed).map(|one| one.action.to_owned()).collect();
    actions.sort();
    actions.dedup();
    actions
}

/// The counter-example of a requirement that does not hold.
pub fn counter_example(requirement: &Requirement) -> Option<&str> {
    match requirement {
        Requirement::NotRequired { counter_example } => Some(counter_example),
        Requirement::RequiredButAnyValue => Some("a request with any value at all"),
        Requirement::RequiredButPattern => Some("a request with any value that fits the pattern"),
        _ => None,
    }
}

/// The requests that get through a path without what one would ask of them. Federated identities have neither external
/// id nor MFA keys to be asked for: of them, the widest identity that gets in is the example.
pub fn counter_examples(path: &TrustPath) -> Vec<String> {
    match path.kind {
        PathKind::Service | PathKind::Saml => Vec::new(),
        PathKind::Oidc => oidc_example(path).into_iter().collect(),
        _ => [&path.requirements.external_id, &path.requirements.mfa]
            .into_iter()
            .filter_map(|requirement| counter_example(requirement).map(str::to_owned))
            .collect(),
    }
}

/// The widest identity of an OpenID Connect provider that gets in. The engine tries names that nobody has: for a
/// reader, they stand for anything.
pub fn oidc_example(path: &TrustPath) -> Option<String> {
    let example = path.oidc.as_ref()?.example.as_deref()?;
    let tried = [crate::iam::trust::STRANGER, crate::iam::trust::ACQUAINTANCE];
    if tried.contains(&example) {
        return Some("any identity at all".to_owned());
    }
    Some(tried.iter().fold(example.to_owned(), |text, name| text.replace(name, "<anything>")))
}

/// Whether a user's policies enforce MFA, with what is left without it.
pub fn mfa(report: &MfaReport) -> String {
    let id = report.verdict.id();
    match &report.verdict {
        MfaVerdict::NotEnforced { counter_example } => format!("{id}: {counter_example}"),
        MfaVerdict::Unknown { reason } => format!("{id}: {reason}"),
        _ => id.to_owned(),
    }
}

/// Whether a path can be taken: `open`, `conditional` or `closed`.
pub fn openness(path: &TrustPath) -> &'static str {
    match path.open {
        Truth::True => "open",
        Truth::Maybe => "conditional",
        Truth::False => "closed",
    }
}

/// How old a sign-in with MFA may be, in seconds; `None` if of any age, or without one.
pub fn mfa_limit(limit: &MfaLimit) -> Result<Option<i64>, &str> {
    match limit {
        MfaLimit::None => Ok(None),
        MfaLimit::Seconds { seconds } => Ok(Some(i64::try_from(*seconds).unwrap_or(i64::MAX))),
        MfaLimit::Unknown { reason } => Err(reason),
    }
}
