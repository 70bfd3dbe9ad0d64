//! Audits made by hand, for tests of what comes after evaluation: reports and the package.
//!
//! Use it from an integration test with `#[path = "support/audit.rs"] mod audit;`. Nothing here collects, derives or
//! evaluates; resources and findings are put together so that they agree with each other and with the evidence.

#![allow(dead_code)] // each test uses its part

use auditpack::controls::check::Expression;
use auditpack::controls::{Automation, Check, Controls, Framework, Requirement, Settings};
use auditpack::evaluate::{CheckResult, Evaluation, RequirementResult};
use auditpack::evidence::cloudtrail::{DescribeTrails, EventCoverage, LookupEvents, TrailStatus};
use auditpack::evidence::iam::{AccountSummary, AuthorizationDetails, GetAccountPasswordPolicy, ListAccountAliases};
use auditpack::evidence::identity::{CallerIdentity, ListRegions};
use auditpack::evidence::{CallId, Document, Evidence, Gap, GapKind, Note, Operation, Outcome, Period, Run, Timestamp};
use auditpack::finding::{ConfigVerdict, Exception, Finding, Pointer, Severity, Status};
use auditpack::report::Audit;
use auditpack::resource::{FieldValue, Kind, Population, Reconciliation, Resource, Resources, Unknown, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The account of every sample.
pub const ACCOUNT: &str = "111122223333";
/// Names that try to be something else: markup, formulas, text that turns direction, ends a line or a cell.
pub const HOSTILE: [&str; 6] = [
    "<script>alert(1)</script>",
    "=HYPERLINK(\"http://example.com\",\"x\")",
    "comma,semi;=1+1 \"quote\" 'apostrophe'",
    "admin\u{202e}nimda",
    "line\r\nbreak\u{0}\u{1b}[31m",
    "שלום-山田-Zoë",
];

/// Everything that an audit borrows.
#[derive(Debug)]
pub struct Sample {
    pub evidence: Evidence,
    pub resources: Resources,
    pub controls: Controls,
    pub evaluation: Evaluation,
    /// The paths of a package made of it.
    pub files: BTreeSet<String>,
    pub fail_on: Option<Severity>,
}

impl Sample {
    /// The audit.
    pub fn audit(&self) -> Audit<'_> {
        Audit {
            evidence: &self.evidence,
            resources: &self.resources,
            controls: &self.controls,
            evaluation: &self.evaluation,
            fail_on: self.fail_on,
        }
    }
}

