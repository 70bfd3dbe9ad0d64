//! An account of any size. Names, ages, policies and events are functions of their numbers.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::build::{Maker, document, local};
use super::{ACCOUNT, Scale, aws_managed, clean};
use crate::account::config::ConfigRegion;
use crate::account::iam::{Document, Group, Policy, Role, User};
use crate::account::{Account, PageSizes, Region};
use crate::events::{EventStore, Generated};
use crate::ids;

const TEAMS: [&str; 12] = [
    "payments", "search", "orders", "identity", "data", "ml", "mobile", "platform", "sre", "web", "finance", "support",
];
const JOBS: [&str; 8] = ["api", "worker", "batch", "deploy", "reader", "etl", "stream", "cron"];
const SERVICES: [&str; 4] =
    ["lambda.amazonaws.com", "ec2.amazonaws.com", "ecs-tasks.amazonaws.com", "states.amazonaws.com"];

fn bits(kind: &str, i: usize) -> u64 {
    ids::mix(ids::hash(kind.as_bytes()) ^ ids::mix(i as u64))
}

fn pick<T: Copy>(from: &[T], bits: u64) -> T {
    from[(bits % from.len() as u64) as usize]
}

pub(super) fn account(scale: &Scale, now: DateTime<Utc>) -> Account {
    let mut scale = scale.clone();
    if scale.regions.is_empty() {
        scale.regions = Scale::default().regions;
    }
    let scale = &scale;
    let make = Maker { now };
    let mut account = clean::account(now);
    account.alias = Some("example-scaled".to_owned());
    account.name = "Example Corp Scaled".to_owned();
    account.pages = PageSizes::aws();
    account.regions = regions(&scale.regions);

    let iam = &mut account.iam;
    iam.policies = (0..scale.policies).map(|i| policy(make, i)).collect();
    iam.groups = (0..(scale.users / 40).clamp(1, 300)).map(|i| group(make, i, scale.policies)).collect();
    iam.users = (0..scale.users).map(|i| user(make, i, iam.groups.len())).collect();
    let documents = Documents::new();
    iam.roles = (0..scale.roles).map(|i| role(make, i, scale, &documents)).collect();
    iam.aws_policies = ["ReadOnlyAccess", "PowerUserAccess", "AWSLambdaBasicExecutionRole"]
        .map(|name| aws_managed::policy(name, true))
        .to_vec();
    iam.virtual_mfa_devices.retain(|d| d.user.as_deref() == Some("<root_account>"));
    iam.report.polls = 1;

    // the clean account's trail, at home in the first of these Regions
    let home = scale.regions[0].clone();
    for trail in &mut account.trails {
        trail.arn = trail.arn.replace(&trail.home, &home);
        trail.home.clone_from(&home);
    }
    account.config = scale.regions.iter().map(|r| (r.clone(), config(make, r, *r == home))).collect();
    let acting: Arc<[String]> = iam_roles(&account);
    account.events = events(scale, now, &acting);
    account
}

/// A recorder everywhere, the seven IAM rules at home, no packs: the number of calls that a client needs
/// must come from the size of the account.
fn config(make: Maker, region: &str, home: bool) -> ConfigRegion {
    let mut config = clean::config_region(make, region, home);
    config.rules.retain(|r| clean::IAM_RULES.iter().any(|(name, ..)| *name == r.name));
    config.packs.clear();
    config
}

/// The roles that events are made of: the first five hundred.
fn iam_roles(account: &Account) -> Arc<[String]> {
    account.iam.roles.iter().take(500).map(|r| r.name.clone()).collect()
}

fn regions(enabled: &[String]) -> Vec<Region> {
    let mut regions = clean::regions();
    for region in &mut regions {
        if enabled.contains(&region.name) {
            region.status = "ENABLED_BY_DEFAULT".to_owned();
        } else {
            region.status = "DISABLED".to_owned();
        }
    }
    for name in enabled {
        if !regions.iter().any(|r| r.name == *name) {
            regions.push(Region { name: name.clone(), status: "ENABLED".to_owned() });
        }
    }
    regions
}

