//! How the event history is cut into requests.
//!
//! A replay finds an answer by what was asked. So whatever shapes the requests stands in the run: a recording is
//! replayed with the slices that it was made with, whichever are found better later.

use serde::{Deserialize, Serialize};

/// How a Region's period is cut into slices, and when into lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Slicing {
    /// How many seconds the first slice is long. Most Regions of most accounts are quiet.
    pub first_seconds: u32,
    /// No slice is shorter.
    pub shortest_seconds: u32,
    /// How many pages a slice should have.
    pub pages: u32,
    /// How much longer or shorter a slice may be than the one before.
    pub stretch: u32,
    /// From so many pages on that are likely left, what is left is read in lanes.
    pub worth_lanes: u32,
    /// How many lanes: enough to be at AWS's limit if its answers take two seconds.
    pub lanes: u32,
    /// So many seconds at the start of the period are read before the lanes, because AWS forgets them first: while a
    /// Region is read for hours, its history still reaches back 90 days from the moment of each request.
    #[serde(skip_serializing_if = "crate::evidence::is_default")]
    pub oldest_seconds: u32,
}

impl Default for Slicing {
    /// That of recordings that do not state it: it must never change.
    fn default() -> Self {
        Self {
            first_seconds: 12 * 3600,
            shortest_seconds: 15 * 60,
            pages: 40,
            stretch: 16,
            worth_lanes: 40,
            lanes: 4,
            oldest_seconds: 0,
        }
    }
}

impl Slicing {
    /// That of new runs. A quiet Region's 90 days are two slices: one page in the first says that there are forty at most
    /// in forty times its length.
    pub fn of_new_runs() -> Self {
        Self { first_seconds: 90 * 86_400 / 40, stretch: 40, oldest_seconds: 12 * 3600, ..Self::default() }
    }

    /// Within what can be worked with, whatever a recording says.
    pub fn bounded(self) -> Self {
        Self {
            first_seconds: self.first_seconds.clamp(1, 10_000_000),
            shortest_seconds: self.shortest_seconds.clamp(1, 10_000_000),
            pages: self.pages.clamp(1, 10_000),
            stretch: self.stretch.clamp(1, 1_000),
            worth_lanes: self.worth_lanes.max(1),
            lanes: self.lanes.clamp(1, 16),
            oldest_seconds: self.oldest_seconds.min(10_000_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_that_do_not_state_their_slicing_were_made_with_this_one() {
        let frozen =
            r#"{"first_seconds":43200,"shortest_seconds":900,"pages":40,"stretch":16,"worth_lanes":40,"lanes":4}"#;
        assert_eq!(serde_json::to_string(&Slicing::default()).unwrap(), frozen);
        assert_eq!(serde_json::from_str::<Slicing>("{}").unwrap(), Slicing::default());
        assert!(Slicing::of_new_runs().bounded() == Slicing::of_new_runs());
    }
}
