//! Which events are worth a row, and what each kind of them tells.

use super::super::Kind;
use super::super::build::{Fact, Row, Source};
use super::super::document;
use super::{Glance, Kept, Record, judged, session_seconds};
use crate::evidence::Timestamp;
use crate::evidence::cloudtrail::LookupEvents;
use serde_json::Value;

const ADMINISTRATOR: &str = ":iam::aws:policy/AdministratorAccess";

/// The kinds that an event may belong to.
pub(super) fn kinds(glance: Glance<'_>) -> Vec<Kind> {
    let (service, event) = (glance.service.strip_suffix(".amazonaws.com").unwrap_or(glance.service), glance.event);
    let reads = ["Get", "List", "Describe", "Lookup", "Search", "Generate", "Simulate", "BatchGet", "Select"];
    let writes = !reads.iter().any(|read| event.starts_with(read));
    let mut kinds = Vec::new();
    if event == "ConsoleLogin" && service == "signin" {
        kinds.push(Kind::SignIn);
    }
    if glance.identity == "Root" && !glance.by_service {
        kinds.push(Kind::RootEvent);
    }
    let change = match service {
        "iam" if writes => Some(Kind::IamChange),
        "cloudtrail" if writes && !is_query(event) => Some(Kind::LoggingChange),
        "config" if writes && !is_evaluation(event) => Some(Kind::LoggingChange),
        "logs" if LOG_GROUPS.contains(&event) => Some(Kind::LoggingChange),
        "s3" if LOG_BUCKETS.contains(&event) => Some(Kind::LoggingChange),
        _ if DETECTION.contains(&(service, event)) => Some(Kind::LoggingChange),
        "sts" if event == "AssumeRole" && glance.identity == "AWSAccount" => Some(Kind::RoleAssumption),
        "kms" if KEYS.contains(&event) => Some(Kind::KeyChange),
        _ => None,
    };
    kinds.extend(change);
    if perimeter(service, event).is_some() {
        kinds.push(Kind::PerimeterChange);
    }
    kinds
}

fn is_query(event: &str) -> bool {
    matches!(event, "StartQuery" | "CancelQuery" | "AddTags" | "RemoveTags" | "StartDashboardRefresh")
}

fn is_evaluation(event: &str) -> bool {
    matches!(
        event,
        "PutEvaluations"
            | "PutExternalEvaluation"
            | "StartConfigRulesEvaluation"
            | "StartResourceEvaluation"
            | "DeliverConfigSnapshot"
            | "TagResource"
            | "UntagResource"
    )
}

const LOG_GROUPS: [&str; 6] = [
    "DeleteLogGroup",
    "DeleteLogStream",
    "PutRetentionPolicy",
    "DeleteMetricFilter",
    "DeleteSubscriptionFilter",
    "DisassociateKmsKey",
];

const LOG_BUCKETS: [&str; 14] = [
    "DeleteBucket",
    "PutBucketPolicy",
    "DeleteBucketPolicy",
    "PutBucketLifecycle",
    "PutBucketLifecycleConfiguration",
    "PutBucketVersioning",
    "PutBucketAcl",
    "PutBucketReplication",
    "DeleteBucketReplication",
    "PutBucketEncryption",
    "DeleteBucketEncryption",
    "PutBucketObjectLockConfiguration",
    "PutBucketPublicAccessBlock",
    "DeleteBucketPublicAccessBlock",
];

const DETECTION: [(&str, &str); 10] = [
    ("guardduty", "DeleteDetector"),
    ("guardduty", "UpdateDetector"),
    ("guardduty", "StopMonitoringMembers"),
    ("securityhub", "DisableSecurityHub"),
    ("securityhub", "BatchDisableStandards"),
    ("access-analyzer", "DeleteAnalyzer"),
    ("access-analyzer", "CreateArchiveRule"),
    ("inspector2", "Disable"),
    ("macie2", "DisableMacie"),
    ("detective", "DeleteGraph"),
];

const KEYS: [&str; 10] = [
    "CreateKey",
    "ScheduleKeyDeletion",
    "CancelKeyDeletion",
    "DisableKey",
    "EnableKey",
    "DisableKeyRotation",
    "EnableKeyRotation",
    "PutKeyPolicy",
    "DeleteImportedKeyMaterial",
    "UpdatePrimaryRegion",
];

