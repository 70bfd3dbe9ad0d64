//! A client small enough to see every byte: one request per connection, no SDK.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str()).unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// The text of the first such element.
    pub(crate) fn xml(&self, name: &str) -> Option<&str> {
        let from = self.body.find(&format!("<{name}>"))? + name.len() + 2;
        let to = self.body[from..].find(&format!("</{name}>"))? + from;
        Some(&self.body[from..to])
    }

    pub(crate) fn count(&self, name: &str) -> usize {
        self.body.matches(&format!("<{name}>")).count()
    }
}

pub(crate) struct Client {
    pub(crate) endpoint: String,
    pub(crate) region: &'static str,
}

impl Client {
    pub(crate) fn new(endpoint: String) -> Self {
        Self { endpoint, region: "us-east-1" }
    }

    pub(crate) fn send(&self, service: &str, path: &str, target: Option<&str>, body: &str) -> Reply {
        self.try_send(service, path, target, body).unwrap()
    }

    /// The reply, or how the connection failed.
    pub(crate) fn try_send(
        &self,
        service: &str,
        path: &str,
        target: Option<&str>,
        body: &str,
    ) -> std::io::Result<Reply> {
        let mut stream = TcpStream::connect(self.endpoint.trim_start_matches("http://"))?;
        stream.set_read_timeout(Some(Duration::from_millis(800)))?;
        let target = target.map(|t| format!("X-Amz-Target: {t}\r\n")).unwrap_or_default();
        let region = self.region;
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{target}Authorization: AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261001/{region}/{service}/aws4_request, SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let error = |what: &str| std::io::Error::new(std::io::ErrorKind::UnexpectedEof, what.to_owned());
        let (head, body) = text.split_once("\r\n\r\n").ok_or_else(|| error("no answer"))?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|l| l.split(' ').nth(1)).and_then(|s| s.parse().ok());
        let reply = Reply {
            status: status.ok_or_else(|| error("no status"))?,
            headers: lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_owned(), v.to_owned())).collect(),
            body: body.to_owned(),
        };
        if reply.header("content-length") != reply.body.len().to_string() {
            return Err(error("the body is shorter than its length"));
        }
        Ok(reply)
    }

    pub(crate) fn iam(&self, action: &str, parameters: &str) -> Reply {
        self.send("iam", "/", None, &format!("Action={action}&Version=2010-05-08{parameters}"))
    }

    pub(crate) fn cloudtrail(&self, operation: &str, body: &str) -> Reply {
        let target = format!("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.{operation}");
        self.send("cloudtrail", "/", Some(&target), body)
    }

    pub(crate) fn config(&self, operation: &str, body: &str) -> Reply {
        self.send("config", "/", Some(&format!("StarlingDoveService.{operation}")), body)
    }
}

/// A page token, percent-encoded for a form.
pub(crate) fn quoted(token: &str) -> String {
    token.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// Decodes percent-encoding only: a plus stays a plus.
pub(crate) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut out, mut i) = (Vec::new(), 0);
    while i < bytes.len() {
        if bytes[i] == b'%' {
            out.push(u8::from_str_radix(&text[i + 1..i + 3], 16).unwrap());
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8(out).unwrap()
}
