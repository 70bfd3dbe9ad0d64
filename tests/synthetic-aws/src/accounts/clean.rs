//! A small account in which everything is as it should be.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::build::{Maker, arn, document, local};
use super::{ACCOUNT, aws_managed};
use crate::account::config::{Channel, ConfigRegion, Pack, Recorder, Rule, RuleResult, Source, Verdict};
use crate::account::iam::{Iam, Password, PasswordPolicy, Report, Root, SamlProvider, VirtualMfaDevice};
use crate::account::trail::{PublicKey, Selectors, Trail, TrailStatus};
use crate::account::{Account, Caller, PageSizes, Region};
use crate::events::{EventStore, Generated};
use crate::ids;

const HOME: &str = "us-east-1";
const OTHER: &str = "eu-west-1";

pub(super) fn account(now: DateTime<Utc>) -> Account {
    let make = Maker { now };
    Account {
        id: ACCOUNT.to_owned(),
        name: "Example Corp Clean".to_owned(),
        alias: Some("example-clean".to_owned()),
        created: make.ago(700, "account"),
        now,
        caller: caller(),
        regions: regions(),
        iam: iam(make),
        trails: vec![trail(make)],
        public_keys: public_keys(now),
        config: config(make),
        events: [(HOME, 220), (OTHER, 120)]
            .into_iter()
            .map(|(region, count)| (region.to_owned(), events(region, count, now)))
            .collect(),
        pages: PageSizes::aws(),
        denials: Vec::new(),
    }
}

/// Whoever records: a read-only role, assumed by an auditor.
pub(super) fn caller() -> Caller {
    let role = "AuditpackReader";
    Caller {
        account: ACCOUNT.to_owned(),
        arn: format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/auditor"),
        user_id: format!("{}:auditor", ids::unique_id("AROA", role)),
    }
}

/// What the real account API lists, of which two are in use.
pub(super) fn regions() -> Vec<Region> {
    [
        ("af-south-1", "DISABLED"),
        ("ap-east-1", "DISABLED"),
        ("ca-west-1", "DISABLED"),
        (OTHER, "ENABLED_BY_DEFAULT"),
        ("il-central-1", "DISABLED"),
        ("me-south-1", "DISABLED"),
        (HOME, "ENABLED_BY_DEFAULT"),
    ]
    .map(|(name, status)| Region { name: name.to_owned(), status: status.to_owned() })
    .to_vec()
}

fn iam(make: Maker) -> Iam {
    let now = make.now;
    let users = ["ada.break-glass", "grace.break-glass"].map(|name| {
        let user = make.user("/", name, 300).groups(&["break-glass"]).mfa().tag("purpose", "break-glass");
        // One way in each: a user with both is used by a person and a program.
        match name {
            "ada.break-glass" => user.password(make, 40, Some(20)),
            _ => user.key(make, 1, true, 30, Some((3, "us-east-1", "iam"))),
        }
    });
    let devices = users.iter().map(|u| VirtualMfaDevice {
        serial: arn(&format!("mfa/{}", u.name)),
        user: Some(u.name.clone()),
        enabled: Some(make.ago(299, &u.name)),
    });
    Iam {
        // Root has a hardware device, which the list of virtual ones does not show.
        virtual_mfa_devices: devices.collect(),
        groups: vec![make.group(
            "break-glass",
            400,
            &[local("assume-operations"), local("require-mfa"), aws_managed::arn("IAMUserChangePassword")],
        )],
        roles: roles(make),
        policies: policies(make),
        aws_policies: [
            "IAMUserChangePassword",
            "SecurityAudit",
            "AWSConfigServiceRolePolicy",
            "AWSSupportServiceRolePolicy",
            "AWSTrustedAdvisorServiceRolePolicy",
        ]
        .map(|name| aws_managed::policy(name, true))
        .to_vec(),
        password_policy: Some(PasswordPolicy {
            minimum_length: 14,
            symbols: true,
            numbers: true,
            uppercase: true,
            lowercase: true,
            users_may_change: true,
            max_age: Some(90),
            reuse_prevention: Some(24),
            hard_expiry: true,
        }),
        root: Root {
            password: Some(Password { last_used: Some(make.ago(412, "root")), last_changed: make.ago(412, "rootc") }),
            mfa: true,
            keys: [None, None],
        },
        saml_providers: vec![SamlProvider {
            arn: arn("saml-provider/Workforce"),
            valid_until: now + TimeDelta::days(700),
            created: make.ago(600, "saml"),
        }],
        oidc_providers: Vec::new(),
        service_credentials: Vec::new(),
        server_certificates: Vec::new(),
        report: Report { generated: now - TimeDelta::seconds(40), polls: 1, quoted: false },
        users: users.to_vec(),
    }
}

