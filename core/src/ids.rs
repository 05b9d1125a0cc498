//! Short ids, minted in the core: a letter and a number.

use alloc::format;
use alloc::string::String;
use core::fmt;
use serde::{de, Deserialize, Deserializer, Serialize, Serializer};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $letter:literal, $byte:literal, $noun:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
        pub struct $name(pub u64);

        impl $name {
            /// What the id names, for messages.
            pub const NOUN: &'static str = $noun;

            /// The id that `text` writes, or `None` if it is no such id.
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($letter)?;
                let canonical = !digits.is_empty()
                    && digits.len() <= 15
                    && !digits.starts_with('0')
                    && digits.bytes().all(|byte| byte.is_ascii_digit());
                if canonical { digits.parse().ok().map(Self) } else { None }
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> u64 {
                id.0
            }
        }

        impl From<&$name> for u64 {
            fn from(id: &$name) -> u64 {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $letter, self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut place = [0; 21];
                serializer.serialize_str(crate::canonical::digits(self.0, $byte, &mut place))
            }
        }

        impl crate::json::Read for $name {
            fn read(raw: &str) -> Result<Self, crate::json::Trouble> {
                let text = String::read(raw)?;
                Self::parse(&text).ok_or_else(|| format!("expected the id of a {}", $noun))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| de::Error::custom(format!("no id of a {}: {text:?}", $noun)))
            }
        }
    };
}

id!(
    /// An agent's id: `a1`.
    AgentId, 'a', b'a', "agent"
);
id!(
    /// A task's id: `t1`.
    TaskId, 't', b't', "task"
);
id!(
    /// A goal's id: `g1`.
    GoalId, 'g', b'g', "goal"
);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn only_the_canonical_form_parses() {
        assert_eq!(TaskId::parse("t42"), Some(TaskId(42)));
        assert_eq!(TaskId(42).to_string(), "t42");
        for text in ["", "t", "t0", "t042", "a42", "t-1", "t1x", "t9999999999999999", "T1"] {
            assert_eq!(TaskId::parse(text), None, "{text}");
        }
    }
}
