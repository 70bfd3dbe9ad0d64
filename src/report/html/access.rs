//! Who can do what, and who can come in: the privileged, the ways in from outside, outsiders and vendors, each with the
//! statement that decides and the request that shows a weakness.

use super::{Context, Link};
use crate::iam::principal::Kind as PrincipalKind;
use crate::iam::trust::{PathKind, TrustPath};
use crate::report::tables::plain;
use crate::report::words::{Shown, number};
use crate::resource::access::overview::{self, MOST};
use crate::resource::access::{statement_text, trust_statement_text, words};
use crate::resource::{FieldValue, Kind, Population, Resource};

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
    let overview = &resources.overview;
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
        incomplete: overview.incomplete.as_ref().map(|gap| format!("{}: {}", gap.call, gap.reason).into()),
        principals: number(overview.principals as u64),
        more_privileged: overview.more_privileged,
        privileged: overview.privileged.iter().map(|one| one_privileged(context, one)).collect(),
        more_ways: overview.more_ways,
        ways: overview.ways.iter().map(|way| one_way(context, way)).collect(),
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

fn one_privileged(context: &Context<'_>, one: &overview::Privileged) -> Privileged {
    let report = &one.admin;
    let references = report.statements.iter().chain(&report.denies).take(MOST_STATEMENTS);
    let statements = references.map(|reference| {
        let text = statement_text(context.audit.evidence, &one.arn, reference);
        (Shown::from(words::statement(reference)), Shown::from(text.unwrap_or_default()))
    });
    Privileged {
        name: (&one.name).into(),
        arn: (&one.arn).into(),
        kind: match one.kind {
            PrincipalKind::User => "user",
            PrincipalKind::Role => "role",
            PrincipalKind::Group => "group",
        },
        verdict: report.verdict.id(),
        certainty: words::certainty(report),
        grave: words::certainty(report) == "certain",
        reason: words::admin_reason(report).into(),
        statements: statements.collect(),
        ways: one.ways.iter().map(|path| who(path).into()).collect(),
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

fn one_way(context: &Context<'_>, way: &overview::Way) -> Way {
    let path = &way.path;
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
        role: way.role.rsplit('/').next().unwrap_or(&way.role).into(),
        admin: way.admin.filter(|admin| *admin != "not-admin").unwrap_or(""),
        who: who(path).into(),
        how: format!("{}, {}", path.kind.id(), path.action.name()).into(),
        guards,
        weak: way.weakness > 0,
        gets_in: words::counter_examples(path).into_iter().map(Shown::from).collect(),
        notes: path.findings.iter().map(|finding| Shown::from(&finding.detail)).collect(),
        statement: trust_statement_text(context.audit.evidence, &way.role, path.statement).map(Shown::from),
    }
}
