//! A YAML file as a tree with places, and the reading of it: every error of a file is found, not only the first.
//!
//! It knows no control: [`super::check`] and its neighbours say which keys there are.

use super::error::{LoadError, Source, suggest};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Budget, Options, Spanned};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A value in a file.
#[derive(Clone, Debug)]
pub struct Node {
    /// The value.
    pub content: Content,
    /// Where it is, in bytes.
    pub span: Range<usize>,
}

/// A YAML value.
#[derive(Clone, Debug)]
pub enum Content {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number that is not whole or too large, as written by `Display`.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// Keys and values, in the order of the file.
    Map(Vec<(Node, Node)>),
}

impl Content {
    fn word(&self) -> &'static str {
        match self {
            Content::Null => "nothing",
            Content::Bool(_) => "true or false",
            Content::Int(_) | Content::Number(_) => "a number",
            Content::Text(_) => "a text",
            Content::List(_) => "a list",
            Content::Map(_) => "keys and values",
        }
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AnyContent;
        impl<'de> Visitor<'de> for AnyContent {
            type Value = Content;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a YAML value")
            }
            fn visit_unit<E: de::Error>(self) -> Result<Content, E> {
                Ok(Content::Null)
            }
            fn visit_none<E: de::Error>(self) -> Result<Content, E> {
                Ok(Content::Null)
            }
            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Content, D::Error> {
                deserializer.deserialize_any(self)
            }
            fn visit_bool<E: de::Error>(self, value: bool) -> Result<Content, E> {
                Ok(Content::Bool(value))
            }
            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Content, E> {
                Ok(Content::Int(value))
            }
            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Content, E> {
                Ok(i64::try_from(value).map_or_else(|_| Content::Number(value.to_string()), Content::Int))
            }
            fn visit_i128<E: de::Error>(self, value: i128) -> Result<Content, E> {
                Ok(Content::Number(value.to_string()))
            }
            fn visit_u128<E: de::Error>(self, value: u128) -> Result<Content, E> {
                Ok(Content::Number(value.to_string()))
            }
            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Content, E> {
                Ok(Content::Number(value.to_string()))
            }
            fn visit_str<E: de::Error>(self, value: &str) -> Result<Content, E> {
                Ok(Content::Text(value.to_owned()))
            }
            fn visit_string<E: de::Error>(self, value: String) -> Result<Content, E> {
                Ok(Content::Text(value))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Content, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element::<Node>()? {
                    list.push(item);
                }
                Ok(Content::List(list))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Content, A::Error> {
                let mut map = Vec::new();
                while let Some(key) = entries.next_key::<Node>()? {
                    map.push((key, entries.next_value::<Node>()?));
                }
                Ok(Content::Map(map))
            }
        }
        deserializer.deserialize_any(AnyContent)
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<Content>::deserialize(deserializer)?;
        let span = spanned.referenced.span();
        let start = span.byte_offset().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        let length = span.byte_len().and_then(|n| usize::try_from(n).ok()).unwrap_or_default();
        Ok(Node { content: spanned.value, span: start..start.saturating_add(length) })
    }
}

/// The deepest nesting that a control file may have.
const DEPTH: usize = 12;

/// Reads a file's text. Nesting, aliases and size are bounded.
pub fn parse(source: &Arc<Source>) -> Result<Node, LoadError> {
    let mut options = Options::default();
    options.with_snippet = false;
    let mut budget = Budget::default();
    budget.max_depth = DEPTH;
    budget.max_aliases = 100;
    budget.max_anchors = 100;
    budget.max_nodes = 100_000;
    budget.max_documents = 1;
    options.budget = Some(budget);
    serde_saphyr::from_str_with_options::<Node>(&source.text, options).map_err(|error| {
        let place = error.location().map(|location| {
            let span = location.span();
            let start = span.byte_offset().and_then(|n| usize::try_from(n).ok());
            start.unwrap_or_else(|| offset_of(&source.text, location.line(), location.column()))
        });
        let message = error.without_snippet().render();
        match place {
            Some(at) => {
                let (message, help) = in_our_words(without_place(&message));
                let error = LoadError::at(source, at..at.saturating_add(1), message);
                if help.is_empty() { error } else { error.help(help.to_owned()) }
            }
            None => LoadError::about(source.name.clone(), message),
        }
    })
}

