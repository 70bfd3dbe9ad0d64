//! From an HTTP request to an answer: faults, quotas, services, framing.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chrono::{DateTime, Utc};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response};

use super::body::Answer;
use crate::account::Index;
use crate::clock::Clock;
use crate::faults::{FaultKind, Matched, Rules};
use crate::ids;
use crate::quotas::Buckets;
use crate::services;
use crate::stats::{Counters, Marks};
use crate::wire::request::Raw;
use crate::wire::{AwsError, Call, Protocol};
use crate::{Account, Fault, Options, PageSizes, Stats};

/// What a service needs to answer: the account and what the server knows beside it.
pub(crate) struct Context {
    pub(crate) account: Account,
    pub(crate) index: Index,
    pub(crate) pages: PageSizes,
    pub(crate) clock: Clock,
    pub(crate) credential_report_polls: u32,
    /// How often GenerateCredentialReport was called.
    pub(crate) report_calls: Mutex<u32>,
    /// Who the keys that AssumeRole gave out belong to.
    pub(crate) sessions: Mutex<HashMap<String, crate::account::Caller>>,
}

impl Context {
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub(crate) fn caller(&self, access_key: &str) -> crate::account::Caller {
        let sessions = lock(&self.sessions);
        let caller = sessions.get(access_key);
        caller.unwrap_or(&self.account.caller).clone()
    }
}

/// A poisoned lock means that another request panicked; counters and maps are whole nevertheless.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) struct State {
    context: Context,
    /// The account's own denials, then what options and callers add.
    standing: Mutex<Rules>,
    rules: Mutex<Rules>,
    buckets: Mutex<Buckets>,
    counters: Mutex<Counters>,
    /// How often each request was seen, for request ids.
    seen: Mutex<HashMap<u64, u64>>,
}

/// A finished answer, before it is framed.
struct Outcome {
    status: u16,
    body: String,
    error: Option<AwsError>,
}

impl State {
    pub(super) fn new(account: Account, options: Options) -> Self {
        let mut standing = Rules::default();
        account.denials.iter().for_each(|f| standing.add(f.clone()));
        let mut rules = Rules::default();
        options.faults.into_iter().for_each(|f| rules.add(f));
        Self {
            standing: Mutex::new(standing),
            rules: Mutex::new(rules),
            buckets: Mutex::new(Buckets::new(options.quotas)),
            counters: Mutex::default(),
            seen: Mutex::default(),
            context: Context {
                index: Index::of(&account),
                pages: options.pages.unwrap_or_else(|| account.pages.clone()),
                clock: options.clock.unwrap_or(Clock::Fixed(account.now)),
                credential_report_polls: options.credential_report_polls.unwrap_or(account.iam.report.polls),
                report_calls: Mutex::new(0),
                sessions: Mutex::default(),
                account,
            },
        }
    }

    pub(super) fn account(&self) -> &Account {
        &self.context.account
    }

    pub(super) fn stats(&self) -> Stats {
        lock(&self.counters).snapshot()
    }

    pub(super) fn reset_stats(&self) {
        *lock(&self.counters) = Counters::default();
    }

    pub(super) fn add_fault(&self, fault: Fault) {
        lock(&self.rules).add(fault);
    }

    pub(super) fn clear_faults(&self) {
        lock(&self.rules).clear();
    }

