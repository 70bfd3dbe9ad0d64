//! Documents: what a call told, in the shape that the AWS CLI prints.

use super::operation::Operation;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::ser::PrettyFormatter;
use std::any::Any;
use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;

/// The document of one operation.
///
/// The same type is filled by `collect` from the SDK and read back from a file that the AWS CLI
/// printed, so that everything above sees one shape.
pub trait Document: fmt::Debug + Send + Sync + Sized + 'static {
    /// The operation that it is the answer to.
    const OPERATION: Operation;

    /// The members that the AWS CLI always prints. A file without one of them is not the whole answer;
    /// a file with all of them is recognised by them, whatever its name.
    const MEMBERS: &'static [&'static str];

    /// Reads it from a file's bytes.
    fn read(bytes: &[u8]) -> Result<Self, String>;

    /// Writes it as the file that the package holds.
    fn write(&self, out: &mut dyn Write) -> io::Result<()>;
}

/// Reads a JSON document, with line and column in the error.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("not UTF-8 text: {e}"))?;
    serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|e| e.to_string())
}

/// Writes a JSON document as the AWS CLI does: four spaces, a line feed at the end.
pub fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(&mut *out, PrettyFormatter::with_indent(b"    "));
    value.serialize(&mut serializer)?;
    out.write_all(b"\n")
}

/// Implements [`Document`] for types that are JSON by serde.
macro_rules! json_documents {
    ($($document:ty => $operation:ident $members:tt,)*) => {
        $(impl $crate::evidence::document::Document for $document {
            const OPERATION: $crate::evidence::operation::Operation = $crate::evidence::operation::Operation::$operation;
            const MEMBERS: &'static [&'static str] = &$members;
            fn read(bytes: &[u8]) -> Result<Self, String> {
                $crate::evidence::document::read_json(bytes)
            }
            fn write(&self, out: &mut dyn std::io::Write) -> std::io::Result<()> {
                $crate::evidence::document::write_json(self, out)
            }
        })*
    };
}
pub(crate) use json_documents;

/// A document of any operation.
#[derive(Clone, Debug)]
pub struct AnyDocument(Arc<dyn Erased>);

trait Erased: fmt::Debug + Send + Sync {
    fn operation(&self) -> Operation;
    fn write(&self, out: &mut dyn Write) -> io::Result<()>;
    fn as_any(&self) -> &dyn Any;
}

impl<D: Document> Erased for D {
    fn operation(&self) -> Operation {
        D::OPERATION
    }
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        Document::write(self, out)
    }
    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl AnyDocument {
    /// Wraps a document.
    pub fn new(document: impl Document) -> Self {
        Self(Arc::new(document))
    }

    /// The operation that the document answers.
    pub fn operation(&self) -> Operation {
        self.0.operation()
    }

    /// Writes the document as the file that the package holds.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        self.0.write(out)
    }

    /// The document as its own type, if it is of that type.
    pub fn downcast<D: Document>(&self) -> Option<&D> {
        self.0.as_any().downcast_ref()
    }
}
