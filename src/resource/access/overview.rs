//! What reports show of the analysis: the privileged and the ways in from outside, as many as a page holds.
//!
//! It is taken out of the analysis when the rows are made, so that the analysis itself, by far the largest thing that is
//! made of an account, need not be kept until the report is written.

use super::{Access, Analysed};
use crate::iam::admin::{AdminReport, AdminVerdict};
use crate::iam::escalation::Certainty;
use crate::iam::principal::Kind;
use crate::iam::trust::{PathKind, Requirement, TrustPath, TrustReport};
use crate::resource::Unknown;

/// How many rows a table of the report shows; the population's file has all.
pub const MOST: usize = 60;

/// Who is privileged, and who can come in.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// Why there may be more users, roles and groups than were analysed.
    pub incomplete: Option<Unknown>,
    /// How many users, roles and groups were analysed.
    pub principals: usize,
    /// The gravest of the administrators and of those who can become one.
    pub privileged: Vec<Privileged>,
    /// How many more there are.
    pub more_privileged: usize,
    /// The weakest of the ways in from outside.
    pub ways: Vec<Way>,
    /// How many more there are.
    pub more_ways: usize,
}

/// An administrator, or who can become one.
#[derive(Clone, Debug)]
pub struct Privileged {
    /// The principal's ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// User, role or group.
    pub kind: Kind,
    /// The verdict.
    pub admin: AdminReport,
    /// The ways into it, if it is a role: those that a request can take.
    pub ways: Vec<TrustPath>,
}

/// A way into a role from outside.
#[derive(Clone, Debug)]
pub struct Way {
    /// The role's ARN.
    pub role: String,
    /// The verdict's id on the role; `None` where the role was not analysed.
    pub admin: Option<&'static str>,
    /// How weakly it is guarded: 2 lets strangers in, 1 lacks something, 0 is guarded as one would expect.
    pub weakness: u8,
    /// The way.
    pub path: TrustPath,
}

impl Overview {
    /// What reports show of an analysis.
    pub(in crate::resource) fn of(access: &Access) -> Self {
        let mut privileged: Vec<(u8, Analysed<'_>)> =
            access.principals().filter_map(|one| Some((rank(&one.report.admin)?, one))).collect();
        privileged.sort_by(|(a, x), (b, y)| (a, &x.principal.arn).cmp(&(b, &y.principal.arn)));
        let mut ways: Vec<(u8, &TrustReport, &TrustPath)> = (access.trusts().iter())
            .flat_map(|report| report.paths.iter().map(move |path| (report, path)))
            .filter(|(_, path)| path.kind.is_external() && !path.open.is_false())
            .map(|(report, path)| (weakness(path), report, path))
            .collect();
        ways.sort_by(|(a, r, p), (b, s, q)| {
            (b, &r.role, p.statement, &p.principal).cmp(&(a, &s.role, q.statement, &q.principal))
        });
        Self {
            incomplete: access.incomplete().cloned(),
            principals: access.principals().count(),
            more_privileged: privileged.len().saturating_sub(MOST),
            privileged: privileged.into_iter().take(MOST).map(|(_, one)| privileged_of(access, one)).collect(),
            more_ways: ways.len().saturating_sub(MOST),
            ways: ways.into_iter().take(MOST).map(|(weakness, role, path)| way(access, weakness, role, path)).collect(),
        }
    }
}

fn privileged_of(access: &Access, one: Analysed<'_>) -> Privileged {
    let ways = access.trust(&one.principal.arn).map_or(&[][..], |report| &report.paths);
    Privileged {
        arn: one.principal.arn.clone(),
        name: one.principal.name().to_owned(),
        kind: one.principal.kind,
        admin: one.report.admin.clone(),
        ways: ways.iter().filter(|path| !path.open.is_false()).cloned().collect(),
    }
}

fn way(access: &Access, weakness: u8, role: &TrustReport, path: &TrustPath) -> Way {
    let admin = access.principal(&role.role).map(|one| one.report.admin.verdict.id());
    Way { role: role.role.clone(), admin, weakness, path: path.clone() }
}

/// Who comes first; nothing for those who are no administrators.
fn rank(report: &AdminReport) -> Option<u8> {
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
