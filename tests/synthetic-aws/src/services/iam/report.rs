//! The credential report: generated in steps, then the same bytes for four hours.
//! Format: <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html>.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};

use super::super::Answer;
use crate::account::Account;
use crate::account::iam::{AccessKey, Certificate, Password, User};
use crate::server::{Context, lock};
use crate::wire::xml::{Xml, iso};
use crate::wire::{AwsError, Call};

pub(super) fn generate(context: &Context, _: &Call) -> Answer {
    let mut calls = lock(&context.report_calls);
    *calls = calls.saturating_add(1);
    let mut x = Xml::new();
    if *calls > context.credential_report_polls {
        x.text("State", "COMPLETE");
    } else if *calls == 1 {
        x.text("State", "STARTED");
        x.text("Description", "No report exists. Starting a new report generation task");
    } else {
        x.text("State", "INPROGRESS");
    }
    Ok(x.finish())
}

pub(super) fn get(context: &Context, _: &Call) -> Answer {
    let calls = *lock(&context.report_calls);
    if calls == 0 {
        return Err(AwsError::new(410, "ReportNotPresent", "No report exists. Call GenerateCredentialReport first."));
    }
    if calls <= context.credential_report_polls {
        return Err(AwsError::new(404, "ReportInProgress", "Credential report generation is in progress."));
    }
    let mut x = Xml::new();
    x.text("Content", &STANDARD.encode(csv(&context.account)));
    x.text("ReportFormat", "text/csv");
    x.time("GeneratedTime", context.account.iam.report.generated);
    Ok(x.finish())
}

/// The 22 columns that AWS sends today; a 23rd is documented but not seen.
const HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// Root first, then users without regard to case; lines end in LF, the last one too.
fn csv(account: &Account) -> String {
    let iam = &account.iam;
    let mut out = String::with_capacity(400 * (iam.users.len() + 2));
    out.push_str(HEADER);
    out.push('\n');
    let mut line = |fields: Vec<String>| {
        let fields: Vec<String> = fields
            .into_iter()
            .map(|f| match iam.report.quoted && f.contains(',') {
                true => format!("\"{f}\""),
                false => f,
            })
            .collect();
        out.push_str(&fields.join(","));
        out.push('\n');
    };
    let root = &iam.root;
    let mut fields = vec!["<root_account>".to_owned(), account.arn("root"), iso(account.created)];
    match &root.password {
        Some(password) => fields.extend([
            "true".to_owned(),
            password.last_used.map_or("no_information".to_owned(), iso),
            iso(password.last_changed),
        ]),
        None => fields.extend(["false".to_owned(), na(), na()]),
    }
    fields.push("not_supported".to_owned());
    fields.push(root.mfa.to_string());
    root.keys.iter().for_each(|k| key(&mut fields, k.as_ref()));
    fields.extend(["false".to_owned(), na(), "false".to_owned(), na()]);
    line(fields);

    let mut users: Vec<&User> = iam.users.iter().filter(|u| u.created <= iam.report.generated).collect();
    users.sort_by_cached_key(|u| u.name.to_lowercase());
    let max_age = iam.password_policy.as_ref().and_then(|p| p.max_age);
    for user in users {
        let mut fields = vec![user.name.clone(), user.arn.clone(), iso(user.created)];
        match &user.password {
            Some(p) => fields.extend([
                "true".to_owned(),
                p.last_used.map_or("no_information".to_owned(), iso),
                iso(p.last_changed),
                max_age.map_or_else(na, |days| iso(next_rotation(p, days))),
            ]),
            None => fields.extend(["false".to_owned(), na(), na(), na()]),
        }
        fields.push(user.mfa.to_string());
        user.keys.iter().for_each(|k| key(&mut fields, k.as_ref()));
        user.certificates.iter().for_each(|c| certificate(&mut fields, c.as_ref()));
        line(fields);
    }
    out
}

fn na() -> String {
    "N/A".to_owned()
}

fn next_rotation(password: &Password, days: u32) -> DateTime<Utc> {
    password.last_changed + TimeDelta::days(days.into())
}

/// An inactive key keeps its dates in the live report.
fn key(fields: &mut Vec<String>, key: Option<&AccessKey>) {
    let Some(key) = key else {
        fields.extend(["false".to_owned(), na(), na(), na(), na()]);
        return;
    };
    fields.extend([key.active.to_string(), iso(key.last_rotated)]);
    match &key.last_used {
        Some(used) => fields.extend([iso(used.at), used.region.clone().unwrap_or_else(na), used.service.clone()]),
        None => fields.extend([na(), na(), na()]),
    }
}

fn certificate(fields: &mut Vec<String>, certificate: Option<&Certificate>) {
    match certificate {
        Some(c) => fields.extend([c.active.to_string(), iso(c.last_rotated)]),
        None => fields.extend(["false".to_owned(), na()]),
    }
}
