//! The structures of IAM's answers, in XML.

use crate::account::Account;
use crate::account::iam::{Group, InlinePolicy, Policy, PolicyVersion, Role, Tag, User};
use crate::server::Context;
use crate::wire::percent;
use crate::wire::xml::Xml;

/// UserDetail of GetAccountAuthorizationDetails.
pub(super) fn user_detail(x: &mut Xml, user: &User) {
    user_head(x, user);
    inline(x, "UserPolicyList", &user.inline);
    x.list("GroupList", &user.groups, |x, g| x.raw_text(g));
    attached(x, &user.attached);
    boundary(x, user.boundary.as_deref());
    tags(x, &user.tags);
}

/// User of ListUsers: has PasswordLastUsed, lacks tags and boundary.
pub(super) fn user(x: &mut Xml, user: &User) {
    user_head(x, user);
    if let Some(at) = user.password.as_ref().and_then(|p| p.last_used) {
        x.time("PasswordLastUsed", at);
    }
}

fn user_head(x: &mut Xml, user: &User) {
    x.text("Path", &user.path);
    x.text("UserName", &user.name);
    x.text("UserId", &user.id);
    x.text("Arn", &user.arn);
    x.time("CreateDate", user.created);
}

pub(super) fn group_detail(x: &mut Xml, group: &Group) {
    self::group(x, group);
    inline(x, "GroupPolicyList", &group.inline);
    attached(x, &group.attached);
}

pub(super) fn group(x: &mut Xml, group: &Group) {
    x.text("Path", &group.path);
    x.text("GroupName", &group.name);
    x.text("GroupId", &group.id);
    x.text("Arn", &group.arn);
    x.time("CreateDate", group.created);
}

/// RoleDetail: has RoleLastUsed, lacks MaxSessionDuration and Description.
pub(super) fn role_detail(x: &mut Xml, account: &Account, role: &Role) {
    role_head(x, role);
    let profile = role.instance_profile.then_some(role);
    x.list("InstanceProfileList", profile, |x, role| instance_profile(x, account, role));
    tags(x, &role.tags);
    inline(x, "RolePolicyList", &role.inline);
    attached(x, &role.attached);
    boundary(x, role.boundary.as_deref());
    role_last_used(x, role);
}

pub(super) fn role_last_used(x: &mut Xml, role: &Role) {
    x.nest("RoleLastUsed", |x| {
        if let Some(used) = &role.last_used {
            x.time("LastUsedDate", used.at);
            x.text("Region", &used.region);
        }
    });
}

/// The instance profile of a role that has one.
pub(super) fn instance_profile(x: &mut Xml, account: &Account, role: &Role) {
    x.text("Path", &role.path);
    x.text("InstanceProfileName", &role.name);
    x.text("InstanceProfileId", &crate::ids::unique_id("AIPA", &role.name));
    x.text("Arn", &account.arn(&format!("instance-profile{}{}", role.path, role.name)));
    x.time("CreateDate", role.created);
    x.list("Roles", [role], role_head);
}

/// Role of ListRoles, which "does not return all available attributes": no RoleLastUsed, tags, boundary.
pub(super) fn role(x: &mut Xml, role: &Role) {
    role_head(x, role);
    x.maybe("Description", role.description.as_deref());
    x.number("MaxSessionDuration", role.max_session.into());
}

fn role_head(x: &mut Xml, role: &Role) {
    x.text("Path", &role.path);
    x.text("RoleName", &role.name);
    x.text("RoleId", &role.id);
    x.text("Arn", &role.arn);
    x.time("CreateDate", role.created);
    x.text("AssumeRolePolicyDocument", &percent::encode(&role.trust));
}

/// ManagedPolicyDetail: with all versions.
pub(super) fn policy_detail(x: &mut Xml, context: &Context, policy: &Policy) {
    self::policy(x, context, policy, false);
    x.list("PolicyVersionList", &policy.versions, |x, v| {
        policy_version(x, policy, v);
    });
}

pub(super) fn policy(x: &mut Xml, context: &Context, policy: &Policy, described: bool) {
    let usage = context.index.usage(&policy.arn);
    x.text("PolicyName", &policy.name);
    x.text("PolicyId", &policy.id);
    x.text("Arn", &policy.arn);
    x.text("Path", &policy.path);
    x.text("DefaultVersionId", &policy.default_version);
    x.number("AttachmentCount", usage.attachments);
    x.number("PermissionsBoundaryUsageCount", usage.boundaries);
    x.flag("IsAttachable", true);
    x.maybe("Description", policy.description.as_deref().filter(|_| described));
    x.time("CreateDate", policy.created);
    x.time("UpdateDate", policy.updated);
}

pub(super) fn policy_version(x: &mut Xml, policy: &Policy, version: &PolicyVersion) {
    x.text("Document", &percent::encode(&version.document));
    policy_version_head(x, policy, version);
}

/// As ListPolicyVersions has it: without the document.
pub(super) fn policy_version_head(x: &mut Xml, policy: &Policy, version: &PolicyVersion) {
    x.text("VersionId", &version.id);
    x.flag("IsDefaultVersion", version.id == policy.default_version);
    x.time("CreateDate", version.created);
}

pub(super) fn tags(x: &mut Xml, tags: &[Tag]) {
    x.list("Tags", tags, tag);
}

pub(super) fn tag(x: &mut Xml, tag: &Tag) {
    x.text("Key", &tag.key);
    x.text("Value", &tag.value);
}

fn inline(x: &mut Xml, name: &str, policies: &[InlinePolicy]) {
    x.list(name, policies, |x, p| {
        x.text("PolicyName", &p.name);
        x.text("PolicyDocument", &percent::encode(&p.document));
    });
}

fn attached(x: &mut Xml, arns: &[String]) {
    x.list("AttachedManagedPolicies", arns, |x, arn| attached_policy(x, arn));
}

pub(super) fn attached_policy(x: &mut Xml, arn: &str) {
    x.text("PolicyName", arn.rsplit('/').next().unwrap_or(arn));
    x.text("PolicyArn", arn);
}

pub(super) fn boundary(x: &mut Xml, arn: Option<&str>) {
    if let Some(arn) = arn {
        x.nest("PermissionsBoundary", |x| {
            x.text("PermissionsBoundaryType", "Policy");
            x.text("PermissionsBoundaryArn", arn);
        });
    }
}
