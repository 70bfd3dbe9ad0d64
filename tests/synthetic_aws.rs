//! The synthetic AWS through the SDK, as clients ask that go from principal to principal: the answers must agree with
//! the two documents that auditpack reads instead, or comparing such clients with it would compare two accounts.
#![cfg(feature = "program")]
#![allow(clippy::unwrap_used)]

use aws_sdk_iam::Client;
use aws_sdk_iam::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_iam::types::{AttachedPolicy, GroupDetail, PolicyDetail, RoleDetail, Tag, UserDetail};
use std::collections::{BTreeMap, BTreeSet};
use synthetic_aws::{Account, Options, PageSizes, Server};

/// A server with pages of two: every list that is longer is read in pages.
async fn start() -> (Server, Client) {
    let pages = PageSizes { iam_list: 2, ..PageSizes::aws() };
    let options = Options { pages: Some(pages), credential_report_polls: Some(0), ..Options::default() };
    let server = Server::start(Account::rich(), options).await.unwrap();
    let config = aws_sdk_iam::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .credentials_provider(Credentials::new("AKIAEXAMPLE", "any", None, None, "test"))
        .region(Region::new("us-east-1"))
        .endpoint_url(server.endpoint())
        .build();
    (server, Client::from_conf(config))
}

/// All pages of a list, and the items that a field of them holds.
macro_rules! all {
    ($request:expr, $items:ident) => {{
        let mut pages = $request.into_paginator().send();
        let mut items = Vec::new();
        while let Some(page) = pages.next().await {
            items.extend(page.unwrap().$items.into_iter());
        }
        items
    }};
}

fn arns(attached: &[AttachedPolicy]) -> Vec<&str> {
    attached.iter().filter_map(AttachedPolicy::policy_arn).collect()
}

/// Name and document of policies of one's own.
fn documents(policies: &[PolicyDetail]) -> Vec<(String, String)> {
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    policies.iter().map(|p| (text(p.policy_name()), text(p.policy_document()))).collect()
}

fn pairs(tags: &[Tag]) -> Vec<(&str, &str)> {
    tags.iter().map(|t| (t.key(), t.value())).collect()
}

#[derive(Default)]
struct Details {
    users: Vec<UserDetail>,
    groups: Vec<GroupDetail>,
    roles: Vec<RoleDetail>,
    policies: Vec<aws_sdk_iam::types::ManagedPolicyDetail>,
}

async fn details(iam: &Client) -> Details {
    let mut details = Details::default();
    let mut pages = iam.get_account_authorization_details().into_paginator().send();
    while let Some(page) = pages.next().await {
        let page = page.unwrap();
        details.users.extend(page.user_detail_list.unwrap_or_default());
        details.groups.extend(page.group_detail_list.unwrap_or_default());
        details.roles.extend(page.role_detail_list.unwrap_or_default());
        details.policies.extend(page.policies.unwrap_or_default());
    }
    details
}

#[tokio::test]
async fn users_one_by_one_are_those_of_the_authorization_details() {
    let (_server, iam) = start().await;
    let details = details(&iam).await;
    let names: Vec<String> = all!(iam.list_users(), users).into_iter().map(|u| u.user_name).collect();
    assert_eq!(names, details.users.iter().map(|u| u.user_name().unwrap()).collect::<Vec<_>>());
    for detail in &details.users {
        let name = detail.user_name().unwrap();
        let own = all!(iam.list_user_policies().user_name(name), policy_names);
        let mut read = Vec::new();
        for policy in own {
            let policy = iam.get_user_policy().user_name(name).policy_name(policy).send().await.unwrap();
            assert_eq!(policy.user_name, name);
            read.push((policy.policy_name, policy.policy_document));
        }
        assert_eq!(read, documents(detail.user_policy_list()), "{name}");
        let attached: Vec<AttachedPolicy> =
            all!(iam.list_attached_user_policies().user_name(name), attached_policies).into_iter().flatten().collect();
        assert_eq!(arns(&attached), arns(detail.attached_managed_policies()), "{name}");
        let groups = all!(iam.list_groups_for_user().user_name(name), groups);
        let groups: BTreeSet<&str> = groups.iter().map(|g| g.group_name()).collect();
        assert_eq!(groups, detail.group_list().iter().map(String::as_str).collect(), "{name}");
        let tags = all!(iam.list_user_tags().user_name(name), tags);
        assert_eq!(pairs(&tags), pairs(detail.tags()), "{name}");
        let user = iam.get_user().user_name(name).send().await.unwrap().user.unwrap();
        assert_eq!((user.arn(), pairs(user.tags())), (detail.arn().unwrap(), pairs(detail.tags())), "{name}");
        assert_eq!(user.permissions_boundary(), detail.permissions_boundary(), "{name}");
    }
}

