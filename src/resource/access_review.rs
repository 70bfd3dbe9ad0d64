//! The last access review, as its record tells: the one row that AWS does not.
//!
//! Without a record there is a row too: that nobody showed a review is itself what an auditor must see, and an empty
//! population would read as "does not apply".

use super::build::{Row, population};
use super::{Kind, Population, Unknown};
use crate::evidence::{CallId, Operation, Timestamp};
use crate::finding::Pointer;
use chrono::NaiveDate;
use std::sync::Arc;

/// What the record of a closed review says, as far as it is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastReview {
    /// Where the package shows it.
    pub register: Pointer,
    /// The record's package, if it is not this one.
    pub record: Option<RecordOrigin>,
    /// The account that it is about.
    pub account: Option<String>,
    /// The as-of time of the population.
    pub opened: Timestamp,
    /// The as-of time of the later evidence.
    pub closed: Timestamp,
    /// The last day for decisions and follow-up.
    pub due: NaiveDate,
    /// The SHA-256 of the frozen population.
    pub population_sha256: String,
    /// How many rows were frozen.
    pub rows: u64,
    /// Why there may have been more.
    pub incomplete: Vec<String>,
    /// How many are older than the review, as the later evidence shows, and were not frozen.
    pub missing: u64,
    /// How many rows nobody decided.
    pub undecided: u64,
    /// The day of the last decision.
    pub last_decision: Option<NaiveDate>,
    /// How many changes were decided and made.
    pub changes_made: u64,
    /// How many were decided and not made.
    pub changes_not_made: u64,
    /// How many were decided, and whether they were made the evidence does not tell.
    pub changes_unproven: u64,
    /// Who of management acknowledged it, and when.
    pub acknowledged: Option<(String, NaiveDate)>,
    /// When the review before was closed. The outer `None` is no review before, the inner one that it was never closed.
    pub previous_closed: Option<Option<Timestamp>>,
}

/// Which package a record was taken from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RecordOrigin {
    /// The file's name.
    pub name: String,
    /// The SHA-256 of the zip.
    pub sha256: String,
    /// The SHA-256 of its manifest.json.
    pub manifest_sha256: String,
}