/// What part of the perimeter an event changes.
fn perimeter(service: &str, event: &str) -> Option<&'static str> {
    Some(match (service, event) {
        ("ec2", "AuthorizeSecurityGroupIngress" | "RevokeSecurityGroupIngress" | "ModifySecurityGroupRules")
        | ("ec2", "AuthorizeSecurityGroupEgress" | "RevokeSecurityGroupEgress")
        | ("ec2", "CreateSecurityGroup" | "DeleteSecurityGroup") => "security-group",
        ("ec2", "CreateNetworkAclEntry" | "ReplaceNetworkAclEntry" | "DeleteNetworkAclEntry")
        | ("ec2", "CreateNetworkAcl" | "DeleteNetworkAcl" | "ReplaceNetworkAclAssociation") => "network-acl",
        ("ec2", "CreateRoute" | "ReplaceRoute" | "AttachInternetGateway")
        | ("ec2", "CreateVpcPeeringConnection" | "AcceptVpcPeeringConnection") => "route",
        ("ec2", "DeleteFlowLogs" | "CreateFlowLogs") => "flow-log",
        ("s3", "PutBucketPublicAccessBlock" | "DeleteBucketPublicAccessBlock")
        | ("s3", "PutAccountPublicAccessBlock" | "DeleteAccountPublicAccessBlock")
        | ("ec2", "DisableSnapshotBlockPublicAccess" | "DisableImageBlockPublicAccess") => "public-access-block",
        ("s3", "PutBucketPolicy" | "PutBucketAcl") => "bucket-policy",
        ("ec2", "ModifySnapshotAttribute" | "ModifyImageAttribute")
        | ("rds", "ModifyDBSnapshotAttribute" | "ModifyDBClusterSnapshotAttribute") => "sharing",
        ("lambda", event) if event.starts_with("AddPermission") => "function-policy",
        _ => return None,
    })
}

/// Whether an event of a kind is really one, now that all of it is known.
pub(super) fn belongs(kind: Kind, record: Record<'_>, kept: &Kept) -> bool {
    let service = record.text("eventSource").unwrap_or_default();
    match (kind, service) {
        (Kind::LoggingChange, "s3.amazonaws.com") => {
            record.parameter_text("bucketName").is_some_and(|bucket| kept.buckets.contains(bucket))
        }
        (Kind::LoggingChange, "logs.amazonaws.com") => {
            record.parameter_text("logGroupName").is_some_and(|group| kept.log_groups.contains(group))
        }
        (Kind::RoleAssumption, _) => {
            record.text_at(&["userIdentity", "accountId"]) != record.text("recipientAccountId")
        }
        _ => true,
    }
}

/// The fields that only one kind has.
pub(super) fn fields(
    kind: Kind,
    row: &mut Row,
    record: Record<'_>,
    time: Option<Timestamp>,
    kept: &Kept,
    source: &Source<'_, LookupEvents>,
) {
    match kind {
        Kind::RootEvent => row.known("read_only", record.0.get("readOnly").and_then(Value::as_bool)),
        Kind::IamChange => iam_change(row, record, source),
        Kind::LoggingChange => {
            row.known("area", logging_area(record));
            row.known("weakens", weakens(record, kept));
        }
        Kind::RoleAssumption => {
            row.known("caller_account", record.text_at(&["userIdentity", "accountId"]));
            row.known("role", record.parameter_text("roleArn"));
            row.known("session_name", record.parameter_text("roleSessionName"));
            row.set("session_seconds", session_seconds(record, time).map_err(|reason| source.unknown(reason)));
            row.known("external_id", record.parameter_text("externalId").is_some());
            row.known("mfa_serial", record.parameter_text("serialNumber").is_some());
            row.known("source_identity", record.parameter_text("sourceIdentity"));
        }
        Kind::KeyChange => {
            let policy = record.parameter("policy").filter(|_| record.event() == "PutKeyPolicy");
            row.set("opens", judged(source, policy, document::lets_in_everyone).map(|opens| opens == Some(true)));
        }
        Kind::PerimeterChange => perimeter_change(row, record, source),
        _ => {}
    }
}