/// An account with users of all kinds, failures, an exception, two denied calls, one that broke off, and a difference.
pub fn example() -> Sample {
    let mut evidence = evidence(&["eu-central-1", "us-east-1"]);
    collect::<AccountSummary>(&mut evidence, None);
    collect::<AuthorizationDetails>(&mut evidence, None);
    collect::<GetAccountPasswordPolicy>(&mut evidence, None);
    evidence
        .insert::<GetAccountPasswordPolicy>(CallId::global(Operation::IamGetAccountPasswordPolicy), Outcome::Absent);
    evidence.insert::<ListAccountAliases>(
        CallId::global(Operation::IamListAccountAliases),
        Outcome::Collected(ListAccountAliases { account_aliases: vec!["example-prod".to_owned()] }),
    );
    collect::<DescribeTrails>(&mut evidence, Some("eu-central-1"));
    collect::<DescribeTrails>(&mut evidence, Some("us-east-1"));
    let trail = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main";
    let status = CallId::regional(Operation::CloudTrailGetTrailStatus, "eu-central-1").about(trail);
    evidence.insert::<TrailStatus>(status.clone(), Outcome::missing(denied("cloudtrail:GetTrailStatus")));
    events(&mut evidence, "eu-central-1", None);
    events(
        &mut evidence,
        "us-east-1",
        Some(Gap::new(GapKind::Failed, "ThrottlingException: Rate exceeded, after 3 attempts")),
    );
    credential_report(&mut evidence, None);
    evidence.notes.push(Note {
        place: "ap-southeast-2".to_owned(),
        text: "the Region is disabled for the account and out of scope".to_owned(),
        incomplete: false,
    });

    let mut resources = no_resources();
    let mut users: Vec<Resource> = ["alice", "bob", "carol", "deploy-bot", "zz-legacy"]
        .iter()
        .chain(&HOSTILE)
        .enumerate()
        .map(|(i, name)| user(name, i))
        .collect();
    sort(&mut users);
    fill(&mut resources, Kind::User, users);
    let mut roles: Vec<Resource> = (0..7).map(role).collect();
    sort(&mut roles);
    fill(&mut resources, Kind::Role, roles);
    let unknown = Arc::new(Unknown { call: status, reason: denied("cloudtrail:GetTrailStatus").to_string() });
    let mut row = resource(Kind::Trail, trail, "main", Some("eu-central-1"));
    set(&mut row, "multi_region", true);
    set(&mut row, "kms_key", Value::Null);
    row.fields.insert("logging", FieldValue::Unknown(unknown.clone()));
    row.fields.insert("delivering", FieldValue::Unknown(unknown));
    fill(&mut resources, Kind::Trail, vec![row]);
    let mut account = resource(Kind::Account, ACCOUNT, ACCOUNT, None);
    set(&mut account, "account_id", ACCOUNT);
    set(&mut account, "alias", "example-prod");
    set(&mut account, "root_mfa_active", false);
    set(&mut account, "password_minimum_length", 8);
    fill(&mut resources, Kind::Account, vec![account]);
    resources.reconciliation = vec![
        Reconciliation {
            population: "iam.role".to_owned(),
            counts: vec![
                ("iam:GetAccountAuthorizationDetails".to_owned(), Some(7)),
                ("iam:ListRoles".to_owned(), None),
                ("iam:GetAccountSummary".to_owned(), Some(7)),
            ],
            agrees: true,
            differences: Vec::new(),
        },
        Reconciliation {
            population: "iam.user".to_owned(),
            counts: vec![
                ("iam:GetAccountAuthorizationDetails".to_owned(), Some(11)),
                ("iam:GetCredentialReport".to_owned(), Some(12)),
            ],
            agrees: false,
            differences: vec!["old-intern is in the credential report only; no event explains it".to_owned()],
        },
    ];
    let exception = Exception {
        check: "iam-user-console-mfa".to_owned(),
        resource: "zz-legacy".to_owned(),
        reason: "break-glass user, sealed in the safe".to_owned(),
        approver: "R. Meyer".to_owned(),
        expires: chrono::NaiveDate::from_ymd_opt(2026, 12, 31).unwrap(),
    };
    finish(evidence, resources, vec![exception])
}

/// An account in which everything answered and nothing is there.
pub fn empty() -> Sample {
    let mut evidence = evidence(&["us-east-1"]);
    collect::<AccountSummary>(&mut evidence, None);
    collect::<AuthorizationDetails>(&mut evidence, None);
    collect::<GetAccountPasswordPolicy>(&mut evidence, None);
    collect::<ListAccountAliases>(&mut evidence, None);
    collect::<DescribeTrails>(&mut evidence, Some("us-east-1"));
    events(&mut evidence, "us-east-1", None);
    credential_report(&mut evidence, None);
    let mut resources = no_resources();
    let mut account = resource(Kind::Account, ACCOUNT, ACCOUNT, None);
    set(&mut account, "root_mfa_active", true);
    set(&mut account, "password_minimum_length", 14);
    fill(&mut resources, Kind::Account, vec![account]);
    finish(evidence, resources, Vec::new())
}

/// An account that answers nothing: not even who asks.
pub fn all_denied() -> Sample {
    let mut evidence = Evidence::new(run());
    for operation in [Operation::StsGetCallerIdentity, Operation::AccountListRegions] {
        let gap = Outcome::missing(denied(&operation.to_string()));
        match operation {
            Operation::StsGetCallerIdentity => evidence.insert::<CallerIdentity>(CallId::global(operation), gap),
            _ => evidence
                .insert::<ListRegions>(CallId::global(operation), Outcome::missing(denied(&operation.to_string()))),
        }
    }
    evidence.regions = BTreeSet::from(["us-east-1".to_owned()]);
    evidence.insert::<AccountSummary>(
        CallId::global(Operation::IamGetAccountSummary),
        Outcome::missing(denied("iam:GetAccountSummary")),
    );
    let mut resources = no_resources();
    let mut account = resource(Kind::Account, "unknown", "unknown", None);
    for field in Kind::Account.schema().fields {
        let call = CallId::global(field.calls[0]);
        let reason = denied(&field.calls[0].to_string()).to_string();
        account.fields.insert(field.name, FieldValue::Unknown(Arc::new(Unknown { call, reason })));
    }
    for population in resources.populations.values_mut() {
        let operation = population.kind.schema().population[0];
        let call = CallId::global(operation);
        population.incomplete.push(Unknown { call, reason: denied(&operation.to_string()).to_string() });
    }
    resources.populations.get_mut(&Kind::Account).unwrap().rows.push(account);
    finish(evidence, resources, Vec::new())
}

