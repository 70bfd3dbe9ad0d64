//! JSON on several lines, changed in nothing but its white space: policy documents may name a key twice and write
//! numbers oddly, and the reader must see that.

use serde::de::IgnoredAny;

/// The text with four spaces for each level and a line feed at its end. Text that is not JSON stays as it is.
pub(super) fn pretty(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        out.push_str(text.trim_end_matches('\n'));
        out.push('\n');
        return out;
    }
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut escaped = false;
    let mut chars = text.chars().peekable();
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("    ", depth));
    };
    while let Some(c) = chars.next() {
        if in_text {
            out.push(c);
            in_text = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            c if is_space(c) => {}
            '"' => {
                in_text = true;
                out.push(c);
            }
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|next| is_space(*next)).is_some() {}
                if let Some(close) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(close);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            other => out.push(other),
        }
    }
    out.push('\n');
    out
}

/// JSON's white space.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r')
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn nothing_but_white_space_changes() {
        let text = "{\"a\":[{},[ ],1.50e3, \"x\\\"{ ,\\\\\"],\"a\" :\n{\"b\":null}}";
        let expected = "{\n    \"a\": [\n        {},\n        [],\n        1.50e3,\n        \"x\\\"{ ,\\\\\"\n    ],\n    \"a\": {\n        \"b\": null\n    }\n}\n";
        assert_eq!(pretty(text), expected);
        assert_eq!(pretty(expected), expected);
    }

    #[test]
    fn what_is_not_json_stays() {
        assert_eq!(pretty("{not json\n"), "{not json\n");
    }
}
