//! The actions that the engine's own questions are about (escalation, log tampering), numbered, so that
//! each statement is compared with them once, when its document is read, and never again.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::glob;
use super::policy::Actions;
use super::{escalation, tamper};

/// The number of an action of interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ActionId(u16);

/// A set of actions of interest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits([u64; WORDS]);

const WORDS: usize = 4;

impl Bits {
    pub(crate) fn contains(self, ActionId(id): ActionId) -> bool {
        let id = usize::from(id);
        id < WORDS * 64 && self.0[id / 64] & (1 << (id % 64)) != 0
    }

    /// Is there one in both?
    pub(crate) fn meet(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(mine, theirs)| mine & theirs != 0)
    }

    pub(crate) fn insert(&mut self, ActionId(id): ActionId) {
        let id = usize::from(id);
        if id < WORDS * 64 {
            self.0[id / 64] |= 1 << (id % 64);
        }
    }

    pub(crate) fn union(mut self, other: Self) -> Self {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine |= theirs;
        }
        self
    }

    fn complement(mut self) -> Self {
        for word in &mut self.0 {
            *word = !*word;
        }
        self
    }
}

struct Table {
    /// In lower case; the index is the number.
    names: Vec<String>,
    ids: HashMap<String, ActionId>,
    by_service: HashMap<String, Vec<ActionId>>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table { names: Vec::new(), ids: HashMap::new(), by_service: HashMap::new() };
    let names = escalation::actions().chain(tamper::actions());
    for name in names.map(str::to_ascii_lowercase) {
        if table.ids.contains_key(&name) || table.names.len() >= WORDS * 64 {
            continue;
        }
        // The length was just compared with 256.
        let id = ActionId(table.names.len() as u16);
        let service = name.split(':').next().unwrap_or_default().to_owned();
        table.by_service.entry(service).or_default().push(id);
        table.ids.insert(name.clone(), id);
        table.names.push(name);
    }
    table
});

/// The number of an action, which must be one that the data files name.
pub(crate) fn id(name: &str) -> Option<ActionId> {
    TABLE.ids.get(&name.to_ascii_lowercase()).copied()
}

/// The action's name in lower case.
pub(crate) fn name(ActionId(id): ActionId) -> &'static str {
    TABLE.names.get(usize::from(id)).map_or("", String::as_str)
}

/// The actions of interest that an `Action` or `NotAction` element reaches.
pub(crate) fn of(actions: &Actions) -> Bits {
    let table = &*TABLE;
    let mut bits = Bits::default();
    for pattern in &actions.patterns {
        match pattern.split_once(':') {
            Some((service, _)) if !glob::is_glob(service) => {
                let service = service.to_ascii_lowercase();
                for id in table.by_service.get(&service).into_iter().flatten() {
                    if glob::matches_lower(pattern, name(*id)) {
                        bits.insert(*id);
                    }
                }
            }
            _ => {
                for (name, id) in &table.ids {
                    if glob::matches_lower(pattern, name) {
                        bits.insert(*id);
                    }
                }
            }
        }
    }
    if actions.negated { bits.complement() } else { bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_the_data_files_has_a_number() {
        for action in escalation::actions().chain(tamper::actions()) {
            assert!(id(action).is_some(), "{action}");
        }
    }
}
