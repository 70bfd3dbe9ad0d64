//! Who can become a role: every path that a trust policy opens, and what each path requires.
//!
//! A path is one Allow statement, one of its principals and one action that assumes a role. Whether
//! something (an external id, MFA) is required on a path is decided by looking for a counter-example: a
//! request without it that the policy does not certainly refuse. `sts:TagSession`,
//! `sts:SetSourceIdentity` and `sts:SetContext` open no path.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>,
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create_for-user_externalid.html>

mod edge;
mod federated;
mod findings;
mod oidc;
mod requirement;
mod service;
mod walk;

use std::collections::HashSet;

use serde::Serialize;

pub(crate) use edge::{Admission, admits, session};
pub(crate) use federated::{Provider, providers};
pub use oidc::{ACQUAINTANCE, OidcTrust, OidcWidth, STRANGER};
pub use requirement::{MfaLimit, Requirement, Requirements};
pub use service::ServiceGuard;

use super::arn::{Arn, is_account_id};
use super::policy::{Document, PrincipalEntry, PrincipalKind};
use super::truth::Truth;

/// What is known around a role.
#[derive(Clone, Debug)]
pub struct Surroundings<'a> {
    /// Accounts of the same owner, beside the role's own.
    pub own_accounts: &'a [String],
    /// The ARNs of all users and roles of the account, if all were collected.
    pub known_principals: Option<&'a HashSet<String>>,
    /// Names of vendors, which make poor external ids.
    pub vendor_names: &'a [String],
    /// How old a sign-in with MFA may be, in seconds, for the question about its age.
    pub max_mfa_age: u64,
    /// When requests are made, in seconds since 1970; at any time if there is none.
    pub as_of: Option<i64>,
}

impl Default for Surroundings<'_> {
    fn default() -> Self {
        Self { own_accounts: &[], known_principals: None, vendor_names: &[], max_mfa_age: 3600, as_of: None }
    }
}

/// What kind of principal takes a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathKind {
    /// Another account, or a user or role of it.
    CrossAccount,
    /// The role's own account, or a user or role of it.
    SameAccount,
    /// Anybody with an AWS account.
    Public,
    /// A SAML identity provider.
    Saml,
    /// An OpenID Connect identity provider.
    Oidc,
    /// An AWS service.
    Service,
    /// A principal that has been deleted: AWS shows its unique id.
    Orphan,
    /// A principal that the engine does not understand.
    Unclear,
}

impl PathKind {
    /// The stable id of the kind.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::CrossAccount => "cross-account",
            Self::SameAccount => "same-account",
            Self::Public => "public",
            Self::Saml => "saml",
            Self::Oidc => "oidc",
            Self::Service => "service",
            Self::Orphan => "orphan",
            Self::Unclear => "unclear",
        }
    }

    /// Does the path come from outside the account?
    #[must_use]
    pub fn is_external(self) -> bool {
        !matches!(self, Self::SameAccount | Self::Service)
    }
}

/// The actions that assume a role.
/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub enum AssumeAction {
    /// By credentials of AWS.
    #[serde(rename = "sts:AssumeRole")]
    AssumeRole,
    /// By a SAML assertion.
    #[serde(rename = "sts:AssumeRoleWithSAML")]
    WithSaml,
    /// By a token of an OpenID Connect provider.
    #[serde(rename = "sts:AssumeRoleWithWebIdentity")]
    WithWebIdentity,
}

impl AssumeAction {
    /// The action's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:AssumeRole",
            Self::WithSaml => "sts:AssumeRoleWithSAML",
            Self::WithWebIdentity => "sts:AssumeRoleWithWebIdentity",
        }
    }

    pub(crate) fn lower(self) -> &'static str {
        match self {
            Self::AssumeRole => "sts:assumerole",
            Self::WithSaml => "sts:assumerolewithsaml",
            Self::WithWebIdentity => "sts:assumerolewithwebidentity",
        }
    }
}

/// One way into a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrustPath {
    /// What kind of principal takes it.
    pub kind: PathKind,
    /// The principal as the policy names it.
    pub principal: String,
    /// The account of the principal, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The principal is of an account of the same owner.
    pub own: bool,
    /// How the role is assumed.
    pub action: AssumeAction,
    /// The position of the Allow statement, from 0.
    pub statement: usize,
    /// The statement's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The condition keys of the statement, in lower case.
    pub condition_keys: Vec<String>,
    /// Whether a request can take the path at all; *false* for one that no request can satisfy.
    pub open: Truth,
    /// What a request needs on this path.
    pub requirements: Requirements,
    /// The external ids that are accepted by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub external_ids: Vec<String>,
    /// Who of an OpenID Connect provider gets in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcTrust>,
    /// Whether a service can be made to act for a stranger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guard: Option<ServiceGuard>,
    /// What else is remarkable.
    pub findings: Vec<TrustFinding>,
}