/// The parser says "... at line 3, column 5"; we say so ourselves.
fn without_place(message: &str) -> String {
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let message =
        message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")).map_or(message, |(_, rest)| rest);
    message.split(" at line ").next().unwrap_or(message).trim().to_owned()
}

/// What the parser says in the words of its own options, in ours, with what to do about it.
fn in_our_words(message: String) -> (String, &'static str) {
    if let Some(rest) = message.strip_prefix("duplicate mapping key: ") {
        let key = rest.split(',').next().unwrap_or(rest);
        (format!("key `{key}` stands here a second time"), "")
    } else if message.starts_with("budget breached: Documents") {
        ("a second document begins here".to_owned(), "a file holds one: write a file for each")
    } else if message.starts_with("budget breached") || message.starts_with("recursion limit") {
        ("values are nested too deep here, or there are too many".to_owned(), "a control file is small and flat")
    } else if message.starts_with("tabs disallowed") {
        ("a tab stands in the indentation".to_owned(), "indent with spaces")
    } else {
        (message, "")
    }
}

/// The byte offset of a line and column, both from 1.
fn offset_of(text: &str, line: u64, column: u64) -> usize {
    let skip = |n: u64| usize::try_from(n.saturating_sub(1)).unwrap_or(usize::MAX);
    let start: usize = text.split_inclusive('\n').take(skip(line)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    start + rest.chars().take(skip(column)).map(char::len_utf8).sum::<usize>()
}

/// Reads one file's tree and gathers what is wrong with it.
#[derive(Debug)]
pub struct Reader {
    /// The file.
    pub source: Arc<Source>,
    /// What was wrong so far.
    pub errors: Vec<LoadError>,
}

/// The keys and values of one mapping, all of whose keys are known.
#[derive(Debug)]
pub struct Fields<'n> {
    entries: Vec<Entry<'n>>,
    span: Range<usize>,
    what: &'static str,
}

/// One key with its value.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'n> {
    /// The key.
    pub name: &'n str,
    /// Where the key is, in bytes.
    pub span: &'n Range<usize>,
    /// The value.
    pub node: &'n Node,
}

impl<'n> Fields<'n> {
    /// The value of a key, unless it is missing or null.
    pub fn get(&self, key: &str) -> Option<&'n Node> {
        let value = self.entries.iter().find(|entry| entry.name == key).map(|entry| entry.node);
        value.filter(|node| !matches!(node.content, Content::Null))
    }

    /// The keys with their values, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'n>> + '_ {
        self.entries.iter().copied()
    }
}

impl Reader {
    /// A reader of a file.
    pub fn new(source: Arc<Source>) -> Self {
        Self { source, errors: Vec::new() }
    }

    /// Notes an error at a place.
    pub fn error(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.errors.push(LoadError::at(&self.source, span.clone(), message));
    }

    /// Notes an error at a place, with a remedy.
    pub fn error_with_help(&mut self, span: &Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.errors.push(LoadError::at(&self.source, span.clone(), message).maybe_help(help));
    }

    /// The entries of a mapping with whatever keys.
    pub fn map<'n>(&mut self, node: &'n Node, what: &'static str) -> Option<Fields<'n>> {
        let Content::Map(map) = &node.content else {
            self.error(&node.span, format!("expected {what} as keys and values, found {}", node.content.word()));
            return None;
        };
        let mut entries = Vec::with_capacity(map.len());
        for (key, value) in map {
            match &key.content {
                Content::Text(name) => entries.push(Entry { name, span: &key.span, node: value }),
                other => self.error(&key.span, format!("expected a name as key, found {}", other.word())),
            }
        }
        Some(Fields { entries, span: node.span.clone(), what })
    }

