//! Result files of bulk operations: signed addresses, ranges, and connections that end early.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, ReadBuf};
use tokio::time::Sleep;
use tokio_util::io::ReaderStream;

use super::with_type;
use crate::bulk::Download;
use crate::shop::signature;
use crate::simulator::Shops;

pub(crate) async fn download(
    State(shops): State<Arc<Shops>>,
    Path((label, id)): Path<(String, u64)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(shop) = shops.get(&label) else {
        return refused(StatusCode::NOT_FOUND, "NoSuchKey");
    };
    let range = headers
        .get(header::RANGE)
        .and_then(|value| value.to_str().ok());
    shop.count(|statistics| {
        statistics.downloads += 1;
        statistics.downloads_resumed += u64::from(range.is_some());
        let with_token = headers.contains_key("x-shopify-access-token");
        statistics.downloads_with_token += u64::from(with_token);
    });
    let query = query.unwrap_or_default();
    let field = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
    };
    let expires = field("Expires")
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    if field("Signature").is_none_or(|(_, value)| value != signature(id, expires)) {
        return refused(StatusCode::FORBIDDEN, "SignatureDoesNotMatch");
    }
    let now = shop.now();
    match shop.with_bulk(|book| book.download(id, now)) {
        Download::Unknown => refused(StatusCode::NOT_FOUND, "NoSuchKey"),
        Download::Expired => refused(StatusCode::FORBIDDEN, "ExpiredToken"),
        Download::File(path, cut_after) => match send(&path, range, cut_after).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!(%error, "a bulk file cannot be read");
                refused(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")
            }
        },
    }
}

/// A refusal as the storage writes it.
fn refused(status: StatusCode, code: &str) -> Response {
    let body = format!("<?xml version='1.0' encoding='UTF-8'?><Error><Code>{code}</Code></Error>");
    with_type(status, body, "application/xml; charset=UTF-8")
}

async fn send(
    path: &std::path::Path,
    range: Option<&str>,
    cut_after: Option<u64>,
) -> io::Result<Response> {
    let mut file = tokio::fs::File::open(path).await?;
    let size = file.metadata().await?.len();
    let (status, from, to) = match range.and_then(|range| read_range(range, size)) {
        Some(Ok((from, to))) => (StatusCode::PARTIAL_CONTENT, from, to),
        Some(Err(())) => {
            let mut response = refused(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange");
            set(
                &mut response,
                header::CONTENT_RANGE,
                &format!("bytes */{size}"),
            );
            return Ok(response);
        }
        None => (StatusCode::OK, 0, size),
    };
    file.seek(io::SeekFrom::Start(from)).await?;
    let length = to - from;
    let body = match cut_after.filter(|most| *most < length) {
        Some(most) => cut_short(file.take(most)),
        None => Body::from_stream(ReaderStream::new(file.take(length))),
    };
    let mut response = with_type(status, body, "application/jsonl");
    set(&mut response, header::CONTENT_LENGTH, &length.to_string());
    set(&mut response, header::ACCEPT_RANGES, "bytes");
    if status == StatusCode::PARTIAL_CONTENT {
        let last = to.saturating_sub(1);
        set(
            &mut response,
            header::CONTENT_RANGE,
            &format!("bytes {from}-{last}/{size}"),
        );
    }
    Ok(response)
}

fn set(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}

/// Reads `bytes=from-to`: none when it is no such range, an error when it lies outside of the file.
fn read_range(range: &str, size: u64) -> Option<Result<(u64, u64), ()>> {
    let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (from, to) = match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(from), Ok(to)) => (from, to.saturating_add(1).min(size)),
        (Ok(from), Err(_)) => (from, size),
        (Err(_), Ok(last)) => (size.saturating_sub(last), size),
        (Err(_), Err(_)) => return None,
    };
    Some(if from < to { Ok((from, to)) } else { Err(()) })
}

/// How long a body waits before it breaks off: what was read so far shall reach the client.
const FLUSH: Duration = Duration::from_millis(20);

/// A body that breaks off after its bytes: the connection ends without the rest.
pub(crate) fn cut_short(reader: impl AsyncRead + Send + Unpin + 'static) -> Body {
    Body::from_stream(ReaderStream::new(BreaksOff {
        reader,
        pause: None,
    }))
}

/// Gives an error where a reader ends.
struct BreaksOff<R> {
    reader: R,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<R: AsyncRead + Unpin> AsyncRead for BreaksOff<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.pause.is_none() {
            let before = buffer.filled().len();
            match Pin::new(&mut self.reader).poll_read(context, buffer) {
                Poll::Ready(Ok(())) if buffer.filled().len() == before => {}
                other => return other,
            }
        }
        let pause = self
            .pause
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(FLUSH)));
        pause
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::ConnectionReset.into()))
    }
}
