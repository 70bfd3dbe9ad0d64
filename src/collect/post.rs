//! One request to somebody else than AWS: a time stamp authority, which is sent a digest and nothing more.
//!
//! It goes over the same TLS and proxy settings as the requests to AWS, carries no credentials and is not recorded.

use super::session;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use std::time::Duration;

/// How long one attempt may take.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait before each further attempt. An authority that is overloaded says so, and is asked again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// What is sent, and what must come back.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// The address, `http://` or `https://`.
    pub url: &'a str,
    /// The media type of what is sent.
    pub content_type: &'a str,
    /// The media type of what must come back.
    pub accept: &'a str,
    /// What is sent.
    pub body: &'a [u8],
    /// How many bytes may come back.
    pub most: usize,
}

/// Sends a request, and again if it did not arrive; the answer's body. Redirects are not followed.
///
/// # Errors
/// Cause and place in words: no connection, another status than 200, another media type, too long an answer.
pub async fn post(what: &Post<'_>) -> Result<Vec<u8>, String> {
    let mut pauses = PAUSES.iter();
    loop {
        match (attempt(what).await, pauses.next()) {
            (Ok(answer), _) => return Ok(answer),
            (Err(Refused { again: true, .. }), Some(pause)) => tokio::time::sleep(*pause).await,
            (Err(Refused { why, .. }), _) => return Err(why),
        }
    }
}

struct Refused {
    why: String,
    again: bool,
}

async fn attempt(what: &Post<'_>) -> Result<Vec<u8>, Refused> {
    let never = |why: String| Refused { why, again: false };
    let connector = session::connector(TIMEOUT).map_err(|e| never(e.to_string()))?;
    let mut request = HttpRequest::new(SdkBody::from(what.body));
    request.set_method("POST").map_err(|e| never(e.to_string()))?;
    request.set_uri(what.url).map_err(|e| never(format!("it is no address: {e}")))?;
    let headers = [("content-type", what.content_type), ("accept", what.accept), ("user-agent", USER_AGENT)];
    for (name, value) in headers {
        request.headers_mut().try_insert(name, value.to_owned()).map_err(|e| never(e.to_string()))?;
    }
    let timeout = tokio::time::timeout(TIMEOUT, async {
        let mut response = connector.call(request).await.map_err(|e| Refused { why: causes(&e), again: true })?;
        let status = response.status().as_u16();
        if status != 200 {
            let again = status == 429 || status >= 500;
            return Err(Refused { why: format!("it answered with status {status}, not 200"), again });
        }
        let kind = response.headers().get("content-type").unwrap_or_default().to_ascii_lowercase();
        if kind.split(';').next().map(str::trim) != Some(what.accept) {
            return Err(never(format!("it answered with `{}`, not {}", kind.escape_debug(), what.accept)));
        }
        read(response.take_body(), what.most).await
    });
    timeout.await.unwrap_or_else(|_| {
        let why = format!("it did not answer within {} seconds", TIMEOUT.as_secs());
        Err(Refused { why, again: true })
    })
}

const USER_AGENT: &str = concat!("auditpack/", env!("CARGO_PKG_VERSION"));

/// The body, if it is not longer than it may be.
async fn read(body: SdkBody, most: usize) -> Result<Vec<u8>, Refused> {
    use http_body_util::BodyExt as _;
    let limited = http_body_util::Limited::new(body, most);
    match limited.collect().await {
        Ok(all) => Ok(all.to_bytes().to_vec()),
        Err(e) => Err(Refused { why: format!("its answer could not be read: {e}"), again: false }),
    }
}

/// An error with what it came from.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        next = cause.source();
    }
    text
}
