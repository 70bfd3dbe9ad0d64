//! What a user has to say about an account that AWS cannot tell: which other accounts are the same owner's, and
//! which vendors have access, on what terms. It comes from `auditpack.toml` and is part of what verdicts rest on.

/// What is known about an account besides its evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Ids of other accounts of the same owner: who comes from there is no third party.
    pub own_accounts: Vec<String>,
    /// The vendors, by name.
    pub vendors: Vec<Vendor>,
    /// The service control policies above the account, level by level; `None` if they were not given, so that what is
    /// said to be allowed is an upper bound.
    pub scps: Option<Vec<Vec<ServiceControlPolicy>>>,
}

/// A service control policy that somebody handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceControlPolicy {
    /// Its name, or where it comes from.
    pub name: String,
    /// Its document.
    pub document: String,
}

/// A vendor and the terms of its access.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vendor {
    /// What it is called.
    pub name: String,
    /// The ids of its AWS accounts.
    pub accounts: Vec<String>,
    /// Names of the roles that it is to have; `*` stands for anything.
    pub roles: Vec<String>,
    /// Names of IAM users that are the vendor's; it should have none.
    pub users: Vec<String>,
    /// Those of its roles that may be administrators.
    pub admin_roles: Vec<String>,
    /// Those of its roles that are only to read.
    pub read_only_roles: Vec<String>,
    /// Those of its roles whose access to data is to depend on a tag.
    pub tag_scoped_roles: Vec<String>,
    /// The longest session, in seconds.
    pub max_session_seconds: i64,
    /// Whether the people of the vendor have to sign in with MFA; programs cannot.
    pub mfa: bool,
    /// How old that sign-in may be for administrators, in seconds.
    pub mfa_max_age_seconds: i64,
}

impl Vendor {
    /// The session that the source document promises: two to four hours.
    pub const MAX_SESSION_SECONDS: i64 = 14_400;
    /// The age of a sign-in that it promises for administrators: one hour.
    pub const MFA_MAX_AGE_SECONDS: i64 = 3600;

    /// Whether a role's name is one that the vendor is to have.
    pub fn expects(&self, role: &str) -> bool {
        any(&self.roles, role)
    }
}

impl Profile {
    /// The vendor to whom an account belongs.
    pub fn vendor_of_account(&self, account: &str) -> Option<&Vendor> {
        self.vendors.iter().find(|vendor| vendor.accounts.iter().any(|theirs| theirs == account))
    }
}

/// Whether one of the patterns fits a name. `*` stands for any run of characters.
pub(super) fn any(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| fits(pattern, name))
}

/// Walks the pieces between the stars; never backtracks further than the last one.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut pieces: Vec<&str> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = rest.get(at + piece.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_of_characters() {
        for (pattern, name, expected) in [
            ("CE-*", "CE-Admin", true),
            ("CE-*", "ACE-Admin", false),
            ("CE-Admin", "CE-Admin", true),
            ("CE-Admin", "CE-Admin2", false),
            ("*", "", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "acb", false),
            ("ab*b", "ab", false),
            ("", "x", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