/// An account of many users and roles, all of which fail something.
pub fn large(users: usize, roles: usize) -> Sample {
    let mut sample = empty();
    let mut resources = no_resources();
    let mut rows: Vec<Resource> = (0..users).map(|i| user(&format!("user-{i:05}"), i)).collect();
    sort(&mut rows);
    fill(&mut resources, Kind::User, rows);
    let mut rows: Vec<Resource> = (0..roles).map(role).collect();
    sort(&mut rows);
    fill(&mut resources, Kind::Role, rows);
    resources.populations.insert(Kind::Account, sample.resources.populations.remove(&Kind::Account).unwrap());
    finish(sample.evidence, resources, Vec::new())
}

fn run() -> Run {
    let time = |text| Timestamp::parse(text).unwrap();
    Run {
        format: Run::FORMAT,
        version: "0.1.0".to_owned(),
        as_of: time("2026-10-01T09:00:00Z"),
        period: Period { from: time("2026-07-03T09:00:00Z"), to: time("2026-10-01T09:00:00Z") },
        regions: None,
        home_region: "us-east-1".to_owned(),
        frameworks: vec!["iso27001".to_owned(), "soc2".to_owned()],
        operations: Vec::new(),
    }
}

fn denied(action: &str) -> Gap {
    let caller = "arn:aws:sts::111122223333:assumed-role/auditor/jo";
    Gap::new(GapKind::Denied, format!("AccessDenied: User: {caller} is not authorized to perform: {action}"))
}

fn evidence(regions: &[&str]) -> Evidence {
    let mut evidence = Evidence::new(run());
    evidence.account = Some(ACCOUNT.to_owned());
    evidence.regions = regions.iter().map(|region| (*region).to_owned()).collect();
    evidence.insert::<CallerIdentity>(
        CallId::global(Operation::StsGetCallerIdentity),
        Outcome::Collected(CallerIdentity {
            user_id: Some("AROAEXAMPLEAUDITOR:jo".to_owned()),
            account: Some(ACCOUNT.to_owned()),
            arn: Some("arn:aws:sts::111122223333:assumed-role/auditor/jo".to_owned()),
        }),
    );
    evidence.insert::<ListRegions>(
        CallId::global(Operation::AccountListRegions),
        Outcome::Collected(ListRegions { regions: Vec::new() }),
    );
    evidence
}

fn collect<D: Document + Default>(evidence: &mut Evidence, region: Option<&str>) {
    let call = CallId { operation: D::OPERATION, region: region.map(str::to_owned), resource: None };
    evidence.insert::<D>(call, Outcome::Collected(D::default()));
}

fn credential_report(evidence: &mut Evidence, gap: Option<Gap>) {
    use auditpack::evidence::credential_report::CredentialReport;
    let header = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
                  password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,\
                  access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,\
                  access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,\
                  access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
                  cert_2_active,cert_2_last_rotated\n";
    let outcome = match gap {
        None => {
            let root =
                format!("<root_account>,arn:aws:iam::{ACCOUNT}:root,2020-01-01T00:00:00+00:00{}", ",N/A".repeat(19));
            let text = format!("{}{root}\n", header.replace(' ', ""));
            Outcome::Collected(CredentialReport::new(text.into_bytes(), None).unwrap())
        }
        Some(gap) => Outcome::missing(gap),
    };
    evidence.insert::<CredentialReport>(CallId::global(Operation::IamGetCredentialReport), outcome);
}

fn events(evidence: &mut Evidence, region: &str, gap: Option<Gap>) {
    let period = evidence.run.period;
    let coverage = EventCoverage {
        asked: Some(period),
        pages: 3,
        events: 1234,
        oldest: Some(period.from),
        newest: Some(period.to),
        ..EventCoverage::default()
    };
    let value = LookupEvents { file: "events.jsonl".into(), coverage };
    let outcome = match gap {
        None => Outcome::Collected(value),
        Some(gap) => Outcome::Missing { gap, partial: Some(value) },
    };
    evidence.insert::<LookupEvents>(CallId::regional(Operation::CloudTrailLookupEvents, region), outcome);
}

