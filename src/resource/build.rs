//! What the families share: documents with their gaps, the building of rows, ages.
//!
//! A fact is a value or the reason why there is none. Nothing here turns a missing answer into a value: a source that
//! gave no complete answer hands out the reason, and every fact that needs the source passes it on.

use super::{FieldValue, Fields, Kind, Population, Resource, Unknown, Value};
use crate::evidence::identity::ListRegions;
use crate::evidence::{CallId, Document, Evidence, Operation, Outcome, Timestamp};
use crate::finding::{Pointer, Text};
use chrono::TimeDelta;
use std::sync::Arc;

/// A value of some type, or why there is none.
pub(super) type Fact<T> = Result<T, Arc<Unknown>>;

/// Whatever is further ahead of the as-of time is not explained by a long run or a clock that is wrong.
const LONGEST_RUN: TimeDelta = TimeDelta::hours(24);

/// One call's document and the gap that it leaves, if it leaves one.
#[derive(Debug)]
pub(super) struct Source<'a, D> {
    call: CallId,
    file: Text,
    outcome: Outcome<&'a D>,
    gap: Option<Arc<Unknown>>,
}

impl<'a, D: Document> Source<'a, D> {
    /// The source that a call is.
    pub fn of(evidence: &'a Evidence, call: CallId) -> Self {
        let outcome = evidence.get::<D>(&call);
        let reason = match &outcome {
            Outcome::Collected(_) => None,
            Outcome::Absent => Some("absent: AWS says that there is none".to_owned()),
            Outcome::Missing { gap, .. } => Some(gap.to_string()),
        };
        let gap = reason.map(|reason| Arc::new(Unknown { call: call.clone(), reason }));
        Self { file: document_file(&call), call, outcome, gap }
    }

    /// A call that is made once for the account.
    pub fn global(evidence: &'a Evidence) -> Self {
        Self::of(evidence, CallId::global(D::OPERATION))
    }

    /// A call that is made once in a Region.
    pub fn regional(evidence: &'a Evidence, region: &str) -> Self {
        Self::of(evidence, CallId::regional(D::OPERATION, region))
    }

    /// The complete document, or why there is none.
    pub fn whole(&self) -> Fact<&'a D> {
        match (&self.gap, &self.outcome) {
            (None, Outcome::Collected(document)) => Ok(*document),
            (Some(gap), _) => Err(gap.clone()),
            (None, _) => Err(self.unknown("there is no complete answer")),
        }
    }

    /// Whether AWS says that there is none.
    pub fn is_absent(&self) -> bool {
        matches!(self.outcome, Outcome::Absent)
    }

    /// Whatever arrived. For lists of what is there, never for what is not.
    pub fn arrived(&self) -> Option<&'a D> {
        self.outcome.arrived().copied()
    }

    /// Why the answer is not complete, if it is not.
    pub fn gap(&self) -> Option<&Arc<Unknown>> {
        self.gap.as_ref()
    }

    /// The reason for a value that a document which did arrive does not tell.
    pub fn unknown(&self, reason: impl Into<String>) -> Arc<Unknown> {
        Arc::new(Unknown { call: self.call.clone(), reason: reason.into() })
    }

    /// A value that AWS always tells. Without it, nothing is concluded.
    pub fn told<T>(&self, value: Option<T>, name: &str) -> Fact<T> {
        value.ok_or_else(|| self.unknown(format!("the answer does not tell {name}")))
    }

    /// Whole days from a time that the answer tells to the one that ages are counted to. What happened after that one,
    /// while the run was going on, is no day ago; but a time that is further ahead than a run lasts is wrong, and with
    /// it every conclusion from it.
    pub fn days(&self, from: Timestamp, to: Timestamp, what: &str) -> Fact<i64> {
        self.not_ahead(from, to, what).map(|()| from.days_until(to).max(0))
    }

    /// Whole hours, as [`Source::days`].
    pub fn hours(&self, from: Timestamp, to: Timestamp, what: &str) -> Fact<i64> {
        self.not_ahead(from, to, what).map(|()| (to.0 - from.0).num_hours().max(0))
    }

    fn not_ahead(&self, from: Timestamp, to: Timestamp, what: &str) -> Fact<()> {
        match from.0 - to.0 > LONGEST_RUN {
            true => Err(self.unknown(format!("the answer gives {from} for {what}, which is later than {to}"))),
            false => Ok(()),
        }
    }

    /// What is not found in the document: the gap if the list is cut off, else that the answer does not list it.
    pub fn not_listed(&self, what: &str) -> Arc<Unknown> {
        match &self.gap {
            Some(gap) => gap.clone(),
            None => self.unknown(format!("the answer does not list {what}")),
        }
    }

    /// The call.
    pub fn call(&self) -> &CallId {
        &self.call
    }

    /// A place in the document.
    pub fn at(&self, place: impl Into<Text>) -> Pointer {
        Pointer { file: self.file.clone(), at: place.into() }
    }

    /// The document itself, if any of it arrived.
    pub fn document(&self) -> Option<Pointer> {
        self.arrived().map(|_| self.at(""))
    }
}

