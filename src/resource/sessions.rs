//! Sessions: who took which role, when, from where, for how long, with MFA or not, as the event history tells.
//!
//! What is kept is bounded by those who are watched: the roles and accounts of vendors, each with its sessions, and
//! for every outsider the time of its last entry.

use super::build::{Fact, Row, population};
use super::events::{Events, Text, is};
use super::input::Input;
use super::{Kind, Population, Unknown};
use crate::evidence::{Operation, Timestamp};
use crate::finding::Pointer;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who is watched.
#[derive(Clone, Debug, Default)]
pub(super) struct WatchedSessions {
    /// Outsiders: account ids and ARNs of identity providers.
    pub outsiders: BTreeSet<String>,
    /// Vendors by the ARNs of their roles.
    pub roles: BTreeMap<String, String>,
    /// Vendors by the ids of their accounts.
    pub accounts: BTreeMap<String, String>,
}

impl WatchedSessions {
    pub(super) fn is_empty(&self) -> bool {
        self.outsiders.is_empty() && self.roles.is_empty() && self.accounts.is_empty()
    }
}

/// A role that was taken, or not.
#[derive(Clone, Debug)]
pub(super) struct Session {
    pub vendor: String,
    pub event: String,
    pub region: String,
    pub time: Timestamp,
    pub role: String,
    pub error: Option<String>,
    pub action: String,
    pub caller_account: Option<String>,
    pub caller: Option<String>,
    pub session_name: Option<String>,
    pub source_identity: Option<String>,
    pub source_ip: Option<String>,
    pub user_agent: Option<String>,
    pub mfa: Result<bool, &'static str>,
    pub duration: Option<i64>,
    pub access_key: Option<String>,
    pub place: Pointer,
    /// Events of the session.
    pub events: i64,
    /// What it did.
    pub actions: BTreeSet<String>,
}

/// What one Region's events tell about sessions.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub entered: BTreeMap<String, Timestamp>,
    pub sessions: Vec<Session>,
}

/// The members of a record of AssumeRole and its kin
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>). The session's token is not among
/// them: it was redacted when the record arrived.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Assumption<'a> {
    #[serde(borrow, default, rename = "eventID")]
    event_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_time: Option<Text<'a>>,
    #[serde(borrow, default)]
    error_code: Option<Text<'a>>,
    #[serde(borrow, default, rename = "sourceIPAddress")]
    source_ip: Option<Text<'a>>,
    #[serde(borrow, default)]
    user_agent: Option<Text<'a>>,
    #[serde(borrow, default)]
    user_identity: Option<Caller<'a>>,
    #[serde(borrow, default)]
    request_parameters: Option<Request<'a>>,
    #[serde(borrow, default)]
    response_elements: Option<Response<'a>>,
    #[serde(borrow, default)]
    resources: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Caller<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Text<'a>>,
    #[serde(borrow, default)]
    account_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    principal_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    identity_provider: Option<Text<'a>>,
    #[serde(borrow, default)]
    session_context: Option<SessionContext<'a>>,
}

#[derive(serde::Deserialize)]
struct SessionContext<'a> {
    #[serde(borrow, default)]
    attributes: Option<Attributes<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes<'a> {
    #[serde(borrow, default)]
    mfa_authenticated: Option<&'a RawValue>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Request<'a> {
    #[serde(borrow, default)]
    role_arn: Option<Text<'a>>,
    #[serde(borrow, default)]
    role_session_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    serial_number: Option<Text<'a>>,
    #[serde(borrow, default)]
    source_identity: Option<Text<'a>>,
    #[serde(borrow, default, rename = "principalArn")]
    provider: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response<'a> {
    #[serde(borrow, default)]
    credentials: Option<Credentials<'a>>,
    #[serde(borrow, default)]
    source_identity: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credentials<'a> {
    #[serde(borrow, default)]
    access_key_id: Option<Text<'a>>,
    #[serde(borrow, default)]
    expiration: Option<Text<'a>>,
}

#[derive(serde::Deserialize)]
struct Resource<'a> {
    #[serde(borrow, default, rename = "ARN")]
    arn: Option<Text<'a>>,
}

/// The key that an event was signed with, and what it was.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signed<'a> {
    #[serde(borrow, default)]
    event_name: Option<Text<'a>>,
    #[serde(borrow, default)]
    event_source: Option<Text<'a>>,
    #[serde(borrow, default)]
    user_identity: Option<Signer<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Signer<'a> {
    #[serde(borrow, default)]
    access_key_id: Option<Text<'a>>,
}

fn owned(text: &Option<Text<'_>>) -> Option<String> {
    text.as_ref().map(|text| text.0.clone().into_owned())
}

