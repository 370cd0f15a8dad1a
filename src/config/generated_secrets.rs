//! Secrets that were made here because none were given, kept beside the private database they belong to.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::SecretString;

use super::SettingsError;

/// Reads the kept secret of this name, or makes 32 random bytes and keeps them.
pub(super) fn secret(data_dir: &Path, name: &'static str) -> Result<SecretString, SettingsError> {
    let path = data_dir.join(name.to_ascii_lowercase());
    read_or_make(data_dir, &path)
        .map(|text| SecretString::from(text.trim()))
        .map_err(|source| SettingsError::GeneratedSecret { name, path, source })
}

fn read_or_make(data_dir: &Path, path: &Path) -> io::Result<String> {
    match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read,
    }
    embedded_postgres::create_data_dir(data_dir)?;
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| io::Error::other("no random numbers"))?;
    // Written aside and linked into place: a crash leaves no half secret, and of two programs that start
    // together the second reads what the first made.
    let aside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&aside)?;
    writeln!(file, "{}", STANDARD.encode(bytes))?;
    file.sync_all()?;
    let linked = fs::hard_link(&aside, path);
    fs::remove_file(&aside)?;
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => fs::read_to_string(path),
    }
}
