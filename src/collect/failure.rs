//! Why a call gave no answer: the SDK's errors, in the four outcomes of a call.

use crate::evidence::{Gap, GapKind, Operation, Outcome};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::error::Error;
use std::time::Duration;

/// No answer came over the wire. The texts are written to the recording, so that a replay gives the same reasons.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TransportFailure {
    /// Nobody answers at the address.
    #[error("no connection: {0} (check the network, the proxy and the endpoint)")]
    NotConnected(String),
    /// The answer broke off.
    #[error("the connection was cut before the answer was complete: {0}")]
    Cut(String),
    /// The answer took too long.
    #[error("no complete answer came within {} seconds", .0.as_secs())]
    TimedOut(Duration),
    /// An answer came that is not all of it.
    #[error("the answer is not complete: {0}")]
    Incomplete(String),
    /// The failure that the recording holds.
    #[error("{0}")]
    Recorded(String),
    /// The recording has no answer, or cannot be read.
    #[error("the recording does not answer: {0}")]
    Replay(String),
    /// The recording cannot be written.
    #[error("{0}")]
    CannotRecord(String),
}

impl TransportFailure {
    /// The failure of a connector.
    pub fn of_connector(error: &ConnectorError) -> Self {
        let cause = root_cause(error);
        if error.is_timeout() {
            Self::NotConnected(format!("timed out ({cause})"))
        } else if cause.contains("refused")
            || cause.contains("dns")
            || cause.contains("unreachable")
            || cause.contains("lookup")
        {
            Self::NotConnected(cause)
        } else {
            Self::Cut(cause)
        }
    }

    /// The failure of a body that could not be read to its end.
    pub fn of_body(error: &(dyn Error + 'static)) -> Self {
        Self::Cut(root_cause(error))
    }
}

impl From<TransportFailure> for ConnectorError {
    fn from(failure: TransportFailure) -> Self {
        // Retries are ours, not the SDK's; the kind does not matter.
        ConnectorError::user(Box::new(failure))
    }
}

fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause.to_string()
}

fn find<'e, T: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

/// What to do about an attempt that did not succeed.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// AWS says that there is none.
    Absent,
    /// The token of the next page is no longer valid: the chain of pages must be started again.
    TokenExpired(Gap),
    /// Asked again later, it may succeed.
    Retry {
        /// The reason, if it does not.
        gap: Gap,
        /// AWS asked to be asked less often.
        throttled: bool,
    },
    /// The request was signed with a time that AWS does not accept.
    Skewed(Gap),
    /// Asking again would not change it.
    Final(Gap),
    /// The recording cannot be written: the run must stop.
    Stop(String),
}

/// Error codes by which AWS refuses the caller. An action that it may not do:
const DENIED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "Forbidden",
    "NotAuthorized",
    "UnauthorizedOperation",
];
/// Credentials that are not accepted (any more):
const REJECTED: [(&str, &str); 9] = [
    ("ExpiredToken", "the credentials have expired: renew them and run with --resume"),
    ("ExpiredTokenException", "the credentials have expired: renew them and run with --resume"),
    (
        "RequestExpired",
        "the credentials or the request have expired: renew them, check the clock, and run with --resume",
    ),
    (
        "InvalidClientTokenId",
        "the credentials are not accepted: check the access key, or whether the Region is enabled",
    ),
    (
        "UnrecognizedClientException",
        "the credentials are not accepted here: check the access key, or whether the Region is enabled",
    ),
    ("OptInRequired", "the account has not enabled the Region or the service"),
    ("SignatureDoesNotMatch", "the signature is wrong: check the secret access key and the clock"),
    ("InvalidSignatureException", "the signature is wrong: check the secret access key and the clock"),
    ("IncompleteSignature", "the signature is not accepted: check the credentials"),
];
/// Ways to say "slow down", which can come as HTTP 400, 429 or 503.
const THROTTLED: [&str; 11] = [
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "TooManyRequests",
    "PriorRequestNotComplete",
    "SlowDown",
    "LimitExceeded",
];
const BAD_TOKEN: [&str; 3] = ["InvalidNextTokenException", "InvalidNextToken", "InvalidMarker"];

/// Ways to say "our fault", which come as HTTP 500.
const FAULTS: [&str; 5] = ["InternalFailure", "ServiceFailure", "InternalServerException", "InternalError", "HTTP 5"];

/// Whether a call that ended with this gap may be answered if it is made again: by the same run, resumed.
pub fn may_pass(gap: &Gap) -> bool {
    if gap.kind == GapKind::Failed && FAULTS.iter().any(|code| gap.reason.starts_with(code)) {
        return true;
    }
    let passing = [
        "--resume",
        "no connection: ",
        "the connection was cut ",
        "no complete answer came ",
        "no answer came in time",
        "the answer is not complete: ",
        "throttled: ",
        "unavailable: ",
    ];
    gap.kind != GapKind::NotCollected && passing.iter().any(|text| gap.reason.contains(text))
}

