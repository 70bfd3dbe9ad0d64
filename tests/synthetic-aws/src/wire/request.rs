//! What a request asks for: protocol, service, operation, Region, parameters.

use chrono::{DateTime, TimeZone, Utc};
use serde_json::Value;

use super::{AwsError, percent};
use crate::ids;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Query,
    Json,
    Rest,
    /// The query protocol of EC2, whose answers and errors have shapes of their own.
    Ec2,
}

#[derive(Clone, Debug)]
enum Parameters {
    Form(Vec<(String, String)>),
    Json(Value),
}

/// One API request.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) protocol: Protocol,
    /// The signing name: iam, sts, ec2, cloudtrail, config, account.
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) region: String,
    pub(crate) access_key: String,
    pub(crate) body: String,
    parameters: Parameters,
    /// A fault wants an empty page with a token.
    pub(crate) empty_page: bool,
    /// A fault wants the page to be the last, whatever follows it.
    pub(crate) last_page: bool,
    /// A fault wants the last page to lead back to the second.
    pub(crate) loop_pages: bool,
}

/// The prefixes of X-Amz-Target. CloudTrail takes two: that of its API model, which boto3 and the AWS CLI send,
/// and the bare name of the service shape, which the SDK for Rust sends.
const TARGETS: [(&str, &str); 3] = [
    ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.", "cloudtrail"),
    ("CloudTrail_20131101.", "cloudtrail"),
    ("StarlingDoveService.", "config"),
];

/// The paths of Account Management, the one REST service here.
const PATHS: [(&str, &str); 2] = [("/listRegions", "ListRegions"), ("/getAccountInformation", "GetAccountInformation")];

/// What of an HTTP request matters.
pub(crate) struct Raw<'a> {
    pub(crate) path: &'a str,
    pub(crate) authorization: Option<&'a str>,
    pub(crate) target: Option<&'a str>,
    pub(crate) body: String,
}

impl Call {
    /// Reads a request. A request that cannot be read still has a protocol to answer in, so the
    /// error comes with the call as far as it was understood.
    pub(crate) fn read(raw: Raw<'_>) -> Result<Call, Box<(Call, AwsError)>> {
        let scope = raw.authorization.and_then(Scope::read);
        let mut call = Call {
            protocol: Protocol::Query,
            service: scope.as_ref().map(|s| s.service.clone()).unwrap_or_default(),
            operation: String::new(),
            region: scope.as_ref().map(|s| s.region.clone()).unwrap_or_default(),
            access_key: scope.as_ref().map(|s| s.key.clone()).unwrap_or_default(),
            body: raw.body,
            parameters: Parameters::Form(Vec::new()),
            empty_page: false,
            last_page: false,
            loop_pages: false,
        };
        let refuse = |call: Call, error: AwsError| Err(Box::new((call, error)));
        let is_json = if let Some(target) = raw.target {
            call.protocol = Protocol::Json;
            let known = TARGETS.iter().find_map(|(prefix, service)| Some((target.strip_prefix(prefix)?, *service)));
            // a service that this server does not have is refused later, by its name
            let scoped = || (target.rsplit('.').next().unwrap_or(target), call.service.as_str());
            let (operation, service) = known.unwrap_or_else(scoped);
            (call.operation, call.service) = (operation.to_owned(), service.to_owned());
            true
        } else if let Some((_, operation)) = PATHS.iter().find(|(path, _)| *path == raw.path) {
            call.protocol = Protocol::Rest;
            (call.operation, call.service) = ((*operation).to_owned(), "account".to_owned());
            true
        } else {
            false
        };
        if !is_json && raw.path != "/" {
            // a service that this server does not have, in whatever format
            call.protocol = Protocol::Rest;
            call.operation = raw.path.to_owned();
        } else if is_json {
            let text = if call.body.trim().is_empty() { "{}" } else { call.body.as_str() };
            match serde_json::from_str::<Value>(text) {
                Ok(value @ Value::Object(_)) => call.parameters = Parameters::Json(value),
                _ => return refuse(call, AwsError::new(400, "SerializationException", "")),
            }
        } else {
            let pairs = percent::form(&call.body);
            let get = |name: &str| pairs.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str());
            call.operation = get("Action").unwrap_or_default().to_owned();
            if call.service.is_empty() {
                call.service = match get("Version") {
                    Some("2010-05-08") => "iam",
                    _ => "sts",
                }
                .to_owned();
            }
            if call.service == "ec2" {
                call.protocol = Protocol::Ec2;
            }
            call.parameters = Parameters::Form(pairs);
            if call.operation.is_empty() {
                return refuse(call, AwsError::new(400, "MissingAction", "Missing Action"));
            }
        }
        if scope.is_none() {
            let error = match call.protocol {
                Protocol::Json => AwsError::json("MissingAuthenticationTokenException", "Missing Authentication Token"),
                Protocol::Rest => {
                    AwsError::new(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
                }
                Protocol::Query | Protocol::Ec2 => {
                    AwsError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token")
                }
            };
            return refuse(call, error);
        }
        Ok(call)
    }

