//! The HTTP client under the SDK: live it records, replaying it answers from a recording.
//!
//! Serialisers, signer and parsers of the real SDK run in both cases; only the socket is replaced. What a
//! credential provider asks on its own (STS, SSO, instance metadata) carries no tag, passes through and is
//! never written, because it holds secrets.

use super::clock::Clock;
use super::failure::TransportFailure;
use super::whole;
use crate::evidence::custody::stated_time;
use crate::evidence::digest::sha256;
use crate::evidence::recording::{Entry, Recording, RecordingError, Request};
use crate::evidence::{CallId, Timestamp};
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::shared::IntoShared;
use aws_smithy_types::body::SdkBody;
use http_body_util::BodyExt;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

tokio::task_local! {
    /// The request that the current task is sending. Requests made outside of it are not ours.
    pub static REQUEST: RequestTag;
}

/// Which request of which call is being sent.
#[derive(Clone, Debug)]
pub struct RequestTag {
    /// The call.
    pub call: CallId,
    /// Which request of the call, from 1.
    pub page: u32,
    /// Different for every request; the same for the attempts of one.
    pub serial: u64,
    /// Which attempt of this run, from 1. Later ones are made because the answer before was of no use.
    pub attempt: u32,
    /// When AWS answered, by its own clock: set when the answer comes.
    pub answered: Answered,
}

/// The time that an answer states, handed back from the client to whoever asked.
#[derive(Clone, Debug, Default)]
pub struct Answered(Arc<Mutex<Option<Timestamp>>>);

impl Answered {
    fn set(&self, headers: &BTreeMap<String, String>) {
        // A time is replaced at once.
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = stated_time(headers);
    }

    /// The time, if an answer came that states it.
    pub fn at(&self) -> Option<Timestamp> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The headers that are kept. None of them is secret, and none is needed but these.
const KEPT_HEADERS: [&str; 8] = [
    "content-type",
    "date",
    "retry-after",
    "x-amz-request-id",
    "x-amzn-errortype",
    "x-amzn-query-error",
    "x-amzn-requestid",
    "x-amzn-error-message",
];

/// The client.
#[derive(Clone, Debug)]
pub struct Tape {
    recording: Arc<Recording>,
    /// The client that reaches AWS; none in a replay.
    live: Option<SharedHttpClient>,
    /// How long one attempt may take, from the first byte sent to the last byte received.
    timeout: Duration,
    clock: Arc<Clock>,
    /// By a request's identity, the serials of the requests that had it, in order.
    sequences: Arc<Mutex<HashMap<String, Vec<u64>>>>,
}

impl Tape {
    /// A client that answers from the recording what is in it, and asks AWS (and records) the rest.
    pub fn live(recording: Arc<Recording>, client: SharedHttpClient, timeout: Duration, clock: Arc<Clock>) -> Self {
        Self { recording, live: Some(client), timeout, clock, sequences: Arc::default() }
    }

    /// A client that answers from the recording only.
    pub fn replay(recording: Arc<Recording>) -> Self {
        Self { recording, live: None, timeout: Duration::MAX, clock: Arc::default(), sequences: Arc::default() }
    }

    /// Which request with this identity it is, from 0.
    fn sequence(&self, key: &str, serial: u64) -> u32 {
        // A push cannot leave the map half-changed.
        let mut sequences = self.sequences.lock().unwrap_or_else(PoisonError::into_inner);
        let serials = sequences.entry(key.to_owned()).or_default();
        let position = serials.iter().position(|s| *s == serial).unwrap_or_else(|| {
            serials.push(serial);
            serials.len() - 1
        });
        u32::try_from(position).unwrap_or(u32::MAX)
    }
}

impl HttpClient for Tape {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        let live = self.live.as_ref().map(|client| client.http_connector(settings, components));
        Connector { tape: self.clone(), live }.into_shared()
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        Some(ConnectorMetadata::new("auditpack-tape", None))
    }
}

#[derive(Debug)]
struct Connector {
    tape: Tape,
    live: Option<SharedHttpConnector>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Ok(tag) = REQUEST.try_with(Clone::clone) else {
            return match &self.live {
                Some(live) => live.call(request),
                None => fail(TransportFailure::Replay("a request that belongs to no call".to_owned())),
            };
        };
        let sent = sent(&request);
        let key = key(&tag.call, &sent);
        let sequence = self.tape.sequence(&key, tag.serial);
        let recorded = match self.tape.recording.last_attempt(&key, sequence) {
            Ok(recorded) => recorded,
            Err(error) if self.live.is_some() => return HttpConnectorFuture::ready(Err(cannot_record(error))),
            Err(error) => return fail(TransportFailure::Replay(error.to_string())),
        };
        let Some(live) = &self.live else {
            return match recorded {
                Some(entry) => HttpConnectorFuture::ready(answer(&self.tape.recording, &entry, &tag.answered)),
                None => fail(TransportFailure::Replay(format!("{} was not recorded with these parameters", tag.call))),
            };
        };
        let usable = recorded.filter(|entry| tag.attempt == 1 && is_final(entry));
        if let Some(Ok(answer)) = usable.map(|entry| answer(&self.tape.recording, &entry, &tag.answered)) {
            return HttpConnectorFuture::ready(Ok(answer));
        }
        let entry = Entry {
            operation: tag.call.operation.to_string(),
            region: tag.call.region.clone(),
            resource: tag.call.resource.clone(),
            page: tag.page,
            key,
            sequence,
            attempt: 0,
            request: sent,
            response: None,
            failure: None,
        };
        let recording = Arc::clone(&self.tape.recording);
        let attempt = live.call(request);
        let timeout = self.tape.timeout;
        let clock = Arc::clone(&self.tape.clock);
        HttpConnectorFuture::new(async move {
            let received = match tokio::time::timeout(timeout, receive(attempt)).await {
                Ok(received) => received,
                Err(_) => Err(TransportFailure::TimedOut(timeout)),
            };
            match received {
                Ok((status, headers, body)) => {
                    let kept = kept(&headers);
                    tag.answered.set(&kept);
                    if let Some(date) = kept.get("date") {
                        clock.observe(date);
                    }
                    let body = recording.append_response(entry, status, kept.clone(), body).map_err(cannot_record)?;
                    response(status, &kept, body)
                }
                Err(failure) => {
                    recording.append_failure(entry, failure.to_string()).map_err(cannot_record)?;
                    Err(failure.into())
                }
            }
        })
    }
}

