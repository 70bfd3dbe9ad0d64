//! IAM: calls of the whole account only. What an account-level call tells is never asked for one principal at a time.

use super::caller::{Caller, Next};
use super::convert::{Convert, convert, words};
use crate::evidence::credential_report::CredentialReport;
use crate::evidence::{CallId, Evidence, Gap, GapKind, Operation, Outcome, iam};
use aws_sdk_iam::Client;
use aws_sdk_iam::types as sdk;
use std::collections::BTreeSet;
use std::time::Duration;

/// The largest page that IAM allows. It may send fewer.
const PAGE: i32 = 1000;
/// How long is waited between two looks at whether the credential report is made.
const POLL: Duration = Duration::from_secs(2);
/// How often is looked: ten minutes in all. AWS needs seconds to minutes.
const POLLS: u32 = 300;

convert! {
    sdk::UserDetail => iam::UserDetail {
        path, user_name, user_id, arn, create_date, user_policy_list, group_list, attached_managed_policies,
        permissions_boundary, tags,
    }
    sdk::GroupDetail => iam::GroupDetail {
        path, group_name, group_id, arn, create_date, group_policy_list, attached_managed_policies,
    }
    sdk::RoleDetail => iam::RoleDetail {
        path, role_name, role_id, arn, create_date, assume_role_policy_document, instance_profile_list, role_policy_list,
        attached_managed_policies, permissions_boundary, tags, role_last_used,
    }
    sdk::RoleLastUsed => iam::RoleLastUsed { last_used_date, region }
    sdk::InstanceProfile => iam::InstanceProfile {
        path, instance_profile_name, instance_profile_id, arn, create_date, roles,
    }
    sdk::Role => iam::Role {
        path, role_name, role_id, arn, create_date, assume_role_policy_document, description, max_session_duration,
    }
    sdk::PolicyDetail => iam::InlinePolicy { policy_name, policy_document }
    sdk::AttachedPolicy => iam::AttachedPolicy { policy_name, policy_arn }
    sdk::AttachedPermissionsBoundary => iam::PermissionsBoundary { permissions_boundary_type, permissions_boundary_arn }
    sdk::Tag => iam::Tag { key, value }
    sdk::ManagedPolicyDetail => iam::ManagedPolicyDetail {
        policy_name, policy_id, arn, path, default_version_id, attachment_count, permissions_boundary_usage_count,
        is_attachable, description, create_date, update_date, policy_version_list,
    }
    sdk::PolicyVersion => iam::PolicyVersion { document, version_id, is_default_version, create_date }
    sdk::Policy => iam::ManagedPolicy {
        policy_name, policy_id, arn, path, default_version_id, attachment_count, permissions_boundary_usage_count,
        is_attachable, description, create_date, update_date, tags,
    }
    sdk::PasswordPolicy => iam::PasswordPolicy {
        minimum_password_length, require_symbols, require_numbers, require_uppercase_characters,
        require_lowercase_characters, allow_users_to_change_password, expire_passwords, max_password_age,
        password_reuse_prevention, hard_expiry,
    }
    sdk::VirtualMfaDevice => iam::VirtualMfaDevice { serial_number, user, enable_date, tags }
    sdk::User => iam::MfaUser { path, user_name, user_id, arn, create_date, password_last_used }
    sdk::SamlProviderListEntry => iam::SamlProvider { arn, valid_until, create_date }
    sdk::OpenIdConnectProviderListEntry => iam::OpenIdConnectProviderEntry { arn }
    sdk::ServiceSpecificCredentialMetadata => iam::ServiceSpecificCredential {
        user_name, status, service_user_name, service_credential_alias, create_date, expiration_date,
        service_specific_credential_id, service_name,
    }
}

impl Convert<iam::InstanceProfileRole> for sdk::Role {
    fn convert(self) -> iam::InstanceProfileRole {
        iam::InstanceProfileRole { role_name: Some(self.role_name), arn: Some(self.arn) }
    }
}

