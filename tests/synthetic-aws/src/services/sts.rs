//! STS: who is calling, and made-up temporary credentials.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};

use super::{Answer, Operation};
use crate::account::Caller;
use crate::ids;
use crate::server::{Context, lock};
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

pub(super) const OPERATIONS: &[Operation] =
    &[("GetCallerIdentity", caller_identity), ("AssumeRole", assume_role), ("GetSessionToken", session_token)];

fn caller_identity(context: &Context, call: &Call) -> Answer {
    let caller = context.caller(&call.access_key);
    let mut xml = Xml::new();
    xml.text("Arn", &caller.arn);
    xml.text("UserId", &caller.user_id);
    xml.text("Account", &caller.account);
    Ok(xml.finish())
}

fn session_token(context: &Context, call: &Call) -> Answer {
    mfa(call)?;
    let caller = context.caller(&call.access_key);
    let mut xml = Xml::new();
    credentials(context, call, &mut xml, caller, 43_200);
    Ok(xml.finish())
}

/// The role may be of any account: the session then belongs to that account. A role of the served account
/// must exist, and if its trust policy names an ExternalId by StringEquals, the same one must be given.
fn assume_role(context: &Context, call: &Call) -> Answer {
    let arn = call.text("RoleArn").unwrap_or_default();
    let session = call.text("RoleSessionName").unwrap_or_default();
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (&[_, _, "iam", _, account, resource], 2..=64) = (parts.as_slice(), session.len()) else {
        return Err(AwsError::new(400, "ValidationError", format!("{arn} or {session} is invalid")));
    };
    let refused = || {
        let caller = context.caller(&call.access_key);
        AwsError::new(
            403,
            "AccessDenied",
            format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {arn}", caller.arn),
        )
    };
    let mut longest = 43_200;
    if account == context.account.id {
        let roles = &context.account.iam.roles;
        let role = roles.iter().find(|r| r.arn == arn).ok_or_else(refused)?;
        longest = i64::from(role.max_session);
        if let Some(wanted) = external_id(&role.trust)
            && call.text("ExternalId") != Some(wanted.as_str())
        {
            return Err(refused());
        }
    }
    mfa(call)?;
    let duration = call.integer("DurationSeconds").unwrap_or(3600);
    if duration < 900 || duration > longest {
        return Err(AwsError::new(
            400,
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
        ));
    }
    let name = resource.rsplit('/').next().unwrap_or_default();
    let user_id = format!("{}:{session}", ids::unique_id("AROA", name));
    let session_arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{session}");
    let caller = Caller { account: account.to_owned(), arn: session_arn.clone(), user_id: user_id.clone() };
    let mut xml = Xml::new();
    xml.nest("AssumedRoleUser", |x| {
        x.text("AssumedRoleId", &user_id);
        x.text("Arn", &session_arn);
    });
    credentials(context, call, &mut xml, caller, duration);
    xml.maybe("SourceIdentity", call.text("SourceIdentity"));
    Ok(xml.finish())
}

/// The value of the first `"sts:ExternalId"` that the trust policy's StringEquals names.
fn external_id(trust: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(trust).ok()?;
    let statements = value.get("Statement")?;
    let statements = statements.as_array().cloned().unwrap_or_else(|| vec![statements.clone()]);
    statements.iter().find_map(|s| {
        let id = s.get("Condition")?.get("StringEquals")?.get("sts:ExternalId")?;
        id.as_str().map(str::to_owned)
    })
}

/// A serial number must come with a code of six digits; 000000 is always wrong.
fn mfa(call: &Call) -> Result<(), AwsError> {
    let Some(serial) = call.text("SerialNumber") else {
        return Ok(());
    };
    let code = call.text("TokenCode").unwrap_or_default();
    if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) && code != "000000" {
        return Ok(());
    }
    Err(AwsError::new(
        403,
        "AccessDenied",
        format!("MultiFactorAuthentication failed with invalid MFA one time pass code. ({serial})"),
    ))
}

/// Credentials whose key the server remembers. With a fixed clock they expire in 2099: SDKs compare with
/// the machine's clock, to which a fixed one may be the past.
fn credentials(context: &Context, call: &Call, xml: &mut Xml, caller: Caller, seconds: i64) {
    let key = ids::access_key("ASIA", &format!("{}\n{}", caller.arn, call.body));
    let expiration = if context.clock.is_fixed() {
        Utc.with_ymd_and_hms(2099, 1, 1, 0, 0, 0).single().unwrap_or(DateTime::<Utc>::MAX_UTC)
    } else {
        context.now() + TimeDelta::try_seconds(seconds).unwrap_or_default()
    };
    xml.nest("Credentials", |x| {
        x.text("AccessKeyId", &key);
        x.text("SecretAccessKey", "synthetic/secret/access/key/EXAMPLEKEY00");
        x.text("SessionToken", &format!("synthetic//session//token//of//{key}"));
        x.time("Expiration", expiration);
    });
    lock(&context.sessions).insert(key, caller);
}
