//! What kind of world a seed makes.

use ruv_swarm_core::rng::Rng;

/// Chances are per ten thousand, times in ms.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Hosts on one store.
    pub hosts: u64,
    /// True if the store lets hosts append side by side, false if it locks.
    pub optimistic: bool,
    /// Agents at the beginning.
    pub agents: u64,
    /// Most agents of the swarm.
    pub max_agents: u64,
    /// Clients add tasks while fewer are open.
    pub open: usize,
    /// The seed of the swarm itself.
    pub swarm_seed: u64,
    /// A request or an answer takes up to this.
    pub delay: u64,
    /// A message is lost, doubled or late.
    pub network: u64,
    /// A worker crashes, freezes, lies or says things twice.
    pub workers: u64,
    /// A commit is refused, unknown or the end of its host.
    pub store: u64,
    /// A clock jumps, at each step of a client.
    pub clocks: u64,
    /// Tasks have resources, deadlines, edges, one chance for each.
    pub rich: u64,
    /// A client waits up to this between two requests.
    pub pace: u64,
    /// Requests have keys.
    pub keys: u64,
}

impl Profile {
    /// The world of a seed. One in eight knows no fault at all, one in eight is stormy.
    pub fn draw(rng: &mut Rng) -> Self {
        let mood = rng.below(8);
        let chance = |rng: &mut Rng, most: u64| match mood {
            0 => 0,
            1 => most * 3,
            _ => rng.below(most + 1),
        };
        let agents = 1 + rng.below(5);
        Profile {
            hosts: [1, 1, 2, 2, 2, 3].get(rng.below(6) as usize).copied().unwrap_or(1),
            optimistic: rng.below(2) == 0,
            agents,
            max_agents: agents + 1 + rng.below(5),
            open: 4 + rng.below(36) as usize,
            swarm_seed: rng.below(1 << 53),
            delay: 2 + rng.below(200),
            network: chance(rng, 300),
            workers: chance(rng, 1_500),
            store: chance(rng, 60),
            clocks: chance(rng, 100),
            rich: rng.below(5_000),
            pace: 40 + rng.below(900),
            keys: rng.below(6_000),
        }
    }
}