/// Statements as teams write them; every tenth policy is close to the 6,144 characters that IAM allows.
fn statements(i: usize, count: usize) -> serde_json::Value {
    let statements: Vec<_> = (0..count)
        .map(|n| {
            let b = bits("statement", i * 64 + n);
            let team = pick(&TEAMS, b);
            json!({
                "Sid": format!("Allow{n}"),
                "Effect": "Allow",
                "Action": [
                    pick(&["s3:GetObject", "s3:PutObject", "s3:ListBucket"], b >> 8),
                    pick(&["dynamodb:GetItem", "dynamodb:Query", "dynamodb:PutItem"], b >> 16),
                    pick(&["sqs:SendMessage", "sqs:ReceiveMessage", "kms:Decrypt"], b >> 24),
                ],
                "Resource": [
                    format!("arn:aws:s3:::{team}-{:06x}/*", b >> 40),
                    format!("arn:aws:dynamodb:*:{ACCOUNT}:table/{team}-{:04x}", b >> 48),
                ],
                "Condition": {"StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}},
            })
        })
        .collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

fn policy(make: Maker, i: usize) -> Policy {
    let b = bits("policy", i);
    let count = if i.is_multiple_of(10) { 15 } else { 1 + (b % 4) as usize };
    let name = format!("{}-{}-{i:05}", pick(&TEAMS, b >> 8), pick(&JOBS, b >> 16));
    let age = 30 + (b >> 32) as i64 % 1500;
    let policy = make.policy("/", &name, age, document(&statements(i, count)));
    match i % 7 {
        0 => policy.version(make, age / 2, document(&statements(i + 1, count))),
        _ => policy,
    }
}

fn policy_name(i: usize) -> String {
    let b = bits("policy", i);
    format!("{}-{}-{i:05}", pick(&TEAMS, b >> 8), pick(&JOBS, b >> 16))
}

fn group(make: Maker, i: usize, policies: usize) -> Group {
    let mut attached = vec![aws_managed::arn("ReadOnlyAccess")];
    if policies > 0 {
        attached.push(local(&policy_name(i % policies)));
    }
    make.group(&format!("{}-{i:03}", TEAMS[i % TEAMS.len()]), 1500, &attached)
}

fn user(make: Maker, i: usize, groups: usize) -> User {
    let b = bits("user", i);
    let age = 5 + (b % 1400) as i64;
    let group = format!("{}-{:03}", TEAMS[i % groups % TEAMS.len()], i % groups);
    let user = make.user("/", &format!("user-{i:05}"), age).groups(&[&group]).tag("team", pick(&TEAMS, b >> 8));
    let recent = ((b >> 16) % 120) as i64;
    match b >> 60 {
        // most people: password and MFA; some without, some stale
        0..=8 => user.password(make, age.min(80), Some(recent.min(age))).mfa(),
        9 => user.password(make, age, None),
        10 => user.password(make, age, Some(age.min(200))),
        // machines
        11..=13 => user.key(make, 1, true, age.min(85), Some((recent.min(age), "us-east-1", "s3"))),
        14 => user.key(make, 1, true, age, Some((0, "us-east-1", "sqs"))).key(make, 2, true, age / 2, None),
        _ => user.key(make, 1, false, age, None),
    }
}

/// Documents that many roles share.
struct Documents {
    trust: Vec<Document>,
    inline: Vec<Document>,
}

impl Documents {
    fn new() -> Self {
        let trust = SERVICES
            .iter()
            .map(|service| {
                document(&json!({"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow",
                    "Principal": {"Service": service},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}},
                }]}))
            })
            .collect();
        Self { trust, inline: (0..40).map(|i| document(&statements(i, 2))).collect() }
    }
}

fn role(make: Maker, i: usize, scale: &Scale, documents: &Documents) -> Role {
    let b = bits("role", i);
    let age = 10 + (b % 1500) as i64;
    let name = format!("{}-{}-{i:05}", pick(&TEAMS, b >> 8), pick(&JOBS, b >> 16));
    let trust = documents.trust[(b >> 24) as usize % documents.trust.len()].clone();
    let region = &scale.regions[(b >> 32) as usize % scale.regions.len()];
    let mut role = make
        .role("/", &name, age, trust)
        .tag("team", pick(&TEAMS, b >> 8))
        .tag("cost-center", &format!("cc-{:04}", b % 400));
    if scale.policies > 0 {
        role = role.attach(local(&policy_name(i % scale.policies)));
    }
    if b.is_multiple_of(3) {
        role = role.inline("extra", documents.inline[i % documents.inline.len()].clone());
    }
    match b >> 60 {
        0..=11 => role.used(make, ((b >> 40) % 60) as i64 % age.max(1), region),
        12 | 13 => role.used(make, ((b >> 40) % 380) as i64 % age.max(1), region),
        _ => role,
    }
}

fn events(scale: &Scale, now: DateTime<Utc>, acting: &Arc<[String]>) -> BTreeMap<String, EventStore> {
    let others = scale.regions.len() as u64 - u64::from(!scale.regions.is_empty());
    let elsewhere = (scale.events * 3 / 10).checked_div(others).unwrap_or(0);
    let mut out = BTreeMap::new();
    for (n, region) in scale.regions.iter().enumerate() {
        let count = if n == 0 { scale.events - elsewhere * others } else { elsewhere };
        out.insert(
            region.clone(),
            EventStore::Generated(Generated {
                account: ACCOUNT.to_owned(),
                region: region.clone(),
                count,
                newest: now - TimeDelta::minutes(20),
                span: TimeDelta::days(90) - TimeDelta::hours(1),
                seed: ids::hash(region.as_bytes()),
                roles: Arc::clone(acting),
            }),
        );
    }
    out
}