/// Something remarkable about a path or a role's trust.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TrustFinding {
    /// The stable id.
    pub id: &'static str,
    /// The same in words, with the values.
    pub detail: String,
}

/// Everything about who can become a role.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TrustReport {
    /// The role.
    pub role: String,
    /// Every path, in the order of the policy.
    pub paths: Vec<TrustPath>,
    /// Is an external id required on every path from outside?
    pub external_id: Requirement,
    /// Is MFA required on every path? AWS services alone do not count as one.
    pub mfa: Requirement,
    /// Is MFA required that is no older than asked?
    pub mfa_age: Requirement,
    /// The widest door for OpenID Connect identities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oidc: Option<OidcWidth>,
    /// AWS made the role for one of its services, and nobody can edit it.
    pub service_linked: bool,
    /// IAM Identity Center made the role for a permission set.
    pub permission_set: bool,
    /// What could not be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// All paths into a role, and what they require.
///
/// `account` is the role's own.
#[must_use]
pub fn report(role_arn: &str, account: &str, document: &Document, around: &Surroundings<'_>) -> TrustReport {
    walk::report(role_arn, account, document, around)
}

/// All paths into a role.
#[must_use]
pub fn paths(role_arn: &str, account: &str, document: &Document, around: &Surroundings<'_>) -> Vec<TrustPath> {
    report(role_arn, account, document, around).paths
}

/// Who an entry of a principal element is, before any condition narrows it.
fn classify(entry: &PrincipalEntry, account: &str) -> (PathKind, Option<String>) {
    let value = entry.value.as_str();
    match entry.kind {
        PrincipalKind::Anyone => (PathKind::Public, None),
        PrincipalKind::Service => (PathKind::Service, None),
        PrincipalKind::CanonicalUser => (PathKind::Unclear, None),
        PrincipalKind::Federated => {
            if value.contains(":saml-provider/") {
                (PathKind::Saml, None)
            } else if value.contains(":oidc-provider/") || oidc::is_built_in(value) {
                (PathKind::Oidc, None)
            } else {
                (PathKind::Unclear, None)
            }
        }
        PrincipalKind::Aws => match principal_account(value) {
            Some(theirs) if theirs == account => (PathKind::SameAccount, Some(theirs.to_owned())),
            Some(theirs) => (PathKind::CrossAccount, Some(theirs.to_owned())),
            None if is_unique_id(value) => (PathKind::Orphan, None),
            None => (PathKind::Unclear, None),
        },
    }
}

/// The account of `111122223333`, `arn:aws:iam::111122223333:root` or any other IAM or STS ARN.
fn principal_account(value: &str) -> Option<&str> {
    if is_account_id(value) {
        return Some(value);
    }
    let arn = Arn::parse(value)?;
    let known = matches!(arn.service, "iam" | "sts") && is_account_id(arn.account);
    (known && !super::glob::is_glob(value)).then_some(arn.account)
}

/// True if the value stands for a whole account.
fn is_whole_account(value: &str) -> bool {
    is_account_id(value) || Arn::parse(value).is_some_and(|arn| arn.resource == "root")
}

/// AWS replaces the ARN of a deleted principal by its unique id.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>
fn is_unique_id(value: &str) -> bool {
    let prefixes = ["AIDA", "AROA", "AGPA", "ASIA", "AKIA", "ANPA"];
    prefixes.iter().any(|prefix| value.starts_with(prefix))
        && value.len() >= 16
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// The report on a role whose trust policy cannot be read.
pub(crate) fn unreadable(role_arn: &str, reason: &str) -> TrustReport {
    let unknown = || Requirement::Unknown { reason: reason.to_owned() };
    TrustReport {
        role: role_arn.to_owned(),
        paths: Vec::new(),
        external_id: unknown(),
        mfa: unknown(),
        mfa_age: unknown(),
        oidc: None,
        service_linked: role_arn.contains(":role/aws-service-role/"),
        permission_set: role_arn.contains(":role/aws-reserved/sso.amazonaws.com/"),
        problem: Some(reason.to_owned()),
    }
}
