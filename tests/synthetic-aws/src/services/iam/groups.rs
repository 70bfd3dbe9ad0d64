//! Who is in a group. The model has it with the users, as GetAccountAuthorizationDetails does.

use super::super::{Answer, page};
use super::principal::find;
use super::{lists, shapes};
use crate::account::iam::{Group, User};
use crate::server::Context;
use crate::wire::Call;
use crate::wire::xml::Xml;

/// GetGroup: the group, and its users in pages.
pub(super) fn get(context: &Context, call: &Call) -> Answer {
    let group: &Group = find(context, call)?;
    let members = context.account.iam.users.iter().filter(|u| u.groups.contains(&group.name));
    let page = page::of(call, members, page::iam_size(call, context.pages.iam_list)?)?;
    let mut x = Xml::new();
    x.nest("Group", |x| shapes::group(x, group));
    x.flag("IsTruncated", page.next.is_some());
    x.list("Users", page.items, shapes::user);
    x.maybe("Marker", page.next.as_deref());
    Ok(x.finish())
}

pub(super) fn of_user(context: &Context, call: &Call) -> Answer {
    let user: &User = find(context, call)?;
    let groups = context.account.iam.groups.iter().filter(|g| user.groups.contains(&g.name));
    lists::list(context, call, "Groups", groups, shapes::group)
}