    /// The entries of a mapping that has only known keys.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &'static str, known: &[&str]) -> Option<Fields<'n>> {
        let fields = self.map(node, what)?;
        for entry in fields.entries() {
            if !known.contains(&entry.name) {
                let help = suggest(entry.name, known.iter().copied())
                    .unwrap_or_else(|| format!("the keys of {what} are: {}", known.join(", ")));
                self.error_with_help(entry.span, format!("{what} has no key `{}`", entry.name), Some(help));
            }
        }
        Some(fields)
    }

    /// The value of a key that must be there.
    pub fn required<'n>(&mut self, fields: &Fields<'n>, key: &str) -> Option<&'n Node> {
        let value = fields.get(key);
        if value.is_none() {
            // The mapping's own span can be the whole file: its first character is the place.
            let at = fields.span.start..fields.span.start.saturating_add(1);
            self.error(&at, format!("{} needs `{key}`", fields.what));
        }
        value
    }

    /// A text that says something, without white space around it.
    pub fn text(&mut self, node: &Node) -> Option<String> {
        let text = self.raw_text(node)?.trim().to_owned();
        if text.is_empty() {
            self.error(&node.span, "expected a text, found an empty one");
            return None;
        }
        Some(text)
    }

    /// A text as it is, which can be empty. A scalar that YAML takes for a number or a truth value is taken as it is
    /// written: `8.3` is an id.
    pub fn raw_text(&mut self, node: &Node) -> Option<String> {
        match &node.content {
            Content::Text(text) => Some(text.clone()),
            Content::Bool(_) | Content::Int(_) | Content::Number(_) => {
                Some(self.source.text.get(node.span.clone()).unwrap_or_default().to_owned())
            }
            other => {
                self.error(&node.span, format!("expected a text, found {}", other.word()));
                None
            }
        }
    }

    /// The text of a key that must be there.
    pub fn required_text(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        let node = self.required(fields, key)?;
        self.text(node)
    }

    /// The text of a key, if it is there.
    pub fn optional_text(&mut self, fields: &Fields<'_>, key: &str) -> Option<String> {
        fields.get(key).and_then(|node| self.text(node))
    }

    /// A whole number.
    pub fn int(&mut self, node: &Node) -> Option<i64> {
        match &node.content {
            Content::Int(value) => Some(*value),
            other => {
                self.error(&node.span, format!("expected a whole number, found {}", other.word()));
                None
            }
        }
    }

    /// True or false.
    pub fn bool(&mut self, node: &Node) -> Option<bool> {
        match &node.content {
            Content::Bool(value) => Some(*value),
            other => {
                self.error(&node.span, format!("expected true or false, found {}", other.word()));
                None
            }
        }
    }

    /// The items of a list; none if the key is missing.
    pub fn items<'n>(&mut self, fields: &Fields<'n>, key: &str) -> &'n [Node] {
        match fields.get(key) {
            None => &[],
            Some(Node { content: Content::List(items), .. }) => items,
            Some(node) => {
                self.error(&node.span, format!("expected a list, found {}", node.content.word()));
                &[]
            }
        }
    }

    /// The texts of a list, each with its place; none if the key is missing.
    pub fn texts(&mut self, fields: &Fields<'_>, key: &str) -> Vec<(String, Range<usize>)> {
        let items = self.items(fields, key);
        items.iter().filter_map(|node| Some((self.text(node)?, node.span.clone()))).collect()
    }

    /// One of a few words.
    pub fn word<T: std::str::FromStr<Err = String>>(&mut self, fields: &Fields<'_>, key: &str) -> Option<T> {
        let node = self.required(fields, key)?;
        let text = self.text(node)?;
        text.parse().map_err(|message: String| self.error(&node.span, message)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Arc<Source> {
        Arc::new(Source { name: "f.yaml".into(), path: "f.yaml".into(), text: text.into() })
    }

    #[test]
    fn every_value_knows_its_place() {
        let source = source("id: 164.310\nwords: [yes, \"a b\"]\ntext: |\n  one\n  two\n");
        let node = parse(&source).unwrap();
        let mut reader = Reader::new(source.clone());
        let fields = reader.fields(&node, "a file", &["id", "words", "text"]).unwrap();
        assert_eq!(reader.required_text(&fields, "id").as_deref(), Some("164.310"));
        let words = reader.texts(&fields, "words");
        assert_eq!(words.iter().map(|(w, _)| w.as_str()).collect::<Vec<_>>(), ["yes", "a b"]);
        assert_eq!(&source.text[words[1].1.clone()], "\"a b\"");
        assert_eq!(reader.required_text(&fields, "text").as_deref(), Some("one\ntwo"));
        assert!(reader.errors.is_empty(), "{:?}", reader.errors);
    }

    #[test]
    fn bombs_are_refused() {
        let deep = "[".repeat(40) + &"]".repeat(40);
        let aliases = format!("a: &a [x, x]\nb: [{}]\n", vec!["*a"; 500].join(", "));
        for text in [deep.as_str(), aliases.as_str(), "a: 1\na: 2\n", "a: 1\n---\nb: 2\n", "a: [", "\t- x: {"] {
            let error = parse(&source(text)).unwrap_err().to_string();
            assert!(error.contains("f.yaml"), "{error}");
        }
    }
}
