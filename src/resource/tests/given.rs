//! An invented account with something of everything, and ways to take evidence away from it.

use crate::evidence::cloudtrail::{EventCoverage, EventSelectors, LookupEvents, TrailStatus};
use crate::evidence::credential_report::CredentialReport;
use crate::evidence::iam::{GetPolicy, GetPolicyVersion};
use crate::evidence::{CallId, Document, Evidence, Gap, GapKind, Operation, Outcome, Period, Run, Timestamp};
use crate::resource::{Profile, Vendor};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tempfile::TempDir;

pub(super) const ACCOUNT: &str = "111122223333";
pub(super) const VENDOR: &str = "999988887777";
pub(super) const HOME: &str = "eu-west-1";
pub(super) const OTHER: &str = "us-east-1";
pub(super) const TRAIL: &str = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main";
pub(super) const READ_ONLY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

pub(super) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

pub(super) fn arn(rest: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{rest}")
}

/// A document in the making.
#[derive(Clone)]
pub(super) enum Given {
    Json(Value),
    Report(String),
    Events(String),
    Absent,
    /// Only this much arrived.
    Partial(Box<Given>),
}

/// Calls and what they told.
pub(super) struct Account {
    pub calls: BTreeMap<CallId, Given>,
    pub run: Run,
    folder: TempDir,
}

macro_rules! insert_json {
    ($evidence:ident, $call:ident, $bytes:ident, $partial:ident: $($operation:ident => $document:ty,)*) => {
        match $call.operation {
            $(Operation::$operation => {
                let document = <$document>::read($bytes).unwrap_or_else(|e| panic!("{}: {e}", $call));
                $evidence.insert($call.clone(), outcome(document, $partial))
            })*
            other => panic!("no document type for {other}"),
        }
    };
}

fn outcome<D>(document: D, partial: bool) -> Outcome<D> {
    match partial {
        false => Outcome::Collected(document),
        true => Outcome::Missing { gap: cut_off(), partial: Some(document) },
    }
}

pub(super) fn cut_off() -> Gap {
    Gap::new(GapKind::Failed, "Throttling: page 2 was not answered")
}

impl Account {
    pub fn json(&mut self, call: CallId) -> &mut Value {
        match self.calls.get_mut(&call) {
            Some(Given::Json(value)) => value,
            _ => panic!("{call} has no JSON"),
        }
    }

    pub fn details(&mut self) -> &mut Value {
        self.json(CallId::global(Operation::IamGetAccountAuthorizationDetails))
    }

    pub fn set(&mut self, call: CallId, given: Given) {
        self.calls.insert(call, given);
    }

    pub fn without(mut self, operation: Operation) -> Self {
        self.calls.retain(|call, _| call.operation != operation);
        self
    }

    pub fn cut(&mut self, call: CallId) {
        let given = self.calls.remove(&call).unwrap();
        self.calls.insert(call, Given::Partial(Box::new(given)));
    }

    pub fn evidence(&self) -> Evidence {
        let mut evidence = Evidence::new(self.run.clone());
        evidence.account = Some(ACCOUNT.to_owned());
        evidence.regions = [HOME, OTHER].map(str::to_owned).into();
        for (call, given) in &self.calls {
            self.insert(&mut evidence, call, given, false);
        }
        evidence
    }

