//! CloudTrail records, written shortly. Shapes follow
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>
//! and .../cloudtrail-event-reference-user-identity.html.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::super::super::ACCOUNT;
use crate::events::{Event, Facts};
use crate::ids;
use crate::wire::xml::iso;

/// userIdentity and what follows from it.
#[derive(Clone)]
pub(super) struct Identity {
    value: Value,
    username: Option<String>,
    access_key: Option<String>,
}

impl Identity {
    pub(super) fn root() -> Self {
        Self {
            value: json!({"type": "Root", "principalId": ACCOUNT, "arn": format!("arn:aws:iam::{ACCOUNT}:root"), "accountId": ACCOUNT, "accessKeyId": ""}),
            username: Some("root".to_owned()),
            access_key: None,
        }
    }

    pub(super) fn user(name: &str) -> Self {
        let key = ids::user_key(name, 1);
        let folder = if name.starts_with("svc-") { "machines" } else { "people" };
        Self {
            value: json!({"type": "IAMUser", "principalId": ids::unique_id("AIDA", name), "arn": format!("arn:aws:iam::{ACCOUNT}:user/{folder}/{name}"), "accountId": ACCOUNT, "accessKeyId": key, "userName": name}),
            username: Some(name.to_owned()),
            access_key: Some(key),
        }
    }

    /// A session of a role of this account.
    pub(super) fn role(role: &str, session: &str) -> Self {
        let id = ids::unique_id("AROA", role);
        let key = ids::access_key("ASIA", &format!("{role}/{session}"));
        Self {
            value: json!({
                "type": "AssumedRole",
                "principalId": format!("{id}:{session}"),
                "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}"),
                "accountId": ACCOUNT,
                "accessKeyId": key,
                "sessionContext": {
                    "sessionIssuer": {"type": "Role", "principalId": id, "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "accountId": ACCOUNT, "userName": role},
                    "attributes": {"mfaAuthenticated": "false"},
                },
            }),
            username: Some(session.to_owned()),
            access_key: Some(key),
        }
    }

    /// Somebody of another account: no ARN, no name, only a principal id.
    pub(super) fn account(account: &str, principal: &str) -> Self {
        Self {
            value: json!({"type": "AWSAccount", "principalId": principal, "accountId": account}),
            username: None,
            access_key: None,
        }
    }

    pub(super) fn service(service: &str) -> Self {
        Self { value: json!({"type": "AWSService", "invokedBy": service}), username: None, access_key: None }
    }

    pub(super) fn saml(provider: &str, subject: &str) -> Self {
        Self {
            value: json!({"type": "SAMLUser", "principalId": format!("k3Jx0E9r1l2Zb8Qw7yVtEXAMPLE=:{subject}"), "userName": subject, "identityProvider": provider}),
            username: Some(subject.to_owned()),
            access_key: None,
        }
    }

    pub(super) fn web(provider: &str, subject: &str) -> Self {
        Self {
            value: json!({"type": "WebIdentityUser", "principalId": format!("{provider}:sts.amazonaws.com:{subject}"), "userName": subject, "identityProvider": provider}),
            username: Some(subject.to_owned()),
            access_key: None,
        }
    }
}

/// One event in the making.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) at: DateTime<Utc>,
    pub(super) region: String,
    source: String,
    name: String,
    identity: Identity,
    request: Value,
    response: Value,
    read_only: Option<bool>,
    error: Option<(String, String)>,
    kind: &'static str,
    agent: String,
    address: String,
    /// Type and name, as LookupEvents lists them.
    resources: Vec<(Option<String>, String)>,
    /// Further members of the record.
    extra: Vec<(&'static str, Value)>,
}

impl Draft {
    pub(super) fn new(at: DateTime<Utc>, region: &str, source: &str, name: &str, identity: Identity) -> Self {
        let bits = ids::hash(format!("{at}{region}{name}").as_bytes());
        Self {
            at,
            region: region.to_owned(),
            source: source.to_owned(),
            name: name.to_owned(),
            identity,
            request: Value::Null,
            response: Value::Null,
            read_only: Some(false),
            error: None,
            kind: "AwsApiCall",
            agent: "aws-cli/2.31.5 md/awscrt#0.27.6 ua/2.1".to_owned(),
            // documentation addresses
            address: format!("203.0.113.{}", bits % 254 + 1),
            resources: Vec::new(),
            extra: Vec::new(),
        }
    }

    pub(super) fn request(mut self, value: Value) -> Self {
        self.request = value;
        self
    }

    pub(super) fn response(mut self, value: Value) -> Self {
        self.response = value;
        self
    }

    pub(super) fn read_only(mut self, yes: bool) -> Self {
        self.read_only = Some(yes);
        self
    }

    pub(super) fn error(mut self, code: &str, message: &str) -> Self {
        self.error = Some((code.to_owned(), message.to_owned()));
        self
    }

    /// AwsServiceEvent, AwsConsoleSignIn, AwsConsoleAction.
    pub(super) fn kind(mut self, kind: &'static str) -> Self {
        self.kind = kind;
        self
    }

    pub(super) fn agent(mut self, agent: &str) -> Self {
        agent.clone_into(&mut self.agent);
        self
    }

    pub(super) fn address(mut self, address: &str) -> Self {
        address.clone_into(&mut self.address);
        self
    }

    pub(super) fn resource(mut self, kind: &str, name: &str) -> Self {
        self.resources.push((Some(kind.to_owned()), name.to_owned()));
        self
    }

    pub(super) fn extra(mut self, name: &'static str, value: Value) -> Self {
        self.extra.push((name, value));
        self
    }

    pub(super) fn event(self) -> Event {
        let Identity { mut value, username, access_key } = self.identity;
        if let Some(attributes) = value.pointer_mut("/sessionContext/attributes") {
            attributes["creationDate"] = json!(iso(self.at - chrono::TimeDelta::minutes(3)));
        }
        let seed = ids::hash(
            format!("{}{}{}{}{value}{}", self.at, self.region, self.name, self.source, self.request).as_bytes(),
        );
        let id = ids::uuid(seed);
        let mut record = json!({
            "eventVersion": "1.11",
            "userIdentity": value,
            "eventTime": iso(self.at),
            "eventSource": self.source,
            "eventName": self.name,
            "awsRegion": self.region,
            "sourceIPAddress": self.address,
            "userAgent": self.agent,
            "requestParameters": self.request,
            "responseElements": self.response,
            "requestID": ids::uuid(seed ^ 0xa5a5),
            "eventID": id,
            "eventType": self.kind,
            "managementEvent": true,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        });
        if let Some(read_only) = self.read_only {
            record["readOnly"] = json!(read_only);
        }
        if let Some((code, message)) = &self.error {
            record["errorCode"] = json!(code);
            record["errorMessage"] = json!(message);
        }
        for (name, value) in self.extra {
            record[name] = value;
        }
        Event {
            time: self.at,
            facts: Facts {
                id,
                name: self.name,
                source: self.source,
                username,
                access_key,
                read_only: self.read_only,
                resources: self.resources,
            },
            record: record.to_string(),
        }
    }
}
