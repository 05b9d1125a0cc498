//! A model of a disk that loses power: per file what was synced, and what was written since.

use std::collections::BTreeMap;
use std::path::Path;

/// What a disk writes whole; a write of several may be torn between any two.
const SECTOR: usize = 512;

/// Random numbers that a seed repeats (splitmix64).
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Draw {
        Draw(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    pub fn chance(&mut self, of: u64, in_all: u64) -> bool {
        self.below(in_all) < of
    }
}

#[derive(Clone, Debug)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    /// Carries the change out; of a torn write each sector is there or not.
    fn apply(&self, content: &mut Vec<u8>, mut torn: Option<&mut Draw>) {
        match self {
            Change::Truncate(size) => content.resize(*size, 0),
            Change::Write { at, bytes } => {
                let mut from = 0;
                while from < bytes.len() {
                    // sectors are those of the file, wherever the write begins
                    let to = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
                    if torn.as_mut().is_none_or(|draw| draw.chance(1, 2)) {
                        if content.len() < at + to {
                            content.resize(at + to, 0);
                        }
                        content[at + from..at + to].copy_from_slice(&bytes[from..to]);
                    }
                    from = to;
                }
            }
        }
    }
}

#[derive(Clone, Debug, Default)]
struct FileState {
    synced: Vec<u8>,
    pending: Vec<Change>,
    /// The folder's entry for the file is on the disk too.
    entered: bool,
}

/// Which of the unsynced changes of a file a cut leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Nothing,
    AllButTheLastTorn,
    SomeFirst,
    SomeChanges,
    SomeSectors,
}

impl FileState {
    fn after_cut(&self, left: Left, draw: &mut Draw) -> Vec<u8> {
        let mut content = self.synced.clone();
        let count = self.pending.len();
        let first = draw.below(count as u64 + 1) as usize;
        for (index, change) in self.pending.iter().enumerate() {
            match left {
                Left::Nothing => {}
                Left::AllButTheLastTorn if index + 1 == count => change.apply(&mut content, Some(draw)),
                Left::AllButTheLastTorn => change.apply(&mut content, None),
                Left::SomeFirst if index < first => change.apply(&mut content, None),
                Left::SomeFirst if index == first => change.apply(&mut content, Some(draw)),
                Left::SomeFirst => {}
                Left::SomeChanges if draw.chance(1, 2) => change.apply(&mut content, None),
                Left::SomeChanges => {}
                Left::SomeSectors => change.apply(&mut content, Some(draw)),
            }
        }
        // the size is written apart from the bytes
        if content.len() > self.synced.len() && draw.chance(1, 4) {
            let grown = (content.len() - self.synced.len()) as u64;
            content.truncate(self.synced.len() + draw.below(grown + 1) as usize);
        }
        content
    }
}

/// An event that was acknowledged: its number and the chain up to it.
pub type Ack = (u64, [u8; 32]);

/// What a cut left, and what was acknowledged before it.
#[derive(Clone, Debug)]
pub struct Image {
    pub files: BTreeMap<String, Vec<u8>>,
    pub acks: Vec<Ack>,
    /// After how many operations, and on what, for messages.
    pub when: String,
}

impl Image {
    pub fn write_to(&self, folder: &Path) {
        for (name, content) in &self.files {
            std::fs::write(folder.join(name), content).unwrap();
        }
    }
}

/// What an operation is told to do instead of its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failing {
    Writes,
    Syncs,
}

/// Errors that operations meet from the one that is due on.
#[derive(Clone, Debug)]
pub struct Trouble {
    pub failing: Failing,
    /// The result code of SQLite.
    pub code: i32,
    /// How many operations of the kind go well before.
    pub after: u32,
    /// How many fail then.
    pub times: u32,
}

/// The files of one folder, as the disk under it has them.
#[derive(Debug)]
pub struct Disk {
    files: BTreeMap<String, FileState>,
    /// Deleted files whose deletion is not on the disk yet.
    ghosts: BTreeMap<String, FileState>,
    draw: Draw,
    operations: u64,
    /// One operation in so many is a cut; 0 for none.
    pub one_in: u64,
    /// `xSync` says that it has synced and has not.
    pub lies: bool,
    pub acks: Vec<Ack>,
    pub images: Vec<Image>,
    pub trouble: Option<Trouble>,
    /// How many of the operations failed as they were told to.
    pub failed: u32,
    /// How often the database file was opened.
    pub openings: u32,
}

