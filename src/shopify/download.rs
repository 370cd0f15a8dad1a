//! Downloads the result of a bulk operation and splits it into batches of lines, which can be
//! parsed in parallel. Memory use does not depend on the size of the file. After a lost connection,
//! the download resumes behind the last complete line.

use std::ops::AddAssign;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr_iter};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, HeaderMap, RANGE};
use reqwest::{Response, Url};

use super::client::Shopify;
use super::error::ShopifyError;
use super::jsonl::read_line;
use super::response::{RequestFailure, check_status};
use super::shop_client::ShopClient;
use crate::domain::record::Record;
use crate::domain::shop::ShopDomain;

/// Statistics of the lines read so far, to compare with the counts that Shopify reports.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DownloadStats {
    /// Lines.
    pub lines: u64,
    /// Lines without a parent.
    pub root_lines: u64,
    /// Lines with objects of unknown kinds.
    pub unknown_lines: u64,
    /// Bytes, including line ends.
    pub bytes: u64,
}

impl AddAssign for DownloadStats {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.root_lines += other.root_lines;
        self.unknown_lines += other.unknown_lines;
        self.bytes += other.bytes;
    }
}

/// Some complete lines of a result.
#[derive(Debug)]
pub struct Lines {
    bytes: Bytes,
    /// The number of non-empty lines before these.
    before: u64,
}

impl Lines {
    /// Parses the lines into records. CPU-bound: about a millisecond per hundred lines.
    pub fn read(&self) -> Result<(Vec<Record>, DownloadStats), ShopifyError> {
        let mut records = Vec::new();
        let mut read = DownloadStats {
            bytes: u64::try_from(self.bytes.len()).unwrap_or_default(),
            ..DownloadStats::default()
        };
        for line in lines_of(&self.bytes) {
            read.lines += 1;
            let line = read_line(line).map_err(|reason| ShopifyError::MalformedLine {
                line: self.before + read.lines,
                reason,
            })?;
            read.root_lines += u64::from(line.root);
            read.unknown_lines += u64::from(line.record.is_none());
            records.extend(line.record);
        }
        Ok((records, read))
    }
}

/// The non-empty lines without line ends.
fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b'\n', bytes).chain([bytes.len()]);
    ends.scan(0, |start, end| {
        let line = bytes.get(*start..end).unwrap_or_default();
        *start = end + 1;
        Some(line.trim_ascii())
    })
    .filter(|line| !line.is_empty())
}

/// A download in progress.
#[derive(Debug)]
pub struct Download {
    shopify: Shopify,
    domain: ShopDomain,
    url: Url,
    response: Option<Response>,
    /// Received bytes that are not yet returned.
    buffer: BytesMut,
    /// The complete lines at the start of the buffer: their total length, and the number of
    /// non-empty ones.
    whole: (usize, usize),
    /// The length of the rest of the buffer that is known to contain no line end.
    searched: usize,
    /// The number of bytes to skip, because the server ignored the `Range` header.
    skip: u64,
    failures: usize,
    ended: bool,
    /// The number of lines and bytes returned.
    given: (u64, u64),
}

impl ShopClient {
    /// Opens the result at this URL. The URL is signed, so the request has no access token.
    pub fn download(&self, url: &str) -> Result<Download, ShopifyError> {
        let url = Url::parse(url).map_err(|_| ShopifyError::BulkUrlRefused)?;
        let origin = Url::parse(&self.shopify.origin(self.domain())).ok();
        let own_http = origin
            .is_some_and(|origin| origin.scheme() == "http" && origin.host_str() == url.host_str());
        if url.scheme() != "https" && !(url.scheme() == "http" && own_http) {
            return Err(ShopifyError::BulkUrlRefused);
        }
        Ok(Download {
            shopify: self.shopify.clone(),
            domain: self.domain().clone(),
            url,
            response: None,
            buffer: BytesMut::new(),
            whole: (0, 0),
            searched: 0,
            skip: 0,
            failures: 0,
            ended: false,
            given: (0, 0),
        })
    }
}

impl Download {
    /// The next lines. `None` at the end.
    pub async fn next_lines(&mut self) -> Result<Option<Lines>, ShopifyError> {
        let most = self.shopify.config().batch_lines.max(1);
        loop {
            while self.find_line()? {
                if self.whole.1 >= most {
                    return Ok(self.take_lines());
                }
            }
            if self.ended {
                return Ok(self.take_lines());
            }
            self.receive().await?;
        }
    }

