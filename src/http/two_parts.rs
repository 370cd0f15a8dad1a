//! A body of two parts, sent one after the other as they are: most of an answer from memory is the same each time,
//! and need not be copied to stand before what is not.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use http_body::{Frame, SizeHint};

struct TwoParts {
    first: Option<Bytes>,
    second: Option<Bytes>,
}

/// The body, of known length.
pub(super) fn body(first: Bytes, second: Bytes) -> Body {
    let part = |part: Bytes| (!part.is_empty()).then_some(part);
    Body::new(TwoParts {
        first: part(first),
        second: part(second),
    })
}

impl http_body::Body for TwoParts {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.first.take().or_else(|| self.second.take());
        Poll::Ready(next.map(|part| Ok(Frame::data(part))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.second.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        let length = |part: &Option<Bytes>| part.as_ref().map_or(0, Bytes::len);
        let length = length(&self.first) + length(&self.second);
        // Memory holds no more.
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use http_body::Body as _;

    use super::*;

    #[tokio::test]
    async fn both_parts_are_sent_and_their_length_is_known() {
        for (first, second) in [("ab", "cde"), ("", "cde"), ("ab", ""), ("", "")] {
            let body = body(Bytes::from(first), Bytes::from(second));
            let whole = format!("{first}{second}");
            assert_eq!(body.size_hint().exact(), u64::try_from(whole.len()).ok());
            assert_eq!(body.is_end_stream(), whole.is_empty());
            let sent = axum::body::to_bytes(body, 100).await.unwrap();
            assert_eq!(sent, whole);
        }
    }
}
