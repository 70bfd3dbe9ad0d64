//! Splits a log file into its records while it is being decompressed.
//!
//! A log file is `{"Records":[…]}`, one long line. Each record is parsed once, into borrowed fields, and the
//! parser's own position says where the record ends; so the memory for a file is that of a buffer and of its
//! longest record.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Deserializer;

use super::content::{Content, ContentError};
use super::event::{Fields, Text};

/// Why the records of a file could not be read to the end.
#[derive(Debug, thiserror::Error)]
pub(super) enum RecordsError<E> {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error("is not a CloudTrail log file: {cause} near byte {offset} of the decompressed content")]
    Format { cause: String, offset: u64 },
    #[error("holds a record of more than {0} bytes, the limit for one record")]
    TooLong(usize),
    #[error("the caller stopped")]
    Stop(E),
}

/// One record.
pub(super) enum Record<'a> {
    Sound(&'a [u8], Fields<'a>),
    /// A field that this program reads has a wrong type or comes twice.
    Odd(&'a [u8], String),
    /// Not an object, or not UTF-8.
    Unreadable(String),
}

const CHUNK: usize = 256 << 10;

/// Gives each record of the file to `take`, and reads the file to its end.
pub(super) fn split<E>(
    content: &mut Content,
    record_limit: usize,
    take: &mut dyn FnMut(Record<'_>) -> Result<(), E>,
) -> Result<(), RecordsError<E>> {
    let mut splitter = Splitter { content, buffer: vec![0; CHUNK], start: 0, end: 0, limit: record_limit };
    let outcome = splitter.document(take);
    // The hash is that of the whole content, so what follows an error is read as well. If the content
    // itself is at fault, the outcome says so already.
    if outcome.is_err() && !matches!(outcome, Err(RecordsError::Content(_) | RecordsError::Stop(_))) {
        splitter.drain()?;
    }
    outcome
}

struct Splitter<'c> {
    content: &'c mut Content,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    limit: usize,
}

impl Splitter<'_> {
    fn document<E>(&mut self, take: &mut dyn FnMut(Record<'_>) -> Result<(), E>) -> Result<(), RecordsError<E>> {
        match self.peek()? {
            // A bare array of records is what people make of log files with jq.
            Some(b'[') => self.array(take)?,
            Some(b'{') => self.object(take)?,
            Some(_) => return Err(self.format("neither an object nor an array")),
            None => return Err(self.format("empty")),
        }
        match self.peek()? {
            None => Ok(()),
            Some(_) => Err(self.format("data after the end of the JSON document")),
        }
    }

    fn object<E>(&mut self, take: &mut dyn FnMut(Record<'_>) -> Result<(), E>) -> Result<(), RecordsError<E>> {
        self.start += 1;
        let mut found = 0;
        if self.peek()? == Some(b'}') {
            return Err(self.format("no Records"));
        }
        loop {
            let is_records = self.value(|key: Text<'_>| key.0 == "Records")?;
            self.expect(b':')?;
            if is_records {
                if self.peek()? != Some(b'[') {
                    return Err(self.format("Records is not an array"));
                }
                self.array(take)?;
                found += 1;
            } else {
                self.value(|_: IgnoredAny| ())?;
            }
            match self.peek()? {
                Some(b',') => self.start += 1,
                Some(b'}') => break,
                _ => return Err(self.format("an object that does not end")),
            }
            self.peek::<E>()?;
        }
        self.start += 1;
        match found {
            1 => Ok(()),
            0 => Err(self.format("no Records")),
            // Other readers would see only the last: the file says two things, and all are kept.
            _ => Err(self.format("Records more than once")),
        }
    }

    fn array<E>(&mut self, take: &mut dyn FnMut(Record<'_>) -> Result<(), E>) -> Result<(), RecordsError<E>> {
        self.start += 1;
        if self.peek()? == Some(b']') {
            self.start += 1;
            return Ok(());
        }
        loop {
            match self.peek()? {
                Some(b'{') => self.record(take)?,
                _ => {
                    self.value(|_: IgnoredAny| ())?;
                    let what = "a record is not an object".to_owned();
                    take(Record::Unreadable(what)).map_err(RecordsError::Stop)?;
                }
            }
            match self.peek()? {
                Some(b',') => self.start += 1,
                Some(b']') => break,
                _ => return Err(self.format("an array that does not end")),
            }
        }
        self.start += 1;
        Ok(())
    }

    fn record<E>(&mut self, take: &mut dyn FnMut(Record<'_>) -> Result<(), E>) -> Result<(), RecordsError<E>> {
        let length = loop {
            let text = self.buffer.get(self.start..self.end).unwrap_or_default();
            let mut values = Deserializer::from_slice(text).into_iter::<Fields<'_>>();
            let first = values.next();
            let length = values.byte_offset();
            let odd = match first {
                Some(Ok(fields)) => {
                    let record = text.get(..length).unwrap_or_default();
                    // The parser checks the UTF-8 of the fields that it is asked for, and of no others.
                    let record = match std::str::from_utf8(record) {
                        Ok(_) => Record::Sound(record, fields),
                        Err(e) => Record::Unreadable(format!("a record is not UTF-8: {e}")),
                    };
                    take(record).map_err(RecordsError::Stop)?;
                    break length;
                }
                Some(Err(e)) if e.is_data() => Some(e.to_string()),
                Some(Err(e)) if e.is_eof() => None,
                Some(Err(e)) => return Err(self.format(&e.to_string())),
                None => None,
            };
            if let Some(cause) = odd {
                // The parser stops where the type is wrong: find the end of the record without types.
                let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
                match values.next() {
                    Some(Ok(_)) => {
                        let record = text.get(..values.byte_offset()).unwrap_or_default();
                        let cause = cause.split(" at line").next().unwrap_or_default().to_owned();
                        take(match std::str::from_utf8(record) {
                            Ok(_) => Record::Odd(record, cause),
                            Err(e) => Record::Unreadable(format!("a record is not UTF-8: {e}")),
                        })
                        .map_err(RecordsError::Stop)?;
                        break values.byte_offset();
                    }
                    Some(Err(e)) if !e.is_eof() => return Err(self.format(&e.to_string())),
                    _ => {}
                }
            }
            if !self.refill()? {
                return Err(self.format("a record that does not end"));
            }
        };
        self.start += length;
        Ok(())
    }

    /// Parses one value of a known type at the start of the buffer.
    fn value<T, R, E>(&mut self, with: impl Fn(T) -> R) -> Result<R, RecordsError<E>>
    where
        T: for<'de> BorrowedFrom<'de>,
    {
        let _ = with;
        unreachable!()
    }

    /// The next byte that is not white space, not consumed; `None` at the end.
    fn peek<E>(&mut self) -> Result<Option<u8>, RecordsError<E>> {
        loop {
            let text = self.buffer.get(self.start..self.end).unwrap_or_default();
            match text.iter().position(|b| !b.is_ascii_whitespace()) {
                Some(skipped) => {
                    self.start += skipped;
                    return Ok(self.buffer.get(self.start).copied());
                }
                None => {
                    self.start = self.end;
                    if !self.refill()? {
                        return Ok(None);
                    }
                }
            }
        }
    }
}
