//! Evidence: what AWS told, call by call, and what it did not tell.
//!
//! The lowest layer. It knows the operations, the shapes of their documents and the four outcomes of
//! a call; it knows no rule, no control and no AWS SDK.

pub mod call;
pub mod cloudtrail;
pub mod compliance_history;
pub mod config;
pub mod credential_report;
pub mod custody;
pub mod digest;
pub mod document;
pub mod event_scope;
pub mod iam;
pub mod identity;
pub mod operation;
pub mod outcome;
pub mod policy_text;
pub mod recording;
pub mod redaction;
pub mod run;
pub mod selectors;
pub mod set;
pub mod slicing;
pub mod text;
pub mod timestamp;
pub mod trail_logs;

pub use call::CallId;
pub use document::{AnyDocument, Document};
pub use event_scope::{EventKind, EventScope, EventSource};
pub use operation::{Operation, Scope, Service};
pub use outcome::{Gap, GapKind, Outcome};
pub use run::{Period, Run};
pub use set::{Evidence, Note};
pub use text::Text;
pub use timestamp::Timestamp;

/// Whether a member has the value that it has where it is left out: what serde asks before it writes one.
pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