words! { sdk::PermissionsBoundaryAttachmentType, sdk::StatusType, sdk::ReportStateType }

/// Makes the planned calls of IAM.
pub(super) async fn collect(caller: &Caller, client: &Client, planned: &BTreeSet<Operation>, evidence: &mut Evidence) {
    use Operation as Op;
    let wants = |operation: Op| planned.contains(&operation);
    let call = CallId::global;
    // Each half of a pair is a chain of its own; all chains run side by side, each paced by its own limiter.
    let (report, details, roles, rest) = tokio::join!(
        async { if wants(Op::IamGetCredentialReport) { Some(credential_report(caller, client).await) } else { None } },
        async {
            if wants(Op::IamGetAccountAuthorizationDetails) {
                Some(authorization_details(caller, client).await)
            } else {
                None
            }
        },
        async { if wants(Op::IamListRoles) { Some(list_roles(caller, client).await) } else { None } },
        small_calls(caller, client, planned),
    );
    if let Some((made, report)) = report {
        evidence.insert(call(Op::IamGenerateCredentialReport), made);
        evidence.insert(call(Op::IamGetCredentialReport), report);
    }
    if let Some(details) = details {
        if wants(Op::IamGetPolicy) {
            missing_policies(caller, client, &details, evidence).await;
        }
        evidence.insert(call(Op::IamGetAccountAuthorizationDetails), details);
    }
    if let Some(roles) = roles {
        evidence.insert(call(Op::IamListRoles), roles);
    }
    rest.into_iter().for_each(|insert| insert(evidence));
}

/// Puts an answer in its place, once all calls that run side by side have ended.
pub(super) type Insert = Box<dyn FnOnce(&mut Evidence) + Send>;

/// The calls that are answered in a page or two.
async fn small_calls(caller: &Caller, client: &Client, planned: &BTreeSet<Operation>) -> Vec<Insert> {
    use Operation as Op;
    let mut inserts: Vec<Insert> = Vec::new();
    macro_rules! collect {
        ($operation:ident, $outcome:expr) => {
            if planned.contains(&Op::$operation) {
                let call = CallId::global(Op::$operation);
                let outcome = $outcome(call.clone()).await;
                inserts.push(Box::new(move |evidence| evidence.insert(call, outcome)));
            }
        };
    }
    collect!(IamGetAccountSummary, async |call: CallId| {
        let answer = caller.once(&call, || client.get_account_summary().send()).await;
        answer.map(|o| iam::AccountSummary { summary_map: o.summary_map.convert() })
    });
    collect!(IamGetAccountPasswordPolicy, async |call: CallId| {
        let answer = caller.once(&call, || client.get_account_password_policy().send()).await;
        answer.and_then(|o| {
            o.password_policy
                .map(|policy| iam::GetAccountPasswordPolicy { password_policy: policy.convert() })
                .ok_or_else(|| malformed("PasswordPolicy"))
        })
    });
    collect!(IamListAccountAliases, async |call: CallId| {
        let send = |marker| client.list_account_aliases().set_marker(marker).send();
        let add = |all: &mut iam::ListAccountAliases,
                   page: aws_sdk_iam::operation::list_account_aliases::ListAccountAliasesOutput| {
            let next = Next::marker(page.is_truncated, page.marker);
            (extend(&mut all.account_aliases, page.account_aliases), next)
        };
        caller.pages(&call, iam::ListAccountAliases::default(), send, add).await
    });
    collect!(IamListVirtualMfaDevices, async |call: CallId| {
        let send = |marker| client.list_virtual_mfa_devices().max_items(PAGE).set_marker(marker).send();
        let add =
            |all: &mut iam::ListVirtualMfaDevices,
             page: aws_sdk_iam::operation::list_virtual_mfa_devices::ListVirtualMfaDevicesOutput| {
                let next = Next::marker(page.is_truncated, page.marker);
                (extend(&mut all.virtual_mfa_devices, page.virtual_mfa_devices), next)
            };
        caller.pages(&call, iam::ListVirtualMfaDevices::default(), send, add).await
    });
    collect!(IamListSamlProviders, async |call: CallId| {
        let answer = caller.once(&call, || client.list_saml_providers().send()).await;
        answer.map(|o| iam::ListSamlProviders { saml_provider_list: o.saml_provider_list.convert() })
    });
    collect!(IamListServiceSpecificCredentials, async |call: CallId| {
        let send = |marker| {
            client.list_service_specific_credentials().all_users(true).max_items(PAGE).set_marker(marker).send()
        };
        let add = |all: &mut iam::ListServiceSpecificCredentials, page: aws_sdk_iam::operation::list_service_specific_credentials::ListServiceSpecificCredentialsOutput| {
            let next = Next::marker(page.is_truncated, page.marker);
            (extend(&mut all.service_specific_credentials, page.service_specific_credentials), next)
        };
        caller.pages(&call, iam::ListServiceSpecificCredentials::default(), send, add).await
    });
    if planned.contains(&Op::IamListOpenIdConnectProviders) {
        oidc_providers(caller, client, planned, &mut inserts).await;
    }
    inserts
}

