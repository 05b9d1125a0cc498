//! The ready tasks of one goal and one priority in a level, oldest first.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;

use crate::ids::TaskId;
use crate::mutants::{self, Mutant};

/// As many tasks as one look at each is cheaper for than lanes are.
const FEW: usize = 8;

/// Tasks with their lanes. Most lines hold very few, and those are a plain list.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    few: Vec<(TaskId, u32)>,
    many: Option<Box<Lanes>>,
}

/// Tasks by their lane, so that one look at a lane tells of all its tasks.
#[derive(Clone, Debug, Default)]
struct Lanes {
    /// The first task of each lane.
    heads: BTreeSet<(TaskId, u32)>,
    tasks: BTreeMap<u32, BTreeSet<TaskId>>,
}

impl Line {
    pub(super) fn insert(&mut self, id: TaskId, lane: u32) {
        if self.many.is_none() && self.few.len() < FEW {
            let place = self.few.partition_point(|(other, _)| *other < id);
            return self.few.insert(place, (id, lane));
        }
        let many = self.many.get_or_insert_default();
        for (id, lane) in self.few.drain(..).chain([(id, lane)]) {
            many.insert(id, lane);
        }
    }

    pub(super) fn remove(&mut self, id: TaskId, lane: u32) {
        match &mut self.many {
            Some(many) => many.remove(id, lane),
            None => self.few.retain(|(other, _)| *other != id),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.few.is_empty() && self.many.as_ref().is_none_or(|many| many.tasks.is_empty())
    }

    /// The oldest task for which `lane_fits` and then `task_fits` hold.
    pub(super) fn first(
        &self,
        lane_fits: impl Fn(u32) -> bool,
        task_fits: impl Fn(TaskId) -> bool,
    ) -> Option<TaskId> {
        if let Some(many) = &self.many {
            return many.first(lane_fits, task_fits);
        }
        let fits = |(id, lane): &&(TaskId, u32)| lane_fits(*lane) && task_fits(*id);
        let found = if mutants::on(Mutant::YoungestFirst) {
            self.few.iter().rev().find(fits)
        } else {
            self.few.iter().find(fits)
        };
        found.map(|(id, _)| *id)
    }

    /// Each task with its lane, in no order.
    pub(super) fn tasks(&self) -> impl Iterator<Item = (TaskId, u32)> + '_ {
        let lanes = self.many.iter().flat_map(|many| &many.tasks);
        let many = lanes.flat_map(|(lane, tasks)| tasks.iter().map(move |id| (*id, *lane)));
        self.few.iter().copied().chain(many)
    }
}

impl Lanes {
    fn insert(&mut self, id: TaskId, lane: u32) {
        let tasks = self.tasks.entry(lane).or_default();
        let first = tasks.first().copied();
        if first.is_none_or(|first| id < first) {
            if let Some(first) = first {
                self.heads.remove(&(first, lane));
            }
            self.heads.insert((id, lane));
        }
        tasks.insert(id);
    }

    fn remove(&mut self, id: TaskId, lane: u32) {
        let Some(tasks) = self.tasks.get_mut(&lane) else { return };
        let was_first = tasks.first() == Some(&id);
        tasks.remove(&id);
        if !was_first {
            return;
        }
        self.heads.remove(&(id, lane));
        match tasks.first() {
            Some(next) => {
                self.heads.insert((*next, lane));
            }
            None => {
                self.tasks.remove(&lane);
            }
        }
    }

    fn first(&self, lane_fits: impl Fn(u32) -> bool, task_fits: impl Fn(TaskId) -> bool) -> Option<TaskId> {
        let mut best: Option<TaskId> = None;
        for (head, lane) in &self.heads {
            if best.is_some_and(|best| best < *head) {
                break;
            }
            if !lane_fits(*lane) {
                continue;
            }
            let tasks = self.tasks.get(lane);
            let found = if mutants::on(Mutant::YoungestFirst) {
                tasks.and_then(|tasks| tasks.iter().rev().copied().find(|id| task_fits(*id)))
            } else if task_fits(*head) {
                Some(*head)
            } else {
                tasks.and_then(|tasks| tasks.iter().copied().find(|id| task_fits(*id)))
            };
            best = [best, found].into_iter().flatten().min();
        }
        best
    }
}
