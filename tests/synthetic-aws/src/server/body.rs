//! A response body that can be slow, stop, or break, while its length says otherwise.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::Sleep;

enum Step {
    Data(Bytes),
    Wait(Duration),
    /// Nothing more, but the connection stays.
    Silence,
    Reset,
}

pub(super) struct Answer {
    steps: VecDeque<Step>,
    /// What Content-Length says, whatever happens.
    length: u64,
    pause: Option<Pin<Box<Sleep>>>,
    reset: Option<Arc<AtomicBool>>,
}

/// Long enough for the bytes before it to reach the client.
const SETTLE: Duration = Duration::from_millis(30);

impl Answer {
    fn new(length: usize, steps: impl Into<VecDeque<Step>>) -> Self {
        Self { steps: steps.into(), length: length as u64, pause: None, reset: None }
    }

    pub(super) fn whole(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self::new(body.len(), [Step::Data(body)])
    }

    /// In sixteen pieces, with a pause before each.
    pub(super) fn drip(body: impl Into<Bytes>, pause: Duration) -> Self {
        let body = body.into();
        let piece = body.len().div_ceil(16).max(1);
        let steps: Vec<_> = (0..body.len())
            .step_by(piece)
            .flat_map(|from| {
                let to = (from + piece).min(body.len());
                [Step::Wait(pause), Step::Data(body.slice(from..to))]
            })
            .collect();
        Self::new(body.len(), steps)
    }

    /// Half of it, then a TCP reset (through the connection that shares `reset`).
    pub(super) fn reset(body: impl Into<Bytes>, reset: Arc<AtomicBool>) -> Self {
        let body = body.into();
        let half = Step::Data(body.slice(..body.len() / 2));
        let mut answer = Self::new(body.len(), [half, Step::Wait(SETTLE), Step::Reset]);
        answer.reset = Some(reset);
        answer
    }

    /// Half of it, then silence.
    pub(super) fn stall(body: impl Into<Bytes>) -> Self {
        let body = body.into();
        let half = Step::Data(body.slice(..body.len() / 2));
        Self::new(body.len(), [half, Step::Silence])
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            if let Some(pause) = &mut self.pause {
                if pause.as_mut().poll(cx).is_pending() {
                    return Poll::Pending;
                }
                self.pause = None;
            }
            match self.steps.pop_front() {
                None => return Poll::Ready(None),
                Some(Step::Data(bytes)) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::Wait(time)) => self.pause = Some(Box::pin(tokio::time::sleep(time))),
                Some(Step::Silence) => {
                    self.steps.push_front(Step::Silence);
                    // never woken again: the connection ends when the client or the server does
                    return Poll::Pending;
                }
                Some(Step::Reset) => {
                    if let Some(reset) = &self.reset {
                        reset.store(true, Ordering::Release);
                    }
                    return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
                }
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty()
    }
}
