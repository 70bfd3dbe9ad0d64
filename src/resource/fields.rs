//! The fields of a row.

use super::{FieldValue, Kind};

/// The fields of a row, in the order of its kind's schema: a large account has tens of thousands of rows of dozens of
/// fields, whose names stand in the schema and not with each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fields {
    kind: Kind,
    /// One for each field of the schema. A row in the making lacks some.
    values: Box<[Option<FieldValue>]>,
}

impl Fields {
    /// None of a kind's fields yet.
    pub fn of(kind: Kind) -> Self {
        Self { kind, values: kind.schema().fields.iter().map(|_| None).collect() }
    }

    /// A field's value, or why there is none; `None` for a field that the row lacks.
    pub fn get(&self, name: &str) -> Option<&FieldValue> {
        self.values.get(self.at(name)?)?.as_ref()
    }

    /// Sets a field. One that the kind does not have is not kept.
    pub fn insert(&mut self, name: &str, value: FieldValue) {
        debug_assert!(self.at(name).is_some(), "{} has no field {name}", self.kind.id());
        if let Some(place) = self.at(name).and_then(|at| self.values.get_mut(at)) {
            *place = Some(value);
        }
    }

    /// Takes a field away.
    pub fn remove(&mut self, name: &str) {
        if let Some(place) = self.at(name).and_then(|at| self.values.get_mut(at)) {
            *place = None;
        }
    }

    /// All that are there, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &FieldValue)> {
        let names = self.kind.schema().fields.iter().map(|field| field.name);
        names.zip(&self.values).filter_map(|(name, value)| Some((name, value.as_ref()?)))
    }

    fn at(&self, name: &str) -> Option<usize> {
        self.kind.schema().fields.iter().position(|field| field.name == name)
    }
}
