//! What there is to judge: the kinds of resources, their fields, and the calls that supply each field.
//!
//! The plan, the least-privilege policy, the evidence that a finding points at and what a denied call costs
//! are derived from these tables. `auditpack controls fields` prints them.

use crate::evidence::Operation::{self, *};
use std::fmt;

/// The type of a field's value in an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// true or false
    Bool,
    /// a whole number
    Int,
    /// a text
    Text,
    /// a list of texts
    Texts,
    /// texts by name
    Map,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Text => "text",
            Type::Texts => "list of text",
            Type::Map => "map of text",
        })
    }
}

/// One field of a kind of resource.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// The variable's name in an expression.
    pub name: &'static str,
    /// Its type.
    pub kind: Type,
    /// Whether it can be null, which is a fact (never used, no boundary), not a gap.
    pub nullable: bool,
    /// The calls that supply it. All must have been collected. Without any, the field is known of every row.
    /// ListRegions is not needed where the user named the Regions; GetPolicy and GetPolicyVersion are needed only
    /// for policies that the authorization details leave out.
    pub calls: &'static [Operation],
    /// What it means, with its unit.
    pub meaning: &'static str,
}

/// A kind of resource.
#[derive(Debug)]
pub struct KindSchema {
    /// Such as `iam.user`.
    pub id: &'static str,
    /// One of them, in words.
    pub title: &'static str,
    /// Many of them, in words.
    pub plural: &'static str,
    /// The population's file below `populations/`.
    pub file: &'static str,
    /// The calls that list them.
    pub population: &'static [Operation],
    /// The fields.
    pub fields: &'static [Field],
}

/// Variables that every expression may read besides the fields of its resource: `account` (the fields of the
/// account, as a map), `as_of` (a text in RFC 3339) and `parameters` (the thresholds, as a map).
pub const FIELDS_ACCOUNT_WIDE: [&str; 3] = ["account", "as_of", "parameters"];

/// Whether the table says "or null" after a type.
const fn is_nullable(words: &[&str]) -> bool {
    !words.is_empty()
}

macro_rules! fields {
    ($($name:ident: $type:ident $($null:literal)? from $calls:tt $meaning:literal;)*) => {
        &[$(Field {
            name: stringify!($name),
            kind: Type::$type,
            nullable: is_nullable(&[$($null)?]),
            calls: &$calls,
            meaning: $meaning,
        },)*]
    };
}

/// Fields that several kinds share, before those of one kind.
const fn joined<const N: usize>(shared: &[Field], own: &[Field]) -> [Field; N] {
    let nothing = Field { name: "", kind: Type::Bool, nullable: false, calls: &[], meaning: "" };
    let mut all = [nothing; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < shared.len() { shared[at] } else { own[at - shared.len()] };
        at += 1;
    }
    all
}

/// What is known of every event, whatever it did. The members of a record that PCI DSS 10.2.2 asks for are among them.
const EVENT: &[Field] = fields! {
    event_id: Text "or null" from [CloudTrailLookupEvents] "the event's id";
    time: Text "or null" from [CloudTrailLookupEvents] "when it happened, in RFC 3339";
    event: Text from [CloudTrailLookupEvents] "what was asked of AWS, such as StopLogging";
    service: Text "or null" from [CloudTrailLookupEvents] "the service that was asked, such as iam.amazonaws.com";
    actor: Text "or null" from [CloudTrailLookupEvents] "who asked: an ARN, or what the record has in its place";
    actor_type: Text "or null" from [CloudTrailLookupEvents] "IAMUser, AssumedRole, Root, AWSAccount, AWSService or another type of identity";
    via: Text "or null" from [CloudTrailLookupEvents] "the AWS service that asked for the actor, such as cloudformation.amazonaws.com; null where the actor asked itself";
    mfa: Bool "or null" from [CloudTrailLookupEvents] "the sign-in or session used MFA, as the record says; null where it does not say, as of sessions with long-lived keys";
    origin: Text "or null" from [CloudTrailLookupEvents] "the address that it came from";
    targets: Texts from [CloudTrailLookupEvents] "what it was done to, as the record names it";
    succeeded: Bool from [CloudTrailLookupEvents] "AWS did as asked";
    error: Text "or null" from [CloudTrailLookupEvents] "the code or message of the refusal";
    days: Int "or null" from [CloudTrailLookupEvents] "days from the event to the as-of time";
    record_gaps: Texts from [CloudTrailLookupEvents] "which of user, type, time, result, origin and target the record does not tell (PCI DSS 10.2.2)";
};

macro_rules! kinds {
    ($($kind:ident $id:literal, $title:literal, $plural:literal, $file:literal, from $population:tt $(with $shared:ident)? {
        $($name:ident: $type:ident $($null:literal)? from $calls:tt $meaning:literal;)*
    })*) => {
        /// A kind of resource.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // each variant's meaning is its title
        pub enum Kind { $($kind,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            /// What there is to know about resources of the kind.
            pub fn schema(self) -> &'static KindSchema {
                match self {
                    $(Kind::$kind => &KindSchema {
                        id: $id, title: $title, plural: $plural, file: $file,
                        population: &$population,
                        fields: const {
                            const OWN: &[Field] = fields! {
                                $($name: $type $($null)? from $calls $meaning;)*
                            };
                            const SHARED: &[&[Field]] = &[$($shared)?];
                            const FIRST: &[Field] = if SHARED.is_empty() { &[] } else { SHARED[0] };
                            &joined::<{ FIRST.len() + OWN.len() }>(FIRST, OWN)
                        },
                    },)*
                }
            }
        }
    };
}

