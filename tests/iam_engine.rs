//! The policy engine from outside: documented facts of IAM, laws that hold for every policy, and whole
//! accounts.

#[path = "iam/accounts.rs"]
mod accounts;
#[path = "iam/decisions.rs"]
mod decisions;
#[path = "iam/escalations.rs"]
mod escalations;
#[path = "iam/laws.rs"]
mod laws;
#[path = "iam/paths.rs"]
mod paths;
#[path = "iam/reference.rs"]
mod reference;
#[path = "iam/trusts.rs"]
mod trusts;
#[path = "iam/vectors.rs"]
mod vectors;