/// Whether a replay failed because its recording has no such request.
pub fn is_not_recorded(error: &(dyn Error + 'static)) -> bool {
    matches!(find::<TransportFailure>(error), Some(TransportFailure::Replay(_)))
}

/// Judges the error of one attempt.
pub fn judge<E>(operation: Operation, error: &SdkError<E, HttpResponse>) -> Verdict
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    if let Some(failure) = find::<TransportFailure>(error) {
        let gap = Gap::new(GapKind::Failed, failure.to_string());
        return match failure {
            TransportFailure::CannotRecord(reason) => Verdict::Stop(reason.clone()),
            TransportFailure::Replay(_) => Verdict::Final(gap),
            _ => Verdict::Retry { gap, throttled: false },
        };
    }
    match error {
        SdkError::ServiceError(context) => {
            let status = context.raw().status().as_u16();
            if (200..300).contains(&status) {
                // So the SDK reports an answer that it could not read.
                let reason = format!("the answer cannot be read: {}", root_cause(error));
                return Verdict::Retry { gap: Gap::new(GapKind::Failed, reason), throttled: false };
            }
            judge_answer(operation, status, context.err().code(), context.err().message())
        }
        SdkError::ResponseError(context) => {
            let status = context.raw().status().as_u16();
            let gap = Gap::new(GapKind::Failed, format!("the answer cannot be read: {}", root_cause(error)));
            Verdict::Retry { gap, throttled: status == 429 || status == 503 }
        }
        SdkError::TimeoutError(_) => {
            Verdict::Retry { gap: Gap::new(GapKind::Failed, "no answer came in time"), throttled: false }
        }
        // Credentials that cannot be had (any more) end here: no request was sent.
        _ => Verdict::Final(Gap::new(GapKind::Denied, format!("the request could not be sent: {}", causes(error)))),
    }
}

/// Judges what AWS answered; the status is 0 where it is not known.
pub(super) fn judge_answer(operation: Operation, status: u16, code: Option<&str>, message: Option<&str>) -> Verdict {
    let said = match (code, message.map(str::trim).filter(|m| !m.is_empty())) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) if status == 0 => code.to_owned(),
        (Some(code), None) => format!("{code} (HTTP {status})"),
        (None, Some(message)) => format!("HTTP {status}: {message}"),
        (None, None) => format!("HTTP {status} without an error code"),
    };
    let code = code.unwrap_or_default();
    if operation.absent_codes().contains(&code) {
        return Verdict::Absent;
    }
    if BAD_TOKEN.contains(&code) {
        return Verdict::TokenExpired(Gap::new(GapKind::Failed, said));
    }
    if is_skew(code, message) {
        let remedy = "this computer's clock differs too much from AWS's: set it, and run with --resume";
        return Verdict::Skewed(Gap::new(GapKind::Denied, format!("{said} ({remedy})")));
    }
    if let Some((_, remedy)) = REJECTED.iter().find(|(rejected, _)| *rejected == code) {
        return Verdict::Final(Gap::new(GapKind::Denied, format!("{said} ({remedy})")));
    }
    let throttled =
        THROTTLED.contains(&code) || status == 429 || status == 503 || message.is_some_and(is_rate_exceeded);
    if throttled {
        // A 503 slows down as a throttle does, but only AWS's own words make it one.
        let named = THROTTLED.contains(&code) || status == 429 || message.is_some_and(is_rate_exceeded);
        let word = if named { "throttled" } else { "unavailable" };
        return Verdict::Retry { gap: Gap::new(GapKind::Failed, format!("{word}: {said}")), throttled: true };
    }
    if DENIED.contains(&code) || status == 401 || status == 403 {
        return Verdict::Final(Gap::new(GapKind::Denied, said));
    }
    if status >= 500 {
        return Verdict::Retry { gap: Gap::new(GapKind::Failed, said), throttled: false };
    }
    Verdict::Final(Gap::new(GapKind::Failed, said))
}

fn is_rate_exceeded(message: &str) -> bool {
    message.eq_ignore_ascii_case("rate exceeded")
}

/// Whether a request was refused for its time: <https://docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html>.
fn is_skew(code: &str, message: Option<&str>) -> bool {
    let signature = matches!(code, "SignatureDoesNotMatch" | "InvalidSignatureException" | "AuthFailure");
    let times = ["Signature expired", "Signature not yet current", "not yet valid"];
    matches!(code, "RequestTimeTooSkewed" | "RequestInTheFuture")
        || signature && message.is_some_and(|message| times.iter().any(|text| message.contains(text)))
}

/// An error with its causes, each said once.
pub(super) fn causes(error: &(dyn Error + 'static)) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut cause = Some(error);
    while let Some(error) = cause {
        let text = error.to_string();
        if !texts.iter().any(|t| t.contains(&text)) {
            texts.push(text);
        }
        cause = error.source();
    }
    texts.join(": ")
}

impl Verdict {
    /// The outcome of a call that ends with this verdict.
    pub fn outcome<T>(self, partial: Option<T>) -> Outcome<T> {
        match self {
            Verdict::Absent => Outcome::Absent,
            Verdict::TokenExpired(gap) | Verdict::Retry { gap, .. } | Verdict::Skewed(gap) | Verdict::Final(gap) => {
                Outcome::Missing { gap, partial }
            }
            Verdict::Stop(reason) => Outcome::Missing { gap: Gap::new(GapKind::Failed, reason), partial },
        }
    }
}
