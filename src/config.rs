//! Every setting, read once: a flag, an environment variable, or a line of `.env`.
//!
//! `Settings` is what the operator wrote, and `xboard --help` is its reference. `Config` is what it
//! means: parsed, checked and complete, so that no other module reads the environment or checks a setting
//! again. Secrets are checked here and not by clap, because clap's errors repeat the value they refuse.

mod error;
mod kept;
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

/// How many bytes a signing secret has at least (HS256 hashes to 32).
const JWT_SECRET_BYTES: usize = 32;

/// The bcrypt cost below which a release build warns: cheaper hashes are for tests.
const LOWEST_SAFE_BCRYPT_COST: u32 = 10;

/// The settings as the operator wrote them. Give secrets by the environment or `.env`: flags show in `ps`.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Settings")]
pub struct Settings {
    /// PostgreSQL 15 or newer, as `postgres://user:password@host/database` [default: a private server]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "URL")]
    pub database_url: Option<SecretString>,

    /// Signs access tokens, at least 32 bytes (`openssl rand -base64 32`) [default: made and kept in the data directory, without `DATABASE_URL`]
    #[arg(
        long,
        env,
        hide_env_values = true,
        global = true,
        value_name = "SECRET"
    )]
    pub jwt_secret: Option<SecretString>,

    /// Encrypts Shopify access tokens: base64 of 32 bytes (`openssl rand -base64 32`), or several as `ID:BASE64,ID:BASE64`
    /// to rotate, of which the first encrypts [default: made and kept in the data directory, without `DATABASE_URL`]
    #[arg(long, env, hide_env_values = true, global = true, value_name = "KEYS")]
    pub encryption_key: Option<SecretString>,

    /// The port to listen on
    #[arg(long, env, global = true, default_value_t = 3001)]
    pub port: u16,

    /// The address to listen on; 0.0.0.0 for every interface
    #[arg(
        long,
        env,
        global = true,
        default_value = "127.0.0.1",
        value_name = "ADDRESS"
    )]
    pub host: IpAddr,

    /// Where Shopify reaches this server; without it webhooks are not registered and polling does the work
    #[arg(long, env, global = true, value_name = "URL")]
    pub public_url: Option<String>,

    /// The origins whose pages may call the API, separated by commas, or *
    #[arg(long, env, global = true, value_name = "ORIGINS")]
    pub cors_origins: Option<String>,

    /// Whether a reverse proxy in front says who the client is, in `X-Forwarded-For`. Only when every request comes through it
    #[arg(long, env, global = true, value_enum, default_value_t = Switch::Off)]
    pub trust_proxy: Switch,

    /// The version of Shopify's Admin API to ask for
    #[arg(
        long,
        env,
        global = true,
        default_value = "2026-10",
        value_name = "YYYY-MM"
    )]
    pub shopify_api_version: String,

    /// The client id of an app of your own that merchants install at `PUBLIC_URL/oauth/install`; with `SHOPIFY_API_SECRET`
    #[arg(long, env, global = true, value_name = "ID")]
    pub shopify_api_key: Option<String>,

    /// The client secret of that app
    #[arg(
        long,
        env,
        hide_env_values = true,
        global = true,
        value_name = "SECRET"
    )]
    pub shopify_api_secret: Option<SecretString>,

    /// The access scopes that merchants are asked for
    #[arg(
        long,
        env,
        global = true,
        default_value = "read_orders,read_customers,read_products",
        value_name = "SCOPES"
    )]
    pub shopify_scopes: String,

    /// For tests and demos: stands for `https://{domain}`; `{shop}` is the first label of the shop's domain
    #[arg(long, env, global = true, value_name = "URL")]
    pub shopify_base_url: Option<String>,

    /// Seconds between two polls of a store; 0 turns polling off
    #[arg(
        long,
        env,
        global = true,
        default_value_t = 300,
        value_name = "SECONDS"
    )]
    pub sync_interval_seconds: u64,

    /// How many days the entries of a store's audit log are kept
    #[arg(long, env, global = true, default_value_t = 365, value_name = "DAYS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub xboard_audit_days: u32,

    /// The cost of a password hash: each step doubles the time
    #[arg(long, env, global = true, default_value_t = 12, value_name = "4-31")]
    #[arg(value_parser = clap::value_parser!(u32).range(4..=31))]
    pub bcrypt_cost: u32,

    /// Whether clients may read the schema, errors suggest its names, and GraphiQL is served: off in production
    #[arg(long, env, global = true, value_enum, default_value_t = Switch::On)]
    pub xboard_introspection: Switch,

    /// Where the private PostgreSQL and the kept secrets live [default: /var/lib/xboard for root, else ~/.local/share/xboard]
    #[arg(long, env, global = true, value_name = "DIRECTORY")]
    pub xboard_data_dir: Option<PathBuf>,

    /// The directory of the postgres program to use [default: the newest installed, 15 or later]
    #[arg(long, env, global = true, value_name = "DIRECTORY")]
    pub xboard_pg_bin: Option<PathBuf>,

    /// What to log, as tracing directives: info, or warn,xboard=debug [default: info]
    #[arg(long, env, global = true, value_name = "FILTER")]
    pub rust_log: Option<String>,

    /// How log lines look
    #[arg(long, env, global = true, value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,

    /// What clients may ask for.
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

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for collectors.
    Json,
}

