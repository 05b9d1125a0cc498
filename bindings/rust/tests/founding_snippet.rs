//! The Rust snippet of the founding document, with imports, data and an async wrapper added.

use ruv_swarm::{AgentConfig, AgentType, Data, Error, PersistenceConfig, Swarm, SwarmConfig, Task, Topology};

async fn snippet(data: Data) -> Result<String, Error> {
    // Create swarm with persistence
    let swarm = Swarm::new(SwarmConfig {
        topology: Topology::Mesh,
        persistence: Some(PersistenceConfig::Sqlite("./swarm.db")),
        ..Default::default()
    })?;

    // Spawn agent
    let agent = swarm.spawn_agent(AgentConfig {
        agent_type: AgentType::NeuralProcessor,
        capabilities: vec!["cascade-correlation", "rprop"],
    })?;

    // Run task
    let result = agent.process(Task::Train { data }).await?;

    assert_eq!(result.state, "completed");
    assert_eq!(result.members.len(), 1);
    assert_eq!(result.members[0].agent_id, agent.id());
    let model = swarm.model(&result.model_hash)?;
    assert_eq!(model.hash(), result.model_hash);
    Ok(result.model_hash)
}

#[test]
fn the_founding_snippet_compiles_and_runs() {
    // the only test of this program: it may change the folder of the process
    let folder = tempfile::tempdir().unwrap();
    std::env::set_current_dir(folder.path()).unwrap();
    let hash = pollster::block_on(snippet(Data::sample())).unwrap();
    assert_eq!(hash.len(), 64);

    // the file is there, and another agent of the same pattern trains under its own name
    let swarm = Swarm::new(SwarmConfig {
        persistence: Some(PersistenceConfig::Sqlite("./swarm.db")),
        ..Default::default()
    })
    .unwrap();
    let config = AgentConfig { agent_type: AgentType::NeuralProcessor, capabilities: vec!["adam"] };
    let agent = swarm.spawn_agent(config.pattern("convergent").name("second")).unwrap();
    let result = pollster::block_on(agent.process(Task::Train { data: Data::sample() })).unwrap();
    assert_eq!(
        (result.members[0].agent_id.as_str(), result.members[0].algorithm.as_str()),
        (agent.id(), "adam")
    );

    // bad data is found before anything is written
    let before = swarm.host().version().unwrap();
    let data = Data::csv("a,b\n1,x\n2\n");
    let error = pollster::block_on(agent.process(Task::Train { data })).unwrap_err();
    assert_eq!(error.code.exit(), 2);
    assert_eq!(swarm.host().version().unwrap(), before);
}
