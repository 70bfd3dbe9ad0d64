//! IAM: <https://docs.aws.amazon.com/IAM/latest/APIReference/welcome.html>.

mod details;
mod lists;
mod report;
mod shapes;
mod summary;

use super::{Answer, unknown};
use crate::server::Context;
use crate::wire::Call;

pub(super) fn answer(context: &Context, call: &Call) -> Answer {
    match call.operation.as_str() {
        "GenerateCredentialReport" => report::generate(context),
        "GetCredentialReport" => report::get(context),
        "GetAccountSummary" => summary::summary(context),
        "GetAccountPasswordPolicy" => summary::password_policy(context),
        "GetAccountAuthorizationDetails" => details::answer(context, call),
        "ListRoles" => lists::roles(context, call),
        "ListUsers" => lists::users(context, call),
        "ListGroups" => lists::groups(context, call),
        "ListPolicies" => lists::policies(context, call),
        "ListAccountAliases" => lists::aliases(context, call),
        "ListVirtualMFADevices" => lists::mfa_devices(context, call),
        "ListSAMLProviders" => lists::saml_providers(context),
        "ListOpenIDConnectProviders" => lists::oidc_providers(context),
        "GetOpenIDConnectProvider" => lists::oidc_provider(context, call),
        "ListServiceSpecificCredentials" => lists::service_credentials(context, call),
        "GetPolicy" => lists::policy(context, call),
        "GetPolicyVersion" => lists::policy_version(context, call),
        _ => Err(unknown(call)),
    }
}