    /// The XML namespace of a query service.
    pub(crate) fn namespace(&self) -> &'static str {
        match self.service.as_str() {
            "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
            "ec2" => "http://ec2.amazonaws.com/doc/2016-11-15/",
            _ => "https://iam.amazonaws.com/doc/2010-05-08/",
        }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match &self.parameters {
            Parameters::Form(pairs) => pairs.iter().find(|(k, _)| k == name).map(|(_, v)| v.as_str()),
            Parameters::Json(value) => value.get(name)?.as_str(),
        }
    }

    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match &self.parameters {
            Parameters::Form(_) => self.text(name)?.parse().ok(),
            Parameters::Json(value) => value.get(name)?.as_i64(),
        }
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        match &self.parameters {
            Parameters::Form(_) => self.text(name).map(|v| v == "true"),
            Parameters::Json(value) => value.get(name)?.as_bool(),
        }
    }

    /// A JSON timestamp: seconds since the epoch, with or without a fraction.
    pub(crate) fn time(&self, name: &str) -> Option<DateTime<Utc>> {
        let seconds = match &self.parameters {
            Parameters::Form(_) => return self.text(name)?.parse().ok(),
            Parameters::Json(value) => value.get(name)?.as_f64()?,
        };
        // 1970 to 2200: sums and differences of such times cannot overflow
        let millis = (seconds * 1000.0).round().clamp(0.0, 7_258_118_400_000.0) as i64;
        Utc.timestamp_millis_opt(millis).single()
    }

    /// A list of texts: `name.member.N` in a form, an array in JSON.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        match &self.parameters {
            Parameters::Form(pairs) => {
                let prefix = format!("{name}.member.");
                let values = pairs.iter().filter(|(k, _)| k.starts_with(&prefix));
                values.map(|(_, v)| v.clone()).collect()
            }
            Parameters::Json(value) => value
                .get(name)
                .and_then(Value::as_array)
                .map(|a| a.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
                .unwrap_or_default(),
        }
    }

    /// The values of a form's `name.1`, `name.2`, ...: how EC2 writes lists.
    pub(crate) fn numbered(&self, name: &str) -> Vec<String> {
        let Parameters::Form(pairs) = &self.parameters else { return Vec::new() };
        let prefix = format!("{name}.");
        pairs.iter().filter(|(k, _)| k.starts_with(&prefix)).map(|(_, v)| v.clone()).collect()
    }

    /// A nested JSON value.
    pub(crate) fn value(&self, name: &str) -> Option<&Value> {
        match &self.parameters {
            Parameters::Form(_) => None,
            Parameters::Json(value) => value.get(name),
        }
    }

    pub(crate) fn page_token(&self) -> Option<&str> {
        ["NextToken", "nextToken", "Marker"].iter().find_map(|name| self.text(name))
    }

    /// A hash of what a page token is bound to: everything but the token and, in IAM and Config, the
    /// page size.
    pub(crate) fn scope(&self) -> u64 {
        const LOOSE: [&str; 6] = ["NextToken", "nextToken", "Marker", "MaxItems", "Limit", "limit"];
        let mut text = format!("{}\n{}\n{}\n", self.service, self.operation, self.region);
        match &self.parameters {
            Parameters::Form(pairs) => {
                let mut pairs: Vec<_> = pairs.iter().filter(|(k, _)| !LOOSE.contains(&k.as_str())).collect();
                pairs.sort();
                for (key, value) in pairs {
                    text.push_str(&format!("{key}={value}\n"));
                }
            }
            Parameters::Json(Value::Object(map)) => {
                for (key, value) in map.iter().filter(|(k, _)| !LOOSE.contains(&k.as_str())) {
                    text.push_str(&format!("{key}={value}\n"));
                }
            }
            Parameters::Json(_) => {}
        }
        ids::hash(text.as_bytes())
    }
}

