//! The package: one zip, written whole or not at all, in which everything can be checked.