/// Where the data lives.
#[derive(Debug, Clone)]
pub enum Database {
    /// A PostgreSQL that someone else runs.
    External(SecretString),
    /// A private PostgreSQL ([`embedded_postgres`]).
    Private {
        /// The directory that holds it.
        data_dir: PathBuf,
        /// The directory of the `postgres` program, when the operator names one.
        bin: Option<PathBuf>,
    },
}

/// The pages that may call the API from a browser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsOrigins {
    /// Every page. Harmless here: the API knows bearer tokens, never cookies.
    Any,
    /// These, as the browser sends them. An empty list allows only our own pages.
    Only(Vec<HeaderValue>),
}

/// An app that merchants install.
#[derive(Debug, Clone)]
pub struct AppSettings {
    /// Its client id.
    pub client_id: String,
    /// Its client secret.
    pub client_secret: SecretString,
    /// The scopes to ask for, separated by commas.
    pub scopes: String,
}

/// The settings, understood: what the program runs by.
#[derive(Debug)]
pub struct Config {
    /// Where the data lives.
    pub database: Database,
    /// Signs access tokens.
    pub jwt_secret: SecretString,
    /// Encrypt what must not be read from a stolen database.
    pub encryption_keys: EncryptionKeys,
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where Shopify reaches this server: no slash at the end.
    pub public_url: Option<String>,
    /// The pages that may call the API.
    pub cors_origins: CorsOrigins,
    /// Whether `X-Forwarded-For` names the client.
    pub trust_proxy: bool,
    /// The version of Shopify's Admin API to ask for.
    pub shopify_api_version: String,
    /// Stands for `https://{domain}`, with `{shop}` for the shop's first label: no slash at the end.
    pub shopify_base_url: Option<String>,
    /// The operator's own app, which merchants install.
    pub app: Option<AppSettings>,
    /// The time between two polls of a store; none: no polling.
    pub sync_interval: Option<Duration>,
    /// How many days the entries of an audit log are kept.
    pub audit_days: u32,
    /// The cost of a password hash.
    pub bcrypt_cost: u32,
    /// Whether clients may read the schema.
    pub introspection: bool,
    /// What clients may ask for.
    pub limits: LimitSettings,
}

/// Reads `.env` in the working directory into the environment; what is set already wins.
///
/// Call it first in `main`, before any thread is started: the environment belongs to the whole process.
pub fn load_dot_env() -> Result<(), SettingsError> {
    match dotenvy::from_path(".env") {
        Ok(()) => Ok(()),
        Err(dotenvy::Error::Io(error)) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        // A parse error repeats the whole line, which may hold a secret: name only the setting.
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
    /// What the settings mean. Makes and keeps the secrets that are missing, when it may.
    pub fn resolve(&self) -> Result<Config, SettingsError> {
        let database = self.database()?;
        let (jwt_secret, encryption_keys) = self.secrets(&database)?;
        if self.bcrypt_cost < LOWEST_SAFE_BCRYPT_COST && cfg!(not(debug_assertions)) {
            tracing::warn!(
                bcrypt.cost = self.bcrypt_cost,
                "BCRYPT_COST is low: only fit for tests"
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

    /// Where the data lives; for commands that need nothing else.
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

    /// Keeps what belongs to a demo apart from real stores.
    #[cfg(feature = "demo")]
    pub(crate) fn use_data_subdirectory(&mut self, name: &str) -> Result<(), SettingsError> {
        self.xboard_data_dir = Some(self.data_dir()?.join(name));
        Ok(())
    }

    /// The directory of the `postgres` program, when the operator names one.
    pub fn postgres_bin(&self) -> Option<&Path> {
        self.xboard_pg_bin
            .as_deref()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// The operator's own app, when merchants can install one.
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

    /// The two secrets: the operator's, or kept ones when the database is our own.
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
                jwt_secret.map_or_else(|| kept::secret(data_dir, "JWT_SECRET"), Ok)?,
                encryption_key.map_or_else(|| kept::secret(data_dir, "ENCRYPTION_KEY"), Ok)?,
            ),
        };
        let bytes = jwt_secret.expose_secret().len();
        if bytes < JWT_SECRET_BYTES {
            return Err(SettingsError::JwtSecretTooShort(bytes));
        }
        let keys = EncryptionKeys::parse(encryption_key.expose_secret())?;
        Ok((jwt_secret, keys))
    }

    /// The data directory: absolute, so that a later change of directory cannot move it.
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

/// The data directory of a user, by the XDG rules.
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

/// An empty setting is an unset one: compose files pass `${NAME:-}` on.
fn filled(secret: Option<&SecretString>) -> Option<&SecretString> {
    secret.filter(|secret| !secret.expose_secret().trim().is_empty())
}
