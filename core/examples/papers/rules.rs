//! The four members of the RPROP family side by side (Igel and Hüsken, Neurocomputing 50, 2003): the training error
//! after the same number of epochs, from the same weights.

use serde_json::json;

use crate::proben1::{start, RANGE, RULES, SETS};
use crate::training::{laid, Job};
use crate::wanted::{Failure, Wanted};

/// The epochs after which errors are compared.
const MARKS: &[u32] = &[50, 200, 500];

/// The first partition of each problem with every rule and seed.
pub fn jobs(wanted: &Wanted) -> Result<Vec<Job>, Failure> {
    let mut jobs = Vec::new();
    for (set, hidden, sigmoid) in SETS {
        if !set.ends_with('1') || !wanted.wants(set) {
            continue;
        }
        let data = wanted.read(set)?;
        for rule in RULES {
            for seed in 1..=wanted.seeds {
                let options = json!({
                    "algorithm": rule, "increase": 1.2, "decrease": 0.5, "stepMin": 1e-12, "stepMax": 50.0,
                    "stepStart": 0.0125, "epochs": 100_000, "validateEvery": 100_000,
                });
                jobs.push(Job {
                    line: json!({ "set": set, "rule": rule, "seed": seed, "marks": MARKS }),
                    data: data.clone(),
                    options: laid(&start(hidden, *sigmoid, RANGE, seed), &options),
                    marks: MARKS,
                });
            }
        }
    }
    Ok(jobs)
}
