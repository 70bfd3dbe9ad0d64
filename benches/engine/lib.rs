//! The policy engine, and nothing else of the program.

#[path = "../../src"]
mod program {
    pub mod iam;
}

pub use program::iam;
