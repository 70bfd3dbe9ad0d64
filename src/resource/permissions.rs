//! The fields that users, roles and groups share: what their policies make of them.

use super::access::{Access, words};
use super::build::{Fact, Row};
use super::input::Input;
use crate::iam::compare::{NameHeuristic, ReadOnly, read_only};
use crate::iam::mfa::{ListedClass, MfaReport, MfaVerdict};
use crate::iam::principal::Principal;
use std::sync::Arc;

/// Sets what the policies of a principal make of it.
pub(super) fn set(row: &mut Row, access: &Access, input: &Input<'_>, arn: Option<&str>) {
    let admin = access.admin(input, arn);
    row.set("admin", admin.clone().map(|report| report.verdict.id()));
    row.set("admin_by", admin.clone().map(words::admin_by));
    row.set("admin_certainty", admin.clone().map(words::certainty));
    row.set("admin_reason", admin.clone().map(words::admin_reason));
    row.set("admin_conditions", admin.clone().map(|report| report.keys.clone()));
    row.set("escalation_paths", admin.map(|report| report.paths.iter().map(words::escalation).collect::<Vec<_>>()));
    let principal = arn.and_then(|arn| access.principal(arn)).map(|analysed| analysed.principal);
    let listed = principal.ok_or_else(|| input.details.not_listed("the principal"));
    row.set("upper_bound", listed.map(super::access::is_upper_bound));
    set_tampering(row, access, input, arn);
}

/// Sets what a principal can do to the records of what was done.
pub(super) fn set_tampering(row: &mut Row, access: &Access, input: &Input<'_>, arn: Option<&str>) {
    let found = access.tampering(input, arn);
    row.set("log_tampering", found.clone().map(words::tampering_verdict));
    row.set("log_tampering_actions", found.clone().map(|found| words::tampering_actions(found, true)));
    row.set("log_tampering_conditional", found.map(|found| words::tampering_actions(found, false)));
}

/// What a principal may do besides reading, told by the verbs in the actions' names.
pub(super) fn write_actions(access: &Access, input: &Input<'_>, arn: Option<&str>) -> Fact<Vec<String>> {
    let arn = input.details.told(arn, "the role's ARN")?;
    if let Some(hole) = access.hole(arn) {
        return Err(Arc::new(hole.clone()));
    }
    let analysed = access.principal(arn).ok_or_else(|| input.details.not_listed("the role"))?;
    match read_only(analysed.principal, &NameHeuristic) {
        ReadOnly::Yes => Ok(Vec::new()),
        ReadOnly::No { writes } => {
            let mut actions: Vec<String> = writes.into_iter().map(|granted| granted.actions).collect();
            actions.sort();
            actions.dedup();
            Ok(actions)
        }
        ReadOnly::Unknown { reason } => Err(input.details.unknown(reason)),
    }
}

/// Sets whether a user's policies demand MFA, and what a password or key alone opens.
pub(super) fn set_mfa(
    row: &mut Row,
    enforced: &Fact<&MfaReport>,
    (has_password, has_device, active_keys): (Fact<bool>, Fact<bool>, Fact<i64>),
) {
    let report = enforced.as_ref().map_err(Arc::clone);
    row.set("mfa_enforced", report.clone().map(|report| report.verdict.id()));
    row.set(
        "mfa_counter_example",
        report.clone().map(|report| match &report.verdict {
            MfaVerdict::NotEnforced { counter_example } => Some(counter_example.clone()),
            _ => None,
        }),
    );
    let left = |report: &MfaReport| {
        let listed = report.without_mfa.iter();
        listed.map(|listed| format!("{} ({})", listed.action, class(listed.class))).collect::<Vec<_>>()
    };
    row.set("without_mfa", report.clone().map(|report| left(report)));
    let alone = report.map(|report| match report.verdict {
        MfaVerdict::NotEnforced { .. } => "alone",
        _ => "limited",
    });
    row.set("password_exposure", exposure(has_password, alone.clone(), || has_device));
    row.set("key_exposure", exposure(active_keys.map(|keys| keys > 0), alone, || Ok(false)));
}

fn exposure(
    there: Fact<bool>,
    alone: Fact<&'static str>,
    with_device: impl FnOnce() -> Fact<bool>,
) -> Fact<&'static str> {
    // All of them must be known, also where one of them would decide: so that the field depends on what it says.
    let (there, alone, device) = (there?, alone?, with_device()?);
    Ok(match (there, device) {
        (false, _) => "none",
        (true, true) => "with-mfa",
        (true, false) => alone,
    })
}

fn class(class: ListedClass) -> &'static str {
    match class {
        ListedClass::MfaSetup => "to set MFA up",
        ListedClass::SelfService => "to look after oneself",
        ListedClass::IamRead => "to read IAM",
        ListedClass::Dangerous => "dangerous",
        ListedClass::Other => "other",
    }
}

/// A principal by its ARN, with all its documents.
pub(super) fn whole<'a>(access: &'a Access, input: &Input<'_>, arn: &str) -> Fact<&'a Principal> {
    if let Some(hole) = access.hole(arn) {
        return Err(Arc::new(hole.clone()));
    }
    let analysed = access.principal(arn).ok_or_else(|| input.details.not_listed("the principal"))?;
    Ok(analysed.principal)
}
