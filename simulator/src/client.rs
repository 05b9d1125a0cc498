//! Clients: who submits, edits, calls off, pauses, spawns and retires. Each request is drawn, and some
//! are wrong on purpose.

use ruv_swarm_core::rng::Rng;

use crate::profile::Profile;
use crate::request::Request;
use crate::shadow::Shadow;

/// Capabilities that agents and tasks draw from; the last is nobody's at the beginning.
pub const WORDS: &[&str] = &["rust", "docs", "gpu", "日本", "rare"];
/// Types of agents.
pub const TYPES: &[&str] = &["coder", "tester"];
/// Error codes of workers.
pub const CODES: &[&str] = &["broken", "busy", "fatal"];
const KEYS: &[&str] =
    &["src/", "src/a.rs", "src/lib/", "src/lib/b.rs", "db", "port:80", "/etc/", "/etc/hosts", "docs/x"];
/// The hash of the one artifact of the worlds, `hello` in UTF-8.
pub const ARTIFACT: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

/// Draws requests for the state that `shadow` shows.
pub struct Client<'a> {
    /// The world's randomness.
    pub rng: &'a mut Rng,
    /// The world's kind.
    pub profile: &'a Profile,
    /// What clients see.
    pub shadow: &'a Shadow,
}

/// An operation with its request.
pub type Wish = (&'static str, String);

/// One of a list; the lists here are never empty.
pub fn one<'a, T: ?Sized>(rng: &mut Rng, list: &[&'a T]) -> &'a T {
    list[rng.below(list.len() as u64) as usize]
}

/// True with `chance` in ten thousand.
pub fn roll(rng: &mut Rng, chance: u64) -> bool {
    chance > 0 && rng.below(10_000) < chance
}

