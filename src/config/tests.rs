//! The rules of the settings.

use std::os::unix::fs::PermissionsExt as _;

use clap::Parser;

use super::*;

const KEY: &str = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";

#[derive(Parser)]
struct Cli {
    #[command(flatten)]
    settings: Settings,
}

/// Settings that own nothing of the environment the tests run in.
fn settings(data_dir: &Path) -> Settings {
    let mut settings = Cli::parse_from(["xboard"]).settings;
    settings.database_url = None;
    settings.jwt_secret = None;
    settings.encryption_key = None;
    settings.public_url = None;
    settings.cors_origins = None;
    settings.xboard_data_dir = Some(data_dir.to_path_buf());
    settings
}

fn secret(text: &str) -> SecretString {
    SecretString::from(text)
}

#[test]
fn with_a_database_the_missing_secrets_are_named_and_none_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings(directory.path());
    settings.database_url = Some(secret("postgres://user:hidden@host/xboard"));
    // Compose files pass an unset variable on as an empty one.
    settings.encryption_key = Some(secret(""));
    let error = settings.resolve().unwrap_err();
    assert!(
        error.to_string().contains("JWT_SECRET, ENCRYPTION_KEY"),
        "{error}"
    );
    assert!(
        error.to_string().contains("openssl rand -base64 32"),
        "{error}"
    );
    settings.jwt_secret = Some(secret(KEY));
    let error = settings.resolve().unwrap_err();
    assert!(matches!(error, SettingsError::Missing(names) if names == ["ENCRYPTION_KEY"]));
    assert_eq!(directory.path().read_dir().unwrap().count(), 0);
}

#[test]
fn without_a_database_the_secrets_are_made_once_and_only_the_owner_reads_them() {
    let directory = tempfile::tempdir().unwrap();
    let data_dir = directory.path().join("new");
    let settings = settings(&data_dir);
    let first = settings.resolve().unwrap();
    let second = settings.resolve().unwrap();
    assert_eq!(
        first.jwt_secret.expose_secret(),
        second.jwt_secret.expose_secret()
    );
    assert_ne!(first.jwt_secret.expose_secret().as_bytes(), key_of(&first));
    assert_eq!(key_of(&first), key_of(&second));
    let mut names: Vec<_> = data_dir
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap())
        .collect();
    names.sort_by_key(std::fs::DirEntry::file_name);
    let names: Vec<_> = names
        .iter()
        .map(|entry| {
            (
                entry.file_name(),
                entry.metadata().unwrap().permissions().mode() & 0o777,
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            ("encryption_key".into(), 0o600),
            ("jwt_secret".into(), 0o600)
        ]
    );
}

fn key_of(config: &Config) -> &[u8] {
    config.encryption_keys.current().bytes.expose_secret()
}

#[test]
fn nothing_that_is_printed_shows_a_secret() {
    let directory = tempfile::tempdir().unwrap();
    let mut settings = settings(directory.path());
    settings.database_url = Some(secret("postgres://user:hidden@host/xboard"));
    settings.jwt_secret = Some(secret("hidden-0123456789-0123456789-0123456789"));
    settings.encryption_key = Some(secret(KEY));
    let shown = format!("{settings:?} {:?}", settings.resolve().unwrap());
    settings.jwt_secret = Some(secret("hidden"));
    let shown = format!("{shown} {}", settings.resolve().unwrap_err());
    settings.database_url = Some(secret("mysql://user:hidden@host/xboard"));
    let shown = format!("{shown} {}", settings.resolve().unwrap_err());
    assert!(
        !shown.contains("hidden") && !shown.contains("MDEy") && !shown.contains("48, 49"),
        "{shown}"
    );
}

#[test]
fn several_keys_are_told_apart_by_their_ids() {
    let other = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVowMTIzNDU";
    let keys = EncryptionKeys::parse(&format!("2:{other}, 1:{KEY}")).unwrap();
    assert_eq!(keys.current().id, 2);
    assert_eq!(
        keys.find(1).unwrap().bytes.expose_secret(),
        b"01234567890123456789012345678901"
    );
    assert!(keys.find(3).is_none());
    assert_eq!(EncryptionKeys::parse(KEY).unwrap().current().id, 1);
    for wrong in [
        "",
        "c2hvcnQ=",
        "not base64",
        "1:",
        &format!("{KEY},{KEY}"),
        &format!("256:{KEY}"),
    ] {
        assert!(EncryptionKeys::parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn addresses_and_origins_are_checked_and_made_uniform() {
    assert_eq!(base_url("PUBLIC_URL", Some(" ")).unwrap(), None);
    assert_eq!(
        base_url("PUBLIC_URL", Some("https://xboard.example.com/"))
            .unwrap()
            .as_deref(),
        Some("https://xboard.example.com")
    );
    assert_eq!(
        base_url(
            "SHOPIFY_BASE_URL",
            Some("http://127.0.0.1:4010/shops/{shop}")
        )
        .unwrap()
        .as_deref(),
        Some("http://127.0.0.1:4010/shops/{shop}")
    );
    assert!(base_url("PUBLIC_URL", Some("xboard.example.com")).is_err());
    assert_eq!(cors_origins("*").unwrap(), CorsOrigins::Any);
    assert_eq!(cors_origins("").unwrap(), CorsOrigins::Only(vec![]));
    assert_eq!(
        cors_origins("https://a.example.com, http://localhost:5173").unwrap(),
        CorsOrigins::Only(vec![
            HeaderValue::from_static("https://a.example.com"),
            HeaderValue::from_static("http://localhost:5173"),
        ])
    );
    for wrong in [
        "https://a.example.com/",
        "https://A.example.com",
        "a.example.com",
        "null",
    ] {
        assert!(cors_origins(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_version_of_the_api_is_a_quarter() {
    assert!(api_version("2026-10").is_ok() && api_version("unstable").is_ok());
    for wrong in ["2026-11", "26-10", "latest", "", "2026-10/../.."] {
        assert!(api_version(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn bcrypt_costs_outside_the_algorithm_are_refused() {
    let cost = |cost| {
        Cli::try_parse_from(["xboard", "--bcrypt-cost", cost]).map(|cli| cli.settings.bcrypt_cost)
    };
    assert_eq!(cost("4").unwrap(), 4);
    assert!(cost("3").is_err() && cost("32").is_err());
}
