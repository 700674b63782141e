//! The request's body: a stream of chunks that ends in an error when a limit is passed.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt};

type Chunks = Pin<Box<dyn Stream<Item = Result<Bytes, String>> + Send>>;

/// Why a body could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More than `limit` bytes were announced or came in.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit that was passed, in bytes.
        limit: u64,
    },
    /// The client went away or broke the protocol; the text is the host's.
    #[error("the body ended early: {0}")]
    Interrupted(String),
}

/// A body as it came in, not limited yet.
pub(crate) struct IncomingBody {
    chunks: Chunks,
    announced: Option<u64>,
}

impl IncomingBody {
    /// `announced` is the value of `content-length`, when there is one.
    pub(crate) fn new(
        chunks: impl Stream<Item = Result<Bytes, String>> + Send + 'static,
        announced: Option<u64>,
    ) -> Self {
        Self {
            chunks: Box::pin(chunks),
            announced,
        }
    }

    /// An announced length past `limit` is refused before a byte is read.
    pub(crate) fn limited(self, limit: u64) -> Result<LimitedBody, BodyError> {
        if self.announced.is_some_and(|length| length > limit) {
            return Err(BodyError::TooLarge { limit });
        }
        Ok(LimitedBody {
            chunks: self.chunks,
            announced: self.announced,
            limit,
            received: 0,
            over: false,
        })
    }
}

/// The chunks of a body, at most `limit` bytes in all; after the limit one [`BodyError::TooLarge`], then the end.
pub struct LimitedBody {
    chunks: Chunks,
    announced: Option<u64>,
    limit: u64,
    received: u64,
    over: bool,
}

impl LimitedBody {
    /// The bytes handed out so far.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The whole body in memory; for small limits.
    ///
    /// # Errors
    /// [`BodyError`] when the limit is passed or the client goes away.
    pub async fn bytes(mut self) -> Result<Bytes, BodyError> {
        let Some(first) = self.next().await.transpose()? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.next().await.transpose()? else {
            return Ok(first);
        };
        let expected = self.announced.unwrap_or(0).min(self.limit);
        let mut whole = BytesMut::with_capacity(usize::try_from(expected).unwrap_or(0));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(chunk) = self.next().await {
            whole.extend_from_slice(&chunk?);
        }
        Ok(whole.freeze())
    }
}

impl Stream for LimitedBody {
    type Item = Result<Bytes, BodyError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.over {
            return Poll::Ready(None);
        }
        match futures::ready!(self.chunks.poll_next_unpin(cx)) {
            None => Poll::Ready(None),
            Some(Err(reason)) => {
                self.over = true;
                Poll::Ready(Some(Err(BodyError::Interrupted(reason))))
            }
            Some(Ok(chunk)) => {
                self.received += chunk.len() as u64;
                if self.received > self.limit {
                    self.over = true;
                    return Poll::Ready(Some(Err(BodyError::TooLarge { limit: self.limit })));
                }
                Poll::Ready(Some(Ok(chunk)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;
    use futures::stream;

    use super::*;

    fn body(chunks: &[&'static str], announced: Option<u64>) -> IncomingBody {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| Ok(Bytes::from_static(chunk.as_bytes())))
            .collect();
        IncomingBody::new(stream::iter(chunks), announced)
    }

    #[test]
    fn chunks_are_joined() {
        let read = block_on(body(&["ab", "c", "de"], None).limited(5).unwrap().bytes());
        assert_eq!(read, Ok(Bytes::from_static(b"abcde")));
    }

    #[test]
    fn an_announced_length_past_the_limit_is_refused_unread() {
        assert_eq!(
            body(&[], Some(6)).limited(5).err(),
            Some(BodyError::TooLarge { limit: 5 })
        );
    }

    #[test]
    fn an_unannounced_body_is_cut_at_the_limit() {
        let mut limited = body(&["abc", "def", "ghi"], None).limited(5).unwrap();
        let seen: Vec<_> = block_on(async {
            let mut seen = Vec::new();
            while let Some(chunk) = limited.next().await {
                seen.push(chunk);
            }
            seen
        });
        assert_eq!(
            seen,
            [
                Ok(Bytes::from_static(b"abc")),
                Err(BodyError::TooLarge { limit: 5 })
            ]
        );
    }

    #[test]
    fn an_interruption_is_passed_on_once() {
        let chunks = stream::iter([Ok(Bytes::from_static(b"a")), Err("reset".to_owned())]);
        let read = block_on(IncomingBody::new(chunks, None).limited(5).unwrap().bytes());
        assert_eq!(read, Err(BodyError::Interrupted("reset".to_owned())));
    }
}
