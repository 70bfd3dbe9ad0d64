//! A user's password, access keys, certificates and credentials for single services.

use super::super::Answer;
use super::lists;
use super::principal::{required, user_or_caller};
use crate::account::iam::{AccessKey, Certificate, User};
use crate::ids;
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

/// The date of the password's creation is not in the model: the user's own, for passwords are older than their
/// last change.
pub(super) fn login_profile(context: &Context, call: &Call) -> Answer {
    let user = user_or_caller(context, call)?;
    if user.password.is_none() {
        return Err(lists::no_such(format!("Login Profile for User {} cannot be found.", user.name)));
    }
    let mut x = Xml::new();
    x.nest("LoginProfile", |x| {
        x.text("UserName", &user.name);
        x.time("CreateDate", user.created);
        x.flag("PasswordResetRequired", false);
    });
    Ok(x.finish())
}

/// A user's keys with their ids, slot by slot.
fn keys(user: &User) -> impl Iterator<Item = (String, &AccessKey)> {
    (1..).zip(&user.keys).filter_map(|(slot, key)| Some((ids::user_key(&user.name, slot), key.as_ref()?)))
}

pub(super) fn access_keys(context: &Context, call: &Call) -> Answer {
    let user = user_or_caller(context, call)?;
    lists::list(context, call, "AccessKeyMetadata", keys(user), |x, (id, key)| {
        x.text("UserName", &user.name);
        x.text("AccessKeyId", &id);
        x.text("Status", status(key.active));
        x.time("CreateDate", key.last_rotated);
    })
}

/// A key of nobody in this account is denied, not missing.
pub(super) fn last_used(context: &Context, call: &Call) -> Answer {
    let wanted = required(call, "AccessKeyId")?;
    let users = context.account.iam.users.iter();
    let found = users.flat_map(|u| keys(u).map(move |(id, key)| (u, id, key))).find(|(_, id, _)| id == wanted);
    let Some((user, _, key)) = found else {
        return Err(AwsError::denied(call, &context.caller(&call.access_key).arn));
    };
    let mut x = Xml::new();
    x.text("UserName", &user.name);
    x.nest("AccessKeyLastUsed", |x| {
        if let Some(used) = &key.last_used {
            x.time("LastUsedDate", used.at);
        }
        x.text("ServiceName", key.last_used.as_ref().map_or("N/A", |used| &used.service));
        x.text("Region", key.last_used.as_ref().and_then(|used| used.region.as_deref()).unwrap_or("N/A"));
    });
    Ok(x.finish())
}

pub(super) fn signing_certificates(context: &Context, call: &Call) -> Answer {
    let user = user_or_caller(context, call)?;
    let certificates = (1..).zip(&user.certificates).filter_map(|(slot, c)| Some((slot, c.as_ref()?)));
    lists::list(context, call, "Certificates", certificates, |x, (slot, certificate): (u32, &Certificate)| {
        x.text("UserName", &user.name);
        x.text("CertificateId", &ids::access_key("CERT", &format!("{}/{slot}", user.name)));
        x.text("CertificateBody", "-----BEGIN CERTIFICATE-----\nEXAMPLE\n-----END CERTIFICATE-----");
        x.text("Status", status(certificate.active));
        x.time("UploadDate", certificate.last_rotated);
    })
}

pub(super) fn service_specific(context: &Context, call: &Call) -> Answer {
    let all = call.flag("AllUsers").unwrap_or(false);
    if call.text("UserName").is_some() && all {
        return Err(AwsError::new(400, "ValidationError", "UserName and AllUsers cannot be specified together."));
    }
    let user = if all { None } else { Some(user_or_caller(context, call)?) };
    let service = call.text("ServiceName");
    let credentials = context
        .account
        .iam
        .service_credentials
        .iter()
        .filter(|c| user.is_none_or(|u| u.name == c.user) && service.is_none_or(|s| s == c.service));
    lists::list(context, call, "ServiceSpecificCredentials", credentials, |x, c| {
        x.text("UserName", &c.user);
        x.text("Status", status(c.active));
        x.maybe("ServiceUserName", c.service_user.as_deref());
        x.time("CreateDate", c.created);
        if let Some(at) = c.expires {
            x.time("ExpirationDate", at);
        }
        x.text("ServiceSpecificCredentialId", &c.id);
        x.text("ServiceName", &c.service);
    })
}

fn status(active: bool) -> &'static str {
    if active { "Active" } else { "Inactive" }
}
