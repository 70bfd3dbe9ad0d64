//! IAM policies: customer-managed ones, those of AWS that are in use, and inline ones.
//!
//! A managed policy that a principal has but the authorization details leave out is a row too; GetPolicy and
//! GetPolicyVersion tell about it.

use super::access::{Access, words};
use super::build::{Fact, Row, Source, population};
use super::document::has_admin_statement;
use super::input::Input;
use super::{Kind, Population};
use crate::evidence::iam::{
    AttachedPolicy, AuthorizationDetails, GetPolicy, GetPolicyVersion, InlinePolicy, ManagedPolicyDetail,
    PermissionsBoundary, is_aws_managed,
};
use crate::evidence::policy_text::PolicyText;
use crate::evidence::{CallId, Operation};
use crate::finding::Pointer;
use crate::iam::admin::AdminVerdict;
use std::collections::{BTreeMap, HashSet};

/// What the principals that arrived say about a managed policy.
#[derive(Default)]
struct Usage<'a> {
    name: Option<&'a str>,
    attached: bool,
    boundary: bool,
    /// The first principal that has it.
    place: String,
}

type Usages<'a> = BTreeMap<&'a str, Usage<'a>>;

/// A principal of any of the three kinds, as far as its policies are concerned.
struct Holder<'a> {
    place: String,
    arn: Option<&'a str>,
    inline_list: &'static str,
    inline: &'a [InlinePolicy],
    attached: &'a [AttachedPolicy],
    boundary: Option<&'a PermissionsBoundary>,
}

/// All policies.
pub(super) fn policies(input: &Input<'_>, access: &Access) -> Population {
    let details = &input.details;
    let mut rows = Vec::new();
    if let Some(arrived) = details.arrived() {
        let mut usages = Usages::new();
        for holder in holders(arrived) {
            collect_usage(&holder, &mut usages);
            rows.extend(
                holder.inline.iter().enumerate().map(|(at, policy)| inline(input, access, &holder, at, policy)),
            );
        }
        let mut told = HashSet::new();
        for (at, policy) in arrived.policies.iter().enumerate() {
            let arn = policy.arn.as_deref();
            told.extend(arn);
            let usage = arn.and_then(|arn| usages.get(arn));
            // Some sources list all of AWS's policies; those that nobody has are not the account's.
            let used = |count: Option<i64>| count.is_some_and(|count| count > 0);
            let in_use =
                usage.is_some() || used(policy.attachment_count) || used(policy.permissions_boundary_usage_count);
            if in_use || !policy.is_aws_managed() {
                rows.push(managed(input, access, at, policy, usage));
            }
        }
        for (arn, usage) in usages.iter().filter(|(arn, _)| !told.contains(*arn)) {
            rows.push(left_out(input, access, arn, usage));
        }
    }
    population(Kind::Policy, rows, details.gap().cloned(), details.document())
}

fn holders(details: &AuthorizationDetails) -> impl Iterator<Item = Holder<'_>> {
    let users = details.user_detail_list.iter().enumerate().map(|(at, user)| Holder {
        place: format!("/UserDetailList/{at}"),
        arn: user.arn.as_deref(),
        inline_list: "UserPolicyList",
        inline: &user.user_policy_list,
        attached: &user.attached_managed_policies,
        boundary: user.permissions_boundary.as_ref(),
    });
    let groups = details.group_detail_list.iter().enumerate().map(|(at, group)| Holder {
        place: format!("/GroupDetailList/{at}"),
        arn: group.arn.as_deref(),
        inline_list: "GroupPolicyList",
        inline: &group.group_policy_list,
        attached: &group.attached_managed_policies,
        boundary: None,
    });
    let roles = details.role_detail_list.iter().enumerate().map(|(at, role)| Holder {
        place: format!("/RoleDetailList/{at}"),
        arn: role.arn.as_deref(),
        inline_list: "RolePolicyList",
        inline: &role.role_policy_list,
        attached: &role.attached_managed_policies,
        boundary: role.permissions_boundary.as_ref(),
    });
    users.chain(groups).chain(roles)
}

