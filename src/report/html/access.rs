//! Who can do what, and who can come in: the privileged, the ways in from outside, outsiders and vendors, each with the
//! statement that decides and the request that shows a weakness.

use super::{Context, Link};
use crate::iam::admin::AdminVerdict;
use crate::iam::escalation::Certainty;
use crate::iam::principal::Kind as PrincipalKind;
use crate::iam::trust::{PathKind, Requirement, TrustPath, TrustReport};
use crate::report::tables::plain;
use crate::report::words::{Shown, number};
use crate::resource::access::{Analysed, statement_text, trust_statement_text, words};
use crate::resource::{FieldValue, Kind, Population, Resource};

/// How many rows a table shows; the population's file has all.
const MOST: usize = 60;

/// How many statements are shown of one principal.
const MOST_STATEMENTS: usize = 4;

pub(super) struct View {
    pub(super) incomplete: Option<Shown>,
    pub(super) principals: String,
    pub(super) privileged: Vec<Privileged>,
    pub(super) more_privileged: usize,
    pub(super) ways: Vec<Way>,
    pub(super) more_ways: usize,
    pub(super) outsiders: Vec<Vec<Shown>>,
    pub(super) more_outsiders: usize,
    pub(super) vendors: Vec<Vec<Shown>>,
    pub(super) roles: Vec<Vec<Shown>>,
    pub(super) sessions: Vec<Vec<Shown>>,
    pub(super) more_sessions: usize,
    pub(super) users_file: Link,
    pub(super) roles_file: Link,
    pub(super) paths_file: Link,
    pub(super) outsiders_file: Link,
    pub(super) sessions_file: Link,
}

pub(super) struct Privileged {
    pub(super) name: Shown,
    pub(super) arn: Shown,
    pub(super) kind: &'static str,
    pub(super) verdict: &'static str,
    pub(super) certainty: &'static str,
    pub(super) grave: bool,
    pub(super) reason: Shown,
    pub(super) statements: Vec<(Shown, Shown)>,
    pub(super) ways: Vec<Shown>,
}

pub(super) struct Way {
    pub(super) role: Shown,
    pub(super) admin: &'static str,
    pub(super) who: Shown,
    pub(super) how: Shown,
    pub(super) guards: Vec<Shown>,
    pub(super) weak: bool,
    pub(super) gets_in: Vec<Shown>,
    pub(super) notes: Vec<Shown>,
    pub(super) statement: Option<Shown>,
}

