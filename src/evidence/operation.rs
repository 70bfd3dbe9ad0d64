//! The catalogue of AWS operations that auditpack may call.
//!
//! An operation stands here once. What the plan calls, which IAM action the caller needs, what a
//! documented "there is none" looks like, and the name of the evidence file are all derived from
//! its entry. Nothing here calls AWS: that is `collect`.

use std::fmt;
use std::str::FromStr;

/// An AWS service that auditpack talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// AWS Account Management.
    Account,
    /// AWS CloudTrail.
    CloudTrail,
    /// AWS Config.
    Config,
    /// AWS Identity and Access Management.
    Iam,
    /// AWS Security Token Service.
    Sts,
}

impl Service {
    /// The prefix of the service's IAM actions, which is also how operations are written: `iam` in `iam:ListRoles`.
    pub fn prefix(self) -> &'static str {
        match self {
            Service::Account => "account",
            Service::CloudTrail => "cloudtrail",
            Service::Config => "config",
            Service::Iam => "iam",
            Service::Sts => "sts",
        }
    }

    /// The service's name on the AWS command line, which names its folder under `evidence/`.
    pub fn cli_name(self) -> &'static str {
        match self {
            Service::Config => "configservice",
            other => other.prefix(),
        }
    }

    /// The service's name for a reader.
    pub fn title(self) -> &'static str {
        match self {
            Service::Account => "AWS Account Management",
            Service::CloudTrail => "AWS CloudTrail",
            Service::Config => "AWS Config",
            Service::Iam => "AWS IAM",
            Service::Sts => "AWS STS",
        }
    }
}

/// Where an operation is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Once for the account.
    Global,
    /// Once in each Region in scope.
    Regional,
    /// Once for each resource that another call of the same account has listed.
    PerGlobalResource,
    /// Once for each resource that another call in the same Region has listed.
    PerRegionalResource,
}

impl Scope {
    /// Whether the call belongs to a Region.
    pub fn is_regional(self) -> bool {
        matches!(self, Scope::Regional | Scope::PerRegionalResource)
    }
}

struct Spec {
    service: Service,
    name: &'static str,
    scope: Scope,
    absent: &'static [&'static str],
    summary: &'static str,
}

macro_rules! operations {
    ($($variant:ident: $service:ident $name:literal $scope:ident absent $absent:tt $summary:literal;)*) => {
        /// One AWS API operation. Written `service:Operation`, as an IAM action is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(missing_docs)] // each variant's meaning is its summary
        pub enum Operation { $($variant,)* }

        impl Operation {
            /// Every operation of the catalogue.
            pub const ALL: &'static [Operation] = &[$(Operation::$variant,)*];

            fn spec(self) -> &'static Spec {
                match self {
                    $(Operation::$variant => &Spec {
                        service: Service::$service, name: $name, scope: Scope::$scope, absent: &$absent, summary: $summary,
                    },)*
                }
            }
        }
    };
}

