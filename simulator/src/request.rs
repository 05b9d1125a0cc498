//! Requests as JSON text.

use std::fmt::{Display, Write};

/// A JSON object in the making. Its texts hold nothing that JSON escapes.
pub struct Request(String);

impl Request {
    /// An empty object.
    pub fn new() -> Self {
        Request("{".into())
    }

    /// A field with a text.
    pub fn text(mut self, name: &str, text: impl Display) -> Self {
        self.comma();
        let _ = write!(self.0, "\"{name}\":\"{text}\"");
        self
    }

    /// A field with JSON.
    pub fn raw(mut self, name: &str, json: impl Display) -> Self {
        self.comma();
        let _ = write!(self.0, "\"{name}\":{json}");
        self
    }

    /// A field with a list of texts; none if the list is empty.
    pub fn texts<T: Display>(self, name: &str, texts: &[T]) -> Self {
        if texts.is_empty() {
            return self;
        }
        let quoted: Vec<String> = texts.iter().map(|text| format!("\"{text}\"")).collect();
        self.raw(name, format_args!("[{}]", quoted.join(",")))
    }

    fn comma(&mut self) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
    }

    /// The JSON text.
    pub fn done(mut self) -> String {
        self.0.push('}');
        self.0
    }
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}
