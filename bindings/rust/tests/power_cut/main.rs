//! Power cuts and failing disks under the real host: nothing that was acknowledged is lost.
//!
//! `RUV_SWARM_CUTS` asks for more cuts, `RUV_SWARM_SEED` for others; a failure names its seed.

#![cfg(unix)]

mod disk;
mod troubles;
mod vfs;
mod work;

use disk::{Disk, Image};
use ruv_swarm::core::Swarm;
use ruv_swarm::store::{Durability, Head, Location, NewEvent, Store, StoredEvent};
use ruv_swarm::{Host, Options};
use vfs::look;
use work::{check, number, scratch, Worker};

/// Cuts that the main test asks for at least.
const CUTS: u64 = 400;

/// A swarm is made, worked on, closed, opened again and worked on, while the power goes now and then.
fn images_of(seed: u64, durability: Durability, lies: bool) -> Vec<Image> {
    let folder = scratch();
    let mut disk = Disk::new(seed, 60);
    disk.lies = lies;
    let disk = vfs::watch(folder.path(), disk);
    let mut worker = Worker::new(seed, &disk);
    for round in 0..2 {
        let options = Options::file(folder.path().join("swarm.db")).or_create().durability(durability);
        let host = Host::open(options).unwrap();
        worker.work(&host, if round == 0 { 70 } else { 50 });
    }
    let mut disk = look(&disk);
    disk.cut("the end");
    std::mem::take(&mut disk.images)
}

/// How many of the images have lost an acknowledged event, of how many.
fn lost_of(images: &[Image]) -> (usize, usize) {
    let lost = |image: &&Image| check(image).is_err_and(|trouble| trouble.contains("was acknowledged"));
    (images.iter().filter(lost).count(), images.len())
}

#[test]
fn a_power_cut_loses_no_acknowledged_event() {
    let wanted = number("RUV_SWARM_CUTS", CUTS);
    let first = number("RUV_SWARM_SEED", 1);
    let (mut cuts, mut acknowledged, mut seed) = (0, 0, first);
    while cuts < wanted {
        for image in images_of(seed, Durability::Full, false) {
            check(&image).unwrap_or_else(|trouble| panic!("seed {seed}, {}: {trouble}", image.when));
            acknowledged += image.acks.len();
            cuts += 1;
        }
        seed += 1;
    }
    println!(
        "{cuts} cuts in {} runs, {acknowledged} acknowledged events looked for, none lost",
        seed - first
    );
}

#[test]
fn a_swarm_goes_on_after_cut_upon_cut() {
    let seed = number("RUV_SWARM_SEED", 1);
    let mut image: Option<Image> = None;
    for generation in 0..20 {
        let folder = scratch();
        let seed = seed * 1000 + generation;
        let disk = match &image {
            None => Disk::new(seed, 40),
            Some(image) => {
                image.write_to(folder.path());
                Disk::after(image, seed, 40)
            }
        };
        let disk = vfs::watch(folder.path(), disk);
        let host = Host::open(Options::file(folder.path().join("swarm.db")).or_create()).unwrap();
        Worker::new(seed, &disk).work(&host, 30);
        let mut disk = look(&disk);
        disk.cut("the end of a generation");
        let last = disk.images.pop().unwrap();
        check(&last).unwrap_or_else(|trouble| panic!("seed {seed}, {}: {trouble}", last.when));
        image = Some(last);
    }
    assert!(image.unwrap().acks.len() > 20 * 30);
}

#[test]
fn a_power_cut_while_the_file_is_made_leaves_one_that_opens() {
    let first = number("RUV_SWARM_SEED", 1);
    let mut cuts = 0;
    for seed in first..first + 12 {
        let folder = scratch();
        let disk = vfs::watch(folder.path(), Disk::new(seed, 3));
        let host = Host::open(Options::file(folder.path().join("swarm.db")).or_create()).unwrap();
        Worker::new(seed, &disk).work(&host, 2);
        let images = std::mem::take(&mut look(&disk).images);
        for image in &images {
            check(image).unwrap_or_else(|trouble| panic!("seed {seed}, {}: {trouble}", image.when));
            cuts += 1;
        }
    }
    println!("{cuts} cuts while the file was made");
    assert!(cuts > 100, "{cuts}");
}

#[test]
fn two_hosts_and_threads_share_a_disk_that_loses_power() {
    let seed = number("RUV_SWARM_SEED", 1);
    let folder = scratch();
    let disk = vfs::watch(folder.path(), Disk::new(seed, 100));
    let open = || Host::open(Options::file(folder.path().join("swarm.db")).or_create()).unwrap();
    let hosts = [open(), open()];
    Worker::new(seed, &disk).work(&hosts[0], 1);
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let (host, disk) = (&hosts[thread as usize % 2], &disk);
            scope.spawn(move || Worker::new(seed + thread, disk).work(host, 40));
        }
    });
    let images = std::mem::take(&mut look(&disk).images);
    assert!(images.len() > 10, "{}", images.len());
    for image in images {
        check(&image).unwrap_or_else(|trouble| panic!("seed {seed}, {}: {trouble}", image.when));
    }
}

// The tests must be able to fail: each of these breaks one thing, and something is lost.

#[test]
fn without_a_sync_before_the_answer_events_are_lost() {
    for durability in [Durability::Normal, Durability::Memory] {
        let (lost, cuts) = lost_of(&images_of(5, durability, false));
        println!("durability {}: {lost} of {cuts} cuts lose an event", durability.as_str());
        assert!(lost > 0, "{durability:?}: {cuts} cuts");
    }
}

#[test]
fn with_a_disk_that_only_says_that_it_syncs_events_are_lost() {
    let (lost, cuts) = lost_of(&images_of(6, Durability::Full, true));
    println!("a sync that lies: {lost} of {cuts} cuts lose an event");
    assert!(lost > 0, "{cuts} cuts");
}

#[test]
fn with_an_answer_before_the_commit_events_are_lost() {
    let folder = scratch();
    let disk = vfs::watch(folder.path(), Disk::new(7, 40));
    let location = Location::File(folder.path().join("swarm.db"));
    let store = Store::open(&location, Durability::Full, true).unwrap();
    let mut swarm = Swarm::new();
    for number in 0..60u64 {
        let (operation, request) = match number {
            0 => ("swarm_init", r#"{"swarmId":"s-hasty","seed":1}"#),
            _ => ("agent_spawn", r#"{"type":"coder"}"#),
        };
        let decision = swarm.call(operation, request, number + 1, "").unwrap();
        store.begin().unwrap();
        for line in &decision.events {
            let applied = swarm.apply(line).unwrap();
            let stored = StoredEvent { seq: applied.seq, body: line.clone(), chain: applied.chain };
            let event = NewEvent { stored, at_ms: applied.at_ms, kind: applied.kind };
            store.append(swarm.swarm_id(), &[event]).unwrap();
        }
        store.upsert(&swarm.take_rows()).unwrap();
        let head = Head {
            swarm_id: swarm.swarm_id().to_string(),
            version: swarm.version(),
            chain: swarm.chain_head(),
        };
        store.write_head(&head, &swarm.config_json()).unwrap();
        // the fault: what comes after the commit in the host stands before it here
        look(&disk).acks.push((swarm.version(), swarm.chain_head()));
        store.commit().unwrap();
    }
    let images = std::mem::take(&mut look(&disk).images);
    let (lost, cuts) = lost_of(&images);
    println!("an answer before the commit: {lost} of {cuts} cuts lose an event");
    assert!(lost > 0, "{cuts} cuts");
}
