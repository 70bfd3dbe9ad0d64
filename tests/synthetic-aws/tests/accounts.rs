//! The accounts keep what they promise: sizes, references, and the traps that they exist for.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use synthetic_aws::events::EventStore;
use synthetic_aws::{Account, Scale};

fn attached(account: &Account) -> BTreeSet<String> {
    let iam = &account.iam;
    let users = iam.users.iter().flat_map(|u| u.attached.iter().chain(&u.boundary));
    let roles = iam.roles.iter().flat_map(|r| r.attached.iter().chain(&r.boundary));
    let groups = iam.groups.iter().flat_map(|g| &g.attached);
    users.chain(roles).chain(groups).cloned().collect()
}

fn is_consistent(account: &Account) {
    let iam = &account.iam;
    let known: BTreeSet<_> = iam.policies.iter().chain(&iam.aws_policies).map(|p| p.arn.clone()).collect();
    for arn in attached(account) {
        assert!(known.contains(&arn), "{arn} is attached but does not exist");
    }
    let groups: BTreeSet<_> = iam.groups.iter().map(|g| g.name.as_str()).collect();
    for user in &iam.users {
        assert!(user.groups.iter().all(|g| groups.contains(g.as_str())), "{}", user.name);
        assert!(user.created <= account.now);
        assert!(is_name(&user.name, 64), "{}", user.name);
    }
    for role in &iam.roles {
        assert!(is_name(&role.name, 64), "{}", role.name);
        assert!(role.last_used.as_ref().is_none_or(|u| u.at >= role.created && u.at <= account.now), "{}", role.name);
        assert!(serde_json::from_str::<serde_json::Value>(&role.trust).is_ok(), "{}", role.name);
    }
    for policy in &iam.policies {
        assert!(policy.versions.iter().any(|v| v.id == policy.default_version), "{}", policy.name);
        assert!(policy.versions.len() <= 5);
        for version in &policy.versions {
            let size = version.document.chars().filter(|c| !c.is_whitespace()).count();
            assert!(size <= 6144, "{} has {size} characters", policy.name);
        }
    }
    let ids = iam.users.iter().map(|u| &u.id).chain(iam.roles.iter().map(|r| &r.id));
    assert_eq!(ids.collect::<BTreeSet<_>>().len(), iam.users.len() + iam.roles.len(), "unique ids");
    for device in &iam.virtual_mfa_devices {
        let user = device.user.as_deref();
        assert!(user.is_none_or(|n| n == "<root_account>" || iam.users.iter().any(|u| u.name == n && u.mfa)));
    }
}

/// `[\w+=,.@-]`
fn is_name(name: &str, longest: usize) -> bool {
    (1..=longest).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b))
}

#[test]
fn all_accounts_are_consistent() {
    is_consistent(&Account::rich());
    is_consistent(&Account::clean());
    is_consistent(&Account::scaled(&Scale::default()));
}

#[test]
fn rich_is_as_large_as_promised() {
    let account = Account::rich();
    let iam = &account.iam;
    assert!(iam.users.len() >= 40 && iam.roles.len() >= 60 && iam.policies.len() >= 25 && iam.groups.len() >= 5);
    assert_eq!(account.regions.iter().filter(|r| r.is_enabled()).count(), 3);
    assert!(account.regions.iter().any(|r| r.status == "DISABLED"));
    assert_eq!(account.trails.len(), 3);
    assert!(account.config.values().map(|c| c.rules.len()).sum::<usize>() >= 30);
    assert!(account.events.values().map(EventStore::len).sum::<u64>() >= 2000);
    assert!(iam.users.iter().any(|u| u.name.len() == 64) && iam.roles.iter().any(|r| r.name.len() == 64));
    for first in ['=', '+', '-', '@'] {
        assert!(iam.users.iter().any(|u| u.name.starts_with(first)), "a user name that starts with {first}");
    }
    assert!(iam.users.iter().any(|u| u.created > iam.report.generated));
    let unreadable =
        iam.policies.iter().filter(|p| serde_json::from_str::<serde_json::Value>(&p.versions[0].document).is_err());
    assert_eq!(unreadable.map(|p| p.name.as_str()).collect::<Vec<_>>(), ["imported-2016"]);
}

