//! Managed policies: their versions, and whom they are attached to.

use super::super::{Answer, page};
use super::principal::{Principal, required};
use super::{lists, shapes};
use crate::account::iam::{Group, Policy, Role, User};
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

fn all(context: &Context) -> impl Iterator<Item = &Policy> {
    context.account.iam.policies.iter().chain(&context.account.iam.aws_policies)
}

fn find<'a>(context: &'a Context, call: &Call) -> Result<&'a Policy, AwsError> {
    let arn = required(call, "PolicyArn")?;
    all(context).find(|p| p.arn == arn).ok_or_else(|| lists::no_such(format!("Policy {arn} was not found.")))
}

/// The AWS-managed ones are those in use: this server does not know the thousand others.
pub(super) fn list(context: &Context, call: &Call) -> Answer {
    let under = lists::under(call);
    let iam = &context.account.iam;
    let scope = call.text("Scope").unwrap_or("All");
    let attached_only = call.flag("OnlyAttached").unwrap_or(false);
    let local = iam.policies.iter().filter(|_| scope != "AWS");
    let aws = iam.aws_policies.iter().filter(|_| scope != "Local");
    let policies =
        local.chain(aws).filter(|p| under(&p.path) && (!attached_only || context.index.usage(&p.arn).attachments > 0));
    lists::list(context, call, "Policies", policies, |x, p| {
        // "description" is not in the answer of ListPolicies
        shapes::policy(x, context, p, false);
    })
}

pub(super) fn get(context: &Context, call: &Call) -> Answer {
    let policy = find(context, call)?;
    let mut x = Xml::new();
    x.nest("Policy", |x| {
        shapes::policy(x, context, policy, true);
        shapes::tags(x, &[]);
    });
    Ok(x.finish())
}

/// None, as GetPolicy says.
pub(super) fn tags(context: &Context, call: &Call) -> Answer {
    find(context, call)?;
    lists::list(context, call, "Tags", &[], shapes::tag)
}

pub(super) fn versions(context: &Context, call: &Call) -> Answer {
    let policy = find(context, call)?;
    lists::list(context, call, "Versions", &policy.versions, |x, v| shapes::policy_version_head(x, policy, v))
}

pub(super) fn version(context: &Context, call: &Call) -> Answer {
    let policy = find(context, call)?;
    let id = required(call, "VersionId")?;
    let Some(version) = policy.versions.iter().find(|v| v.id == id) else {
        return Err(lists::no_such(format!("Policy {} version {id} does not exist or is not attachable.", policy.arn)));
    };
    let mut x = Xml::new();
    x.nest("PolicyVersion", |x| shapes::policy_version(x, policy, version));
    Ok(x.finish())
}

enum Entity<'a> {
    Group(&'a Group),
    User(&'a User),
    Role(&'a Role),
}

/// ListEntitiesForPolicy: one list of three kinds, in pages. All attachments are in the model, so it is answered for
/// every AWS-managed policy, also for those that the server does not know otherwise.
pub(super) fn entities(context: &Context, call: &Call) -> Answer {
    let arn = required(call, "PolicyArn")?;
    if !arn.starts_with("arn:aws:iam::aws:policy/") {
        find(context, call)?;
    }
    let kind = call.text("EntityFilter");
    let usage = call.text("PolicyUsageFilter");
    let under = lists::under(call);
    let uses = |entity: &str, path: &str, attached: &[String], boundary: Option<&String>| {
        let wanted = kind.is_none_or(|kind| kind == entity) && under(path);
        let permits = usage != Some("PermissionsBoundary") && attached.iter().any(|a| a == arn);
        let bounds = usage != Some("PermissionsPolicy") && boundary.is_some_and(|b| b == arn);
        wanted && (permits || bounds)
    };
    let iam = &context.account.iam;
    let groups = iam.groups.iter().filter(|g| uses("Group", &g.path, &g.attached, None));
    let users = iam.users.iter().filter(|u| uses("User", &u.path, &u.attached, u.boundary.as_ref()));
    let roles = iam.roles.iter().filter(|r| uses("Role", &r.path, &r.attached, r.boundary.as_ref()));
    let entities = groups.map(Entity::Group).chain(users.map(Entity::User)).chain(roles.map(Entity::Role));
    let page = page::of(call, entities, page::iam_size(call, context.pages.iam_list)?)?;
    let mut x = Xml::new();
    x.list("PolicyGroups", page.items.iter().filter_map(Entity::group), |x, g| entity::<Group>(x, g, &g.id));
    x.list("PolicyUsers", page.items.iter().filter_map(Entity::user), |x, u| entity::<User>(x, u, &u.id));
    x.list("PolicyRoles", page.items.iter().filter_map(Entity::role), |x, r| entity::<Role>(x, r, &r.id));
    x.flag("IsTruncated", page.next.is_some());
    x.maybe("Marker", page.next.as_deref());
    Ok(x.finish())
}

fn entity<P: Principal>(x: &mut Xml, principal: &P, id: &str) {
    x.text(&format!("{}Name", P::KIND), principal.name());
    x.text(&format!("{}Id", P::KIND), id);
}

impl<'a> Entity<'a> {
    fn group(&self) -> Option<&'a Group> {
        if let Self::Group(group) = self { Some(group) } else { None }
    }

    fn user(&self) -> Option<&'a User> {
        if let Self::User(user) = self { Some(user) } else { None }
    }

    fn role(&self) -> Option<&'a Role> {
        if let Self::Role(role) = self { Some(role) } else { None }
    }
}
