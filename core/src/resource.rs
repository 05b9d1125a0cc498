//! Resource claims: what a task holds while it runs.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::canonical::canonical;
use crate::ids::TaskId;
use crate::json::{is_default, readable};

/// The word for a claim that others may hold too.
pub const SHARED: &str = "shared";
/// The word for a claim that nobody else may hold; it is the default and left out of the log.
pub const EXCLUSIVE: &str = "exclusive";

/// A hold on a thing: a file, a folder (a key that ends in `/`), any key.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceClaim {
    /// The thing.
    pub key: String,
    /// `shared`, or empty for exclusive.
    #[serde(skip_serializing_if = "is_default")]
    pub mode: String,
}

readable!(ResourceClaim { key, mode });
canonical!(ResourceClaim { key: String, mode: String });

impl ResourceClaim {
    /// True if nobody else may hold it.
    pub fn is_exclusive(&self) -> bool {
        self.mode != SHARED
    }
}

/// True if `folder`, a key that ends in `/`, stands for `key` too.
fn covers(folder: &str, key: &str) -> bool {
    folder.ends_with('/') && key.starts_with(folder)
}

/// True if one of the keys stands for the other.
pub fn keys_meet(a: &str, b: &str) -> bool {
    a == b || covers(a, b) || covers(b, a)
}

/// Who holds what, by key. A derived index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Held {
    keys: BTreeMap<String, Vec<(TaskId, bool)>>,
}

/// A claim that somebody else's stands against.
#[derive(Debug, PartialEq)]
pub struct Conflict<'a> {
    /// The key that was wanted.
    pub wanted: &'a str,
    /// The key that is held.
    pub held: &'a str,
    /// The task that holds it.
    pub holder: TaskId,
}

impl Held {
    /// Enters what a task holds from now on.
    pub fn take(&mut self, id: TaskId, claims: &[ResourceClaim]) {
        for claim in claims {
            let holders = match self.keys.get_mut(&claim.key) {
                Some(holders) => holders,
                None => self.keys.entry(claim.key.clone()).or_default(),
            };
            let place = holders.partition_point(|(other, _)| *other < id);
            holders.insert(place, (id, claim.is_exclusive()));
        }
    }

    /// Takes out what a task holds no longer.
    pub fn give_back(&mut self, id: TaskId, claims: &[ResourceClaim]) {
        for claim in claims {
            if let Some(holders) = self.keys.get_mut(&claim.key) {
                holders.retain(|(other, _)| *other != id);
                if holders.is_empty() {
                    self.keys.remove(&claim.key);
                }
            }
        }
    }

    /// The first holder that stands against one of `claims`; what `but` holds does not count.
    pub fn conflict<'a>(&'a self, claims: &'a [ResourceClaim], but: Option<TaskId>) -> Option<Conflict<'a>> {
        if self.keys.is_empty() {
            return None;
        }
        claims.iter().find_map(|claim| self.against(claim, but))
    }

    fn against<'a>(&'a self, claim: &'a ResourceClaim, but: Option<TaskId>) -> Option<Conflict<'a>> {
        let wanted = claim.key.as_str();
        let stands = |(held, holders): (&'a String, &'a Vec<(TaskId, bool)>)| {
            holders
                .iter()
                .find(|(id, exclusive)| (*exclusive || claim.is_exclusive()) && Some(*id) != but)
                .map(|(holder, _)| Conflict { wanted, held, holder: *holder })
        };
        let slashes = wanted.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        let folders =
            slashes.filter_map(|(place, _)| wanted.get(..=place)).filter(|folder| *folder != wanted);
        let above = folders.chain([wanted]).filter_map(|key| self.keys.get_key_value(key)).find_map(stands);
        if above.is_some() || !wanted.ends_with('/') {
            return above;
        }
        let from = (core::ops::Bound::Excluded(wanted), core::ops::Bound::Unbounded);
        self.keys.range::<str, _>(from).take_while(|(key, _)| key.starts_with(wanted)).find_map(stands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(key: &str, mode: &str) -> ResourceClaim {
        ResourceClaim { key: key.into(), mode: mode.into() }
    }

    #[test]
    fn folders_stand_for_what_is_in_them_and_shared_claims_bear_each_other() {
        assert!(keys_meet("src/", "src/a.rs") && keys_meet("src/a/b", "src/") && keys_meet("k", "k"));
        assert!(!keys_meet("src", "src/a.rs") && !keys_meet("src/a", "src/ab") && !keys_meet("a/", "b/"));
        let mut held = Held::default();
        held.take(TaskId(9), &[claim("src/a.rs", ""), claim("docs/", SHARED)]);
        let at = |key: &str, mode: &str| {
            held.conflict(&[claim(key, mode)], None).map(|found| (String::from(found.held), found.holder))
        };
        let held_by_9 = |key: &str| Some((String::from(key), TaskId(9)));
        assert_eq!(at("src/a.rs", SHARED), held_by_9("src/a.rs"));
        assert_eq!(at("src/", ""), held_by_9("src/a.rs"));
        assert_eq!(at("src/b.rs", ""), None);
        assert_eq!(at("docs/x", ""), held_by_9("docs/"));
        assert_eq!(at("docs/x", SHARED), None);
        assert_eq!(at("docs/x/", ""), held_by_9("docs/"));
        assert_eq!(held.conflict(&[claim("src/", "")], Some(TaskId(9))), None);
        held.give_back(TaskId(9), &[claim("src/a.rs", ""), claim("docs/", SHARED)]);
        assert_eq!(held, Held::default());
    }
}
