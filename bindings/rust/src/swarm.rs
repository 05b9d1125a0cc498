//! The API of the library: a swarm, its agents and what they are given to do.

use std::sync::Arc;

use ruv_swarm_core::error::Error;
use ruv_swarm_core::neural::{self, Model};
use ruv_swarm_core::Code;
use serde::Deserialize;
use serde_json::{json, Map, Value};

use crate::files;
use crate::host::{read, Call, Content, Host, Options};
use crate::processing::Processing;
use crate::work::Worker;

/// How agents are connected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Topology {
    /// Everyone with everyone.
    #[default]
    Mesh,
    /// A tree.
    Hierarchical,
    /// Each with two neighbours.
    Ring,
    /// All with the first.
    Star,
}

impl Topology {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Topology::Mesh => "mesh",
            Topology::Hierarchical => "hierarchical",
            Topology::Ring => "ring",
            Topology::Star => "star",
        }
    }
}

/// Where a swarm is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PersistenceConfig<'a> {
    /// An SQLite file, made if it is not there, fully durable.
    Sqlite(&'a str),
}

/// What a swarm is like. An existing one is joined if what is given equals what is there.
#[derive(Clone, Debug, Default)]
pub struct SwarmConfig<'a> {
    /// How agents are connected.
    pub topology: Topology,
    /// Where it is kept; `None` is memory, gone with the process.
    pub persistence: Option<PersistenceConfig<'a>>,
    /// How many agents it may have; `None` is 100, or what is there.
    pub max_agents: Option<u32>,
    /// How goals are planned when nothing else is said; `None` is balanced, or what is there.
    pub strategy: Option<&'a str>,
    /// The seed of all randomness; `None` draws one, or takes what is there.
    pub seed: Option<u64>,
}

/// What an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentType<'a> {
    /// It trains networks.
    NeuralProcessor,
    /// Any other word, for example `coder`: a worker outside claims its tasks.
    Other(&'a str),
}

/// What a new agent is and can do. More is said with the methods, which turn it into an [`AgentBuilder`].
#[derive(Clone, Debug)]
pub struct AgentConfig<'a> {
    /// What it is.
    pub agent_type: AgentType<'a>,
    /// What it can do; for a neural processor the algorithms it may choose from.
    pub capabilities: Vec<&'a str>,
}

impl<'a> AgentConfig<'a> {
    /// With a cognitive pattern: convergent, divergent, lateral, systems, critical or abstract.
    pub fn pattern(self, pattern: &'a str) -> AgentBuilder<'a> {
        AgentBuilder::from(self).pattern(pattern)
    }

    /// With a name for people.
    pub fn name(self, name: &'a str) -> AgentBuilder<'a> {
        AgentBuilder::from(self).name(name)
    }

    /// With room for several tasks at once.
    pub fn capacity(self, capacity: u32) -> AgentBuilder<'a> {
        AgentBuilder::from(self).capacity(capacity)
    }
}

/// A new agent with everything that can be said about it.
#[derive(Clone, Debug)]
pub struct AgentBuilder<'a> {
    config: AgentConfig<'a>,
    pattern: Option<&'a str>,
    name: Option<&'a str>,
    capacity: Option<u32>,
}

impl<'a> From<AgentConfig<'a>> for AgentBuilder<'a> {
    fn from(config: AgentConfig<'a>) -> Self {
        AgentBuilder { config, pattern: None, name: None, capacity: None }
    }
}

impl<'a> AgentBuilder<'a> {
    /// With a cognitive pattern: convergent, divergent, lateral, systems, critical or abstract.
    pub fn pattern(mut self, pattern: &'a str) -> Self {
        self.pattern = Some(pattern);
        self
    }

