//! How a dataset is made ready for training: which columns, which rows in which part, which scaling.

use super::number::shown;
use super::schema::Task;
use crate::error::Error;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

/// Most folds of a k-fold split.
pub const MAX_FOLDS: u32 = 1000;
/// The shares of training, validation and test rows in percent, where none are stated.
pub const DEFAULT_SPLIT: [u32; 3] = [60, 20, 20];

/// How a column of numbers is scaled: always `(value - mean) * scale`, the two kept in the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Mean 0 and standard deviation 1 on the training rows.
    Standard,
    /// From 0 (the least) to 1 (the greatest of the training rows).
    MinMax,
    /// As it is.
    None,
}

impl Scaling {
    /// The word at every door.
    pub fn as_str(self) -> &'static str {
        match self {
            Scaling::Standard => "standard",
            Scaling::MinMax => "min-max",
            Scaling::None => "none",
        }
    }

    /// The scaling that `word` names; empty and `auto` leave it open. `field` is named in the error.
    pub fn parse(field: &str, word: &str) -> Result<Option<Scaling>, Error> {
        match word {
            "" | "auto" => Ok(None),
            "standard" => Ok(Some(Scaling::Standard)),
            "min-max" => Ok(Some(Scaling::MinMax)),
            "none" => Ok(Some(Scaling::None)),
            _ => Err(Error::not_one_of(field, word, &["auto", "standard", "min-max", "none"])),
        }
    }
}

/// How the rows are dealt out into training, validation and test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitBy {
    /// Shuffled, each class in proportion.
    Stratified,
    /// In file order: training rows first, then validation, then test.
    Ordered,
    /// All rows with the same value of the group column in the same part.
    Groups,
    /// By the counts that the file states (Proben1 only).
    File,
}

impl SplitBy {
    /// The word at every door.
    pub fn as_str(self) -> &'static str {
        match self {
            SplitBy::Stratified => "stratified",
            SplitBy::Ordered => "ordered",
            SplitBy::Groups => "groups",
            SplitBy::File => "file",
        }
    }

    /// The split that `word` names; empty and `auto` leave it open.
    pub fn parse(word: &str) -> Result<Option<SplitBy>, Error> {
        match word {
            "" | "auto" => Ok(None),
            "stratified" => Ok(Some(SplitBy::Stratified)),
            "ordered" => Ok(Some(SplitBy::Ordered)),
            "groups" => Ok(Some(SplitBy::Groups)),
            "file" => Ok(Some(SplitBy::File)),
            _ => {
                Err(Error::not_one_of("splitBy", word, &["auto", "stratified", "ordered", "groups", "file"]))
            }
        }
    }
}

/// How much the rows of a class count.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ClassWeights {
    /// All alike.
    #[default]
    Equal,
    /// A class of c of the n training rows, one of k classes, weighs n / (k c).
    Balanced,
    /// By name; a class that is not named weighs 1.
    Given(Vec<(String, f64)>),
}

/// Everything that decides what a network is trained on. The default leaves all to the data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Preparation {
    /// The target column; empty: the last (of CSV).
    pub target: String,
    /// `classification`, `regression` or empty.
    pub task: String,
    /// `csv`, `fann`, `proben1`, `array` or empty.
    pub format: String,
    /// Of the inputs. `None`: `standard`; for Proben1 `none`, since its files are coded already.
    pub scaling: Option<Scaling>,
    /// Of regression targets. `None`: `standard`, or `min-max` if `bounded`; for Proben1 `none`.
    pub target_scaling: Option<Scaling>,
    /// Whether the network's outputs have a range, so that standardised targets could not be reached.
    pub bounded: bool,
    /// Percent of training, validation and test rows, 100 in all; the last two may be 0. `None`: 60, 20, 20.
    pub split: Option<[u32; 3]>,
    /// `None`: by groups if there is a group column; by the file's counts for Proben1 if neither split nor folds
    /// are stated; else stratified.
    pub split_by: Option<SplitBy>,
    /// The column whose equal values keep rows together; it is no feature. Empty: none.
    pub group_column: String,
    /// 0: none. k: the rows are dealt into k parts; part `fold` is the test part, and of the other rows the share
    /// validation / (training + validation) of `split` validates.
    pub folds: u32,
    /// Which of the folds, from 1.
    pub fold: u32,
    /// The column of row weights, positive numbers; it is no feature. Empty: none.
    pub weight_column: String,
    /// How much the rows of a class count.
    pub class_weights: ClassWeights,
    /// Seed of the split.
    pub seed: u64,
}