fn collect_usage<'a>(holder: &Holder<'a>, usages: &mut Usages<'a>) {
    for (at, policy) in holder.attached.iter().enumerate() {
        if let Some(arn) = policy.policy_arn.as_deref() {
            let usage = usages.entry(arn).or_default();
            usage.attached = true;
            usage.name = usage.name.or(policy.policy_name.as_deref());
            if usage.place.is_empty() {
                usage.place = format!("{}/AttachedManagedPolicies/{at}", holder.place);
            }
        }
    }
    if let Some(arn) = holder.boundary.and_then(|boundary| boundary.permissions_boundary_arn.as_deref()) {
        let usage = usages.entry(arn).or_default();
        usage.boundary = true;
        if usage.place.is_empty() {
            usage.place = format!("{}/PermissionsBoundary", holder.place);
        }
    }
}

fn inline(input: &Input<'_>, access: &Access, holder: &Holder<'_>, at: usize, policy: &InlinePolicy) -> Row {
    let details = &input.details;
    let name = policy.policy_name.as_deref();
    let owner = holder.arn.map_or_else(|| holder.place.clone(), str::to_owned);
    let id = name.map_or_else(|| format!("{owner}#{at}"), |name| format!("{owner}#{name}"));
    let mut row = Row::new(Kind::Policy, &id, name, None);
    let place = details.at(format!("{}/{}/{at}", holder.place, holder.inline_list));
    row.seen(Operation::IamGetAccountAuthorizationDetails, place);
    row.set("name", details.told(name, "the policy's name"));
    row.known("arn", None::<String>);
    row.known("kind", "inline");
    row.set("owner", details.told(holder.arn, "the ARN of the policy's owner"));
    row.known("attached", true);
    row.known("boundary_only", false);
    row.known("default_version", None::<String>);
    row.set(
        "admin_statement",
        match &policy.policy_document {
            Some(document) => admin(details, document),
            None => Err(details.unknown("the answer does not tell the policy's document")),
        },
    );
    let told = policy.policy_document.as_ref().ok_or_else(|| details.unknown("the answer does not tell the document"));
    alone(&mut row, input, access, &id, told.map(|_| ()));
    row
}

/// What the policy would make of whoever has it and nothing else.
fn alone(row: &mut Row, input: &Input<'_>, access: &Access, id: &str, told: Fact<()>) {
    let report = told.and_then(|()| {
        let report = access.policy(id).ok_or_else(|| input.details.not_listed("the policy"))?;
        match &report.verdict {
            AdminVerdict::Unknown { reason } => Err(input.details.unknown(reason)),
            _ => Ok(report),
        }
    });
    row.set("admin", report.clone().map(|report| report.verdict.id()));
    row.set("admin_reason", report.map(words::admin_reason));
}

/// Whether the document in force of a managed policy is known.
fn document_told(input: &Input<'_>, arn: &str) -> Fact<()> {
    if is_administrator_access(arn) { Ok(()) } else { input.managed_document(arn).map(|_| ()) }
}

fn managed(
    input: &Input<'_>,
    access: &Access,
    at: usize,
    policy: &ManagedPolicyDetail,
    usage: Option<&Usage<'_>>,
) -> Row {
    let details = &input.details;
    let id = policy.arn.clone().unwrap_or_else(|| format!("policy without ARN, number {at}"));
    let place = details.at(format!("/Policies/{at}"));
    let mut row = managed_row(&id, policy.policy_name.as_deref(), place);
    row.set("name", details.told(policy.policy_name.as_deref(), "the policy's name"));
    row.set("arn", details.told(policy.arn.as_deref(), "the policy's ARN"));
    let used = |count: Option<i64>| count.is_some_and(|count| count > 0);
    set_usage(
        &mut row,
        input,
        used(policy.attachment_count) || usage.is_some_and(|usage| usage.attached),
        used(policy.permissions_boundary_usage_count) || usage.is_some_and(|usage| usage.boundary),
    );
    row.set("default_version", details.told(policy.default_version_id.as_deref(), "the default version"));
    let admin = match policy.default_version().and_then(|version| version.document.as_ref()) {
        _ if is_administrator_access(&id) => Ok(true),
        Some(document) => admin(details, document),
        None => version_document(input, &mut row, &id, policy.default_version_id.as_deref()),
    };
    row.set("admin_statement", admin);
    alone(&mut row, input, access, &id, document_told(input, &id));
    row
}

