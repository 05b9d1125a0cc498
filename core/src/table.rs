//! Things by id: a vector in the order of the ids.
//!
//! Ids run 1, 2, 3, … and nothing is taken out, so a row is found at its number; a tree would cost
//! a search for each look and a copy of its code for each type.

use alloc::vec;
use alloc::vec::Vec;
use serde::{Serialize, Serializer};

use crate::json::{self, Read, Trouble};

/// A thing that knows its number.
pub trait Numbered {
    /// The id's number, 1 or more.
    fn number(&self) -> u64;
}

/// Rows in the order of their numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    rows: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: vec![] }
    }
}

impl<T: Numbered> Table<T> {
    /// Where the row of `number` is, or where it would stand.
    fn place(&self, number: u64) -> Result<usize, usize> {
        let guess = number.saturating_sub(1) as usize;
        match self.rows.get(guess) {
            Some(row) if row.number() == number => Ok(guess),
            None if self.rows.last().is_none_or(|row| row.number() < number) => Err(self.rows.len()),
            _ => self.rows.binary_search_by_key(&number, T::number),
        }
    }

    /// The row of `id`.
    pub fn get(&self, id: impl Into<u64>) -> Option<&T> {
        self.place(id.into()).ok().and_then(|place| self.rows.get(place))
    }

    /// The row of `id`, to change.
    pub fn get_mut(&mut self, id: impl Into<u64>) -> Option<&mut T> {
        self.place(id.into()).ok().and_then(|place| self.rows.get_mut(place))
    }

    /// Puts a row in its place; one of the same number goes.
    pub fn insert(&mut self, row: T) {
        match self.place(row.number()) {
            Ok(place) => {
                if let Some(there) = self.rows.get_mut(place) {
                    *there = row;
                }
            }
            Err(place) => self.rows.insert(place, row),
        }
    }

    /// The rows, in order.
    pub fn values(&self) -> core::slice::Iter<'_, T> {
        self.rows.iter()
    }

    /// The rows with numbers above `number`, in order.
    pub fn after(&self, number: u64) -> core::slice::Iter<'_, T> {
        let start = self.rows.partition_point(|row| row.number() <= number);
        self.rows.get(start..).unwrap_or(&[]).iter()
    }

    /// The rows themselves.
    pub fn into_values(self) -> Vec<T> {
        self.rows
    }
}

impl<T: Serialize> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(&self.rows)
    }
}

impl<T: Read + Numbered> Read for Table<T> {
    fn read(raw: &str) -> Result<Self, Trouble> {
        let mut table = Table::default();
        for item in json::items(raw)? {
            table.insert(T::read(item.get())?);
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Row(u64, char);

    impl Numbered for Row {
        fn number(&self) -> u64 {
            self.0
        }
    }

    #[test]
    fn rows_are_found_whatever_order_they_came_in() {
        let mut table = Table::default();
        for row in [Row(2, 'b'), Row(40, 'z'), Row(1, 'a'), Row(3, 'c'), Row(2, 'B')] {
            table.insert(row);
        }
        assert_eq!(table.values().map(|row| row.1).collect::<Vec<_>>(), ['a', 'B', 'c', 'z']);
        assert_eq!(table.get(40u64), Some(&Row(40, 'z')));
        assert!([0u64, 4, 39, 41].iter().all(|number| table.get(*number).is_none()));
        table.get_mut(3u64).unwrap().1 = 'C';
        assert_eq!(table.into_values()[2], Row(3, 'C'));
    }
}
