//! The one place that knows what time it is.

use chrono::{DateTime, Utc};

/// What the server takes for "now".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Always this instant, in data and in the `Date` header: recordings regenerate identically.
    Fixed(DateTime<Utc>),
    /// The machine's clock. The account's data stay relative to the account's own `now`.
    System,
}

impl Clock {
    pub fn now(&self) -> DateTime<Utc> {
        match self {
            Clock::Fixed(at) => *at,
            Clock::System => Utc::now(),
        }
    }

    pub fn is_fixed(&self) -> bool {
        matches!(self, Clock::Fixed(_))
    }
}
