//! One shop: its store, its apps, its clock, and what goes wrong in it.

mod apps;
mod control;
mod faults;
mod installs;
mod settings;
mod statistics;
mod throttle;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

pub(crate) use apps::{App, Grant};
pub use control::{AccessChange, Sizes};
pub use faults::{Fault, FaultRate, FaultScript};
pub(crate) use installs::GivenPair;
pub use settings::{ALL_SCOPES, ShopSettings};
pub use statistics::Statistics;
use throttle::Bucket;

use crate::amount::Percent;
use crate::bulk::{BulkBook, BulkFault, BulkPlan, BulkRecord, BulkScript, Payload};
use crate::clock::{Clock, Moment};
use crate::graphql::{Access, ShopFacts, View};
use crate::store::Store;
use crate::webhooks::{Subscription, WebhookBook};

/// What of a shop changes under one lock.
#[derive(Debug)]
struct Inner {
    facts: ShopFacts,
    tax: Percent,
    taxes_included: bool,
    apps: Vec<App>,
    clock: Clock,
    index_lag: Duration,
    latency: Duration,
    bulk_created: Duration,
    bulk_running: Duration,
    faults: faults::FaultBook,
    bulk_scripts: Vec<BulkScript>,
    statistics: Statistics,
    /// The HTTP status that every request gets, while the shop is frozen, locked or gone.
    closed: Option<u16>,
    served_version: Option<String>,
    base_url: String,
}

/// One shop.
#[derive(Debug)]
pub struct Shop {
    label: String,
    inner: Mutex<Inner>,
    store: RwLock<Arc<Store>>,
    bulk: Mutex<BulkBook>,
    webhooks: Arc<Mutex<WebhookBook>>,
}

/// What a request or a bulk operation sees: nothing in it changes any more.
pub(crate) struct Snapshot {
    store: Arc<Store>,
    facts: ShopFacts,
    access: Access,
    now: Moment,
    bulk: Vec<BulkRecord>,
    subscriptions: Vec<Subscription>,
}

impl Snapshot {
    pub(crate) fn view<'a>(&'a self, payloads: &'a [(String, Payload)]) -> View<'a> {
        View {
            store: &self.store,
            facts: &self.facts,
            access: &self.access,
            now: self.now,
            bulk: &self.bulk,
            subscriptions: &self.subscriptions,
            payloads,
            explain_searches: false,
            searches: std::cell::RefCell::default(),
        }
    }

    /// The same with what an issued token may read.
    pub(crate) fn with_access(self, access: Access) -> Self {
        Self { access, ..self }
    }
}

/// A shop's number from its label, so that it is the same in every run.
fn shop_id(label: &str) -> u64 {
    let hash = label.bytes().fold(5381_u64, |hash, byte| {
        hash.wrapping_mul(33).wrapping_add(u64::from(byte)) % 10_000_000_000
    });
    60_000_000_000 + hash
}

impl Shop {
    pub(crate) fn new(settings: ShopSettings, base_url: &str) -> Self {
        let access = Access {
            scopes: settings.scopes,
            personal_data_refused: settings.personal_data_refused,
        };
        let app = App::new(
            settings.client_id,
            settings.client_secret,
            settings.static_token,
            access,
            Bucket::new(settings.bucket_size, settings.restore_rate),
        );
        let facts = ShopFacts {
            id: settings.id.unwrap_or_else(|| shop_id(&settings.label)),
            name: settings.name,
            domain: format!("{}.myshopify.com", settings.label),
            currency: settings.currency,
            zone: settings.zone,
            zone_name: None,
        };
        Self {
            label: settings.label,
            inner: Mutex::new(Inner {
                facts,
                tax: settings.tax,
                taxes_included: settings.taxes_included,
                apps: vec![app],
                clock: settings.clock,
                index_lag: settings.index_lag,
                latency: settings.latency,
                bulk_created: settings.bulk_created,
                bulk_running: settings.bulk_running,
                faults: faults::FaultBook::default(),
                bulk_scripts: Vec::new(),
                statistics: Statistics::default(),
                closed: None,
                served_version: None,
                base_url: base_url.to_owned(),
            }),
            store: RwLock::default(),
            bulk: Mutex::default(),
            webhooks: Arc::default(),
        }
    }

