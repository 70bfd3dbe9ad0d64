//! Instance profiles: in the model, some roles have one of the same name.

use super::super::Answer;
use super::principal::{find, required};
use super::{lists, shapes};
use crate::account::iam::Role;
use crate::server::Context;
use crate::wire::Call;
use crate::wire::xml::Xml;

fn all(context: &Context) -> impl Iterator<Item = &Role> {
    context.account.iam.roles.iter().filter(|r| r.instance_profile)
}

pub(super) fn list(context: &Context, call: &Call) -> Answer {
    let under = lists::under(call);
    let profiles = all(context).filter(|r| under(&r.path));
    lists::list(context, call, "InstanceProfiles", profiles, |x, r| shapes::instance_profile(x, &context.account, r))
}

pub(super) fn of_role(context: &Context, call: &Call) -> Answer {
    let role: &Role = find(context, call)?;
    let profile = role.instance_profile.then_some(role);
    lists::list(context, call, "InstanceProfiles", profile, |x, r| shapes::instance_profile(x, &context.account, r))
}

pub(super) fn get(context: &Context, call: &Call) -> Answer {
    let name = required(call, "InstanceProfileName")?;
    let profile = all(context).find(|r| r.name == name);
    let role = profile.ok_or_else(|| lists::no_such(format!("Instance Profile {name} cannot be found.")))?;
    let mut x = Xml::new();
    x.nest("InstanceProfile", |x| shapes::instance_profile(x, &context.account, role));
    Ok(x.finish())
}