    /// With a name for people.
    pub fn name(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    /// With room for several tasks at once.
    pub fn capacity(mut self, capacity: u32) -> Self {
        self.capacity = Some(capacity);
        self
    }

    fn request(&self) -> Value {
        let word = match self.config.agent_type {
            AgentType::NeuralProcessor => "neural",
            AgentType::Other(word) => word,
        };
        let mut request = Map::new();
        request.insert("type".into(), json!(word));
        request.insert("capabilities".into(), json!(self.config.capabilities));
        for (field, value) in [("pattern", self.pattern), ("name", self.name)] {
            if let Some(value) = value {
                request.insert(field.into(), json!(value));
            }
        }
        if let Some(capacity) = self.capacity {
            request.insert("capacity".into(), json!(capacity));
        }
        Value::Object(request)
    }
}

/// A dataset: the bytes of a CSV or FANN text file, or arrays, with what is to be predicted.
#[derive(Clone, Debug)]
pub struct Data {
    bytes: Arc<Vec<u8>>,
    name: String,
    target: Option<String>,
    task: Option<String>,
}

impl Data {
    /// CSV text with a header line; the target is the last column unless [`Data::target`] says otherwise.
    pub fn csv(text: impl Into<Vec<u8>>) -> Data {
        Data { bytes: Arc::new(text.into()), name: "data.csv".into(), target: None, task: None }
    }

    /// The bytes of a CSV or FANN text file.
    pub fn file(path: &str) -> Result<Data, Error> {
        Ok(Data { name: path.into(), ..Data::csv(files::read("data", path)?) })
    }

    /// Arrays, row by row: `inputs` has `n_inputs` values a row, `targets` `n_targets`. The rows are
    /// as many as `inputs` fills; one column of few whole numbers, or one-hot rows, mean classes.
    pub fn arrays(inputs: &[f32], n_inputs: usize, targets: &[f32], n_targets: usize) -> Data {
        let rows = inputs.len().checked_div(n_inputs).unwrap_or(0);
        let bytes = neural::encode_arrays(inputs, rows, n_inputs, targets, n_targets, None);
        Data { name: "arrays".into(), ..Data::csv(bytes) }
    }

    /// The bundled sample: 150 iris flowers of three species.
    pub fn sample() -> Data {
        Data { name: "iris.csv".into(), ..Data::csv(neural::sample()) }
    }

    /// Names the column to predict.
    pub fn target(mut self, column: &str) -> Data {
        self.target = Some(column.into());
        self
    }

    /// `classification` or `regression`, where the values do not say it.
    pub fn task(mut self, task: &str) -> Data {
        self.task = Some(task.into());
        self
    }

    fn options(&self) -> String {
        let mut options = Map::new();
        for (field, value) in [("target", &self.target), ("task", &self.task)] {
            if let Some(value) = value {
                options.insert(field.into(), json!(value));
            }
        }
        Value::Object(options).to_string()
    }
}

/// What an agent is given to do.
#[derive(Clone, Debug)]
pub enum Task {
    /// Train a network on the data.
    Train {
        /// What to train on.
        data: Data,
    },
}

/// A member of a trained ensemble.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Member {
    /// The agent that trained it.
    pub agent_id: String,
    /// Its cognitive pattern.
    pub pattern: String,
    /// Its learning algorithm.
    pub algorithm: String,
    /// Its layers.
    pub network: String,
    /// Mean squared error on the validation rows.
    pub validation_loss: f64,
    /// Share of validation rows classified right; `None` for regression.
    #[serde(default)]
    pub validation_accuracy: Option<f64>,
}

/// The figures of an ensemble on held-out rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ensemble {
    /// Mean squared error of the fused outputs.
    pub test_loss: f64,
    /// Share of rows classified right; `None` for regression.
    #[serde(default)]
    pub test_accuracy: Option<f64>,
    /// The members' errors, averaged.
    pub mean_member_loss: f64,
    /// How much the members differ.
    pub ambiguity: f64,
}

/// What came of a training goal.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TrainingResult {
    /// The goal.
    pub goal_id: String,
    /// completed, failed or cancelled.
    pub state: String,
    /// SHA-256 of the model file.
    #[serde(default)]
    pub model_hash: String,
    /// The members, best first.
    #[serde(default)]
    pub members: Vec<Member>,
    /// The ensemble.
    #[serde(default)]
    pub ensemble: Option<Ensemble>,
}

/// A swarm with its store. Clones are the same swarm.
#[derive(Clone, Debug)]
pub struct Swarm {
    host: Arc<Host>,
}

