//! The protocols: reading requests, writing answers and errors, page tokens.

pub(crate) mod error;
pub(crate) mod percent;
pub(crate) mod request;
pub(crate) mod token;
pub(crate) mod xml;

pub(crate) use error::AwsError;
pub(crate) use request::{Call, Protocol};
