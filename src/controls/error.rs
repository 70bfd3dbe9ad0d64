//! What is wrong with control files: all of it at once, each with file, line, column, excerpt and remedy.

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The text of a control file, with the name by which messages call it.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// The path as the user knows it; below `controls/` for an embedded file.
    pub name: String,
    /// The path below `controls/`.
    pub path: String,
    /// The content.
    pub text: String,
}

impl Source {
    /// Line and column (in characters), both from 1, of a byte offset.
    fn position(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..floor(&self.text, offset)).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        (before.matches('\n').count() + 1, column)
    }
}

/// The nearest character boundary at or before an offset.
fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// One error in a control file, or about one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    /// The file, as the user knows it.
    pub file: String,
    /// The line, from 1; 0 where the error is about the file as a whole.
    pub line: usize,
    /// The column in characters, from 1; 0 where the error is about the file as a whole.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    excerpt: Option<(Arc<Source>, Range<usize>)>,
}

impl LoadError {
    /// An error at a place in a file.
    pub fn at(source: &Arc<Source>, span: Range<usize>, message: impl Into<String>) -> Self {
        let (line, column) = source.position(span.start);
        let start = floor(&source.text, span.start);
        let end = floor(&source.text, span.end).max(start);
        Self {
            file: source.name.clone(),
            line,
            column,
            message: message.into(),
            help: None,
            excerpt: Some((source.clone(), start..end)),
        }
    }

    /// An error about a file or folder as a whole.
    pub fn about(file: impl Into<String>, message: impl Into<String>) -> Self {
        Self { file: file.into(), line: 0, column: 0, message: message.into(), help: None, excerpt: None }
    }

    /// The same with a remedy.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same with a remedy, if there is one.
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help;
        self
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut group = match &self.excerpt {
            Some((source, span)) => {
                let annotation = AnnotationKind::Primary.span(span.clone());
                let snippet =
                    Snippet::source(source.text.as_str()).path(printable(&source.name)).annotation(annotation);
                Level::ERROR.primary_title(printable(&self.message)).element(snippet)
            }
            None if self.file.is_empty() => Level::ERROR.primary_title(printable(&self.message)).elements(NOTHING),
            None => {
                let title = format!("{}: {}", printable(&self.file), printable(&self.message));
                Level::ERROR.primary_title(title).elements(NOTHING)
            }
        };
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(printable(help)));
        }
        renderer.render(&[group])
    }
}

const NOTHING: [annotate_snippets::Message<'static>; 0] = [];

/// Control files are hostile: what is printed of them must not drive a terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(&Renderer::plain()))
    }
}

/// Everything that is wrong with the control files, sorted by file and place.
#[derive(Clone, Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct LoadErrors(pub Vec<LoadError>);

impl LoadErrors {
    /// `Err` if there is any error.
    pub fn check(mut self) -> Result<(), Self> {
        self.0.sort_by(|a, b| (&a.file, a.line, a.column, &a.message).cmp(&(&b.file, b.line, b.column, &b.message)));
        if self.0.is_empty() { Ok(()) } else { Err(self) }
    }

    /// The errors as a terminal shows them, with colours.
    pub fn styled(&self) -> String {
        self.rendered(&Renderer::styled())
    }

    fn rendered(&self, renderer: &Renderer) -> String {
        let mut out: Vec<String> = self.0.iter().map(|error| error.render(renderer)).collect();
        if self.0.len() > 1 {
            out.push(format!("{} errors", self.0.len()));
        }
        out.join("\n\n")
    }
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered(&Renderer::plain()))
    }
}

/// "did you mean ..." for a name that is close to a known one; otherwise the known names, if they are few.
pub fn suggest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    let length = name.chars().count();
    // Longer names cannot be close to any that we know, and comparing them would cost time.
    let near = (length <= 100).then(|| {
        let distances = known.iter().map(|k| (distance(name, k), *k));
        distances.filter(|(d, k)| *d <= 1.max(length.max(k.chars().count()) / 3)).min()
    });
    match near.flatten() {
        Some((_, best)) => Some(format!("did you mean `{best}`?")),
        None if known.is_empty() => None,
        None if known.len() <= 12 => Some(format!("expected one of: {}", known.join(", "))),
        None => None,
    }
}

/// The edit distance with swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.to_lowercase().chars().collect(), b.to_lowercase().chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, cb) in b.iter().enumerate() {
            // Row and `last` hold b.len() + 1 numbers, `before_last` too once i > 0: j + 1 is within them.
            let mut best = (last[j] + usize::from(ca != cb)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *ca == b[j - 1] && a[i - 1] == *cb {
                best = best.min(before_last[j - 1] + 1);
            }
            row.push(best);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_suggested_and_far_ones_listed() {
        let known = ["mfa_active", "password_enabled"];
        assert_eq!(suggest("mfa_activ", known).as_deref(), Some("did you mean `mfa_active`?"));
        assert_eq!(suggest("mfa_atcive", known).as_deref(), Some("did you mean `mfa_active`?"));
        assert_eq!(suggest("zzz", known).as_deref(), Some("expected one of: mfa_active, password_enabled"));
        assert_eq!(suggest("zzz", []), None);
    }

    #[test]
    fn an_error_shows_its_place_and_cannot_drive_a_terminal() {
        let source = Arc::new(Source {
            name: "a.yaml".into(),
            path: "a.yaml".into(),
            text: "id: x\ntitle: é \u{1b}[31m\n".into(),
        });
        let error = LoadError::at(&source, 13..15, "bad \u{1b}[31m").help("mend it");
        assert_eq!((error.line, error.column), (2, 8));
        let text = error.to_string();
        assert!(text.contains("a.yaml:2:8") && text.contains("mend it"), "{text}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
        assert!(LoadError::at(&source, 900..1000, "beyond").to_string().contains("beyond"));
    }
}
