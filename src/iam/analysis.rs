//! The whole account at once: every principal, every role's trust, and what follows from both together.
//!
//! Each document is read once and shared. Whether a principal can reach an administrator through others is
//! found by walking backwards from those who are one already, so that each role is looked at once and
//! only those who mention the action at all are asked.

mod closure;
mod door;
mod external;
mod library;
mod reach;
mod shadow;

use std::collections::{HashMap, HashSet};

use serde::Serialize;

pub use external::ExternalPrincipal;
pub use library::Library;

use super::admin::AdminReport;
use super::layers::Layers;
use super::mfa::{self, MfaReport};
use super::principal::{Content, Kind, Principal};
use super::tamper::{self, EvidenceResources, Tampering};
use super::trust::{self, Surroundings, TrustReport};

/// An account as it was collected.
#[derive(Clone, Debug, Default)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// Its users, roles and groups.
    pub principals: Vec<Principal>,
    /// The trust policy of each role, by the role's ARN.
    pub trusts: Vec<(String, Content)>,
    /// All users, roles and groups were collected. If not, nobody who could use another one is cleared.
    pub complete: bool,
    /// Other accounts of the same owner.
    pub own_accounts: Vec<String>,
    /// Names of vendors.
    pub vendor_names: Vec<String>,
    /// How old a sign-in with MFA may be, in seconds; 0 stands for an hour.
    pub max_mfa_age: u64,
    /// When it was collected, in seconds since 1970, for conditions on the time in trust policies; principals have a time of
    /// their own.
    pub as_of: Option<i64>,
    /// Where the account's evidence is kept.
    pub evidence: EvidenceResources,
}

/// What the analysis found.
#[derive(Clone, Debug, Serialize)]
pub struct Analysis {
    /// One for each principal, in the order given.
    pub principals: Vec<PrincipalReport>,
    /// One for each trust policy, in the order given.
    pub roles: Vec<TrustReport>,
    /// Who from outside can enter, and through which roles.
    pub external: Vec<ExternalPrincipal>,
}

/// What was found about a principal.
#[derive(Clone, Debug, Serialize)]
pub struct PrincipalReport {
    /// Its ARN.
    pub arn: String,
    /// User, role or group.
    pub kind: Kind,
    /// Whether it is an administrator.
    pub admin: AdminReport,
    /// What it can do to the evidence; unknown ones included.
    pub tampering: Vec<Tampering>,
    /// Whether its policies enforce MFA; for users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mfa: Option<MfaReport>,
}

impl Account {
    /// Analyses everything. Takes time in proportion to the size of the documents, and to the number of
    /// principals times the number of administrators among those whom they may reach.
    #[must_use]
    pub fn analyse(&self) -> Analysis {
        let known: HashSet<String> = self.principals.iter().map(|p| p.arn.clone()).collect();
        let around = Surroundings {
            own_accounts: &self.own_accounts,
            known_principals: self.complete.then_some(&known),
            vendor_names: &self.vendor_names,
            max_mfa_age: if self.max_mfa_age == 0 { 3600 } else { self.max_mfa_age },
            as_of: self.as_of,
        };
        let roles = self.roles(&around);
        let external = external::inventory(&roles);
        let admin = self.administrators();
        let principals = self
            .principals
            .iter()
            .zip(admin)
            .map(|(principal, admin)| {
                let layers = Layers::of(principal);
                let context = principal.context();
                PrincipalReport {
                    arn: principal.arn.clone(),
                    kind: principal.kind,
                    admin,
                    tampering: tamper::tampering_of(&layers, &context, &self.evidence),
                    mfa: (principal.kind == Kind::User).then(|| mfa::enforcement_of(&layers, &context)),
                }
            })
            .collect();
        Analysis { principals, roles, external }
    }

    /// Who is an administrator, in the order of the principals.
    #[must_use]
    pub fn administrators(&self) -> Vec<AdminReport> {
        let room = shadow::Room::beside(self.principals.len());
        closure::Closure::new(self, &room).run()
    }

    /// The trust of each role, in the order given.
    fn roles(&self, around: &Surroundings<'_>) -> Vec<TrustReport> {
        let mut reports: Vec<_> = self
            .trusts
            .iter()
            .map(|(arn, content)| match content {
                Content::Document(document) => trust::report(arn, &self.id, document, around),
                Content::Unreadable(reason) => trust::unreadable(arn, reason),
                Content::Missing => trust::unreadable(arn, "the trust policy was not collected"),
            })
            .collect();
        share_external_ids(&mut reports);
        reports
    }
}

/// The verdict on a principal of whose account nothing is known.
pub(super) fn alone(principal: &Principal) -> AdminReport {
    let account = Account { principals: vec![principal.clone()], ..Account::default() };
    let room = shadow::Room::beside(1);
    let mut reports = closure::Closure::new(&account, &room).by_themselves();
    reports.swap_remove(0)
}

/// An external id that opens several roles is noted on each of them.
fn share_external_ids(reports: &mut [TrustReport]) {
    let mut roles: HashMap<String, HashSet<String>> = HashMap::new();
    for report in reports.iter() {
        for id in report.paths.iter().flat_map(|path| &path.external_ids) {
            roles.entry(id.clone()).or_default().insert(report.role.clone());
        }
    }
    for path in reports.iter_mut().flat_map(|report| &mut report.paths) {
        for id in &path.external_ids {
            let count = roles.get(id).map_or(0, HashSet::len);
            if count > 1 {
                path.findings.push(trust::TrustFinding {
                    id: "external-id-shared",
                    detail: format!("the external id {id} opens {count} roles"),
                });
            }
        }
    }
}