operations! {
    AccountListRegions: Account "ListRegions" Global absent [] "the Regions of the account and whether each is enabled";
    CloudTrailDescribeTrails: CloudTrail "DescribeTrails" Regional absent [] "the trails that log the Region";
    CloudTrailGetTrailStatus: CloudTrail "GetTrailStatus" PerRegionalResource absent [] "whether a trail is logging and delivering";
    CloudTrailGetEventSelectors: CloudTrail "GetEventSelectors" PerRegionalResource absent [] "which events a trail records";
    CloudTrailLookupEvents: CloudTrail "LookupEvents" Regional absent [] "the management events of the period";
    CloudTrailListPublicKeys: CloudTrail "ListPublicKeys" Regional absent [] "the keys by which CloudTrail signs the digests of log files";
    ConfigDescribeConfigurationRecorders: Config "DescribeConfigurationRecorders" Regional absent [] "the configuration recorder and what it records";
    ConfigDescribeConfigurationRecorderStatus: Config "DescribeConfigurationRecorderStatus" Regional absent [] "whether the configuration recorder runs";
    ConfigDescribeDeliveryChannels: Config "DescribeDeliveryChannels" Regional absent [] "where AWS Config delivers to";
    ConfigDescribeDeliveryChannelStatus: Config "DescribeDeliveryChannelStatus" Regional absent [] "whether AWS Config delivers";
    ConfigDescribeConfigRules: Config "DescribeConfigRules" Regional absent [] "the Config rules with their parameters";
    ConfigDescribeComplianceByConfigRule: Config "DescribeComplianceByConfigRule" Regional absent [] "the verdict of each Config rule";
    ConfigGetComplianceDetailsByConfigRule: Config "GetComplianceDetailsByConfigRule" PerRegionalResource absent [] "the verdict of a Config rule on each resource";
    ConfigDescribeConfigRuleEvaluationStatus: Config "DescribeConfigRuleEvaluationStatus" Regional absent [] "when each Config rule last ran, and whether it failed";
    ConfigDescribeRemediationConfigurations: Config "DescribeRemediationConfigurations" Regional absent [] "what AWS Config runs to remediate what its rules find";
    ConfigSelectResourceConfig: Config "SelectResourceConfig" Regional absent [] "since when each resource has its verdicts by AWS Config";
    ConfigGetResourceConfigHistory: Config "GetResourceConfigHistory" PerRegionalResource absent ["ResourceNotDiscoveredException", "NoAvailableConfigurationRecorderException"] "the history of AWS Config's verdicts on a resource over the period";
    ConfigDescribeConformancePacks: Config "DescribeConformancePacks" Regional absent [] "the conformance packs";
    ConfigDescribeConformancePackCompliance: Config "DescribeConformancePackCompliance" PerRegionalResource absent [] "the verdict of each rule of a conformance pack";
    ConfigGetConformancePackComplianceDetails: Config "GetConformancePackComplianceDetails" PerRegionalResource absent [] "the verdict of a conformance pack on each resource";
    ConfigDescribeRetentionConfigurations: Config "DescribeRetentionConfigurations" Regional absent [] "how long AWS Config keeps history";
    IamGenerateCredentialReport: Iam "GenerateCredentialReport" Global absent [] "asks IAM to make the credential report";
    IamGetCredentialReport: Iam "GetCredentialReport" Global absent [] "the credential report: passwords, access keys and MFA of every user";
    IamGetAccountSummary: Iam "GetAccountSummary" Global absent [] "counts and quotas of IAM, root MFA and root keys";
    IamGetAccountPasswordPolicy: Iam "GetAccountPasswordPolicy" Global absent ["NoSuchEntity"] "the account's password policy";
    IamGetAccountAuthorizationDetails: Iam "GetAccountAuthorizationDetails" Global absent [] "all users, groups, roles and policies with their documents";
    IamGetPolicyVersion: Iam "GetPolicyVersion" PerGlobalResource absent [] "the default version of a managed policy that the authorization details leave out";
    IamGetPolicy: Iam "GetPolicy" PerGlobalResource absent [] "a managed policy that the authorization details leave out";
    IamListRoles: Iam "ListRoles" Global absent [] "all roles with their maximum session duration";
    IamListAccountAliases: Iam "ListAccountAliases" Global absent [] "the account's alias";
    IamListVirtualMfaDevices: Iam "ListVirtualMFADevices" Global absent [] "the virtual MFA devices and whose they are";
    IamListSamlProviders: Iam "ListSAMLProviders" Global absent [] "the SAML identity providers";
    IamListOpenIdConnectProviders: Iam "ListOpenIDConnectProviders" Global absent [] "the OpenID Connect identity providers";
    IamGetOpenIdConnectProvider: Iam "GetOpenIDConnectProvider" PerGlobalResource absent [] "an OpenID Connect identity provider: issuer, audiences, thumbprints";
    IamListServiceSpecificCredentials: Iam "ListServiceSpecificCredentials" Global absent [] "credentials that the credential report leaves out: CodeCommit, Keyspaces, Bedrock";
    StsGetCallerIdentity: Sts "GetCallerIdentity" Global absent [] "which account this is, and who asked";
}