#[test]
fn rich_rules_follow_from_its_users() {
    let account = Account::rich();
    let rules: BTreeMap<_, _> = account.config["us-east-1"].rules.iter().map(|r| (r.name.as_str(), r)).collect();
    let bad = |name: &str| -> BTreeSet<&str> {
        let ids: BTreeSet<_> =
            rules[name].results.iter().filter(|r| !r.compliant).map(|r| r.resource_id.as_str()).collect();
        account.iam.users.iter().filter(|u| ids.contains(u.id.as_str())).map(|u| u.name.as_str()).collect()
    };
    assert_eq!(
        bad("mfa-enabled-for-iam-console-access"),
        BTreeSet::from([
            "=1+1",
            "alice.adams1",
            "dana.dietrich",
            "erik.eriksson",
            "kofi.kamara",
            "li.lei",
            "rosa.ruiz"
        ])
    );
    // lax: a year; Security Hub's copy: ninety days
    assert_eq!(
        bad("access-keys-rotated"),
        BTreeSet::from(["peter.popov", "svc-back-up", "svc-jenkins", "svc-legacy-sftp"])
    );
    let strict = bad("securityhub-access-keys-rotated-77b0e1d2");
    assert!(strict.contains("fatima.fahmi") && !strict.contains("george.garcia") && !strict.contains("svc-inactive"));
    let stale = bad("iam-user-unused-credentials-check");
    assert!(
        stale.contains("wanda.weiss")
            && !stale.contains("victor.vance")
            && stale.contains("kofi.kamara")
            && !stale.contains("li.lei")
    );
    assert_eq!(bad("iam-no-inline-policy-check"), BTreeSet::from(["maria.moreno", "svc-mailer", "tara.tan"]));
}

#[test]
fn rich_events_tell_the_stories() {
    let account = Account::rich();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let (mut vendors, mut tokens, mut ids) = (0, 0, BTreeSet::new());
    for store in account.events.values() {
        let EventStore::Listed { events, .. } = store else { panic!("rich events are listed") };
        for event in events {
            assert!(ids.insert(event.facts.id.clone()), "one id twice: {}", event.record);
            assert!(
                event.time > account.now - chrono::TimeDelta::days(90) && event.time < account.now,
                "{}",
                event.record
            );
            let record: serde_json::Value = serde_json::from_str(&event.record).unwrap();
            *counts.entry(event.facts.name.clone()).or_default() += 1;
            let identity = &record["userIdentity"];
            if identity["accountId"] == "999988887777" {
                vendors += 1;
                assert_eq!(identity["type"], "AWSAccount");
                assert!(identity.get("arn").is_none() && event.facts.username.is_none());
            }
            tokens += usize::from(record["responseElements"]["credentials"]["sessionToken"].is_string());
        }
    }
    assert_eq!(vendors, 16);
    assert!(tokens > 40);
    for name in [
        "StopLogging",
        "PutEventSelectors",
        "UpdateTrail",
        "DeleteTrail",
        "CreateUser",
        "CreateAccessKey",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "ConsoleLogin",
        "StopConfigurationRecorder",
        "RotateKey",
    ] {
        assert!(counts.contains_key(name), "{name}");
    }
}

#[test]
fn clean_has_nothing_to_find() {
    let account = Account::clean();
    let iam = &account.iam;
    assert!(iam.users.iter().all(|u| u.mfa && u.inline.is_empty() && u.attached.is_empty()));
    assert!(iam.roles.iter().all(|r| r.inline.is_empty() && r.last_used.is_some()));
    assert!(iam.roles.iter().all(|r| !r.trust.contains("\"*\"") && !r.trust.contains("999988887777")));
    let mut allowing = iam.policies.iter().filter(|p| p.name != "require-mfa");
    assert!(allowing.all(|p| p.versions.iter().all(|v| !v.document.contains("\"*\""))));
    for config in account.config.values() {
        assert!(config.recorder.as_ref().is_some_and(|r| r.recording));
        assert!(config.rules.iter().flat_map(|r| &r.results).all(|r| r.compliant));
    }
    let names: BTreeSet<_> = account.config["us-east-1"].rules.iter().map(|r| r.name.as_str()).collect();
    assert!(names.contains("access-keys-rotated") && names.contains("iam-user-mfa-enabled"));
    for store in account.events.values() {
        assert!(matches!(store, EventStore::Generated(_)));
    }
}

#[test]
fn scaled_is_exact_and_repeatable() {
    let scale = Scale {
        users: 137,
        roles: 211,
        policies: 89,
        events: 1001,
        regions: vec!["eu-central-1".into(), "us-east-2".into()],
    };
    let account = Account::scaled(&scale);
    assert_eq!((account.iam.users.len(), account.iam.roles.len(), account.iam.policies.len()), (137, 211, 89));
    assert_eq!(account.events.values().map(EventStore::len).sum::<u64>(), 1001);
    assert_eq!(account.trails[0].home, "eu-central-1");
    let enabled: Vec<_> = account.regions.iter().filter(|r| r.is_enabled()).map(|r| r.name.as_str()).collect();
    assert_eq!(enabled, ["eu-central-1", "us-east-2"]);
    assert_eq!(format!("{:?}", Account::scaled(&scale).iam), format!("{:?}", account.iam));
}
