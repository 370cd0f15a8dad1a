//! The settings, read once from flags, environment variables and `.env`.
//!
//! `Settings` is what the operator wrote; `xboard --help` is its reference. `Config` is the parsed
//! and validated result, so that no other module reads the environment or validates a setting.
//! Secrets are validated here and not by clap, because clap's errors contain the rejected value.

mod error;
mod generated_secrets;
mod keys;
mod limits;
#[cfg(test)]
mod tests;
mod values;

pub use error::SettingsError;
pub use keys::{EncryptionKey, EncryptionKeys};
pub use limits::LimitSettings;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::HeaderValue;
use clap::{Args, ValueEnum};
use secrecy::{ExposeSecret, SecretString};

use values::{api_version, base_url, cors_origins};

/// The minimum length of a signing secret (HS256 hashes to 32 bytes).
const JWT_SECRET_BYTES: usize = 32;

/// Below this bcrypt cost, a release build warns. Cheaper hashes are for tests.
const LOWEST_SAFE_BCRYPT_COST: u32 = 10;

/// The settings as the operator wrote them. Secrets belong in the environment or in `.env`, because
/// `ps` shows flags.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// PostgreSQL 15 or newer, as `postgres://user:password@host/database` [default: a private server]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Secret that signs access tokens, at least 32 bytes (`openssl rand -base64 32`) [default:
    /// generated and stored in the data directory, without `DATABASE_URL`]
    #[arg(
        long,
        env,
        hide_env_values = true,
        global = true,
        value_name = "SECRET"
    )]
    pub jwt_secret: Option<SecretString>,

    /// Key that encrypts Shopify credentials: base64 of 32 bytes (`openssl rand -base64 32`). For
    /// rotation, several keys as `ID:BASE64,ID:BASE64`: the first encrypts, every key decrypts
    /// [default: generated and stored in the data directory, without `DATABASE_URL`]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "KEYS")]
    pub encryption_key: Option<SecretString>,

    /// Port to listen on
    #[arg(long, env, global = true, default_value_t = 3001)]
    pub port: u16,

    /// Address to listen on. Use 0.0.0.0 for all interfaces
    #[arg(
        long,
        env,
        global = true,
        default_value = "127.0.0.1",
        value_name = "ADDRESS"
    )]
    pub host: IpAddr,

    /// Public URL of this server. Shopify sends webhooks to it. Without it, changes arrive by
    /// polling only
    #[arg(long, env, global = true, value_name = "URL")]
    pub public_url: Option<String>,

    /// Origins whose pages may call the API, separated by commas, or * for all
    #[arg(long, env, global = true, value_name = "ORIGINS")]
    pub cors_origins: Option<String>,

    /// Take the client's address from `X-Forwarded-For`. Turn it on only if every request comes
    /// through a reverse proxy
    #[arg(long, env, global = true, value_enum, default_value_t = Switch::Off)]
    pub trust_proxy: Switch,

    /// Version of Shopify's Admin API
    #[arg(
        long,
        env,
        global = true,
        default_value = "2026-10",
        value_name = "YYYY-MM"
    )]
    pub shopify_api_version: String,

    /// Client id of your own app, which merchants install at `PUBLIC_URL/oauth/install`. Requires
    /// `SHOPIFY_API_SECRET`
    #[arg(long, env, global = true, value_name = "ID")]
    pub shopify_api_key: Option<String>,

    /// Client secret of your own app
    #[arg(
        long,
        env,
        hide_env_values = true,
        global = true,
        value_name = "SECRET"
    )]
    pub shopify_api_secret: Option<SecretString>,

    /// Access scopes that your own app requests from merchants
    #[arg(
        long,
        env,
        global = true,
        default_value = "read_orders,read_customers,read_products",
        value_name = "SCOPES"
    )]
    pub shopify_scopes: String,

    /// Base URL that replaces `https://{domain}` in tests and demos. `{shop}` stands for the first
    /// label of the shop's domain
    #[arg(long, env, global = true, value_name = "URL")]
    pub shopify_base_url: Option<String>,

    /// Seconds between two polls of a shop. 0 turns polling off
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 300,
        value_name = "SECONDS"
    )]
    pub sync_interval_seconds: u64,

    /// Days to keep the entries of audit logs
    #[arg(long, env, global = true, default_value_t = 365, value_name = "DAYS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub xboard_audit_days: u32,

    /// bcrypt cost of password hashes. Each step doubles the time
    #[arg(long, env, global = true, default_value_t = 12, value_name = "4-31")]
    #[arg(value_parser = clap::value_parser!(u32).range(4..=31))]
    pub bcrypt_cost: u32,

    /// Allow introspection, suggest names in errors and serve GraphiQL. Turn it off in production
    #[arg(long, env, global = true, value_enum, default_value_t = Switch::On)]
    pub xboard_introspection: Switch,

    /// Directory of the private PostgreSQL and the generated secrets [default: /var/lib/xboard for
    /// root, else ~/.local/share/xboard]
    #[arg(long, env, global = true, value_name = "DIRECTORY")]
    pub xboard_data_dir: Option<PathBuf>,

    /// Directory with the `postgres` program [default: the newest installed version, 15 or later]
    #[arg(long, env, global = true, value_name = "DIRECTORY")]
    pub xboard_pg_bin: Option<PathBuf>,

    /// Log filter as tracing directives: info, or warn,xboard=debug [default: info]
    #[arg(long, env, global = true, value_name = "FILTER")]
    pub rust_log: Option<String>,

    /// Format of the log
    #[arg(long, env, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// The limits of the API.
    #[command(flatten)]
    pub limits: LimitSettings,
}

