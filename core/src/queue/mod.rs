//! Ready tasks in the order in which they are to start: highest priority first; among equals the goal
//! that was served longest ago; inside a goal the oldest.
//!
//! A claim must not look at every task. So tasks stand in levels, one for each agent that tasks are
//! assigned to, one for each first capability that tasks name, and one for all others: an agent looks
//! at its own levels alone. In a level each goal has a line for each priority, and the lines are sorted
//! by whose turn it is. In a line, tasks with the same needs form a lane, so that one look tells of all
//! of them that the agent cannot do them or that their resource is held.

mod line;

use alloc::collections::btree_map::Entry;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::agent::Agent;
use crate::ids::{AgentId, GoalId, TaskId};
use crate::resource::ResourceClaim;
use crate::task::Task;
use line::Line;

/// How little urgent, when its goal was served last, its number: what goes first is least.
pub type Place = (u32, u64, TaskId);

/// The order of a task whose goal was served last by event `served`.
pub fn place(task: &Task, served: u64) -> Place {
    (urgency(task), served, task.id)
}

fn urgency(task: &Task) -> u32 {
    100 - task.priority.min(100)
}

/// What a task needs of its worker and of the world.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Needs {
    /// What an agent must be able to do.
    pub capabilities: Vec<String>,
    /// What the task holds while it runs.
    pub resources: Vec<ResourceClaim>,
}

/// The goal of a line; 0 for tasks without one.
type Flow = u64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum LevelKey {
    Any,
    Agent(AgentId),
    Word(u32),
}

/// The lines of a level, by how little urgent they are.
type Level = BTreeMap<u32, BTreeMap<Flow, Line>>;

/// A goal with ready tasks.
#[derive(Clone, Debug, Default)]
struct Turn {
    /// The event that served it last.
    served: u64,
    /// How many lines it has.
    lines: usize,
}

/// More lines than this of one urgency are not looked at each: the goals are gone through in the
/// order of their turns instead, until one has a line there.
const FEW_LINES: usize = 16;

#[derive(Clone, Debug, Default)]
struct Lane {
    needs: Needs,
    tasks: usize,
}

/// The ready tasks.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    levels: BTreeMap<LevelKey, Level>,
    turns: BTreeMap<Flow, Turn>,
    /// Goals with ready tasks, the one that was served longest ago first.
    order: BTreeSet<(u64, Flow)>,
    words: BTreeMap<String, u32>,
    lane_of: BTreeMap<Needs, u32>,
    lanes: Vec<Lane>,
    free: Vec<u32>,
}

/// Where a task stands: the agent or the word of its level, urgency, goal, needs.
type Standing<'a> = (Option<AgentId>, Option<&'a str>, u32, Flow, &'a Needs, TaskId);

/// Equal if they hold the same tasks in the same order, whatever numbers words and lanes have.
impl PartialEq for Queue {
    fn eq(&self, other: &Self) -> bool {
        self.contents() == other.contents()
    }
}

fn flow(goal: Option<GoalId>) -> Flow {
    goal.map_or(0, |id| id.0)
}

impl Queue {
    /// Enters a task whose goal was served last by event `served`; gives back its lane.
    pub fn insert(&mut self, task: &Task, served: u64) -> u32 {
        let lane = self.lane(task);
        let key = self.level_key(task);
        let flow = flow(task.goal_id);
        let lines = self.levels.entry(key).or_default().entry(urgency(task)).or_default();
        let line = match lines.entry(flow) {
            Entry::Occupied(line) => line.into_mut(),
            Entry::Vacant(place) => {
                let turn = self.turns.entry(flow).or_default();
                if turn.lines == 0 {
                    turn.served = served;
                    self.order.insert((served, flow));
                }
                turn.lines += 1;
                place.insert(Line::default())
            }
        };
        line.insert(task.id, lane);
        lane
    }

    /// Takes out a task that was entered into `lane`.
    pub fn remove(&mut self, task: &Task, lane: u32) {
        let key = self.level_key(task);
        let (urgency, flow) = (urgency(task), flow(task.goal_id));
        let Some(level) = self.levels.get_mut(&key) else { return };
        let Some(lines) = level.get_mut(&urgency) else { return };
        let Some(line) = lines.get_mut(&flow) else { return };
        line.remove(task.id, lane);
        if line.is_empty() {
            lines.remove(&flow);
            if lines.is_empty() {
                level.remove(&urgency);
                if level.is_empty() {
                    self.levels.remove(&key);
                }
            }
            self.line_ended(flow);
        }
        self.leave_lane(lane);
    }

    fn line_ended(&mut self, flow: Flow) {
        let Some(turn) = self.turns.get_mut(&flow) else { return };
        turn.lines = turn.lines.saturating_sub(1);
        if turn.lines == 0 {
            self.order.remove(&(turn.served, flow));
            self.turns.remove(&flow);
        }
    }

    /// Event `seq` started a task of the goal, or one without a goal: it goes behind the others.
    pub fn serve(&mut self, goal: Option<GoalId>, seq: u64) {
        let flow = flow(goal);
        if let Some(turn) = self.turns.get_mut(&flow) {
            self.order.remove(&(turn.served, flow));
            turn.served = seq;
            self.order.insert((seq, flow));
        }
    }