    /// Answers one HTTP request; an error closes the connection without an answer.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        reset: Arc<AtomicBool>,
    ) -> io::Result<Response<Answer>> {
        let (head, body) = request.into_parts();
        let path = head.uri.path().to_owned();
        if let Some(page) = path.strip_prefix("/_synthetic/") {
            return Ok(self.page(page));
        }
        let body = match Limited::new(body, 1 << 20).collect().await {
            Ok(body) => body.to_bytes(),
            Err(_) => return Err(io::ErrorKind::InvalidData.into()),
        };
        let header = |name: &str| head.headers.get(name).and_then(|v| v.to_str().ok());
        let read = Call::read(Raw {
            path: &path,
            authorization: header("authorization"),
            target: header("x-amz-target"),
            body: String::from_utf8_lossy(&body).into_owned(),
        });
        let (mut call, refused) = match read {
            Ok(call) => (call, None),
            Err(refused) => (refused.0, Some(refused.1)),
        };
        let hits = self.hits(&call);
        let mut marks = Marks { faulted: !hits.is_empty(), ..Marks::default() };
        call.empty_page = hits.contains(&FaultKind::EmptyPage);
        call.last_page = hits.contains(&FaultKind::LastPage);
        call.loop_pages = hits.contains(&FaultKind::LoopPages);
        let request_id = self.request_id(&call);

        let refusal = refused
            .or_else(|| hits.iter().find_map(|kind| self.refusal(kind, &call)))
            .or_else(|| self.over_quota(&call));
        marks.throttled = refusal.as_ref().is_some_and(is_throttle);
        let outcome = match refusal {
            Some(error) => Err(error),
            None => services::answer(&self.context, &call),
        };
        let outcome = finish(&call, outcome, &request_id);
        marks.error = outcome.error.is_some();
        lock(&self.counters).add(&call.service, &call.operation, &call.region, marks);
        let _answering = Answering::begin(&self.counters, &call);

        for kind in &hits {
            match kind {
                FaultKind::Delay(time) => tokio::time::sleep(*time).await,
                FaultKind::Hang => std::future::pending().await,
                FaultKind::Cut => return Err(io::ErrorKind::ConnectionAborted.into()),
                _ => {}
            }
        }
        Ok(self.frame(&call, outcome, &request_id, &hits, reset))
    }

    /// Both sets of rules see (and count) every request.
    fn hits(&self, call: &Call) -> Vec<FaultKind> {
        let matched = Matched {
            service: &call.service,
            operation: &call.operation,
            region: &call.region,
            body: &call.body,
            has_token: call.page_token().is_some(),
        };
        let mut hits = lock(&self.rules).hits(&matched);
        hits.extend(lock(&self.standing).hits(&matched));
        hits
    }

    fn refusal(&self, kind: &FaultKind, call: &Call) -> Option<AwsError> {
        let protocol = call.protocol;
        Some(match kind {
            FaultKind::Deny => AwsError::denied(call, &self.context.caller(&call.access_key).arn),
            FaultKind::Throttle(status) => AwsError::throttled(protocol, Some(*status)),
            FaultKind::Error(status) => AwsError::internal(protocol, *status),
            FaultKind::ExpiredToken => AwsError::expired_token(protocol),
            FaultKind::RegionDisabled => AwsError::region_disabled(call),
            FaultKind::OptInRequired => AwsError::new(
                403,
                "OptInRequired",
                "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe.",
            ),
            FaultKind::Skew => {
                let (status, code) = match protocol {
                    Protocol::Query | Protocol::Ec2 => (403, "SignatureDoesNotMatch"),
                    Protocol::Json => (400, "InvalidSignatureException"),
                    Protocol::Rest => (403, "InvalidSignatureException"),
                };
                let stamp = |t: DateTime<Utc>| t.format("%Y%m%dT%H%M%SZ").to_string();
                let now = self.context.now();
                let ahead = now + SKEW;
                AwsError::new(
                    status,
                    code,
                    format!(
                        "Signature expired: {} is now earlier than {} ({} - 5 min.)",
                        stamp(now),
                        stamp(ahead - chrono::TimeDelta::minutes(5)),
                        stamp(ahead)
                    ),
                )
            }
            FaultKind::TooSkewed => AwsError::new(
                403,
                "RequestTimeTooSkewed",
                "The difference between the request time and the current time is too large.",
            ),
            FaultKind::InvalidToken => AwsError::invalid_token(call),
            _ => return None,
        })
    }

    fn over_quota(&self, call: &Call) -> Option<AwsError> {
        let taken = lock(&self.buckets).take(&call.service, &call.operation, &call.region, Instant::now());
        (!taken).then(|| AwsError::throttled(call.protocol, None))
    }

    /// Derived from the request and how often the same one was seen, so that it does not depend on the
    /// order in which parallel requests arrive.
    fn request_id(&self, call: &Call) -> String {
        let text = format!("{}\n{}\n{}\n{}", call.service, call.operation, call.region, call.body);
        let hash = ids::hash(text.as_bytes());
        let mut seen = lock(&self.seen);
        let count = seen.entry(hash).or_default();
        *count += 1;
        ids::uuid(hash ^ ids::mix(*count))
    }

    fn frame(
        &self,
        call: &Call,
        outcome: Outcome,
        request_id: &str,
        hits: &[FaultKind],
        reset: Arc<AtomicBool>,
    ) -> Response<Answer> {
        let mut offset = chrono::TimeDelta::zero();
        let mut body = outcome.body;
        for kind in hits {
            match kind {
                FaultKind::Skew | FaultKind::TooSkewed => offset = SKEW,
                FaultKind::Date(seconds) => {
                    offset = chrono::TimeDelta::try_seconds(*seconds).unwrap_or_default();
                }
                FaultKind::WrongTypes => body = wrong_types(call.protocol, &body),
                FaultKind::Truncate => {
                    let half = (0..=body.len() / 2).rev().find(|i| body.is_char_boundary(*i));
                    body.truncate(half.unwrap_or(0));
                }
                _ => {}
            }
        }
        let mut builder = Response::builder().status(outcome.status);
        if self.context.clock.is_fixed() || !offset.is_zero() {
            let date = self.context.now().checked_add_signed(offset).unwrap_or_default();
            builder = builder.header("Date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
        }
        // IAM, STS and the REST services spell it x-amzn-RequestId too; names are case-insensitive
        builder = builder.header("x-amzn-RequestId", request_id);
        builder = builder.header(
            "Content-Type",
            match call.protocol {
                Protocol::Query | Protocol::Ec2 => "text/xml",
                Protocol::Json => "application/x-amz-json-1.1",
                Protocol::Rest => "application/json",
            },
        );
        if let Some(error) = outcome.error.filter(|_| matches!(call.protocol, Protocol::Json | Protocol::Rest)) {
            builder = builder.header("x-amzn-ErrorType", error.code);
        }
        let shape = hits.iter().find_map(|kind| match kind {
            FaultKind::Drip(pause) => Some(Answer::drip(body.clone(), *pause)),
            FaultKind::Reset => Some(Answer::reset(body.clone(), Arc::clone(&reset))),
            FaultKind::Stall => Some(Answer::stall(body.clone())),
            _ => None,
        });
        let body = shape.unwrap_or_else(|| Answer::whole(body));
        // cannot fail: status and header values are made of digits, letters and punctuation above
        builder.body(body).unwrap_or_else(|_| Response::new(Answer::whole("")))
    }

    fn page(&self, name: &str) -> Response<Answer> {
        let body = match name {
            "stats" => serde_json::to_string_pretty(&self.stats()).unwrap_or_default() + "\n",
            "operations" => serde_json::to_string_pretty(&services::operations()).unwrap_or_default() + "\n",
            "health" => "ok\n".to_owned(),
            _ => {
                let mut response = Response::new(Answer::whole("no such page\n"));
                *response.status_mut() = hyper::StatusCode::NOT_FOUND;
                return response;
            }
        };
        Response::new(Answer::whole(body))
    }
}