async fn oidc_providers(caller: &Caller, client: &Client, planned: &BTreeSet<Operation>, inserts: &mut Vec<Insert>) {
    let call = CallId::global(Operation::IamListOpenIdConnectProviders);
    let answer = caller.once(&call, || client.list_open_id_connect_providers().send()).await;
    let providers = answer.map(|o| iam::ListOpenIdConnectProviders {
        open_id_connect_provider_list: o.open_id_connect_provider_list.convert(),
    });
    if planned.contains(&Operation::IamGetOpenIdConnectProvider) {
        for arn in
            providers.arrived().into_iter().flat_map(|p| &p.open_id_connect_provider_list).filter_map(|p| p.arn.clone())
        {
            let call = CallId::global(Operation::IamGetOpenIdConnectProvider).about(&arn);
            let send = || client.get_open_id_connect_provider().open_id_connect_provider_arn(&arn).send();
            let outcome = caller.once(&call, send).await.map(|o| iam::OpenIdConnectProvider {
                url: o.url,
                client_id_list: o.client_id_list.convert(),
                thumbprint_list: o.thumbprint_list.convert(),
                create_date: o.create_date.convert(),
                tags: o.tags.convert(),
            });
            inserts.push(Box::new(move |evidence| evidence.insert(call, outcome)));
        }
    }
    inserts.push(Box::new(move |evidence| evidence.insert(call, providers)));
}

/// Asks for the report until it is made, then reads it. A report that was made within the last four hours is
/// given again, byte by byte.
async fn credential_report(
    caller: &Caller,
    client: &Client,
) -> (Outcome<iam::GenerateCredentialReport>, Outcome<CredentialReport>) {
    let generate = CallId::global(Operation::IamGenerateCredentialReport);
    let mut made = None;
    for poll in 1..=POLLS {
        let answer = caller.request_page(&generate, poll, || client.generate_credential_report().send()).await;
        match answer {
            Ok(answer) => {
                let document =
                    iam::GenerateCredentialReport { state: answer.state.convert(), description: answer.description };
                let complete = document.state.as_deref() == Some("COMPLETE");
                made = Some(document);
                if complete {
                    break;
                }
                if poll < POLLS {
                    caller.pause(POLL).await;
                }
            }
            Err(verdict) => {
                let outcome = verdict.outcome(made);
                caller.ended(&generate, &outcome.word());
                // A report that another tool had made may still be there.
                return (outcome, read_report(caller, client).await);
            }
        }
    }
    let generated = match made {
        Some(document) if document.state.as_deref() == Some("COMPLETE") => Outcome::Collected(document),
        partial => {
            let reason = "IAM was still making the report when the time for it was up; run again later";
            Outcome::Missing { gap: Gap::new(GapKind::Failed, reason), partial }
        }
    };
    caller.ended(&generate, &generated.word());
    (generated, read_report(caller, client).await)
}

