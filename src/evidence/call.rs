//! The identity of a call, and where its document lies in the package.

use super::digest::sha256;
use super::operation::{Operation, Scope};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Serialize, Serializer};
use std::fmt;

/// One API operation, in one Region or for the whole account, for one resource or for all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId {
    /// The operation.
    pub operation: Operation,
    /// The Region asked; `None` for a service that is global.
    pub region: Option<String>,
    /// The resource asked about (a name or an ARN), where the operation asks about one.
    pub resource: Option<String>,
}

impl CallId {
    /// A call that is made once for the account.
    pub fn global(operation: Operation) -> Self {
        Self { operation, region: None, resource: None }
    }

    /// A call that is made once in a Region.
    pub fn regional(operation: Operation, region: impl Into<String>) -> Self {
        Self { operation, region: Some(region.into()), resource: None }
    }

    /// The same call about one resource.
    pub fn about(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// The path of the call's document in a package and in a folder of AWS CLI output, below `evidence/`:
    /// `[<region>/]<service>/[<resource>/]<command>.<extension>`.
    pub fn document_path(&self) -> String {
        let op = self.operation;
        let file = match op {
            Operation::IamGetCredentialReport => "get-credential-report.csv".to_owned(),
            Operation::CloudTrailLookupEvents => "events.jsonl".to_owned(),
            _ => format!("{}.json", op.cli_command()),
        };
        let mut path = String::new();
        if let Some(region) = &self.region {
            path.push_str(&file_name(region));
            path.push('/');
        }
        path.push_str(op.service().cli_name());
        path.push('/');
        if let Some(resource) = &self.resource {
            path.push_str(&file_name(resource_label(op, resource)));
            path.push('/');
        }
        path + &file
    }
}

/// The part of a resource's ARN or name that names its folder: a trail's name rather than its ARN.
fn resource_label(op: Operation, resource: &str) -> &str {
    match op {
        Operation::CloudTrailGetTrailStatus | Operation::CloudTrailGetEventSelectors => {
            resource.rsplit_once(":trail/").map_or(resource, |(_, name)| name)
        }
        _ => resource,
    }
}

impl fmt::Display for CallId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.operation)?;
        if let Some(resource) = &self.resource {
            write!(f, " of {resource}")?;
        }
        if let Some(region) = &self.region {
            write!(f, " in {region}")?;
        }
        Ok(())
    }
}

impl Serialize for Operation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Scope {
    /// Whether an operation is asked about one resource at a time.
    pub fn is_per_resource(self) -> bool {
        matches!(self, Scope::PerGlobalResource | Scope::PerRegionalResource)
    }
}

/// What may stand in a file name as it is. The rest is percent-encoded, so that no name that comes
/// from AWS can leave its folder, hide, or mean something to a shell or to Windows.
const UNSAFE: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'@').remove(b'+').remove(b'=').remove(b',');

/// The longest file name that every common file system takes is 255 bytes; this leaves room for an ending.
const LONGEST: usize = 200;

/// A name from AWS as a file or folder name: readable where it can be, unambiguous always.
pub fn file_name(name: &str) -> String {
    let encoded = utf8_percent_encode(name, UNSAFE).to_string();
    let encoded = match encoded.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}"),
        None => encoded,
    };
    // Windows takes the last dot away, and a device for the file.
    let encoded = match encoded.strip_suffix('.') {
        Some(rest) => format!("{rest}%2E"),
        None => encoded,
    };
    let encoded = match encoded.as_bytes().first() {
        Some(first) if is_device(&encoded) => format!("%{first:02X}{}", encoded.get(1..).unwrap_or_default()),
        _ => encoded,
    };
    if encoded.is_empty() {
        return "%00".to_owned();
    }
    if encoded.len() <= LONGEST {
        return encoded;
    }
    // Percent-encoded text is ASCII, so that any index is a character boundary.
    format!("{}~{}", &encoded[..LONGEST - 17], &sha256(name.as_bytes())[..16])
}

/// Whether Windows takes a name, whatever its ending, for a device.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered =
        |of: &str| stem.strip_prefix(of).is_some_and(|n| n.len() == 1 && n.chars().all(|c| c.is_ascii_digit()));
    ["CON", "PRN", "AUX", "NUL"].contains(&stem.as_str()) || numbered("COM") || numbered("LPT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_named_by_the_cli_command_that_prints_them() {
        let path = |call: CallId| call.document_path();
        assert_eq!(path(CallId::global(Operation::IamGetAccountSummary)), "iam/get-account-summary.json");
        assert_eq!(path(CallId::global(Operation::IamGetCredentialReport)), "iam/get-credential-report.csv");
        assert_eq!(
            path(CallId::regional(Operation::CloudTrailLookupEvents, "eu-west-1")),
            "eu-west-1/cloudtrail/events.jsonl"
        );
        assert_eq!(
            path(
                CallId::regional(Operation::CloudTrailGetTrailStatus, "eu-west-1")
                    .about("arn:aws:cloudtrail:eu-west-1:111122223333:trail/main")
            ),
            "eu-west-1/cloudtrail/main/get-trail-status.json"
        );
        assert_eq!(
            path(CallId::regional(Operation::ConfigGetComplianceDetailsByConfigRule, "eu-west-1").about("a rule")),
            "eu-west-1/configservice/a%20rule/get-compliance-details-by-config-rule.json"
        );
    }

    #[test]
    fn no_name_leaves_its_folder() {
        assert_eq!(file_name("../../etc/passwd"), "%2E.%2F..%2Fetc%2Fpasswd");
        assert_eq!(file_name(".."), "%2E%2E");
        assert_eq!(file_name("."), "%2E");
        assert_eq!((file_name("rule."), file_name("a.b")), ("rule%2E".to_owned(), "a.b".to_owned()));
        assert_eq!((file_name("aux"), file_name("Com1.x")), ("%61ux".to_owned(), "%43om1.x".to_owned()));
        assert_eq!((file_name("auxiliary"), file_name("com10")), ("auxiliary".to_owned(), "com10".to_owned()));
        assert_eq!(file_name(""), "%00");
        assert_eq!(file_name("C:\\x\n"), "C%3A%5Cx%0A");
        let long = file_name(&"é".repeat(400));
        assert!(long.len() <= LONGEST);
        assert_ne!(long, file_name(&"é".repeat(401)));
    }
}