fn no_resources() -> Resources {
    let population = |kind: &Kind| {
        let sources = kind.schema().population.iter().map(|operation| pointer(*operation, "")).collect();
        (*kind, Population { kind: *kind, rows: Vec::new(), incomplete: Vec::new(), sources })
    };
    Resources { populations: Kind::ALL.iter().map(population).collect(), reconciliation: Vec::new() }
}

fn fill(resources: &mut Resources, kind: Kind, rows: Vec<Resource>) {
    resources.populations.get_mut(&kind).unwrap().rows = rows;
}

fn sort(rows: &mut [Resource]) {
    rows.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
}

fn pointer(operation: Operation, at: &str) -> Pointer {
    let file = format!("evidence/{}", CallId::global(operation).document_path());
    Pointer { file, at: at.to_owned() }
}

fn resource(kind: Kind, id: &str, name: &str, region: Option<&str>) -> Resource {
    let fields = kind.schema().fields.iter().map(|field| (field.name, FieldValue::Known(Value::Null))).collect();
    let operation = kind.schema().population[0];
    let file = match region {
        Some(region) => format!("evidence/{}", CallId::regional(operation, region).document_path()),
        None => format!("evidence/{}", CallId::global(operation).document_path()),
    };
    Resource {
        kind,
        id: id.to_owned(),
        name: name.to_owned(),
        region: region.map(str::to_owned),
        fields,
        sources: BTreeMap::from([(operation, vec![Pointer { file, at: "/0".to_owned() }])]),
    }
}

fn set(resource: &mut Resource, field: &'static str, value: impl Into<Value>) {
    resource.fields.insert(field, FieldValue::Known(value.into()));
}

fn user(name: &str, i: usize) -> Resource {
    let arn = format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    let mut user = resource(Kind::User, &arn, name, None);
    set(&mut user, "name", name);
    set(&mut user, "arn", arn.as_str());
    set(&mut user, "path", "/");
    set(&mut user, "password_enabled", i % 4 != 3);
    set(&mut user, "mfa_active", i == 0);
    set(&mut user, "inactive_days", (i as i64) * 17);
    set(&mut user, "created_days", 400 + i as i64);
    set(&mut user, "groups", vec!["admins", "=cmd"]);
    set(&mut user, "tags", BTreeMap::from([("team".to_owned(), name)]));
    user.sources.insert(
        Operation::IamGetCredentialReport,
        vec![pointer(Operation::IamGetCredentialReport, &format!("L{}", i + 2))],
    );
    user
}

fn role(i: usize) -> Resource {
    let name = format!("role-{i:05}");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let mut role = resource(Kind::Role, &arn, &name, None);
    set(&mut role, "name", name.as_str());
    set(&mut role, "arn", arn.as_str());
    set(&mut role, "idle_days", (i as i64 * 61) % 401);
    role
}