    fn insert(&self, evidence: &mut Evidence, call: &CallId, given: &Given, partial: bool) {
        use crate::evidence::{cloudtrail as ct, config, iam, identity};
        match given {
            Given::Partial(given) => self.insert(evidence, call, given, true),
            Given::Absent => evidence.insert::<iam::GetAccountPasswordPolicy>(call.clone(), Outcome::Absent),
            Given::Report(text) => {
                let generated = Some(time("2026-10-01T10:00:00Z"));
                let report = CredentialReport::new(text.clone().into_bytes(), generated).unwrap();
                evidence.insert(call.clone(), outcome(report, partial));
            }
            Given::Events(text) => {
                let file = self.folder.path().join(call.region.as_deref().unwrap());
                std::fs::write(&file, text).unwrap();
                let events = text.lines().filter(|line| !line.is_empty()).count() as u64;
                let coverage = EventCoverage { asked: Some(self.run.period), pages: 1, events, ..Default::default() };
                evidence.insert(call.clone(), outcome(LookupEvents { file, coverage }, partial));
            }
            Given::Json(value) => {
                let bytes = &serde_json::to_vec(value).unwrap()[..];
                insert_json! { evidence, call, bytes, partial:
                    StsGetCallerIdentity => identity::CallerIdentity,
                    ConfigDescribeConformancePacks => config::DescribeConformancePacks,
                    ConfigDescribeConformancePackCompliance => config::ConformancePackCompliance,
                    ConfigGetConformancePackComplianceDetails => config::ConformancePackComplianceDetails,
                    AccountListRegions => identity::ListRegions,
                    IamGetAccountSummary => iam::AccountSummary,
                    IamGetAccountPasswordPolicy => iam::GetAccountPasswordPolicy,
                    IamGetAccountAuthorizationDetails => iam::AuthorizationDetails,
                    IamGetPolicy => GetPolicy,
                    IamGetPolicyVersion => GetPolicyVersion,
                    IamListRoles => iam::ListRoles,
                    IamListAccountAliases => iam::ListAccountAliases,
                    IamListVirtualMfaDevices => iam::ListVirtualMfaDevices,
                    IamListSamlProviders => iam::ListSamlProviders,
                    IamListOpenIdConnectProviders => iam::ListOpenIdConnectProviders,
                    IamListServiceSpecificCredentials => iam::ListServiceSpecificCredentials,
                    CloudTrailDescribeTrails => ct::DescribeTrails,
                    CloudTrailGetTrailStatus => TrailStatus,
                    CloudTrailGetEventSelectors => EventSelectors,
                    ConfigDescribeConfigurationRecorders => config::DescribeConfigurationRecorders,
                    ConfigDescribeConfigurationRecorderStatus => config::DescribeConfigurationRecorderStatus,
                    ConfigDescribeDeliveryChannels => config::DescribeDeliveryChannels,
                    ConfigDescribeDeliveryChannelStatus => config::DescribeDeliveryChannelStatus,
                    ConfigDescribeRetentionConfigurations => config::DescribeRetentionConfigurations,
                    ConfigDescribeConfigRules => config::DescribeConfigRules,
                    ConfigDescribeComplianceByConfigRule => config::DescribeComplianceByConfigRule,
                    ConfigGetComplianceDetailsByConfigRule => config::ComplianceDetails,
                    ConfigDescribeConfigRuleEvaluationStatus => config::DescribeConfigRuleEvaluationStatus,
                }
            }
        }
    }
}

pub(super) const REPORT_HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";

/// A row of the credential report: name, creation, the password's three cells, MFA, and the keys' cells.
pub(super) fn report_row(name: &str, password: &str, mfa: &str, key_1: &str, key_2: &str) -> String {
    let arn = if name == "<root_account>" { arn("root") } else { arn(&format!("user/{name}")) };
    format!("\"{name}\",\"{arn}\",2025-01-01T00:00:00+00:00,{password},N/A,{mfa},{key_1},{key_2},false,N/A,false,N/A\n")
}

pub(super) const NO_KEY: &str = "false,N/A,N/A,N/A,N/A";

pub(super) fn report(rows: &[String]) -> Given {
    Given::Report(format!("{REPORT_HEADER}\n{}", rows.concat()))
}

