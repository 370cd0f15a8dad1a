//! A body of which most was compressed before. A gzip stream is a row of blocks; the part that stays the same is
//! compressed once, up to a byte's edge, and what differs each time follows it as a block that is not
//! compressed at all.

use std::io;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// The header of a gzip stream: no name, no time, any system (RFC 1952).
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// The most bytes that a block without compression holds.
const LARGEST_BLOCK: usize = 0xffff;
/// What the header, the last block's own bytes and the end take.
const AROUND: usize = 10 + 5 + 8;

/// The part that stays the same, compressed.
#[derive(Debug)]
pub(super) struct Beginning {
    compressed: Vec<u8>,
    crc: Crc,
}

impl Beginning {
    /// Compresses the beginning of a body.
    pub(super) fn new(bytes: &[u8]) -> io::Result<Self> {
        let mut compressed = Vec::with_capacity(bytes.len() / 4 + 64);
        let mut compress = Compress::new(Compression::default(), false);
        let mut rest = bytes;
        loop {
            let before = compress.total_in();
            let status = compress.compress_vec(rest, &mut compressed, FlushCompress::Sync)?;
            let read = usize::try_from(compress.total_in() - before).unwrap_or(rest.len());
            rest = rest.get(read..).unwrap_or_default();
            // Room left over says that everything is out.
            if status == Status::Ok && rest.is_empty() && compressed.len() < compressed.capacity() {
                break;
            }
            compressed.reserve(bytes.len() / 4 + 64);
        }
        let mut crc = Crc::new();
        crc.update(bytes);
        Ok(Self { compressed, crc })
    }

    /// How many bytes it takes.
    pub(super) const fn len(&self) -> usize {
        self.compressed.len()
    }

    /// The whole body, with this behind the beginning; `None` if that is too long for one block.
    pub(super) fn with_end(&self, end: &[u8]) -> Option<Vec<u8>> {
        if end.len() > LARGEST_BLOCK {
            return None;
        }
        let length = u16::try_from(end.len()).ok()?;
        let mut crc = Crc::new();
        crc.update(end);
        let mut whole = Crc::new();
        whole.combine(&self.crc);
        whole.combine(&crc);
        let mut stream = Vec::with_capacity(self.compressed.len() + end.len() + AROUND);
        stream.extend_from_slice(&HEADER);
        stream.extend_from_slice(&self.compressed);
        // The last block, not compressed: its length, and its length again with all bits turned.
        stream.push(1);
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(end);
        stream.extend_from_slice(&whole.sum().to_le_bytes());
        stream.extend_from_slice(&whole.amount().to_le_bytes());
        Some(stream)
    }
}

/// Whether the client takes gzip.
pub(super) fn is_accepted(headers: &HeaderMap) -> bool {
    headers
        .get_all(ACCEPT_ENCODING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .any(|wish| {
            let mut parts = wish.split(';').map(str::trim);
            let is_gzip = parts
                .next()
                .is_some_and(|coding| coding.eq_ignore_ascii_case("gzip"));
            is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
        })
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use axum::http::HeaderValue;
    use flate2::read::GzDecoder;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_put_together_is_read_as_one(
            beginning in prop::collection::vec(any::<u8>(), 0..5_000),
            repeated in 0_usize..40,
            end in prop::collection::vec(any::<u8>(), 0..500),
        ) {
            let beginning = beginning.repeat(repeated);
            let stream = Beginning::new(&beginning).unwrap().with_end(&end).unwrap();
            let mut decoder = GzDecoder::new(stream.as_slice());
            let mut read = Vec::new();
            decoder.read_to_end(&mut read).unwrap();
            prop_assert_eq!(read, [beginning, end].concat());
            prop_assert!(decoder.into_inner().is_empty());
        }
    }

    #[test]
    fn a_client_says_that_it_takes_gzip() {
        for (wish, accepted) in [
            ("gzip", true),
            ("br;q=1.0, GZip;q=0.8, *;q=0.1", true),
            ("gzip;q=0", false),
            ("deflate, br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(wish));
            assert_eq!(is_accepted(&headers), accepted, "{wish}");
        }
        assert!(!is_accepted(&HeaderMap::new()));
    }
}
