//! Vendors and their roles: what `auditpack.toml` agrees with them, beside what they can do.
//!
//! A vendor's roles are those that the settings name, and every other role that trusts one of its accounts: the
//! forgotten one is found by whom it lets in.

use super::access::{Access, words};
use super::build::{Fact, Row, population, sorted};
use super::events::Events;
use super::input::Input;
use super::profile::{Profile, Vendor, any};
use super::role::{last_used_days, mfa_max_age};
use super::trust_path::{counter_example, requirement};
use super::{Kind, Population, permissions};
use crate::evidence::Operation;
use crate::evidence::iam::RoleDetail;
use crate::iam::compare::{NameHeuristic, difference, not_tied_to_tag, tag_keys};
use crate::iam::trust::{AssumeAction, PathKind, Requirement, TrustPath, TrustReport};
use std::collections::BTreeMap;

/// A role of a vendor.
pub(super) struct VendorRole<'a> {
    pub vendor: &'a Vendor,
    pub detail: &'a RoleDetail,
    pub at: usize,
    pub arn: &'a str,
    pub name: &'a str,
    pub trust: Option<&'a TrustReport>,
    trusts_vendor: bool,
}

/// All roles of all vendors, in the order of the authorization details. A role that several vendors have is listed
/// for each.
pub(super) fn vendor_roles<'a>(input: &Input<'a>, access: &'a Access, profile: &'a Profile) -> Vec<VendorRole<'a>> {
    let details = input.details.arrived().map_or(&[][..], |details| &details.role_detail_list);
    let mut roles = Vec::new();
    for (at, detail) in details.iter().enumerate() {
        let (Some(arn), Some(name)) = (detail.arn.as_deref(), detail.role_name.as_deref()) else { continue };
        let trust = access.trust(arn);
        for vendor in &profile.vendors {
            let theirs =
                |path: &TrustPath| path.account.as_ref().is_some_and(|account| vendor.accounts.contains(account));
            let trusts_vendor = trust.is_some_and(|report| report.paths.iter().any(theirs));
            if vendor.expects(name) || trusts_vendor {
                roles.push(VendorRole { vendor, detail, at, arn, name, trust, trusts_vendor });
            }
        }
    }
    roles
}

/// The vendors themselves.
pub(super) fn vendors(
    input: &Input<'_>,
    access: &Access,
    profile: &Profile,
    roles: &[VendorRole<'_>],
    events: &Events,
) -> Population {
    let details = &input.details;
    let rows = profile.vendors.iter().map(|vendor| {
        let mut row = Row::new(Kind::Vendor, &vendor.name, None, None);
        row.known("name", vendor.name.as_str());
        row.known("accounts", sorted(vendor.accounts.iter().cloned()));
        row.known("expected_roles", sorted(vendor.roles.iter().cloned()));
        let own: Vec<&VendorRole<'_>> = roles.iter().filter(|role| role.vendor.name == vendor.name).collect();
        row.seen_in(details);
        let whole = details.whole();
        let names = |roles: &mut dyn Iterator<Item = &&VendorRole<'_>>| sorted(roles.map(|role| role.name));
        row.set("roles", whole.clone().map(|_| names(&mut own.iter())));
        let unexpected = &mut own.iter().filter(|role| role.trusts_vendor && !vendor.expects(role.name));
        row.set("unexpected_roles", whole.clone().map(|_| names(unexpected)));
        let missing = vendor.roles.iter().filter(|pattern| {
            let pattern = std::slice::from_ref(*pattern);
            !own.iter().any(|role| any(pattern, role.name))
        });
        row.set("missing_roles", whole.clone().map(|_| sorted(missing.cloned())));
        let users = details.arrived().map_or(&[][..], |details| &details.user_detail_list);
        let users = users.iter().filter_map(|user| user.user_name.as_deref()).filter(|name| any(&vendor.users, name));
        row.set("users", whole.clone().map(|_| sorted(users)));
        row.set("same_permissions", whole.and_then(|_| same_permissions(input, access, &own)));
        let sessions = details
            .whole()
            .and_then(|_| events.sessions())
            .map(|sessions| sessions.iter().filter(|one| one.vendor == vendor.name));
        row.set("sessions", sessions.clone().map(|all| all.filter(|one| one.error.is_none()).count() as i64));
        row.set("refused", sessions.map(|all| all.filter(|one| one.error.is_some()).count() as i64));
        row
    });
    population(Kind::Vendor, rows.collect(), None, details.document())
}

/// Pairs of roles that may do exactly the same. Those that cannot be compared leave the question open.
fn same_permissions(input: &Input<'_>, access: &Access, roles: &[&VendorRole<'_>]) -> Fact<Vec<String>> {
    for role in roles {
        permissions::whole(access, input, role.arn)?;
    }
    let mut same = Vec::new();
    for (at, first) in roles.iter().enumerate() {
        for second in roles.iter().skip(at + 1) {
            let a = permissions::whole(access, input, first.arn)?;
            let b = permissions::whole(access, input, second.arn)?;
            if difference(a, b).map_err(|reason| input.details.unknown(reason))?.is_empty() {
                same.push(format!("{} and {}", first.name, second.name));
            }
        }
    }
    Ok(sorted(same))
}