/// A setting that is on or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// Log formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Human-readable lines.
    Text,
    /// One JSON object per line, for log collectors.
    Json,
}

/// The location of the database.
#[derive(Debug, Clone)]
pub enum Database {
    /// A PostgreSQL server of the operator.
    External(SecretString),
    /// A private PostgreSQL ([`embedded_postgres`]).
    Private {
        /// The directory of the server's data.
        data_dir: PathBuf,
        /// The directory with the `postgres` program, if the operator set it.
        bin: Option<PathBuf>,
    },
}

/// The origins whose pages may call the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every origin. Harmless, because the API accepts bearer tokens and no cookies.
    Any,
    /// These origins, in the format of the browser. An empty list allows only the server's own
    /// pages.
    Only(Vec<HeaderValue>),
}

/// The operator's own app, which merchants install.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// The client id.
    pub client_id: String,
    /// The client secret.
    pub client_secret: SecretString,
    /// The requested access scopes, separated by commas.
    pub scopes: String,
}

/// The validated settings.
#[derive(Debug)]
pub struct Config {
    /// The location of the database.
    pub database: Database,
    /// The secret that signs access tokens.
    pub jwt_secret: SecretString,
    /// The keys that encrypt credentials.
    pub encryption_keys: EncryptionKeys,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The public URL of this server, without a trailing slash.
    pub public_url: Option<String>,
    /// The origins whose pages may call the API.
    pub cors_origins: CorsOrigins,
    /// Whether to trust `X-Forwarded-For`.
    pub trust_proxy: bool,
    /// The version of Shopify's Admin API.
    pub shopify_api_version: String,
    /// Replaces `https://{domain}`, with `{shop}` for the first label of the domain. Without a
    /// trailing slash.
    pub shopify_base_url: Option<String>,
    /// The operator's own app, which merchants install.
    pub app: Option<AppSettings>,
    /// The time between two polls of a shop. `None` turns polling off.
    pub sync_interval: Option<Duration>,
    /// The retention of audit log entries in days.
    pub audit_days: u32,
    /// The bcrypt cost of password hashes.
    pub bcrypt_cost: u32,
    /// Whether to allow introspection.
    pub introspection: bool,
    /// The limits of the API.
    pub limits: LimitSettings,
}

/// Reads `.env` in the working directory into the environment. Variables that are already set take
/// precedence.
///
/// Call it first in `main`, before any thread is started, because the environment belongs to the
/// whole process.
pub fn load_dot_env() -> Result<(), SettingsError> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // A parse error contains the whole line, which may contain a secret, so only the name of
        // the setting is reported.
        Err(dotenvy::Error::LineParse(line, _)) => {
            let name = line
                .split_once('=')
                .map_or("without =", |(name, _)| name.trim());
            Err(SettingsError::DotEnv(format!(
                "the line {name} is not NAME=value"
            )))
        }
        Err(error) => Err(SettingsError::DotEnv(error.to_string())),
    }
}

impl Settings {
    /// Validates the settings. Generates and stores missing secrets if the database is private.
    pub fn resolve(&self) -> Result<Config, SettingsError> {
        let database = self.database()?;
        let (jwt_secret, encryption_keys) = self.secrets(&database)?;
        if self.bcrypt_cost < LOWEST_SAFE_BCRYPT_COST && cfg!(not(debug_assertions)) {
            tracing::warn!(
                bcrypt.cost = self.bcrypt_cost,
                "BCRYPT_COST is too low for production"
            );
        }
        Ok(Config {
            database,
            jwt_secret,
            encryption_keys,
            listen: SocketAddr::new(self.host, self.port),
            public_url: base_url("PUBLIC_URL", self.public_url.as_deref())?,
            cors_origins: cors_origins(self.cors_origins.as_deref().unwrap_or_default())?,
            trust_proxy: self.trust_proxy == Switch::On,
            shopify_api_version: api_version(&self.shopify_api_version)?,
            shopify_base_url: base_url("SHOPIFY_BASE_URL", self.shopify_base_url.as_deref())?,
            app: self.app()?,
            sync_interval: Some(self.sync_interval_seconds)
                .filter(|seconds| *seconds > 0)
                .map(Duration::from_secs),
            audit_days: self.xboard_audit_days,
            bcrypt_cost: self.bcrypt_cost,
            introspection: self.xboard_introspection == Switch::On,
            limits: self.limits.clone(),
        })
    }