impl Preparation {
    /// Checks what can be checked without the data: shares, folds, weights and columns that contradict each other.
    pub fn check(&self) -> Result<(), Error> {
        Task::parse(&self.task)?;
        if let Some(split) = self.split {
            check_shares(&split)?;
        }
        self.check_folds()?;
        self.check_columns()?;
        match (self.split_by, self.group_column.is_empty()) {
            (Some(SplitBy::Groups), true) => {
                return Err(Error::invalid(
                    "groupColumn",
                    "groupColumn: splitBy groups needs a group column",
                ));
            }
            (None | Some(SplitBy::Groups), _) | (_, true) => {}
            (Some(by), false) => {
                return Err(Error::invalid(
                    "groupColumn",
                    format!("groupColumn: goes with splitBy groups, not with {}", by.as_str()),
                ));
            }
        }
        match &self.class_weights {
            ClassWeights::Given(given) => given.iter().try_for_each(|(class, weight)| {
                if *weight > 0.0 && *weight <= f64::from(f32::MAX) && *weight as f32 > 0.0 {
                    return Ok(());
                }
                Err(Error::invalid(
                    "classWeights",
                    format!(
                        "classWeights: class {class:?} has {}; allowed: numbers above 0 to 3.4e38",
                        shown(*weight)
                    ),
                ))
            }),
            _ => Ok(()),
        }
    }

    fn check_folds(&self) -> Result<(), Error> {
        if self.folds == 0 {
            return match self.fold {
                0 => Ok(()),
                fold => {
                    Err(Error::invalid("fold", format!("fold: {fold} without folds; state folds as well")))
                }
            };
        }
        if !(2..=MAX_FOLDS).contains(&self.folds) {
            return Err(Error::invalid(
                "folds",
                format!("folds: {}; allowed: 2 to {MAX_FOLDS}, or 0 for none", self.folds),
            ));
        }
        if !(1..=self.folds).contains(&self.fold) {
            return Err(Error::invalid("fold", format!("fold: {}; allowed: 1 to {}", self.fold, self.folds)));
        }
        match self.split_by {
            Some(by @ (SplitBy::Ordered | SplitBy::File)) => Err(Error::invalid(
                "splitBy",
                format!("splitBy: {} has no folds; allowed with folds: stratified, groups", by.as_str()),
            )),
            _ => Ok(()),
        }
    }

    fn check_columns(&self) -> Result<(), Error> {
        let [target, group, weight] =
            [&self.target, &self.group_column, &self.weight_column].map(|name| name.trim());
        let taken = |field: &str, name: &str| {
            Err(Error::invalid(field, format!("{field}: column {name:?} has another role already")))
        };
        if !group.is_empty() && group == target {
            return taken("groupColumn", group);
        }
        if !weight.is_empty() && (weight == target || weight == group) {
            return taken("weightColumn", weight);
        }
        Ok(())
    }
}

/// Training at least 1 percent, 100 in all.
pub(crate) fn check_shares(split: &[u32; 3]) -> Result<(), Error> {
    let sum = split.iter().fold(0u32, |sum, share| sum.saturating_add(*share));
    let [train, validation, test] = *split;
    if sum == 100 && train > 0 {
        return Ok(());
    }
    Err(Error::invalid(
        "split",
        format!("split: {train}, {validation}, {test}; allowed: three shares in percent that add up to 100, the first at least 1"),
    ))
}