/// The credential scope of a
/// [SigV4 Authorization header](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html):
/// `Credential=KEY/DATE/REGION/SERVICE/aws4_request`.
struct Scope {
    key: String,
    region: String,
    service: String,
}

impl Scope {
    fn read(authorization: &str) -> Option<Scope> {
        let rest = authorization.split("Credential=").nth(1)?;
        let credential = rest.split(',').next()?.trim();
        let mut parts = credential.rsplitn(5, '/');
        let (_, service, region) = (parts.next()?, parts.next()?, parts.next()?);
        let (_, key) = (parts.next()?, parts.next()?);
        Some(Scope { key: key.to_owned(), region: region.to_owned(), service: service.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str, target: Option<&str>, service: &str, body: &str) -> Call {
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261001/eu-west-1/{service}/aws4_request, SignedHeaders=host, Signature=00"
        );
        Call::read(Raw { path, authorization: Some(&authorization), target, body: body.to_owned() }).unwrap()
    }

    #[test]
    fn the_three_protocols_are_told_apart() {
        let query = read("/", None, "iam", "Action=ListRoles&Version=2010-05-08&MaxItems=7");
        assert_eq!((query.protocol, query.operation.as_str()), (Protocol::Query, "ListRoles"));
        assert_eq!(query.integer("MaxItems"), Some(7));
        let json = read(
            "/",
            Some("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"),
            "cloudtrail",
            r#"{"StartTime": 1790000000.25}"#,
        );
        assert_eq!((json.service.as_str(), json.region.as_str()), ("cloudtrail", "eu-west-1"));
        assert_eq!(json.time("StartTime").unwrap().timestamp_millis(), 1_790_000_000_250);
        let rust = read("/", Some("CloudTrail_20131101.LookupEvents"), "cloudtrail", "{}");
        assert_eq!((rust.service.as_str(), rust.operation.as_str()), ("cloudtrail", "LookupEvents"));
        assert_eq!(read("/listRegions", None, "account", "{}").operation, "ListRegions");
    }

    #[test]
    fn the_scope_ignores_token_and_page_size_but_not_the_window() {
        let of = |body: &str| read("/", Some("StarlingDoveService.X"), "config", body).scope();
        assert_eq!(of(r#"{"A":1,"NextToken":"x","Limit":3}"#), of(r#"{"A":1}"#));
        assert_ne!(of(r#"{"A":1}"#), of(r#"{"A":2}"#));
    }

    #[test]
    fn unsigned_requests_are_refused() {
        let raw = Raw {
            path: "/",
            authorization: None,
            target: None,
            body: "Action=ListRoles&Version=2010-05-08".to_owned(),
        };
        let (call, error) = *Call::read(raw).unwrap_err();
        assert_eq!((call.service.as_str(), error.status), ("iam", 403));
    }
}
