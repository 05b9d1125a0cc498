//! Writes and syncs that fail under a live host: what the caller hears, and how it is settled.

use rusqlite::ffi;
use ruv_swarm::{Code, Host, Options};
use serde_json::json;

use crate::disk::{Disk, Failing, Trouble};
use crate::vfs::{self, look};
use crate::work::{check, scratch, Worker};

/// More failures than one call can meet: until the trouble is over.
const LASTING: u32 = 1_000_000;

/// One call meets the trouble; gives back the code that it heard, and how many operations failed.
fn meet(trouble: Trouble, reopens: bool) -> (Option<Code>, u32) {
    let told = format!("{trouble:?}, reopens {reopens}");
    let folder = scratch();
    let disk = vfs::watch(folder.path(), Disk::new(u64::from(trouble.after), 0));
    let open = || Host::open(Options::file(folder.path().join("swarm.db"))).unwrap();
    let mut host = Host::open(Options::file(folder.path().join("swarm.db")).or_create()).unwrap();
    let mut worker = Worker::new(1, &disk);
    worker.work(&host, 4);
    let before = host.version().unwrap();
    let openings = look(&disk).openings;
    let lasting = trouble.times == LASTING;
    look(&disk).trouble = Some(trouble);

    let request =
        json!({ "tasks": [{ "name": "under trouble", "description": "x".repeat(9000) }] }).to_string();
    let submit = |host: &Host| host.call("task_submit", &request, "the key");
    let heard = submit(&host).map_err(|error| {
        assert!(matches!(error.code, Code::OutcomeUnknown | Code::StoreUnavailable), "{told}: {error}");
        if error.code == Code::OutcomeUnknown {
            assert!(look(&disk).openings == openings, "{told}");
        }
        error.code
    });
    let heard = heard.err();
    let failed = look(&disk).failed;
    if lasting && failed > 0 {
        // as long as it lasts, nobody is told that something was done
        for _ in 0..2 {
            let error = submit(&host).unwrap_err();
            assert!(matches!(error.code, Code::OutcomeUnknown | Code::StoreUnavailable), "{told}: {error}");
        }
    }
    look(&disk).trouble = None;
    if reopens {
        drop(host);
        host = open();
    }

    // the same host goes on, and the key settles what was in doubt
    let answer = submit(&host).unwrap_or_else(|error| panic!("{told}: {error}"));
    assert_eq!(submit(&host).unwrap(), answer, "{told}");
    if heard == Some(Code::OutcomeUnknown) {
        assert!(look(&disk).openings > openings, "{told}: the connection was used again");
    }
    let events = host.events(before, 100).unwrap();
    let submitted = events.iter().filter(|event| event.body.contains("under trouble")).count();
    assert_eq!(submitted, 1, "{told}");
    look(&disk).acks.extend(events.iter().map(|event| (event.seq, event.chain)));
    worker.work(&host, 1);
    assert!(host.replay(true).unwrap().problem.is_none(), "{told}");
    // and what is acknowledged by now is on the disk, whatever the failed sync did to it
    for _ in 0..2 {
        look(&disk).cut("the end");
    }
    let images = std::mem::take(&mut look(&disk).images);
    for image in &images {
        check(image).unwrap_or_else(|trouble| panic!("{told}: {trouble}"));
    }
    (heard, failed)
}

/// Lets each operation of the kind fail in turn, until a call meets none.
fn each_in_turn(failing: Failing, code: i32) -> Vec<Option<Code>> {
    let mut heard = Vec::new();
    for times in [1, 2, LASTING] {
        for reopens in [false, true] {
            for after in 0.. {
                let (code, failed) = meet(Trouble { failing, code, after, times }, reopens);
                if failed == 0 {
                    assert!(after > 0, "nothing has failed");
                    break;
                }
                heard.push(code);
            }
        }
    }
    heard
}

#[test]
fn a_failing_write_changes_nothing_or_is_settled_by_the_key() {
    let heard = each_in_turn(Failing::Writes, ffi::SQLITE_IOERR_WRITE);
    println!("{} calls met failing writes", heard.len());
    assert!(heard.len() > 20);
    assert!(heard.iter().all(Option::is_some));
}

#[test]
fn a_full_disk_is_told_as_one() {
    let heard = each_in_turn(Failing::Writes, ffi::SQLITE_FULL);
    println!("{} calls met a full disk", heard.len());
    assert!(heard.len() > 20);
    assert!(heard.iter().all(|code| *code == Some(Code::StoreUnavailable)), "{heard:?}");
}

#[test]
fn a_failing_sync_is_an_unknown_outcome_and_the_key_settles_it() {
    let heard = each_in_turn(Failing::Syncs, ffi::SQLITE_IOERR_FSYNC);
    println!("{} calls met failing syncs", heard.len());
    assert!(heard.len() >= 6);
    assert!(heard.iter().all(|code| *code == Some(Code::OutcomeUnknown)), "{heard:?}");
}