/// A check of the samples: one field, one judgement. `None` is out of scope.
struct Rule {
    id: &'static str,
    title: &'static str,
    kind: Kind,
    scope: Option<&'static str>,
    pass: &'static str,
    parameter: Option<(&'static str, i64)>,
    severity: Severity,
    field: &'static str,
    judge: fn(&Resource, &Value) -> Option<bool>,
    message: &'static str,
    config_rule: Option<&'static str>,
}

fn known_bool(resource: &Resource, field: &str) -> bool {
    resource.fields.get(field).and_then(FieldValue::known) == Some(&Value::Bool(true))
}

const RULES: &[Rule] = &[
    Rule {
        id: "account-password-length",
        title: "Passwords have at least 14 characters",
        kind: Kind::Account,
        scope: None,
        pass: "password_minimum_length >= parameters.password_minimum_length",
        parameter: Some(("password_minimum_length", 14)),
        severity: Severity::Medium,
        field: "password_minimum_length",
        judge: |_, value| Some(*value >= Value::Int(14)),
        message: "the account allows passwords of 8 characters",
        config_rule: None,
    },
    Rule {
        id: "account-root-mfa",
        title: "Root signs in with MFA",
        kind: Kind::Account,
        scope: None,
        pass: "root_mfa_active",
        parameter: None,
        severity: Severity::Critical,
        field: "root_mfa_active",
        judge: |_, value| Some(*value == Value::Bool(true)),
        message: "root has no MFA device",
        config_rule: None,
    },
    Rule {
        id: "cloudtrail-delivering",
        title: "Trails deliver their log files",
        kind: Kind::Trail,
        scope: None,
        pass: "delivering",
        parameter: None,
        severity: Severity::High,
        field: "delivering",
        judge: |_, value| Some(*value == Value::Bool(true)),
        message: "{name} does not deliver",
        config_rule: None,
    },
    Rule {
        id: "cloudtrail-multi-region",
        title: "Trails record all Regions",
        kind: Kind::Trail,
        scope: None,
        pass: "multi_region",
        parameter: None,
        severity: Severity::High,
        field: "multi_region",
        judge: |_, value| Some(*value == Value::Bool(true)),
        message: "{name} records one Region only",
        config_rule: None,
    },
    Rule {
        id: "config-recorder-on",
        title: "AWS Config records in every Region",
        kind: Kind::Recorder,
        scope: None,
        pass: "exists && recording",
        parameter: None,
        severity: Severity::Medium,
        field: "recording",
        judge: |_, value| Some(*value == Value::Bool(true)),
        message: "nothing is recorded",
        config_rule: None,
    },
    Rule {
        id: "iam-role-stale",
        title: "Roles were used within 180 days",
        kind: Kind::Role,
        scope: Some("!service_linked"),
        pass: "idle_days <= parameters.role_stale_days",
        parameter: Some(("role_stale_days", 180)),
        severity: Severity::Low,
        field: "idle_days",
        judge: |_, value| Some(*value <= Value::Int(180)),
        message: "{name} was not used for more than 180 days",
        config_rule: None,
    },
    Rule {
        id: "iam-user-console-mfa",
        title: "Console users have MFA",
        kind: Kind::User,
        scope: Some("password_enabled"),
        pass: "mfa_active",
        parameter: None,
        severity: Severity::High,
        field: "mfa_active",
        judge: |user, value| known_bool(user, "password_enabled").then_some(*value == Value::Bool(true)),
        message: "{name} signs in with a password and no MFA device",
        config_rule: Some("MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS"),
    },
    Rule {
        id: "iam-user-stale",
        title: "Users were active within 90 days",
        kind: Kind::User,
        scope: None,
        pass: "inactive_days == null || inactive_days <= parameters.user_stale_days",
        parameter: Some(("user_stale_days", 90)),
        severity: Severity::Medium,
        field: "inactive_days",
        judge: |_, value| Some(*value <= Value::Int(90)),
        message: "{name} used no credential for more than 90 days",
        config_rule: Some("IAM_USER_UNUSED_CREDENTIALS_CHECK"),
    },
];

fn expression(kind: Kind, text: &str, parameters: &[&str]) -> Expression {
    let fields = kind
        .schema()
        .fields
        .iter()
        .filter(|field| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == field.name));
    Expression {
        text: text.to_owned(),
        fields: fields.collect(),
        account_fields: Vec::new(),
        parameters: parameters.iter().map(|name| (*name).to_owned()).collect(),
    }
}

fn check(rule: &Rule) -> Check {
    let parameters: Vec<&str> = rule.parameter.iter().map(|(name, _)| *name).collect();
    Check {
        id: rule.id.to_owned(),
        title: rule.title.to_owned(),
        resource: rule.kind,
        scope: rule.scope.map(|text| expression(rule.kind, text, &[])),
        scope_reason: rule.scope.map(|_| "others have no password".to_owned()),
        pass: expression(rule.kind, rule.pass, &parameters),
        severity: rule.severity,
        message: rule.message.to_owned(),
        remediation: "Mend it, or record an exception with a reason and a last day.".to_owned(),
        config_rules: rule.config_rule.map(str::to_owned).into_iter().collect(),
        config_rules_note: rule
            .config_rule
            .map(|_| "The rule reads a credential report of up to 4 hours ago.".to_owned()),
        references: vec!["https://docs.aws.amazon.com/IAM/latest/UserGuide/best-practices.html".to_owned()],
        cases: Vec::new(),
        file: format!("checks/{}.yaml", rule.id),
    }
}