    /// Finds the next complete line in the buffer, including its line end. The last line of the
    /// file may have none.
    fn find_line(&mut self) -> Result<bool, ShopifyError> {
        let (start, lines) = self.whole;
        let rest = self.buffer.get(start..).unwrap_or_default();
        let unsearched = rest.get(self.searched..).unwrap_or_default();
        let length = match memchr(b'\n', unsearched) {
            Some(end) => self.searched + end + 1,
            None if self.ended => rest.len(),
            None => {
                self.searched = rest.len();
                0
            }
        };
        let longest = self.shopify.config().max_line_bytes;
        if length.max(self.searched) > longest {
            let (given, _) = self.given;
            return Err(ShopifyError::MalformedLine {
                line: given + u64::try_from(lines).unwrap_or_default() + 1,
                reason: format!("the line is longer than {longest} bytes"),
            });
        }
        if length == 0 {
            return Ok(false);
        }
        let line = rest.get(..length).unwrap_or_default();
        let is_empty = line.trim_ascii().is_empty();
        self.whole = (start + length, lines + usize::from(!is_empty));
        self.searched = 0;
        self.failures = 0;
        Ok(true)
    }

    /// Takes the complete lines out of the buffer.
    fn take_lines(&mut self) -> Option<Lines> {
        let (length, count) = std::mem::take(&mut self.whole);
        if length == 0 {
            return None;
        }
        let bytes = self.buffer.split_to(length).freeze();
        let (before, _) = self.given;
        self.given.0 += u64::try_from(count).unwrap_or_default();
        self.given.1 += u64::try_from(length).unwrap_or_default();
        Some(Lines { bytes, before })
    }

    /// Receives more of the file, and reconnects if the connection was lost.
    async fn receive(&mut self) -> Result<(), ShopifyError> {
        let received = match &mut self.response {
            Some(response) => response
                .chunk()
                .await
                .map_err(|error| ShopifyError::from_transport(&error)),
            None => return self.reconnect().await,
        };
        match received {
            Ok(Some(mut chunk)) => {
                let length = u64::try_from(chunk.len()).unwrap_or_default();
                let skipped = self.skip.min(length);
                self.skip -= skipped;
                let skipped = usize::try_from(skipped).unwrap_or(chunk.len());
                self.buffer.extend_from_slice(&chunk.split_off(skipped));
                Ok(())
            }
            // The file is shorter than the part that was already read, so its end is missing.
            Ok(None) if self.skip > 0 => self.delay(ShopifyError::Interrupted).await,
            Ok(None) => {
                self.response = None;
                self.ended = true;
                Ok(())
            }
            Err(error) => self.delay(error).await,
        }
    }

    /// The number of bytes in complete lines.
    fn received(&self) -> u64 {
        let (_, given) = self.given;
        given + u64::try_from(self.whole.0).unwrap_or_default()
    }

    async fn reconnect(&mut self) -> Result<(), ShopifyError> {
        match self.connect().await {
            Ok(()) => Ok(()),
            Err(error) if error.is_transient() => self.delay(error).await,
            Err(error) => Err(error),
        }
    }

    /// Drops the incomplete line and waits before the next attempt. Fails if there are no attempts
    /// left.
    async fn delay(&mut self, error: ShopifyError) -> Result<(), ShopifyError> {
        self.response = None;
        self.buffer.truncate(self.whole.0);
        self.searched = 0;
        let policy = self.shopify.config().retry;
        let Some(delay) = policy.delays().nth(self.failures) else {
            return Err(error);
        };
        self.failures += 1;
        let delay = error.retry_after().unwrap_or(delay);
        if delay > policy.max_delay {
            return Err(error);
        }
        tracing::debug!(
            shop.domain = %self.domain, bytes = self.received(), %error,
            "resuming the download of a bulk result"
        );
        tokio::time::sleep(delay).await;
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), ShopifyError> {
        let from = self.received();
        // Without compression, so that positions in the file are positions in the response.
        let mut request = self
            .shopify
            .http()
            .get(self.url.clone())
            .header(ACCEPT_ENCODING, "identity");
        if from > 0 {
            request = request.header(RANGE, format!("bytes={from}-"));
        }
        let response = request
            .send()
            .await
            .map_err(|error| ShopifyError::from_transport(&error))?;
        match response.status().as_u16() {
            206 if starts_at(response.headers()) == Some(from) => self.skip = 0,
            206 => return Err(ShopifyError::BulkUrlRefused),
            200 => self.skip = from,
            // The connection was lost after the last byte.
            416 if from > 0 => {
                self.ended = true;
                return Ok(());
            }
            400 | 401 | 403 | 404 | 410 => return Err(ShopifyError::BulkUrlExpired),
            status => {
                return Err(match check_status(status, response.headers()) {
                    Some(RequestFailure::Failed(error)) => error,
                    _ => ShopifyError::Refused { status },
                });
            }
        }
        self.response = Some(response);
        Ok(())
    }
}

/// The first byte of a partial response: `bytes 100-199/200`.
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.parse().ok()
}