#[tokio::test]
async fn groups_one_by_one_are_those_of_the_authorization_details() {
    let (_server, iam) = start().await;
    let details = details(&iam).await;
    let names = all!(iam.list_groups(), groups);
    assert_eq!(names.len(), details.groups.len());
    for detail in &details.groups {
        let name = detail.group_name().unwrap();
        let members = all!(iam.get_group().group_name(name), users);
        let members: Vec<&str> = members.iter().map(|u| u.user_name()).collect();
        let listed = details.users.iter().filter(|u| u.group_list().iter().any(|g| g == name));
        assert_eq!(members, listed.map(|u| u.user_name().unwrap()).collect::<Vec<_>>(), "{name}");
        let mut read = Vec::new();
        for policy in all!(iam.list_group_policies().group_name(name), policy_names) {
            let policy = iam.get_group_policy().group_name(name).policy_name(policy).send().await.unwrap();
            read.push((policy.policy_name, policy.policy_document));
        }
        assert_eq!(read, documents(detail.group_policy_list()), "{name}");
        let attached: Vec<AttachedPolicy> =
            all!(iam.list_attached_group_policies().group_name(name), attached_policies)
                .into_iter()
                .flatten()
                .collect();
        assert_eq!(arns(&attached), arns(detail.attached_managed_policies()), "{name}");
    }
}

#[tokio::test]
async fn roles_one_by_one_are_those_of_the_authorization_details() {
    let (_server, iam) = start().await;
    let details = details(&iam).await;
    assert_eq!(all!(iam.list_roles(), roles).len(), details.roles.len());
    for detail in &details.roles {
        let name = detail.role_name().unwrap();
        let mut read = Vec::new();
        for policy in all!(iam.list_role_policies().role_name(name), policy_names) {
            let policy = iam.get_role_policy().role_name(name).policy_name(policy).send().await.unwrap();
            read.push((policy.policy_name, policy.policy_document));
        }
        assert_eq!(read, documents(detail.role_policy_list()), "{name}");
        let attached: Vec<AttachedPolicy> =
            all!(iam.list_attached_role_policies().role_name(name), attached_policies).into_iter().flatten().collect();
        assert_eq!(arns(&attached), arns(detail.attached_managed_policies()), "{name}");
        let profiles = all!(iam.list_instance_profiles_for_role().role_name(name), instance_profiles);
        assert_eq!(profiles, detail.instance_profile_list(), "{name}");
        let role = iam.get_role().role_name(name).send().await.unwrap().role.unwrap();
        assert_eq!(role.assume_role_policy_document(), detail.assume_role_policy_document(), "{name}");
        assert_eq!(role.role_last_used(), detail.role_last_used(), "{name}");
        assert_eq!(role.permissions_boundary(), detail.permissions_boundary(), "{name}");
        assert_eq!(pairs(role.tags()), pairs(detail.tags()), "{name}");
    }
}

#[tokio::test]
async fn policies_one_by_one_are_those_of_the_authorization_details() {
    let (_server, iam) = start().await;
    let details = details(&iam).await;
    assert!(details.policies.len() > 40);
    for detail in &details.policies {
        let arn = detail.arn().unwrap();
        let policy = iam.get_policy().policy_arn(arn).send().await.unwrap().policy.unwrap();
        assert_eq!(policy.default_version_id(), detail.default_version_id(), "{arn}");
        let versions = all!(iam.list_policy_versions().policy_arn(arn), versions);
        let ids: Vec<_> = versions.into_iter().flatten().map(|v| (v.version_id, v.is_default_version)).collect();
        let listed = detail.policy_version_list().iter();
        assert_eq!(ids, listed.map(|v| (v.version_id.clone(), v.is_default_version)).collect::<Vec<_>>(), "{arn}");
        for version in detail.policy_version_list() {
            let request = iam.get_policy_version().policy_arn(arn).version_id(version.version_id().unwrap());
            assert_eq!(request.send().await.unwrap().policy_version.as_ref(), Some(version), "{arn}");
        }
        // Who has it, asked from both ends.
        let mut pages = iam.list_entities_for_policy().policy_arn(arn).into_paginator().send();
        let (mut found, mut listed) = (BTreeSet::new(), BTreeSet::new());
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            found.extend(page.policy_users().iter().map(|u| format!("user {}", u.user_name().unwrap())));
            found.extend(page.policy_groups().iter().map(|g| format!("group {}", g.group_name().unwrap())));
            found.extend(page.policy_roles().iter().map(|r| format!("role {}", r.role_name().unwrap())));
        }
        let has = |attached: &[AttachedPolicy], boundary: Option<&aws_sdk_iam::types::AttachedPermissionsBoundary>| {
            arns(attached).contains(&arn) || boundary.is_some_and(|b| b.permissions_boundary_arn() == Some(arn))
        };
        for u in details.users.iter().filter(|u| has(u.attached_managed_policies(), u.permissions_boundary())) {
            listed.insert(format!("user {}", u.user_name().unwrap()));
        }
        for g in details.groups.iter().filter(|g| has(g.attached_managed_policies(), None)) {
            listed.insert(format!("group {}", g.group_name().unwrap()));
        }
        for r in details.roles.iter().filter(|r| has(r.attached_managed_policies(), r.permissions_boundary())) {
            listed.insert(format!("role {}", r.role_name().unwrap()));
        }
        assert_eq!(found, listed, "{arn}");
    }
}