pub(super) fn view(context: &Context<'_>) -> View {
    let resources = context.audit.resources;
    let access = &resources.access;
    let mut privileged: Vec<(u8, Analysed<'_>)> =
        access.principals().filter_map(|one| Some((rank(&one)?, one))).collect();
    privileged.sort_by(|(a, x), (b, y)| (a, &x.principal.arn).cmp(&(b, &y.principal.arn)));
    let mut ways: Vec<(u8, &TrustReport, &TrustPath)> = access
        .trusts()
        .iter()
        .flat_map(|report| report.paths.iter().map(move |path| (report, path)))
        .filter(|(_, path)| path.kind.is_external() && !path.open.is_false())
        .map(|(report, path)| (weakness(path), report, path))
        .collect();
    ways.sort_by(|(a, r, p), (b, s, q)| {
        (b, &r.role, p.statement, &p.principal).cmp(&(a, &s.role, q.statement, &q.principal))
    });
    let table = |kind: Kind, fields: &[&'static str]| {
        let rows = resources.populations.get(&kind).map_or(&[][..], |population: &Population| &population.rows);
        let shown = |row: &Resource| fields.iter().map(|field| cell(row, field)).collect();
        (rows.iter().take(MOST).map(shown).collect::<Vec<Vec<Shown>>>(), rows.len().saturating_sub(MOST))
    };
    let outsiders = table(
        Kind::ExternalPrincipal,
        &[
            "principal",
            "kind",
            "vendor",
            "roles",
            "admin_roles",
            "external_id",
            "mfa",
            "oidc_width",
            "last_entered_days",
            "roles_last_used_days",
        ],
    );
    let vendors = table(
        Kind::Vendor,
        &["name", "accounts", "roles", "unexpected_roles", "missing_roles", "users", "sessions", "refused"],
    );
    let roles = table(
        Kind::VendorRole,
        &[
            "vendor",
            "name",
            "admin",
            "external_id",
            "mfa",
            "individual",
            "max_session_seconds",
            "log_tampering",
            "contradictions",
        ],
    );
    let sessions = table(
        Kind::VendorSession,
        &["time", "role", "outcome", "session_name", "source_ip", "mfa", "duration_seconds", "events", "actions"],
    );
    let file = |kind: Kind| {
        let file = kind.schema().file;
        context.link(&format!("populations/{file}"), file)
    };
    View {
        incomplete: access.incomplete().map(|gap| format!("{}: {}", gap.call, gap.reason).into()),
        principals: number(access.principals().count() as u64),
        more_privileged: privileged.len().saturating_sub(MOST),
        privileged: privileged.into_iter().take(MOST).map(|(_, one)| one_privileged(context, one)).collect(),
        more_ways: ways.len().saturating_sub(MOST),
        ways: ways.into_iter().take(MOST).map(|(weak, report, path)| one_way(context, weak, report, path)).collect(),
        outsiders: outsiders.0,
        more_outsiders: outsiders.1,
        vendors: vendors.0,
        roles: roles.0,
        sessions: sessions.0,
        more_sessions: sessions.1,
        users_file: file(Kind::User),
        roles_file: file(Kind::Role),
        paths_file: file(Kind::TrustPath),
        outsiders_file: file(Kind::ExternalPrincipal),
        sessions_file: file(Kind::VendorSession),
    }
}

fn cell(row: &Resource, field: &str) -> Shown {
    match row.fields.get(field) {
        Some(FieldValue::Known(value)) => match plain(value) {
            text if text.is_empty() => "–".into(),
            text => text.into(),
        },
        Some(FieldValue::Unknown(unknown)) => format!("unknown: {}", unknown.reason).into(),
        None => "unknown".into(),
    }
}

/// Who comes first; nothing for those who are no administrators.
fn rank(one: &Analysed<'_>) -> Option<u8> {
    let report = &one.report.admin;
    Some(match &report.verdict {
        AdminVerdict::Admin => 0,
        AdminVerdict::AdminExceptDeny => 1,
        AdminVerdict::AdminEquivalent { path } if path.certainty == Certainty::Certain => 2,
        AdminVerdict::ConditionalAdmin if !report.by_path => 3,
        AdminVerdict::AdminEquivalent { .. } => 4,
        AdminVerdict::ConditionalAdmin => 5,
        AdminVerdict::Unknown { .. } => 6,
        AdminVerdict::NotAdmin => return None,
    })
}

fn one_privileged(context: &Context<'_>, one: Analysed<'_>) -> Privileged {
    let (principal, report) = (one.principal, &one.report.admin);
    let references = report.statements.iter().chain(&report.denies).take(MOST_STATEMENTS);
    let statements = references.map(|reference| {
        let text = statement_text(context.audit.evidence, &principal.arn, reference);
        (Shown::from(words::statement(reference)), Shown::from(text.unwrap_or_default()))
    });
    let ways = context.audit.resources.access.trust(&principal.arn).map_or(&[][..], |report| &report.paths);
    Privileged {
        name: principal.name().into(),
        arn: (&principal.arn).into(),
        kind: match principal.kind {
            PrincipalKind::User => "user",
            PrincipalKind::Role => "role",
            PrincipalKind::Group => "group",
        },
        verdict: report.verdict.id(),
        certainty: words::certainty(report),
        grave: words::certainty(report) == "certain",
        reason: words::admin_reason(report).into(),
        statements: statements.collect(),
        ways: ways.iter().filter(|path| !path.open.is_false()).map(|path| who(path).into()).collect(),
    }
}

fn who(path: &TrustPath) -> String {
    match (path.kind, &path.account) {
        (PathKind::Public, _) => "anybody".to_owned(),
        (_, Some(account)) if path.principal.ends_with(":root") || path.principal == *account => {
            format!("account {account}")
        }
        _ => path.principal.clone(),
    }
}

/// How weakly a way in is guarded: 2 lets strangers in, 1 lacks something, 0 is guarded as one would expect.
fn weakness(path: &TrustPath) -> u8 {
    let open = path.oidc.as_ref().is_some_and(|oidc| oidc.width.id() == "open");
    let broad = path.oidc.as_ref().is_some_and(|oidc| matches!(oidc.width.id(), "org-wide" | "issuer-wide"));
    let no_id = path.kind == PathKind::CrossAccount
        && !path.own
        && path.account.is_some()
        && path.requirements.external_id != Requirement::Required;
    match () {
        () if open || path.kind == PathKind::Public => 2,
        () if broad || no_id || matches!(path.kind, PathKind::Orphan | PathKind::Unclear) => 1,
        () => 0,
    }
}

fn one_way(context: &Context<'_>, weak: u8, report: &TrustReport, path: &TrustPath) -> Way {
    let access = &context.audit.resources.access;
    let admin = access.principal(&report.role).map(|one| one.report.admin.verdict.id());
    let needs = &path.requirements;
    let mut guards: Vec<Shown> = Vec::new();
    let federated = matches!(path.kind, PathKind::Saml | PathKind::Oidc);
    if !federated {
        guards.push(format!("external id {}", needs.external_id.id()).into());
    }
    let age = match words::mfa_limit(&needs.mfa_limit) {
        Ok(Some(seconds)) => format!(", at most {seconds} s old"),
        _ => String::new(),
    };
    if path.kind == PathKind::Saml {
        guards.push("what the identity provider demands".into());
    } else if !federated {
        guards.push(format!("MFA {}{age}", needs.mfa.id()).into());
    }
    guards.extend(path.oidc.as_ref().map(|oidc| Shown::from(format!("identities: {}", oidc.width.id()))));
    Way {
        role: report.role.rsplit('/').next().unwrap_or(&report.role).into(),
        admin: admin.filter(|admin| *admin != "not-admin").unwrap_or(""),
        who: who(path).into(),
        how: format!("{}, {}", path.kind.id(), path.action.name()).into(),
        guards,
        weak: weak > 0,
        gets_in: words::counter_examples(path).into_iter().map(Shown::from).collect(),
        notes: path.findings.iter().map(|finding| Shown::from(&finding.detail)).collect(),
        statement: trust_statement_text(context.audit.evidence, &report.role, path.statement).map(Shown::from),
    }
}