/// A policy that a principal has and the authorization details do not tell about.
fn left_out(input: &Input<'_>, access: &Access, arn: &str, usage: &Usage<'_>) -> Row {
    let details = &input.details;
    let place = details.at(usage.place.as_str());
    let told = Source::<GetPolicy>::of(input.evidence, CallId::global(Operation::IamGetPolicy).about(arn));
    let in_arn = arn.rsplit_once('/').map(|(_, name)| name);
    let name = usage.name.or(in_arn);
    let mut row = managed_row(arn, name, place);
    if told.arrived().is_some() {
        row.seen(Operation::IamGetPolicy, told.at("/Policy"));
    }
    row.set("name", details.told(name, "the policy's name"));
    row.known("arn", arn);
    set_usage(&mut row, input, usage.attached, usage.boundary);
    let version = told
        .whole()
        .and_then(|told_policy| told.told(told_policy.policy.default_version_id.as_deref(), "the default version"));
    row.set("default_version", version.clone());
    let admin = match version {
        _ if is_administrator_access(arn) => Ok(true),
        Ok(version) => version_document(input, &mut row, arn, Some(version)),
        Err(unknown) => Err(unknown),
    };
    row.set("admin_statement", admin);
    alone(&mut row, input, access, arn, document_told(input, arn));
    row
}

fn managed_row(id: &str, name: Option<&str>, place: Pointer) -> Row {
    let mut row = Row::new(Kind::Policy, id, name, None);
    row.seen(Operation::IamGetAccountAuthorizationDetails, place);
    row.known("kind", if is_aws_managed(id) { "aws" } else { "customer" });
    row.known("owner", None::<String>);
    row
}

/// That a policy is used is known from one principal; that it is not used, only from all of them.
fn set_usage(row: &mut Row, input: &Input<'_>, attached: bool, boundary: bool) {
    let all = || input.details.whole().map(|_| ());
    let attached_fact = if attached { Ok(true) } else { all().map(|()| false) };
    row.set(
        "boundary_only",
        match attached {
            true => Ok(false),
            false => all().map(|()| boundary),
        },
    );
    row.set("attached", attached_fact);
}

/// Whether the document of GetPolicyVersion has an admin statement, if it is that of the default version.
fn version_document(input: &Input<'_>, row: &mut Row, arn: &str, default: Option<&str>) -> Fact<bool> {
    let call = CallId::global(Operation::IamGetPolicyVersion).about(arn);
    let source = Source::<GetPolicyVersion>::of(input.evidence, call);
    if source.arrived().is_some() {
        row.seen(Operation::IamGetPolicyVersion, source.at("/PolicyVersion"));
    }
    let version = &source.whole()?.policy_version;
    let id = source.told(version.version_id.as_deref(), "which version it is")?;
    if default != Some(id) {
        let default = default.unwrap_or("not told");
        return Err(source.unknown(format!("the answer is about version {id}, the default version is {default}")));
    }
    match &version.document {
        Some(document) => admin(&source, document),
        None => Err(source.unknown("the answer does not tell the policy's document")),
    }
}

fn admin<D: crate::evidence::Document>(source: &Source<'_, D>, document: &PolicyText) -> Fact<bool> {
    has_admin_statement(document.as_str())
        .map_err(|e| source.unknown(format!("the policy's document cannot be read: {e}")))
}

/// AWS's own AdministratorAccess, whose document everyone knows
/// (<https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html>).
fn is_administrator_access(arn: &str) -> bool {
    is_aws_managed(arn) && arn.ends_with(":policy/AdministratorAccess")
}
