//! Whose permissions: a user, role or group with its policies, as they were collected.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use super::arn::{Arn, is_aws_managed};
use super::context::Context;
use super::policy::{Document, PolicyError, decode_document};

/// What kind of principal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An IAM user.
    User,
    /// An IAM role.
    Role,
    /// An IAM group; questions are answered for a member who has nothing else.
    Group,
}

/// A principal and everything that decides what it can do.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Its ARN. Empty if the question is about policies alone.
    pub arn: String,
    /// The account it is in.
    pub account: String,
    /// User, role or group.
    pub kind: Kind,
    /// Its unique id (`AIDA...`, `AROA...`), if known.
    pub unique_id: Option<String>,
    /// Its tags, if they were collected.
    pub tags: Option<BTreeMap<String, String>>,
    /// Its identity policies: inline, attached and, for users, those of its groups.
    pub policies: Vec<PolicySource>,
    /// The ARNs of the groups a user is in.
    pub groups: Vec<String>,
    /// Its permissions boundary, if it has one.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>
    pub boundary: Option<PolicySource>,
    /// The service control policies above it.
    pub scps: Scps,
    /// When it asks, in seconds since 1970, so that conditions on the time can be decided; at any time if there is none.
    pub as_of: Option<i64>,
    /// The tags, in lower case, that somebody may have changed to one does not know what.
    pub(crate) loose_tags: BTreeSet<String>,
    /// Its tags are not as they were collected: somebody is thought to have changed them.
    pub(crate) retagged: bool,
}

/// The service control policies that apply to a principal.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html>
#[derive(Clone, Debug, Default)]
pub enum Scps {
    /// Not collected: every answer is an upper bound.
    #[default]
    Unknown,
    /// None apply: the account is not in an organisation or is its management account, or the role is
    /// service-linked.
    Exempt,
    /// One set of policies per level, from the root down to the account. Each level must allow.
    Levels(Vec<Vec<PolicySource>>),
}

/// One policy that applies to a principal, and where it comes from.
#[derive(Clone, Debug)]
pub struct PolicySource {
    /// The name of an inline policy or the ARN of a managed one.
    pub policy: Arc<str>,
    /// The group that a user has it from.
    pub via_group: Option<Arc<str>>,
    /// What it says.
    pub content: Content,
}

/// What is known of a policy's text.
#[derive(Clone, Debug)]
pub enum Content {
    /// It was read.
    Document(Arc<Document>),
    /// It was collected, but is not a policy document; with the reason.
    Unreadable(Arc<str>),
    /// It was not collected.
    Missing,
}

impl From<Result<Document, PolicyError>> for Content {
    fn from(parsed: Result<Document, PolicyError>) -> Self {
        match parsed {
            Ok(document) => Self::Document(Arc::new(document)),
            Err(error) => Self::Unreadable(error.to_string().into()),
        }
    }
}

impl Content {
    /// Reads a document as AWS hands it over, percent-encoded or not.
    #[must_use]
    pub fn read(text: &str) -> Self {
        Self::of_json(&decode_document(text))
    }

    /// Reads a document that is JSON already. What is still percent-encoded was so twice, and is none.
    #[must_use]
    pub fn of_json(text: &str) -> Self {
        Document::parse(text).into()
    }
}

/// What AdministratorAccess says, for when its document was not collected.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AdministratorAccess.html>
static ADMINISTRATOR_ACCESS: LazyLock<Content> = LazyLock::new(|| {
    Content::read(r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#)
});

impl PolicySource {
    /// A policy from its document, percent-encoded or not.
    #[must_use]
    pub fn inline(name: &str, text: &str) -> Self {
        Self::new(name, Content::read(text))
    }

    /// A managed policy; without its text it is unknown, except AdministratorAccess, whose content AWS
    /// guarantees.
    #[must_use]
    pub fn managed(arn: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => Self::new(arn, Content::read(text)),
            None => Self::missing(arn),
        }
    }

    /// A policy whose document was not collected.
    #[must_use]
    pub fn missing(arn: &str) -> Self {
        let content = if is_administrator_access(arn) { ADMINISTRATOR_ACCESS.clone() } else { Content::Missing };
        Self::new(arn, content)
    }

    /// A policy by which everything is allowed, under a name of one's own.
    pub(crate) fn everything(name: &str) -> Self {
        Self::new(name, ADMINISTRATOR_ACCESS.clone())
    }

    /// A policy whose document has been read before.
    #[must_use]
    pub fn new(policy: &str, content: Content) -> Self {
        Self { policy: policy.into(), via_group: None, content }
    }

    /// The same, as it reaches a member of a group.
    #[must_use]
    pub fn via(mut self, group: &str) -> Self {
        self.via_group = Some(group.into());
        self
    }
}

fn is_administrator_access(arn: &str) -> bool {
    is_aws_managed(arn) && Arn::parse(arn).is_some_and(|arn| arn.resource == "policy/AdministratorAccess")
}

impl Principal {
    /// A principal without policies.
    #[must_use]
    pub fn new(kind: Kind, arn: &str, account: &str) -> Self {
        Self {
            arn: arn.to_owned(),
            account: account.to_owned(),
            kind,
            unique_id: None,
            tags: None,
            policies: Vec::new(),
            groups: Vec::new(),
            boundary: None,
            scps: Scps::Unknown,
            as_of: None,
            loose_tags: BTreeSet::new(),
            retagged: false,
        }
    }

    /// The same with one more policy.
    #[must_use]
    pub fn with(mut self, policy: PolicySource) -> Self {
        self.policies.push(policy);
        self
    }

    /// The same with a permissions boundary.
    #[must_use]
    pub fn bounded_by(mut self, boundary: PolicySource) -> Self {
        self.boundary = Some(boundary);
        self
    }

    /// Its name: the last part of its ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        Arn::parse(&self.arn).map_or("", |arn| arn.name())
    }

    /// The partition it is in, `aws` if unknown.
    pub(crate) fn partition(&self) -> &str {
        Arn::parse(&self.arn).map_or("aws", |arn| arn.partition)
    }

    /// The condition keys that follow from who the principal is.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principal-properties>
    #[must_use]
    pub fn context(&self) -> Context {
        let mut context = Context::new().at(self.as_of);
        context.set("aws:PrincipalIsAWSService", "false");
        context.set_absent("aws:PrincipalServiceName");
        if !self.account.is_empty() {
            context.set("aws:PrincipalAccount", &self.account);
        }
        if self.arn.is_empty() || self.kind == Kind::Group {
            // Whoever the member is, it is not known.
            return context;
        }
        context.set("aws:PrincipalArn", &self.arn);
        match self.kind {
            Kind::User => {
                context.set("aws:PrincipalType", "User");
                context.set("aws:username", self.name());
                context.set_absent("aws:FederatedProvider");
                if let Some(id) = &self.unique_id {
                    context.set("aws:userid", id);
                }
                // A role's tags can be overridden by its session's; a user's cannot.
                for (key, value) in self.tags.iter().flatten() {
                    context.set(&format!("aws:PrincipalTag/{key}"), value);
                }
                if self.tags.is_some() {
                    context.tell_all("aws:principaltag/");
                }
                for key in &self.loose_tags {
                    context.forget(&format!("aws:PrincipalTag/{key}"));
                }
            }
            Kind::Role => {
                context.set("aws:PrincipalType", "AssumedRole");
                context.set_absent("aws:username");
            }
            Kind::Group => {}
        }
        context
    }
}