/// The roles of all vendors.
pub(super) fn role_rows(input: &Input<'_>, access: &Access, roles: &[VendorRole<'_>]) -> Population {
    let rows = roles.iter().map(|role| row(input, access, role)).collect();
    population(Kind::VendorRole, rows, input.details.gap().cloned(), input.details.document())
}

fn row(input: &Input<'_>, access: &Access, role: &VendorRole<'_>) -> Row {
    let details = &input.details;
    let vendor = role.vendor;
    let id = format!("{}#{}", role.arn, vendor.name);
    let mut row = Row::new(Kind::VendorRole, &id, Some(role.name), None);
    let place = details.at(format!("/RoleDetailList/{}/AssumeRolePolicyDocument", role.at));
    row.seen(Operation::IamGetAccountAuthorizationDetails, place);
    row.known("name", role.name);
    row.known("arn", role.arn);
    row.known("vendor", vendor.name.as_str());
    row.known("expected", vendor.expects(role.name));
    row.known("may_be_admin", any(&vendor.admin_roles, role.name));
    let admin = access.admin(input, Some(role.arn));
    row.set("admin", admin.clone().map(|report| report.verdict.id()));
    row.set("admin_reason", admin.map(words::admin_reason));
    row.known("to_read_only", any(&vendor.read_only_roles, role.name));
    row.set("write_actions", permissions::write_actions(access, input, Some(role.arn)));
    row.known("to_need_tag", any(&vendor.tag_scoped_roles, role.name));
    row.set("untagged_statements", untagged(input, access, role.arn));
    permissions::set_tampering(&mut row, access, input, Some(role.arn));
    row.known("to_need_mfa", vendor.mfa);
    row.known("agreed_mfa_max_age_seconds", vendor.mfa_max_age_seconds);
    row.known("agreed_max_session_seconds", vendor.max_session_seconds);
    let trust = role.trust.ok_or_else(|| details.not_listed("the role"));
    row.set("external_id", trust.clone().and_then(|trust| requirement(input, &trust.external_id)));
    row.set("external_id_counter_example", trust.clone().and_then(|trust| counter_example(input, &trust.external_id)));
    row.set("mfa", trust.clone().and_then(|trust| requirement(input, &trust.mfa)));
    row.set("mfa_counter_example", trust.clone().and_then(|trust| counter_example(input, &trust.mfa)));
    row.set("mfa_max_age_seconds", trust.clone().and_then(|trust| mfa_max_age(input, trust)));
    row.set("individual", trust.clone().and_then(|trust| individual(input, trust)));
    row.set("contradictions", trust.map(contradictions));
    let listed = input.listed_roles.get(role.arn);
    if let Some((at, _)) = listed {
        row.seen(Operation::IamListRoles, input.list_roles.at(format!("/Roles/{at}")));
    }
    row.set(
        "max_session_seconds",
        match listed {
            Some((_, listed)) => input.list_roles.told(listed.max_session_duration, "the longest session"),
            None => Err(input.list_roles.not_listed("the role")),
        },
    );
    row.set("last_used_days", last_used_days(input, role.detail));
    row
}

