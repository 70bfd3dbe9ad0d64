//! Whether an answer came whole.
//!
//! The SDK's reader of XML takes a document that breaks off for one that ends: a list cut in its middle would be
//! read as a complete, shorter list. So nothing is handed to it that is not well-formed.

use xmlparser::{ElementEnd, Token, Tokenizer};

/// Checks that some bytes are one well-formed XML document.
pub(super) fn xml(body: &[u8]) -> Result<(), String> {
    let text = std::str::from_utf8(body).map_err(|e| format!("not UTF-8 text: {e}"))?;
    let mut open: Vec<&str> = Vec::new();
    let mut roots = 0;
    for token in Tokenizer::from(text) {
        match token.map_err(|e| format!("not XML: {e}"))? {
            Token::ElementStart { span, .. } => {
                roots += usize::from(open.is_empty());
                open.push(span.as_str().trim_start_matches('<'));
            }
            Token::ElementEnd { end: ElementEnd::Empty, .. } => {
                open.pop();
            }
            Token::ElementEnd { end: ElementEnd::Close(..), span } => {
                let name = span.as_str().trim_start_matches("</").trim_end_matches('>').trim_end();
                if open.pop() != Some(name) {
                    return Err(format!("</{name}> closes nothing"));
                }
            }
            _ => {}
        }
    }
    match (open.last(), roots) {
        (Some(name), _) => Err(format!("it breaks off within <{name}>")),
        (None, 1) => Ok(()),
        (None, _) => Err("it is not one document".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::xml;

    const ANSWER: &str =
        "<?xml version=\"1.0\"?>\n<A xmlns=\"https://example.com/\"><B/><C x='&lt;'>caf\u{e9}</C><B>1</B></A>\n";

    #[test]
    fn a_document_is_whole_at_its_end_and_nowhere_before() {
        assert_eq!(xml(ANSWER.as_bytes()), Ok(()));
        for end in 0..ANSWER.trim_end().len() {
            assert!(xml(&ANSWER.as_bytes()[..end]).is_err(), "{:?}", ANSWER.get(..end));
        }
    }

    #[test]
    fn two_documents_and_crossed_elements_are_refused() {
        assert!(xml(b"<A/><A/>").is_err());
        assert!(xml(b"<A><B></A></B>").is_err());
        assert!(xml(b"").is_err());
    }
}
