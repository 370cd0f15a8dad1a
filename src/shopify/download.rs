//! The result of a bulk operation, taken in line by line while it arrives and read a batch of lines at a time, each
//! by whichever thread has the time. Memory holds some batches and a line, whatever the file's length; a cut connection
//! is taken up again after the last whole line.

use std::ops::AddAssign;

use bytes::{Bytes, BytesMut};
use memchr::{memchr, memchr_iter};
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

impl AddAssign for Downloaded {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.root_lines += other.root_lines;
        self.unknown_lines += other.unknown_lines;
        self.bytes += other.bytes;
    }
}

/// Some whole lines of a result, as they arrived.
#[derive(Debug)]
pub struct Lines {
    bytes: Bytes,
    /// How many lines of the result come before these; empty ones are none.
    before: u64,
}

impl Lines {
    /// Reads them as records. Takes a processor for a while: some milliseconds for a thousand lines.
    pub fn read(&self) -> Result<(Vec<Record>, Downloaded), ShopifyError> {
        let mut records = Vec::new();
        let mut read = Downloaded {
            bytes: u64::try_from(self.bytes.len()).unwrap_or_default(),
            ..Downloaded::default()
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

/// The lines that are not empty, without their ends.
fn lines_of(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let ends = memchr_iter(b'\n', bytes).chain([bytes.len()]);
    ends.scan(0, |start, end| {
        let line = bytes.get(*start..end).unwrap_or_default();
        *start = end + 1;
        Some(line.trim_ascii())
    })
    .filter(|line| !line.is_empty())
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
    /// How much of the buffer are whole lines, and how many lines that are not empty.
    whole: (usize, usize),
    /// How much of the buffer behind them is known to hold no line end.
    searched: usize,
    /// What a store that ignores Range sends again.
    skip: u64,
    failures: usize,
    ended: bool,
    /// How many lines and bytes were given.
    given: (u64, u64),
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
    /// The next lines; `None` at the end.
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

    /// Finds one more whole line in the buffer, its end included; at the end of the file also one without.
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
        let longest = self.shopify.config().longest_line;
        if length.max(self.searched) > longest {
            let (given, _) = self.given;
            return Err(ShopifyError::MalformedLine {
                line: given + u64::try_from(lines).unwrap_or_default() + 1,
                reason: format!("it is longer than {longest} bytes"),
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

    /// Takes the whole lines out of the buffer.
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

    /// How many bytes there are of whole lines.
    fn received(&self) -> u64 {
        let (_, given) = self.given;
        given + u64::try_from(self.whole.0).unwrap_or_default()
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
        self.buffer.truncate(self.whole.0);
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
            shop.domain = %self.domain, bytes = self.received(), %error,
            "taking up a bulk result again"
        );
        tokio::time::sleep(pause).await;
        Ok(())
    }

    async fn connect(&mut self) -> Result<(), ShopifyError> {
        let from = self.received();
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