impl Operation {
    /// The service that answers.
    pub fn service(self) -> Service {
        self.spec().service
    }

    /// The operation's name in the AWS API reference, such as `GetAccountSummary`.
    pub fn name(self) -> &'static str {
        self.spec().name
    }

    /// Where it is asked.
    pub fn scope(self) -> Scope {
        self.spec().scope
    }

    /// Error codes that mean "there is none", which is a fact and not a gap.
    pub fn absent_codes(self) -> &'static [&'static str] {
        self.spec().absent
    }

    /// What the operation tells, in words.
    pub fn summary(self) -> &'static str {
        self.spec().summary
    }

    /// The IAM action that allows the call. `None` for GetCallerIdentity, which needs no permission
    /// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
    pub fn iam_action(self) -> Option<String> {
        (self != Operation::StsGetCallerIdentity).then(|| self.to_string())
    }

    /// The command of the AWS CLI that prints the same, such as `get-account-summary`.
    pub fn cli_command(self) -> String {
        kebab(self.name())
    }

    /// The operation of a service by the name that the SDK gives it.
    pub fn find(service: Service, name: &str) -> Option<Operation> {
        Self::ALL.iter().copied().find(|op| op.service() == service && op.name() == name)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().prefix(), self.name())
    }
}

/// The text names no operation of the catalogue.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an operation that auditpack calls; operations are written like iam:GetAccountSummary")]
pub struct UnknownOperation(String);

impl FromStr for Operation {
    type Err = UnknownOperation;

    fn from_str(text: &str) -> Result<Self, UnknownOperation> {
        Self::ALL.iter().copied().find(|op| op.to_string() == text).ok_or_else(|| UnknownOperation(text.to_owned()))
    }
}

/// Turns an operation's name into the AWS CLI's command: `ListSAMLProviders` into `list-saml-providers`,
/// `ListVirtualMFADevices` into `list-virtual-mfa-devices`, by the CLI's own rule for runs of capitals.
fn kebab(name: &str) -> String {
    // The CLI writes this name as one word.
    let name = name.replace("OpenIDConnect", "OpenIdConnect");
    let chars: Vec<char> = name.chars().collect();
    let mut out = String::with_capacity(name.len() + 6);
    for (i, c) in chars.iter().enumerate() {
        let after_lower = i > 0 && !chars[i - 1].is_uppercase();
        let before_lower = chars.get(i + 1).is_some_and(|n| n.is_lowercase());
        if i > 0 && c.is_uppercase() && (after_lower || before_lower) {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_those_of_the_aws_cli() {
        for (op, command) in [
            (Operation::IamListSamlProviders, "list-saml-providers"),
            (Operation::IamListVirtualMfaDevices, "list-virtual-mfa-devices"),
            (Operation::IamGetOpenIdConnectProvider, "get-open-id-connect-provider"),
            (Operation::IamListOpenIdConnectProviders, "list-open-id-connect-providers"),
            (Operation::CloudTrailGetEventSelectors, "get-event-selectors"),
            (Operation::ConfigGetComplianceDetailsByConfigRule, "get-compliance-details-by-config-rule"),
        ] {
            assert_eq!(op.cli_command(), command);
        }
    }

    #[test]
    fn every_operation_is_found_by_its_text() {
        for op in Operation::ALL {
            assert_eq!(op.to_string().parse::<Operation>().ok(), Some(*op));
        }
        assert!("iam:DeleteUser".parse::<Operation>().is_err());
    }

    /// Read-only by construction: whoever adds an operation that writes meets this test.
    #[test]
    fn nothing_but_the_credential_report_is_ever_made() {
        for op in Operation::ALL {
            let reads = ["Get", "List", "Describe", "Lookup", "Select"].iter().any(|verb| op.name().starts_with(verb));
            assert!(reads || *op == Operation::IamGenerateCredentialReport, "{op} is not a read");
        }
    }
}
