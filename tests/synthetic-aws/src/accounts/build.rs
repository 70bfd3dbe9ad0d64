//! Short ways to write down an account. Ages are in days before the account's `now`, plus up to eight
//! hours that depend on the name, so that not everything happens at the same minute.

use std::sync::Arc;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde_json::Value;

use super::ACCOUNT;
use crate::account::iam::{
    AccessKey, Certificate, Document, Group, InlinePolicy, KeyUse, Password, Policy, PolicyVersion, Role, RoleUse, Tag,
    User,
};
use crate::ids;

/// `days` before `now`, and up to eight hours more.
pub(super) fn ago(now: DateTime<Utc>, days: i64, salt: &str) -> DateTime<Utc> {
    let hours = ids::mix(ids::hash(salt.as_bytes())) % (8 * 3600);
    (now - TimeDelta::days(days) - TimeDelta::seconds(hours as i64)).trunc_subsecs(0)
}

pub(super) fn arn(resource: &str) -> String {
    format!("arn:aws:iam::{ACCOUNT}:{resource}")
}

pub(super) fn local(name: &str) -> String {
    arn(&format!("policy/{name}"))
}

pub(super) fn document(value: &Value) -> Document {
    Arc::from(value.to_string())
}

/// As the console leaves it: indented.
pub(super) fn pretty(value: &Value) -> Document {
    // cannot fail: a value always has a JSON form
    Arc::from(serde_json::to_string_pretty(value).unwrap_or_default())
}

fn tag(key: &str, value: &str) -> Tag {
    Tag { key: key.to_owned(), value: value.to_owned() }
}

/// Makes things of one account at one time.
#[derive(Clone, Copy)]
pub(super) struct Maker {
    pub(super) now: DateTime<Utc>,
}

impl Maker {
    pub(super) fn ago(&self, days: i64, salt: &str) -> DateTime<Utc> {
        ago(self.now, days, salt)
    }

    pub(super) fn user(&self, path: &str, name: &str, age: i64) -> User {
        User {
            path: path.to_owned(),
            name: name.to_owned(),
            id: ids::unique_id("AIDA", name),
            arn: arn(&format!("user{path}{name}")),
            created: self.ago(age, name),
            inline: Vec::new(),
            groups: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            tags: Vec::new(),
            password: None,
            mfa: false,
            keys: [None, None],
            certificates: [None, None],
        }
    }

    pub(super) fn group(&self, name: &str, age: i64, attached: &[String]) -> Group {
        Group {
            path: "/".to_owned(),
            name: name.to_owned(),
            id: ids::unique_id("AGPA", name),
            arn: arn(&format!("group/{name}")),
            created: self.ago(age, name),
            inline: Vec::new(),
            attached: attached.to_vec(),
        }
    }

    pub(super) fn role(&self, path: &str, name: &str, age: i64, trust: Document) -> Role {
        Role {
            path: path.to_owned(),
            name: name.to_owned(),
            id: ids::unique_id("AROA", name),
            arn: arn(&format!("role{path}{name}")),
            created: self.ago(age, name),
            description: None,
            trust,
            inline: Vec::new(),
            attached: Vec::new(),
            boundary: None,
            tags: Vec::new(),
            last_used: None,
            max_session: 3600,
            instance_profile: false,
        }
    }

    pub(super) fn policy(&self, path: &str, name: &str, age: i64, document: Document) -> Policy {
        let created = self.ago(age, name);
        Policy {
            path: path.to_owned(),
            name: name.to_owned(),
            id: ids::unique_id("ANPA", name),
            arn: arn(&format!("policy{path}{name}")),
            description: None,
            created,
            updated: created,
            default_version: "v1".to_owned(),
            versions: vec![PolicyVersion { id: "v1".to_owned(), document, created }],
            listed: true,
        }
    }
}

impl User {
    pub(super) fn groups(mut self, groups: &[&str]) -> Self {
        self.groups = groups.iter().map(|g| (*g).to_owned()).collect();
        self
    }