fn iam_change(row: &mut Row, record: Record<'_>, source: &Source<'_, LookupEvents>) {
    let event = record.event();
    row.known("subject", iam_subject(event));
    let issues = [
        "CreateAccessKey",
        "CreateLoginProfile",
        "CreateServiceSpecificCredential",
        "ResetServiceSpecificCredential",
        "UploadSigningCertificate",
        "UploadSSHPublicKey",
    ];
    row.known("issues_credential", issues.contains(&event));
    let attaches = event.starts_with("Attach")
        && record.parameter_text("policyArn").is_some_and(|arn| arn.ends_with(ADMINISTRATOR));
    let writes =
        matches!(event, "PutUserPolicy" | "PutGroupPolicy" | "PutRolePolicy" | "CreatePolicy" | "CreatePolicyVersion");
    let everything = match record.parameter("policyDocument").filter(|_| writes) {
        // A refused request may come without its parameters; it wrote nothing.
        None if writes && record.error().is_none() => {
            Err(source.unknown(format!("the record of {event} does not show the policy")))
        }
        text => judged(source, text, document::has_admin_statement).map(|found| found == Some(true)),
    };
    row.set("grants_everything", if attaches { Ok(true) } else { everything });
    let trust = match event {
        "CreateRole" => record.parameter("assumeRolePolicyDocument"),
        "UpdateAssumeRolePolicy" => record.parameter("policyDocument"),
        _ => None,
    };
    let trusts: Fact<Vec<String>> = match trust {
        None if matches!(event, "CreateRole" | "UpdateAssumeRolePolicy") && record.error().is_none() => {
            Err(source.unknown(format!("the record of {event} does not show the trust policy")))
        }
        text => judged(source, text, document::trusted_principals).map(Option::unwrap_or_default),
    };
    row.set("trusts", trusts);
}

pub(super) fn iam_subject(event: &str) -> &'static str {
    let has = |part: &str| event.contains(part);
    match event {
        "UpdateAssumeRolePolicy" => "trust",
        _ if has("AccountPasswordPolicy") => "password-policy",
        _ if has("MFADevice") => "mfa",
        _ if has("SAMLProvider") || has("OpenIDConnectProvider") || has("ClientIDFromOpenID") => "provider",
        _ if has("PermissionsBoundary") => "boundary",
        _ if has("AccessKey") || has("LoginProfile") || has("ServiceSpecificCredential") || has("Password") => {
            "credential"
        }
        _ if has("SigningCertificate") || has("SSHPublicKey") => "credential",
        _ if has("Policy") => "policy",
        _ if has("Group") => "group",
        _ if has("Role") || has("InstanceProfile") => "role",
        _ if has("User") => "user",
        _ => "other",
    }
}

