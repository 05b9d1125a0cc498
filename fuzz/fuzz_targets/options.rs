//! Any text as the options of a training; what is taken trains one epoch and reads back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ruv_swarm_core::neural::{Options, Session};

const DATA: &[u8] = b"x,y,c\n1,2,a\n2,1,b\n3,4,a\n4,3,b\n5,5,a\n6,1,b\n7,2,a\n8,9,b\n9,0,a\n10,3,b\n";

fuzz_target!(|text: &str| {
    let Ok(options) = Options::parse(text) else { return };
    // networks of a size that is done in a blink
    let units: u64 = options.hidden.iter().map(|units| u64::from(*units)).sum();
    if units > 200 {
        return;
    }
    if let Ok(mut session) = Session::new(DATA, text) {
        let _ = session.run(1);
        let options = session.options();
        let again = Session::new(DATA, &options).map(|session| session.options());
        assert_eq!(again, Ok(options));
    }
});
