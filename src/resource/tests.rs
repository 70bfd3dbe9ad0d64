//! The laws that all populations obey.
