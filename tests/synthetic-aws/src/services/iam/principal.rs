//! What users, groups and roles have in common: a name, a path, policies of their own, attached ones, tags.

use super::super::Answer;
use super::{lists, shapes};
use crate::account::iam::{Group, Iam, InlinePolicy, Role, Tag, User};
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call, percent};

/// A user, a group or a role.
pub(super) trait Principal: Sized + 'static {
    /// As it stands in names of operations, parameters and elements: `User` in ListUserPolicies, UserName, Users.
    const KIND: &'static str;

    fn all(iam: &Iam) -> &[Self];
    fn name(&self) -> &str;
    fn path(&self) -> &str;
    fn own_policies(&self) -> &[InlinePolicy];
    fn attached_policies(&self) -> &[String];
    fn tags(&self) -> &[Tag];
    /// As lists have it: "does not return all available attributes".
    fn listed(x: &mut Xml, principal: &Self);
    /// What GetUser and GetRole add to that.
    fn more(&self, x: &mut Xml);
}

/// What the model calls alike in all three: the list that holds them, and members of the same names.
macro_rules! of_the_model {
    ($all:ident) => {
        fn all(iam: &Iam) -> &[Self] {
            &iam.$all
        }

        fn name(&self) -> &str {
            &self.name
        }

        fn path(&self) -> &str {
            &self.path
        }

        fn own_policies(&self) -> &[InlinePolicy] {
            &self.inline
        }

        fn attached_policies(&self) -> &[String] {
            &self.attached
        }
    };
}

impl Principal for User {
    const KIND: &'static str = "User";

    of_the_model!(users);

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn listed(x: &mut Xml, user: &Self) {
        shapes::user(x, user);
    }

    fn more(&self, x: &mut Xml) {
        shapes::boundary(x, self.boundary.as_deref());
        shapes::tags(x, &self.tags);
    }
}

impl Principal for Group {
    const KIND: &'static str = "Group";

    of_the_model!(groups);

    /// Groups cannot be tagged.
    fn tags(&self) -> &[Tag] {
        &[]
    }

    fn listed(x: &mut Xml, group: &Self) {
        shapes::group(x, group);
    }

    fn more(&self, _: &mut Xml) {}
}

impl Principal for Role {
    const KIND: &'static str = "Role";

    of_the_model!(roles);

    fn tags(&self) -> &[Tag] {
        &self.tags
    }

    fn listed(x: &mut Xml, role: &Self) {
        shapes::role(x, role);
    }

    fn more(&self, x: &mut Xml) {
        shapes::boundary(x, self.boundary.as_deref());
        shapes::tags(x, &self.tags);
        shapes::role_last_used(x, self);
    }
}

/// The principal that a parameter such as UserName names.
pub(super) fn find<'a, P: Principal>(context: &'a Context, call: &Call) -> Result<&'a P, AwsError> {
    let name = required(call, &format!("{}Name", P::KIND))?.to_owned();
    named(context, &name)
}

/// The user that UserName names; without it, the caller, who must then be a user.
pub(super) fn user_or_caller<'a>(context: &'a Context, call: &Call) -> Result<&'a User, AwsError> {
    if call.text("UserName").is_some() {
        return find(context, call);
    }
    let caller = context.caller(&call.access_key);
    let mut users = context.account.iam.users.iter();
    users.find(|u| u.arn == caller.arn).ok_or_else(|| {
        AwsError::new(400, "ValidationError", "Must specify userName when calling with non-User credentials")
    })
}

fn named<'a, P: Principal>(context: &'a Context, name: &str) -> Result<&'a P, AwsError> {
    let kind = P::KIND.to_lowercase();
    P::all(&context.account.iam)
        .iter()
        .find(|p| p.name() == name)
        .ok_or_else(|| lists::no_such(format!("The {kind} with name {name} cannot be found.")))
}

/// A parameter without which IAM does not answer.
pub(super) fn required<'a>(call: &'a Call, name: &str) -> Result<&'a str, AwsError> {
    call.text(name).ok_or_else(|| {
        let mut member = name.to_owned();
        member[..1].make_ascii_lowercase();
        AwsError::new(
            400,
            "ValidationError",
            format!("1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"),
        )
    })
}

pub(super) fn list<P: Principal>(context: &Context, call: &Call) -> Answer {
    let under = lists::under(call);
    let all = P::all(&context.account.iam).iter().filter(|p| under(p.path()));
    lists::list(context, call, &format!("{}s", P::KIND), all, P::listed)
}

pub(super) fn get<P: Principal>(context: &Context, call: &Call) -> Answer {
    let principal: &P = find(context, call)?;
    let mut x = Xml::new();
    x.nest(P::KIND, |x| {
        P::listed(x, principal);
        principal.more(x);
    });
    Ok(x.finish())
}

pub(super) fn tags<P: Principal>(context: &Context, call: &Call) -> Answer {
    lists::list(context, call, "Tags", find::<P>(context, call)?.tags(), shapes::tag)
}

pub(super) fn attached<P: Principal>(context: &Context, call: &Call) -> Answer {
    // PathPrefix is about the policies: arn:aws:iam::aws:policy/service-role/AWS_ConfigRole is under /service-role/
    let under = lists::under(call);
    let path =
        |arn: &str| arn.split_once(":policy").and_then(|(_, r)| r.rsplit_once('/')).map(|(p, _)| format!("{p}/"));
    let attached = find::<P>(context, call)?.attached_policies();
    let attached = attached.iter().filter(|arn| path(arn).is_some_and(|path| under(&path)));
    lists::list(context, call, "AttachedPolicies", attached, |x, arn| shapes::attached_policy(x, arn))
}

pub(super) fn inline_names<P: Principal>(context: &Context, call: &Call) -> Answer {
    let own = find::<P>(context, call)?.own_policies();
    lists::list(context, call, "PolicyNames", own, |x, policy| x.raw_text(&policy.name))
}

pub(super) fn inline<P: Principal>(context: &Context, call: &Call) -> Answer {
    let principal: &P = find(context, call)?;
    let name = required(call, "PolicyName")?;
    let Some(policy) = principal.own_policies().iter().find(|p| p.name == name) else {
        let kind = P::KIND.to_lowercase();
        return Err(lists::no_such(format!("The {kind} policy with name {name} cannot be found.")));
    };
    let mut x = Xml::new();
    x.text(&format!("{}Name", P::KIND), principal.name());
    x.text("PolicyName", &policy.name);
    x.text("PolicyDocument", &percent::encode(&policy.document));
    Ok(x.finish())
}
