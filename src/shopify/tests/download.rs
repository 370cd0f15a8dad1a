//! A bulk result arrives whole, whatever happens to the connection, and is never kept whole in memory.

use std::sync::{Arc, Mutex};

use rstest::rstest;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::super::{Download, DownloadStats, ShopifyConfig, ShopifyError};
use super::objects::{line, order, with};
use super::{config, store_at, store_with};

/// How the stand-in for the file's store answers one request.
#[derive(Clone)]
enum Answer {
    /// The file from the byte that was asked for; after so many bytes of it the connection is cut.
    Batch { cut_after: usize },
    /// The whole file, whatever was asked for.
    Whole,
    /// A bare status.
    Status(u16),
}

/// Serves a file over a bare socket, so that the connection can be cut. Gives its address and the request
/// heads that it met.
async fn serve(file: Vec<u8>, answers: Vec<Answer>) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let heads = Arc::new(Mutex::new(Vec::new()));
    let met = Arc::clone(&heads);
    #[expect(clippy::disallowed_methods, reason = "the stand-in ends with the test")]
    tokio::spawn(async move {
        for answer in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(socket.read_u8().await.unwrap());
            }
            let head = String::from_utf8(head).unwrap().to_ascii_lowercase();
            let from = head
                .split("range: bytes=")
                .nth(1)
                .and_then(|rest| rest.split('-').next()?.parse::<usize>().ok());
            met.lock().unwrap().push(head);
            socket
                .write_all(&written(&file, &answer, from))
                .await
                .unwrap();
            socket.shutdown().await.unwrap();
        }
    });
    (address, heads)
}

fn written(file: &[u8], answer: &Answer, from: Option<usize>) -> Vec<u8> {
    let (status, range, body, sent) = match (answer, from) {
        (Answer::Status(status), _) => (*status, String::new(), &[][..], 0),
        (Answer::Batch { cut_after }, Some(from)) if from < file.len() => {
            let (last, length) = (file.len() - 1, file.len());
            let range = format!("content-range: bytes {from}-{last}/{length}\r\n");
            (206, range, &file[from..], *cut_after)
        }
        (Answer::Batch { .. }, Some(_)) => (416, String::new(), &[][..], 0),
        (Answer::Batch { cut_after }, None) => (200, String::new(), file, *cut_after),
        (Answer::Whole, _) => (200, String::new(), file, file.len()),
    };
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n{range}connection: close\r\n\r\n"
    );
    [head.as_bytes(), &body[..sent.min(length)]].concat()
}

/// Three orders with a line each: six lines of one length or another.
fn file() -> Vec<u8> {
    let mut file = String::new();
    for id in 1..=3 {
        let parent = json!({ "__parentId": format!("gid://shopify/Order/{id}") });
        let lines: [Value; 2] = [order(id, "2026-01-05T00:00:00Z"), with(line(id), &parent)];
        for line in lines {
            file.push_str(&line.to_string());
            file.push('\n');
        }
    }
    file.into_bytes()
}

async fn read_all(mut download: Download) -> Result<(usize, DownloadStats), ShopifyError> {
    let mut records = 0;
    let mut downloaded = DownloadStats::default();
    while let Some(lines) = download.next_lines().await? {
        let (batch, read) = lines.read()?;
        records += batch.len();
        downloaded += read;
    }
    Ok((records, downloaded))
}

fn whole(bytes: usize) -> DownloadStats {
    DownloadStats {
        lines: 6,
        root_lines: 3,
        unknown_lines: 0,
        bytes: u64::try_from(bytes).unwrap(),
    }
}

#[tokio::test]
async fn a_result_is_read_in_batches_without_the_token() {
    let file = file();
    let length = file.len();
    let (address, heads) = serve(file, vec![Answer::Whole]).await;
    let config = ShopifyConfig {
        batch_lines: 4,
        ..config(&address)
    };
    let mut download = store_with(config)
        .download(&format!("{address}/result?sig=1"))
        .unwrap();
    let mut downloaded = DownloadStats::default();
    for count in [4, 2] {
        let lines = download.next_lines().await.unwrap().unwrap();
        let (records, read) = lines.read().unwrap();
        assert_eq!(records.len(), count);
        downloaded += read;
    }
    assert!(download.next_lines().await.unwrap().is_none());
    assert_eq!(downloaded, whole(length));
    let head = heads.lock().unwrap()[0].clone();
    assert!(head.starts_with("get /result?sig=1 "), "{head}");
    assert!(
        !head.contains("shpat") && !head.contains("x-shopify"),
        "{head}"
    );
    assert!(head.contains("accept-encoding: identity"), "{head}");
}