    /// The first label of the shop's domain.
    pub fn label(&self) -> &str {
        &self.label
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the shop says of itself.
    pub(crate) fn facts(&self) -> ShopFacts {
        self.inner().facts.clone()
    }

    /// The tax of orders that name none, and whether prices include it.
    pub(crate) fn taxes(&self) -> (Percent, bool) {
        let inner = self.inner();
        (inner.tax, inner.taxes_included)
    }

    /// Now, and when the search index learns of what happens now.
    pub(crate) fn change_times(&self) -> (Moment, Moment) {
        let inner = self.inner();
        let now = inner.clock.now();
        (now, now.after(inner.index_lag))
    }

    /// The store as it is at this moment, whatever happens to it later.
    pub(crate) fn store(&self) -> Arc<Store> {
        let now = self.now();
        let settled = {
            let store = self.store.read().unwrap_or_else(PoisonError::into_inner);
            (!store.must_settle(now)).then(|| Arc::clone(&store))
        };
        settled.unwrap_or_else(|| {
            let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
            Arc::make_mut(&mut store).settle(now);
            Arc::clone(&store)
        })
    }

    /// Changes the store.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Store) -> R) -> R {
        let mut store = self.store.write().unwrap_or_else(PoisonError::into_inner);
        change(Arc::make_mut(&mut store))
    }

    /// What an app sees now.
    pub(crate) fn snapshot(&self, app: &str) -> Snapshot {
        let store = self.store();
        let bulk = self.with_bulk(|book| book.of(app));
        let subscriptions = self.with_webhooks(|book| book.of(app));
        let inner = self.inner();
        let access = inner.apps.iter().find(|one| one.client_id == app);
        Snapshot {
            store,
            facts: inner.facts.clone(),
            access: access.map(|app| app.access.clone()).unwrap_or_default(),
            now: inner.clock.now(),
            bulk,
            subscriptions,
        }
    }