fn service(name: &str) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": name}, "Action": "sts:AssumeRole"}]})
}

fn roles(make: Maker) -> Vec<crate::account::iam::Role> {
    let trust_users = document(&json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"AWS": arn("user/ada.break-glass")},
        "Action": "sts:AssumeRole",
        "Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": "3600"}},
    }]}));
    let trust_saml = document(&json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow",
        "Principal": {"Federated": arn("saml-provider/Workforce")},
        "Action": ["sts:AssumeRoleWithSAML", "sts:TagSession"],
        "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
    }]}));
    let linked = |name: &str, principal: &str, policy: &str| {
        make.role(&format!("/aws-service-role/{principal}/"), name, 650, document(&service(principal)))
            .attach(aws_managed::arn(policy))
            .used(make, 0, HOME)
    };
    let mut lambda = service("lambda.amazonaws.com");
    lambda["Statement"][0]["Condition"] = json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}});
    vec![
        linked("AWSServiceRoleForConfig", "config.amazonaws.com", "AWSConfigServiceRolePolicy"),
        linked("AWSServiceRoleForSupport", "support.amazonaws.com", "AWSSupportServiceRolePolicy"),
        linked("AWSServiceRoleForTrustedAdvisor", "trustedadvisor.amazonaws.com", "AWSTrustedAdvisorServiceRolePolicy"),
        make.role("/", "AuditpackReader", 200, trust_saml.clone())
            .attach(aws_managed::arn("SecurityAudit"))
            .used(make, 0, HOME)
            .about("Read-only evidence collection"),
        make.role("/", "operations", 500, trust_users)
            .attach(local("operations"))
            .used(make, 9, HOME)
            .about("Incident response, MFA within the hour"),
        make.role("/app/", "orders-api", 350, document(&lambda)).attach(local("orders-api")).used(make, 0, HOME),
        make.role("/app/", "orders-worker", 350, document(&lambda)).attach(local("orders-api")).used(make, 1, OTHER),
        make.role("/", "workforce-developer", 500, trust_saml).attach(local("developer-read")).used(make, 2, HOME),
    ]
}

fn policies(make: Maker) -> Vec<crate::account::iam::Policy> {
    let allow = |actions: Value, resources: Value| {
        document(&json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": resources}]}))
    };
    let require_mfa = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "DenyAllExceptMFASetup",
        "Effect": "Deny",
        "NotAction": ["iam:CreateVirtualMFADevice", "iam:EnableMFADevice", "iam:GetUser", "iam:ListMFADevices", "iam:ListVirtualMFADevices", "iam:ResyncMFADevice", "iam:ChangePassword", "sts:GetSessionToken"],
        "Resource": "*",
        "Condition": {"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}},
    }]});
    vec![
        make.policy("/", "require-mfa", 480, document(&require_mfa)),
        make.policy("/", "assume-operations", 400, allow(json!("sts:AssumeRole"), json!(arn("role/operations")))),
        make.policy(
            "/",
            "operations",
            480,
            allow(
                json!(["ec2:RebootInstances", "ecs:UpdateService", "lambda:UpdateFunctionConfiguration"]),
                json!([
                    format!("arn:aws:ecs:*:{ACCOUNT}:service/orders/*"),
                    format!("arn:aws:lambda:*:{ACCOUNT}:function:orders-*"),
                    format!("arn:aws:ec2:*:{ACCOUNT}:instance/*")
                ]),
            ),
        ),
        make.policy(
            "/",
            "orders-api",
            350,
            allow(
                json!(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"]),
                json!(format!("arn:aws:dynamodb:{HOME}:{ACCOUNT}:table/orders")),
            ),
        ),
        make.policy(
            "/",
            "developer-read",
            350,
            allow(
                json!(["s3:GetObject", "s3:ListBucket"]),
                json!(["arn:aws:s3:::example-clean-artifacts", "arn:aws:s3:::example-clean-artifacts/*"]),
            ),
        ),
    ]
}