/// Time as CloudTrail writes that of credentials: `Oct 1, 2026, 9:00:00 AM`; newer records have ISO 8601.
fn expiration(text: &str) -> Option<Timestamp> {
    // Newer JDKs put a narrow no-break space before AM and PM.
    let text = text.replace(['\u{202f}', '\u{a0}'], " ");
    Timestamp::parse(&text).ok().or_else(|| {
        let formats = ["%b %e, %Y, %I:%M:%S %p", "%b %e, %Y %I:%M:%S %p"];
        let parsed = formats.iter().find_map(|format| chrono::NaiveDateTime::parse_from_str(&text, format).ok());
        parsed.map(|time| Timestamp(time.and_utc()))
    })
}

impl Found {
    /// Takes in a record of AssumeRole or its kin.
    pub(super) fn note(
        &mut self,
        line: &[u8],
        region: &str,
        watched: &WatchedSessions,
        place: impl FnOnce() -> Pointer,
    ) -> Result<(), String> {
        let record: Assumption<'_> = serde_json::from_slice(line).map_err(|e| e.to_string())?;
        let time = record.event_time.as_ref().and_then(|text| Timestamp::parse(&text.0).ok());
        let time = time.ok_or("an event of a session has no time")?;
        let caller = record.user_identity.as_ref();
        let request = record.request_parameters.as_ref();
        let refused = owned(&record.error_code);
        let account = caller.and_then(|caller| owned(&caller.account_id));
        let provider = request
            .and_then(|request| owned(&request.provider))
            .or_else(|| caller.and_then(|caller| owned(&caller.identity_provider)));
        if refused.is_none() {
            for outsider in [&account, &provider].into_iter().flatten() {
                if watched.outsiders.contains(outsider) {
                    let last = self.entered.entry(outsider.clone()).or_insert(time);
                    *last = time.max(*last);
                }
            }
        }
        let role = request.and_then(|request| owned(&request.role_arn)).or_else(|| record.role_among_resources());
        let vendor = role.as_ref().and_then(|role| watched.roles.get(role));
        let vendor = vendor.or_else(|| account.as_ref().and_then(|account| watched.accounts.get(account)));
        let (Some(vendor), Some(role)) = (vendor, role) else { return Ok(()) };
        let response = record.response_elements.as_ref();
        let credentials = response.and_then(|response| response.credentials.as_ref());
        let expires = credentials.and_then(|c| c.expiration.as_ref()).and_then(|text| expiration(&text.0));
        self.sessions.push(Session {
            vendor: vendor.clone(),
            event: owned(&record.event_id).ok_or("an event of a session has no id")?,
            region: region.to_owned(),
            time,
            role,
            error: refused,
            action: owned(&record.event_name).unwrap_or_default(),
            caller_account: account,
            caller: caller.and_then(|caller| owned(&caller.arn).or_else(|| owned(&caller.principal_id))),
            session_name: request.and_then(|request| owned(&request.role_session_name)),
            source_identity: response
                .and_then(|response| owned(&response.source_identity))
                .or_else(|| request.and_then(|request| owned(&request.source_identity))),
            source_ip: owned(&record.source_ip),
            user_agent: owned(&record.user_agent),
            mfa: record.mfa(),
            duration: expires.map(|expires| (expires.0 - time.0).num_seconds()),
            access_key: credentials.and_then(|credentials| owned(&credentials.access_key_id)),
            place: place(),
            events: 0,
            actions: BTreeSet::new(),
        });
        Ok(())
    }
}

impl Assumption<'_> {
    fn role_among_resources(&self) -> Option<String> {
        let resources: Vec<Resource<'_>> = serde_json::from_str(self.resources?.get()).ok()?;
        resources.iter().filter_map(|resource| owned(&resource.arn)).find(|arn| arn.contains(":role/"))
    }

    /// Whether the caller had signed in with MFA. A device given with the call says so by itself; the caller's own
    /// session says so only to its own account.
    fn mfa(&self) -> Result<bool, &'static str> {
        if self.request_parameters.as_ref().is_some_and(|request| request.serial_number.is_some()) {
            return Ok(true);
        }
        let caller = self.user_identity.as_ref();
        let federated =
            caller.is_some_and(|caller| is(&caller.kind, "SAMLUser") || is(&caller.kind, "WebIdentityUser"));
        let told = caller.and_then(|caller| caller.session_context.as_ref()?.attributes.as_ref()?.mfa_authenticated);
        match told.map(|raw| raw.get().trim_matches('"')) {
            Some("true") => Ok(true),
            Some("false") => Ok(false),
            _ if federated => Err("the identity provider knows whether there was MFA, AWS's record does not"),
            _ => Err("the record does not say whether there was MFA, as mostly for callers of another account"),
        }
    }
}

