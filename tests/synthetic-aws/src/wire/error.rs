//! Errors as each protocol's services send them.

use super::xml;
use super::{Call, Protocol};

/// An error of AWS: what the code is called in the protocol at hand, and its HTTP status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AwsError {
    pub(crate) code: String,
    pub(crate) message: String,
    pub(crate) status: u16,
}

impl AwsError {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), message: message.into(), status }
    }

    /// A modelled error of a JSON service: always 400.
    pub(crate) fn json(code: &str, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// Not authorised. IAM and STS answer 403 AccessDenied, JSON services 400, REST services 403.
    pub(crate) fn denied(call: &Call, caller_arn: &str) -> Self {
        let message = format!(
            "User: {caller_arn} is not authorized to perform: {}:{} because no identity-based policy allows the {}:{} action",
            call.service, call.operation, call.service, call.operation
        );
        match call.protocol {
            Protocol::Query => Self::new(403, "AccessDenied", message),
            Protocol::Json => Self::new(400, "AccessDeniedException", message),
            Protocol::Rest => Self::new(403, "AccessDeniedException", message),
            Protocol::Ec2 => Self::new(403, "UnauthorizedOperation", message),
        }
    }

    /// Too many requests. `status` overrides what the protocol's services usually answer.
    pub(crate) fn throttled(protocol: Protocol, status: Option<u16>) -> Self {
        match protocol {
            Protocol::Query => Self::new(status.unwrap_or(400), "Throttling", "Rate exceeded"),
            Protocol::Json => Self::new(status.unwrap_or(400), "ThrottlingException", "Rate exceeded"),
            Protocol::Rest => Self::new(status.unwrap_or(429), "TooManyRequestsException", "Too Many Requests"),
            Protocol::Ec2 => Self::new(status.unwrap_or(503), "RequestLimitExceeded", "Request limit exceeded."),
        }
    }

    /// A 5xx of the service itself.
    pub(crate) fn internal(protocol: Protocol, status: u16) -> Self {
        let code = match (protocol, status) {
            (Protocol::Ec2, 503) => "Unavailable",
            (Protocol::Ec2, _) => "InternalError",
            (_, 503) => "ServiceUnavailable",
            (Protocol::Query, _) => "ServiceFailure",
            (Protocol::Json, _) => "InternalFailure",
            (Protocol::Rest, _) => "InternalServerException",
        };
        Self::new(status, code, "The request processing has failed because of an unknown error, exception or failure.")
    }

    pub(crate) fn expired_token(protocol: Protocol) -> Self {
        let message = "The security token included in the request is expired";
        match protocol {
            Protocol::Query => Self::new(403, "ExpiredToken", message),
            Protocol::Json => Self::new(400, "ExpiredTokenException", message),
            Protocol::Rest => Self::new(403, "ExpiredTokenException", message),
            Protocol::Ec2 => Self::new(400, "RequestExpired", "Request has expired."),
        }
    }

    pub(crate) fn region_disabled(call: &Call) -> Self {
        match (call.protocol, call.service.as_str()) {
            (Protocol::Query, "sts") => Self::new(
                403,
                "RegionDisabledException",
                format!("STS is not activated in this region for account: {}", call.region),
            ),
            (Protocol::Ec2, _) => {
                Self::new(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
            }
            (Protocol::Query, _) => {
                Self::new(403, "InvalidClientTokenId", "The security token included in the request is invalid")
            }
            (Protocol::Json, _) => {
                Self::new(400, "UnrecognizedClientException", "The security token included in the request is invalid.")
            }
            (Protocol::Rest, _) => {
                Self::new(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
            }
        }
    }

    /// A token that is not the server's, or not this request's.
    pub(crate) fn invalid_token(call: &Call) -> Self {
        match (call.protocol, call.service.as_str()) {
            (Protocol::Query, _) => Self::new(400, "ValidationError", "Invalid Marker"),
            (Protocol::Json, _) => Self::json(
                "InvalidNextTokenException",
                "Invalid NextToken. The token is invalid or was used with other parameters.",
            ),
            (Protocol::Rest, _) => Self::new(400, "ValidationException", "Invalid NextToken"),
            (Protocol::Ec2, _) => Self::new(400, "InvalidPaginationToken", "Invalid NextToken"),
        }
    }

    /// The body that carries it.
    pub(crate) fn body(&self, call: &Call, request_id: &str) -> String {
        let (mut code, mut message) = (String::new(), String::new());
        xml::escape(&self.code, &mut code);
        xml::escape(&self.message, &mut message);
        match call.protocol {
            Protocol::Ec2 => format!(
                "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
            ),
            Protocol::Query => {
                let blame = if self.status < 500 { "Sender" } else { "Receiver" };
                format!(
                    "<ErrorResponse xmlns=\"{}\">\n  <Error>\n    <Type>{blame}</Type>\n    <Code>{code}</Code>\n    <Message>{message}</Message>\n  </Error>\n  <RequestId>{request_id}</RequestId>\n</ErrorResponse>\n",
                    call.namespace()
                )
            }
            Protocol::Json => {
                // CloudTrail writes Message, Config message; clients must take both.
                let key = if call.service == "cloudtrail" { "Message" } else { "message" };
                serde_json::json!({"__type": self.code, key: self.message}).to_string()
            }
            Protocol::Rest => serde_json::json!({"message": self.message}).to_string(),
        }
    }
}
