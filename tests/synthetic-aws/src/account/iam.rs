//! IAM: users, groups, roles, policies and what surrounds them.

use std::sync::Arc;

use chrono::{DateTime, Utc};

/// A policy document as text; many principals share one in large accounts.
pub type Document = Arc<str>;

/// All of an account's IAM.
#[derive(Clone, Debug, Default)]
pub struct Iam {
    pub users: Vec<User>,
    pub groups: Vec<Group>,
    pub roles: Vec<Role>,
    /// Customer-managed policies.
    pub policies: Vec<Policy>,
    /// AWS-managed policies that are in use.
    pub aws_policies: Vec<Policy>,
    pub password_policy: Option<PasswordPolicy>,
    pub root: Root,
    pub virtual_mfa_devices: Vec<VirtualMfaDevice>,
    pub saml_providers: Vec<SamlProvider>,
    pub oidc_providers: Vec<OidcProvider>,
    pub service_credentials: Vec<ServiceCredential>,
    pub server_certificates: Vec<ServerCertificate>,
    pub report: Report,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tag {
    pub key: String,
    pub value: String,
}

#[derive(Clone, Debug)]
pub struct InlinePolicy {
    pub name: String,
    pub document: Document,
}

#[derive(Clone, Debug)]
pub struct User {
    pub path: String,
    pub name: String,
    pub id: String,
    pub arn: String,
    pub created: DateTime<Utc>,
    pub inline: Vec<InlinePolicy>,
    pub groups: Vec<String>,
    /// ARNs.
    pub attached: Vec<String>,
    pub boundary: Option<String>,
    pub tags: Vec<Tag>,
    pub password: Option<Password>,
    pub mfa: bool,
    pub keys: [Option<AccessKey>; 2],
    pub certificates: [Option<Certificate>; 2],
}

#[derive(Clone, Debug)]
pub struct Password {
    /// `None`: never, or not since AWS keeps track: `no_information` in the report.
    pub last_used: Option<DateTime<Utc>>,
    pub last_changed: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct AccessKey {
    pub active: bool,
    pub last_rotated: DateTime<Utc>,
    pub last_used: Option<KeyUse>,
}

#[derive(Clone, Debug)]
pub struct KeyUse {
    pub at: DateTime<Utc>,
    /// `None`: `N/A` in the report, as for global services.
    pub region: Option<String>,
    pub service: String,
}

#[derive(Clone, Debug)]
pub struct Certificate {
    pub active: bool,
    pub last_rotated: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct Group {
    pub path: String,
    pub name: String,
    pub id: String,
    pub arn: String,
    pub created: DateTime<Utc>,
    pub inline: Vec<InlinePolicy>,
    pub attached: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Role {
    pub path: String,
    pub name: String,
    pub id: String,
    pub arn: String,
    pub created: DateTime<Utc>,
    pub description: Option<String>,
    pub trust: Document,
    pub inline: Vec<InlinePolicy>,
    pub attached: Vec<String>,
    pub boundary: Option<String>,
    pub tags: Vec<Tag>,
    pub last_used: Option<RoleUse>,
    pub max_session: u32,
    /// Has an instance profile of the same name.
    pub instance_profile: bool,
}

#[derive(Clone, Debug)]
pub struct RoleUse {
    pub at: DateTime<Utc>,
    pub region: String,
}

#[derive(Clone, Debug)]
pub struct Policy {
    pub path: String,
    pub name: String,
    pub id: String,
    pub arn: String,
    pub description: Option<String>,
    pub created: DateTime<Utc>,
    pub updated: DateTime<Utc>,
    pub default_version: String,
    /// Newest first, as IAM returns them.
    pub versions: Vec<PolicyVersion>,
    /// Does GetAccountAuthorizationDetails return it? AWS does not promise that it does for
    /// AWS-managed policies.
    pub listed: bool,
}

#[derive(Clone, Debug)]
pub struct PolicyVersion {
    pub id: String,
    pub document: Document,
    pub created: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct PasswordPolicy {
    pub minimum_length: u32,
    pub symbols: bool,
    pub numbers: bool,
    pub uppercase: bool,
    pub lowercase: bool,
    pub users_may_change: bool,
    /// `None`: passwords do not expire.
    pub max_age: Option<u32>,
    pub reuse_prevention: Option<u32>,
    pub hard_expiry: bool,
}

/// The root user.
#[derive(Clone, Debug, Default)]
pub struct Root {
    pub password: Option<Password>,
    pub mfa: bool,
    pub keys: [Option<AccessKey>; 2],
}

#[derive(Clone, Debug)]
pub struct VirtualMfaDevice {
    pub serial: String,
    /// A user's name, or `<root_account>`; `None`: not assigned.
    pub user: Option<String>,
    pub enabled: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug)]
pub struct SamlProvider {
    pub arn: String,
    pub valid_until: DateTime<Utc>,
    pub created: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct OidcProvider {
    pub arn: String,
    pub url: String,
    pub client_ids: Vec<String>,
    pub thumbprints: Vec<String>,
    pub created: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct ServiceCredential {
    pub user: String,
    pub active: bool,
    pub service: String,
    pub service_user: Option<String>,
    pub id: String,
    pub created: DateTime<Utc>,
    pub expires: Option<DateTime<Utc>>,
}

/// A certificate for TLS that was uploaded to IAM.
#[derive(Clone, Debug)]
pub struct ServerCertificate {
    pub path: String,
    pub name: String,
    pub id: String,
    pub arn: String,
    pub uploaded: DateTime<Utc>,
    pub expires: DateTime<Utc>,
}

/// The credential report.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Users created later are not in it.
    pub generated: DateTime<Utc>,
    /// How many GenerateCredentialReport calls do not answer COMPLETE.
    pub polls: u32,
    /// Write a field with a comma in quotes. Nothing tells whether AWS does; without quotes (the default)
    /// the row has too many fields and the name must be recovered from the ARN.
    pub quoted: bool,
}