/// The population of one: the last review, or that there is none on record.
pub(super) fn access_review(review: Option<&LastReview>, account: Option<&str>, as_of: Timestamp) -> Population {
    let mut row = Row::new(Kind::AccessReview, "access review", None, None);
    // The population and the follow-up of a review rest on this call.
    let operation = Operation::IamGetAccountAuthorizationDetails;
    let unknown = |reason: String| Arc::new(Unknown { call: CallId::global(operation), reason });
    let Some(review) = review else {
        row.seen(operation, Pointer { file: "manifest.json".into(), at: "/review".into() });
        row.known("on_record", false);
        for field in Kind::AccessReview.schema().fields.iter().filter(|field| field.name != "on_record") {
            row.known(field.name, None::<bool>);
        }
        return population(Kind::AccessReview, vec![row], None, None);
    };
    row.seen(operation, review.register.clone());
    if review.account.as_deref() != account || account.is_none() {
        let of = review.account.as_deref().unwrap_or("an account that is not known");
        let reason = unknown(format!("the record that was given is of {of}, not of this account"));
        for field in Kind::AccessReview.schema().fields {
            row.set(field.name, Err::<bool, _>(reason.clone()));
        }
        return population(Kind::AccessReview, vec![row], None, Some(review.register.clone()));
    }
    let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    row.known("on_record", true);
    row.known("opened", review.opened.zulu());
    row.known("closed", review.closed.zulu());
    row.known("due", review.due.to_string());
    row.set(
        "age_days",
        if review.closed > as_of {
            Err(unknown(format!("the review was closed as of {}, after this evidence", review.closed)))
        } else {
            Ok(review.closed.days_until(as_of))
        },
    );
    row.known("rows", count(review.rows));
    row.set(
        "complete",
        match review.incomplete.first() {
            _ if review.missing > 0 => Ok(false),
            None => Ok(true),
            Some(first) => {
                Err(unknown(format!("there may be more than the {} rows that were frozen: {first}", review.rows)))
            }
        },
    );
    row.known("missing", count(review.missing));
    row.known("undecided", count(review.undecided));
    row.known("last_decision", review.last_decision.map(|day| day.to_string()));
    row.known("days_late", (review.closed.0.date_naive() - review.due).num_days().max(0));
    let changes = review.changes_made + review.changes_not_made + review.changes_unproven;
    row.known("changes", count(changes));
    row.known("changes_not_made", count(review.changes_not_made));
    row.known("changes_unproven", count(review.changes_unproven));
    row.set(
        "followed_up",
        match (review.changes_not_made, review.changes_unproven) {
            (1.., _) => Ok(false),
            (0, 0) => Ok(true),
            (0, unproven) => Err(unknown(format!(
                "of {changes} changes that were decided, the later evidence does not tell of {unproven} whether they were made"
            ))),
        },
    );
    row.known("acknowledged_by", review.acknowledged.as_ref().map(|(by, _)| by.as_str()));
    row.known("acknowledged_on", review.acknowledged.as_ref().map(|(_, on)| on.to_string()));
    let in_order = |on: &NaiveDate| review.last_decision.is_none_or(|last| last <= *on);
    row.known("acknowledged_after_decisions", review.acknowledged.as_ref().is_some_and(|(_, on)| in_order(on)));
    row.known("has_previous", review.previous_closed.is_some());
    let gap = |previous: Timestamp| previous.days_until(review.closed);
    row.known("days_since_previous", review.previous_closed.flatten().map(gap));
    population(Kind::AccessReview, vec![row], None, Some(review.register.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Text;
    use crate::resource::{FieldValue, Resource, Value};

    const ACCOUNT: &str = "111122223333";

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(text).unwrap()
    }

    fn review() -> LastReview {
        LastReview {
            register: Pointer { file: "review/register.json".into(), at: Text::default() },
            record: None,
            account: Some(ACCOUNT.to_owned()),
            opened: time("2026-10-01T09:00:00Z"),
            closed: time("2026-10-14T09:00:00Z"),
            due: "2026-10-31".parse().unwrap(),
            population_sha256: "00".to_owned(),
            rows: 3,
            incomplete: Vec::new(),
            missing: 0,
            undecided: 0,
            last_decision: Some("2026-10-05".parse().unwrap()),
            changes_made: 2,
            changes_not_made: 0,
            changes_unproven: 0,
            acknowledged: Some(("Mo".to_owned(), "2026-10-05".parse().unwrap())),
            previous_closed: None,
        }
    }

    fn row(review: Option<&LastReview>, as_of: &str) -> Resource {
        let mut rows = access_review(review, Some(ACCOUNT), time(as_of)).rows;
        assert_eq!(rows.len(), 1, "there is a row in any case");
        let row = rows.remove(0);
        assert_eq!(row.fields.iter().count(), Kind::AccessReview.schema().fields.len());
        row
    }

    fn unknown(row: &Resource, field: &str) -> Option<String> {
        match row.fields.get(field).unwrap() {
            FieldValue::Unknown(unknown) => Some(unknown.reason.clone()),
            FieldValue::Known(_) => None,
        }
    }

    #[test]
    fn without_a_record_only_that_is_known() {
        let row = row(None, "2026-10-20T09:00:00Z");
        assert_eq!(row.fields.get("on_record").unwrap().known(), Some(&Value::Bool(false)));
        assert_eq!(row.fields.get("age_days").unwrap().known(), Some(&Value::Null));
    }

    #[test]
    fn the_age_counts_from_the_closing_and_is_not_known_of_a_review_from_after_the_evidence() {
        let review = review();
        let age = |as_of| row(Some(&review), as_of).fields.get("age_days").unwrap().known().cloned();
        assert_eq!(age("2027-01-14T09:00:00Z"), Some(Value::Int(92)));
        assert_eq!(age("2026-10-14T09:00:00Z"), Some(Value::Int(0)));
        let early = row(Some(&review), "2026-10-14T08:59:59Z");
        assert!(unknown(&early, "age_days").unwrap().contains("after this evidence"));
    }

    #[test]
    fn what_the_evidence_does_not_tell_is_unknown_and_what_was_not_done_is_false() {
        let mut review = review();
        review.changes_unproven = 1;
        let unproven = row(Some(&review), "2026-10-20T09:00:00Z");
        assert!(unknown(&unproven, "followed_up").unwrap().contains("of 3 changes"));
        review.changes_not_made = 1;
        let not_made = row(Some(&review), "2026-10-20T09:00:00Z");
        assert_eq!(not_made.fields.get("followed_up").unwrap().known(), Some(&Value::Bool(false)));
        review.incomplete.push("users: denied".to_owned());
        assert!(unknown(&row(Some(&review), "2026-10-20T09:00:00Z"), "complete").unwrap().contains("users: denied"));
        review.missing = 1;
        let missing = row(Some(&review), "2026-10-20T09:00:00Z");
        assert_eq!(
            missing.fields.get("complete").unwrap().known(),
            Some(&Value::Bool(false)),
            "what is proven is not unknown"
        );
    }

    #[test]
    fn an_acknowledgement_from_before_the_last_decision_is_none() {
        let mut review = review();
        let given = |review: &LastReview| {
            row(Some(review), "2026-10-20T09:00:00Z")
                .fields
                .get("acknowledged_after_decisions")
                .unwrap()
                .known()
                .cloned()
        };
        assert_eq!(given(&review), Some(Value::Bool(true)));
        review.acknowledged = Some(("Mo".to_owned(), "2026-10-04".parse().unwrap()));
        assert_eq!(given(&review), Some(Value::Bool(false)));
    }

    #[test]
    fn the_record_of_another_account_tells_nothing() {
        let mut review = review();
        review.account = Some("444455556666".to_owned());
        let row = row(Some(&review), "2026-10-20T09:00:00Z");
        for field in Kind::AccessReview.schema().fields {
            assert!(unknown(&row, field.name).unwrap().contains("444455556666"), "{}", field.name);
        }
    }
}
