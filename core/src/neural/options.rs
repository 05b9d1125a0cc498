//! The options of one training: what a caller may say, what is allowed, and what stands where nothing was said.
//!
//! [`Options::parse`] reads and checks what needs no data; [`Options::resolve`] fills in what depends on it.
//! Resolved options name every value, and reading them again changes nothing.

use super::option_checks;
use super::preparation::{ClassWeights, Preparation, Scaling, SplitBy, DEFAULT_SPLIT};
use super::prepare::Prepared;
use super::schema::{Schema, Task};
use crate::error::{Code, Error};
use crate::json::{self, Read, Trouble};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use ruv_swarm_neural::{Activation, FloatState};
use serde::{Serialize, Serializer};

/// Most hidden layers.
pub const MAX_LAYERS: usize = 64;
/// Most units of a layer.
pub const MAX_UNITS: u32 = 10_000;
/// Most weights of a network.
pub const MAX_WEIGHTS: usize = 50_000_000;
/// Most epochs.
pub const MAX_EPOCHS: u32 = 1_000_000_000;

/// One value for all layers, or one for each.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum PerLayer<T> {
    /// The same for all.
    One(T),
    /// In layer order.
    Each(Vec<T>),
}

impl<T: Read> Read for PerLayer<T> {
    fn read(raw: &str) -> Result<Self, Trouble> {
        if raw.trim_start().starts_with('[') {
            Vec::read(raw).map(PerLayer::Each)
        } else {
            T::read(raw).map(PerLayer::One)
        }
    }
}

impl<T: Clone> PerLayer<T> {
    /// One value per layer; `None` if there are values for another number of layers.
    pub fn spread(&self, layers: usize) -> Option<Vec<T>> {
        match self {
            PerLayer::One(value) => Some(vec![value.clone(); layers]),
            PerLayer::Each(values) if values.len() == layers => Some(values.clone()),
            PerLayer::Each(_) => None,
        }
    }
}

/// A value as options may state it; the trouble says what is allowed.
trait Said: Sized {
    fn said(raw: &str) -> Result<Self, Trouble>;
}

macro_rules! said {
    ($($type:ty: $allowed:literal),* $(,)?) => {
        $(impl Said for $type {
            fn said(raw: &str) -> Result<Self, Trouble> {
                Read::read(raw).map_err(|_| $allowed.into())
            }
        }

        impl Said for Option<$type> {
            fn said(raw: &str) -> Result<Self, Trouble> {
                Said::said(raw).map(Some)
            }
        })*
    };
}

said! {
    String: "a text",
    bool: "true or false",
    u32: "a whole number from 0 to 4294967295",
    u64: "a whole number from 0 to 9007199254740991",
    f64: "a number",
    PerLayer<String>: "a word, or a list of words",
    PerLayer<f64>: "a number, or a list of numbers",
    ClassWeights: "equal, balanced, or an object of class and weight, a number above 0",
}

impl Said for Vec<u32> {
    fn said(raw: &str) -> Result<Self, Trouble> {
        let units =
            if raw.starts_with('[') { Vec::read(raw) } else { u32::read(raw).map(|units| vec![units]) };
        units.map_err(|_| "units of a layer, or a list of them".into())
    }
}

impl Said for Option<[u32; 3]> {
    fn said(raw: &str) -> Result<Self, Trouble> {
        <[u32; 3]>::read(raw)
            .map(Some)
            .map_err(|_| "three whole numbers: percent of training, validation and test rows".into())
    }
}

impl Read for ClassWeights {
    fn read(raw: &str) -> Result<Self, Trouble> {
        if raw.starts_with('"') {
            return match String::read(raw)?.as_str() {
                "balanced" => Ok(ClassWeights::Balanced),
                "equal" => Ok(ClassWeights::Equal),
                _ => Err("no such word".into()),
            };
        }
        let mut given = Vec::new();
        for (class, raw) in json::fields(raw)? {
            given.push((class.into_owned(), f64::read(raw)?));
        }
        Ok(ClassWeights::Given(given))
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::Equal => serializer.serialize_str("equal"),
            ClassWeights::Balanced => serializer.serialize_str("balanced"),
            ClassWeights::Given(given) => {
                serializer.collect_map(given.iter().map(|(key, value)| (key, value)))
            }
        }
    }
}

