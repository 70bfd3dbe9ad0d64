//! What is computed once per account: the order of authorization details, attachment counts.

use std::collections::HashMap;

use super::Account;

/// An entity of GetAccountAuthorizationDetails, by its place in the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entity {
    User(u32),
    Group(u32),
    Role(u32),
    Policy(u32),
    AwsPolicy(u32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    pub(crate) attachments: u64,
    pub(crate) boundaries: u64,
}

pub(crate) struct Index {
    /// All entities. Types interleave, as IAM's pages may mix them.
    pub(crate) entities: Vec<Entity>,
    /// By policy ARN.
    pub(crate) usage: HashMap<String, Usage>,
}

impl Index {
    pub(crate) fn of(account: &Account) -> Self {
        let iam = &account.iam;
        let numbers = |n: usize| 0..n as u32;
        let mut users = numbers(iam.users.len()).map(Entity::User);
        let mut groups = numbers(iam.groups.len()).map(Entity::Group);
        let mut roles = numbers(iam.roles.len()).map(Entity::Role);
        let mut policies = numbers(iam.policies.len()).map(Entity::Policy);
        let mut aws =
            numbers(iam.aws_policies.len()).filter(|i| iam.aws_policies[*i as usize].listed).map(Entity::AwsPolicy);
        let mut entities = Vec::new();
        loop {
            let before = entities.len();
            entities.extend(users.by_ref().take(7));
            entities.extend(roles.by_ref().take(11));
            entities.extend(groups.by_ref().take(1));
            entities.extend(policies.by_ref().take(5));
            entities.extend(aws.by_ref().take(2));
            if entities.len() == before {
                break;
            }
        }
        let mut usage: HashMap<String, Usage> = HashMap::new();
        let attached = iam
            .users
            .iter()
            .map(|u| &u.attached)
            .chain(iam.groups.iter().map(|g| &g.attached))
            .chain(iam.roles.iter().map(|r| &r.attached));
        for arn in attached.flatten() {
            usage.entry(arn.clone()).or_default().attachments += 1;
        }
        let boundaries = iam
            .users
            .iter()
            .filter_map(|u| u.boundary.as_ref())
            .chain(iam.roles.iter().filter_map(|r| r.boundary.as_ref()));
        for arn in boundaries {
            usage.entry(arn.clone()).or_default().boundaries += 1;
        }
        Self { entities, usage }
    }

    pub(crate) fn usage(&self, arn: &str) -> Usage {
        self.usage.get(arn).copied().unwrap_or_default()
    }
}
