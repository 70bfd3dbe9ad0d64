//! The account itself: root, the password policy, identity providers, and what holds for all Regions together.

use super::build::{Fact, Row, Source, population, sorted};
use super::events::Events;
use super::input::Input;
use super::{FieldValue, Kind, Population, Resource, Value};
use crate::evidence::credential_report::{LastUsed, Row as ReportRow};
use crate::evidence::iam::{
    GetAccountPasswordPolicy, ListAccountAliases, ListOpenIdConnectProviders, ListSamlProviders, ListVirtualMfaDevices,
    PasswordPolicy,
};
use crate::evidence::identity::CallerIdentity;
use crate::evidence::{Document, Operation};
use std::sync::Arc;

/// The populations that the account's own fields sum up.
pub(super) struct Regional<'a> {
    pub trails: &'a Population,
    pub recorders: &'a Population,
    pub rules: &'a Population,
}

/// The account, as a population of one.
pub(super) fn account(input: &Input<'_>, events: &Events, regional: &Regional<'_>) -> Population {
    let identity = Source::<CallerIdentity>::global(input.evidence);
    let told = identity.whole().and_then(|told| identity.told(told.account.as_deref(), "the account"));
    let id = input.evidence.account.as_deref().or(told.as_ref().ok().copied()).unwrap_or("unknown account");
    let mut row = Row::new(Kind::Account, id, None, None);
    row.seen_in(&identity);
    row.set("account_id", told);
    let aliases = listed::<ListAccountAliases>(input, &mut row);
    row.set("alias", aliases.map(|told| told.account_aliases.first().map(String::as_str)));
    root(input, events, &mut row);
    passwords(input, &mut row);
    let saml = listed::<ListSamlProviders>(input, &mut row);
    row.set("saml_providers", saml.map(|told| sorted(told.saml_provider_list.iter().filter_map(|p| p.arn.clone()))));
    let oidc = listed::<ListOpenIdConnectProviders>(input, &mut row);
    let arns = |told: &ListOpenIdConnectProviders| {
        sorted(told.open_id_connect_provider_list.iter().filter_map(|provider| provider.arn.clone()))
    };
    row.set("oidc_providers", oidc.map(arns));
    row.seen_in(&input.regions.source);
    row.set("regions", input.regions.whole().map(|names| sorted(names.iter().copied())));
    in_all_regions(regional, &mut row);
    population(Kind::Account, vec![row], None, identity.document())
}

/// A document that only the account's row reads.
fn listed<'a, D: Document>(input: &Input<'a>, row: &mut Row) -> Fact<&'a D> {
    let source = Source::<D>::global(input.evidence);
    row.seen_in(&source);
    source.whole()
}