type Received = (u16, Vec<(String, String)>, Vec<u8>);

/// Waits for an answer with the whole of its body.
async fn receive(attempt: HttpConnectorFuture) -> Result<Received, TransportFailure> {
    let mut response = attempt.await.map_err(|e| TransportFailure::of_connector(&e))?;
    let body = response.take_body().collect().await.map_err(|e| TransportFailure::of_body(e.as_ref()))?;
    let headers = response.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Ok((response.status().as_u16(), headers, body.to_bytes().to_vec()))
}

fn kept(headers: &[(String, String)]) -> BTreeMap<String, String> {
    headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
        .filter(|(name, _)| KEPT_HEADERS.contains(&name.as_str()))
        .collect()
}

/// Whether a recorded attempt ends its request: an answer that asking again would not change. Throttling, server
/// errors, cut connections and expired credentials do not, so that an interrupted run that is resumed asks again.
fn is_final(entry: &Entry) -> bool {
    entry.response.as_ref().is_some_and(|response| match response.status {
        429 | 500.. => false,
        400.. => {
            let kind = response.headers.get("x-amzn-errortype").map_or("", String::as_str);
            // The query protocol names the error in the body only, and a 403 of it may be an expired token; asking
            // once more costs little.
            !kind.is_empty()
                && !["Throttl", "TooManyRequests", "Expired", "LimitExceeded"].iter().any(|w| kind.contains(w))
                || response.status == 404
        }
        _ => true,
    })
}

/// A recorded attempt as an answer.
fn answer(recording: &Recording, entry: &Entry, answered: &Answered) -> Result<HttpResponse, ConnectorError> {
    match (&entry.response, &entry.failure) {
        (Some(recorded), _) => match recording.body(recorded) {
            Ok(body) => {
                answered.set(&recorded.headers);
                response(recorded.status, &recorded.headers, body)
            }
            Err(error) => Err(TransportFailure::Replay(error.to_string()).into()),
        },
        (None, failure) => {
            Err(TransportFailure::Recorded(failure.clone().unwrap_or_else(|| "no answer".to_owned())).into())
        }
    }
}

fn response(status: u16, headers: &BTreeMap<String, String>, body: Vec<u8>) -> Result<HttpResponse, ConnectorError> {
    if (200..300).contains(&status) && headers.get("content-type").is_some_and(|kind| kind.contains("xml")) {
        whole::xml(&body).map_err(TransportFailure::Incomplete)?;
    }
    let malformed = |what: &str| ConnectorError::from(TransportFailure::Replay(format!("{what} cannot be answered")));
    let status = status.try_into().map_err(|_| malformed("a status that HTTP does not know"))?;
    let mut response = HttpResponse::new(status, SdkBody::from(body));
    for (name, value) in headers {
        response.headers_mut().try_append(name.clone(), value.clone()).map_err(|_| malformed("a malformed header"))?;
    }
    Ok(response)
}

fn fail(failure: TransportFailure) -> HttpConnectorFuture {
    HttpConnectorFuture::ready(Err(failure.into()))
}

/// A recording that cannot be written stops the run: what is not recorded did not happen.
fn cannot_record(error: RecordingError) -> ConnectorError {
    TransportFailure::CannotRecord(error.to_string()).into()
}

/// What a request says, without authorization.
fn sent(request: &HttpRequest) -> Request {
    let (host, rest) = request.uri().split_once("://").map_or(("", request.uri()), |(_, rest)| {
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        rest.split_at(end)
    });
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    Request {
        method: request.method().to_owned(),
        host: host.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        parameters: String::from_utf8_lossy(request.body().bytes().unwrap_or_default()).into_owned(),
    }
}

/// The identity of a request: nothing that differs between runs (host, date, signature, invocation id) is in it.
fn key(call: &CallId, request: &Request) -> String {
    let mut parts = vec![call.operation.to_string(), call.region.clone().unwrap_or_default()];
    parts.extend([request.method.clone(), request.path.clone(), sorted(&request.query)]);
    parts.push(match serde_json::from_str::<serde_json::Value>(&request.parameters) {
        Ok(value) => canonical(&value),
        Err(_) => sorted(&request.parameters),
    });
    sha256(parts.join("\0").as_bytes())[..24].to_owned()
}

/// The parameters of a query in a fixed order.
fn sorted(query: &str) -> String {
    let mut parts: Vec<&str> = query.split('&').collect();
    parts.sort_unstable();
    parts.join("&")
}

/// JSON with the members of objects sorted, whatever order serde_json's map keeps.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(members) => {
            let sorted: BTreeMap<&String, String> = members.iter().map(|(k, v)| (k, canonical(v))).collect();
            let members: Vec<String> = sorted.iter().map(|(k, v)| format!("{}:{v}", serde_json::json!(k))).collect();
            format!("{{{}}}", members.join(","))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}