/// Defines the struct, its defaults, the list of keys, and the reading of one key.
macro_rules! options {
    ($($(#[$doc:meta])* $field:ident: $type:ty = $default:expr;)*) => {
        /// Everything that one training depends on, but the data.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub struct Options { $($(#[$doc])* pub $field: $type,)* }

        impl Default for Options {
            fn default() -> Options {
                Options { $($field: $default,)* }
            }
        }

        impl Options {
            /// Every key, in the order of the docs, in snake_case.
            const KEYS: &'static [&'static str] = &[$(stringify!($field),)*];

            /// Sets one key; false if there is none of this name.
            fn set(&mut self, key: &str, raw: &str) -> Result<bool, Trouble> {
                $(if json::same_name(key, stringify!($field)) {
                    if raw != "null" {
                        self.$field = Said::said(raw)?;
                    }
                    return Ok(true);
                })*
                Ok(false)
            }
        }
    };
}

options! {
    /// The target column; empty: the last.
    target: String = String::new();
    /// `classification` or `regression`; empty: as the target shows.
    task: String = String::new();
    /// `csv`, `fann`, `proben1` or `array`; empty: as the bytes show.
    format: String = String::new();
    /// Of inputs: `standard`, `min-max` or `none`; `auto`: standard, for Proben1 none.
    scaling: String = "auto".to_string();
    /// Of regression targets: `standard`, `min-max` or `none`; `auto`: standard, min-max if the outputs have a
    /// range, for Proben1 none.
    target_scaling: String = "auto".to_string();
    /// Shares of training, validation and test rows in percent; none: 60, 20, 20, or what a Proben1 file states.
    split: Option<[u32; 3]> = None;
    /// `stratified`, `ordered`, `groups` or `file`; `auto`: as the other options and the format show.
    split_by: String = "auto".to_string();
    /// The column whose rows of one value stay in one part; no input then.
    group_column: String = String::new();
    /// Number of folds; 0: no folds.
    folds: u32 = 0;
    /// Which fold, from 1, is the test part.
    fold: u32 = 0;
    /// The column of row weights; no input then.
    weight_column: String = String::new();
    /// How much the rows of each class count.
    class_weights: ClassWeights = ClassWeights::Equal;
    /// All randomness comes from it: 0 to 2^53 - 1.
    seed: u64 = 1;

    /// Units of each hidden layer; none: outputs straight from the inputs.
    hidden: Vec<u32> = vec![16];
    /// Of the hidden layers.
    activation: PerLayer<String> = PerLayer::One("tanh".to_string());
    /// Of the outputs; none: `softmax` for classes, `linear` for numbers.
    output_activation: Option<String> = None;
    /// Slope factor of the activations, layer by layer, the output layer last.
    steepness: PerLayer<f64> = PerLayer::One(1.0);
    /// Whether each layer sees the inputs and all layers before it.
    shortcut: bool = false;
    /// Share of the connections that are there.
    connection_rate: f64 = 1.0;
    /// `uniform`, `scaled`, `nguyen-widrow`, `glorot` or `he`.
    init: String = "scaled".to_string();
    /// Half width of `uniform`.
    init_range: f64 = 0.1;

    /// The training rule.
    algorithm: String = "rprop".to_string();
    /// What is lowered; none: `cross-entropy` with softmax, else `squared`.
    loss: Option<String> = None;
    /// Where the loss `huber` turns from square to line.
    huber_delta: f64 = 1.0;
    /// Most epochs.
    epochs: u32 = 1000;
    /// Step size of batch, incremental, quickprop and adam; none: 0.1, 0.01, 0.02, 0.001.
    learning_rate: Option<f64> = None;
    /// Of batch and incremental; none: 0.9 with batch, else 0.
    momentum: Option<f64> = None;
    /// Rows of an update of batch and adam, 0: all; none: 32 with adam, else 0.
    batch_rows: Option<u32> = None;
    /// Weight of the sum of the weights' sizes.
    l1: f64 = 0.0;
    /// Weight decay.
    l2: f64 = 0.0;
    /// Share of hidden units dropped in each training pass.
    dropout: f64 = 0.0;
    /// Half width of the noise on the scaled inputs in each training pass.
    noise: f64 = 0.0;
    /// RPROP: growth of a step.
    increase: f64 = 1.2;
    /// RPROP: shrinking of a step.
    decrease: f64 = 0.5;
    /// RPROP: first step.
    step_start: f64 = 0.1;
    /// RPROP: least step.
    step_min: f64 = 1e-6;
    /// RPROP: largest step.
    step_max: f64 = 50.0;
    /// Quickprop: most growth of a change.
    growth: f64 = 1.75;
    /// Quickprop: decay of the weights, at most 0.
    decay: f64 = -0.0001;
    /// SARPROP: the speed of cooling.
    cooling: f64 = 0.03;
    /// Adam: decay of the first moment.
    beta1: f64 = 0.9;
    /// Adam: decay of the second moment.
    beta2: f64 = 0.999;
    /// Adam: keeps the divisor above 0.
    epsilon: f64 = 1e-8;

    /// Epochs between two measurements of the validation loss.
    validate_every: u32 = 1;
    /// Epochs without a lower validation loss after which training stops, 0: never; none: 100 with validation rows.
    patience: Option<u32> = None;
    /// Stops at this generalisation loss in percent.
    gl: Option<f64> = None;
    /// Stops at this quotient of generalisation loss and progress.
    pq: Option<f64> = None;
    /// Stops after this many strips in a row at whose end the validation loss had risen.
    up: Option<u32> = None;
    /// Epochs of a strip.
    strip: u32 = 5;
    /// Stops when the training progress of a strip, in thousandths, falls below this.
    progress: Option<f64> = None;
    /// Stops at this mean squared error of training.
    target_error: Option<f64> = None;
    /// Stops when no more outputs than this are off by more than `bit_fail_limit`.
    bit_fail: Option<u64> = None;
    /// How far an output may be off.
    bit_fail_limit: f64 = 0.35;
}

impl Options {
    /// Reads options; an empty text means the defaults. Keys are camelCase or snake_case; `null` means not said.
    ///
    /// # Errors
    /// `invalid_argument` that names the key, the value and what is allowed.
    pub fn parse(options_json: &str) -> Result<Options, Error> {
        let _settings = FloatState::hold();
        let mut options = Options::default();
        if options_json.trim().is_empty() {
            return Ok(options);
        }
        let fields = json::fields(options_json)
            .map_err(|why| Error::invalid("options", format!("options: {why}; expected a json object")))?;
        for (key, raw) in fields {
            let known = options.set(&key, raw).map_err(|allowed| {
                let key = camel(&key);
                Error::invalid(&key, format!("{key}: {}; allowed: {allowed}", json::shorten(raw)))
            })?;
            if !known {
                return Err(unknown(&key));
            }
        }
        option_checks::check(&options)?;
        Ok(options)
    }

    /// Fills in what depends on the data, and checks what can only be checked then.
    ///
    /// # Errors
    /// `invalid_argument` that names the key, the value and what is allowed.
    pub(crate) fn resolve(&self, data: &Prepared) -> Result<Options, Error> {
        let mut options = self.clone();
        let classes = data.schema.task == Task::Classification;
        let validated = !data.validation.is_empty();
        let layers = self.hidden.len();
        options.resolve_data(&data.schema);
        let output = options
            .output_activation
            .get_or_insert_with(|| if classes { "softmax" } else { "linear" }.to_string())
            .clone();
        let plain = if output == "softmax" { "cross-entropy" } else { "squared" };
        options.loss.get_or_insert_with(|| plain.to_string());
        options.activation = PerLayer::Each(self.activation.spread(layers).unwrap_or_default());
        options.steepness = PerLayer::Each(self.steepness.spread(layers + 1).unwrap_or_default());
        let (rate, momentum, rows) = match options.algorithm.as_str() {
            "incremental" => (0.01, 0.0, 0),
            "quickprop" => (0.02, 0.0, 0),
            "adam" => (0.001, 0.0, 32),
            _ => (0.1, if options.algorithm == "batch" { 0.9 } else { 0.0 }, 0),
        };
        options.learning_rate.get_or_insert(rate);
        options.momentum.get_or_insert(momentum);
        options.batch_rows.get_or_insert(rows);
        options.patience.get_or_insert(if validated { 100 } else { 0 });
        option_checks::check_with_data(&options, data)?;
        Ok(options)
    }

    /// As [`Preparation`] says where nothing is said.
    fn resolve_data(&mut self, schema: &Schema) {
        self.task = schema.task.as_str().to_string();
        self.format = schema.format.clone();
        self.target = schema.target.clone();
        let coded = schema.format == "proben1";
        let fill = |slot: &mut String, word: &str| {
            if slot == "auto" {
                *slot = word.to_string();
            }
        };
        fill(&mut self.scaling, if coded { "none" } else { "standard" });
        let bounded = self.bounded();
        fill(
            &mut self.target_scaling,
            if coded {
                "none"
            } else if bounded {
                "min-max"
            } else {
                "standard"
            },
        );
        let file = coded && self.split.is_none() && self.folds == 0 && self.group_column.is_empty();
        let grouped = !self.group_column.is_empty();
        fill(
            &mut self.split_by,
            if grouped {
                "groups"
            } else if file {
                "file"
            } else {
                "stratified"
            },
        );
        if self.split_by != "file" {
            self.split.get_or_insert(DEFAULT_SPLIT);
        }
    }

    /// Whether the outputs have a range that standardised targets would leave.
    fn bounded(&self) -> bool {
        let output = self.output_activation.as_deref().and_then(Activation::parse);
        output.is_some_and(|activation| activation.range().0.is_finite())
    }

    /// What the data side needs of them.
    pub(crate) fn preparation(&self) -> Result<Preparation, Error> {
        let preparation = Preparation {
            target: self.target.clone(),
            task: self.task.clone(),
            format: self.format.clone(),
            scaling: Scaling::parse("scaling", &self.scaling)?,
            target_scaling: Scaling::parse("targetScaling", &self.target_scaling)?,
            bounded: self.bounded(),
            split: self.split,
            split_by: SplitBy::parse(&self.split_by)?,
            group_column: self.group_column.clone(),
            folds: self.folds,
            fold: self.fold,
            weight_column: self.weight_column.clone(),
            class_weights: self.class_weights.clone(),
            seed: self.seed,
        };
        preparation.check()?;
        Ok(preparation)
    }

    /// The canonical JSON object.
    pub fn to_json(&self) -> Result<String, Error> {
        serde_json::to_string(self)
            .map_err(|error| Error::new(Code::Internal, "options", format!("options: {error}")))
    }
}

fn unknown(key: &str) -> Error {
    let allowed: Vec<String> = Options::KEYS.iter().map(|key| camel(key)).collect();
    let key = json::shorten(key);
    Error::invalid(&key, format!("{key}: there is no option of this name; allowed: {}", allowed.join(", ")))
}

/// `batch_rows` as `batchRows`.
pub(crate) fn camel(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    let mut upper = false;
    for letter in key.chars() {
        if letter == '_' {
            upper = true;
        } else if core::mem::take(&mut upper) {
            text.push(letter.to_ascii_uppercase());
        } else {
            text.push(letter);
        }
    }
    text
}
