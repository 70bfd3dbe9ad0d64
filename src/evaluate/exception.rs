//! Which exception covers a failure.

use crate::evidence::Timestamp;
use crate::finding::Exception;
use crate::resource::Resource;

/// The first exception that covers a resource at a time.
pub(super) fn covering<'e>(
    exceptions: &[&'e Exception],
    resource: &Resource,
    as_of: Timestamp,
) -> Option<&'e Exception> {
    exceptions.iter().copied().find(|exception| {
        let pattern = &exception.resource;
        exception.holds_at(as_of) && (matches(pattern, &resource.id) || matches(pattern, &resource.name))
    })
}

/// Whether a text is of a pattern, in which `*` stands for any run of characters. Takes time linear in the text for each
/// part between stars, whatever the pattern.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text, expected) in [
            ("alice", "alice", true),
            ("alice", "alice2", false),
            ("*", "", true),
            ("svc-*", "svc-backup", true),
            ("*:user/*-bot", "arn:aws:iam::111122223333:user/ci-bot", true),
            ("*:user/*-bot", "arn:aws:iam::111122223333:user/ci-bots", false),
            ("a*a", "a", false),
            ("*é*", "café au lait", true),
            ("alice?", "alice1", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
