//! Documents of IAM, in the shape that `aws iam ...` prints.
//!
//! Every field that AWS may leave out is optional here. What an absent field means is decided where it is read.

use super::document::json_documents;
use super::policy_text::PolicyText;
use super::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

macro_rules! shapes {
    ($($(#[$meta:meta])* $name:ident { $($(#[$field_meta:meta])* $field:ident: $kind:ty,)* })*) => {
        $($(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "PascalCase")]
        pub struct $name {
            $($(#[$field_meta])* #[allow(missing_docs)] #[serde(default, skip_serializing_if = "crate::evidence::iam::is_empty")] pub $field: $kind,)*
        })*
    };
}

/// Lists are printed even when they are empty, as the AWS CLI does; absent values are left out.
pub(crate) fn is_empty<T: Absent>(value: &T) -> bool {
    value.absent()
}

/// Whether a value is one that the AWS CLI leaves out.
pub(crate) trait Absent {
    fn absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn absent(&self) -> bool {
        false
    }
}

impl<K, V> Absent for BTreeMap<K, V> {
    fn absent(&self) -> bool {
        false
    }
}

/// Values that are always there.
macro_rules! always_present {
    ($($kind:ty),*) => { $(impl Absent for $kind {
        fn absent(&self) -> bool {
            false
        }
    })* };
}

always_present!(String, PasswordPolicy, ManagedPolicy, PolicyVersion);

shapes! {
    /// GenerateCredentialReport.
    GenerateCredentialReport { state: Option<String>, description: Option<String>, }

    /// GetAccountSummary: counts and quotas by name.
    AccountSummary { summary_map: BTreeMap<String, i64>, }

    /// GetAccountPasswordPolicy. NoSuchEntity (absent) means that AWS's default policy holds.
    GetAccountPasswordPolicy { password_policy: PasswordPolicy, }

    /// The account's own password policy. It binds neither root nor access keys.
    PasswordPolicy {
        minimum_password_length: Option<i64>,
        require_symbols: Option<bool>,
        require_numbers: Option<bool>,
        require_uppercase_characters: Option<bool>,
        require_lowercase_characters: Option<bool>,
        allow_users_to_change_password: Option<bool>,
        expire_passwords: Option<bool>,
        max_password_age: Option<i64>,
        password_reuse_prevention: Option<i64>,
        hard_expiry: Option<bool>,
    }

    /// GetAccountAuthorizationDetails, all pages together.
    AuthorizationDetails {
        user_detail_list: Vec<UserDetail>,
        group_detail_list: Vec<GroupDetail>,
        role_detail_list: Vec<RoleDetail>,
        policies: Vec<ManagedPolicyDetail>,
    }

    /// A user, without passwords, keys and MFA: those are in the credential report.
    UserDetail {
        path: Option<String>,
        user_name: Option<String>,
        user_id: Option<String>,
        arn: Option<String>,
        create_date: Option<Timestamp>,
        user_policy_list: Vec<InlinePolicy>,
        group_list: Vec<String>,
        attached_managed_policies: Vec<AttachedPolicy>,
        permissions_boundary: Option<PermissionsBoundary>,
        tags: Vec<Tag>,
    }

    /// A group.
    GroupDetail {
        path: Option<String>,
        group_name: Option<String>,
        group_id: Option<String>,
        arn: Option<String>,
        create_date: Option<Timestamp>,
        group_policy_list: Vec<InlinePolicy>,
        attached_managed_policies: Vec<AttachedPolicy>,
    }

    /// A role, without its maximum session duration: that is in ListRoles.
    RoleDetail {
        path: Option<String>,
        role_name: Option<String>,
        role_id: Option<String>,
        arn: Option<String>,
        create_date: Option<Timestamp>,
        assume_role_policy_document: Option<PolicyText>,
        instance_profile_list: Vec<InstanceProfile>,
        role_policy_list: Vec<InlinePolicy>,
        attached_managed_policies: Vec<AttachedPolicy>,
        permissions_boundary: Option<PermissionsBoundary>,
        tags: Vec<Tag>,
        role_last_used: Option<RoleLastUsed>,
    }

    /// When and where a role was last used, within the trailing 400 days that IAM keeps.
    RoleLastUsed { last_used_date: Option<Timestamp>, region: Option<String>, }

    /// An instance profile and its roles' ARNs.
    InstanceProfile {
        path: Option<String>,
        instance_profile_name: Option<String>,
        instance_profile_id: Option<String>,
        arn: Option<String>,
        create_date: Option<Timestamp>,
        roles: Vec<InstanceProfileRole>,
    }

    /// The role of an instance profile.
    InstanceProfileRole { role_name: Option<String>, arn: Option<String>, }

    /// An inline policy.
    InlinePolicy { policy_name: Option<String>, policy_document: Option<PolicyText>, }

    /// A managed policy that is attached.
    AttachedPolicy { policy_name: Option<String>, policy_arn: Option<String>, }

    /// The managed policy that caps a principal.
    PermissionsBoundary { permissions_boundary_type: Option<String>, permissions_boundary_arn: Option<String>, }

    /// A tag.
    Tag { key: String, value: String, }

    /// A managed policy with its versions.
    ManagedPolicyDetail {
        policy_name: Option<String>,
        policy_id: Option<String>,
        arn: Option<String>,
        path: Option<String>,
        default_version_id: Option<String>,
        attachment_count: Option<i64>,
        permissions_boundary_usage_count: Option<i64>,
        is_attachable: Option<bool>,
        description: Option<String>,
        create_date: Option<Timestamp>,
        update_date: Option<Timestamp>,
        policy_version_list: Vec<PolicyVersion>,
    }

    /// One version of a managed policy. The default one holds, whichever is newest.
    PolicyVersion {
        document: Option<PolicyText>,
        version_id: Option<String>,
        is_default_version: Option<bool>,
        create_date: Option<Timestamp>,
    }

    /// GetPolicy, for a managed policy that the authorization details leave out.
    GetPolicy { policy: ManagedPolicy, }

    /// A managed policy's facts.
    ManagedPolicy {
        policy_name: Option<String>,
        policy_id: Option<String>,
        arn: Option<String>,
        path: Option<String>,
        default_version_id: Option<String>,
        attachment_count: Option<i64>,
        permissions_boundary_usage_count: Option<i64>,
        is_attachable: Option<bool>,
        description: Option<String>,
        create_date: Option<Timestamp>,
        update_date: Option<Timestamp>,
        tags: Vec<Tag>,
    }

    /// GetPolicyVersion.
    GetPolicyVersion { policy_version: PolicyVersion, }

    /// ListRoles, all pages together. It never tells when a role was last used.
    ListRoles { roles: Vec<Role>, }

    /// A role as ListRoles tells it.
    Role {
        path: Option<String>,
        role_name: Option<String>,
        role_id: Option<String>,
        arn: Option<String>,
        create_date: Option<Timestamp>,
        assume_role_policy_document: Option<PolicyText>,
        description: Option<String>,
        /// In seconds.
        max_session_duration: Option<i64>,
    }

    /// ListAccountAliases: none or one.
    ListAccountAliases { account_aliases: Vec<String>, }

    /// ListVirtualMFADevices of any assignment status, all pages together.
    ListVirtualMfaDevices {
        #[serde(rename = "VirtualMFADevices")]
        virtual_mfa_devices: Vec<VirtualMfaDevice>,
    }

    /// A virtual MFA device. Its seed is never asked for and never written.
    VirtualMfaDevice {
        serial_number: Option<String>,
        user: Option<MfaUser>,
        enable_date: Option<Timestamp>,
        tags: Vec<Tag>,
    }

    /// Whose device it is.
    MfaUser {
        path: Option<String>,
        user_name: Option<String>,
        user_id: Option<String>,
        arn: Option<String>,
        create_date: Option<Timestamp>,
        password_last_used: Option<Timestamp>,
    }

    /// ListSAMLProviders.
    ListSamlProviders {
        #[serde(rename = "SAMLProviderList")]
        saml_provider_list: Vec<SamlProvider>,
    }

    /// A SAML identity provider.
    SamlProvider { arn: Option<String>, valid_until: Option<Timestamp>, create_date: Option<Timestamp>, }

    /// ListOpenIDConnectProviders.
    ListOpenIdConnectProviders {
        #[serde(rename = "OpenIDConnectProviderList")]
        open_id_connect_provider_list: Vec<OpenIdConnectProviderEntry>,
    }

    /// An OpenID Connect provider's ARN.
    OpenIdConnectProviderEntry { arn: Option<String>, }

    /// GetOpenIDConnectProvider.
    OpenIdConnectProvider {
        url: Option<String>,
        #[serde(rename = "ClientIDList")]
        client_id_list: Vec<String>,
        thumbprint_list: Vec<String>,
        create_date: Option<Timestamp>,
        tags: Vec<Tag>,
    }

    /// ListServiceSpecificCredentials of all users, all pages together.
    ListServiceSpecificCredentials { service_specific_credentials: Vec<ServiceSpecificCredential>, }

    /// A credential for one service. Its secret is never told by the list.
    ServiceSpecificCredential {
        user_name: Option<String>,
        status: Option<String>,
        service_user_name: Option<String>,
        service_credential_alias: Option<String>,
        create_date: Option<Timestamp>,
        expiration_date: Option<Timestamp>,
        service_specific_credential_id: Option<String>,
        service_name: Option<String>,
    }
}
pub(crate) use shapes;

json_documents! {
    GenerateCredentialReport => IamGenerateCredentialReport ["State"],
    AccountSummary => IamGetAccountSummary ["SummaryMap"],
    GetAccountPasswordPolicy => IamGetAccountPasswordPolicy ["PasswordPolicy"],
    AuthorizationDetails => IamGetAccountAuthorizationDetails ["UserDetailList", "GroupDetailList", "RoleDetailList", "Policies"],
    GetPolicy => IamGetPolicy ["Policy"],
    GetPolicyVersion => IamGetPolicyVersion ["PolicyVersion"],
    ListRoles => IamListRoles ["Roles"],
    ListAccountAliases => IamListAccountAliases ["AccountAliases"],
    ListVirtualMfaDevices => IamListVirtualMfaDevices ["VirtualMFADevices"],
    ListSamlProviders => IamListSamlProviders ["SAMLProviderList"],
    ListOpenIdConnectProviders => IamListOpenIdConnectProviders ["OpenIDConnectProviderList"],
    OpenIdConnectProvider => IamGetOpenIdConnectProvider ["Url"],
    ListServiceSpecificCredentials => IamListServiceSpecificCredentials ["ServiceSpecificCredentials"],
}

impl AuthorizationDetails {
    /// ARNs of managed policies that are attached, or serve as a boundary, but are not among the policies, sorted.
    /// AWS does not promise that its own managed policies are.
    pub fn policies_left_out(&self) -> BTreeSet<String> {
        let attached = (self.user_detail_list.iter().flat_map(|user| &user.attached_managed_policies))
            .chain(self.group_detail_list.iter().flat_map(|group| &group.attached_managed_policies))
            .chain(self.role_detail_list.iter().flat_map(|role| &role.attached_managed_policies))
            .filter_map(|policy| policy.policy_arn.as_deref());
        let boundaries = (self.user_detail_list.iter().filter_map(|user| user.permissions_boundary.as_ref()))
            .chain(self.role_detail_list.iter().filter_map(|role| role.permissions_boundary.as_ref()))
            .filter_map(|boundary| boundary.permissions_boundary_arn.as_deref());
        let told: BTreeSet<&str> = self.policies.iter().filter_map(|policy| policy.arn.as_deref()).collect();
        attached.chain(boundaries).filter(|arn| !told.contains(arn)).map(str::to_owned).collect()
    }
}

impl ManagedPolicyDetail {
    /// The version that is in force, if it was told.
    pub fn default_version(&self) -> Option<&PolicyVersion> {
        self.policy_version_list
            .iter()
            .find(|version| version.is_default_version == Some(true))
            .or_else(|| self.policy_version_list.iter().find(|version| version.version_id == self.default_version_id))
            .filter(|version| version.version_id.is_some())
    }

    /// Whether AWS wrote the policy: its ARN has no account.
    pub fn is_aws_managed(&self) -> bool {
        self.arn.as_deref().is_some_and(is_aws_managed)
    }
}

/// Whether a managed policy's ARN is one of AWS's own (`arn:aws:iam::aws:policy/...`).
pub fn is_aws_managed(arn: &str) -> bool {
    arn.split(':').nth(4) == Some("aws")
}