/// Controls of eight checks and two frameworks.
pub fn controls(exceptions: Vec<Exception>) -> Controls {
    let requirement =
        |id: &str, group: &str, title: &str, automation, checks: &[&str], manual: Option<&str>| Requirement {
            id: id.to_owned(),
            group: group.to_owned(),
            title: title.to_owned(),
            automation,
            checks: checks.iter().map(|check| (*check).to_owned()).collect(),
            evidence: match automation {
                Automation::Manual => Vec::new(),
                _ => vec![Operation::CloudTrailLookupEvents],
            },
            manual: manual.map(str::to_owned),
        };
    use Automation::{Full, Manual, Partial};
    let soc2 = Framework {
        id: "soc2".to_owned(),
        title: "SOC 2".to_owned(),
        edition: "Trust Services Criteria 2017, points of focus 2022".to_owned(),
        scope: "Common Criteria CC5 to CC9.".to_owned(),
        notes: vec!["The wording is our own; the criteria are the AICPA’s.".to_owned()],
        requirements: vec![
            requirement(
                "CC6.1",
                "CC6 Logical and physical access",
                "Protect assets by an access architecture: inventory, authentication, credentials, segmentation, encryption and keys",
                Partial,
                &["account-root-mfa", "iam-user-console-mfa", "account-password-length"],
                Some("Data classification, and access to systems outside AWS"),
            ),
            requirement(
                "CC6.2",
                "CC6 Logical and physical access",
                "Register and authorise users before credentials are issued, review them, and remove them when no longer valid",
                Partial,
                &["iam-user-stale"],
                Some("Approval tickets, and the match with joiners and leavers"),
            ),
            requirement(
                "CC6.4",
                "CC6 Logical and physical access",
                "Restrict physical access",
                Manual,
                &[],
                Some("Own offices; AWS’s data centres by its own reports"),
            ),
            requirement(
                "CC7.1",
                "CC7 System operations",
                "Detect changes of configuration and new vulnerabilities",
                Partial,
                &["config-recorder-on"],
                Some("The process of vulnerability management"),
            ),
            requirement(
                "CC7.2",
                "CC7 System operations",
                "Watch for anomalies",
                Partial,
                &["cloudtrail-delivering", "cloudtrail-multi-region"],
                Some("Who watches, and how alarms are tuned"),
            ),
        ],
        file: "frameworks/soc2.yaml".to_owned(),
    };
    let iso = Framework {
        id: "iso27001".to_owned(),
        title: "ISO/IEC 27001:2022".to_owned(),
        edition: "2022, Annex A".to_owned(),
        scope: "Annex A.".to_owned(),
        notes: Vec::new(),
        requirements: vec![
            requirement(
                "A.5.17",
                "A.5 Organisational controls",
                "Handle authentication information with care",
                Full,
                &["account-password-length"],
                None,
            ),
            requirement(
                "A.8.2",
                "A.8 Technological controls",
                "Restrict and manage privileged access",
                Partial,
                &["account-root-mfa", "iam-role-stale"],
                Some("The approval of privileged roles"),
            ),
            requirement(
                "A.8.15",
                "A.8 Technological controls",
                "Record, keep and protect logs",
                Partial,
                &["cloudtrail-multi-region"],
                Some("Retention by policy"),
            ),
        ],
        file: "frameworks/iso27001.yaml".to_owned(),
    };
    let parameters = RULES
        .iter()
        .filter_map(|rule| rule.parameter)
        .map(|(name, value)| (name.to_owned(), Value::Int(value)))
        .collect();
    let checks: BTreeMap<String, Check> = RULES.iter().map(|rule| (rule.id.to_owned(), check(rule))).collect();
    let files = checks.values().map(|check| (check.file.clone(), format!("id: {}\n", check.id)));
    Controls {
        files: files.chain([("frameworks/soc2.yaml".to_owned(), "id: soc2\n".to_owned())]).collect(),
        checks,
        frameworks: BTreeMap::from([("iso27001".to_owned(), iso), ("soc2".to_owned(), soc2)]),
        settings: Settings { parameters, exceptions },
    }
}

fn finding(rule: &Rule, resource: Option<&Resource>, status: Status, message: String) -> Finding {
    let pointers = resource.into_iter().flat_map(|r| r.sources.values().flatten().cloned());
    Finding {
        check: rule.id.to_owned(),
        status,
        severity: rule.severity,
        resource: resource.map(Resource::reference),
        message,
        evidence: pointers.collect(),
        missing: Vec::new(),
        config_rules: Vec::new(),
        exception: None,
    }
}