fn logging_area(record: Record<'_>) -> &'static str {
    match record.text("eventSource").unwrap_or_default() {
        "cloudtrail.amazonaws.com" => "trail",
        "config.amazonaws.com" => "config",
        "logs.amazonaws.com" => "log-group",
        "s3.amazonaws.com" => "log-bucket",
        _ => "detection",
    }
}

/// Whether less is recorded, kept or detected afterwards. Where the request does not decide it, it does.
pub(super) fn weakens(record: Record<'_>, kept: &Kept) -> bool {
    let event = record.event();
    let turned_off = |name: &str| record.parameter(name).and_then(Value::as_bool) == Some(false);
    let emptied = |name: &str| record.parameter(name).and_then(Value::as_str) == Some("");
    let is = |name: &str, expected: &str| {
        record.parameter_text(name).is_some_and(|value| value.eq_ignore_ascii_case(expected))
    };
    match event {
        "UpdateTrail" => {
            ["isMultiRegionTrail", "includeGlobalServiceEvents", "enableLogFileValidation"].into_iter().any(turned_off)
                || ["kmsKeyId", "cloudWatchLogsLogGroupArn"].into_iter().any(emptied)
                || record.parameter_text("s3BucketName").is_some_and(|bucket| !kept.buckets.contains(bucket))
        }
        "PutEventSelectors" => !selects_all(record),
        "PutInsightSelectors" => {
            record.parameter("insightSelectors").and_then(Value::as_array).is_none_or(Vec::is_empty)
        }
        "UpdateDetector" => turned_off("enable"),
        "PutConfigurationRecorder" => {
            let all = record.at(&["requestParameters", "configurationRecorder", "recordingGroup", "allSupported"]);
            all.and_then(Value::as_bool) == Some(false)
        }
        "PutRetentionConfiguration" => {
            record.parameter("retentionPeriodInDays").and_then(Value::as_i64).is_some_and(|days| days < 365)
        }
        "PutRetentionPolicy" => record.parameter("retentionInDays").and_then(Value::as_i64).is_some_and(|d| d < 365),
        "PutBucketVersioning" => {
            let status = record.at(&["requestParameters", "VersioningConfiguration", "Status"]);
            status.and_then(Value::as_str) != Some("Enabled")
        }
        "PutBucketLifecycle" | "PutBucketLifecycleConfiguration" | "PutBucketPolicy" | "PutBucketAcl" => true,
        "PutBucketPublicAccessBlock" => unblocks(record),
        "StartLogging" | "StartConfigurationRecorder" | "CreateTrail" => false,
        "UpdateEventDataStore" => is("terminationProtectionEnabled", "false") || turned_off("multiRegionEnabled"),
        _ => ["Stop", "Delete", "Disable", "BatchDisable", "CreateArchiveRule", "Disassociate"]
            .iter()
            .any(|start| event.starts_with(start)),
    }
}

/// Whether selectors record all management events: one of them does so by itself.
fn selects_all(record: Record<'_>) -> bool {
    let list = |name: &str| record.parameter(name).and_then(Value::as_array);
    if let Some(advanced) = list("advancedEventSelectors") {
        let whole = |selector: &Value| {
            let fields = selector.get("fieldSelectors").and_then(Value::as_array);
            fields.is_some_and(|fields| {
                fields.len() == 1
                    && fields.iter().all(|field| {
                        field.get("field").and_then(Value::as_str) == Some("eventCategory")
                            && field.get("equals").is_some_and(|values| values == &serde_json::json!(["Management"]))
                    })
            })
        };
        return advanced.iter().any(whole);
    }
    let whole = |selector: &Value| {
        let excluded = selector.get("excludeManagementEventSources").and_then(Value::as_array);
        selector.get("readWriteType").is_none_or(|of| of == "All")
            && selector.get("includeManagementEvents").and_then(Value::as_bool) != Some(false)
            && excluded.is_none_or(Vec::is_empty)
    };
    list("eventSelectors").is_some_and(|selectors| selectors.iter().any(whole))
}

/// Whether a block of public access leaves anything open. Its four settings come as true or false, in any case of name.
pub(super) fn unblocks(record: Record<'_>) -> bool {
    let mut found = false;
    let mut open = false;
    let parameters = record.at(&["requestParameters"]);
    each_member(parameters, &mut |name, value| {
        let name = name.to_ascii_lowercase();
        if ["blockpublicacls", "ignorepublicacls", "blockpublicpolicy", "restrictpublicbuckets"]
            .contains(&name.as_str())
        {
            found = true;
            open |= !value.as_bool().unwrap_or(value == "true");
        }
    });
    !found || open
}

fn perimeter_change(row: &mut Row, record: Record<'_>, source: &Source<'_, LookupEvents>) {
    let service = record.text("eventSource").unwrap_or_default();
    let service = service.strip_suffix(".amazonaws.com").unwrap_or(service);
    let event = record.event();
    row.known("area", perimeter(service, event).unwrap_or("other"));
    let mut admin_ports = false;
    let opens: Fact<Vec<String>> = match event {
        "AuthorizeSecurityGroupIngress" | "ModifySecurityGroupRules" => {
            let rules = world_rules(record.at(&["requestParameters"]));
            admin_ports = rules.iter().any(Rule::is_admin);
            Ok(rules.iter().map(Rule::to_string).collect())
        }
        "CreateNetworkAclEntry" | "ReplaceNetworkAclEntry" => {
            let allows = record.parameter_text("ruleAction").is_some_and(|action| action.eq_ignore_ascii_case("allow"));
            let inward = record.parameter("egress").and_then(Value::as_bool) != Some(true);
            let rules = world_rules(record.at(&["requestParameters"]).filter(|_| allows && inward));
            admin_ports = rules.iter().any(Rule::is_admin);
            Ok(rules.iter().map(Rule::to_string).collect())
        }
        "DeleteBucketPublicAccessBlock" | "DeleteAccountPublicAccessBlock" => Ok(vec!["public access".to_owned()]),
        "DisableSnapshotBlockPublicAccess" => Ok(vec!["snapshots".to_owned()]),
        "DisableImageBlockPublicAccess" => Ok(vec!["images".to_owned()]),
        "PutBucketPublicAccessBlock" | "PutAccountPublicAccessBlock" if unblocks(record) => {
            Ok(vec!["public access".to_owned()])
        }
        "PutBucketPolicy" => judged(source, record.parameter("bucketPolicy"), document::lets_in_everyone)
            .map(|open| if open == Some(true) { vec!["bucket policy".to_owned()] } else { Vec::new() }),
        "PutBucketAcl" => Ok(if mentions(record, &["AllUsers", "AuthenticatedUsers", "public-read"]) {
            vec!["bucket ACL".to_owned()]
        } else {
            Vec::new()
        }),
        "ModifySnapshotAttribute"
        | "ModifyImageAttribute"
        | "ModifyDBSnapshotAttribute"
        | "ModifyDBClusterSnapshotAttribute" => Ok(shared_with_all(record)),
        _ if event.starts_with("AddPermission") => {
            let everyone = record.parameter_text("principal") == Some("*");
            let narrowed =
                ["sourceArn", "sourceAccount", "principalOrgID"].iter().any(|n| record.parameter(n).is_some());
            Ok(if everyone && !narrowed { vec!["function".to_owned()] } else { Vec::new() })
        }
        _ => Ok(Vec::new()),
    };
    row.set("opens", opens);
    row.known("opens_admin_ports", admin_ports);
}

/// A rule that lets the world in.
pub(super) struct Rule {
    protocol: String,
    ports: Option<(i64, i64)>,
    from: String,
}

impl Rule {
    pub(super) fn is_admin(&self) -> bool {
        let tcp = matches!(self.protocol.as_str(), "-1" | "all" | "6" | "tcp");
        tcp && self.ports.is_none_or(|(from, to)| [22, 3389].iter().any(|port| from <= *port && *port <= to))
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.protocol.as_str(), self.ports) {
            ("-1" | "all", _) => write!(f, "everything from {}", self.from),
            (protocol, Some((from, to))) => write!(f, "{protocol} {from}-{to} from {}", self.from),
            (protocol, None) => write!(f, "{protocol} all ports from {}", self.from),
        }
    }
}

