//! IAM groups. Their members are told by the users, so that they are known only when all users are.

use super::access::Access;
use super::build::{Row, population, sorted};
use super::input::Input;
use super::user::names;
use super::{Kind, Population, permissions};
use crate::evidence::Operation;
use std::collections::HashMap;

/// All groups.
pub(super) fn groups(input: &Input<'_>, access: &Access) -> Population {
    let details = &input.details;
    let mut members: HashMap<&str, Vec<&str>> = HashMap::new();
    for user in details.arrived().map_or(&[][..], |details| &details.user_detail_list) {
        for group in &user.group_list {
            members.entry(group).or_default().push(user.user_name.as_deref().unwrap_or("(unnamed)"));
        }
    }
    let list = details.arrived().map_or(&[][..], |details| &details.group_detail_list);
    let rows = list.iter().enumerate().map(|(at, group)| {
        let id = group.arn.clone().unwrap_or_else(|| format!("group without ARN, number {at}"));
        let mut row = Row::new(Kind::Group, &id, group.group_name.as_deref(), None);
        row.seen(Operation::IamGetAccountAuthorizationDetails, details.at(format!("/GroupDetailList/{at}")));
        let name = details.told(group.group_name.as_deref(), "the group's name");
        row.set("name", name.clone());
        row.set("arn", details.told(group.arn.as_deref(), "the group's ARN"));
        row.set("path", details.told(group.path.as_deref(), "the group's path"));
        row.set("members", details.whole().and_then(|_| Ok(sorted(members.get(name?).into_iter().flatten().copied()))));
        row.known("inline_policies", names(group.group_policy_list.iter().map(|policy| &policy.policy_name)));
        row.known("attached_policies", names(group.attached_managed_policies.iter().map(|policy| &policy.policy_arn)));
        permissions::set(&mut row, access, input, group.arn.as_deref());
        row
    });
    population(Kind::Group, rows.collect(), details.gap().cloned(), details.document())
}
