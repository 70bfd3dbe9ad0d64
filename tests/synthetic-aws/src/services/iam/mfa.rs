//! MFA devices. A user who has MFA and no virtual device has a security key.

use chrono::{DateTime, Utc};

use super::super::Answer;
use super::principal::{required, user_or_caller};
use super::{lists, shapes};
use crate::account::iam::{User, VirtualMfaDevice};
use crate::ids;
use crate::server::Context;
use crate::wire::Call;
use crate::wire::xml::Xml;

struct Device<'a> {
    user: &'a User,
    serial: String,
    enabled: DateTime<Utc>,
}

/// Serial numbers of security keys: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_enable_fido.html>.
fn devices<'a>(context: &'a Context, user: &'a User) -> Vec<Device<'a>> {
    let assigned = |d: &&VirtualMfaDevice| d.user.as_deref() == Some(user.name.as_str());
    let mut devices: Vec<Device> = context
        .account
        .iam
        .virtual_mfa_devices
        .iter()
        .filter(assigned)
        .map(|d| Device { user, serial: d.serial.clone(), enabled: d.enabled.unwrap_or(user.created) })
        .collect();
    if user.mfa && devices.is_empty() {
        let key = format!("u2f/user/{}/key-{}", user.name, ids::unique_id("", &user.name));
        devices.push(Device { user, serial: context.account.arn(&key), enabled: user.created });
    }
    devices
}

pub(super) fn of_user(context: &Context, call: &Call) -> Answer {
    let user = user_or_caller(context, call)?;
    lists::list(context, call, "MFADevices", devices(context, user), device)
}

fn device(x: &mut Xml, device: Device<'_>) {
    x.text("UserName", &device.user.name);
    x.text("SerialNumber", &device.serial);
    x.time("EnableDate", device.enabled);
}

pub(super) fn get(context: &Context, call: &Call) -> Answer {
    let serial = required(call, "SerialNumber")?;
    let all = context.account.iam.users.iter().flat_map(|user| devices(context, user));
    let mut named = all.filter(|d| call.text("UserName").is_none_or(|name| name == d.user.name));
    let Some(found) = named.find(|d| d.serial == serial) else {
        return Err(lists::no_such(format!("MFA Device with serial number {serial} does not exist.")));
    };
    let mut x = Xml::new();
    device(&mut x, found);
    Ok(x.finish())
}

pub(super) fn virtual_devices(context: &Context, call: &Call) -> Answer {
    let account = &context.account;
    let status = call.text("AssignmentStatus").unwrap_or("Any");
    let devices = account.iam.virtual_mfa_devices.iter().filter(|d| match status {
        "Assigned" => d.user.is_some(),
        "Unassigned" => d.user.is_none(),
        _ => true,
    });
    lists::list(context, call, "VirtualMFADevices", devices, |x, device| {
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
