//! Digest chains made and signed here, then altered; and hostile files.

mod alterations;
mod hostile;
mod kit;
mod log_alterations;
mod reading;
mod signed_lies;
mod surroundings;
mod throughput;