kinds! {
    Account "account", "the account", "accounts", "account.csv", from [StsGetCallerIdentity] {
        account_id: Text "or null" from [StsGetCallerIdentity] "the account's id, twelve digits";
        alias: Text "or null" from [IamListAccountAliases] "the account's alias";
        root_mfa_active: Bool from [IamGetAccountSummary, IamGetCredentialReport] "root has an MFA device, as the account summary says; unknown where the credential report's row for root says otherwise";
        root_has_credentials: Bool from [IamGetAccountSummary] "root has a password, an access key or a signing certificate at all; a member account with centralised root access has none. A summary that does not tell of a password counts as one that has it";
        root_access_keys_present: Bool from [IamGetAccountSummary, IamGetCredentialReport] "root has access keys, active or not, as the account summary says; unknown where the credential report's row for root says otherwise";
        root_last_used_days: Int "or null" from [IamGetCredentialReport] "days from root's last use of its password or a key to the credential report; null if never; unknown where the report has no row for root";
        root_virtual_mfa: Bool from [IamListVirtualMfaDevices] "root's MFA device is a virtual one";
        root_console_logins: Int from [AccountListRegions, CloudTrailLookupEvents] "successful console sign-ins of root within the period, in all Regions in scope";
        root_events: Int from [AccountListRegions, CloudTrailLookupEvents] "events that root itself caused within the period, in all Regions in scope, without those that AWS services caused for it and without sign-ins that failed";
        root_certificates_present: Bool from [IamGetAccountSummary] "root has signing certificates";
        sign_ins_failed: Int from [AccountListRegions, CloudTrailLookupEvents] "console sign-ins within the period that failed, in all Regions in scope, those of root and of unknown names included";
        sign_ins_failed_of_one: Int from [AccountListRegions, CloudTrailLookupEvents] "the most of them that failed for one identity; those of all unknown names count as one";
        console_users: Int from [IamGetCredentialReport] "users with a password, without root";
        password_policy_exists: Bool from [IamGetAccountPasswordPolicy] "the account has a password policy of its own; otherwise AWS's default holds";
        password_minimum_length: Int from [IamGetAccountPasswordPolicy] "the shortest password allowed; 8 by AWS's default";
        password_require_symbols: Bool from [IamGetAccountPasswordPolicy] "passwords need a symbol";
        password_require_numbers: Bool from [IamGetAccountPasswordPolicy] "passwords need a digit";
        password_require_uppercase: Bool from [IamGetAccountPasswordPolicy] "passwords need an upper-case letter";
        password_require_lowercase: Bool from [IamGetAccountPasswordPolicy] "passwords need a lower-case letter";
        password_users_may_change: Bool from [IamGetAccountPasswordPolicy] "users may change their own password";
        password_max_age_days: Int "or null" from [IamGetAccountPasswordPolicy] "days until a password expires; null if never";
        password_reuse_prevention: Int "or null" from [IamGetAccountPasswordPolicy] "how many earlier passwords may not be used again; null if none";
        password_hard_expiry: Bool from [IamGetAccountPasswordPolicy] "an expired password can only be reset by an administrator";
        saml_providers: Texts from [IamListSamlProviders] "ARNs of the SAML identity providers";
        oidc_providers: Texts from [IamListOpenIdConnectProviders] "ARNs of the OpenID Connect identity providers";
        effective_trails: Texts from [AccountListRegions, CloudTrailDescribeTrails, CloudTrailGetTrailStatus, CloudTrailGetEventSelectors] "ARNs of the trails that alone record all management events of all Regions: multi-Region, logging, all management events read and write without exclusions, global service events included, delivering";
        data_event_trails: Texts from [AccountListRegions, CloudTrailDescribeTrails, CloudTrailGetTrailStatus, CloudTrailGetEventSelectors] "ARNs of the trails that are logging and record some data events";
        config_rule_identifiers: Texts from [AccountListRegions, ConfigDescribeConfigRules] "source identifiers of the ACTIVE Config rules in the Regions in scope";
        config_global_regions: Texts from [AccountListRegions, ConfigDescribeConfigurationRecorders, ConfigDescribeConfigurationRecorderStatus] "Regions in scope whose AWS Config recorder runs and records IAM's global resource types";
        regions: Texts from [AccountListRegions] "the Regions in scope";
    }
    User "iam.user", "IAM user", "IAM users", "users.csv", from [IamGetAccountAuthorizationDetails, IamGetCredentialReport] {
        name: Text from [] "the user's name";
        arn: Text from [] "the user's ARN";
        path: Text from [] "the path, / for none";
        created_days: Int "or null" from [IamGetCredentialReport] "days from the user's creation to the credential report";
        password_enabled: Bool from [IamGetCredentialReport] "the user has a password for the console";
        password_age_days: Int "or null" from [IamGetCredentialReport] "days since the password was set; null without password";
        password_last_used_days: Int "or null" from [IamGetCredentialReport] "days since the password was used; null if never or without password";
        mfa_active: Bool from [IamGetCredentialReport] "an MFA device is assigned";
        active_keys: Int from [IamGetCredentialReport] "active access keys, of the two that the credential report shows";
        active_certificates: Int from [IamGetCredentialReport] "active signing certificates";
        enabled_credentials: Int from [IamGetCredentialReport] "credentials that work: the password and active access keys";
        inactive_days: Int "or null" from [IamGetCredentialReport] "days since any enabled credential was used; one never used counts from when it was set; null without enabled credentials";
        inline_policies: Texts from [IamGetAccountAuthorizationDetails] "names of the user's inline policies";
        attached_policies: Texts from [IamGetAccountAuthorizationDetails] "ARNs of the managed policies attached to the user itself";
        groups: Texts from [IamGetAccountAuthorizationDetails] "names of the user's groups";
        permissions_boundary: Text "or null" from [IamGetAccountAuthorizationDetails] "ARN of the permissions boundary";
        service_credentials: Texts from [IamListServiceSpecificCredentials] "active service-specific credentials, as service name and id";
        admin: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "what all policies of the user and its groups together make of it: admin (everything on everything), admin-except-deny, conditional-admin, admin-equivalent (it can make itself one) or not-admin; an upper bound, see upper_bound";
        admin_by: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "by what: statements (which give everything outright), path (it can make itself one) or none";
        admin_certainty: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "how sure it is: certain (the documents prove it), potential (the permissions are there; whether there is something to use them on, such as an instance that runs as administrator, the documents do not say), conditional or none";
        admin_reason: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "why: the statements, the conditions, or the way to become an administrator";
        admin_conditions: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the condition keys that the verdict hangs on, in lower case";
        escalation_paths: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the ways by which it can become an administrator, the surest first";
        upper_bound: Bool from [IamGetAccountAuthorizationDetails] "service control policies could still deny what is allowed here: auditpack does not read AWS Organizations. Resource policies and session policies are out of sight, too";
        log_tampering: Text from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "whether it can delete, overwrite or blind the records of what was done: none, conditional or can; asked about the account's own trails, their buckets, keys and log groups, and about every recorder, rule, topic and stack";
        log_tampering_actions: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that are allowed without a condition";
        log_tampering_conditional: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that hang on a condition or a resource";
        mfa_enforced: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "whether its policies demand MFA: enforced (a Deny leaves nothing without MFA but setting it up), enforced-by-allow (only the Allow statements ask for it), not-enforced or no-permissions";
        mfa_counter_example: Text "or null" from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "what is left without MFA; null where MFA is enforced";
        without_mfa: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the actions that are left without MFA, each with what it is good for";
        password_exposure: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, IamGetCredentialReport] "what the password alone opens: none (there is none), with-mfa (signing in takes a device, too), limited (no more than setting MFA up) or alone (all that the user may do)";
        key_exposure: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, IamGetCredentialReport] "what an active access key alone opens: none, limited or alone";
        tags: Map from [IamGetAccountAuthorizationDetails] "tags";
    }
    AccessKey "iam.access_key", "access key", "access keys", "access-keys.csv", from [IamGetCredentialReport] {
        user: Text from [IamGetCredentialReport] "the name of the user whose key it is; `<root_account>` for root";
        slot: Int from [IamGetCredentialReport] "1 or 2, the key's place in the credential report";
        active: Bool from [IamGetCredentialReport] "the key can be used";
        age_days: Int "or null" from [IamGetCredentialReport] "days from the key's creation to the credential report; null for an inactive key of which AWS does not tell it";
        ever_used: Bool from [IamGetCredentialReport] "the key was used at least once";
        last_used_days: Int "or null" from [IamGetCredentialReport] "days since the key was used; null if never";
        idle_days: Int "or null" from [IamGetCredentialReport] "days since the key was used, or since it was created if it never was; null for an inactive key of which AWS tells neither";
        last_used_service: Text "or null" from [IamGetCredentialReport] "the service last used";
        last_used_region: Text "or null" from [IamGetCredentialReport] "the Region last used; null for global services";
    }
    Role "iam.role", "IAM role", "IAM roles", "roles.csv", from [IamGetAccountAuthorizationDetails] {
        name: Text from [IamGetAccountAuthorizationDetails] "the role's name";
        arn: Text from [IamGetAccountAuthorizationDetails] "the role's ARN";
        path: Text from [IamGetAccountAuthorizationDetails] "the path, / for none";
        created_days: Int "or null" from [IamGetAccountAuthorizationDetails] "days from the role's creation to the as-of time";
        last_used_days: Int "or null" from [IamGetAccountAuthorizationDetails] "days since the role was used; null if not within the trailing 400 days that IAM keeps";
        idle_days: Int "or null" from [IamGetAccountAuthorizationDetails] "days since the role was used; if not within IAM's 400 days, since its creation, at most 400";
        service_linked: Bool from [IamGetAccountAuthorizationDetails] "a service-linked role, which only its service can use and nobody can edit";
        identity_center: Bool from [IamGetAccountAuthorizationDetails] "a role that IAM Identity Center made for a permission set (path /aws-reserved/sso.amazonaws.com/)";
        max_session_seconds: Int "or null" from [IamListRoles] "the longest session";
        trusted_principals: Texts from [IamGetAccountAuthorizationDetails] "the principals that the trust policy lets in, as aws:, service:, federated: or canonical: and their value; any:* is everyone";
        inline_policies: Texts from [IamGetAccountAuthorizationDetails] "names of the role's inline policies";
        attached_policies: Texts from [IamGetAccountAuthorizationDetails] "ARNs of the attached managed policies";
        permissions_boundary: Text "or null" from [IamGetAccountAuthorizationDetails] "ARN of the permissions boundary";
        admin: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "what all policies of the role together make of it: admin (everything on everything), admin-except-deny, conditional-admin, admin-equivalent (it can make itself one) or not-admin; an upper bound, see upper_bound";
        admin_by: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "by what: statements (which give everything outright), path (it can make itself one) or none";
        admin_certainty: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "how sure it is: certain (the documents prove it), potential (the permissions are there; whether there is something to use them on, such as an instance that runs as administrator, the documents do not say), conditional or none";
        admin_reason: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "why: the statements, the conditions, or the way to become an administrator";
        admin_conditions: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the condition keys that the verdict hangs on, in lower case";
        escalation_paths: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the ways by which it can become an administrator, the surest first";
        upper_bound: Bool from [IamGetAccountAuthorizationDetails] "service control policies could still deny what is allowed here: auditpack does not read AWS Organizations. Resource policies and session policies are out of sight, too";
        log_tampering: Text from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "whether it can delete, overwrite or blind the records of what was done: none, conditional or can; asked about the account's own trails, their buckets, keys and log groups, and about every recorder, rule, topic and stack";
        log_tampering_actions: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that are allowed without a condition";
        log_tampering_conditional: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that hang on a condition or a resource";
        write_actions: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the actions it may take that do not read, told by the verb in their names";
        trust_kinds: Texts from [IamGetAccountAuthorizationDetails] "who can take it: cross-account, same-account, public, saml, oidc, service, orphan (a deleted principal) or unclear";
        trust_external_id: Text from [IamGetAccountAuthorizationDetails] "whether every way in from outside requires an external id: required, required-but-pattern, required-but-any-value, not-required or no-path";
        trust_mfa: Text from [IamGetAccountAuthorizationDetails] "whether every way in requires MFA, in the same words; no-path where only AWS services take it";
        trust_mfa_max_age_seconds: Int "or null" from [IamGetAccountAuthorizationDetails] "how old a sign-in with MFA may be at most; null where MFA is not required, or of any age";
        trust_oidc_width: Text "or null" from [IamGetAccountAuthorizationDetails] "the widest door for OpenID Connect identities: dead, subject, environment, branch, repo-wide, org-wide, issuer-wide or open";
        trust_problems: Texts from [IamGetAccountAuthorizationDetails] "what else is remarkable about the ways in";
        tags: Map from [IamGetAccountAuthorizationDetails] "tags";
    }
    Group "iam.group", "IAM group", "IAM groups", "groups.csv", from [IamGetAccountAuthorizationDetails] {
        name: Text from [IamGetAccountAuthorizationDetails] "the group's name";
        arn: Text from [IamGetAccountAuthorizationDetails] "the group's ARN";
        path: Text from [IamGetAccountAuthorizationDetails] "the path, / for none";
        members: Texts from [IamGetAccountAuthorizationDetails] "names of the users in the group";
        inline_policies: Texts from [IamGetAccountAuthorizationDetails] "names of the group's inline policies";
        attached_policies: Texts from [IamGetAccountAuthorizationDetails] "ARNs of the attached managed policies";
        admin: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "what all policies of the group, for a member who has nothing else, together make of it: admin (everything on everything), admin-except-deny, conditional-admin, admin-equivalent (it can make itself one) or not-admin; an upper bound, see upper_bound";
        admin_by: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "by what: statements (which give everything outright), path (it can make itself one) or none";
        admin_certainty: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "how sure it is: certain (the documents prove it), potential (the permissions are there; whether there is something to use them on, such as an instance that runs as administrator, the documents do not say), conditional or none";
        admin_reason: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "why: the statements, the conditions, or the way to become an administrator";
        admin_conditions: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the condition keys that the verdict hangs on, in lower case";
        escalation_paths: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the ways by which it can become an administrator, the surest first";
        upper_bound: Bool from [IamGetAccountAuthorizationDetails] "service control policies could still deny what is allowed here: auditpack does not read AWS Organizations. Resource policies and session policies are out of sight, too";
        log_tampering: Text from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "whether it can delete, overwrite or blind the records of what was done: none, conditional or can; asked about the account's own trails, their buckets, keys and log groups, and about every recorder, rule, topic and stack";
        log_tampering_actions: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that are allowed without a condition";
        log_tampering_conditional: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that hang on a condition or a resource";
    }
    Policy "iam.policy", "IAM policy", "IAM policies", "policies.csv", from [IamGetAccountAuthorizationDetails] {
        name: Text from [IamGetAccountAuthorizationDetails] "the policy's name";
        arn: Text "or null" from [IamGetAccountAuthorizationDetails] "the ARN of a managed policy; null for inline ones";
        kind: Text from [IamGetAccountAuthorizationDetails] "customer, aws or inline";
        owner: Text "or null" from [IamGetAccountAuthorizationDetails] "for an inline policy, the ARN of the user, group or role that has it";
        attached: Bool from [IamGetAccountAuthorizationDetails] "the policy is attached to, or is inline in, a user, group or role";
        boundary_only: Bool from [IamGetAccountAuthorizationDetails] "the policy is used as a permissions boundary and nowhere attached";
        default_version: Text "or null" from [IamGetAccountAuthorizationDetails, IamGetPolicy] "the version in force of a managed policy";
        admin_statement: Bool from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "one statement allows every action on every resource without a condition";
        admin: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "what the policy would make of whoever has it and nothing else, in the words of iam.role";
        admin_reason: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "why";
    }
    TrustPath "iam.trust_path", "way into a role", "ways into roles", "trust-paths.csv", from [IamGetAccountAuthorizationDetails] {
        role: Text from [IamGetAccountAuthorizationDetails] "the name of the role that is taken";
        role_arn: Text from [IamGetAccountAuthorizationDetails] "its ARN";
        kind: Text from [IamGetAccountAuthorizationDetails] "cross-account, same-account, public, saml, oidc, service, orphan (a deleted principal) or unclear";
        principal: Text from [IamGetAccountAuthorizationDetails] "who takes it, as the trust policy names them";
        principal_type: Text from [IamGetAccountAuthorizationDetails] "account, user, role, session, organization (anybody, narrowed by conditions), provider, service, anyone, deleted or other";
        account: Text "or null" from [IamGetAccountAuthorizationDetails] "the account of the principal";
        own: Bool from [IamGetAccountAuthorizationDetails] "the account is the role's own, or one of own_accounts in auditpack.toml";
        vendor: Text "or null" from [IamGetAccountAuthorizationDetails] "the vendor of auditpack.toml whose account it is";
        action: Text from [IamGetAccountAuthorizationDetails] "how the role is taken: sts:AssumeRole, sts:AssumeRoleWithSAML or sts:AssumeRoleWithWebIdentity";
        statement: Int from [IamGetAccountAuthorizationDetails] "which statement of the trust policy allows it, counted from 1";
        sid: Text "or null" from [IamGetAccountAuthorizationDetails] "the statement's name";
        open: Text from [IamGetAccountAuthorizationDetails] "open, conditional, or closed: no request can meet the conditions";
        condition_keys: Texts from [IamGetAccountAuthorizationDetails] "the condition keys of the statement, in lower case";
        external_id: Text from [IamGetAccountAuthorizationDetails] "whether an external id is required: required, required-but-pattern, required-but-any-value, not-required or not-applicable";
        external_id_counter_example: Text "or null" from [IamGetAccountAuthorizationDetails] "a request that gets in without the right external id";
        external_ids: Texts from [IamGetAccountAuthorizationDetails] "the external ids that are accepted by name";
        mfa: Text from [IamGetAccountAuthorizationDetails] "whether MFA is required, in the same words";
        mfa_counter_example: Text "or null" from [IamGetAccountAuthorizationDetails] "a request that gets in without MFA";
        mfa_max_age_seconds: Int "or null" from [IamGetAccountAuthorizationDetails] "how old a sign-in with MFA may be at most; null where MFA is not required, or of any age";
        session_name: Text from [IamGetAccountAuthorizationDetails] "whether the policy pins the session's name, in the same words";
        source_identity: Text from [IamGetAccountAuthorizationDetails] "whether the policy asks for a source identity, in the same words";
        oidc_width: Text "or null" from [IamGetAccountAuthorizationDetails] "who of an OpenID Connect provider gets in: dead, subject, environment, branch, repo-wide, org-wide, issuer-wide or open";
        oidc_example: Text "or null" from [IamGetAccountAuthorizationDetails] "the widest subject that was found to get in";
        oidc_subjects: Texts from [IamGetAccountAuthorizationDetails] "the subjects that the policy names";
        service_guard: Text "or null" from [IamGetAccountAuthorizationDetails] "for an AWS service: guarded, unguarded, not-supported or unknown-service; whether a stranger can make the service act for them";
        stale: Bool from [IamGetAccountAuthorizationDetails] "the way leads nowhere: its principal was deleted or does not exist, or no request can meet its conditions";
        problems: Texts from [IamGetAccountAuthorizationDetails] "what else is remarkable";
        role_admin: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "whether the role is an administrator, in the words of iam.role";
        role_service_linked: Bool from [IamGetAccountAuthorizationDetails] "AWS made the role for one of its services, and nobody can edit it";
        role_identity_center: Bool from [IamGetAccountAuthorizationDetails] "IAM Identity Center made the role for a permission set, and decides who takes it";
        role_last_used_days: Int "or null" from [IamGetAccountAuthorizationDetails] "days since the role was used by anybody; null if not within the 400 days that IAM keeps";
    }
    ExternalPrincipal "iam.external_principal", "outsider", "outsiders", "external-principals.csv", from [IamGetAccountAuthorizationDetails] {
        principal: Text from [IamGetAccountAuthorizationDetails] "the account id, the identity provider's ARN, or * for anybody";
        kind: Text from [IamGetAccountAuthorizationDetails] "cross-account, public, saml, oidc, orphan or unclear";
        own: Bool from [IamGetAccountAuthorizationDetails] "an account of the same owner, by own_accounts in auditpack.toml";
        vendor: Text "or null" from [IamGetAccountAuthorizationDetails] "the vendor of auditpack.toml whose account it is";
        roles: Texts from [IamGetAccountAuthorizationDetails] "the names of the roles through which it can enter";
        admin_roles: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "those of them that are administrators or can become one";
        external_id: Text from [IamGetAccountAuthorizationDetails] "the weakest requirement of an external id on its ways in";
        mfa: Text from [IamGetAccountAuthorizationDetails] "the weakest requirement of MFA";
        oidc_width: Text "or null" from [IamGetAccountAuthorizationDetails] "the widest door, for an OpenID Connect provider";
        last_entered_days: Int "or null" from [AccountListRegions, IamGetAccountAuthorizationDetails, CloudTrailLookupEvents] "days since it last took one of these roles, by the event history within the period; null if it did not";
        roles_last_used_days: Int "or null" from [IamGetAccountAuthorizationDetails] "days since any of these roles was used by anybody; null if not within the 400 days that IAM keeps";
    }
    Vendor "iam.vendor", "vendor", "vendors that auditpack.toml names", "vendors.csv", from [] {
        name: Text from [] "the vendor's name";
        accounts: Texts from [] "the ids of its AWS accounts";
        expected_roles: Texts from [] "the names and patterns of the roles that it is to have";
        roles: Texts from [IamGetAccountAuthorizationDetails] "the roles that it has: by name, or because they trust one of its accounts";
        missing_roles: Texts from [IamGetAccountAuthorizationDetails] "expected names that no role has";
        unexpected_roles: Texts from [IamGetAccountAuthorizationDetails] "roles that trust one of its accounts and are not expected";
        users: Texts from [IamGetAccountAuthorizationDetails] "IAM users that are the vendor's, by name";
        same_permissions: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "pairs of its roles that may do exactly the same";
        sessions: Int from [AccountListRegions, IamGetAccountAuthorizationDetails, CloudTrailLookupEvents] "sessions of its roles within the period";
        refused: Int from [AccountListRegions, IamGetAccountAuthorizationDetails, CloudTrailLookupEvents] "attempts to take its roles that AWS refused within the period";
    }
    VendorRole "iam.vendor_role", "vendor's role", "vendors' roles", "vendor-roles.csv", from [IamGetAccountAuthorizationDetails] {
        name: Text from [IamGetAccountAuthorizationDetails] "the role's name";
        arn: Text from [IamGetAccountAuthorizationDetails] "its ARN";
        vendor: Text from [IamGetAccountAuthorizationDetails] "the vendor's name";
        expected: Bool from [IamGetAccountAuthorizationDetails] "auditpack.toml names the role; otherwise it was found by whom it trusts";
        may_be_admin: Bool from [IamGetAccountAuthorizationDetails] "auditpack.toml lets it be an administrator";
        admin: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "whether it is one, in the words of iam.role";
        admin_reason: Text from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "why";
        to_read_only: Bool from [IamGetAccountAuthorizationDetails] "auditpack.toml says that it only reads";
        write_actions: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "the actions it may take that do not read, told by the verb in their names";
        to_need_tag: Bool from [IamGetAccountAuthorizationDetails] "auditpack.toml says that its access to data depends on a tag";
        untagged_statements: Texts from [IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion] "statements that give more than reading and apply to resources without the tag";
        log_tampering: Text from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "whether it can delete, overwrite or blind the records of what was done, as in iam.role";
        log_tampering_actions: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that are allowed without a condition";
        log_tampering_conditional: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, IamGetPolicy, IamGetPolicyVersion, CloudTrailDescribeTrails] "the actions of that kind that hang on a condition or a resource";
        external_id: Text from [IamGetAccountAuthorizationDetails] "whether every way in from outside requires an external id";
        external_id_counter_example: Text "or null" from [IamGetAccountAuthorizationDetails] "a request that gets in without the right one";
        to_need_mfa: Bool from [IamGetAccountAuthorizationDetails] "auditpack.toml says that the vendor's people sign in with MFA";
        mfa: Text from [IamGetAccountAuthorizationDetails] "whether every way in requires MFA";
        mfa_counter_example: Text "or null" from [IamGetAccountAuthorizationDetails] "a request that gets in without MFA";
        mfa_max_age_seconds: Int "or null" from [IamGetAccountAuthorizationDetails] "how old a sign-in with MFA may be at most; null where MFA is not required, or of any age";
        agreed_mfa_max_age_seconds: Int from [IamGetAccountAuthorizationDetails] "how old it may be by auditpack.toml";
        individual: Text from [IamGetAccountAuthorizationDetails] "whether every way in requires a session name or a source identity that tells people apart, in the words of the other requirements";
        max_session_seconds: Int "or null" from [IamListRoles] "the longest session";
        agreed_max_session_seconds: Int from [IamGetAccountAuthorizationDetails] "the longest session by auditpack.toml";
        contradictions: Texts from [IamGetAccountAuthorizationDetails] "claims of the trust policy that cannot hold together";
        last_used_days: Int "or null" from [IamGetAccountAuthorizationDetails] "days since the role was used; null if not within the 400 days that IAM keeps";
    }
    VendorSession "iam.vendor_session", "vendor's session", "vendors' sessions", "vendor-sessions.csv", from [AccountListRegions, IamGetAccountAuthorizationDetails, CloudTrailLookupEvents] {
        time: Text from [CloudTrailLookupEvents] "when the role was taken, in UTC";
        vendor: Text from [CloudTrailLookupEvents] "the vendor's name";
        role: Text from [CloudTrailLookupEvents] "the ARN of the role";
        outcome: Text from [CloudTrailLookupEvents] "assumed or refused";
        error: Text "or null" from [CloudTrailLookupEvents] "AWS's error code, of an attempt that was refused";
        action: Text from [CloudTrailLookupEvents] "how: AssumeRole, AssumeRoleWithSAML or AssumeRoleWithWebIdentity";
        caller_account: Text "or null" from [CloudTrailLookupEvents] "the account that the caller came from";
        caller: Text "or null" from [CloudTrailLookupEvents] "the caller as AWS's record names it: for another account's caller, only its unique id and session";
        session_name: Text "or null" from [CloudTrailLookupEvents] "the session's name, which the caller chose unless the trust policy pins it";
        generic_name: Bool from [CloudTrailLookupEvents] "the session's name is one that a program made up, or none: it tells nobody apart";
        source_identity: Text "or null" from [CloudTrailLookupEvents] "the source identity, which no later session can change";
        source_ip: Text "or null" from [CloudTrailLookupEvents] "the address, or the AWS service, that the call came from";
        user_agent: Text "or null" from [CloudTrailLookupEvents] "the program, as it calls itself";
        mfa: Bool from [CloudTrailLookupEvents] "the caller had signed in with MFA; unknown where AWS's record does not say, as mostly for callers of another account";
        duration_seconds: Int "or null" from [CloudTrailLookupEvents] "from taking the role to the credentials' expiry; null for an attempt that was refused";
        access_key: Text "or null" from [CloudTrailLookupEvents] "the id of the session's access key, by which its actions are found in the event history";
        events: Int from [AccountListRegions, IamGetAccountAuthorizationDetails, CloudTrailLookupEvents] "events of the session in the event history, which has no data events";
        actions: Texts from [AccountListRegions, IamGetAccountAuthorizationDetails, CloudTrailLookupEvents] "what the session did: service and action";
    }
    AccessReview "iam.access_review", "access review", "access reviews", "access-reviews.csv", from [] {
        on_record: Bool from [] "the record of a closed review was given (collect --review, or the package of `review close` itself); there is one row in any case, and without a record all other fields are null";
        opened: Text "or null" from [] "the as-of time of the frozen population, in RFC 3339";
        closed: Text "or null" from [] "the as-of time of the evidence that it was closed with, in RFC 3339";
        due: Text "or null" from [] "the last day for decisions and follow-up";
        age_days: Int "or null" from [] "days from its closing to the as-of time";
        rows: Int "or null" from [] "rows of the frozen population";
        complete: Bool "or null" from [] "the frozen population is whole and its sources agree; else unknown, with the reason, and false if something is missing for certain";
        missing: Int "or null" from [] "users and roles that later evidence shows to be older than the review, and that were not frozen";
        undecided: Int "or null" from [] "rows that nobody decided about";
        last_decision: Text "or null" from [] "the day of the last decision";
        days_late: Int "or null" from [] "days from the last day to its closing; 0 if it was closed in time";
        changes: Int "or null" from [] "decisions to reduce, disable or remove";
        changes_not_made: Int "or null" from [] "those that the later evidence shows were not carried out";
        changes_unproven: Int "or null" from [] "those of which the later evidence does not tell";
        followed_up: Bool "or null" from [] "all changes that were decided were made; unknown where the later evidence does not tell of some and shows none that was not";
        acknowledged_by: Text "or null" from [] "who of management acknowledged it";
        acknowledged_on: Text "or null" from [] "when";
        acknowledged_after_decisions: Bool "or null" from [] "it was acknowledged, and not before the last decision";
        has_previous: Bool "or null" from [] "it was opened with the review before it";
        days_since_previous: Int "or null" from [] "days from the closing of the review before to its closing; null where that was never closed";
    }
    Trail "cloudtrail.trail", "CloudTrail trail", "CloudTrail trails", "trails.csv", from [AccountListRegions, CloudTrailDescribeTrails] {
        name: Text from [CloudTrailDescribeTrails] "the trail's name";
        arn: Text from [CloudTrailDescribeTrails] "the trail's ARN";
        home_region: Text from [CloudTrailDescribeTrails] "the Region in which it is defined";
        multi_region: Bool from [CloudTrailDescribeTrails] "it records all Regions";
        organization: Bool from [CloudTrailDescribeTrails] "it belongs to the organisation";
        global_events: Bool from [CloudTrailDescribeTrails] "it records the events of global services";
        log_file_validation: Bool from [CloudTrailDescribeTrails] "digest files prove that log files were not changed";
        kms_key: Text "or null" from [CloudTrailDescribeTrails] "the KMS key that encrypts the log files";
        s3_bucket: Text "or null" from [CloudTrailDescribeTrails] "the bucket it delivers to";
        s3_prefix: Text "or null" from [CloudTrailDescribeTrails] "the prefix of its files in the bucket";
        log_group: Text "or null" from [CloudTrailDescribeTrails] "ARN of the CloudWatch Logs group it delivers to";
        logging: Bool from [CloudTrailGetTrailStatus] "it is switched on";
        delivery_error: Text "or null" from [CloudTrailGetTrailStatus] "the error of the latest delivery to the bucket";
        delivered_hours: Int "or null" from [CloudTrailGetTrailStatus] "hours from the latest delivery to the as-of time; null if there was none";
        delivering: Bool from [CloudTrailGetTrailStatus] "it is logging, its latest delivery met no error and is no more than 24 hours old";
        management_events: Text from [CloudTrailGetEventSelectors] "all, partial or none: which management events it records";
        data_events: Bool from [CloudTrailGetEventSelectors] "it records some data events";
        insights: Bool from [CloudTrailDescribeTrails] "it looks for unusual activity (CloudTrail Insights)";
        logged_whole_period: Bool from [CloudTrailGetTrailStatus] "it is logging since before the period began, and was not stopped within it";
        digest_delivering: Bool from [CloudTrailDescribeTrails, CloudTrailGetTrailStatus] "it writes digest files, the latest without error and no more than 24 hours ago";
        log_group_delivering: Bool from [CloudTrailDescribeTrails, CloudTrailGetTrailStatus] "it delivers to a CloudWatch Logs group, the latest time without error and no more than 24 hours ago";
    }
    SignIn "cloudtrail.sign_in", "console sign-in", "console sign-ins", "sign-ins.csv", from [AccountListRegions, CloudTrailLookupEvents] with EVENT {
    }
    RootEvent "cloudtrail.root_event", "event of root", "events of root", "root-events.csv", from [AccountListRegions, CloudTrailLookupEvents] with EVENT {
        read_only: Bool "or null" from [CloudTrailLookupEvents] "it only read; null where the record does not say";
    }
    IamChange "cloudtrail.iam_change", "change of IAM", "changes of IAM", "iam-changes.csv", from [AccountListRegions, CloudTrailLookupEvents] with EVENT {
        subject: Text from [CloudTrailLookupEvents] "what was changed: user, credential, mfa, group, role, trust, policy, boundary, provider, password-policy or other";
        issues_credential: Bool from [CloudTrailLookupEvents] "it gave out a long-lived credential: a password, an access key, a service-specific credential, a certificate or an SSH key";
        grants_everything: Bool from [CloudTrailLookupEvents] "it attached AdministratorAccess, or wrote a policy of which one statement allows every action on every resource without a condition";
        trusts: Texts from [CloudTrailLookupEvents] "the principals that a trust policy written by it lets in, as the field trusted_principals of roles has them; empty where it wrote none";
    }
    LoggingChange "cloudtrail.logging_change", "change of logging", "changes of logging", "logging-changes.csv", from [AccountListRegions, CloudTrailLookupEvents] with EVENT {
        area: Text from [CloudTrailLookupEvents] "trail, config, log-group (one that a trail delivers to), log-bucket (one that a trail or AWS Config delivers to) or detection (GuardDuty, Security Hub, Access Analyzer, Inspector, Macie)";
        weakens: Bool from [CloudTrailLookupEvents] "it stops, deletes or narrows what is recorded, kept or detected";
    }
    RoleAssumption "cloudtrail.role_assumption", "role assumption from another account", "role assumptions from other accounts", "role-assumptions.csv", from [AccountListRegions, CloudTrailLookupEvents] with EVENT {
        caller_account: Text "or null" from [CloudTrailLookupEvents] "the account that the caller belongs to";
        role: Text "or null" from [CloudTrailLookupEvents] "the role's ARN";
        session_name: Text "or null" from [CloudTrailLookupEvents] "the session's name, which the caller chose";
        session_seconds: Int "or null" from [CloudTrailLookupEvents] "from the event to the end of the session; null where there is none";
        external_id: Bool from [CloudTrailLookupEvents] "the caller gave an external id";
        mfa_serial: Bool from [CloudTrailLookupEvents] "the caller gave an MFA device's code";
        source_identity: Text "or null" from [CloudTrailLookupEvents] "the source identity that the session carries";
    }
    KeyChange "cloudtrail.key_change", "change of a KMS key", "changes of KMS keys", "key-changes.csv", from [AccountListRegions, CloudTrailLookupEvents] with EVENT {
        opens: Bool from [CloudTrailLookupEvents] "it wrote a key policy of which one statement lets everyone in without a condition";
    }
    PerimeterChange "cloudtrail.perimeter_change", "change of what can be reached from outside", "changes of what can be reached from outside", "perimeter-changes.csv", from [AccountListRegions, CloudTrailLookupEvents] with EVENT {
        area: Text from [CloudTrailLookupEvents] "security-group, network-acl, route, flow-log, public-access-block, bucket-policy, sharing (of snapshots, images and databases) or function-policy";
        opens: Texts from [CloudTrailLookupEvents] "what it opens to everyone, such as `tcp 22-22 from 0.0.0.0/0` or `snapshot snap-1`";
        opens_admin_ports: Bool from [CloudTrailLookupEvents] "it opens SSH (22) or remote desktop (3389), alone or with other ports, to everyone";
    }
    Recorder "config.recorder", "AWS Config recorder", "AWS Config recorders", "config-recorders.csv", from [AccountListRegions] {
        exists: Bool from [ConfigDescribeConfigurationRecorders] "the Region has a customer-managed configuration recorder; there is one row for each Region in scope";
        name: Text "or null" from [ConfigDescribeConfigurationRecorders] "the recorder's name";
        all_types: Bool from [ConfigDescribeConfigurationRecorders] "it records all supported resource types";
        global_types: Bool from [ConfigDescribeConfigurationRecorders] "it records IAM's global resource types too, which AWS Config can only in Regions that it served before February 2022";
        daily: Bool from [ConfigDescribeConfigurationRecorders] "it records once a day only";
        recording: Bool from [ConfigDescribeConfigurationRecorders, ConfigDescribeConfigurationRecorderStatus] "it runs";
        last_status: Text "or null" from [ConfigDescribeConfigurationRecorderStatus] "the outcome of its last recording, in lower case: success, pending, failure";
        delivery_channel: Text "or null" from [ConfigDescribeDeliveryChannels] "the delivery channel's name";
        s3_bucket: Text "or null" from [ConfigDescribeDeliveryChannels] "the bucket that AWS Config delivers to";
        delivering: Bool from [ConfigDescribeDeliveryChannels, ConfigDescribeDeliveryChannelStatus] "there is a delivery channel, its last history or snapshot delivery succeeded and none failed last";
        sns_topic: Text "or null" from [ConfigDescribeDeliveryChannels] "the SNS topic that AWS Config notifies";
        retention_days: Int "or null" from [ConfigDescribeRetentionConfigurations] "days that configuration items are kept; null is AWS's default of 2,557";
    }
    ConfigRule "config.rule", "AWS Config rule", "AWS Config rules", "config-rules.csv", from [AccountListRegions, ConfigDescribeConfigRules] {
        name: Text from [ConfigDescribeConfigRules] "the rule's name, free text";
        owner: Text "or null" from [ConfigDescribeConfigRules] "AWS, CUSTOM_LAMBDA or CUSTOM_POLICY";
        source_identifier: Text "or null" from [ConfigDescribeConfigRules] "which managed rule it is, such as ROOT_ACCOUNT_MFA_ENABLED, or a Lambda function's ARN";
        state: Text "or null" from [ConfigDescribeConfigRules] "ACTIVE, DELETING, DELETING_RESULTS or EVALUATING";
        created_by: Text "or null" from [ConfigDescribeConfigRules] "the service that made the rule";
        input_parameters: Map from [ConfigDescribeConfigRules] "the rule's input parameters";
        narrowed_to: Text "or null" from [ConfigDescribeConfigRules] "the one resource or the tag that its scope is narrowed to; null where it looks at all resources of its types";
        internal: Bool from [ConfigDescribeConfigRules] "its evaluations are not shown";
        detective: Bool from [ConfigDescribeConfigRules] "it evaluates what is deployed";
        compliance: Text from [ConfigDescribeComplianceByConfigRule] "COMPLIANT, NON_COMPLIANT or NOT_APPLICABLE; unknown where AWS has insufficient data or no verdict, or the rule is not ACTIVE or its evaluations are not shown";
        noncompliant_resources: Texts from [ConfigGetComplianceDetailsByConfigRule] "type and id of the resources that do not comply now";
        evaluated_resources: Int from [ConfigGetComplianceDetailsByConfigRule] "resources with a result now";
        last_success_hours: Int "or null" from [ConfigDescribeConfigRuleEvaluationStatus] "hours from its last successful evaluation to the as-of time; null if there was none";
        last_error: Text "or null" from [ConfigDescribeConfigRuleEvaluationStatus] "the code of its last error";
        first_activated_days: Int "or null" from [ConfigDescribeConfigRuleEvaluationStatus] "days since it was first activated";
    }
    ComplianceInterval "config.verdict_interval", "time for which a Config rule's verdict on a resource held", "times for which verdicts of Config rules held", "config-verdict-history.csv", from [AccountListRegions, ConfigDescribeConfigRules, ConfigGetComplianceDetailsByConfigRule, ConfigSelectResourceConfig, ConfigGetResourceConfigHistory] {
        rule: Text from [ConfigGetResourceConfigHistory] "the rule's name";
        resource_type: Text from [ConfigGetResourceConfigHistory] "the resource's type, such as AWS::IAM::User";
        resource_id: Text from [ConfigGetResourceConfigHistory] "the resource's id; of users, roles and policies the unique id, not the name";
        verdict: Text from [ConfigGetResourceConfigHistory] "COMPLIANT or NON_COMPLIANT";
        from: Text from [ConfigGetResourceConfigHistory] "since when the verdict is known to have held, in RFC 3339: the first record of it, or the period's start where nothing changed";
        begins: Bool from [ConfigGetResourceConfigHistory] "the verdict was another one before; false where it held before the period or what was before is not recorded";
        to: Text "or null" from [ConfigGetResourceConfigHistory] "when it ended, in RFC 3339; null where it lasts or its end is not recorded";
        lasts: Bool from [ConfigGetResourceConfigHistory] "it is the verdict now";
        days: Int from [ConfigGetResourceConfigHistory] "whole days for which it held, at least; to the as-of time where it lasts or its end is not recorded";
        remediation: Text "or null" from [ConfigDescribeRemediationConfigurations] "the Systems Manager document that AWS Config runs to remediate what the rule finds, and whether automatically or by hand; null where there is none";
    }
    PackRule "config.pack_rule", "rule of a conformance pack", "rules of conformance packs", "conformance-pack-rules.csv", from [AccountListRegions, ConfigDescribeConformancePacks, ConfigDescribeConformancePackCompliance] {
        pack: Text from [ConfigDescribeConformancePacks] "the conformance pack's name";
        rule: Text from [ConfigDescribeConformancePackCompliance] "the rule's name, which ends in the pack's id";
        source_identifier: Text "or null" from [ConfigDescribeConfigRules] "which managed rule it is";
        created_by: Text "or null" from [ConfigDescribeConformancePacks] "the service that made the pack";
        compliance: Text from [ConfigDescribeConformancePackCompliance] "COMPLIANT or NON_COMPLIANT; unknown where AWS has insufficient data";
        noncompliant_resources: Texts from [ConfigGetConformancePackComplianceDetails] "type and id of the resources that do not comply now";
    }
}

impl Kind {
    /// The id in control files, such as `iam.user`.
    pub fn id(self) -> &'static str {
        self.schema().id
    }

    /// The kind with an id.
    pub fn find(id: &str) -> Option<Kind> {
        Self::ALL.iter().copied().find(|kind| kind.id() == id)
    }

    /// A field of the kind.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.schema().fields.iter().find(|field| field.name == name)
    }
}