impl Disk {
    pub fn new(seed: u64, one_in: u64) -> Disk {
        Disk {
            files: BTreeMap::new(),
            ghosts: BTreeMap::new(),
            draw: Draw::new(seed),
            operations: 0,
            one_in,
            lies: false,
            acks: Vec::new(),
            images: Vec::new(),
            trouble: None,
            failed: 0,
            openings: 0,
        }
    }

    /// The disk goes on from what a cut left.
    pub fn after(image: &Image, seed: u64, one_in: u64) -> Disk {
        let mut disk = Disk::new(seed, one_in);
        for (name, content) in &image.files {
            let state = FileState { synced: content.clone(), pending: Vec::new(), entered: true };
            disk.files.insert(name.clone(), state);
        }
        disk.acks = image.acks.clone();
        disk
    }

    /// Called before every operation: here the power may go.
    fn moment(&mut self, what: &str, name: &str) {
        self.operations += 1;
        if self.one_in > 0 && self.draw.chance(1, self.one_in) {
            self.cut(&format!("operation {}, a {what} of {name}", self.operations));
        }
    }

    /// Keeps what would be there if the power went now.
    pub fn cut(&mut self, when: &str) {
        let mut files = BTreeMap::new();
        // what loses acknowledged data soonest is a disk that kept nothing it need not
        let all_lost = self.draw.chance(1, 3);
        let names: Vec<String> = self.files.keys().chain(self.ghosts.keys()).cloned().collect();
        for name in names {
            let ghost = self.ghosts.get(&name);
            let state = match self.files.get(&name) {
                Some(file) if file.entered || (!all_lost && self.draw.chance(1, 2)) => Some(file),
                _ => ghost.filter(|_| all_lost || self.draw.chance(1, 2)),
            };
            let lefts = [
                Left::Nothing,
                Left::AllButTheLastTorn,
                Left::SomeFirst,
                Left::SomeChanges,
                Left::SomeSectors,
            ];
            let left = if all_lost { Left::Nothing } else { lefts[self.draw.below(5) as usize] };
            if let Some(state) = state {
                files.insert(name.clone(), state.clone().after_cut(left, &mut self.draw));
            }
        }
        self.images.push(Image { files, acks: self.acks.clone(), when: when.to_string() });
    }

    /// The code that the operation must return, if it is to fail.
    fn fails(&mut self, failing: Failing) -> Option<i32> {
        let trouble = self.trouble.as_mut().filter(|trouble| trouble.failing == failing)?;
        if trouble.after > 0 {
            trouble.after -= 1;
            return None;
        }
        if trouble.times == 0 {
            return None;
        }
        trouble.times -= 1;
        self.failed += 1;
        Some(trouble.code)
    }

    pub fn open(&mut self, name: &str, database: bool) {
        self.files.entry(name.to_string()).or_default();
        self.openings += u32::from(database);
    }

    /// An error code if the write is to fail; it must not be carried out then.
    pub fn before_write(&mut self, name: &str) -> Option<i32> {
        self.moment("write", name);
        self.fails(Failing::Writes)
    }

    pub fn write(&mut self, name: &str, at: usize, bytes: &[u8]) {
        let change = Change::Write { at, bytes: bytes.to_vec() };
        self.files.entry(name.to_string()).or_default().pending.push(change);
    }

    pub fn truncate(&mut self, name: &str, size: usize) {
        self.moment("truncate", name);
        self.files.entry(name.to_string()).or_default().pending.push(Change::Truncate(size));
    }

    /// An error code if the sync fails. `with_folder`: it brings the folder's entries to the disk too.
    pub fn sync(&mut self, name: &str, with_folder: bool) -> Option<i32> {
        self.moment("sync", name);
        let failed = self.fails(Failing::Syncs);
        let lies = self.lies;
        let state = self.files.entry(name.to_string()).or_default();
        if failed.is_some() {
            // as Linux does: the pages count as clean from now on, and are not on the disk
            state.pending.clear();
            return failed;
        }
        if lies {
            return None;
        }
        for change in std::mem::take(&mut state.pending) {
            change.apply(&mut state.synced, None);
        }
        if with_folder && !state.entered {
            self.sync_folder();
        }
        None
    }

    pub fn delete(&mut self, name: &str, with_folder: bool) {
        self.moment("delete", name);
        if let Some(state) = self.files.remove(name).filter(|state| state.entered) {
            self.ghosts.insert(name.to_string(), state);
        }
        if with_folder && !self.lies {
            self.sync_folder();
        }
    }

    fn sync_folder(&mut self) {
        self.ghosts.clear();
        for state in self.files.values_mut() {
            state.entered = true;
        }
    }
}