#[rstest]
#[case::at_any_byte(1)]
#[case::in_the_middle(700)]
#[tokio::test]
async fn a_cut_connection_is_taken_up_after_the_last_whole_line(#[case] step: usize) {
    let file = file();
    let length = file.len();
    for cut_after in (0..=length).step_by(step.max(97)) {
        let answers = vec![
            Answer::Batch { cut_after },
            Answer::Status(503),
            Answer::Batch { cut_after: length },
        ];
        let (address, heads) = serve(file.clone(), answers).await;
        let download = store_at(&address).download(&address).unwrap();
        assert_eq!(
            read_all(download).await,
            Ok((6, whole(length))),
            "cut after {cut_after}"
        );
        let whole_lines = file[..cut_after].iter().rposition(|byte| *byte == b'\n');
        if let Some(end) = whole_lines.filter(|_| cut_after < length) {
            let head = heads.lock().unwrap()[2].clone();
            assert!(
                head.contains(&format!("range: bytes={}-\r\n", end + 1)),
                "{head}"
            );
        }
    }
}

#[tokio::test]
async fn a_store_that_ignores_the_range_is_skipped_through() {
    let file = file();
    let length = file.len();
    let cut_after = length / 2;
    let (address, _) = serve(file, vec![Answer::Batch { cut_after }, Answer::Whole]).await;
    let download = store_at(&address).download(&address).unwrap();
    assert_eq!(read_all(download).await, Ok((6, whole(length))));
}

#[tokio::test]
async fn a_last_line_without_an_end_is_a_line() {
    let mut file = file();
    file.pop();
    let length = file.len();
    let (address, _) = serve(file, vec![Answer::Whole]).await;
    let download = store_at(&address).download(&address).unwrap();
    assert_eq!(read_all(download).await, Ok((6, whole(length))));
}

#[tokio::test]
async fn a_connection_that_is_cut_again_and_again_is_given_up() {
    let (address, _) = serve(file(), vec![Answer::Batch { cut_after: 10 }; 10]).await;
    let download = store_at(&address).download(&address).unwrap();
    assert_eq!(read_all(download).await, Err(ShopifyError::Interrupted));
}

#[rstest]
#[case(400)]
#[case(403)]
#[case(404)]
#[case(410)]
#[tokio::test]
async fn an_address_that_has_ended_is_told_apart(#[case] status: u16) {
    let (address, _) = serve(Vec::new(), vec![Answer::Status(status)]).await;
    let download = store_at(&address).download(&address).unwrap();
    assert_eq!(read_all(download).await, Err(ShopifyError::BulkUrlExpired));
}

#[tokio::test]
async fn a_line_longer_than_the_bound_is_an_error_and_not_kept() {
    let long = format!("{{\"id\":\"{}\"}}\n", "x".repeat(10_000));
    let (address, _) = serve(long.into_bytes(), vec![Answer::Whole]).await;
    let config = ShopifyConfig {
        max_line_bytes: 1000,
        ..config(&address)
    };
    let error = read_all(store_with(config).download(&address).unwrap())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1 of the bulk result cannot be parsed: the line is longer than 1000 bytes"
    );
}

#[tokio::test]
async fn a_malformed_line_is_named_by_its_number() {
    let mut file = file();
    file.extend_from_slice(b"\n{\"private\": tru\n");
    let (address, _) = serve(file, vec![Answer::Whole]).await;
    let error = read_all(store_at(&address).download(&address).unwrap())
        .await
        .unwrap_err();
    assert!(
        error.to_string().starts_with("line 7 of the bulk result"),
        "{error}"
    );
    assert!(!error.to_string().contains("private"), "{error}");
}

#[test]
fn only_the_stores_own_kind_of_address_is_followed() {
    let store = store_at("http://127.0.0.1:4010/shops/{shop}");
    assert!(store.download("http://127.0.0.1:4011/x").is_ok());
    assert!(store.download("https://storage.example/x").is_ok());
    for wrong in [
        "http://169.254.169.254/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "x",
    ] {
        assert_eq!(
            store.download(wrong).unwrap_err(),
            ShopifyError::BulkUrlRefused,
            "{wrong}"
        );
    }
    let config = ShopifyConfig::default();
    assert!(
        store_with(config)
            .download("http://tea.myshopify.com/x")
            .is_err()
    );
}