/// The rules of a request whose source is every address. Requests of different ages nest them differently: a range
/// belongs to the protocol and ports of the nearest object around it.
pub(super) fn world_rules(parameters: Option<&Value>) -> Vec<Rule> {
    fn walk(value: &Value, protocol: &str, ports: Option<(i64, i64)>, rules: &mut Vec<Rule>) {
        let Value::Object(members) = value else {
            if let Value::Array(items) = value {
                items.iter().for_each(|item| walk(item, protocol, ports, rules));
            }
            return;
        };
        let member = |names: &[&str]| {
            members.iter().find(|(name, _)| names.contains(&name.to_ascii_lowercase().as_str())).map(|(_, value)| value)
        };
        let said = member(&["ipprotocol", "aclprotocol"]).map(super::document);
        let protocol = said.as_deref().unwrap_or(protocol);
        let number = |value: Option<&Value>| value.and_then(|v| v.as_i64().or_else(|| v.as_str()?.parse().ok()));
        let (from, to) = (number(member(&["fromport", "from"])), number(member(&["toport", "to"])));
        let ports = match (from, to) {
            (Some(-1), _) | (_, Some(-1)) => None,
            (Some(from), Some(to)) => Some((from, to)),
            _ => ports,
        };
        // An entry of a network ACL has its ports in an object beside the range.
        let beside =
            member(&["portrange"]).and_then(|range| Some((range.get("from")?.as_i64()?, range.get("to")?.as_i64()?)));
        let ports = beside.or(ports);
        for (name, value) in members {
            let world = matches!(value.as_str(), Some("0.0.0.0/0" | "::/0"));
            let name = name.to_ascii_lowercase();
            if world && (name.starts_with("cidr") || name == "ipv6cidrblock") {
                rules.push(Rule { protocol: protocol.to_owned(), ports, from: super::document(value) });
            }
            walk(value, protocol, ports, rules);
        }
    }
    let mut rules = Vec::new();
    if let Some(parameters) = parameters {
        walk(parameters, "-1", None, &mut rules);
    }
    rules
}

/// What an image, snapshot or database snapshot is shared with: everyone is the group `all`.
pub(super) fn shared_with_all(record: Record<'_>) -> Vec<String> {
    // The request also says what it takes away: that opens nothing.
    let mut shared = false;
    let parameters = record.at(&["requestParameters"]);
    for list in ["createVolumePermission", "launchPermission"] {
        let added = parameters.and_then(|parameters| parameters.get(list)).and_then(|list| list.get("add"));
        each_member(added, &mut |_, value| shared |= value == "all");
    }
    let added = parameters.and_then(|parameters| parameters.get("valuesToAdd"));
    shared |= added.and_then(Value::as_array).is_some_and(|values| values.iter().any(|value| value == "all"));
    if shared { vec![record.targets().first().cloned().unwrap_or_else(|| "a snapshot".to_owned())] } else { Vec::new() }
}

fn mentions(record: Record<'_>, words: &[&str]) -> bool {
    let text = record.at(&["requestParameters"]).map(Value::to_string).unwrap_or_default();
    words.iter().any(|word| text.contains(word))
}

/// Every member of an object and of what lies in it.
fn each_member<'v>(value: Option<&'v Value>, visit: &mut impl FnMut(&'v str, &'v Value)) {
    match value {
        Some(Value::Object(members)) => {
            for (name, value) in members {
                visit(name, value);
                each_member(Some(value), visit);
            }
        }
        Some(Value::Array(items)) => items.iter().for_each(|item| each_member(Some(item), visit)),
        _ => {}
    }
}
