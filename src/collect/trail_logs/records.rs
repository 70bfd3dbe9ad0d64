//! Splits a log file into its records while it is being decompressed.
//!
//! A log file is `{"Records":[…]}`, one long line. Each record is parsed once, into borrowed fields, and the
//! parser's own position says where the record ends; so the memory for a file is that of a buffer and of its
//! longest record.

use std::borrow::Cow;
use std::cell::Cell;

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
    let mut buffer = BUFFER.take();
    buffer.resize(CHUNK, 0);
    let mut splitter = Splitter { content, buffer, start: 0, end: 0, limit: record_limit };
    let outcome = splitter.document(take);
    // The hash is that of the whole content, so what follows an error is read as well. If the content
    // itself is at fault, the outcome says so already.
    let drained = match outcome {
        Ok(()) | Err(RecordsError::Content(_) | RecordsError::Stop(_)) => Ok(()),
        Err(_) => splitter.drain(),
    };
    splitter.buffer.truncate(CHUNK);
    splitter.buffer.shrink_to(CHUNK);
    BUFFER.set(splitter.buffer);
    drained.and(outcome)
}

thread_local! {
    /// One buffer per thread for all files: to take and return a large block for each of many small files
    /// leaves the heap in pieces.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
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
            let is_records = self.value(key_is_records)?;
            self.expect(b':')?;
            if is_records {
                if self.peek()? != Some(b'[') {
                    return Err(self.format("Records is not an array"));
                }
                self.array(take)?;
                found += 1;
            } else {
                self.value(skip)?;
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
                    self.value(skip)?;
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

    /// Consumes one value; `read` says what is wanted of it, and where it ends.
    fn value<R, E>(&mut self, read: Read<R>) -> Result<R, RecordsError<E>> {
        loop {
            let text = self.buffer.get(self.start..self.end).unwrap_or_default();
            match read(text) {
                // A number that ends with the buffer may go on after it.
                Some(Ok((result, length))) if length < text.len() || !self.refill()? => {
                    self.start += length;
                    return Ok(result);
                }
                Some(Ok(_)) => {}
                Some(Err(e)) if !e.is_eof() => return Err(self.format(&e.to_string())),
                _ => {
                    if !self.refill()? {
                        return Err(self.format("a value that does not end"));
                    }
                }
            }
        }
    }

    fn expect<E>(&mut self, wanted: u8) -> Result<(), RecordsError<E>> {
        if self.peek()? != Some(wanted) {
            return Err(self.format(&format!("no {:?} where there must be one", char::from(wanted))));
        }
        self.start += 1;
        Ok(())
    }

    /// Makes room and fills it, so that a long record is parsed again only each time the buffer doubles.
    /// False at the end.
    fn refill<E>(&mut self) -> Result<bool, RecordsError<E>> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            if self.end >= self.limit {
                return Err(RecordsError::TooLong(self.limit));
            }
            self.buffer.resize(self.end.saturating_mul(2).min(self.limit.max(CHUNK)), 0);
        }
        let before = self.end;
        while let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) {
            match self.content.read(room)? {
                0 => break,
                count => self.end += count,
            }
        }
        Ok(self.end > before)
    }

    fn drain<E>(&mut self) -> Result<(), RecordsError<E>> {
        while self.content.read(&mut self.buffer)? > 0 {}
        Ok(())
    }

    fn format<E>(&self, cause: &str) -> RecordsError<E> {
        let unread = (self.end - self.start) as u64;
        let cause = cause.split(" at line").next().unwrap_or_default().to_owned();
        RecordsError::Format { cause, offset: self.content.bytes().saturating_sub(unread) }
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

type Read<R> = fn(&[u8]) -> Option<serde_json::Result<(R, usize)>>;

fn key_is_records(text: &[u8]) -> Option<serde_json::Result<(bool, usize)>> {
    let mut values = Deserializer::from_slice(text).into_iter::<Text<'_>>();
    let key = values.next()?;
    Some(key.map(|key| (key.0 == "Records", values.byte_offset())))
}

fn skip(text: &[u8]) -> Option<serde_json::Result<((), usize)>> {
    let mut values = Deserializer::from_slice(text).into_iter::<IgnoredAny>();
    let value = values.next()?;
    Some(value.map(|_| ((), values.byte_offset())))
}

/// The record in one line: as it is, or, if it was spread over lines, without its white space.
pub(in crate::collect) fn one_line(record: &[u8]) -> Cow<'_, [u8]> {
    if !record.iter().any(|b| matches!(b, b'\n' | b'\r')) {
        return Cow::Borrowed(record);
    }
    let mut line = Vec::with_capacity(record.len());
    let (mut in_text, mut escaped) = (false, false);
    for &byte in record {
        if in_text {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_text = false,
                _ => {}
            }
        } else if byte.is_ascii_whitespace() {
            continue;
        } else {
            in_text = byte == b'"';
        }
        line.push(byte);
    }
    Cow::Owned(line)
}
