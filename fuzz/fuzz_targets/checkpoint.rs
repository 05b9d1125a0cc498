//! Any bytes as a checkpoint of a small dataset: with the checksum they have, and with a right one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruv_swarm_core::hash::sha256;
use ruv_swarm_core::neural::{checkpoint_note, Session};

const DATA: &[u8] = b"x,y,c\n1,2,a\n2,1,b\n3,4,a\n4,3,b\n5,5,a\n6,1,b\n7,2,a\n8,9,b\n9,0,a\n10,3,b\n";

fn read(bytes: &[u8]) {
    let _ = checkpoint_note(bytes);
    let Ok(mut session) = Session::resume(bytes, DATA) else { return };
    let _ = session.run(1);
    let _ = session.checkpoint();
    let _ = session.finish();
}

fuzz_target!(|bytes: &[u8]| {
    read(bytes);
    // changes of a real one: pairs of place and byte
    let Ok(mut session) = Session::new(DATA, r#"{"hidden":[2],"up":3,"pq":1}"#) else { return };
    let _ = session.run(7);
    let mut file = session.checkpoint();
    file.truncate(file.len() - 32);
    for change in bytes.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % file.len();
        file[at] = change[2];
    }
    let digest = sha256(&[&file]);
    file.extend_from_slice(&digest);
    read(&file);
});