fn judge(rule: &Rule, resource: &Resource, exceptions: &[Exception]) -> Finding {
    match &resource.fields[rule.field] {
        FieldValue::Unknown(unknown) => {
            let message = format!("not known: {}: {}", unknown.call, unknown.reason);
            let mut finding = finding(rule, Some(resource), Status::Unknown, message);
            finding.missing = vec![unknown.operation()];
            finding
        }
        FieldValue::Known(value) => match (rule.judge)(resource, value) {
            None => finding(rule, Some(resource), Status::NotApplicable, "others have no password".to_owned()),
            Some(true) => finding(rule, Some(resource), Status::Pass, rule.title.to_owned()),
            Some(false) => {
                let message = rule.message.replace("{name}", &resource.name);
                let mut finding = finding(rule, Some(resource), Status::Fail, message);
                finding.config_rules.extend(rule.config_rule.map(|identifier| ConfigVerdict {
                    identifier: identifier.to_owned(),
                    rule: "baseline-mfa".to_owned(),
                    region: "eu-central-1".to_owned(),
                    compliance: "NON_COMPLIANT".to_owned(),
                }));
                let covers = |e: &&Exception| e.check == rule.id && e.resource == resource.name;
                finding.exception = exceptions.iter().find(covers).cloned();
                finding
            }
        },
    }
}

/// Judges the resources and puts the sample together.
fn finish(evidence: Evidence, resources: Resources, exceptions: Vec<Exception>) -> Sample {
    let mut findings = Vec::new();
    for rule in RULES {
        let population = &resources.populations[&rule.kind];
        findings.extend(population.rows.iter().map(|row| judge(rule, row, &exceptions)));
        for unknown in population.incomplete.iter().filter(|_| population.rows.is_empty()) {
            let message = format!("the population is not known: {}: {}", unknown.call, unknown.reason);
            let mut finding = finding(rule, None, Status::Unknown, message);
            finding.missing = vec![unknown.operation()];
            findings.push(finding);
        }
        if population.rows.is_empty() && population.incomplete.is_empty() {
            let message = format!("there are no {}", rule.kind.schema().plural);
            let mut finding = finding(rule, None, Status::NotApplicable, message);
            finding.evidence = population.sources.clone();
            findings.push(finding);
        }
    }
    let controls = controls(exceptions);
    let counts = |checks: &[&str]| {
        let mut counts: BTreeMap<Status, u64> = BTreeMap::new();
        for finding in findings.iter().filter(|f| checks.contains(&f.check.as_str())) {
            *counts.entry(finding.status).or_default() += 1;
        }
        counts
    };
    let worst = |counts: &BTreeMap<Status, u64>| counts.keys().max().copied().unwrap_or(Status::Manual);
    let checks = RULES.iter().map(|rule| {
        let counts = counts(&[rule.id]);
        let excepted = findings.iter().filter(|f| f.check == rule.id && f.exception.is_some()).count() as u64;
        CheckResult { check: rule.id.to_owned(), severity: rule.severity, status: worst(&counts), counts, excepted }
    });
    let checks = checks.collect();
    let requirements = controls.frameworks.values().flat_map(|framework| {
        framework.requirements.iter().map(|requirement| {
            let ids: Vec<&str> = requirement.checks.iter().map(String::as_str).collect();
            let counts = counts(&ids);
            RequirementResult {
                framework: framework.id.clone(),
                requirement: requirement.id.clone(),
                automation: requirement.automation,
                status: worst(&counts),
                counts,
            }
        })
    });
    let requirements = requirements.collect();
    let documents = evidence.calls().filter(|(_, outcome)| outcome.arrived().is_some());
    let documents = documents.map(|(call, _)| format!("evidence/{}", call.document_path()));
    let populations = Kind::ALL.iter().map(|kind| format!("populations/{}", kind.schema().file));
    let fixed = ["README.txt", "report.html", "findings.csv", "findings.json", "requirements.csv", "manifest.json"];
    let fixed = fixed.iter().chain(&["SHA256SUMS", "raw/calls.jsonl", "raw/run.json"]).map(|path| (*path).to_owned());
    let of_controls = controls.files.keys().map(|path| format!("controls/{path}"));
    let files = documents.chain(populations).chain(fixed).chain(of_controls).collect();
    Sample {
        evaluation: Evaluation { findings, checks, requirements },
        evidence,
        resources,
        controls,
        files,
        fail_on: Some(Severity::High),
    }
}