fn root(input: &Input<'_>, events: &Events, row: &mut Row) {
    let (summary, report) = (&input.summary, &input.report);
    if summary.arrived().is_some() {
        row.seen(Operation::IamGetAccountSummary, summary.at("/SummaryMap"));
    }
    let reported = report.whole().map(|report| report.root());
    match &reported {
        Ok(Some(root)) => row.seen(Operation::IamGetCredentialReport, report.at(format!("L{}", root.line))),
        _ => row.seen_in(report),
    }
    let present = |name: &str| -> Fact<bool> {
        let count = summary.whole()?.summary_map.get(name).copied();
        summary.told(count, name).map(|count| count > 0)
    };
    // A report without root's row, as emulators make them, or one that does not support the column, says nothing.
    let both = |name: &str, in_report: &dyn Fn(&ReportRow) -> Option<bool>, what: &str| -> Fact<bool> {
        let in_summary = present(name)?;
        match reported.clone()?.and_then(in_report) {
            Some(in_report) if in_report != in_summary => Err(report.unknown(format!(
                "the sources disagree on root's {what}: the account summary says {name} = {}, the credential report says {in_report}",
                i64::from(in_summary)
            ))),
            _ => Ok(in_summary),
        }
    };
    row.set("root_mfa_active", both("AccountMFAEnabled", &|root| root.mfa_active, "MFA"));
    let has_keys = |root: &ReportRow| Some(root.keys.iter().any(|key| key.exists()));
    row.set("root_access_keys_present", both("AccountAccessKeysPresent", &has_keys, "access keys"));
    // Root has a password unless AWS says otherwise: those of member accounts can be taken away only since AWS says so.
    let password =
        summary.whole().map(|told| told.summary_map.get("AccountPasswordPresent").is_none_or(|count| *count > 0));
    row.set(
        "root_has_credentials",
        any_present([password, present("AccountAccessKeysPresent"), present("AccountSigningCertificatesPresent")]),
    );
    row.set(
        "root_last_used_days",
        reported.and_then(|root| {
            let root = root.ok_or_else(|| report.unknown("the credential report has no row for root"))?;
            let uses = root.keys.iter().map(|key| key.last_used).chain([root.password_last_used]);
            let latest = uses.filter_map(|used| match used {
                LastUsed::At(time) => Some(time),
                LastUsed::Never | LastUsed::NoCredential => None,
            });
            latest.max().map(|latest| report.days(latest, input.reported_at(), "root's last activity")).transpose()
        }),
    );
    row.set(
        "console_users",
        report.whole().and_then(|told| {
            told.users().try_fold(0, |count, user| {
                let enabled = report.told(user.password_enabled, &format!("whether {} has a password", user.user))?;
                Ok(count + i64::from(enabled))
            })
        }),
    );
    let devices = Source::<ListVirtualMfaDevices>::global(input.evidence);
    row.seen_in(&devices);
    row.set(
        "root_virtual_mfa",
        devices.whole().map(|told| {
            told.virtual_mfa_devices.iter().any(|device| {
                let owner = device.user.as_ref().and_then(|user| user.arn.as_deref());
                let serial = device.serial_number.as_deref().unwrap_or("");
                let owned = owner.is_some_and(|arn| arn.ends_with(":root"));
                // The device that root makes for itself has this name; a user could have taken it, so that its owner counts.
                owned
                    || (owner.is_none()
                        && device.enable_date.is_some()
                        && serial.ends_with(":mfa/root-account-mfa-device"))
            })
        }),
    );
    row.set("root_certificates_present", present("AccountSigningCertificatesPresent"));
    row.set("root_console_logins", events.root_console_logins.clone());
    row.set("root_events", events.root_events.clone());
    row.set("sign_ins_failed", events.sign_ins_failed.clone());
    row.set("sign_ins_failed_of_one", events.sign_ins_failed_of_one.clone());
    for place in &events.root_places {
        row.seen(Operation::CloudTrailLookupEvents, place.clone());
    }
}

/// Whether any is there: known from one that is, or from all that are not.
fn any_present<const N: usize>(facts: [Fact<bool>; N]) -> Fact<bool> {
    if facts.contains(&Ok(true)) {
        return Ok(true);
    }
    facts.into_iter().collect::<Fact<Vec<bool>>>().map(|_| false)
}

