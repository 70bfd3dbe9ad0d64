//! IAM's lists, and the single things that are asked for by ARN.

use super::super::Answer;
use super::super::page::{self, Page};
use super::shapes;
use crate::account::iam::Policy;
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

/// A page of `items`, in the shape of all of IAM's lists.
fn list<T>(
    context: &Context,
    call: &Call,
    name: &str,
    items: impl IntoIterator<Item = T>,
    each: impl FnMut(&mut Xml, T),
) -> Answer {
    let size = page::iam_size(call, context.pages.iam_list)?;
    let Page { items, next } = page::of(call, items, size)?;
    let mut x = Xml::new();
    x.flag("IsTruncated", next.is_some());
    x.list(name, items, each);
    x.maybe("Marker", next.as_deref());
    Ok(x.finish())
}

fn under<'a>(call: &'a Call) -> impl Fn(&str) -> bool + 'a {
    let prefix = call.text("PathPrefix").unwrap_or("/");
    move |path| path.starts_with(prefix)
}

pub(super) fn roles(context: &Context, call: &Call) -> Answer {
    let under = under(call);
    let roles = context.account.iam.roles.iter().filter(|r| under(&r.path));
    list(context, call, "Roles", roles, shapes::role)
}

pub(super) fn users(context: &Context, call: &Call) -> Answer {
    let under = under(call);
    let users = context.account.iam.users.iter().filter(|u| under(&u.path));
    list(context, call, "Users", users, shapes::user)
}

pub(super) fn groups(context: &Context, call: &Call) -> Answer {
    let under = under(call);
    let groups = context.account.iam.groups.iter().filter(|g| under(&g.path));
    list(context, call, "Groups", groups, shapes::group)
}

/// The AWS-managed ones are those in use: this server does not know the thousand others.
pub(super) fn policies(context: &Context, call: &Call) -> Answer {
    let under = under(call);
    let iam = &context.account.iam;
    let scope = call.text("Scope").unwrap_or("All");
    let attached_only = call.flag("OnlyAttached").unwrap_or(false);
    let local = iam.policies.iter().filter(|_| scope != "AWS");
    let aws = iam.aws_policies.iter().filter(|_| scope != "Local");
    let policies =
        local.chain(aws).filter(|p| under(&p.path) && (!attached_only || context.index.usage(&p.arn).attachments > 0));
    list(context, call, "Policies", policies, |x, p| {
        // "description" is not in the answer of ListPolicies
        shapes::policy(x, context, p, false);
    })
}

pub(super) fn aliases(context: &Context, call: &Call) -> Answer {
    list(context, call, "AccountAliases", &context.account.alias, |x, alias| x.raw_text(alias))
}

pub(super) fn mfa_devices(context: &Context, call: &Call) -> Answer {
    let account = &context.account;
    let status = call.text("AssignmentStatus").unwrap_or("Any");
    let devices = account.iam.virtual_mfa_devices.iter().filter(|d| match status {
        "Assigned" => d.user.is_some(),
        "Unassigned" => d.user.is_none(),
        _ => true,
    });
    list(context, call, "VirtualMFADevices", devices, |x, device| {
        x.text("SerialNumber", &device.serial);
        let user = device.user.as_deref();
        if user == Some("<root_account>") {
            x.nest("User", |x| {
                x.text("UserId", &account.id);
                x.text("Arn", &account.arn("root"));
                x.time("CreateDate", account.created);
                if let Some(at) = account.iam.root.password.as_ref().and_then(|p| p.last_used) {
                    x.time("PasswordLastUsed", at);
                }
            });
        } else if let Some(user) = account.iam.users.iter().find(|u| Some(u.name.as_str()) == user) {
            x.nest("User", |x| shapes::user(x, user));
        }
        if let Some(at) = device.enabled {
            x.time("EnableDate", at);
        }
    })
}

pub(super) fn saml_providers(context: &Context) -> Answer {
    let mut x = Xml::new();
    x.list("SAMLProviderList", &context.account.iam.saml_providers, |x, p| {
        x.text("Arn", &p.arn);
        x.time("ValidUntil", p.valid_until);
        x.time("CreateDate", p.created);
    });
    Ok(x.finish())
}

pub(super) fn oidc_providers(context: &Context) -> Answer {
    let mut x = Xml::new();
    let providers = &context.account.iam.oidc_providers;
    x.list("OpenIDConnectProviderList", providers, |x, p| x.text("Arn", &p.arn));
    Ok(x.finish())
}

pub(super) fn oidc_provider(context: &Context, call: &Call) -> Answer {
    let arn = call.text("OpenIDConnectProviderArn").unwrap_or_default();
    let mut providers = context.account.iam.oidc_providers.iter();
    let Some(provider) = providers.find(|p| p.arn == arn) else {
        return Err(no_such(format!("OpenIDConnect Provider not found for arn {arn}")));
    };
    let mut x = Xml::new();
    // the URL comes without its scheme
    x.text("Url", &provider.url);
    x.list("ClientIDList", &provider.client_ids, |x, id| x.raw_text(id));
    x.list("ThumbprintList", &provider.thumbprints, |x, t| x.raw_text(t));
    x.time("CreateDate", provider.created);
    shapes::tags(&mut x, &[]);
    Ok(x.finish())
}

pub(super) fn service_credentials(context: &Context, call: &Call) -> Answer {
    let user = call.text("UserName");
    let all = call.flag("AllUsers").unwrap_or(false);
    if user.is_some() && all {
        return Err(AwsError::new(400, "ValidationError", "UserName and AllUsers cannot be specified together."));
    }
    let service = call.text("ServiceName");
    let credentials = context
        .account
        .iam
        .service_credentials
        .iter()
        .filter(|c| (all || user == Some(c.user.as_str())) && service.is_none_or(|s| s == c.service));
    list(context, call, "ServiceSpecificCredentials", credentials, |x, c| {
        x.text("UserName", &c.user);
        x.text("Status", if c.active { "Active" } else { "Inactive" });
        x.maybe("ServiceUserName", c.service_user.as_deref());
        x.time("CreateDate", c.created);
        if let Some(at) = c.expires {
            x.time("ExpirationDate", at);
        }
        x.text("ServiceSpecificCredentialId", &c.id);
        x.text("ServiceName", &c.service);
    })
}

fn find<'a>(context: &'a Context, call: &Call) -> Result<&'a Policy, AwsError> {
    let arn = call.text("PolicyArn").unwrap_or_default();
    let iam = &context.account.iam;
    iam.policies
        .iter()
        .chain(&iam.aws_policies)
        .find(|p| p.arn == arn)
        .ok_or_else(|| no_such(format!("Policy {arn} was not found.")))
}

pub(super) fn policy(context: &Context, call: &Call) -> Answer {
    let policy = find(context, call)?;
    let mut x = Xml::new();
    x.nest("Policy", |x| {
        shapes::policy(x, context, policy, true);
        shapes::tags(x, &[]);
    });
    Ok(x.finish())
}

pub(super) fn policy_version(context: &Context, call: &Call) -> Answer {
    let policy = find(context, call)?;
    let id = call.text("VersionId").unwrap_or_default();
    let Some(version) = policy.versions.iter().find(|v| v.id == id) else {
        return Err(no_such(format!("Policy {} version {id} does not exist or is not attachable.", policy.arn)));
    };
    let mut x = Xml::new();
    x.nest("PolicyVersion", |x| shapes::policy_version(x, policy, version));
    Ok(x.finish())
}

fn no_such(message: String) -> AwsError {
    AwsError::new(404, "NoSuchEntity", message)
}
