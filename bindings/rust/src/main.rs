//! The `ruv-swarm` command.

fn main() {
    println!("ruv-swarm {}", ruv_swarm::version());
}