/// The fields of each user's row that follow the ARN, by ARN: names may hold commas.
async fn report(iam: &Client) -> BTreeMap<String, Vec<String>> {
    iam.generate_credential_report().send().await.unwrap();
    let report = iam.get_credential_report().send().await.unwrap();
    let text = String::from_utf8(report.content.unwrap().into_inner()).unwrap();
    let lines = text.lines().skip(2).map(|line| {
        // Twenty fields follow name and ARN.
        let mut fields: Vec<String> = line.rsplitn(21, ',').map(str::to_owned).collect();
        let arn = fields.pop().unwrap();
        fields.reverse();
        (arn[arn.find("arn:").unwrap()..].to_owned(), fields)
    });
    lines.collect()
}

#[tokio::test]
async fn credentials_one_by_one_are_those_of_the_credential_report() {
    let (server, iam) = start().await;
    let report = report(&iam).await;
    let time = |at: Option<&aws_sdk_iam::primitives::DateTime>| {
        let at = at.map(|at| chrono::DateTime::from_timestamp(at.secs(), 0).unwrap());
        at.map_or("N/A".to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
    };
    let mut ids = BTreeSet::new();
    for user in &server.account().iam.users {
        // Younger than the report.
        let Some(row) = report.get(&user.arn) else {
            assert_eq!(user.name, "new.starter");
            continue;
        };
        let name = user.name.as_str();
        let profile = iam.get_login_profile().user_name(name).send().await;
        assert_eq!(profile.is_ok().to_string(), row[1], "{name}: password_enabled");
        if let Err(error) = profile {
            assert!(error.into_service_error().is_no_such_entity_exception(), "{name}");
        }
        let devices = all!(iam.list_mfa_devices().user_name(name), mfa_devices);
        assert_eq!((!devices.is_empty()).to_string(), row[5], "{name}: mfa_active");
        for device in devices {
            let read = iam.get_mfa_device().serial_number(device.serial_number()).send().await.unwrap();
            assert_eq!(read.user_name(), Some(name));
        }

        let mut keys = Vec::new();
        for key in all!(iam.list_access_keys().user_name(name), access_key_metadata) {
            let id = key.access_key_id().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} is given out twice");
            let used = iam.get_access_key_last_used().access_key_id(id).send().await.unwrap();
            assert_eq!(used.user_name(), Some(name));
            let used = used.access_key_last_used.unwrap();
            keys.push([
                (key.status() == Some(&aws_sdk_iam::types::StatusType::Active)).to_string(),
                time(key.create_date()),
                time(used.last_used_date()),
                used.region().to_owned(),
                used.service_name().to_owned(),
            ]);
        }
        // A slot that holds no key has false and N/A.
        let slots = [&row[6..11], &row[11..16]];
        let rows: Vec<Vec<String>> = slots.iter().filter(|slot| slot[1] != "N/A").map(|slot| slot.to_vec()).collect();
        assert_eq!(keys.iter().map(|key| key.to_vec()).collect::<Vec<_>>(), rows, "{name}");
        let certificates = all!(iam.list_signing_certificates().user_name(name), certificates);
        let dated = [&row[17], &row[19]].iter().filter(|date| date.as_str() != "N/A").count();
        assert_eq!(certificates.len(), dated, "{name}");
    }
    assert_eq!(ids.len(), 25);
}