impl Swarm {
    /// Makes the swarm, or joins the one that is there if it equals what is given.
    pub fn new(config: SwarmConfig<'_>) -> Result<Swarm, Error> {
        let mut request = Map::new();
        request.insert("topology".into(), json!(config.topology.as_str()));
        if let Some(most) = config.max_agents {
            request.insert("maxAgents".into(), json!(most));
        }
        if let Some(strategy) = config.strategy {
            request.insert("strategy".into(), json!(strategy));
        }
        if let Some(seed) = config.seed {
            request.insert("seed".into(), json!(seed));
        }
        let options = match config.persistence {
            None => Options::memory(),
            Some(PersistenceConfig::Sqlite(path)) => Options::file(path),
        };
        let (host, _) = crate::init::open(options, &request)?;
        Ok(Swarm { host: Arc::new(host) })
    }

    /// The host: every operation of the catalogue, events, artifacts and replay.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Adds an agent.
    pub fn spawn_agent<'a>(&self, agent: impl Into<AgentBuilder<'a>>) -> Result<Agent, Error> {
        #[derive(Deserialize)]
        struct Spawned {
            agents: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            id: String,
            pattern: String,
        }
        let response = self.host.call("agent_spawn", &agent.into().request().to_string(), "")?;
        let spawned: Spawned = read(&response)?;
        let row = spawned.agents.into_iter().next();
        let row = row.ok_or_else(|| Error::new(Code::Internal, "", "agent_spawn named no agent"))?;
        Ok(Agent { host: self.host.clone(), id: row.id, pattern: row.pattern })
    }

    /// A worker for a new agent of this type, for example `coder`, that does tasks with code of yours:
    /// see [`crate::work`].
    ///
    /// # Errors
    /// What `agent_spawn` refuses.
    pub fn work_as(&self, agent_type: &str) -> Result<Worker, Error> {
        let kind = AgentType::Other(agent_type);
        let agent = self.spawn_agent(AgentConfig { agent_type: kind, capabilities: vec![] })?;
        Ok(agent.worker())
    }

    /// Plans the training of an ensemble and runs it: the future trains on threads of its own.
    ///
    /// `patterns` are the cognitive patterns that take part; none leaves it to the strategy.
    pub fn train(&self, strategy: &str, patterns: &[&str], data: Data) -> Processing {
        let mut request = Map::new();
        request.insert("agents".into(), json!(patterns));
        if !strategy.is_empty() {
            request.insert("strategy".into(), json!(strategy));
        }
        Processing::new(self.host.clone(), request, data)
    }

    /// The model that the swarm keeps under `hash`.
    pub fn model(&self, hash: &str) -> Result<Model, Error> {
        Model::load(&self.host.get_artifact(hash)?)
    }

    /// The hash of the state, in hex: equal on every host with the same log.
    pub fn state_hash(&self) -> Result<String, Error> {
        self.host.with_swarm(|core| ruv_swarm_core::hash::hex(&core.state_hash()))
    }
}

/// An agent of a swarm.
#[derive(Clone, Debug)]
pub struct Agent {
    host: Arc<Host>,
    id: String,
    pattern: String,
}

impl Agent {
    /// Its id, for example `a1`.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its cognitive pattern.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// A worker that does this agent's tasks with code of yours: see [`crate::work`].
    pub fn worker(&self) -> Worker {
        Worker::new(self.host.clone(), &self.id)
    }

    /// Does the task, on a thread of its own: the future needs no particular runtime. Dropping it
    /// cancels the work.
    pub fn process(&self, task: Task) -> Processing {
        let Task::Train { data } = task;
        let mut request = Map::new();
        request.insert("agents".into(), json!([self.id]));
        Processing::new(self.host.clone(), request, data)
    }
}

/// Stores the dataset and plans the goal in one transaction; nothing is written if the data cannot
/// be trained on.
pub(crate) fn plan_training(
    host: &Host,
    mut request: Map<String, Value>,
    data: &Data,
) -> Result<String, Error> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Planned {
        goal_id: String,
    }
    let summary = neural::inspect_data(&data.bytes, &data.options())?;
    let content = Content::new(data.bytes.clone());
    request.insert("task".into(), json!("train"));
    request.insert("dataset".into(), json!({ "hash": content.hash(), "summary": summary }));
    let calls = vec![
        Call::artifact(content, &data.name, ""),
        Call::new("task_orchestrate", Value::Object(request).to_string()),
    ];
    let response = host.call_all(calls)?.pop().unwrap_or_default();
    read::<Planned>(&response).map(|planned| planned.goal_id)
}