/// Counts what each session did, by its access key.
pub(super) fn count_activity(line: &[u8], by_key: &mut BTreeMap<String, (i64, BTreeSet<String>)>) {
    let Ok(record) = serde_json::from_slice::<Signed<'_>>(line) else { return };
    let key = record.user_identity.as_ref().and_then(|signer| signer.access_key_id.as_ref());
    let Some((events, actions)) = key.and_then(|key| by_key.get_mut(key.0.as_ref())) else { return };
    *events += 1;
    let source = owned(&record.event_source).unwrap_or_default();
    let service = source.split('.').next().unwrap_or_default();
    actions.insert(format!("{service}:{}", owned(&record.event_name).unwrap_or_default()));
}

/// Session names that programs make up: the SDKs' defaults, a bare time, one that nobody chose
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>).
fn is_generic(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let made_up =
        ["botocore-session-", "aws-sdk-", "aws-go-sdk-", "aws-cli-session-", "awscli-", "terraform-", "session"];
    made_up.iter().any(|prefix| lower.starts_with(prefix)) || lower.bytes().all(|byte| !byte.is_ascii_alphabetic())
}

/// The sessions of vendors' roles.
pub(super) fn vendor_sessions(input: &Input<'_>, events: &Events) -> Population {
    let (sessions, mut gaps) = match events.sessions() {
        Ok(sessions) => (sessions.as_slice(), Vec::new()),
        Err(gap) => (events.arrived_sessions(), vec![gap]),
    };
    gaps.extend(input.details.gap().cloned());
    let rows = sessions.iter().map(|session| row(input, session, &gaps)).collect();
    let documents = events.documents.iter().cloned().chain(input.details.document());
    population(Kind::VendorSession, rows, gaps.clone(), documents)
}

fn row(input: &Input<'_>, session: &Session, gaps: &[Arc<Unknown>]) -> Row {
    let role = session.role.rsplit('/').next().unwrap_or_default();
    let name = format!("{role} by {}", session.session_name.as_deref().unwrap_or("(no name)"));
    let mut row = Row::new(Kind::VendorSession, &session.event, Some(&name), Some(&session.region));
    row.seen(Operation::CloudTrailLookupEvents, session.place.clone());
    row.known("time", session.time.zulu());
    row.known("vendor", session.vendor.as_str());
    row.known("role", session.role.as_str());
    row.known("outcome", if session.error.is_none() { "assumed" } else { "refused" });
    row.known("error", session.error.as_deref());
    row.known("action", session.action.as_str());
    row.known("caller_account", session.caller_account.as_deref());
    row.known("caller", session.caller.as_deref());
    row.known("session_name", session.session_name.as_deref());
    row.known("generic_name", session.session_name.as_deref().is_none_or(is_generic));
    row.known("source_identity", session.source_identity.as_deref());
    row.known("source_ip", session.source_ip.as_deref());
    row.known("user_agent", session.user_agent.as_deref());
    let events =
        super::build::Source::<crate::evidence::cloudtrail::LookupEvents>::regional(input.evidence, &session.region);
    row.set("mfa", session.mfa.map_err(|reason| events.unknown(reason)));
    let expires = session.duration.map(Some);
    let untold = session.error.is_none();
    row.set(
        "duration_seconds",
        match expires {
            Some(duration) => Ok(duration),
            None if untold => Err(events.unknown("the record does not tell when the session's credentials expire")),
            None => Ok(None),
        },
    );
    row.known("access_key", session.access_key.as_deref());
    // What a session did is known only from all events of all Regions.
    let whole: Fact<()> = gaps.first().map_or(Ok(()), |gap| Err(gap.clone()));
    row.set("events", whole.clone().map(|()| session.events));
    row.set("actions", whole.map(|()| session.actions.iter().cloned().collect::<Vec<_>>()));
    row
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_expiry_of_credentials_is_read_as_cloudtrail_writes_it() {
        let expected = Timestamp::parse("2026-10-01T21:05:00Z").ok();
        assert_eq!(expiration("Oct 1, 2026, 9:05:00 PM"), expected);
        assert_eq!(expiration("Oct 1, 2026 9:05:00 PM"), expected);
        assert_eq!(expiration("Oct 1, 2026, 9:05:00\u{202f}PM"), expected);
        assert_eq!(expiration("2026-10-01T21:05:00Z"), expected);
        assert_eq!(expiration("soon"), None);
    }

    #[test]
    fn names_that_programs_make_up_tell_nobody_apart() {
        for name in ["botocore-session-1695800000", "aws-go-sdk-1695800000000000000", "1695800000", "session1", "-"] {
            assert!(is_generic(name), "{name}");
        }
        for name in ["ann@continuous.example", "ann", "j.doe-2"] {
            assert!(!is_generic(name), "{name}");
        }
    }
}