fn trail(make: Maker) -> Trail {
    let now = make.now;
    Trail {
        name: "organization-standard".to_owned(),
        arn: format!("arn:aws:cloudtrail:{HOME}:{ACCOUNT}:trail/organization-standard"),
        home: HOME.to_owned(),
        multi_region: true,
        global_events: true,
        organization: false,
        bucket: "example-clean-cloudtrail-logs".to_owned(),
        prefix: None,
        sns_topic: None,
        validation: true,
        log_group: Some(format!("arn:aws:logs:{HOME}:{ACCOUNT}:log-group:cloudtrail:*")),
        log_role: Some(arn("role/service-role/cloudtrail-to-logs")),
        kms_key: Some(format!("arn:aws:kms:{HOME}:{ACCOUNT}:key/{}", ids::uuid(42))),
        insight: false,
        status: TrailStatus {
            logging: true,
            started: Some(make.ago(690, "trail")),
            delivered: Some(now - TimeDelta::minutes(4)),
            digest: Some(now - TimeDelta::minutes(41)),
            logs_delivered: Some(now - TimeDelta::minutes(3)),
            ..TrailStatus::default()
        },
        selectors: Selectors::Basic(json!([{
            "ReadWriteType": "All",
            "IncludeManagementEvents": true,
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}],
            "ExcludeManagementEventSources": [],
        }])),
    }
}

/// Two keys whose private halves were thrown away, valid one after the other.
pub(super) fn public_keys(now: DateTime<Utc>) -> Vec<PublicKey> {
    let key = |value: &str, fingerprint: &str, from: i64, to: i64| PublicKey {
        value: value.to_owned(),
        fingerprint: fingerprint.to_owned(),
        from: now - TimeDelta::days(from),
        to: now - TimeDelta::days(to),
    };
    vec![
        key(
            "MIIBCgKCAQEAqmD6nFmDntojm7l0O13amVzcfhtU7h9Dfh1LHpmnvIROB62CEobHihHzTKZyLIUhW8gQt9yjWZ3OsOLazAdY+aS/I3HMJhTjGY8WQNuPW3sg9e5SqHeSRpUhDot0Dp7XpbRxVfWSgmxP1250pPVl4axCFtU4xwDMdonRXGfRshZP8GHFWVMVfejULEOMfo6FAOnvCD9CsCm7IRt4zDMGhauyoglk9PflcHiPVbP0wpvsYEfwSFfmU2UesiGsp4zeKnSO2sxhgu6tnpJZlgNoAbLn87BRvLLBCswiu1+xFg/4mURBIqx4v7vmh7mDp9XjcR0JOR5ZNNsrdF2AsjpiAwIDAQAB",
            "f715b13a009fce4eaa7012ec8a56f399",
            120,
            30,
        ),
        key(
            "MIIBCgKCAQEA2FHrGpF8x4QBnXMqMZGjn/WhtK9ut5UFD/EmkreEkGKSBqVHk5qdVvO4jA0IO01iGF+zXhiQKxBkygdGNsK5aV+RGVkVTttoIv/GV8sV4+rdggmIwuZyLdjPM1afBbghj6R9z3YvEnwcvpQnrZJSOmC1bmZFt8yFObiYSOrZY6LFVqC9EsglUaKlC5tTrzUKpKxWrP8SC3BEEnDVTDy7Q/ypCXrQZQhzbm38fJYRxGMq/AQ9/uw4xW4Xff/kTUjpzQlE2SxANmzynTUhbGsCsTnx0AMkWNJHucRB8tXkeft+S921A2j1ZIgUiF/EJJTytx9BGP3gDMxrMUbjmQnbFwIDAQAB",
            "01cb644e138bc61eb07e60e23aa4f929",
            30,
            -60,
        ),
    ]
}

