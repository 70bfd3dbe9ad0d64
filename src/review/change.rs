//! What somebody can do, as sets that can be compared: between two reviews, and between a decision and its follow-up.

use super::population::Change;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What a row gives and to whom, without judging it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// What gives access (a policy, a group's policy, a way into a role), and the digest of what it says where the
    /// account itself wrote it.
    pub grants: BTreeMap<String, String>,
    /// What takes access away: boundaries, required external ids.
    pub limits: BTreeSet<String>,
    /// The digest of the permissions boundary's text, if the account itself wrote one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<String>,
}

/// How one access differs from an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// What gives more.
    pub more: Vec<String>,
    /// What gives less.
    pub less: Vec<String>,
    /// What was rewritten, for more or for less.
    pub rewritten: Vec<String>,
}

impl Access {
    /// How `later` differs.
    pub fn difference(&self, later: &Access) -> Difference {
        let mut difference = Difference::default();
        for (grant, text) in &later.grants {
            match self.grants.get(grant) {
                None => difference.more.push(format!("added {grant}")),
                Some(before) if before != text => difference.rewritten.push(format!("rewritten {grant}")),
                Some(_) => {}
            }
        }
        let gone = self.grants.keys().filter(|grant| !later.grants.contains_key(*grant));
        difference.less.extend(gone.map(|grant| format!("taken away {grant}")));
        difference.more.extend(self.limits.difference(&later.limits).map(|limit| format!("taken away {limit}")));
        difference.less.extend(later.limits.difference(&self.limits).map(|limit| format!("added {limit}")));
        // Whether a boundary is put on or taken off, the limits tell; here it was rewritten.
        if let (Some(before), Some(after)) = (&self.boundary, &later.boundary)
            && before != after
        {
            difference.rewritten.push("rewritten the text of the boundary".to_owned());
        }
        difference
    }
}

impl Difference {
    /// Nothing differs.
    pub fn is_none(&self) -> bool {
        self.more.is_empty() && self.less.is_empty() && self.rewritten.is_empty()
    }

    /// The difference in one word. `standing` says how much of an administrator the two are, where both are known:
    /// it decides where policies were rewritten, and nothing that gives more is outweighed by it.
    pub fn word(&self, standing: Option<(u8, u8)>) -> Change {
        let (rose, fell) = standing.map_or((false, false), |(before, after)| (after > before, after < before));
        if rose || !self.more.is_empty() {
            Change::More
        } else if !self.rewritten.is_empty() && !fell {
            Change::Changed
        } else if fell || !self.less.is_empty() {
            Change::Less
        } else {
            Change::Unchanged
        }
    }

    /// The first few differences in words.
    pub fn words(&self) -> String {
        const NAMED: usize = 3;
        let all: Vec<&str> = self.more.iter().chain(&self.less).chain(&self.rewritten).map(String::as_str).collect();
        let mut text = all.iter().take(NAMED).copied().collect::<Vec<_>>().join("; ");
        if all.len() > NAMED {
            text.push_str(&format!("; and {} more", all.len() - NAMED));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(grants: &[(&str, &str)], limits: &[&str]) -> Access {
        Access {
            grants: grants.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect(),
            limits: limits.iter().map(|limit| (*limit).to_owned()).collect(),
            boundary: limits.first().map(|limit| format!("text of {limit}")),
        }
    }

    #[test]
    fn taking_a_limit_off_is_more_access_and_putting_one_on_is_less() {
        let free = access(&[("policy a", "1")], &[]);
        let bound = access(&[("policy a", "1")], &["boundary b"]);
        assert_eq!(bound.difference(&free).word(None), Change::More);
        assert_eq!(free.difference(&bound).word(None), Change::Less);
        assert_eq!(free.difference(&free).word(Some((0, 0))), Change::Unchanged);
    }

    #[test]
    fn whatever_is_added_is_more_access_whatever_is_taken_away_beside_it() {
        let before = access(&[("policy a", "1"), ("policy b", "1")], &[]);
        let after = access(&[("policy a", "1"), ("policy c", "1")], &[]);
        assert_eq!(before.difference(&after).word(Some((4, 0))), Change::More);
        assert_eq!(before.difference(&after).words(), "added policy c; taken away policy b");
    }

    #[test]
    fn a_rewritten_policy_is_less_only_if_the_verdict_says_so() {
        let before = access(&[("policy a", "1")], &[]);
        let after = access(&[("policy a", "2")], &[]);
        let difference = before.difference(&after);
        assert_eq!(difference.word(None), Change::Changed);
        assert_eq!(difference.word(Some((0, 0))), Change::Changed);
        assert_eq!(difference.word(Some((4, 0))), Change::Less);
        assert_eq!(difference.word(Some((0, 4))), Change::More);
    }
}
