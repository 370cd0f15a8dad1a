//! Fuzzing of every parser that reads untrusted input: random changes to a corpus in
//! `tests/corpus`. A parser must return and never panic.
//!
//! Every test run tries the corpus and some thousands of changes. `./run fuzz [TARGET] [SECONDS]`
//! runs one target after another for longer. An input that makes a target panic is written to
//! `target/fuzz`. Inputs in the corpus are tried by every later test run.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// A parser of untrusted bytes, with its name.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All targets. The name is also that of the corpus.
fn targets() -> Vec<Target> {
    [
        crate::http::fuzz::TARGETS,
        crate::graphql::fuzz::TARGETS,
        crate::sync::fuzz::TARGETS,
        crate::shopify::fuzz::TARGETS,
        &[
            ("access_token", access_token),
            ("refresh_token", refresh_token),
            ("one_time", one_time),
            ("names", names),
            ("range", range),
        ],
    ]
    .concat()
}

fn access_token(bytes: &[u8]) {
    use crate::auth::tokens::AccessTokens;
    use crate::domain::clock::Clock;
    let secret = secrecy::SecretString::from("a signing secret of at least 32 bytes");
    let tokens = AccessTokens::new(&secret, Clock::System);
    let verified = tokens.verify(&String::from_utf8_lossy(bytes));
    assert!(verified.is_err(), "a made-up token was accepted");
}

fn refresh_token(bytes: &[u8]) {
    use crate::auth::tokens::RefreshToken;
    if let Ok(token) = RefreshToken::parse(&String::from_utf8_lossy(bytes)) {
        assert_eq!(token.hash().len(), 32);
    }
}

/// Single-use tokens: of invitations, password resets and installations.
fn one_time(bytes: &[u8]) {
    use crate::auth::single_use_token::{Purpose, SingleUseToken};
    let text = String::from_utf8_lossy(bytes);
    let purposes = [
        Purpose::Invitation,
        Purpose::PasswordReset,
        Purpose::InstallState,
        Purpose::InstallBrowser,
        Purpose::InstallClaim,
    ];
    let read = purposes.map(|purpose| SingleUseToken::parse(purpose, &text));
    let read: Vec<_> = read.into_iter().flatten().collect();
    assert!(read.len() < 2, "a token was valid for two purposes");
    assert!(read.iter().all(|token| token.hash().len() == 32));
}

fn names(bytes: &[u8]) {
    use crate::domain::email::Email;
    use crate::domain::money::Currency;
    use crate::domain::shop::ShopDomain;
    let text = String::from_utf8_lossy(bytes);
    if let Ok(email) = Email::parse(&text) {
        assert_eq!(Email::parse(email.as_str()).as_ref(), Ok(&email));
    }
    if let Ok(domain) = ShopDomain::parse(&text) {
        assert!(domain.as_str().ends_with(".myshopify.com"), "{domain}");
        assert!(
            !domain.as_str().contains(['/', '@', ':', '?', '#', '\\']),
            "{domain}"
        );
    }
    drop(Currency::parse(&text));
}

fn range(bytes: &[u8]) {
    use crate::domain::calendar::{CalendarInterval, DayRange};
    use chrono::NaiveDate;
    let text = String::from_utf8_lossy(bytes);
    let mut days = text.split_whitespace();
    let mut day = || days.next()?.parse::<NaiveDate>().ok();
    let (Some(from), Some(to)) = (day(), day()) else {
        return;
    };
    if let Ok(range) = DayRange::new(from, to) {
        let interval = CalendarInterval::shortest_for(range);
        assert!(range.days() > 0);
        assert!(
            range
                .cut(interval)
                .take(2_000)
                .all(|first| first <= range.to())
        );
    }
}

/// Changes bytes at random. The same seed gives the same changes.
struct Mutator(u64);

impl Mutator {
    const WORDS: [&'static [u8]; 24] = [
        b"\0",
        b"\"",
        b"\\u0000",
        b"\\ud800",
        b"{",
        b"}",
        b"[",
        b"null",
        b"-1",
        b"1e309",
        b"9223372036854775808",
        b"0.1e-400",
        b"\xff\xfe",
        "\u{202e}".as_bytes(),
        b"gid://shopify/Order/",
        b"__typename",
        b"...",
        b"\"\"\"",
        b"#",
        b"$",
        b"=",
        b".",
        b"2026-02-29",
        b"Bearer ",
    ];

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let bound = u64::try_from(bound.max(1)).unwrap();
        usize::try_from((self.0 >> 11) % bound).unwrap()
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// One of the inputs after a few changes.
    fn next(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(6) {
            self.change(&mut input, corpus);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(input.len() + 1);
        let end = (at + self.below(16)).min(input.len());
        match self.below(8) {
            0 if at < input.len() => input[at] ^= 1 << self.below(8),
            1 if at < input.len() => input[at] = self.byte(),
            2 => drop(input.drain(at..end)),
            3 => {
                let word = Self::WORDS[self.below(Self::WORDS.len())];
                drop(input.splice(at..at, word.iter().copied()));
            }
            4 => {
                let copied = input[at..end].to_vec();
                let times = 1 + self.below(40);
                drop(input.splice(at..at, copied.repeat(times)));
            }
            5 => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
            6 => input.truncate(at),
            _ => input.insert(at, self.byte()),
        }
        input.truncate(64 * 1024);
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/corpus")
        .join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&directory)
        .unwrap_or_else(|error| panic!("{}: {error}", directory.display()))
        .map(|file| file.unwrap().path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{name} has no corpus");
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// Tries an input. If the target panics, the input is written to a file.
fn attempt((name, target): Target, input: &[u8]) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/fuzz");
        fs::create_dir_all(&directory).unwrap();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, input);
        let mark = URL_SAFE_NO_PAD.encode(&digest.as_ref()[..6]);
        let file = directory.join(format!("{name}-{mark}"));
        fs::write(&file, input).unwrap();
        panic!("{name} panicked; the input is in {}", file.display());
    }
}

#[test]
fn the_corpus_and_changes_of_it_make_nothing_panic() {
    for target in targets() {
        let corpus = corpus(target.0);
        for input in &corpus {
            attempt(target, input);
        }
        let mut mutator = Mutator(20_261_125);
        for _ in 0..1_000 {
            attempt(target, &mutator.next(&corpus));
        }
    }
}

/// `./run fuzz [TARGET] [SECONDS]`
#[test]
#[ignore = "runs for as long as requested"]
#[expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command for developers, implemented as a test"
)]
fn for_as_long_as_it_is_told_to() {
    let only = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let seconds = std::env::var("FUZZ_SECONDS").map_or(600, |text| text.parse().unwrap());
    let seed = std::env::var("FUZZ_SEED").map_or(7, |text| text.parse().unwrap());
    let mut tried = 0;
    for target in targets() {
        if !only.is_empty() && only != target.0 {
            continue;
        }
        tried += 1;
        let corpus = corpus(target.0);
        let mut mutator = Mutator(seed);
        let (began, mut number) = (Instant::now(), 0_u64);
        while began.elapsed() < Duration::from_secs(seconds) {
            for _ in 0..100 {
                attempt(target, &mutator.next(&corpus));
                number += 1;
            }
        }
        println!(
            "{}: {number} inputs in {:?}, no panic",
            target.0,
            began.elapsed()
        );
    }
    assert!(tried > 0, "there is no target {only}");
}