impl Client<'_> {
    /// What a client wants next.
    pub fn wish(&mut self) -> Wish {
        if self.shadow.paused && self.rng.below(4) == 0 {
            return ("swarm_resume", "{}".into());
        }
        if self.shadow.open.len() < self.profile.open && self.rng.below(3) > 0 {
            return self.submit();
        }
        match self.rng.below(100) {
            0..20 if self.shadow.open.len() < self.profile.open => self.submit(),
            0..22 => self.update(),
            22..30 => self.cancel(),
            30..36 => self.pause("swarm_pause"),
            36..48 => self.pause("swarm_resume"),
            48..54 => self.spawn(),
            54..62 => ("agent_heartbeat", Request::new().text("agentId", self.any_agent()).done()),
            62..64 => self.retire(),
            64..66 => self.orchestrate(),
            66..68 => self.artifact(),
            68..72 => ("tick", "{}".into()),
            72..76 => self.wrong(),
            76..84 => self.explain(),
            84..88 => ("task_status", Request::new().text("taskId", self.any_task()).done()),
            88..90 => ("task_list", Request::new().text("state", "ready").raw("limit", 5).done()),
            90..94 => ("agent_metrics", Request::new().text("agentId", self.any_agent()).done()),
            _ => self.update(),
        }
    }

    fn rich(&mut self) -> bool {
        roll(self.rng, self.profile.rich)
    }

    fn any_agent(&mut self) -> String {
        let unknown = u64::from(self.rng.below(50) == 0);
        format!("a{}", 1 + self.rng.below(self.shadow.agents.len() as u64 + unknown))
    }

    fn any_goal(&mut self) -> String {
        let there = self.shadow.goals.len() as u64;
        // The latest goals are those that have not ended.
        format!("g{}", there.saturating_sub(self.rng.below(3)).max(1))
    }

    /// The id of a task, mostly of one that has not ended.
    pub fn any_task(&mut self) -> String {
        let last = self.shadow.tasks.len() as u64;
        if self.shadow.open.is_empty() || self.rng.below(12) == 0 {
            return format!("t{}", 1 + self.rng.below(last + 1));
        }
        let place = self.rng.below(self.shadow.open.len() as u64) as usize;
        format!("t{}", self.shadow.open.iter().nth(place).copied().unwrap_or(1))
    }

    fn submit(&mut self) -> Wish {
        let count = 1 + self.rng.below(4) * self.rng.below(2);
        let goal = self.rng.below(8);
        let mut tasks = vec![];
        for place in 0..count {
            tasks.push(self.new_task(place, count, goal));
        }
        let mut request = Request::new().raw("tasks", format_args!("[{}]", tasks.join(",")));
        if goal == 0 {
            request = request.text("goal", "ship it");
        }
        ("task_submit", request.done())
    }

    fn new_task(&mut self, place: u64, count: u64, goal: u64) -> String {
        let mut task = Request::new().text("name", format_args!("n{place}"));
        if self.rng.below(2) == 0 {
            task = task.text("priority", one(self.rng, &["low", "medium", "high", "critical", "7", "50"]));
        }
        let (mut depends, mut failure) = (vec![], vec![]);
        if count > 1 && self.rng.below(2) == 0 {
            // Mostly an earlier task of the request; now and then a later one or itself, a circle.
            let below = if self.rng.below(12) == 0 { count } else { place.max(1) };
            let other = format!("n{}", self.rng.below(below));
            if other != format!("n{place}") || self.rng.below(20) == 0 {
                if self.rng.below(4) == 0 { &mut failure } else { &mut depends }.push(other);
            }
        }
        if self.rich() {
            depends.push(self.any_task());
        }
        if self.rich() && self.rng.below(2) == 0 {
            failure.push(self.any_task());
        }
        task = task.texts("dependsOn", &depends).texts("afterFailure", &failure);
        if self.rng.below(3) == 0 {
            task = task.texts("capabilities", &[self.word()]);
        }
        if self.rng.below(12) == 0 {
            task = task.text("assignedTo", self.any_agent());
        }
        if goal == 1 && !self.shadow.goals.is_empty() {
            task = task.text("goalId", self.any_goal());
        }
        if self.rich() {
            task = task.raw("resources", self.resources());
        }
        if self.rng.below(10) == 0 {
            task = task.texts("labels", &["nightly"]).text("payload", "work");
        }
        task = self.policy(task);
        self.limits(task, 1).done()
    }

    fn word(&mut self) -> &'static str {
        // The word that nobody has is rare, else worlds would fill with tasks that nobody can do.
        let last = WORDS.len() as u64 - u64::from(self.rng.below(6) > 0);
        WORDS[self.rng.below(last) as usize]
    }

    fn policy(&mut self, mut task: Request) -> Request {
        if self.rng.below(2) == 0 {
            task = task.raw("maxRetries", self.rng.below(5));
        }
        if self.rng.below(2) == 0 {
            task = task.raw("backoffMs", self.rng.below(4_000));
        }
        if self.rich() {
            task = task.raw("maxBackoffMs", 1 + self.rng.below(9_000)).raw("jitter", self.rng.below(101));
        }
        if self.rng.below(5) == 0 {
            let codes = ["fatal", "lease_expired", "run_timeout"];
            task = task.texts("nonRetryable", &[one(self.rng, &codes)]);
        }
        task
    }

    /// Deadlines of at least `least` ms.
    fn limits(&mut self, mut task: Request, least: u64) -> Request {
        for (name, most) in [("queueMs", 60_000), ("runMs", 20_000), ("totalMs", 200_000)] {
            if self.rich() && self.rng.below(2) == 0 {
                task = task.raw(name, least + self.rng.below(most));
            }
        }
        task
    }

    fn resources(&mut self) -> String {
        let count = 1 + self.rng.below(2);
        let first = self.rng.below(KEYS.len() as u64);
        let mut claims = vec![];
        for place in first..first + count {
            let key = KEYS[(place * 4 % KEYS.len() as u64) as usize];
            let claim = Request::new().text("key", key);
            claims.push(match self.rng.below(2) {
                0 => claim.text("mode", "shared").done(),
                _ => claim.done(),
            });
        }
        format!("[{}]", claims.join(","))
    }

    fn update(&mut self) -> Wish {
        let mut request = Request::new().text("taskId", self.any_task());
        let field = self.rng.below(14);
        request = match field {
            0 => request.text("priority", one(self.rng, &["low", "high", "99"])),
            1..4 => request.texts("addDependsOn", &[self.any_task()]),
            4..6 => request.texts("removeDependsOn", &[self.any_task()]),
            6 => request.texts("addAfterFailure", &[self.any_task()]),
            7 => request.texts("removeAfterFailure", &[self.any_task()]),
            8 => request.texts("addCapabilities", &[self.word()]),
            9 => request.texts("removeCapabilities", &[self.word()]),
            10 => request.raw("addResources", self.resources()),
            11 => request
                .text("assignedTo", if self.rng.below(2) == 0 { String::new() } else { self.any_agent() }),
            12 => request.raw("maxRetries", self.rng.below(6)).raw("backoffMs", self.rng.below(5_000)),
            _ => self.limits(request, 0),
        };
        ("task_update", request.done())
    }

    fn cancel(&mut self) -> Wish {
        let request = match self.rng.below(6) {
            0 => Request::new().text("goalId", self.any_goal()),
            _ => Request::new().text("taskId", self.any_task()),
        };
        ("task_cancel", request.text("reason", "changed our mind").done())
    }

    fn pause(&mut self, operation: &'static str) -> Wish {
        let request = match self.rng.below(12) {
            0..6 => Request::new().text("taskId", self.any_task()),
            6..8 => Request::new().text("goalId", self.any_goal()),
            8..11 => Request::new().text("agentId", self.any_agent()),
            _ => Request::new(),
        };
        (operation, request.done())
    }

    /// A request for a new agent.
    pub fn spawn(&mut self) -> Wish {
        let mut request = Request::new().text("type", one(self.rng, TYPES));
        let words: Vec<&str> =
            WORDS.iter().take(WORDS.len() - 1).copied().filter(|_| self.rng.below(3) > 0).collect();
        request = request.texts("capabilities", &words);
        if self.rng.below(3) == 0 {
            request = request.raw("capacity", 1 + self.rng.below(3));
        }
        if self.rng.below(2) == 0 {
            request = request.raw("silenceMs", 1_000 + self.rng.below(90_000));
        }
        if self.rng.below(4) == 0 {
            request = request.text("name", format_args!("w{}", self.rng.below(3))).raw("join", true);
        }
        ("agent_spawn", request.done())
    }

    fn retire(&mut self) -> Wish {
        let mut request = Request::new().text("agentId", self.any_agent());
        if self.rng.below(2) == 0 {
            request = request.raw("replace", true);
        }
        ("agent_retire", request.text("reason", "tired").done())
    }

    fn orchestrate(&mut self) -> Wish {
        let strategy = one(self.rng, &["balanced", "parallel", "sequential"]);
        ("task_orchestrate", Request::new().text("task", "write it down").text("strategy", strategy).done())
    }

    fn artifact(&mut self) -> Wish {
        ("artifact_put", Request::new().text("content", "aGVsbG8=").text("name", "hello").done())
    }

    fn explain(&mut self) -> Wish {
        let request = Request::new().text("taskId", self.any_task()).text("agentId", self.any_agent());
        ("task_explain", request.done())
    }

    /// Something that must be refused.
    fn wrong(&mut self) -> Wish {
        let wrong: &[Wish] = &[
            ("task_submit", "{\"tasks\":[]}".into()),
            ("task_submit", "{\"tasks\":[{\"priority\":\"101\"}]}".into()),
            ("task_submit", "{\"tasks\":[{\"dependsOn\":[\"t999999\"]}]}".into()),
            ("task_submit", "{\"tasks\":[{\"resources\":[{\"key\":\"a//b\"}]}]}".into()),
            ("agent_spawn", "{\"type\":\"\"}".into()),
            ("agent_spawn", "{\"type\":\"coder\",\"count\":1000}".into()),
            ("task_claim", "{\"agentId\":\"a1\",\"leaseMs\":1}".into()),
            ("task_report", "{\"taskId\":\"t1\",\"agentId\":\"a1\",\"epoch\":1,\"outcome\":\"done\"}".into()),
            ("swarm_init", "{\"seed\":1,\"topology\":\"ring\"}".into()),
            ("swarm_pause", "{\"taskId\":\"t1\",\"goalId\":\"g1\"}".into()),
            ("no_such_operation", "{}".into()),
            ("tick", "not JSON".into()),
        ];
        wrong[self.rng.below(wrong.len() as u64) as usize].clone()
    }
}
