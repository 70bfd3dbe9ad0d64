//! The table on a sheet: its header, wherever it stands, and what its columns are.

use super::super::grid::{Cell, Grid, Place, Refusal, Refusals};
use super::super::population::{ANSWERS, KEY, Sheet};
use super::header;
use std::collections::BTreeMap;

/// The table on a sheet: where its header is, and which column is what.
pub(super) struct Header<'g> {
    pub grid: &'g Grid,
    pub at: u32,
    pub columns: BTreeMap<String, usize>,
}

impl<'g> Header<'g> {
    /// The header with these columns, among the first rows.
    pub fn find(grid: &'g Grid, needed: &[&str], refusals: &mut Refusals) -> Option<Self> {
        for (at, row) in grid.rows.iter().take(20) {
            let names: Vec<String> = row.iter().map(header).collect();
            if !needed.iter().all(|needed| names.iter().any(|name| name == needed)) {
                continue;
            }
            let mut columns = BTreeMap::new();
            for (column, name) in names.into_iter().enumerate().filter(|(_, name)| !name.is_empty()) {
                let known = ANSWERS.iter().chain(Sheet::ALL.iter().flat_map(|sheet| sheet.columns()));
                let known = name == KEY || known.map(|column| column.name).any(|known| known == name);
                if known && columns.contains_key(&name) {
                    let place = place(grid, *at, column);
                    refusals.push(Refusal::new(place, format!("there are two columns `{name}`: rename your own")));
                } else {
                    columns.insert(name, column);
                }
            }
            return Some(Self { grid, at: *at, columns });
        }
        None
    }

    pub fn rows(&self) -> impl Iterator<Item = &(u32, Vec<Cell>)> {
        self.grid.rows.iter().filter(|(at, _)| *at > self.at)
    }

    pub fn cell<'r>(&self, row: &'r [Cell], column: &str) -> &'r Cell {
        const EMPTY: &Cell = &Cell::Empty;
        self.columns.get(column).and_then(|at| row.get(*at)).unwrap_or(EMPTY)
    }

    pub fn place(&self, row: u32, column: &str) -> Place {
        place(self.grid, row, self.columns.get(column).copied().unwrap_or_default())
    }
}

pub(super) fn place(grid: &Grid, row: u32, column: usize) -> Place {
    let column = u32::try_from(column).unwrap_or(u32::MAX);
    Place { file: grid.file.clone(), sheet: grid.sheet.clone(), row, column }
}
