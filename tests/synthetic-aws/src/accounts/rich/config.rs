//! AWS Config of the rich account: 32 rules over three Regions, in all states. The results of the IAM
//! rules follow from the account's own users and policies, with AWS's rules, not ours.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;

use super::super::ACCOUNT;
use super::super::build::{Maker, arn};
use super::super::clean::{recording_everything, rule};
use super::{EUROPE, HOME, SYDNEY};
use crate::account::config::{Channel, ConfigRegion, Pack, Recorder, Remediation, Rule, RuleResult, Source, Verdict};
use crate::account::iam::{Iam, User};

pub(super) fn config(make: Maker, iam: &Iam) -> BTreeMap<String, ConfigRegion> {
    [(HOME, home(make, iam)), (EUROPE, europe(make)), (SYDNEY, sydney(make))]
        .into_iter()
        .map(|(region, config)| (region.to_owned(), config))
        .collect()
}

fn result(kind: &str, id: &str, compliant: bool, recorded: DateTime<Utc>) -> RuleResult {
    RuleResult {
        resource_type: kind.to_owned(),
        resource_id: id.to_owned(),
        compliant,
        annotation: None,
        recorded,
        since: None,
    }
}

impl Rule {
    /// Replaces the results, all of one type, by (id, compliant).
    fn with<'a>(mut self, kind: &str, results: impl IntoIterator<Item = (&'a str, bool)>) -> Self {
        let recorded = self.evaluated.unwrap_or(self.activated);
        self.results = results.into_iter().map(|(id, ok)| result(kind, id, ok, recorded)).collect();
        self
    }

    /// Every third bad result has been bad for only so many days; before, it was good.
    fn since(mut self, make: Maker, days: i64) -> Self {
        for (n, r) in self.results.iter_mut().filter(|r| !r.compliant).enumerate() {
            if n % 3 == 0 {
                r.since = Some(make.ago(days + n as i64, &r.resource_id));
            }
        }
        self
    }

    fn annotated(mut self, text: &str) -> Self {
        for r in self.results.iter_mut().filter(|r| !r.compliant) {
            r.annotation = Some(text.to_owned());
        }
        self
    }

    fn created_by(mut self, service: &str) -> Self {
        self.created_by = Some(service.to_owned());
        self
    }

    fn state(mut self, state: &str, verdict: Verdict) -> Self {
        state.clone_into(&mut self.state);
        self.verdict = verdict;
        if verdict != Verdict::FromResults {
            self.results.clear();
        }
        self
    }
}

/// The IAM ids that a rule reports on: users by unique id.
fn users(iam: &Iam, judge: impl Fn(&User) -> Option<bool>) -> Vec<(&str, bool)> {
    iam.users.iter().filter_map(|u| Some((u.id.as_str(), judge(u)?))).collect()
}

/// AWS's ACCESS_KEYS_ROTATED, with any maximum age.
fn rotated(make: Maker, iam: &Iam, days: i64) -> Vec<(&str, bool)> {
    let oldest = make.now - TimeDelta::days(days);
    users(iam, |u| {
        let active: Vec<_> = u.keys.iter().flatten().filter(|k| k.active).collect();
        Some(active.iter().all(|k| k.last_rotated >= oldest))
    })
}

fn unused(make: Maker, iam: &Iam, days: i64) -> Vec<(&str, bool)> {
    let oldest = make.now - TimeDelta::days(days);
    users(iam, |u| {
        let password = u.password.as_ref().is_none_or(|p| p.last_used.unwrap_or(u.created) >= oldest);
        let keys = u.keys.iter().flatten().filter(|k| k.active);
        let keys = keys.map(|k| k.last_used.as_ref().map_or(k.last_rotated, |used| used.at));
        Some(password && keys.into_iter().all(|at| at >= oldest))
    })
}

