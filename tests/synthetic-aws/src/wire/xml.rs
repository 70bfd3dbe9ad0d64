//! A writer for the small XML of the query protocol: elements and text, no attributes.

use chrono::{DateTime, SecondsFormat, Utc};

#[derive(Default)]
pub(crate) struct Xml {
    out: String,
}

impl Xml {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn finish(self) -> String {
        self.out
    }

    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.open(name);
        escape(value, &mut self.out);
        self.close(name);
    }

    pub(crate) fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }

    pub(crate) fn flag(&mut self, name: &str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.text(name, &value.to_string());
    }

    /// ISO 8601 with a Z and no fraction, as IAM and STS send.
    pub(crate) fn time(&mut self, name: &str, value: DateTime<Utc>) {
        self.text(name, &iso(value));
    }

    pub(crate) fn nest(&mut self, name: &str, inner: impl FnOnce(&mut Self)) {
        self.open(name);
        inner(self);
        self.close(name);
    }

    /// A list: `<name><member>...</member>...</name>`, `<name/>` when empty.
    pub(crate) fn list<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) {
        let start = self.out.len();
        self.open(name);
        let inside = self.out.len();
        for item in items {
            self.nest("member", |x| each(x, item));
        }
        if self.out.len() == inside {
            self.out.truncate(start);
            self.out.push('<');
            self.out.push_str(name);
            self.out.push_str("/>");
        } else {
            self.close(name);
        }
    }

    /// The text of the element that is open.
    pub(crate) fn raw_text(&mut self, value: &str) {
        escape(value, &mut self.out);
    }

    fn open(&mut self, name: &str) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }
}

pub(crate) fn iso(value: DateTime<Utc>) -> String {
    value.to_rfc3339_opts(SecondsFormat::Secs, true)
}

pub(crate) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#xD;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_lists_and_escapes() {
        let mut xml = Xml::new();
        xml.list("Names", ["a<b", "c&d"], |x, n| x.raw_text(n));
        xml.list("None", Vec::<&str>::new(), |x, n| x.raw_text(n));
        assert_eq!(xml.finish(), "<Names><member>a&lt;b</member><member>c&amp;d</member></Names><None/>");
    }
}
