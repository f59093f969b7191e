//! Bodies of answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::sse::{JobBody, StreamBody};
use crate::dispatch::Chunks;

/// What another body may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
pub struct Body(Kind);

enum Kind {
    Chunks { chunks: Chunks, next: usize },
    Job(Box<JobBody>),
    Stream(Box<StreamBody>),
    Other(Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>),
}

impl Body {
    /// No body.
    pub fn empty() -> Self {
        Self::chunks(Chunks::new())
    }

    /// Any other body.
    pub fn wrap(body: impl HttpBody<Data = Bytes, Error = BoxError> + Send + 'static) -> Self {
        Self(Kind::Other(Box::pin(body)))
    }

    pub(crate) fn chunks(chunks: Chunks) -> Self {
        Self(Kind::Chunks { chunks, next: 0 })
    }

    pub(super) fn job(body: JobBody) -> Self {
        Self(Kind::Job(Box::new(body)))
    }

    pub(super) fn stream(body: StreamBody) -> Self {
        Self(Kind::Stream(Box::new(body)))
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        let bytes = bytes.into();
        if bytes.is_empty() { Self::empty() } else { Self::chunks(Chunks::from_iter([bytes])) }
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.get_mut().0 {
            Kind::Chunks { chunks, next } => {
                let Some(chunk) = chunks.get_mut(*next) else { return Poll::Ready(None) };
                *next += 1;
                Poll::Ready(Some(Ok(Frame::data(std::mem::take(chunk)))))
            }
            Kind::Job(body) => body.poll_bytes(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Stream(body) => body.poll_bytes(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes)))),
            Kind::Other(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Chunks { chunks, next } => *next >= chunks.len(),
            Kind::Job(_) | Kind::Stream(_) => false,
            Kind::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Chunks { chunks, next } => {
                SizeHint::with_exact(chunks.iter().skip(*next).map(|chunk| chunk.len() as u64).sum())
            }
            Kind::Job(_) | Kind::Stream(_) => SizeHint::default(),
            Kind::Other(body) => body.size_hint(),
        }
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Kind::Chunks { .. } => "Body::Chunks",
            Kind::Job(_) => "Body::Job",
            Kind::Stream(_) => "Body::Stream",
            Kind::Other(_) => "Body::Other",
        })
    }
}
