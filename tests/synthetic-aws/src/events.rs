//! CloudTrail's event history of one Region: listed events, or events that are computed when asked for.

mod generated;

use chrono::{DateTime, Utc};

pub use generated::Generated;

/// One management event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    pub time: DateTime<Utc>,
    pub facts: Facts,
    /// The full CloudTrail record, as JSON text.
    pub record: String,
}

/// What LookupEvents repeats beside the record, and filters by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    pub id: String,
    pub name: String,
    pub source: String,
    pub username: Option<String>,
    pub access_key: Option<String>,
    /// `None` for service events that do not say.
    pub read_only: Option<bool>,
    /// Type (may be missing) and name.
    pub resources: Vec<(Option<String>, String)>,
}

/// The events of a Region, newest first.
#[derive(Clone, Debug)]
pub enum EventStore {
    Listed {
        events: Vec<Event>,
        /// Every so many pages, the last event of a page is the first of the next one as well.
        repeat_every: Option<u32>,
    },
    Generated(Generated),
}

impl EventStore {
    /// Sorts, and makes a store of them.
    pub fn listed(mut events: Vec<Event>, repeat_every: Option<u32>) -> Self {
        events.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.facts.id.cmp(&b.facts.id)));
        EventStore::Listed { events, repeat_every }
    }

    pub fn len(&self) -> u64 {
        match self {
            EventStore::Listed { events, .. } => events.len() as u64,
            EventStore::Generated(g) => g.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn repeat_every(&self) -> Option<u32> {
        match self {
            EventStore::Listed { repeat_every, .. } => *repeat_every,
            EventStore::Generated(_) => None,
        }
    }

    /// The time of the i-th newest event; `i` must be below `len`.
    pub(crate) fn time(&self, i: u64) -> DateTime<Utc> {
        match self {
            EventStore::Listed { events, .. } => events[i as usize].time,
            EventStore::Generated(g) => g.time(i),
        }
    }

    /// The facts of the i-th newest event.
    pub(crate) fn facts(&self, i: u64) -> Facts {
        match self {
            EventStore::Listed { events, .. } => events[i as usize].facts.clone(),
            EventStore::Generated(g) => g.facts(i),
        }
    }

    /// The full record of the i-th newest event.
    pub(crate) fn record(&self, i: u64) -> String {
        match self {
            EventStore::Listed { events, .. } => events[i as usize].record.clone(),
            EventStore::Generated(g) => g.record(i),
        }
    }

    /// The first event (newest first) that is not newer than `time`.
    pub(crate) fn first_at_or_before(&self, time: DateTime<Utc>) -> u64 {
        self.partition(|t| t > time)
    }

    /// The first event that is older than `time`.
    pub(crate) fn first_before(&self, time: DateTime<Utc>) -> u64 {
        self.partition(|t| t >= time)
    }

    /// How many events, from the newest on, satisfy a predicate that older ones do not.
    fn partition(&self, newer: impl Fn(DateTime<Utc>) -> bool) -> u64 {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if newer(self.time(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}
