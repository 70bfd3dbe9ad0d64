//! Reads each document once, however many principals have it.

use std::collections::HashMap;

use super::super::principal::{Content, PolicySource};

/// Managed policies by ARN, and every other document by its text.
///
/// A group with a thousand members, or a trust policy that a thousand roles share, is read once.
#[derive(Debug, Default)]
pub struct Library {
    managed: HashMap<String, Content>,
    texts: HashMap<String, Content>,
}

impl Library {
    /// An empty library.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the default version of a managed policy in.
    pub fn add_managed(&mut self, arn: &str, text: &str) {
        let content = self.read(text);
        self.managed.insert(arn.to_owned(), content);
    }

    /// A managed policy; one that was not put in is missing (and AdministratorAccess is known anyway).
    #[must_use]
    pub fn managed(&self, arn: &str) -> PolicySource {
        match self.managed.get(arn) {
            Some(content) => PolicySource::new(arn, content.clone()),
            None => PolicySource::missing(arn),
        }
    }

    /// An inline policy.
    pub fn inline(&mut self, name: &str, text: &str) -> PolicySource {
        PolicySource::new(name, self.read(text))
    }

    /// Any document, read before or not. It is JSON: whoever has it percent-encoded decodes it first, once
    /// ([`decode_document`](super::super::policy::decode_document)).
    pub fn read(&mut self, text: &str) -> Content {
        if let Some(content) = self.texts.get(text) {
            return content.clone();
        }
        let content = Content::of_json(text);
        self.texts.insert(text.to_owned(), content.clone());
        content
    }
}