async fn read_report(caller: &Caller, client: &Client) -> Outcome<CredentialReport> {
    let call = CallId::global(Operation::IamGetCredentialReport);
    caller.once(&call, || client.get_credential_report().send()).await.and_then(|answer| {
        let content = answer.content.ok_or_else(|| malformed("Content"))?;
        CredentialReport::new(content.into_inner(), answer.generated_time.convert())
            .map_err(|reason| Gap::new(GapKind::Failed, format!("the credential report cannot be read: {reason}")))
    })
}

async fn authorization_details(caller: &Caller, client: &Client) -> Outcome<iam::AuthorizationDetails> {
    let call = CallId::global(Operation::IamGetAccountAuthorizationDetails);
    let send = |marker| client.get_account_authorization_details().max_items(PAGE).set_marker(marker).send();
    caller
        .pages(&call, iam::AuthorizationDetails::default(), send, |all, page| {
            let items = extend(&mut all.user_detail_list, page.user_detail_list)
                + extend(&mut all.group_detail_list, page.group_detail_list)
                + extend(&mut all.role_detail_list, page.role_detail_list)
                + extend(&mut all.policies, page.policies);
            (items, Next::marker(page.is_truncated, page.marker))
        })
        .await
}

async fn list_roles(caller: &Caller, client: &Client) -> Outcome<iam::ListRoles> {
    let call = CallId::global(Operation::IamListRoles);
    let send = |marker| client.list_roles().max_items(PAGE).set_marker(marker).send();
    caller
        .pages(&call, iam::ListRoles::default(), send, |all, page| {
            (extend(&mut all.roles, page.roles), Next::marker(page.is_truncated, page.marker))
        })
        .await
}

/// Managed policies that are attached, or serve as a boundary, but are not among the authorization details.
async fn missing_policies(
    caller: &Caller,
    client: &Client,
    details: &Outcome<iam::AuthorizationDetails>,
    evidence: &mut Evidence,
) {
    let Some(details) = details.arrived() else { return };
    for arn in details.policies_left_out() {
        let call = CallId::global(Operation::IamGetPolicy).about(&arn);
        let policy = caller.once(&call, || client.get_policy().policy_arn(&arn).send()).await.and_then(|o| {
            o.policy.map(|policy| iam::GetPolicy { policy: policy.convert() }).ok_or_else(|| malformed("Policy"))
        });
        let version = policy.collected().and_then(|p| p.policy.default_version_id.clone());
        let gap = policy.gap().cloned();
        evidence.insert(call.clone(), policy);
        let version_call = CallId::global(Operation::IamGetPolicyVersion).about(&arn);
        let outcome = match version {
            Some(version) => {
                let send = || client.get_policy_version().policy_arn(&arn).version_id(&version).send();
                caller.once(&version_call, send).await.and_then(|o| {
                    o.policy_version
                        .map(|version| iam::GetPolicyVersion { policy_version: version.convert() })
                        .ok_or_else(|| malformed("PolicyVersion"))
                })
            }
            None => {
                let why = gap.map_or_else(|| "it names no default version".to_owned(), |gap| gap.to_string());
                Outcome::missing(Gap::not_collected(format!("its default version is not known, because {call}: {why}")))
            }
        };
        evidence.insert(version_call, outcome);
    }
}

/// Adds the items of a page and says how many there were.
pub(super) fn extend<B>(all: &mut Vec<B>, page: impl Convert<Vec<B>>) -> usize {
    let before = all.len();
    all.extend(page.convert());
    all.len() - before
}

/// An answer without the member that it is about.
pub(super) fn malformed(member: &str) -> Gap {
    Gap::new(GapKind::Failed, format!("the answer has no {member}"))
}
