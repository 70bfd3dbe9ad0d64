//! All documents of one account, with the outcome of every call.

use super::call::CallId;
use super::custody::Custody;
use super::document::{AnyDocument, Document};
use super::identity::CallerIdentity;
use super::operation::Operation;
use super::outcome::{Gap, GapKind, Outcome};
use super::run::Run;
use super::timestamp::Timestamp;
use super::trail_logs::TrailLogs;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that was collected, and everything that was not.
#[derive(Debug)]
pub struct Evidence {
    /// What was asked for.
    pub run: Run,
    /// The account's id, twelve digits, once it is known.
    pub account: Option<String>,
    /// Who asked, at the end of the run. `None` where nobody asked again, or no answer came. Who asked at the start
    /// is [`Evidence::caller_start`].
    pub caller_end: Option<CallerIdentity>,
    /// The Regions in scope, sorted.
    pub regions: BTreeSet<String>,
    /// Gaps that no single call accounts for: a file of a folder that could not be read, a Region left out.
    pub notes: Vec<Note>,
    /// What the log files of a trail prove, if the events come from those.
    pub trail_logs: Option<TrailLogs>,
    /// Who ran what, where and when.
    pub custody: Custody,
    calls: BTreeMap<CallId, Outcome<AnyDocument>>,
}

/// Something about the evidence as a whole that a reader must know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Note {
    /// Where: a path, a Region, a call.
    pub place: String,
    /// What.
    pub text: String,
    /// Whether it makes the evidence incomplete (exit 3), or is only to be known.
    pub incomplete: bool,
}

impl Evidence {
    /// No documents yet.
    pub fn new(run: Run) -> Self {
        Self {
            run,
            account: None,
            regions: BTreeSet::new(),
            caller_end: None,
            notes: Vec::new(),
            trail_logs: None,
            custody: Custody::default(),
            calls: BTreeMap::new(),
        }
    }

    /// Takes over all calls of another set.
    pub fn absorb(&mut self, other: Evidence) {
        self.calls.extend(other.calls);
        self.notes.extend(other.notes);
    }

    /// Records the outcome of a call.
    pub fn insert<D: Document>(&mut self, call: CallId, outcome: Outcome<D>) {
        debug_assert_eq!(call.operation, D::OPERATION);
        self.calls.insert(call, outcome.map(AnyDocument::new));
    }

    /// Records the outcome of a call whose document's type is known only at run time.
    pub fn insert_any(&mut self, call: CallId, outcome: Outcome<AnyDocument>) {
        debug_assert!(outcome.arrived().is_none_or(|document| document.operation() == call.operation));
        self.calls.insert(call, outcome);
    }

    /// Takes a call out: it is not in scope.
    pub fn remove(&mut self, call: &CallId) {
        self.calls.remove(call);
    }

    /// Whether a call has an outcome of its own, even if it is a gap.
    pub fn holds(&self, call: &CallId) -> bool {
        self.calls.contains_key(call)
    }

    /// The outcome of a call. A call that was never made is a gap like any other.
    pub fn get<D: Document>(&self, call: &CallId) -> Outcome<&D> {
        let wrong_type = || Gap::new(GapKind::Failed, format!("{call} holds another operation's document"));
        match self.calls.get(call) {
            None => Outcome::missing(Gap::not_collected(format!("{call} was not called"))),
            Some(Outcome::Absent) => Outcome::Absent,
            Some(Outcome::Collected(document)) => match document.downcast() {
                Some(document) => Outcome::Collected(document),
                None => Outcome::missing(wrong_type()),
            },
            Some(Outcome::Missing { gap, partial }) => {
                Outcome::Missing { gap: gap.clone(), partial: partial.as_ref().and_then(AnyDocument::downcast) }
            }
        }
    }

    /// The outcome of a call that is made once for the account.
    pub fn global<D: Document>(&self) -> Outcome<&D> {
        self.get(&CallId::global(D::OPERATION))
    }

    /// The outcome of a call that is made once in a Region.
    pub fn regional<D: Document>(&self, region: &str) -> Outcome<&D> {
        self.get(&CallId::regional(D::OPERATION, region))
    }

    /// Who asked, at the start of the run.
    pub fn caller_start(&self) -> Option<&CallerIdentity> {
        self.calls.get(&CallId::global(Operation::StsGetCallerIdentity))?.arrived()?.downcast()
    }

    /// Every call with its outcome, sorted.
    pub fn calls(&self) -> impl Iterator<Item = (&CallId, &Outcome<AnyDocument>)> {
        self.calls.iter()
    }

    /// Every call of one operation with its outcome, sorted by Region and resource.
    pub fn calls_of(&self, operation: Operation) -> impl Iterator<Item = (&CallId, &Outcome<AnyDocument>)> {
        self.calls.iter().filter(move |(call, _)| call.operation == operation)
    }

    /// The calls without a complete answer, and why.
    pub fn gaps(&self) -> impl Iterator<Item = (&CallId, &Gap)> {
        self.calls.iter().filter_map(|(call, outcome)| outcome.gap().map(|gap| (call, gap)))
    }

    /// The as-of time.
    pub fn as_of(&self) -> Timestamp {
        self.run.as_of
    }
}
