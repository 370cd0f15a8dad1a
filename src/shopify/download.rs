//! The result of a bulk operation, read line by line while it arrives. Memory holds a batch and a line,
//! whatever the file's length; a cut connection is taken up again after the last whole line.

use bytes::BytesMut;
use memchr::memchr;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, HeaderMap, RANGE};
use reqwest::{Response, Url};

use super::answer::{Verdict, judge_status};
use super::client::Shopify;
use super::error::ShopifyError;
use super::jsonl::read_line;
use super::store::Store;
use crate::domain::record::Record;
use crate::domain::shop::ShopDomain;

/// What was read so far: to be compared with what Shopify says the file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Downloaded {
    /// Lines.
    pub lines: u64,
    /// Lines without a parent.
    pub root_lines: u64,
    /// Lines of kinds that are not kept.
    pub unknown_lines: u64,
    /// Bytes, line ends included.
    pub bytes: u64,
}

/// A result under way.
#[derive(Debug)]
pub struct Download {
    shopify: Shopify,
    domain: ShopDomain,
    url: Url,
    response: Option<Response>,
    /// What has arrived of the lines that are not read yet.
    buffer: BytesMut,
    /// How much of the buffer is known to hold no line end.
    searched: usize,
    /// What a store that ignores Range sends again.
    skip: u64,
    failures: usize,
    ended: bool,
    read: Downloaded,
}

impl Store {
    /// Opens the result at this address. It is signed, so no token is sent along.
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
            searched: 0,
            skip: 0,
            failures: 0,
            ended: false,
            read: Downloaded::default(),
        })
    }
}

impl Download {
    /// What was read so far; final once there is no further batch.
    #[must_use]
    pub fn read(&self) -> Downloaded {
        self.read
    }

    /// The next lines as records; `None` at the end.
    pub async fn next_batch(&mut self) -> Result<Option<Vec<Record>>, ShopifyError> {
        let most = self.shopify.config().batch_lines.max(1);
        let mut batch = Vec::new();
        loop {
            while let Some(line) = self.take_line()? {
                self.failures = 0;
                batch.extend(self.read_line(&line)?);
                if batch.len() >= most {
                    return Ok(Some(batch));
                }
            }
            if self.ended {
                return Ok((!batch.is_empty()).then_some(batch));
            }
            self.receive().await?;
        }
    }

    /// A whole line from the buffer, its end included; at the end of the file also one without.
    fn take_line(&mut self) -> Result<Option<BytesMut>, ShopifyError> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let end = memchr(b'\n', unsearched);
        let length = match end {
            Some(end) => self.searched + end + 1,
            None if self.ended && !self.buffer.is_empty() => self.buffer.len(),
            None => {
                self.searched = self.buffer.len();
                0
            }
        };
        let longest = self.shopify.config().longest_line;
        if length.max(self.searched) > longest {
            return Err(ShopifyError::MalformedLine {
                line: self.read.lines + 1,
                reason: format!("it is longer than {longest} bytes"),
            });
        }
        if length == 0 {
            return Ok(None);
        }
        self.searched = 0;
        Ok(Some(self.buffer.split_to(length)))
    }

    fn read_line(&mut self, line: &[u8]) -> Result<Option<Record>, ShopifyError> {
        self.read.bytes += u64::try_from(line.len()).unwrap_or_default();
        let line = line.trim_ascii();
        if line.is_empty() {
            return Ok(None);
        }
        self.read.lines += 1;
        let read = read_line(line).map_err(|reason| ShopifyError::MalformedLine {
            line: self.read.lines,
            reason,
        })?;
        self.read.root_lines += u64::from(read.root);
        if read.record.is_none() {
            if self.read.unknown_lines == 0 {
                tracing::warn!(
                    shop.domain = %self.domain, line = self.read.lines,
                    "a bulk result holds objects of an unknown kind"
                );
            }
            self.read.unknown_lines += 1;
        }
        Ok(read.record)
    }

    /// Waits for more of the file, taking up a cut connection.
    async fn receive(&mut self) -> Result<(), ShopifyError> {
        let received = match &mut self.response {
            Some(response) => response
                .chunk()
                .await
                .map_err(|error| ShopifyError::of_transport(&error)),
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
            // Less than what was read before: the end is not in there.
            Ok(None) if self.skip > 0 => self.pause(ShopifyError::Interrupted).await,
            Ok(None) => {
                self.response = None;
                self.ended = true;
                Ok(())
            }
            Err(error) => self.pause(error).await,
        }
    }

    async fn reconnect(&mut self) -> Result<(), ShopifyError> {
        match self.connect().await {
            Ok(()) => Ok(()),
            Err(error) if error.passes_by() => self.pause(error).await,
            Err(error) => Err(error),
        }
    }

    /// Drops what is not a whole line and waits before the next attempt, where there is one.
    async fn pause(&mut self, error: ShopifyError) -> Result<(), ShopifyError> {
        self.response = None;
        self.buffer.clear();
        self.searched = 0;
        let policy = self.shopify.config().retry;
        let Some(pause) = policy.pauses().nth(self.failures) else {
            return Err(error);
        };
        self.failures += 1;
        let pause = error.retry_after().unwrap_or(pause);
        if pause > policy.longest_pause {
            return Err(error);
        }
        tracing::debug!(
            shop.domain = %self.domain, bytes = self.read.bytes, %error,
            "taking up a bulk result again"
        );
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), ShopifyError> {
        let from = self.read.bytes;
        // Not compressed: a place in the file must be a place in what arrives.
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
            .map_err(|error| ShopifyError::of_transport(&error))?;
        match response.status().as_u16() {
            206 if starts_at(response.headers()) == Some(from) => self.skip = 0,
            206 => return Err(ShopifyError::BulkUrlRefused),
            200 => self.skip = from,
            // Everything had arrived when the connection was cut.
            416 if from > 0 => {
                self.ended = true;
                return Ok(());
            }
            400 | 401 | 403 | 404 | 410 => return Err(ShopifyError::BulkUrlExpired),
            status => {
                return Err(match judge_status(status, response.headers()) {
                    Some(Verdict::Failed(error)) => error,
                    _ => ShopifyError::Refused { status },
                });
            }
        }
        self.response = Some(response);
        Ok(())
    }
}

/// The first byte of a part: `bytes 100-199/200`.
fn starts_at(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    let (first, _) = range.strip_prefix("bytes ")?.split_once('-')?;
    first.parse().ok()
}
