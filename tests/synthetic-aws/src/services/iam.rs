//! IAM: <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>.
//!
//! Every operation reads the one model of the account (`account::iam`), so that what is asked principal by principal
//! agrees with GetAccountAuthorizationDetails and the credential report. Of what the model does not hold (SSH keys,
//! services last accessed, metadata of SAML providers) nothing is said: those operations are refused by name.

mod credentials;
mod details;
mod groups;
mod instance_profiles;
mod lists;
mod mfa;
mod policies;
mod principal;
mod providers;
mod report;
mod shapes;
mod summary;

use super::Operation;
use crate::account::iam::{Group, Role, User};

pub(super) const OPERATIONS: &[Operation] = &[
    // the account
    ("GenerateCredentialReport", report::generate),
    ("GetCredentialReport", report::get),
    ("GetAccountSummary", summary::summary),
    ("GetAccountPasswordPolicy", summary::password_policy),
    ("GetAccountAuthorizationDetails", details::answer),
    ("ListAccountAliases", lists::aliases),
    ("ListServerCertificates", lists::server_certificates),
    // users
    ("ListUsers", principal::list::<User>),
    ("GetUser", principal::get::<User>),
    ("ListUserTags", principal::tags::<User>),
    ("ListUserPolicies", principal::inline_names::<User>),
    ("GetUserPolicy", principal::inline::<User>),
    ("ListAttachedUserPolicies", principal::attached::<User>),
    ("ListGroupsForUser", groups::of_user),
    // their credentials
    ("GetLoginProfile", credentials::login_profile),
    ("ListAccessKeys", credentials::access_keys),
    ("GetAccessKeyLastUsed", credentials::last_used),
    ("ListSigningCertificates", credentials::signing_certificates),
    ("ListServiceSpecificCredentials", credentials::service_specific),
    ("ListMFADevices", mfa::of_user),
    ("GetMFADevice", mfa::get),
    ("ListVirtualMFADevices", mfa::virtual_devices),
    // groups
    ("ListGroups", principal::list::<Group>),
    ("GetGroup", groups::get),
    ("ListGroupPolicies", principal::inline_names::<Group>),
    ("GetGroupPolicy", principal::inline::<Group>),
    ("ListAttachedGroupPolicies", principal::attached::<Group>),
    // roles
    ("ListRoles", principal::list::<Role>),
    ("GetRole", principal::get::<Role>),
    ("ListRoleTags", principal::tags::<Role>),
    ("ListRolePolicies", principal::inline_names::<Role>),
    ("GetRolePolicy", principal::inline::<Role>),
    ("ListAttachedRolePolicies", principal::attached::<Role>),
    ("ListInstanceProfiles", instance_profiles::list),
    ("GetInstanceProfile", instance_profiles::get),
    ("ListInstanceProfilesForRole", instance_profiles::of_role),
    // managed policies
    ("ListPolicies", policies::list),
    ("GetPolicy", policies::get),
    ("ListPolicyTags", policies::tags),
    ("ListPolicyVersions", policies::versions),
    ("GetPolicyVersion", policies::version),
    ("ListEntitiesForPolicy", policies::entities),
    // identity providers
    ("ListSAMLProviders", providers::saml),
    ("ListSAMLProviderTags", providers::saml_tags),
    ("ListOpenIDConnectProviders", providers::oidc),
    ("GetOpenIDConnectProvider", providers::oidc_provider),
    ("ListOpenIDConnectProviderTags", providers::oidc_tags),
];