    pub(super) fn attach(mut self, arn: String) -> Self {
        self.attached.push(arn);
        self
    }

    pub(super) fn inline(mut self, name: &str, document: Document) -> Self {
        self.inline.push(InlinePolicy { name: name.to_owned(), document });
        self
    }

    pub(super) fn boundary(mut self, arn: String) -> Self {
        self.boundary = Some(arn);
        self
    }

    pub(super) fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push(tag(key, value));
        self
    }

    /// A console password, changed and (perhaps) used so many days ago.
    pub(super) fn password(mut self, maker: Maker, changed: i64, used: Option<i64>) -> Self {
        self.password = Some(Password {
            last_changed: maker.ago(changed, &self.name),
            last_used: used.map(|d| maker.ago(d, &format!("login{}", self.name))),
        });
        self
    }

    pub(super) fn mfa(mut self) -> Self {
        self.mfa = true;
        self
    }

    /// A key in slot 1 or 2: rotated and (perhaps) used so many days ago.
    pub(super) fn key(
        mut self,
        maker: Maker,
        slot: usize,
        active: bool,
        rotated: i64,
        used: Option<(i64, &str, &str)>,
    ) -> Self {
        let name = self.name.clone();
        if let Some(place) = self.keys.get_mut(slot - 1) {
            *place = Some(AccessKey {
                active,
                last_rotated: maker.ago(rotated, &format!("{name}{slot}")),
                last_used: used.map(|(days, region, service)| KeyUse {
                    at: maker.ago(days, &format!("used{name}{slot}")),
                    region: (region != "N/A").then(|| region.to_owned()),
                    service: service.to_owned(),
                }),
            });
        }
        self
    }

    pub(super) fn certificate(mut self, maker: Maker, active: bool, rotated: i64) -> Self {
        let last_rotated = maker.ago(rotated, &format!("cert{}", self.name));
        self.certificates[0] = Some(Certificate { active, last_rotated });
        self
    }
}

impl Group {
    pub(super) fn inline(mut self, name: &str, document: Document) -> Self {
        self.inline.push(InlinePolicy { name: name.to_owned(), document });
        self
    }
}

impl Role {
    pub(super) fn attach(mut self, arn: String) -> Self {
        self.attached.push(arn);
        self
    }

    pub(super) fn inline(mut self, name: &str, document: Document) -> Self {
        self.inline.push(InlinePolicy { name: name.to_owned(), document });
        self
    }

    pub(super) fn boundary(mut self, arn: String) -> Self {
        self.boundary = Some(arn);
        self
    }

    pub(super) fn tag(mut self, key: &str, value: &str) -> Self {
        self.tags.push(tag(key, value));
        self
    }

    pub(super) fn about(mut self, description: &str) -> Self {
        self.description = Some(description.to_owned());
        self
    }

    pub(super) fn used(mut self, maker: Maker, days: i64, region: &str) -> Self {
        self.last_used =
            Some(RoleUse { at: maker.ago(days, &format!("used{}", self.name)), region: region.to_owned() });
        self
    }

    pub(super) fn session(mut self, seconds: u32) -> Self {
        self.max_session = seconds;
        self
    }

    pub(super) fn instance_profile(mut self) -> Self {
        self.instance_profile = true;
        self
    }
}

impl Policy {
    pub(super) fn about(mut self, description: &str) -> Self {
        self.description = Some(description.to_owned());
        self
    }

    /// A newer version, which becomes the default one.
    pub(super) fn version(mut self, maker: Maker, age: i64, document: Document) -> Self {
        let id = format!("v{}", self.versions.len() + 1);
        let created = maker.ago(age, &format!("{}{id}", self.name));
        self.updated = created;
        self.default_version.clone_from(&id);
        self.versions.insert(0, PolicyVersion { id, document, created });
        self
    }

    pub(super) fn default(mut self, version: &str) -> Self {
        version.clone_into(&mut self.default_version);
        self
    }
}
