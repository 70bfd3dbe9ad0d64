//! The documents by operation, for files whose operation is known only when they are looked at.

use crate::evidence::cloudtrail::{DescribeTrails, EventSelectors, ListPublicKeys, TrailStatus};
use crate::evidence::config::*;
use crate::evidence::credential_report::CredentialReport;
use crate::evidence::iam::*;
use crate::evidence::identity::{CallerIdentity, ListRegions};
use crate::evidence::{AnyDocument, Document, Operation};

/// How the document of an operation is recognised and read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub operation: Operation,
    /// The members that the AWS CLI always prints.
    pub members: &'static [&'static str],
    pub read: fn(&[u8]) -> Result<AnyDocument, String>,
}

impl Shape {
    const fn of<D: Document>() -> Self {
        Self { operation: D::OPERATION, members: D::MEMBERS, read: |bytes| D::read(bytes).map(AnyDocument::new) }
    }

    /// The shape of an operation's document. Events have none: they are read from their file.
    pub(super) fn find(operation: Operation) -> Option<&'static Shape> {
        SHAPES.iter().find(|shape| shape.operation == operation)
    }
}

/// Every document but the events.
pub(super) const SHAPES: &[Shape] = &[
    Shape::of::<AccountSummary>(),
    Shape::of::<AuthorizationDetails>(),
    Shape::of::<CallerIdentity>(),
    Shape::of::<ComplianceDetails>(),
    Shape::of::<ConformancePackCompliance>(),
    Shape::of::<ConformancePackComplianceDetails>(),
    Shape::of::<CredentialReport>(),
    Shape::of::<DescribeComplianceByConfigRule>(),
    Shape::of::<DescribeConfigRuleEvaluationStatus>(),
    Shape::of::<DescribeConfigRules>(),
    Shape::of::<DescribeConfigurationRecorderStatus>(),
    Shape::of::<DescribeConfigurationRecorders>(),
    Shape::of::<DescribeConformancePacks>(),
    Shape::of::<DescribeDeliveryChannelStatus>(),
    Shape::of::<DescribeDeliveryChannels>(),
    Shape::of::<DescribeRemediationConfigurations>(),
    Shape::of::<DescribeRetentionConfigurations>(),
    Shape::of::<DescribeTrails>(),
    Shape::of::<EventSelectors>(),
    Shape::of::<GenerateCredentialReport>(),
    Shape::of::<GetAccountPasswordPolicy>(),
    Shape::of::<GetPolicy>(),
    Shape::of::<GetPolicyVersion>(),
    Shape::of::<ListAccountAliases>(),
    Shape::of::<ListOpenIdConnectProviders>(),
    Shape::of::<ListPublicKeys>(),
    Shape::of::<ListRegions>(),
    Shape::of::<ListRoles>(),
    Shape::of::<ListSamlProviders>(),
    Shape::of::<ListServiceSpecificCredentials>(),
    Shape::of::<ListVirtualMfaDevices>(),
    Shape::of::<OpenIdConnectProvider>(),
    Shape::of::<ResourceConfigHistory>(),
    Shape::of::<SelectResourceConfig>(),
    Shape::of::<TrailStatus>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_document() {
        for operation in Operation::ALL {
            let events = *operation == Operation::CloudTrailLookupEvents;
            assert_eq!(Shape::find(*operation).is_none(), events, "{operation}");
        }
    }
}