/// The rows of the full account: root, ann with everything, and a user without credentials whose name has a comma.
pub(super) fn report_rows() -> Vec<String> {
    vec![
        report_row(
            "<root_account>",
            "true,2026-06-01T00:00:00+00:00,2025-01-01T00:00:00+00:00",
            "true",
            NO_KEY,
            NO_KEY,
        ),
        report_row(
            "ann",
            "true,2026-09-01T10:00:00+00:00,2026-01-01T10:00:00+00:00",
            "true",
            "true,2026-08-01T10:00:00+00:00,2026-09-21T10:00:00+00:00,eu-west-1,s3",
            "false,2025-10-01T10:00:00+00:00,N/A,N/A,N/A",
        ),
        report_row("smith,bob", "false,N/A,N/A", "false", NO_KEY, NO_KEY),
    ]
}

const ADMIN: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const READ: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}"#;

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn version(text: &str, id: &str, default: bool) -> Value {
    json!({"Document": document(text), "VersionId": id, "IsDefaultVersion": default, "CreateDate": "2025-01-01T00:00:00Z"})
}

pub(super) fn user(name: &str) -> Value {
    json!({"Path": "/", "UserName": name, "UserId": format!("AIDA{name}"), "Arn": arn(&format!("user/{name}")),
        "CreateDate": "2025-01-01T00:00:00Z", "UserPolicyList": [], "GroupList": [], "AttachedManagedPolicies": [], "Tags": []})
}

