//! What a file's bytes are: JSON, CSV, an error that the AWS CLI printed, or something else.

use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// A file's text, as far as it matters which operation it answers.
#[derive(Debug)]
pub(super) enum Text<'a> {
    /// A JSON object, by its members.
    Object(BTreeMap<String, &'a RawValue>),
    /// A JSON array.
    Array,
    /// A credential report.
    CredentialReport,
    /// What the AWS CLI prints when AWS answers with an error.
    Error(AwsError),
    /// Nothing.
    Empty,
    /// None of these, and why not.
    Other(String),
}

/// An error that AWS answered with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AwsError {
    /// Its code, such as `NoSuchEntity`.
    pub code: String,
    /// Its message; may be empty.
    pub message: String,
    /// The operation, where the text names it.
    pub operation: Option<String>,
}

/// The bytes as UTF-8: PowerShell writes `>` as UTF-16 with a byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let units = |convert: fn([u8; 2]) -> u16| -> Result<Cow<'_, str>, String> {
        let (pairs, rest) = bytes.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("it is UTF-16 text that is cut off".to_owned());
        }
        let text = char::decode_utf16(pairs.iter().skip(1).map(|pair| convert(*pair))).collect::<Result<String, _>>();
        text.map(Cow::Owned).map_err(|e| format!("it is not UTF-16 text: {e}"))
    };
    match bytes {
        [0xFF, 0xFE, ..] => units(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => units(u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(bytes);
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(|e| format!("it is not UTF-8 text: {e}"))
        }
    }
}

/// Finds out what a text is.
pub(super) fn classify(text: &str) -> Text<'_> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Text::Empty;
    }
    if let Some(error) = printed_error(trimmed) {
        return Text::Error(error);
    }
    if trimmed.starts_with("user,arn,") {
        return Text::CredentialReport;
    }
    match serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        Ok(members) => match object_error(&members) {
            Some(error) => Text::Error(error),
            None => Text::Object(members),
        },
        Err(_) if trimmed.starts_with('[') => Text::Array,
        Err(e) if trimmed.starts_with('{') => Text::Other(format!("its JSON cannot be read: {e}")),
        Err(_) => Text::Other("it is neither JSON nor a credential report".to_owned()),
    }
}

/// `An error occurred (NoSuchEntity) when calling the GetAccountPasswordPolicy operation: The Password Policy ...`,
/// which newer versions of the CLI print after `aws: [ERROR]: `.
fn printed_error(text: &str) -> Option<AwsError> {
    // In front of it stand at most warnings; a document that quotes such a text is none.
    if text.starts_with(['{', '[']) && !text.starts_with("[ERROR]") {
        return None;
    }
    let (_, rest) = text.split_once("An error occurred (")?;
    let (code, rest) = rest.split_once(')')?;
    let (_, rest) = rest.split_once("when calling the ")?;
    let (operation, rest) = rest.split_once(" operation")?;
    let rest = match rest.strip_prefix(" (reached max retries") {
        Some(rest) => rest.split_once(')').map_or(rest, |(_, rest)| rest),
        None => rest,
    };
    let message = rest.trim_start_matches(':').trim_start();
    let message = message.lines().next().unwrap_or_default().trim().to_owned();
    Some(AwsError { code: code.to_owned(), message, operation: Some(operation.to_owned()) })
}

/// `{"Error": {"Code": ..., "Message": ...}}`, `{"Code": ..., "Message": ...}` or `{"__type": ..., "message": ...}`.
fn object_error(members: &BTreeMap<String, &RawValue>) -> Option<AwsError> {
    let text = |members: &BTreeMap<String, &RawValue>, names: &[&str]| -> Option<String> {
        let raw = names.iter().find_map(|name| members.get(*name))?;
        serde_json::from_str(raw.get()).ok()
    };
    let inner = members.get("Error").and_then(|raw| serde_json::from_str(raw.get()).ok());
    let members = inner.as_ref().unwrap_or(members);
    let code = text(members, &["Code", "code", "__type", "ErrorCode", "errorCode"])?;
    let code = code.rsplit_once('#').map_or(code.as_str(), |(_, code)| code).to_owned();
    let message = text(members, &["Message", "message", "ErrorMessage", "errorMessage"]).unwrap_or_default();
    Some(AwsError { code, message, operation: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Option<AwsError> {
        match classify(text) {
            Text::Error(error) => Some(error),
            _ => None,
        }
    }

    #[test]
    fn errors_are_read_as_the_cli_prints_them() {
        let expected = AwsError {
            code: "NoSuchEntity".to_owned(),
            message: "The Password Policy with domain name 111122223333 cannot be found.".to_owned(),
            operation: Some("GetAccountPasswordPolicy".to_owned()),
        };
        let said = "An error occurred (NoSuchEntity) when calling the GetAccountPasswordPolicy operation: The Password Policy with domain name 111122223333 cannot be found.";
        assert_eq!(error(&format!("\n{said}\n")), Some(expected.clone()));
        assert_eq!(error(&format!("\naws: [ERROR]: {said}\n\nAdditional error details:\n")), Some(expected));
        let retried = "An error occurred (ThrottlingException) when calling the LookupEvents operation (reached max retries: 2): Rate exceeded";
        assert_eq!(
            error(retried).map(|e| (e.code, e.message)),
            Some(("ThrottlingException".into(), "Rate exceeded".into()))
        );
    }

    #[test]
    fn errors_are_read_from_json() {
        for text in [
            r#"{"Code": "AccessDenied", "Message": "no"}"#,
            r#"{"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {}}"#,
            r#"{"__type": "com.amazon.coral.service#AccessDenied", "message": "no"}"#,
        ] {
            let error = error(text).unwrap();
            assert_eq!((error.code.as_str(), error.message.as_str()), ("AccessDenied", "no"), "{text}");
        }
        assert_eq!(error(r#"{"AccountAliases": ["An error occurred (X) when calling the Y operation: z"]}"#), None);
    }

    #[test]
    fn texts_of_powershell_are_decoded() {
        let text = "{\"AccountAliases\": [\"é\"]}";
        let little: Vec<u8> = "\u{feff}"
            .chars()
            .chain(text.chars())
            .collect::<String>()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let big: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked = format!("\u{feff}{text}");
        for bytes in [little.as_slice(), big.as_slice(), marked.as_bytes(), text.as_bytes()] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
        assert!(decode(&little[..little.len() - 1]).is_err());
        assert!(decode(b"\xff\xfe\x00\xd8").is_err(), "half a surrogate pair");
        assert!(decode(b"\x80").is_err());
    }
}
