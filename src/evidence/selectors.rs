//! What the event selectors of a trail record.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html>

use super::cloudtrail::{AdvancedEventSelector, EventSelector, FieldSelector};
use std::collections::BTreeSet;

/// What a trail leaves out of one half, reads or writes, of the management events: one entry for each selector that
/// records the half, with the event sources that it excludes. An event is recorded if any selector matches it.
#[derive(Default)]
struct Half(Vec<BTreeSet<String>>);

impl Half {
    fn is_whole(&self) -> bool {
        let mut selectors = self.0.iter();
        let Some(first) = selectors.next() else { return false };
        selectors.fold(first.clone(), |common, other| common.intersection(other).cloned().collect()).is_empty()
    }
}

/// Which management events a trail's selectors record: `all`, `partial` or `none`.
pub fn management_events(basic: &[EventSelector], advanced: &[AdvancedEventSelector]) -> &'static str {
    let mut halves = [Half::default(), Half::default()];
    let mut some = false;
    let mut record = |read: bool, write: bool, excluded: BTreeSet<String>| {
        for (half, recorded) in halves.iter_mut().zip([read, write]) {
            if recorded {
                half.0.push(excluded.clone());
            }
        }
    };
    for selector in basic {
        // By default, management events are included, reads and writes
        // (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html>).
        if selector.include_management_events == Some(false) {
            continue;
        }
        some = true;
        let excluded = selector.exclude_management_event_sources.iter().cloned().collect();
        match selector.read_write_type.as_deref().unwrap_or("All") {
            "All" => record(true, true, excluded),
            "ReadOnly" => record(true, false, excluded),
            "WriteOnly" => record(false, true, excluded),
            _ => {}
        }
    }
    for selector in advanced.iter().filter(|selector| has_category(selector, "Management")) {
        some = true;
        if let Some((read, write, excluded)) = advanced_management(selector) {
            record(read, write, excluded);
        }
    }
    match (halves.iter().all(Half::is_whole), some) {
        (true, _) => "all",
        (false, true) => "partial",
        (false, false) => "none",
    }
}

/// Whether an advanced selector is about a category of events, such as `Data`.
pub fn has_category(selector: &AdvancedEventSelector, category: &str) -> bool {
    selector.field_selectors.iter().any(|field| {
        field.field.as_deref() == Some("eventCategory")
            && field.equals.iter().flatten().any(|value| value.eq_ignore_ascii_case(category))
    })
}

/// Whether an advanced selector records reads and writes, and the event sources that it leaves out. `None` if it
/// also narrows down what it records in another way.
fn advanced_management(selector: &AdvancedEventSelector) -> Option<(bool, bool, BTreeSet<String>)> {
    let (mut read, mut write, mut excluded) = (true, true, BTreeSet::new());
    for field in &selector.field_selectors {
        let partial = [&field.starts_with, &field.ends_with, &field.not_starts_with, &field.not_ends_with];
        if partial.iter().any(|values| values.as_ref().is_some_and(|values| !values.is_empty())) {
            return None;
        }
        let FieldSelector { equals, not_equals, .. } = field;
        let equals = equals.as_deref().unwrap_or_default();
        let not_equals = not_equals.as_deref().unwrap_or_default();
        match field.field.as_deref() {
            Some("eventCategory") if not_equals.is_empty() => {}
            Some("readOnly") => {
                let admits = |value: &str| {
                    (equals.is_empty() || equals.iter().any(|v| v == value)) && !not_equals.iter().any(|v| v == value)
                };
                read &= admits("true");
                write &= admits("false");
            }
            Some("eventSource") if equals.is_empty() => excluded.extend(not_equals.iter().cloned()),
            _ => return None,
        }
    }
    Some((read, write, excluded))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::cloudtrail::EventSelectors;

    fn recorded(json: &str) -> &'static str {
        let told: EventSelectors = serde_json::from_str(json).unwrap();
        management_events(&told.event_selectors.unwrap_or_default(), &told.advanced_event_selectors.unwrap_or_default())
    }

    #[test]
    fn basic_selectors_record_what_any_of_them_matches() {
        let all = r#"{"ReadWriteType": "All", "IncludeManagementEvents": true}"#;
        let reads = r#"{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": true}"#;
        let writes = r#"{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": true}"#;
        let no_kms = r#"{"ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}"#;
        let no_rds = r#"{"ReadWriteType": "All", "ExcludeManagementEventSources": ["rdsdata.amazonaws.com"]}"#;
        let data = r#"{"ReadWriteType": "All", "IncludeManagementEvents": false}"#;
        for (selectors, expected) in [
            (all.to_owned(), "all"),
            (reads.to_owned(), "partial"),
            (format!("{reads}, {writes}"), "all"),
            (no_kms.to_owned(), "partial"),
            (format!("{no_kms}, {no_rds}"), "all"),
            (format!("{no_kms}, {writes}"), "partial"),
            (data.to_owned(), "none"),
        ] {
            assert_eq!(recorded(&format!(r#"{{"EventSelectors": [{selectors}]}}"#)), expected, "{selectors}");
        }
    }

    #[test]
    fn advanced_selectors_record_what_all_their_fields_leave() {
        let category = |name: &str| format!(r#"{{"Field": "eventCategory", "Equals": ["{name}"]}}"#);
        let selector = |fields: &str| format!(r#"{{"FieldSelectors": [{}{fields}]}}"#, category("Management"));
        let reads = selector(r#", {"Field": "readOnly", "Equals": ["true"]}"#);
        let writes = selector(r#", {"Field": "readOnly", "Equals": ["false"]}"#);
        let no_kms = selector(r#", {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]}"#);
        let by_name = selector(r#", {"Field": "eventName", "NotStartsWith": ["Decrypt"]}"#);
        for (selectors, expected) in [
            (selector(""), "all"),
            (reads.clone(), "partial"),
            (format!("{reads}, {writes}"), "all"),
            (no_kms, "partial"),
            (by_name.clone(), "partial"),
            (format!("{by_name}, {}", selector("")), "all"),
            (format!(r#"{{"FieldSelectors": [{}]}}"#, category("Data")), "none"),
        ] {
            assert_eq!(recorded(&format!(r#"{{"AdvancedEventSelectors": [{selectors}]}}"#)), expected, "{selectors}");
        }
    }
}
