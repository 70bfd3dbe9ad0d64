//! Audits made by hand, for tests of what comes after evaluation: reports and the package.
//!
//! Use it from an integration test with `#[path = "support/audit.rs"] mod audit;`. Nothing here collects or derives:
//! evidence and resources are put together so that they agree. What judges them is the real thing.

#![allow(dead_code)] // each test uses its part

use auditpack::controls::{Controls, Settings};
use auditpack::evaluate::{Evaluation, evaluate};
use auditpack::evidence::cloudtrail::{DescribeTrails, EventCoverage, LookupEvents, TrailStatus};
use auditpack::evidence::iam::{AccountSummary, AuthorizationDetails, GetAccountPasswordPolicy, ListAccountAliases};
use auditpack::evidence::identity::{CallerIdentity, ListRegions};
use auditpack::evidence::{CallId, Document, Evidence, Gap, GapKind, Note, Operation, Outcome, Period, Run, Timestamp};
use auditpack::finding::{Pointer, Severity};
use auditpack::report::Audit;
use auditpack::resource::{FieldValue, Fields, Kind, Population, Reconciliation, Resource, Resources, Unknown, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
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
    let mut rule = resource(Kind::ConfigRule, "baseline-mfa", "baseline-mfa", Some("eu-central-1"));
    set(&mut rule, "name", "baseline-mfa");
    set(&mut rule, "source_identifier", "MFA_ENABLED_FOR_IAM_CONSOLE_ACCESS");
    set(&mut rule, "compliance", "NON_COMPLIANT");
    fill(&mut resources, Kind::ConfigRule, vec![rule]);
    let exception = r#"
        [[exceptions]]
        check = "iam-user-console-mfa"
        resource = "zz-legacy"
        reason = "break-glass user, sealed in the safe"
        approver = "R. Meyer"
        expires = "2026-12-31"
    "#;
    finish(evidence, resources, exception)
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
    finish(evidence, resources, "")
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
        // Which vendors there are is the user's to say.
        let Some(operation) = population.kind.schema().population.first().copied() else { continue };
        let call = CallId::global(operation);
        population.incomplete.push(Unknown { call, reason: denied(&operation.to_string()).to_string() });
    }
    resources.populations.get_mut(&Kind::Account).unwrap().rows.push(account);
    finish(evidence, resources, "")
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
    finish(sample.evidence, resources, "")
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
        events: Default::default(),
        slicing: Default::default(),
        config_history: Run::CONFIG_HISTORY,
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
    Resources {
        populations: Kind::ALL.iter().map(population).collect(),
        reconciliation: Vec::new(),
        ..Resources::default()
    }
}

fn fill(resources: &mut Resources, kind: Kind, rows: Vec<Resource>) {
    resources.populations.get_mut(&kind).unwrap().rows = rows;
}

fn sort(rows: &mut [Resource]) {
    rows.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
}

fn pointer(operation: Operation, at: &str) -> Pointer {
    let file = format!("evidence/{}", CallId::global(operation).document_path());
    Pointer { file: file.into(), at: at.into() }
}

fn resource(kind: Kind, id: &str, name: &str, region: Option<&str>) -> Resource {
    let mut fields = Fields::of(kind);
    for field in kind.schema().fields {
        fields.insert(field.name, FieldValue::Known(Value::Null));
    }
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
        sources: vec![(operation, Pointer { file: file.into(), at: "/0".into() })],
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
    let line = pointer(Operation::IamGetCredentialReport, &format!("L{}", i + 2));
    user.sources.push((Operation::IamGetCredentialReport, line));
    user
}

fn role(i: usize) -> Resource {
    let name = format!("role-{i:05}");
    let arn = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
    let mut role = resource(Kind::Role, &arn, &name, None);
    set(&mut role, "name", name.as_str());
    set(&mut role, "arn", arn.as_str());
    set(&mut role, "service_linked", false);
    set(&mut role, "idle_days", (i as i64 * 61) % 401);
    role
}

/// The controls of `tests/support/controls`: eight checks, two frameworks. `settings` is the text of an auditpack.toml.
pub fn controls(settings: &str) -> Controls {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/controls");
    let mut files = BTreeMap::from([(Settings::FILE.to_owned(), settings.to_owned())]);
    for folder in ["", "checks", "frameworks"] {
        for entry in std::fs::read_dir(dir.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(&dir).unwrap().to_str().unwrap().replace('\\', "/");
                files.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    Controls::from_files(&files).unwrap()
}

/// Judges the resources and puts the sample together.
fn finish(evidence: Evidence, resources: Resources, settings: &str) -> Sample {
    let controls = controls(settings);
    let evaluation = evaluate(&evidence, &resources, &controls);
    let documents = evidence.calls().filter(|(_, outcome)| outcome.arrived().is_some());
    let documents = documents.map(|(call, _)| format!("evidence/{}", call.document_path()));
    let populations = Kind::ALL.iter().map(|kind| format!("populations/{}", kind.schema().file));
    let fixed = ["README.txt", "report.html", "findings.csv", "findings.json", "requirements.csv", "manifest.json"];
    let fixed = fixed.iter().chain(&["SHA256SUMS", "raw/calls.jsonl", "raw/run.json"]).map(|path| (*path).to_owned());
    let of_controls = controls.files.keys().map(|path| format!("controls/{path}"));
    let files = documents.chain(populations).chain(fixed).chain(of_controls).collect();
    Sample { evaluation, evidence, resources, controls, files, fail_on: Some(Severity::High) }
}