    pub(crate) fn with_bulk<R>(&self, with: impl FnOnce(&mut BulkBook) -> R) -> R {
        with(&mut self.bulk.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn with_webhooks<R>(&self, with: impl FnOnce(&mut WebhookBook) -> R) -> R {
        with(&mut self.webhooks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn webhook_book(&self) -> Arc<Mutex<WebhookBook>> {
        Arc::clone(&self.webhooks)
    }

    /// What signs an app's deliveries.
    pub(crate) fn secret_of(&self, app: &str) -> String {
        let inner = self.inner();
        let app = inner.apps.iter().find(|one| one.client_id == app);
        app.map(|app| app.client_secret.clone()).unwrap_or_default()
    }

    /// How long a bulk operation stays CREATED and RUNNING.
    pub(crate) fn bulk_times(&self) -> (Duration, Duration) {
        let inner = self.inner();
        (inner.bulk_created, inner.bulk_running)
    }

    /// The address of an operation's file, signed for a while.
    pub(crate) fn bulk_url(&self, id: u64, expires: Moment) -> String {
        let expires = expires.millis() / 1000;
        let signature = signature(id, expires);
        let base = self.inner().base_url.clone();
        format!(
            "{base}/bulk/{}/{id}?GoogleAccessId=simulator&Expires={expires}&Signature={signature}\
             &response-content-type=application%2Fjsonl",
            self.label
        )
    }

    /// The fault that meets the next bulk operation on these roots.
    pub(crate) fn next_bulk_fault(&self, plan: &BulkPlan) -> Option<BulkFault> {
        let mut inner = self.inner();
        let matches = |script: &BulkScript| {
            script
                .root
                .as_deref()
                .is_none_or(|root| plan.roots.contains(&root))
        };
        let place = inner.bulk_scripts.iter().position(matches)?;
        let script = inner.bulk_scripts.get_mut(place)?;
        script.times = script.times.saturating_sub(1);
        let (fault, done) = (script.fault.clone(), script.times == 0);
        if done {
            inner.bulk_scripts.remove(place);
        }
        Some(fault)
    }

    /// The app of a token and what the token may read.
    pub(crate) fn authenticate(&self, token: &str) -> Option<(String, Access)> {
        let mut inner = self.inner();
        let now = inner.clock.now();
        let found = inner
            .apps
            .iter()
            .find_map(|app| Some((app.client_id.clone(), app.access_of(token, now)?)));
        if found.is_none() {
            inner.statistics.unauthorized += 1;
        }
        found
    }

    /// Gives out a token, or says why not.
    pub(crate) fn grant(&self, client_id: &str, secret: &str) -> Result<Grant, &'static str> {
        let mut inner = self.inner();
        let now = inner.clock.now();
        let app = inner.apps.iter_mut().find(|app| app.client_id == client_id);
        let app = app.ok_or("application_cannot_be_found")?;
        if app.client_secret != secret {
            return Err("invalid_client");
        }
        let grant = app.grant(now);
        inner.statistics.tokens_issued += 1;
        Ok(grant)
    }

    /// The code for a merchant who agreed to install the app, and the app's secret; none where the app or the
    /// address to go back to is not known.
    pub(crate) fn authorize(&self, client_id: &str, redirect: &str) -> Option<(String, String)> {
        let mut inner = self.inner();
        let now = inner.clock.now();
        let mut apps = inner.apps.iter_mut();
        let app = apps.find(|app| app.client_id == client_id)?;
        let code = app.authorize(redirect, now)?;
        Some((code, app.client_secret.clone()))
    }

    /// Trades a code or a refresh token for a pair, or says why not.
    pub(crate) fn trade(
        &self,
        client_id: &str,
        secret: &str,
        trade: impl FnOnce(&mut App, Moment) -> Option<GivenPair>,
    ) -> Result<GivenPair, &'static str> {
        let mut inner = self.inner();
        let now = inner.clock.now();
        let app = inner.apps.iter_mut().find(|app| app.client_id == client_id);
        let app = app.ok_or("application_cannot_be_found")?;
        if app.client_secret != secret {
            return Err("invalid_client");
        }
        let pair = trade(app, now).ok_or("invalid_request")?;
        inner.statistics.tokens_issued += 1;
        Ok(pair)
    }

    /// Runs something with an app's bucket.
    pub(crate) fn with_bucket<R>(
        &self,
        app: &str,
        with: impl FnOnce(&mut Bucket) -> R,
    ) -> Option<R> {
        let mut inner = self.inner();
        inner
            .apps
            .iter_mut()
            .find(|one| one.client_id == app)
            .map(|app| with(&mut app.bucket))
    }

    pub(crate) fn count(&self, count: impl FnOnce(&mut Statistics)) {
        count(&mut self.inner().statistics);
    }

    /// What meets a request before it is looked at: a fault, the state of the shop, the latency.
    pub(crate) fn meet(&self, operation: &str) -> Meeting {
        let mut inner = self.inner();
        inner.statistics.requests += 1;
        *inner
            .statistics
            .by_operation
            .entry(operation.to_owned())
            .or_default() += 1;
        let fault = inner.faults.next(operation);
        if fault.is_some() {
            inner.statistics.faults += 1;
        }
        Meeting {
            fault,
            closed: inner.closed,
            latency: inner.latency,
            served_version: inner.served_version.clone(),
        }
    }
}

/// What meets a request.
#[derive(Debug)]
pub(crate) struct Meeting {
    pub(crate) fault: Option<Fault>,
    pub(crate) closed: Option<u16>,
    pub(crate) latency: Duration,
    pub(crate) served_version: Option<String>,
}

/// Something that looks like a signature and fits one address only.
pub(crate) fn signature(id: u64, expires: i64) -> String {
    let seed = id ^ expires.unsigned_abs().rotate_left(17);
    let mut random = crate::random::Random::new(seed);
    format!("{:016x}{:016x}", random.next(), random.next())
}