    /// The location of the database, for commands that need no other setting.
    pub fn database(&self) -> Result<Database, SettingsError> {
        match filled(self.database_url.as_ref()) {
            Some(url) => {
                let text = url.expose_secret();
                if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
                    return Err(SettingsError::DatabaseUrl);
                }
                Ok(Database::External(url.clone()))
            }
            None => Ok(Database::Private {
                data_dir: self.data_dir()?,
                bin: self.postgres_bin().map(Path::to_path_buf),
            }),
        }
    }

    /// Separates the data of a demo from real data.
    #[cfg(feature = "demo")]
    pub(crate) fn use_data_subdirectory(&mut self, name: &str) -> Result<(), SettingsError> {
        self.xboard_data_dir = Some(self.data_dir()?.join(name));
        Ok(())
    }

    /// The directory with the `postgres` program, if the operator set it.
    pub fn postgres_bin(&self) -> Option<&Path> {
        self.xboard_pg_bin
            .as_deref()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// The operator's own app, if it is configured.
    fn app(&self) -> Result<Option<AppSettings>, SettingsError> {
        let id = self.shopify_api_key.as_deref().map(str::trim);
        let secret = filled(self.shopify_api_secret.as_ref());
        match (id.filter(|id| !id.is_empty()), secret) {
            (None, None) => Ok(None),
            (Some(id), Some(secret)) if self.public_url.is_some() => Ok(Some(AppSettings {
                client_id: id.to_owned(),
                client_secret: secret.clone(),
                scopes: self.shopify_scopes.clone(),
            })),
            _ => Err(SettingsError::App),
        }
    }

    /// The two secrets: the operator's, or generated ones if the database is private.
    fn secrets(
        &self,
        database: &Database,
    ) -> Result<(SecretString, EncryptionKeys), SettingsError> {
        let jwt_secret = filled(self.jwt_secret.as_ref()).cloned();
        let encryption_key = filled(self.encryption_key.as_ref()).cloned();
        let (jwt_secret, encryption_key) = match (database, jwt_secret, encryption_key) {
            (_, Some(jwt_secret), Some(encryption_key)) => (jwt_secret, encryption_key),
            (Database::External(_), jwt_secret, encryption_key) => {
                let missing = [
                    ("JWT_SECRET", jwt_secret.is_none()),
                    ("ENCRYPTION_KEY", encryption_key.is_none()),
                ];
                let names = missing.iter().filter(|(_, is_missing)| *is_missing);
                return Err(SettingsError::Missing(
                    names.map(|(name, _)| *name).collect(),
                ));
            }
            (Database::Private { data_dir, .. }, jwt_secret, encryption_key) => (
                jwt_secret.map_or_else(|| generated_secrets::secret(data_dir, "JWT_SECRET"), Ok)?,
                encryption_key
                    .map_or_else(|| generated_secrets::secret(data_dir, "ENCRYPTION_KEY"), Ok)?,
            ),
        };
        let bytes = jwt_secret.expose_secret().len();
        if bytes < JWT_SECRET_BYTES {
            return Err(SettingsError::JwtSecretTooShort(bytes));
        }
        let keys = EncryptionKeys::parse(encryption_key.expose_secret())?;
        Ok((jwt_secret, keys))
    }

    /// The data directory as an absolute path, so that it stays the same if the working directory
    /// changes.
    fn data_dir(&self) -> Result<PathBuf, SettingsError> {
        let chosen = self
            .xboard_data_dir
            .clone()
            .filter(|path| !path.as_os_str().is_empty());
        let directory = match chosen {
            Some(directory) => directory,
            None if embedded_postgres::is_root() => PathBuf::from("/var/lib/xboard"),
            None => home_data_dir().ok_or(SettingsError::NoDataDirectory)?,
        };
        std::path::absolute(&directory).map_err(|_| SettingsError::NoDataDirectory)
    }
}

/// The data directory of a user, as in the XDG specification.
fn home_data_dir() -> Option<PathBuf> {
    let directory = |name| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    directory("XDG_DATA_HOME")
        .or_else(|| directory("HOME").map(|home| home.join(".local/share")))
        .map(|share| share.join("xboard"))
}

/// An empty setting counts as unset, because compose files pass `${NAME:-}`.
fn filled(secret: Option<&SecretString>) -> Option<&SecretString> {
    secret.filter(|secret| !secret.expose_secret().trim().is_empty())
}
