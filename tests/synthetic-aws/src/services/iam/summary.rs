//! GetAccountSummary and GetAccountPasswordPolicy.

use super::super::Answer;
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

/// All keys of the live answer; the quotas are the defaults, those of roles and policies raised when the
/// account has more.
pub(super) fn summary(context: &Context, _: &Call) -> Answer {
    let iam = &context.account.iam;
    let count = |n: usize| n as u64;
    let versions: usize = iam.policies.iter().map(|p| p.versions.len()).sum();
    let assigned = iam.virtual_mfa_devices.iter().filter(|d| d.user.is_some()).count();
    let with_mfa = iam.users.iter().filter(|u| u.mfa).count();
    let root_keys = iam.root.keys.iter().flatten().count();
    let roles = count(iam.roles.len());
    let policies = count(iam.policies.len());
    let entries = [
        ("AccessKeysPerUserQuota", 2),
        ("AccountAccessKeysPresent", u64::from(root_keys > 0)),
        ("AccountMFAEnabled", u64::from(iam.root.mfa)),
        ("AccountPasswordPresent", u64::from(iam.root.password.is_some())),
        ("AccountSigningCertificatesPresent", 0),
        ("AssumeRolePolicySizeQuota", 2048),
        ("AttachedPoliciesPerGroupQuota", 10),
        ("AttachedPoliciesPerRoleQuota", 10),
        ("AttachedPoliciesPerUserQuota", 10),
        ("GlobalEndpointTokenVersion", 1),
        ("GroupPolicySizeQuota", 5120),
        ("Groups", count(iam.groups.len())),
        ("GroupsPerUserQuota", 10),
        ("GroupsQuota", 300),
        ("InstanceProfiles", count(iam.roles.iter().filter(|r| r.instance_profile).count())),
        ("InstanceProfilesQuota", 1000),
        ("MFADevices", count(iam.virtual_mfa_devices.len())),
        ("MFADevicesInUse", count(assigned.max(with_mfa + usize::from(iam.root.mfa)))),
        ("Policies", policies),
        ("PoliciesQuota", if policies > 1500 { 10_000 } else { 1500 }),
        ("PolicySizeQuota", 6144),
        ("PolicyVersionsInUse", count(versions)),
        ("PolicyVersionsInUseQuota", 10_000),
        ("Providers", count(iam.saml_providers.len() + iam.oidc_providers.len())),
        ("RolePolicySizeQuota", 10_240),
        ("Roles", roles),
        ("RolesQuota", if roles > 1000 { 10_000 } else { 1000 }),
        ("ServerCertificates", count(iam.server_certificates.len())),
        ("ServerCertificatesQuota", 20),
        ("SigningCertificatesPerUserQuota", 2),
        ("UserPolicySizeQuota", 2048),
        ("Users", count(iam.users.len())),
        ("UsersQuota", 5000),
        ("VersionsPerPolicyQuota", 5),
    ];
    let mut x = Xml::new();
    x.nest("SummaryMap", |x| {
        for (key, value) in entries {
            x.nest("entry", |x| {
                x.text("key", key);
                x.number("value", value);
            });
        }
    });
    Ok(x.finish())
}

pub(super) fn password_policy(context: &Context, _: &Call) -> Answer {
    let account = &context.account;
    let Some(policy) = &account.iam.password_policy else {
        return Err(AwsError::new(
            404,
            "NoSuchEntity",
            format!("The Password Policy with domain name {} cannot be found.", account.id),
        ));
    };
    let mut x = Xml::new();
    x.nest("PasswordPolicy", |x| {
        x.number("MinimumPasswordLength", policy.minimum_length.into());
        x.flag("RequireSymbols", policy.symbols);
        x.flag("RequireNumbers", policy.numbers);
        x.flag("RequireUppercaseCharacters", policy.uppercase);
        x.flag("RequireLowercaseCharacters", policy.lowercase);
        x.flag("AllowUsersToChangePassword", policy.users_may_change);
        x.flag("ExpirePasswords", policy.max_age.is_some());
        if let Some(days) = policy.max_age {
            x.number("MaxPasswordAge", days.into());
        }
        if let Some(count) = policy.reuse_prevention {
            x.number("PasswordReusePrevention", count.into());
        }
        if policy.max_age.is_some() {
            x.flag("HardExpiry", policy.hard_expiry);
        }
    });
    Ok(x.finish())
}
