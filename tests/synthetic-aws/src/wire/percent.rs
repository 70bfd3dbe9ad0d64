//! Percent-encoding as RFC 3986 has it, and form bodies as the query protocol sends them.

const HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Encodes everything but the unreserved characters, a space as %20: how IAM encodes
/// [policy documents](https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html).
pub(crate) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(b as char);
        } else {
            out.push('%');
            out.push(HEX[(b >> 4) as usize] as char);
            out.push(HEX[(b & 15) as usize] as char);
        }
    }
    out
}

fn decode_form(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| (*b as char).to_digit(16)).map(|d| d as u8);
        match (bytes[i], hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                i += 3;
            }
            (b'+', ..) => {
                out.push(b' ');
                i += 1;
            }
            (b, ..) => {
                out.push(b);
                i += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The pairs of an `application/x-www-form-urlencoded` body, in order.
pub(crate) fn form(body: &str) -> Vec<(String, String)> {
    body.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode_form(key), decode_form(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_encoded_without_plus_signs() {
        assert_eq!(encode(r#"{"a": "b+c~é"}"#), "%7B%22a%22%3A%20%22b%2Bc~%C3%A9%22%7D");
    }

    #[test]
    fn forms_are_decoded() {
        assert_eq!(
            form("A=1&Filter.member.1=User&Marker=a%2Bb%3D+c&Empty="),
            [
                ("A".to_owned(), "1".to_owned()),
                ("Filter.member.1".to_owned(), "User".to_owned()),
                ("Marker".to_owned(), "a+b= c".to_owned()),
                ("Empty".to_owned(), String::new())
            ]
        );
        assert_eq!(form("x=%zz%4"), [("x".to_owned(), "%zz%4".to_owned())]);
    }
}