/// The seven IAM rules of the source documents, with the parameters they ask for.
pub(super) const IAM_RULES: [(&str, &str, Option<&str>); 7] = [
    ("root-account-mfa-enabled", "ROOT_ACCOUNT_MFA_ENABLED", None),
    ("iam-root-access-key-check", "IAM_ROOT_ACCESS_KEY_CHECK", None),
    ("iam-user-mfa-enabled", "IAM_USER_MFA_ENABLED", None),
    ("mfa-enabled-for-iam-console-access", "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS", None),
    ("access-keys-rotated", "ACCESS_KEYS_ROTATED", Some(r#"{"maxAccessKeyAge":"90"}"#)),
    (
        "iam-user-unused-credentials-check",
        "IAM_USER_UNUSED_CREDENTIALS_CHECK",
        Some(r#"{"maxCredentialUsageAge":"90"}"#),
    ),
    ("iam-no-inline-policy-check", "IAM_NO_INLINE_POLICY_CHECK", None),
];

fn config(make: Maker) -> BTreeMap<String, ConfigRegion> {
    [HOME, OTHER].into_iter().map(|region| (region.to_owned(), config_region(make, region, region == HOME))).collect()
}

/// Config in one Region; the rules about IAM are in the home Region.
pub(super) fn config_region(make: Maker, region: &str, home: bool) -> ConfigRegion {
    let now = make.now;
    let mut rules = Vec::new();
    if home {
        for (name, identifier, parameters) in IAM_RULES {
            rules.push(rule(make, region, name, identifier, parameters));
        }
        rules.push(rule(make, region, "password-policy", "IAM_PASSWORD_POLICY", Some(r#"{"RequireUppercaseCharacters":"true","RequireLowercaseCharacters":"true","RequireSymbols":"true","RequireNumbers":"true","MinimumPasswordLength":"14","PasswordReusePrevention":"24","MaxPasswordAge":"90"}"#)));
        rules.push(rule(
            make,
            region,
            "iam-policy-no-statements-with-admin-access",
            "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS",
            None,
        ));
        rules.push(rule(make, region, "multi-region-cloudtrail-enabled", "MULTI_REGION_CLOUD_TRAIL_ENABLED", None));
    }
    let mut packs = Vec::new();
    for (name, identifier) in
        [("cloudtrail-enabled", "CLOUD_TRAIL_ENABLED"), ("restricted-ssh", "INCOMING_SSH_DISABLED")]
    {
        let mut rule = rule(make, region, &format!("{name}-conformance-pack-k3v9x2m1q"), identifier, None);
        rule.created_by = Some("config-conforms.amazonaws.com".to_owned());
        rules.push(rule);
    }
    packs.push(Pack {
        name: "baseline".to_owned(),
        id: "conformance-pack-k3v9x2m1q".to_owned(),
        arn: format!("arn:aws:config:{region}:{ACCOUNT}:conformance-pack/baseline/conformance-pack-k3v9x2m1q"),
        parameters: Vec::new(),
        updated: make.ago(400, "pack"),
        created_by: None,
        rules: rules.iter().rev().take(2).map(|r| r.name.clone()).collect(),
    });
    ConfigRegion {
        recorder: Some(Recorder {
            name: "default".to_owned(),
            role_arn: arn("role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"),
            group: recording_everything(true),
            mode: json!({"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": []}),
            recording: true,
            last_status: "SUCCESS".to_owned(),
            error: None,
            started: Some(make.ago(680, "recorder")),
            stopped: None,
            changed: now - TimeDelta::minutes(7),
        }),
        channel: Some(Channel {
            name: "default".to_owned(),
            bucket: "example-clean-config".to_owned(),
            topic: Some(format!("arn:aws:sns:{region}:{ACCOUNT}:config-changes")),
            frequency: "TwentyFour_Hours".to_owned(),
            delivered: Some(now - TimeDelta::hours(3)),
            error: None,
        }),
        rules,
        packs,
        retention_days: Some(2557),
    }
}

/// recordingGroup of a recorder that records all types.
pub(super) fn recording_everything(global: bool) -> Value {
    json!({
        "allSupported": true,
        "includeGlobalResourceTypes": global,
        "resourceTypes": [],
        "exclusionByResourceTypes": {"resourceTypes": []},
        "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
    })
}

/// A managed rule that is active, old enough and recently evaluated, with a compliant result.
pub(super) fn rule(make: Maker, region: &str, name: &str, identifier: &str, parameters: Option<&str>) -> Rule {
    let evaluated = make.now - TimeDelta::minutes(95 + (ids::hash(name.as_bytes()) % 400) as i64);
    let id = format!("config-rule-{}", &ids::uuid(ids::hash(format!("{region}{name}").as_bytes()))[..8]);
    let result = |resource_type: &str, resource_id: &str| RuleResult {
        resource_type: resource_type.to_owned(),
        resource_id: resource_id.to_owned(),
        compliant: true,
        annotation: None,
        recorded: evaluated,
        since: None,
    };
    let results = match identifier {
        "IAM_USER_MFA_ENABLED"
        | "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS"
        | "ACCESS_KEYS_ROTATED"
        | "IAM_USER_UNUSED_CREDENTIALS_CHECK"
        | "IAM_NO_INLINE_POLICY_CHECK" => ["ada.break-glass", "grace.break-glass"]
            .map(|name| result("AWS::IAM::User", &ids::unique_id("AIDA", name)))
            .to_vec(),
        "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS" => {
            ["require-mfa", "assume-operations", "operations", "orders-api", "developer-read"]
                .map(|name| result("AWS::IAM::Policy", &ids::unique_id("ANPA", name)))
                .to_vec()
        }
        "INCOMING_SSH_DISABLED" => vec![result("AWS::EC2::SecurityGroup", "sg-0a1b2c3d4e5f60718")],
        _ => vec![result("AWS::::Account", ACCOUNT)],
    };
    Rule {
        name: name.to_owned(),
        arn: format!("arn:aws:config:{region}:{ACCOUNT}:config-rule/{id}"),
        id,
        description: None,
        source: Source::Managed(identifier.to_owned()),
        parameters: parameters.map(str::to_owned),
        frequency: Some("TwentyFour_Hours".to_owned()),
        resource_types: Vec::new(),
        state: "ACTIVE".to_owned(),
        created_by: None,
        internal: false,
        proactive: false,
        verdict: Verdict::FromResults,
        results,
        activated: make.ago(400, name),
        evaluated: Some(evaluated),
        failed: None,
        remediation: None,
    }
}

/// Ordinary service activity: no root, no console logins of users.
fn events(region: &str, count: u64, now: DateTime<Utc>) -> EventStore {
    EventStore::Generated(Generated {
        account: ACCOUNT.to_owned(),
        region: region.to_owned(),
        count,
        newest: now - TimeDelta::minutes(30),
        span: TimeDelta::days(89),
        seed: ids::hash(region.as_bytes()),
        roles: ["orders-api", "orders-worker"].map(str::to_owned).into(),
    })
}