const SKEW: chrono::TimeDelta = chrono::TimeDelta::minutes(15);

fn is_throttle(error: &AwsError) -> bool {
    ["Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"]
        .contains(&error.code.as_str())
}

fn finish(call: &Call, outcome: Result<String, AwsError>, request_id: &str) -> Outcome {
    match outcome {
        Err(error) => Outcome { status: error.status, body: error.body(call, request_id), error: Some(error) },
        Ok(body) => Outcome {
            status: 200,
            body: match call.protocol {
                Protocol::Query => {
                    let (namespace, operation) = (call.namespace(), &call.operation);
                    format!(
                        "<{operation}Response xmlns=\"{namespace}\">\n  <{operation}Result>{body}</{operation}Result>\n  <ResponseMetadata>\n    <RequestId>{request_id}</RequestId>\n  </ResponseMetadata>\n</{operation}Response>\n"
                    )
                }
                Protocol::Ec2 => {
                    let (namespace, operation) = (call.namespace(), &call.operation);
                    format!(
                        "<{operation}Response xmlns=\"{namespace}\"><requestId>{request_id}</requestId>{body}</{operation}Response>"
                    )
                }
                Protocol::Json | Protocol::Rest => body,
            },
            error: None,
        },
    }
}

/// A text of XML (up to the `<` that ends it) that is no longer the number, flag or time that it was.
fn wrong_text(text: &str) -> String {
    let bare = text.trim_end_matches('<');
    let number = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit());
    let time = bare.len() == 20 && bare.ends_with('Z');
    if number || time || bare == "true" || bare == "false" { format!("about {text}") } else { text.to_owned() }
}

/// Keeps the syntax and breaks the types.
fn wrong_types(protocol: Protocol, body: &str) -> String {
    fn spoil(value: &mut serde_json::Value, depth: u32) {
        use serde_json::Value;
        match value {
            Value::Object(map) => map.values_mut().for_each(|v| spoil(v, depth + 1)),
            Value::Array(_) if depth == 1 => *value = "not an array".into(),
            Value::Array(items) => items.iter_mut().for_each(|v| spoil(v, depth + 1)),
            Value::String(_) => *value = 42.into(),
            Value::Number(_) | Value::Bool(_) => *value = "not a number".into(),
            Value::Null => {}
        }
    }
    match protocol {
        Protocol::Query | Protocol::Ec2 => body
            .split_inclusive('<')
            .map(|part| match part.split_once('>') {
                Some((tag, text)) => format!("{tag}>{}", wrong_text(text)),
                None => part.to_owned(),
            })
            .collect(),
        Protocol::Json | Protocol::Rest => match serde_json::from_str(body) {
            Ok(mut value) => {
                spoil(&mut value, 0);
                value.to_string()
            }
            Err(_) => body.to_owned(),
        },
    }
}

/// An answer that is being given, however it ends.
struct Answering<'a> {
    counters: &'a Mutex<Counters>,
    key: (String, String, String),
}

impl<'a> Answering<'a> {
    fn begin(counters: &'a Mutex<Counters>, call: &Call) -> Self {
        let key = (call.service.clone(), call.operation.clone(), call.region.clone());
        lock(counters).begin(&key);
        Self { counters, key }
    }
}

impl Drop for Answering<'_> {
    fn drop(&mut self) {
        lock(self.counters).end(&self.key);
    }
}