pub(super) fn role(name: &str) -> Value {
    json!({"Path": "/", "RoleName": name, "RoleId": format!("AROA{name}"), "Arn": arn(&format!("role/{name}")),
        "CreateDate": "2026-09-01T12:00:00Z", "RolePolicyList": [], "AttachedManagedPolicies": [], "Tags": [],
        "InstanceProfileList": [], "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}]}})
}

fn iam(calls: &mut BTreeMap<CallId, Given>) {
    use Operation::*;
    let mut ann = user("ann");
    ann["UserPolicyList"] = json!([{"PolicyName": "all", "PolicyDocument": document(ADMIN)}]);
    ann["GroupList"] = json!(["admins"]);
    ann["AttachedManagedPolicies"] = json!([{"PolicyName": "team", "PolicyArn": arn("policy/team")}]);
    ann["PermissionsBoundary"] =
        json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn("policy/limit")});
    ann["Tags"] = json!([{"Key": "team", "Value": "a/b~c"}]);
    let mut ci = role("ci");
    ci["RoleLastUsed"] = json!({"LastUsedDate": "2026-09-21T12:00:00Z", "Region": HOME});
    ci["AttachedManagedPolicies"] = json!([{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}]);
    ci["RolePolicyList"] = json!([{"PolicyName": "read", "PolicyDocument": READ}]);
    ci["AssumeRolePolicyDocument"] = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": format!("arn:aws:iam::{VENDOR}:root")},
            "Condition": {"StringEquals": {"sts:ExternalId": "acme-4711-acme-4711"}}}]});
    let mut linked = role("AWSServiceRoleForConfig");
    linked["Path"] = json!("/aws-service-role/config.amazonaws.com/");
    linked["CreateDate"] = json!("2020-01-01T00:00:00Z");
    let managed = |name: &str, attached: i64, bounded: i64, versions: Value| {
        json!({"PolicyName": name, "Arn": arn(&format!("policy/{name}")), "Path": "/", "DefaultVersionId": "v2",
            "AttachmentCount": attached, "PermissionsBoundaryUsageCount": bounded, "IsAttachable": true, "PolicyVersionList": versions})
    };
    let details = json!({
        "UserDetailList": [ann, user("smith,bob")],
        "GroupDetailList": [{"Path": "/", "GroupName": "admins", "GroupId": "AGPA", "Arn": arn("group/admins"),
            "GroupPolicyList": [], "AttachedManagedPolicies": [{"PolicyName": "team", "PolicyArn": arn("policy/team")}]}],
        "RoleDetailList": [ci, linked],
        "Policies": [
            managed("team", 2, 0, json!([version(READ, "v1", false), version(ADMIN, "v2", true)])),
            managed("limit", 0, 1, json!([version(ADMIN, "v1", false), version(READ, "v2", true)])),
            managed("idle", 0, 0, json!([version(READ, "v2", true)])),
        ],
    });
    let mut global = |operation, value| calls.insert(CallId::global(operation), Given::Json(value));
    global(IamGetAccountAuthorizationDetails, details);
    global(
        IamListRoles,
        json!({"Roles": [
            {"RoleName": "AWSServiceRoleForConfig", "Arn": arn("role/AWSServiceRoleForConfig"), "MaxSessionDuration": 3600},
            {"RoleName": "ci", "Arn": arn("role/ci"), "MaxSessionDuration": 7200}]}),
    );
    global(
        IamGetAccountSummary,
        json!({"SummaryMap": {"AccountMFAEnabled": 1, "AccountAccessKeysPresent": 0,
        "AccountPasswordPresent": 1, "AccountSigningCertificatesPresent": 0, "Users": 2, "Roles": 2, "Groups": 1, "Policies": 3}}),
    );
    global(
        IamGetAccountPasswordPolicy,
        json!({"PasswordPolicy": {"MinimumPasswordLength": 14, "RequireSymbols": true,
        "RequireNumbers": true, "RequireUppercaseCharacters": true, "RequireLowercaseCharacters": true,
        "AllowUsersToChangePassword": true, "ExpirePasswords": true, "MaxPasswordAge": 90, "PasswordReusePrevention": 24}}),
    );
    global(IamListAccountAliases, json!({"AccountAliases": ["acme"]}));
    global(
        IamListVirtualMfaDevices,
        json!({"VirtualMFADevices": [{"SerialNumber": arn("mfa/root-account-mfa-device"),
        "User": {"Arn": arn("root")}, "EnableDate": "2025-01-01T00:00:00Z"}]}),
    );
    global(IamListSamlProviders, json!({"SAMLProviderList": [{"Arn": arn("saml-provider/idp")}]}));
    global(IamListOpenIdConnectProviders, json!({"OpenIDConnectProviderList": []}));
    global(
        IamListServiceSpecificCredentials,
        json!({"ServiceSpecificCredentials": [
        {"UserName": "ann", "Status": "Active", "ServiceSpecificCredentialId": "ACCA1", "ServiceName": "codecommit.amazonaws.com"},
        {"UserName": "ann", "Status": "Inactive", "ServiceSpecificCredentialId": "ACCA2", "ServiceName": "bedrock.amazonaws.com"}]}),
    );
    global(StsGetCallerIdentity, json!({"UserId": "AIDAann", "Account": ACCOUNT, "Arn": arn("user/ann")}));
    global(
        AccountListRegions,
        json!({"Regions": [{"RegionName": HOME, "RegionOptStatus": "ENABLED_BY_DEFAULT"},
        {"RegionName": OTHER, "RegionOptStatus": "ENABLED_BY_DEFAULT"}]}),
    );
    calls.insert(
        CallId::global(IamGetPolicy).about(READ_ONLY),
        Given::Json(
            json!({"Policy": {"PolicyName": "ReadOnlyAccess", "Arn": READ_ONLY, "DefaultVersionId": "v9", "Tags": []}}),
        ),
    );
    calls.insert(
        CallId::global(IamGetPolicyVersion).about(READ_ONLY),
        Given::Json(json!({"PolicyVersion": version(READ, "v9", true)})),
    );
    calls.insert(CallId::global(IamGetCredentialReport), report(&report_rows()));
}