/// AWS's default policy asks for eight characters and three of the four kinds, so that it asks for none of them
/// by itself (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html>).
fn passwords(input: &Input<'_>, row: &mut Row) {
    let source = Source::<GetAccountPasswordPolicy>::global(input.evidence);
    if source.arrived().is_some() {
        row.seen(Operation::IamGetAccountPasswordPolicy, source.at("/PasswordPolicy"));
    }
    // `None` is AWS's default.
    let own: Fact<Option<&PasswordPolicy>> = match source.is_absent() {
        true => Ok(None),
        false => source.whole().map(|told| Some(&told.password_policy)),
    };
    row.set("password_policy_exists", own.clone().map(|own| own.is_some()));
    let length = own.clone().and_then(|own| match own {
        None => Ok(8),
        Some(own) => source.told(own.minimum_password_length, "the shortest password allowed"),
    });
    row.set("password_minimum_length", length);
    let flag = |read: &dyn Fn(&PasswordPolicy) -> Option<bool>, what: &str| match own.clone()? {
        None => Ok(false),
        Some(own) => source.told(read(own), what),
    };
    row.set("password_require_symbols", flag(&|own| own.require_symbols, "whether symbols are required"));
    row.set("password_require_numbers", flag(&|own| own.require_numbers, "whether digits are required"));
    row.set(
        "password_require_uppercase",
        flag(&|own| own.require_uppercase_characters, "whether upper-case letters are required"),
    );
    row.set(
        "password_require_lowercase",
        flag(&|own| own.require_lowercase_characters, "whether lower-case letters are required"),
    );
    row.set(
        "password_users_may_change",
        flag(&|own| own.allow_users_to_change_password, "whether users may change their password"),
    );
    let positive = |count: Option<i64>| count.filter(|count| *count > 0);
    row.set(
        "password_max_age_days",
        own.clone().and_then(|own| match own {
            None => Ok(None),
            Some(PasswordPolicy { expire_passwords: Some(false), .. }) => Ok(None),
            Some(own) => match (own.expire_passwords, positive(own.max_password_age)) {
                (Some(true), None) => {
                    Err(source.unknown("passwords expire, but the answer does not tell after how many days"))
                }
                (_, days) => Ok(days),
            },
        }),
    );
    let reuse = own.clone().map(|own| own.and_then(|own| positive(own.password_reuse_prevention)));
    row.set("password_reuse_prevention", reuse);
    // AWS leaves it out where it was never set.
    row.set("password_hard_expiry", own.map(|own| own.is_some_and(|own| own.hard_expiry == Some(true))));
}

fn in_all_regions(regional: &Regional<'_>, row: &mut Row) {
    let trails = select(regional.trails, |trail| {
        let facts = [
            is(trail, "multi_region", &Value::Bool(true)),
            is(trail, "global_events", &Value::Bool(true)),
            is(trail, "logging", &Value::Bool(true)),
            is(trail, "delivering", &Value::Bool(true)),
            is(trail, "management_events", &Value::from("all")),
        ];
        Ok(all(facts)?.then(|| trail.id.clone()))
    });
    row.set("effective_trails", trails);
    let data = select(regional.trails, |trail| {
        let facts = [is(trail, "logging", &Value::Bool(true)), is(trail, "data_events", &Value::Bool(true))];
        Ok(all(facts)?.then(|| trail.id.clone()))
    });
    row.set("data_event_trails", data);
    let identifiers = select(regional.rules, |rule| {
        let active = is(rule, "state", &Value::from("ACTIVE"))?;
        Ok(match known(rule, "source_identifier")? {
            Value::Text(identifier) if active => Some(identifier.clone()),
            _ => None,
        })
    });
    row.set("config_rule_identifiers", identifiers);
    let global = select(regional.recorders, |recorder| {
        let facts = [is(recorder, "global_types", &Value::Bool(true)), is(recorder, "recording", &Value::Bool(true))];
        Ok(all(facts)?.then(|| recorder.region.clone().unwrap_or_default()))
    });
    row.set("config_global_regions", global);
}

/// What rows contribute to a list, which is known only if the population is whole and each row is decided.
fn select(rows: &Population, choose: impl Fn(&Resource) -> Fact<Option<String>>) -> Fact<Vec<String>> {
    if let Some(gap) = rows.incomplete.first() {
        return Err(Arc::new(gap.clone()));
    }
    let chosen: Fact<Vec<Option<String>>> = rows.rows.iter().map(choose).collect();
    chosen.map(|chosen| sorted(chosen.into_iter().flatten()))
}

/// Whether all hold: known from one that does not, or from all that do.
fn all<const N: usize>(facts: [Fact<bool>; N]) -> Fact<bool> {
    if facts.contains(&Ok(false)) {
        return Ok(false);
    }
    facts.into_iter().collect::<Fact<Vec<bool>>>().map(|_| true)
}

fn is(row: &Resource, field: &str, expected: &Value) -> Fact<bool> {
    known(row, field).map(|value| value == expected)
}

fn known<'a>(row: &'a Resource, field: &str) -> Fact<&'a Value> {
    match row.fields.get(field) {
        Some(FieldValue::Known(value)) => Ok(value),
        Some(FieldValue::Unknown(unknown)) => Err(unknown.clone()),
        // Every row has every field of its kind; a null never equals what is asked for.
        None => Ok(&Value::Null),
    }
}
