//! A company that has grown for five years: rich and awkward. What is wrong where, and which finding it
//! should give, is listed in fixtures/README.md.

mod config;
mod events;
mod federated;
mod policies;
mod roles;
mod trails;
mod users;
mod vendor;

use chrono::{DateTime, TimeDelta, Utc};

use super::build::{Maker, arn};
use super::{ACCOUNT, aws_managed, clean};
use crate::account::iam::{Iam, Password, PasswordPolicy, Report, Root, ServiceCredential, VirtualMfaDevice};
use crate::account::{Account, PageSizes, Region};
use crate::faults::{Fault, FaultKind};
use crate::ids;

/// The Regions in use.
const HOME: &str = "us-east-1";
const EUROPE: &str = "eu-west-1";
const SYDNEY: &str = "ap-southeast-2";

pub(super) fn account(now: DateTime<Utc>) -> Account {
    let make = Maker { now };
    let iam = iam(make);
    let config = config::config(make, &iam);
    Account {
        id: ACCOUNT.to_owned(),
        name: "Example Corp Production".to_owned(),
        alias: Some("example-corp".to_owned()),
        created: make.ago(2400, "account"),
        now,
        caller: clean::caller(),
        regions: regions(),
        iam,
        trails: trails::trails(make),
        public_keys: clean::public_keys(now),
        config,
        events: events::events(now),
        pages: PageSizes::small(),
        // one operation, for one rule, that the caller's policy does not allow
        denials: vec![
            Fault::new(FaultKind::Deny, "config", "GetComplianceDetailsByConfigRule")
                .containing("\"payments-tagging-policy\""),
        ],
    }
}

/// All Regions of the partition, three of them enabled.
fn regions() -> Vec<Region> {
    const OTHERS: [&str; 31] = [
        "af-south-1",
        "ap-east-1",
        "ap-east-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-southeast-1",
        "ap-southeast-3",
        "ap-southeast-4",
        "ap-southeast-5",
        "ap-southeast-7",
        "ca-central-1",
        "ca-west-1",
        "eu-central-1",
        "eu-central-2",
        "eu-north-1",
        "eu-south-1",
        "eu-south-2",
        "eu-west-2",
        "eu-west-3",
        "il-central-1",
        "me-central-1",
        "me-south-1",
        "mx-central-1",
        "sa-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "ap-southeast-6",
    ];
    // AWS has Regions that are enabled by default and cannot be disabled; in this account all but three
    // are off, so that a run stays small
    let mut regions: Vec<Region> = OTHERS
        .iter()
        .map(|name| Region {
            name: (*name).to_owned(),
            status: if *name == "ap-southeast-7" { "DISABLING" } else { "DISABLED" }.to_owned(),
        })
        .chain(
            [(HOME, "ENABLED_BY_DEFAULT"), (EUROPE, "ENABLED_BY_DEFAULT"), (SYDNEY, "ENABLED")]
                .map(|(name, status)| Region { name: name.to_owned(), status: status.to_owned() }),
        )
        .collect();
    regions.sort_by(|a, b| a.name.cmp(&b.name));
    regions
}

fn iam(make: Maker) -> Iam {
    let users = users::users(make);
    let mut devices = vec![VirtualMfaDevice {
        serial: arn("mfa/root-account-mfa-device"),
        user: Some("<root_account>".to_owned()),
        enabled: Some(make.ago(2300, "root-mfa")),
    }];
    // a hardware key (hana.hoshi) is not a virtual device
    devices.extend(users.iter().filter(|u| u.mfa && u.name != "hana.hoshi").map(|u| VirtualMfaDevice {
        serial: arn(&format!("mfa/{}", u.name)),
        user: Some(u.name.clone()),
        enabled: Some(u.created + TimeDelta::hours(2)),
    }));
    // made and never assigned
    devices.push(VirtualMfaDevice { serial: arn("mfa/dana.dietrich-phone"), user: None, enabled: None });
    Iam {
        virtual_mfa_devices: devices,
        groups: users::groups(make),
        roles: roles::roles(make),
        policies: policies::policies(make),
        aws_policies: aws_policies(),
        // lax: 10 characters, no symbols, a year, five remembered
        password_policy: Some(PasswordPolicy {
            minimum_length: 10,
            symbols: false,
            numbers: true,
            uppercase: true,
            lowercase: true,
            users_may_change: true,
            max_age: Some(365),
            reuse_prevention: Some(5),
            hard_expiry: false,
        }),
        root: Root {
            password: Some(Password {
                last_used: Some(make.ago(12, "root-login")),
                last_changed: make.ago(830, "root-password"),
            }),
            mfa: true,
            keys: [None, None],
        },
        saml_providers: federated::saml_providers(make),
        oidc_providers: federated::oidc_providers(make),
        service_credentials: service_credentials(make),
        server_certificates: Vec::new(),
        report: Report {
            // before new.starter was created
            generated: make.now - TimeDelta::seconds(140),
            polls: 2,
            quoted: false,
        },
        users,
    }
}

/// In use; CloudWatchReadOnlyAccess is attached but not in the authorization details.
fn aws_policies() -> Vec<crate::account::iam::Policy> {
    [
        ("AdministratorAccess", true),
        ("PowerUserAccess", true),
        ("ReadOnlyAccess", true),
        ("SecurityAudit", true),
        ("IAMUserChangePassword", true),
        ("Billing", true),
        ("AWSLambdaBasicExecutionRole", true),
        ("AWSSupportServiceRolePolicy", true),
        ("AWSTrustedAdvisorServiceRolePolicy", true),
        ("AWSConfigServiceRolePolicy", true),
        ("CloudWatchReadOnlyAccess", false),
    ]
    .map(|(name, listed)| aws_managed::policy(name, listed))
    .to_vec()
}

/// Credentials that the credential report does not know.
fn service_credentials(make: Maker) -> Vec<ServiceCredential> {
    let credential = |user: &str, service: &str, active: bool, age: i64, expires: Option<i64>| ServiceCredential {
        user: user.to_owned(),
        active,
        service: service.to_owned(),
        service_user: (service != "bedrock.amazonaws.com").then(|| format!("{user}-at-{ACCOUNT}")),
        id: ids::unique_id("ACCA", &format!("{user}{service}{age}")),
        created: make.ago(age, user),
        expires: expires.map(|days| make.now + TimeDelta::days(days)),
    };
    vec![
        credential("svc-bedrock", "bedrock.amazonaws.com", true, 58, Some(30)),
        credential("svc-codecommit", "codecommit.amazonaws.com", true, 890, None),
        credential("sven.svensson", "codecommit.amazonaws.com", true, 1200, None),
        credential("sven.svensson", "cassandra.amazonaws.com", false, 700, None),
    ]
}