fn trails(calls: &mut BTreeMap<CallId, Given>) {
    use Operation::*;
    let trail = |name: &str, region: &str, multi: bool| {
        json!({"Name": name, "TrailARN": format!("arn:aws:cloudtrail:{region}:{ACCOUNT}:trail/{name}"), "HomeRegion": region,
            "S3BucketName": "logs", "IncludeGlobalServiceEvents": multi, "IsMultiRegionTrail": multi,
            "LogFileValidationEnabled": true, "IsOrganizationTrail": false, "HasInsightSelectors": false,
            "CloudWatchLogsLogGroupArn": format!("arn:aws:logs:{region}:{ACCOUNT}:log-group:trail:*")})
    };
    let (main, local) = (trail("main", HOME, true), trail("local", OTHER, false));
    for (region, list) in [(HOME, json!([main])), (OTHER, json!([local, main]))] {
        let call = CallId::regional(CloudTrailDescribeTrails, region);
        calls.insert(call, Given::Json(json!({"trailList": list})));
    }
    for (region, arn) in [(HOME, TRAIL.to_owned()), (OTHER, TRAIL.replace(HOME, OTHER).replace("main", "local"))] {
        let status = json!({"IsLogging": true, "LatestDeliveryTime": "2026-10-01T10:00:00Z", "StartLoggingTime": "2026-01-01T00:00:00Z",
            "LatestDigestDeliveryTime": "2026-10-01T10:00:00Z", "LatestCloudWatchLogsDeliveryTime": "2026-10-01T10:00:00Z"});
        let selectors = json!({"TrailARN": arn, "EventSelectors": [
            {"ReadWriteType": "All", "IncludeManagementEvents": true,
             "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}]});
        calls.insert(CallId::regional(CloudTrailGetTrailStatus, region).about(&arn), Given::Json(status));
        calls.insert(CallId::regional(CloudTrailGetEventSelectors, region).about(&arn), Given::Json(selectors));
    }
    let change = |id: &str, service: &str, name: &str, parameters: Value| {
        json!({"eventID": id, "eventName": name, "eventSource": format!("{service}.amazonaws.com"),
            "eventTime": "2026-09-03T00:00:00Z", "eventType": "AwsApiCall", "readOnly": false,
            "userIdentity": {"type": "IAMUser", "userName": "ann", "arn": arn("user/ann")}, "requestParameters": parameters})
    };
    let world = json!({"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}});
    let records = events(&[
        root_event("CreateBucket"),
        vendor_session(),
        change("e4", "iam", "CreateAccessKey", json!({"userName": "ann"})),
        change("e5", "cloudtrail", "StopLogging", json!({"name": "main"})),
        change("e6", "kms", "ScheduleKeyDeletion", json!({"keyId": "key"})),
        change("e7", "ec2", "AuthorizeSecurityGroupIngress", world),
    ]);
    calls.insert(CallId::regional(CloudTrailLookupEvents, HOME), Given::Events(records));
    calls.insert(CallId::regional(CloudTrailLookupEvents, OTHER), Given::Events(events(&[root_login("Success")])));
}

pub(super) fn events(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

pub(super) fn root_event(name: &str) -> Value {
    json!({"eventID": "e1", "eventName": name, "eventSource": "s3.amazonaws.com", "eventTime": "2026-09-01T00:00:00Z",
        "eventType": "AwsApiCall", "userIdentity": {"type": "Root", "arn": arn("root")}, "requestParameters": null})
}

pub(super) fn vendor_session() -> Value {
    json!({"eventID": "e3", "eventName": "AssumeRole", "eventSource": "sts.amazonaws.com",
        "eventTime": "2026-09-01T00:00:00Z", "eventType": "AwsApiCall", "sourceIPAddress": "192.0.2.1", "userAgent": "cli",
        "userIdentity": {"type": "AWSAccount", "accountId": VENDOR, "principalId": "AIDAENGINEER"},
        "requestParameters": {"roleArn": arn("role/ci"), "roleSessionName": "ann", "serialNumber": "mfa"},
        "responseElements": {"credentials": {"accessKeyId": "ASIAEXAMPLE", "expiration": "Sep 1, 2026, 1:00:00 AM"}}})
}

/// The vendor of the example, which has one role.
pub(super) fn profile() -> Profile {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>();
    let vendor = Vendor {
        name: "vendor".to_owned(),
        accounts: names(&[VENDOR]),
        roles: names(&["ci", "gone"]),
        users: names(&["vendor-*"]),
        admin_roles: Vec::new(),
        read_only_roles: names(&["ci"]),
        tag_scoped_roles: Vec::new(),
        max_session_seconds: Vendor::MAX_SESSION_SECONDS,
        mfa: true,
        mfa_max_age_seconds: Vendor::MFA_MAX_AGE_SECONDS,
    };
    Profile { own_accounts: Vec::new(), vendors: vec![vendor], scps: None }
}

pub(super) fn root_login(outcome: &str) -> Value {
    json!({"eventID": "e2", "eventName": "ConsoleLogin", "eventSource": "signin.amazonaws.com",
        "eventTime": "2026-09-02T00:00:00Z", "eventType": "AwsConsoleSignIn", "userIdentity": {"type": "Root"},
        "responseElements": {"ConsoleLogin": outcome}})
}

fn config(calls: &mut BTreeMap<CallId, Given>) {
    use Operation::*;
    let mut regional = |operation, region, value| calls.insert(CallId::regional(operation, region), Given::Json(value));
    regional(
        ConfigDescribeConfigurationRecorders,
        HOME,
        json!({"ConfigurationRecorders": [
        {"name": "service", "recordingScope": "INTERNAL", "servicePrincipal": "securityhub.amazonaws.com"},
        {"name": "default", "recordingGroup": {"allSupported": true, "includeGlobalResourceTypes": true, "resourceTypes": []}}]}),
    );
    regional(ConfigDescribeConfigurationRecorders, OTHER, json!({"ConfigurationRecorders": []}));
    regional(
        ConfigDescribeConfigurationRecorderStatus,
        HOME,
        json!({"ConfigurationRecordersStatus": [
        {"name": "service", "recording": true, "servicePrincipal": "securityhub.amazonaws.com"},
        {"name": "default", "recording": true, "lastStatus": "SUCCESS"}]}),
    );
    regional(ConfigDescribeConfigurationRecorderStatus, OTHER, json!({"ConfigurationRecordersStatus": []}));
    regional(
        ConfigDescribeDeliveryChannels,
        HOME,
        json!({"DeliveryChannels": [{"name": "default", "s3BucketName": "config"}]}),
    );
    regional(ConfigDescribeDeliveryChannels, OTHER, json!({"DeliveryChannels": []}));
    regional(
        ConfigDescribeDeliveryChannelStatus,
        HOME,
        json!({"DeliveryChannelsStatus": [
        {"name": "default", "configHistoryDeliveryInfo": {"lastStatus": "Success"}}]}),
    );
    regional(ConfigDescribeDeliveryChannelStatus, OTHER, json!({"DeliveryChannelsStatus": []}));
    regional(
        ConfigDescribeRetentionConfigurations,
        HOME,
        json!({"RetentionConfigurations": [{"Name": "default", "RetentionPeriodInDays": 400}]}),
    );
    regional(ConfigDescribeRetentionConfigurations, OTHER, json!({"RetentionConfigurations": []}));
    let names = ["root mfa", "keys", "hidden"];
    let rule = |name: &str, identifier: &str, visibility: &str| {
        json!({"ConfigRuleName": name, "ConfigRuleArn": format!("arn:aws:config:{HOME}:{ACCOUNT}:config-rule/{identifier}"),
            "ConfigRuleState": "ACTIVE", "Source": {"Owner": "AWS", "SourceIdentifier": identifier},
            "InputParameters": "{\"maxAccessKeyAge\":\"90\"}", "EvaluationModes": [{"Mode": "DETECTIVE"}],
            "RuleEvaluationVisibility": visibility})
    };
    regional(
        ConfigDescribeConfigRules,
        HOME,
        json!({"ConfigRules": [
        rule("root mfa", "ROOT_ACCOUNT_MFA_ENABLED", "EXTERNAL"), rule("keys", "ACCESS_KEYS_ROTATED", "EXTERNAL"),
        rule("hidden", "HIDDEN", "INTERNAL")]}),
    );
    regional(ConfigDescribeConfigRules, OTHER, json!({"ConfigRules": []}));
    let verdict = |name: &str, word: &str| json!({"ConfigRuleName": name, "Compliance": {"ComplianceType": word}});
    regional(
        ConfigDescribeComplianceByConfigRule,
        HOME,
        json!({"ComplianceByConfigRules": [
        verdict("root mfa", "COMPLIANT"), verdict("keys", "INSUFFICIENT_DATA"), verdict("hidden", "COMPLIANT")]}),
    );
    regional(ConfigDescribeComplianceByConfigRule, OTHER, json!({"ComplianceByConfigRules": []}));
    let run = |name: &&str| json!({"ConfigRuleName": name, "LastSuccessfulEvaluationTime": "2026-10-01T00:00:00Z"});
    let runs: Vec<Value> = names.iter().map(run).collect();
    regional(ConfigDescribeConfigRuleEvaluationStatus, HOME, json!({"ConfigRulesEvaluationStatus": runs}));
    regional(ConfigDescribeConfigRuleEvaluationStatus, OTHER, json!({"ConfigRulesEvaluationStatus": []}));
    regional(
        ConfigDescribeConformancePacks,
        HOME,
        json!({"ConformancePackDetails": [{"ConformancePackName": "base", "ConformancePackId": "pack-1",
        "ConformancePackArn": format!("arn:aws:config:{HOME}:{ACCOUNT}:conformance-pack/base/pack-1")}]}),
    );
    regional(ConfigDescribeConformancePacks, OTHER, json!({"ConformancePackDetails": []}));
    let of_pack = json!({"ConformancePackName": "base", "ConformancePackRuleComplianceList": [
        {"ConfigRuleName": "root mfa", "ComplianceType": "NON_COMPLIANT"}]});
    let results = json!({"ConformancePackName": "base", "ConformancePackRuleEvaluationResults": [
        {"EvaluationResultIdentifier": {"EvaluationResultQualifier": {"ConfigRuleName": "root mfa",
        "ResourceType": "AWS::::Account", "ResourceId": ACCOUNT}}, "ComplianceType": "NON_COMPLIANT"}]});
    let mut about = |operation, value| {
        calls.insert(CallId::regional(operation, HOME).about("base"), Given::Json(value));
    };
    about(ConfigDescribeConformancePackCompliance, of_pack);
    about(ConfigGetConformancePackComplianceDetails, results);
    for name in names {
        let result = |id: &str, word: &str| {
            json!({"EvaluationResultIdentifier": {"EvaluationResultQualifier":
            {"ConfigRuleName": name, "ResourceType": "AWS::IAM::User", "ResourceId": id}}, "ComplianceType": word})
        };
        let results = json!({"EvaluationResults": [result("AIDA1", "COMPLIANT"), result("AIDA2", "NON_COMPLIANT")]});
        calls.insert(CallId::regional(ConfigGetComplianceDetailsByConfigRule, HOME).about(name), Given::Json(results));
    }
}

/// The whole account.
pub(super) fn account() -> Account {
    let mut calls = BTreeMap::new();
    iam(&mut calls);
    trails(&mut calls);
    config(&mut calls);
    let as_of = time("2026-10-01T12:00:00Z");
    let run = Run {
        format: Run::FORMAT,
        version: "0".to_owned(),
        as_of,
        period: Period { from: time("2026-07-03T12:00:00Z"), to: as_of },
        regions: None,
        home_region: HOME.to_owned(),
        frameworks: Vec::new(),
        operations: Vec::new(),
        events: Default::default(),
    };
    Account { calls, run, folder: TempDir::new().unwrap() }
}