    /// The first task in the order for which `lane_fits` and then `task_fits` hold, of those that the
    /// agent's capabilities and assignments let it see; `flow_fits` leaves out whole goals.
    pub fn first(
        &self,
        agent: &Agent,
        flow_fits: impl Fn(Option<GoalId>) -> bool,
        lane_fits: impl Fn(&Needs) -> bool,
        task_fits: impl Fn(TaskId) -> bool,
    ) -> Option<Place> {
        let words = agent.capabilities.iter().chain([&agent.agent_type]);
        let words = words.filter_map(|word| self.words.get(word.as_str()));
        let keys = words.map(|word| LevelKey::Word(*word)).chain([LevelKey::Any, LevelKey::Agent(agent.id)]);
        let in_line = |flow: Flow, line: &Line| match flow_fits(goal(flow)) {
            true => self.first_of_line(line, &lane_fits, &task_fits),
            false => None,
        };
        let mut best: Option<Place> = None;
        for level in keys.filter_map(|key| self.levels.get(&key)) {
            for (urgency, lines) in level {
                if best.is_some_and(|(least, _, _)| *urgency > least) {
                    break;
                }
                if let Some((turn, id)) = self.first_of_lines(lines, in_line) {
                    let found = (*urgency, turn, id);
                    best = Some(best.map_or(found, |best| best.min(found)));
                    break;
                }
            }
        }
        best
    }

    /// The first task of lines of one urgency, with the turn of its goal.
    fn first_of_lines(
        &self,
        lines: &BTreeMap<Flow, Line>,
        in_line: impl Fn(Flow, &Line) -> Option<TaskId>,
    ) -> Option<(u64, TaskId)> {
        if lines.len() > FEW_LINES {
            let mut waiting =
                self.order.iter().filter_map(|(turn, flow)| Some((*turn, *flow, lines.get(flow)?)));
            return waiting.find_map(|(turn, flow, line)| Some((turn, in_line(flow, line)?)));
        }
        let mut best: Option<(u64, TaskId)> = None;
        for (flow, line) in lines {
            let turn = self.turns.get(flow).map_or(0, |turn| turn.served);
            if best.is_none_or(|(earliest, _)| turn < earliest) {
                best = in_line(*flow, line).map(|id| (turn, id)).or(best);
            }
        }
        best
    }

    fn first_of_line(
        &self,
        line: &Line,
        lane_fits: &impl Fn(&Needs) -> bool,
        task_fits: &impl Fn(TaskId) -> bool,
    ) -> Option<TaskId> {
        // lane 0 needs nothing
        let needs = |lane: u32| self.lanes.get(lane as usize).map(|lane| &lane.needs);
        line.first(|lane| lane == 0 || needs(lane).is_some_and(lane_fits), task_fits)
    }

    /// Each task with its level, its line and its needs.
    fn contents(&self) -> BTreeSet<Standing<'_>> {
        let word = |number: u32| {
            self.words.iter().find(|(_, known)| **known == number).map(|(word, _)| word.as_str())
        };
        let mut found = BTreeSet::new();
        for (key, level) in &self.levels {
            let (agent, word) = match key {
                LevelKey::Any => (None, None),
                LevelKey::Agent(id) => (Some(*id), None),
                LevelKey::Word(number) => (None, word(*number)),
            };
            let lines = level.iter().flat_map(|(urgency, lines)| lines.iter().map(move |l| (urgency, l)));
            for (urgency, (flow, line)) in lines {
                for (id, lane) in line.tasks() {
                    let Some(lane) = self.lanes.get(lane as usize) else { continue };
                    found.insert((agent, word, *urgency, *flow, &lane.needs, id));
                }
            }
        }
        found
    }

    fn level_key(&mut self, task: &Task) -> LevelKey {
        if let Some(agent) = task.assigned_to {
            return LevelKey::Agent(agent);
        }
        let Some(word) = task.capabilities.first() else { return LevelKey::Any };
        if let Some(number) = self.words.get(word) {
            return LevelKey::Word(*number);
        }
        let number = self.words.len() as u32;
        self.words.insert(word.clone(), number);
        LevelKey::Word(number)
    }

    fn lane(&mut self, task: &Task) -> u32 {
        if self.lanes.is_empty() {
            // lane 0 is that of tasks without needs: most are, and they need no look into a map
            self.lanes = vec![Lane::default()];
        }
        let number = if task.capabilities.is_empty() && task.resources.is_empty() {
            0
        } else {
            self.lane_for(Needs {
                capabilities: task.capabilities.clone(),
                resources: task.resources.clone(),
            })
        };
        if let Some(lane) = self.lanes.get_mut(number as usize) {
            lane.tasks += 1;
        }
        number
    }

    fn lane_for(&mut self, needs: Needs) -> u32 {
        if let Some(number) = self.lane_of.get(&needs) {
            return *number;
        }
        let number = self.free.pop().unwrap_or(self.lanes.len() as u32);
        self.lane_of.insert(needs.clone(), number);
        let lane = Lane { needs, tasks: 0 };
        match self.lanes.get_mut(number as usize) {
            Some(free) => *free = lane,
            None => self.lanes.push(lane),
        }
        number
    }

    fn leave_lane(&mut self, number: u32) {
        let Some(lane) = self.lanes.get_mut(number as usize) else { return };
        lane.tasks = lane.tasks.saturating_sub(1);
        if lane.tasks == 0 && number != 0 {
            self.lane_of.remove(&lane.needs);
            *lane = Lane::default();
            self.free.push(number);
        }
    }
}

fn goal(flow: Flow) -> Option<GoalId> {
    if flow == 0 {
        None
    } else {
        Some(GoalId(flow))
    }
}
