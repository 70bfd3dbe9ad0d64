//! GetAccountAuthorizationDetails: pages that mix entity types, serialised when asked for.

use super::super::{Answer, page};
use super::shapes;
use crate::account::Entity;
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

const FILTERS: [&str; 5] = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"];

pub(super) fn answer(context: &Context, call: &Call) -> Answer {
    let filters = call.texts("Filter");
    if let Some(wrong) = filters.iter().find(|f| !FILTERS.contains(&f.as_str())) {
        return Err(AwsError::new(
            400,
            "ValidationError",
            format!("1 validation error detected: Value '[{wrong}]' at 'filter' failed to satisfy constraint"),
        ));
    }
    let wanted = |entity: &&Entity| {
        let filter = match entity {
            Entity::User(_) => "User",
            Entity::Group(_) => "Group",
            Entity::Role(_) => "Role",
            Entity::Policy(_) => "LocalManagedPolicy",
            Entity::AwsPolicy(_) => "AWSManagedPolicy",
        };
        filters.is_empty() || filters.iter().any(|f| f == filter)
    };
    let size = page::iam_size(call, context.pages.authorization_details)?;
    let page = page::of(call, context.index.entities.iter().filter(wanted), size)?;
    let (account, iam) = (&context.account, &context.account.iam);

    let mut x = Xml::new();
    x.flag("IsTruncated", page.next.is_some());
    let users = page.items.iter().filter_map(|e| match e {
        Entity::User(i) => iam.users.get(*i as usize),
        _ => None,
    });
    x.list("UserDetailList", users, shapes::user_detail);
    let groups = page.items.iter().filter_map(|e| match e {
        Entity::Group(i) => iam.groups.get(*i as usize),
        _ => None,
    });
    x.list("GroupDetailList", groups, shapes::group_detail);
    let roles = page.items.iter().filter_map(|e| match e {
        Entity::Role(i) => iam.roles.get(*i as usize),
        _ => None,
    });
    x.list("RoleDetailList", roles, |x, r| shapes::role_detail(x, account, r));
    let policies = page.items.iter().filter_map(|e| match e {
        Entity::Policy(i) => iam.policies.get(*i as usize),
        Entity::AwsPolicy(i) => iam.aws_policies.get(*i as usize),
        _ => None,
    });
    x.list("Policies", policies, |x, p| shapes::policy_detail(x, context, p));
    x.maybe("Marker", page.next.as_deref());
    Ok(x.finish())
}
