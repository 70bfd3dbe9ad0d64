//! What the server was asked, counted per service, operation and Region.

use std::collections::BTreeMap;

use serde::Serialize;

/// A snapshot of the counters; also what `GET /_synthetic/stats` prints.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct Stats {
    pub requests: u64,
    pub throttled: u64,
    pub faulted: u64,
    pub operations: Vec<OperationStats>,
}

/// The counters of one operation in one Region.
#[derive(Clone, Debug, Default, Serialize, PartialEq, Eq)]
pub struct OperationStats {
    pub service: String,
    pub operation: String,
    pub region: String,
    /// All requests, those that were throttled or faulted included.
    pub requests: u64,
    /// Refused by a quota or by a throttle fault.
    pub throttled: u64,
    /// Met at least one fault rule (throttle faults included).
    pub faulted: u64,
    /// Answered with an error that AWS itself would give (quotas and faults included).
    pub errors: u64,
    /// The most requests that were being answered at one time.
    pub most_at_once: u64,
}

impl Stats {
    /// The requests to one operation, over all Regions.
    pub fn requests_to(&self, service: &str, operation: &str) -> u64 {
        self.of(service, operation).map(|o| o.requests).sum()
    }

    /// The most requests to one operation in one Region that were being answered at one time.
    pub fn most_at_once(&self, service: &str, operation: &str) -> u64 {
        self.of(service, operation).map(|o| o.most_at_once).max().unwrap_or_default()
    }

    /// The throttled requests to one operation, over all Regions.
    pub fn throttled_at(&self, service: &str, operation: &str) -> u64 {
        self.of(service, operation).map(|o| o.throttled).sum()
    }

    fn of<'a>(&'a self, service: &'a str, operation: &'a str) -> impl Iterator<Item = &'a OperationStats> + 'a {
        self.operations.iter().filter(move |o| o.service == service && o.operation == operation)
    }
}

#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    pub(crate) throttled: bool,
    pub(crate) faulted: bool,
    pub(crate) error: bool,
}

/// A service, an operation and a Region.
type Key = (String, String, String);

#[derive(Default)]
pub(crate) struct Counters {
    by_operation: BTreeMap<Key, OperationStats>,
    running: BTreeMap<Key, u64>,
}

impl Counters {
    pub(crate) fn add(&mut self, service: &str, operation: &str, region: &str, marks: Marks) {
        let key = (service.to_owned(), operation.to_owned(), region.to_owned());
        let entry = self.by_operation.entry(key).or_insert_with(|| OperationStats {
            service: service.to_owned(),
            operation: operation.to_owned(),
            region: region.to_owned(),
            ..OperationStats::default()
        });
        entry.requests += 1;
        entry.throttled += u64::from(marks.throttled);
        entry.faulted += u64::from(marks.faulted);
        entry.errors += u64::from(marks.error);
    }

    /// An answer to a counted request begins to be given.
    pub(crate) fn begin(&mut self, key: &Key) {
        let running = self.running.entry(key.clone()).or_default();
        *running += 1;
        if let Some(entry) = self.by_operation.get_mut(key) {
            entry.most_at_once = entry.most_at_once.max(*running);
        }
    }

    /// The answer was given, or nobody waits for it any longer.
    pub(crate) fn end(&mut self, key: &Key) {
        if let Some(running) = self.running.get_mut(key) {
            *running = running.saturating_sub(1);
        }
    }

    pub(crate) fn snapshot(&self) -> Stats {
        let operations: Vec<_> = self.by_operation.values().cloned().collect();
        Stats {
            requests: operations.iter().map(|o| o.requests).sum(),
            throttled: operations.iter().map(|o| o.throttled).sum(),
            faulted: operations.iter().map(|o| o.faulted).sum(),
            operations,
        }
    }
}
