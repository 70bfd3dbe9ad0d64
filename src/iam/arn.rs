//! The few things the engine reads out of ARNs.
//!
//! Format: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>.

/// The six parts of an ARN, borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub partition: &'a str,
    pub service: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let (partition, service) = (parts.next()?, parts.next()?);
        let _region = parts.next()?;
        let (account, resource) = (parts.next()?, parts.next()?);
        Some(Self { partition, service, account, resource })
    }

    /// The last component of the resource's path: the name of a user, role, group or policy.
    pub(super) fn name(&self) -> &'a str {
        self.resource.rsplit('/').next().unwrap_or(self.resource)
    }
}

/// True for the twelve digits of an AWS account id.
pub(crate) fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// True for an ARN of an AWS-managed policy, in any partition.
pub(crate) fn is_aws_managed(arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| arn.service == "iam" && arn.account == "aws")
}

/// True for a role that AWS keeps to itself: nobody in the account can edit it or hand it to anything.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>,
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html>
pub(crate) fn is_protected_role(arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| {
        let resource = arn.resource;
        resource.starts_with("role/aws-service-role/") || resource.starts_with("role/aws-reserved/")
    })
}
