//! What a caller can set when it starts a server.

use crate::{Clock, Fault, PageSizes, Quotas};

/// Everything optional about a server. The default enforces no quotas, has no faults, and takes
/// the clock and the page sizes from the account.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub quotas: Quotas,
    pub faults: Vec<Fault>,
    /// `None`: fixed at the account's own `now`.
    pub clock: Option<Clock>,
    /// `None`: the account's own page sizes.
    pub pages: Option<PageSizes>,
    /// How many `GenerateCredentialReport` calls answer STARTED or INPROGRESS before COMPLETE.
    /// `None`: as the account says.
    pub credential_report_polls: Option<u32>,
}