/// Statements that give more than reading and do not depend on the tag that the role's other statements ask for. A
/// role that asks for no tag at all gives everything without one.
fn untagged(input: &Input<'_>, access: &Access, arn: &str) -> Fact<Vec<String>> {
    let principal = permissions::whole(access, input, arn)?;
    let keys = tag_keys(principal);
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let found = not_tied_to_tag(principal, &keys, &NameHeuristic).map_err(|reason| input.details.unknown(reason))?;
    Ok(sorted(found.iter().map(words::statement)))
}

/// Whether every way that people take asks for something that tells them apart: a session name or a source identity.
/// On each way the better of the two counts, over the ways the weakest.
fn individual(input: &Input<'_>, trust: &TrustReport) -> Fact<&'static str> {
    if let Some(problem) = &trust.problem {
        return Err(input.details.unknown(format!("the trust policy cannot be read whole: {problem}")));
    }
    let people = trust.paths.iter().filter(|path| path.kind != PathKind::Service && !path.open.is_false());
    let better = people.map(|path| {
        let (name, source) = (&path.requirements.session_name, &path.requirements.source_identity);
        if path.action == AssumeAction::WithSaml {
            // The identity provider names the session, after the user that it has authenticated.
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_saml_assertions.html
            return &Requirement::Required;
        }
        let weak = |one: &Requirement| matches!(one, Requirement::NotRequired { .. } | Requirement::NotApplicable);
        if weak(name) { source } else { name }
    });
    requirement(input, &Requirement::weakest(better))
}

/// What a trust policy claims that cannot hold together.
fn contradictions(trust: &TrustReport) -> Vec<String> {
    let mut found = Vec::new();
    for path in &trust.paths {
        let statement = path.statement + 1;
        let federated = matches!(path.action, AssumeAction::WithSaml | AssumeAction::WithWebIdentity);
        let asks_mfa = path.condition_keys.iter().any(|key| key.starts_with("aws:multifactorauth"));
        if federated && asks_mfa {
            found.push(match path.open.is_false() {
                true => format!(
                    "statement {statement} lets {} in by federation and asks for MFA: federated sessions carry no MFA keys, so that nobody can take it",
                    path.principal
                ),
                false => format!(
                    "statement {statement} lets {} in by federation and asks for MFA with IfExists: federated sessions carry no MFA keys, so that it demands nothing",
                    path.principal
                ),
            });
        }
        let elsewhere = trust.paths.iter().any(|other| !other.external_ids.is_empty());
        if federated && elsewhere && !path.open.is_false() {
            found.push(format!(
                "statement {statement} lets {} in by federation, which has no external id: the one that other statements ask for is bypassed",
                path.principal
            ));
        }
    }
    sorted(found)
}

/// The vendor's name by each of its roles' ARNs, and by each of its accounts.
pub(super) fn watched(
    roles: &[VendorRole<'_>],
    profile: &Profile,
) -> (BTreeMap<String, String>, BTreeMap<String, String>) {
    let by_role = roles.iter().map(|role| (role.arn.to_owned(), role.vendor.name.clone())).collect();
    let accounts = profile
        .vendors
        .iter()
        .flat_map(|vendor| vendor.accounts.iter().map(|account| (account.clone(), vendor.name.clone())));
    (by_role, accounts.collect())
}