/// Where a call's document lies in the package.
fn document_file(call: &CallId) -> Text {
    format!("evidence/{}", call.document_path()).into()
}

/// The Regions in scope, and why there may be more.
#[derive(Debug)]
pub(super) struct Regions<'a> {
    /// Their names, sorted.
    pub names: Vec<&'a str>,
    /// The list that they come from.
    pub source: Source<'a, ListRegions>,
    gap: Option<Arc<Unknown>>,
}

impl<'a> Regions<'a> {
    /// The Regions that the evidence is about.
    pub fn of(evidence: &'a Evidence) -> Self {
        let source = Source::global(evidence);
        let names: Vec<&str> = evidence.regions.iter().map(String::as_str).collect();
        let gap = match source.gap() {
            // Regions that the user named are the scope, whatever else the account has.
            Some(gap) if evidence.run.regions.is_none() => Some(gap.clone()),
            _ if names.is_empty() => Some(source.unknown("no Region is in scope")),
            _ => None,
        };
        Self { names, source, gap }
    }

    /// All Regions in scope, or why they are not known.
    pub fn whole(&self) -> Fact<&[&'a str]> {
        self.gap.clone().map_or(Ok(&self.names), Err)
    }

    /// Why there may be more Regions.
    pub fn gap(&self) -> Option<Arc<Unknown>> {
        self.gap.clone()
    }
}

/// A row in the making.
#[derive(Debug)]
pub(super) struct Row(Resource);

impl Row {
    /// A row without fields. The name stands for the id where there is none.
    pub fn new(kind: Kind, id: &str, name: Option<&str>, region: Option<&str>) -> Self {
        Self(Resource {
            kind,
            id: id.to_owned(),
            name: name.unwrap_or(id).to_owned(),
            region: region.map(str::to_owned),
            fields: Fields::of(kind),
            sources: Vec::new(),
        })
    }

    /// Sets a field.
    pub fn set(&mut self, field: &'static str, fact: Fact<impl Into<Value>>) {
        let value = fact.map_or_else(FieldValue::Unknown, |value| FieldValue::Known(value.into()));
        self.0.fields.insert(field, value);
    }

    /// Sets a field to a value that is known.
    pub fn known(&mut self, field: &'static str, value: impl Into<Value>) {
        self.set(field, Ok(value));
    }

    /// Says where an operation's document shows the row.
    pub fn seen(&mut self, operation: Operation, place: Pointer) {
        self.0.sources.push((operation, place));
    }

    /// Says that a whole document is about the row, if it arrived.
    pub fn seen_in<D: Document>(&mut self, source: &Source<'_, D>) {
        if let Some(place) = source.document() {
            self.seen(D::OPERATION, place);
        }
    }

    /// The row.
    pub fn finish(mut self) -> Resource {
        self.0.sources.sort_by_key(|(operation, _)| *operation);
        self.0.sources.shrink_to_fit();
        self.0
    }
}

/// A population of rows in any order. Of two rows with the same id, pages that overlap give such, the first is kept.
pub(super) fn population(
    kind: Kind,
    rows: Vec<Row>,
    incomplete: impl IntoIterator<Item = Arc<Unknown>>,
    sources: impl IntoIterator<Item = Pointer>,
) -> Population {
    let mut rows: Vec<Resource> = rows.into_iter().map(Row::finish).collect();
    rows.sort_by(|a, b| (&a.region, &a.id).cmp(&(&b.region, &b.id)));
    rows.dedup_by(|later, first| later.region == first.region && later.id == first.id);
    let mut incomplete: Vec<Unknown> = incomplete.into_iter().map(Arc::unwrap_or_clone).collect();
    incomplete.sort();
    incomplete.dedup();
    let mut sources: Vec<Pointer> = sources.into_iter().collect();
    sources.sort();
    sources.dedup();
    Population { kind, rows, incomplete, sources }
}

/// Texts, sorted and each once: the order of a list in an answer means nothing.
pub(super) fn sorted<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Vec<String> {
    let mut texts: Vec<String> = texts.into_iter().map(Into::into).collect();
    texts.sort();
    texts.dedup();
    texts
}