fn home(make: Maker, iam: &Iam) -> ConfigRegion {
    let managed =
        |name: &str, identifier: &str, parameters: Option<&str>| rule(make, HOME, name, identifier, parameters);
    let user = "AWS::IAM::User";
    let inline = users(iam, |u| Some(u.inline.is_empty()));
    let admin_policies: Vec<(&str, bool)> = iam
        .policies
        .iter()
        .map(|p| {
            // AWS reads the default version of customer-managed policies, and only the literal form
            let text = p
                .versions
                .iter()
                .find(|v| v.id == p.default_version)
                .map(|v| v.document.to_string())
                .unwrap_or_default();
            let admin = text.contains(r#""Action":"*","Effect":"Allow","Resource":"*""#)
                || text.contains(r#""Action":["*"],"Effect":"Allow","Resource":["*"]"#);
            (p.id.as_str(), !admin)
        })
        .collect();
    let groups = (1..=12).map(|n| format!("sg-0{n:016x}")).collect::<Vec<_>>();
    let buckets = ["example-corp-lake", "example-corp-reports", "example-corp-home", "my-app-bucket-prod"];
    let mut stale = managed("payments-tagging", "", None).with("AWS::Lambda::Function", [("payments-api", true)]);
    stale.source = Source::Lambda(format!("arn:aws:lambda:{HOME}:{ACCOUNT}:function:config-payments-tagging"));
    stale.evaluated = Some(make.ago(48, "tagging"));
    stale.failed = Some((
        make.now - TimeDelta::hours(5),
        "LambdaInvocationFailed".to_owned(),
        "The Lambda function exited before it sent its evaluation results".to_owned(),
    ));
    let mut guard =
        managed("s3-bucket-naming", "", None).with("AWS::S3::Bucket", buckets.map(|b| (b, b != "my-app-bucket-prod")));
    guard.source = Source::Guard("rule naming { resourceName == /^example-corp-/ }".to_owned());
    guard.frequency = None;
    guard.resource_types = vec!["AWS::S3::Bucket".to_owned()];
    let mut internal = managed("posture-internal-check", "EC2_EBS_ENCRYPTION_BY_DEFAULT", None);
    internal.internal = true;
    let mut new = managed("ec2-imdsv2-check", "EC2_IMDSV2_CHECK", None).state("EVALUATING", Verdict::Missing);
    new.evaluated = None;
    new.activated = make.now - TimeDelta::minutes(9);
    new.proactive = true;
    let pack = "conformance-pack-8x2k1m9qz";
    let conforms = "config-conforms.amazonaws.com";
    let packed =
        |name: &str, identifier: &str| managed(&format!("{name}-{pack}"), identifier, None).created_by(conforms);

    let rules = vec![
        managed("root-account-mfa-enabled", "ROOT_ACCOUNT_MFA_ENABLED", None),
        managed("iam-root-access-key-check", "IAM_ROOT_ACCESS_KEY_CHECK", None),
        // all users, those without a password too
        managed("iam-user-mfa-enabled", "IAM_USER_MFA_ENABLED", None).with(user, users(iam, |u| Some(u.mfa))),
        managed("mfa-enabled-for-iam-console-access", "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS", None)
            .with(user, users(iam, |u| u.password.as_ref().map(|_| u.mfa)))
            .since(make, 31),
        // lax: a year, where ninety days are meant
        managed("access-keys-rotated", "ACCESS_KEYS_ROTATED", Some(r#"{"maxAccessKeyAge":"365"}"#)).with(user, rotated(make, iam, 365)),
        managed("iam-user-unused-credentials-check", "IAM_USER_UNUSED_CREDENTIALS_CHECK", Some(r#"{"maxCredentialUsageAge":"90"}"#))
            .with(user, unused(make, iam, 90))
            .since(make, 12),
        managed("iam-no-inline-policy-check", "IAM_NO_INLINE_POLICY_CHECK", None).with(user, inline),
        managed("our-password-policy", "IAM_PASSWORD_POLICY", Some(r#"{"RequireUppercaseCharacters":"true","RequireLowercaseCharacters":"true","RequireSymbols":"true","RequireNumbers":"true","MinimumPasswordLength":"14","PasswordReusePrevention":"24","MaxPasswordAge":"90"}"#))
            .with("AWS::::Account", [(ACCOUNT, false)])
            .annotated("The password policy does not match: MinimumPasswordLength, RequireSymbols, PasswordReusePrevention, MaxPasswordAge"),
        managed("iam-policy-no-statements-with-admin-access", "IAM_POLICY_NO_STATEMENTS_WITH_ADMIN_ACCESS", None).with("AWS::IAM::Policy", admin_policies),
        managed("cloudtrail-enabled", "CLOUD_TRAIL_ENABLED", None),
        managed("multi-region-cloudtrail-enabled", "MULTI_REGION_CLOUD_TRAIL_ENABLED", None),
        managed("restricted-ssh", "INCOMING_SSH_DISABLED", None)
            .with("AWS::EC2::SecurityGroup", groups.iter().enumerate().map(|(n, g)| (g.as_str(), n % 4 != 0)))
            .since(make, 20),
        packed("s3-bucket-public-read-prohibited", "S3_BUCKET_PUBLIC_READ_PROHIBITED").with("AWS::S3::Bucket", buckets.map(|b| (b, true))),
        packed("s3-bucket-ssl-requests-only", "S3_BUCKET_SSL_REQUESTS_ONLY").with("AWS::S3::Bucket", buckets.map(|b| (b, b == "example-corp-lake"))),
        packed("rds-storage-encrypted", "RDS_STORAGE_ENCRYPTED").state("ACTIVE", Verdict::InsufficientData),
        packed("iam-user-mfa-enabled", "IAM_USER_MFA_ENABLED").with(user, users(iam, |u| Some(u.mfa))),
        managed("root-account-mfa-enabled-conformance-pack-q7w5e3r1t", "ROOT_ACCOUNT_MFA_ENABLED", None).created_by(conforms),
        managed("securityhub-access-keys-rotated-77b0e1d2", "ACCESS_KEYS_ROTATED", Some(r#"{"maxAccessKeyAge":"90"}"#))
            .with(user, rotated(make, iam, 90))
            .created_by("securityhub.amazonaws.com"),
        managed("securityhub-root-account-hardware-mfa-enabled-5a1c9f3e", "ROOT_ACCOUNT_HARDWARE_MFA_ENABLED", None)
            .with("AWS::::Account", [(ACCOUNT, false)])
            .created_by("securityhub.amazonaws.com"),
        stale,
        guard,
        internal,
        new,
        managed("old-lambda-runtimes", "LAMBDA_FUNCTION_SETTINGS_CHECK", None).state("DELETING", Verdict::Missing),
    ];
    ConfigRegion {
        packs: vec![
            pack_of(make, HOME, "soc2-baseline", pack, &rules),
            pack_of(make, HOME, "root-baseline", "conformance-pack-q7w5e3r1t", &rules),
        ],
        rules,
        recorder: Some(Recorder {
            name: "default".to_owned(),
            role_arn: arn("role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"),
            group: recording_everything(true),
            mode: json!({"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": [
                {"description": "cheaper", "resourceTypes": ["AWS::EC2::NetworkInterface"], "recordingFrequency": "DAILY"}]}),
            recording: true,
            last_status: "SUCCESS".to_owned(),
            error: None,
            started: Some(make.ago(900, "recorder")),
            stopped: None,
            changed: make.now - TimeDelta::minutes(11),
        }),
        channel: Some(Channel {
            name: "default".to_owned(),
            bucket: "example-corp-config".to_owned(),
            topic: Some(format!("arn:aws:sns:{HOME}:{ACCOUNT}:config")),
            frequency: "Six_Hours".to_owned(),
            delivered: Some(make.now - TimeDelta::hours(2)),
            error: None,
        }),
        retention_days: Some(400),
    }
}

fn pack_of(make: Maker, region: &str, name: &str, id: &str, rules: &[Rule]) -> Pack {
    Pack {
        name: name.to_owned(),
        id: id.to_owned(),
        arn: format!("arn:aws:config:{region}:{ACCOUNT}:conformance-pack/{name}/{id}"),
        parameters: vec![("AccessKeysRotatedParamMaxAccessKeyAge".to_owned(), "90".to_owned())],
        updated: make.ago(330, name),
        created_by: None,
        rules: rules.iter().filter(|r| r.name.ends_with(id)).map(|r| r.name.clone()).collect(),
    }
}

/// The recorder was stopped 25 days ago, after it had failed: verdicts are of that time.
fn europe(make: Maker) -> ConfigRegion {
    let stopped = make.ago(25, "europe-recorder");
    let managed = |name: &str, identifier: &str| {
        let mut rule = rule(make, EUROPE, name, identifier, None);
        rule.evaluated = Some(stopped - TimeDelta::hours(2));
        rule.results.iter_mut().for_each(|r| r.recorded = stopped - TimeDelta::hours(2));
        rule
    };
    let volumes = (0..31).map(|n| format!("vol-0{n:016x}")).collect::<Vec<_>>();
    let mut tagging = managed("payments-tagging-policy", "")
        .with("AWS::SQS::Queue", [("payments-retries", false), ("payments-in", true)]);
    tagging.source = Source::Lambda(format!("arn:aws:lambda:{EUROPE}:{ACCOUNT}:function:config-payments-tagging"));
    let mut flow = managed("vpc-flow-logs-enabled", "VPC_FLOW_LOGS_ENABLED")
        .with("AWS::EC2::VPC", [("vpc-0aa11bb22cc33dd44", false), ("vpc-0ee55ff66aa77bb88", true)]);
    flow.remediation = Some(Remediation { document: "AWS-EnableVpcFlowLogs".to_owned(), automatic: true });
    let pack = "conformance-pack-e4u6r8o0p";
    let rules = vec![
        managed("restricted-ssh", "INCOMING_SSH_DISABLED"),
        managed("cloudtrail-enabled", "CLOUD_TRAIL_ENABLED"),
        // more than the 25 that the summary counts
        managed(&format!("encrypted-volumes-{pack}"), "ENCRYPTED_VOLUMES")
            .with("AWS::EC2::Volume", volumes.iter().enumerate().map(|(n, v)| (v.as_str(), n > 26)))
            .created_by("config-conforms.amazonaws.com"),
        tagging,
        flow,
        managed("s3-account-level-public-access-blocks", "S3_ACCOUNT_LEVEL_PUBLIC_ACCESS_BLOCKS_PERIODIC")
            .state("ACTIVE", Verdict::InsufficientData),
    ];
    ConfigRegion {
        packs: vec![pack_of(make, EUROPE, "eu-storage", pack, &rules)],
        rules,
        recorder: Some(Recorder {
            name: "eu-recorder".to_owned(),
            role_arn: arn("role/config-recorder-deleted"),
            group: json!({
                "allSupported": false,
                "includeGlobalResourceTypes": false,
                "resourceTypes": ["AWS::EC2::SecurityGroup", "AWS::EC2::VPC", "AWS::EC2::Volume"],
                "exclusionByResourceTypes": {"resourceTypes": []},
                "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
            }),
            mode: json!({"recordingFrequency": "DAILY", "recordingModeOverrides": []}),
            recording: false,
            last_status: "FAILURE".to_owned(),
            error: Some((
                "AccessDenied".to_owned(),
                "Unable to assume the role of the configuration recorder".to_owned(),
            )),
            started: Some(make.ago(610, "eu-recorder")),
            stopped: Some(stopped),
            changed: stopped - TimeDelta::minutes(3),
        }),
        channel: Some(Channel {
            name: "eu-channel".to_owned(),
            bucket: "example-corp-config-eu".to_owned(),
            topic: None,
            frequency: "TwentyFour_Hours".to_owned(),
            delivered: Some(stopped - TimeDelta::days(1)),
            error: Some(("NoSuchBucket".to_owned(), "The specified bucket does not exist".to_owned())),
        }),
        retention_days: None,
    }
}

/// Never had a recorder; two rules were deployed by an over-eager template and never got a result.
fn sydney(make: Maker) -> ConfigRegion {
    let waiting = |name: &str, identifier: &str| {
        let mut rule = rule(make, SYDNEY, name, identifier, None).state("ACTIVE", Verdict::InsufficientData);
        rule.evaluated = None;
        rule.failed = Some((
            make.now - TimeDelta::hours(9),
            "NoAvailableConfigurationRecorder".to_owned(),
            "There is no configuration recorder".to_owned(),
        ));
        rule
    };
    ConfigRegion {
        rules: vec![
            waiting("cloudtrail-enabled", "CLOUD_TRAIL_ENABLED"),
            waiting("restricted-ssh", "INCOMING_SSH_DISABLED"),
        ],
        ..ConfigRegion::default()
    }
}
