//! Outsiders: which other accounts and identity providers can become a role of the account.

use super::access::Access;
use super::build::{Fact, Row, population, sorted};
use super::events::Events;
use super::input::Input;
use super::profile::Profile;
use super::trust_path::requirement;
use super::{Kind, Population};
use crate::evidence::Operation;
use crate::evidence::iam::RoleDetail;
use crate::iam::analysis::ExternalPrincipal;
use crate::iam::trust::{PathKind, Requirement, TrustPath};
use std::collections::{BTreeSet, HashMap};

/// All outsiders.
pub(super) fn external_principals(
    input: &Input<'_>,
    access: &Access,
    profile: &Profile,
    events: &Events,
) -> Population {
    let details = &input.details;
    let list = details.arrived().map_or(&[][..], |details| &details.role_detail_list);
    let mut by_arn: HashMap<&str, (usize, &RoleDetail)> = HashMap::new();
    for (at, role) in list.iter().enumerate() {
        if let Some(arn) = role.arn.as_deref() {
            by_arn.entry(arn).or_insert((at, role));
        }
    }
    let rows = access.external.iter().map(|outsider| row(input, access, profile, events, &by_arn, outsider));
    let unread = access.trusts().iter().filter_map(|report| {
        let problem = report.problem.as_ref()?;
        Some(details.unknown(format!("the trust policy of {} cannot be read whole: {problem}", report.role)))
    });
    let incomplete: Vec<_> = details.gap().cloned().into_iter().chain(unread).collect();
    population(Kind::ExternalPrincipal, rows.collect(), incomplete, details.document())
}

fn row(
    input: &Input<'_>,
    access: &Access,
    profile: &Profile,
    events: &Events,
    by_arn: &HashMap<&str, (usize, &RoleDetail)>,
    outsider: &ExternalPrincipal,
) -> Row {
    let details = &input.details;
    let id = format!("{}#{}", outsider.principal, outsider.kind.id());
    let mut row = Row::new(Kind::ExternalPrincipal, &id, Some(&outsider.principal), None);
    let roles: BTreeSet<&str> = outsider.entries.iter().map(|entry| entry.role.as_str()).collect();
    for (at, _) in roles.iter().filter_map(|role| by_arn.get(role)) {
        let place = details.at(format!("/RoleDetailList/{at}/AssumeRolePolicyDocument"));
        row.seen(Operation::IamGetAccountAuthorizationDetails, place);
    }
    row.known("principal", outsider.principal.as_str());
    row.known("kind", outsider.kind.id());
    row.known("own", outsider.own);
    let vendor = profile.vendor_of_account(&outsider.principal);
    row.known("vendor", vendor.map(|vendor| vendor.name.as_str()));
    // What is said of all its roles needs all of them.
    let whole = details.whole();
    let name = |role: &str| {
        by_arn.get(role).and_then(|(_, detail)| detail.role_name.clone()).unwrap_or_else(|| role.to_owned())
    };
    row.set("roles", whole.clone().map(|_| sorted(roles.iter().map(|role| name(role)))));
    row.set("admin_roles", whole.clone().and_then(|_| admin_roles(input, access, &roles, &name)));
    let paths: Vec<&TrustPath> = outsider
        .entries
        .iter()
        .filter_map(|entry| access.trust(&entry.role)?.paths.get(entry.path))
        // A way that nobody can take weakens nothing.
        .filter(|path| !path.open.is_false())
        .collect();
    let of = |pick: fn(&TrustPath) -> &Requirement| {
        whole.clone().and_then(|_| weakest(input, paths.iter().map(|path| pick(path))))
    };
    row.set("external_id", of(|path| &path.requirements.external_id));
    row.set("mfa", of(|path| &path.requirements.mfa));
    let width = paths.iter().filter_map(|path| path.oidc.as_ref()).map(|oidc| oidc.width).max();
    row.set("oidc_width", whole.clone().map(|_| width.map(|width| width.id())));
    let entered = match outsider.kind {
        // Anybody is everybody who was ever let in: the rows of the others tell that.
        PathKind::Public | PathKind::Orphan | PathKind::Unclear => events.entered("").map(|_| None),
        _ => events.entered(&outsider.principal),
    };
    row.set(
        "last_entered_days",
        whole.clone().and_then(|_| {
            entered.and_then(|time| time.map(|time| details.days(time, input.as_of(), "the last entry")).transpose())
        }),
    );
    let used = roles.iter().filter_map(|role| by_arn.get(role)?.1.role_last_used.as_ref()?.last_used_date).max();
    row.set(
        "roles_last_used_days",
        whole.and_then(|_| used.map(|time| details.days(time, input.as_of(), "the last use of a role")).transpose()),
    );
    row
}

fn admin_roles(
    input: &Input<'_>,
    access: &Access,
    roles: &BTreeSet<&str>,
    name: &impl Fn(&str) -> String,
) -> Fact<Vec<String>> {
    let mut admins = Vec::new();
    for role in roles {
        if access.admin(input, Some(role))?.verdict.id() != "not-admin" {
            admins.push(name(role));
        }
    }
    Ok(sorted(admins))
}

/// The weakest of several requirements.
pub(super) fn weakest<'r>(
    input: &Input<'_>,
    requirements: impl Iterator<Item = &'r Requirement>,
) -> Fact<&'static str> {
    requirement(input, &Requirement::weakest(requirements))
}
