//! Policy documents as they arrive: the API percent-encodes them, the AWS CLI prints them as objects,
//! emulators and other tools leave them as JSON text.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::value::RawValue;
use std::fmt;

/// A policy document as JSON text, exactly as written by its author (RFC 3986 percent-encoding
/// removed once). It need not be valid: what cannot be parsed is judged by whoever reads it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyText(String);

impl PolicyText {
    /// A document from JSON text or from percent-encoded JSON text. A `+` stays a plus sign: IAM
    /// encodes by RFC 3986, not as a form.
    pub fn new(text: &str) -> Self {
        let trimmed = text.trim_start();
        if trimmed.starts_with('{') || !trimmed.starts_with('%') {
            return Self(text.to_owned());
        }
        match percent_decode_str(text).decode_utf8() {
            Ok(decoded) => Self(decoded.into_owned()),
            Err(_) => Self(text.to_owned()),
        }
    }

    /// The document's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for PolicyText {
    /// As the AWS CLI does: the object where it is JSON, else the text. The text between is kept
    /// byte by byte, so that duplicate keys and odd numbers survive. A text that still looks percent-encoded
    /// is encoded, so that whoever reads it back has the same.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serde_json::from_str::<&RawValue>(&self.0) {
            Ok(raw) if raw.get().starts_with('{') => raw.serialize(serializer),
            _ if Self::new(&self.0) != *self => serializer.collect_str(&utf8_percent_encode(&self.0, NON_ALPHANUMERIC)),
            _ => serializer.serialize_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match raw.get().as_bytes().first() {
            Some(b'{') => Ok(Self(raw.get().to_owned())),
            Some(b'"') => {
                let text: String = serde_json::from_str(raw.get()).map_err(de::Error::custom)?;
                Ok(Self::new(&text))
            }
            _ => Err(de::Error::custom("a policy document must be an object or a text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"Version":"2012-10-17","Statement":{"Sid":"a+b","Sid":"twice"}}"#;

    #[test]
    fn objects_texts_and_encoded_texts_give_the_same_document() {
        let encoded = percent_encoding::utf8_percent_encode(DOCUMENT, percent_encoding::NON_ALPHANUMERIC).to_string();
        for json in
            [DOCUMENT.to_owned(), serde_json::to_string(DOCUMENT).unwrap(), serde_json::to_string(&encoded).unwrap()]
        {
            assert_eq!(serde_json::from_str::<PolicyText>(&json).unwrap().as_str(), DOCUMENT, "{json}");
        }
    }

    #[test]
    fn the_text_is_decoded_once_only() {
        assert_eq!(PolicyText::new("%7B%22a%22%3A%22%2525%22%7D").as_str(), r#"{"a":"%25"}"#);
        assert_eq!(PolicyText::new(r#"{"a":"%25"}"#).as_str(), r#"{"a":"%25"}"#);
    }

    #[test]
    fn a_text_that_was_encoded_twice_is_read_back_as_it_was() {
        let encode = |text: &str| percent_encoding::utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let once = encode(DOCUMENT);
        let text = PolicyText::new(&encode(&once));
        assert_eq!(text.as_str(), once);
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(serde_json::from_str::<PolicyText>(&json).unwrap(), text, "{json}");
    }

    #[test]
    fn a_document_that_is_not_json_is_kept_as_text() {
        let text = PolicyText::new("not json");
        assert_eq!(serde_json::to_string(&text).unwrap(), "\"not json\"");
        assert_eq!(serde_json::to_string(&PolicyText::new(DOCUMENT)).unwrap(), DOCUMENT);
    }
}
