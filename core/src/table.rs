//! Things by id: rows in the order of the ids.
//!
//! Ids run 1, 2, 3, … and nothing is taken out, so a row is found at its number; a tree would cost
//! a search for each look and a copy of its code for each type. Rows stand in chunks of a fixed
//! number of ids each, so that a table that grows need not move what it holds.

use alloc::vec;
use alloc::vec::Vec;
use serde::{Serialize, Serializer};

use crate::json::{self, Read, Trouble};

/// A thing that knows its number.
pub trait Numbered {
    /// The id's number, 1 or more.
    fn number(&self) -> u64;
}

/// How many ids a chunk stands for.
const CHUNK: u64 = 64;

/// Rows in the order of their numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Table<T> {
    /// In the order of their keys; none is empty.
    chunks: Vec<Chunk<T>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Chunk<T> {
    /// Which run of [`CHUNK`] ids, from 0.
    key: u64,
    /// In the order of their numbers.
    rows: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { chunks: vec![] }
    }
}

/// The chunk of a number, and its place in there if none of the ids before it is missing.
fn split(number: u64) -> (u64, usize) {
    let place = number.saturating_sub(1);
    (place / CHUNK, (place % CHUNK) as usize)
}

impl<T: Numbered> Chunk<T> {
    /// Where the row of `number` is, or where it would stand; `guess` is where it most likely is.
    fn place(&self, number: u64, guess: usize) -> Result<usize, usize> {
        match self.rows.get(guess) {
            Some(row) if row.number() == number => Ok(guess),
            None if self.rows.last().is_none_or(|row| row.number() < number) => Err(self.rows.len()),
            _ => self.rows.binary_search_by_key(&number, T::number),
        }
    }
}

impl<T: Numbered> Table<T> {
    /// Where the chunk of `key` is, or where it would stand.
    fn chunk(&self, key: u64) -> Result<usize, usize> {
        let guess = key as usize;
        match self.chunks.get(guess) {
            Some(chunk) if chunk.key == key => Ok(guess),
            None if self.chunks.last().is_none_or(|chunk| chunk.key < key) => Err(self.chunks.len()),
            _ => self.chunks.binary_search_by_key(&key, |chunk| chunk.key),
        }
    }

    /// The row of `id`.
    pub fn get(&self, id: impl Into<u64>) -> Option<&T> {
        let number = id.into();
        let (key, guess) = split(number);
        let chunk = self.chunks.get(self.chunk(key).ok()?)?;
        chunk.rows.get(chunk.place(number, guess).ok()?)
    }

    /// The row of `id`, to change.
    pub fn get_mut(&mut self, id: impl Into<u64>) -> Option<&mut T> {
        let number = id.into();
        let (key, guess) = split(number);
        let place = self.chunk(key).ok()?;
        let chunk = self.chunks.get_mut(place)?;
        let place = chunk.place(number, guess).ok()?;
        chunk.rows.get_mut(place)
    }

    /// The chunk for rows of `key`, made if it is not there.
    fn chunk_for(&mut self, key: u64) -> Option<&mut Chunk<T>> {
        let place = match self.chunk(key) {
            Ok(place) => place,
            Err(place) => {
                // after a full chunk another full one is likely: its rows need never move
                let full = self.chunks.last().is_some_and(|last| last.rows.len() as u64 == CHUNK);
                let rows = Vec::with_capacity(if full { CHUNK as usize } else { 0 });
                self.chunks.insert(place, Chunk { key, rows });
                place
            }
        };
        self.chunks.get_mut(place)
    }

    /// Puts a row in its place; one of the same number goes.
    pub fn insert(&mut self, row: T) {
        let number = row.number();
        let (key, guess) = split(number);
        let Some(chunk) = self.chunk_for(key) else { return };
        match chunk.place(number, guess) {
            Ok(place) => {
                if let Some(there) = chunk.rows.get_mut(place) {
                    *there = row;
                }
            }
            Err(place) => chunk.rows.insert(place, row),
        }
    }

    /// The row of `id`, to change; `make` makes it if it is not there. There always is one.
    pub fn get_or_insert(&mut self, id: impl Into<u64>, make: impl FnOnce() -> T) -> Option<&mut T> {
        let number = id.into();
        let (key, guess) = split(number);
        let chunk = self.chunk_for(key)?;
        let place = match chunk.place(number, guess) {
            Ok(place) => place,
            Err(place) => {
                chunk.rows.insert(place, make());
                place
            }
        };
        chunk.rows.get_mut(place)
    }

    /// The rows, in order.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| &chunk.rows)
    }

    /// The rows with numbers above `number`, in order.
    pub fn after(&self, number: u64) -> impl Iterator<Item = &T> {
        let (key, _) = split(number.saturating_add(1));
        let start = self.chunks.partition_point(|chunk| chunk.key < key);
        let chunks = self.chunks.get(start..).unwrap_or(&[]);
        let rows = chunks.iter().flat_map(|chunk| &chunk.rows);
        rows.skip_while(move |row| row.number() <= number)
    }

    /// The rows themselves.
    pub fn into_values(self) -> Vec<T> {
        self.chunks.into_iter().flat_map(|chunk| chunk.rows).collect()
    }
}

impl<T: Serialize + Numbered> Serialize for Table<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.values())
    }
}

impl<T: Read + Numbered> Read for Table<T> {
    fn read(raw: &str) -> Result<Self, Trouble> {
        let mut table = Table::default();
        for item in json::items(raw)? {
            table.insert(T::read(item)?);
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

    #[test]
    fn chunks_keep_the_order_and_cost_only_what_they_hold() {
        let mut table = Table::default();
        let far = 1 << 52;
        let numbers = (1..=300).rev().chain([far, u64::MAX, far - 70, 500]);
        for number in numbers {
            table.insert(Row(number, 'x'));
        }
        let all: Vec<u64> = (1..=300).chain([500, far - 70, far, u64::MAX]).collect();
        let numbers = |rows: Vec<&Row>| rows.into_iter().map(|row| row.0).collect::<Vec<_>>();
        assert_eq!(numbers(table.values().collect()), all);
        for after in [0, 1, 63, 64, 65, 128, 299, 300, 499, 500, far - 71, far, u64::MAX - 1, u64::MAX] {
            let want: Vec<u64> = all.iter().copied().filter(|number| *number > after).collect();
            assert_eq!(numbers(table.after(after).collect()), want, "{after}");
        }
        assert!(all.iter().all(|number| table.get(*number).is_some()));
        assert!([301u64, 499, 501, far + 1].iter().all(|number| table.get(*number).is_none()));
        let room: usize = table.chunks.iter().map(|chunk| chunk.rows.capacity()).sum();
        assert!(room < 2 * 64 * table.chunks.len(), "{room} places for {} rows", all.len());
        let mut ascending = Table::default();
        all.iter().for_each(|number| ascending.insert(Row(*number, 'x')));
        assert_eq!(ascending, table);
    }
}
