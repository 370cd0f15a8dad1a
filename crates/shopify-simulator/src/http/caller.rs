//! One authenticated request: what it may spend, what it does, and the text of its answer.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::bulk::{BulkFault, Cancelled, Job, Payload, PayloadOf, UserError, check, start};
use crate::graphql::{self, Access, FieldName, Planned, Prepared, Request};
use crate::shop::{Fault, Shop};

/// The most points that one query may ask for.
const DEAREST: u32 = 1000;
/// The most bulk operations that an app may run in a shop.
const MAX_BULK: usize = 5;
/// The error for an app that subscribes to merged customers without the scope.
const NO_MERGES: &str = "You do not have permission to create or update webhooks with customers/merge topic. This topic requires one of the following scopes: read_customer_merge";

/// Who asks.
pub(crate) struct Caller {
    pub(crate) shop: Arc<Shop>,
    pub(crate) app: String,
    pub(crate) access: Access,
    pub(crate) explain: bool,
}

impl Caller {
    /// Answers a request: the JSON text of the whole body.
    pub(crate) fn run(&self, request: &Request, fault: Option<&Fault>) -> String {
        if fault == Some(&Fault::InternalServerError) {
            let id = "8f3c1d2e-4b5a-4c6d-9e7f-0a1b2c3d4e5f-1790000000";
            return json!({ "errors": [graphql::internal(id)] }).to_string();
        }
        let prepared = match graphql::prepare(request) {
            Ok(prepared) => prepared,
            Err(errors) => return json!({ "errors": errors }).to_string(),
        };
        let requested = prepared.requested_cost;
        if requested > DEAREST {
            let errors = [graphql::too_expensive(requested, DEAREST)];
            return json!({ "errors": errors }).to_string();
        }
        let denied = fault == Some(&Fault::Throttled);
        let (taken, report) = self
            .shop
            .with_bucket(&self.app, |bucket| {
                let taken = !denied && bucket.take(requested);
                (taken, bucket.report(requested, None))
            })
            .unwrap_or_default();
        if !taken {
            self.shop.count(|statistics| statistics.throttled += 1);
            let body =
                json!({ "errors": [graphql::throttled()], "extensions": { "cost": report } });
            return body.to_string();
        }
        self.execute(&prepared)
    }

    fn execute(&self, prepared: &Prepared) -> String {
        let payloads: Vec<(String, Payload)> = if prepared.is_mutation {
            prepared
                .fields
                .iter()
                .map(|field| (field.key.clone(), self.mutate(field)))
                .collect()
        } else {
            Vec::new()
        };
        let snapshot = self
            .shop
            .snapshot(&self.app)
            .with_access(self.access.clone());
        let mut view = snapshot.view(&payloads);
        view.explain_searches = self.explain;
        let mut found = graphql::execute(prepared, &view);
        let unused = prepared.requested_cost - found.actual_cost;
        let report = self.shop.with_bucket(&self.app, |bucket| {
            bucket.give_back(unused);
            bucket.report(prepared.requested_cost, Some(found.actual_cost))
        });
        let warned = found
            .searches
            .iter()
            .any(|search| search.get("warnings").is_some());
        self.shop.count(|statistics| {
            statistics.points += u64::from(found.actual_cost);
            statistics.search_warnings += u64::from(warned);
        });
        let mut extensions = json!({ "cost": report });
        if let Some(extensions) = extensions
            .as_object_mut()
            .filter(|_| !found.searches.is_empty())
        {
            extensions.insert(
                "search".to_owned(),
                Value::Array(std::mem::take(&mut found.searches)),
            );
        }
        let data = found.data;
        if found.errors.is_empty() {
            format!(r#"{{"data":{data},"extensions":{extensions}}}"#)
        } else {
            let errors = Value::Array(found.errors);
            format!(r#"{{"errors":{errors},"data":{data},"extensions":{extensions}}}"#)
        }
    }

    fn mutate(&self, field: &Planned) -> Payload {
        match field.name {
            FieldName::BulkOperationCancel => self.cancel_bulk(field),
            FieldName::WebhookSubscriptionCreate => self.subscribe(field),
            FieldName::WebhookSubscriptionDelete => self.unsubscribe(field),
            _ => self.start_bulk(field),
        }
    }

    fn subscribe(&self, field: &Planned) -> Payload {
        let input = field.arguments.get("webhookSubscription");
        let part = |name: &str| input.and_then(|input| input.get(name));
        let uri = part("uri").and_then(Value::as_str).unwrap_or_default();
        let fields = part("includeFields").and_then(Value::as_array);
        let fields = fields
            .into_iter()
            .flatten()
            .filter_map(|field| field.as_str().map(str::to_owned));
        let topic = field.text("topic").unwrap_or_default();
        let made = if topic == "CUSTOMERS_MERGE" && !self.access.holds("read_customer_merge") {
            Err(NO_MERGES)
        } else {
            self.shop
                .with_webhooks(|book| book.subscribe(&self.app, topic, uri, fields.collect()))
        };
        let (subscription, errors) = match made {
            Ok(subscription) => (Some(subscription), Vec::new()),
            Err(message) => {
                let error = UserError {
                    field: Some("webhookSubscription.callbackUrl"),
                    message: message.to_owned(),
                    code: None,
                };
                (None, vec![error])
            }
        };
        Payload {
            of: PayloadOf::Subscribe,
            subscription,
            errors,
            ..Payload::default()
        }
    }

    fn unsubscribe(&self, field: &Planned) -> Payload {
        let gid = field.text("id").unwrap_or_default();
        let id = gid.rsplit('/').next().and_then(|id| id.parse().ok());
        let gone = self
            .shop
            .with_webhooks(|book| book.unsubscribe(&self.app, id.unwrap_or(0)));
        let error = || UserError {
            field: Some("id"),
            message: "Webhook subscription does not exist".to_owned(),
            code: None,
        };
        Payload {
            of: PayloadOf::Unsubscribe,
            deleted_subscription: gone.then(|| gid.to_owned()),
            errors: if gone { Vec::new() } else { vec![error()] },
            ..Payload::default()
        }
    }

    fn start_bulk(&self, field: &Planned) -> Payload {
        let query = field.text("query").unwrap_or_default();
        self.run_bulk(query, field.flag("groupObjects"))
            .unwrap_or_else(|errors| {
                self.shop.count(|statistics| statistics.bulk_refused += 1);
                Payload {
                    errors,
                    ..Payload::default()
                }
            })
    }

    fn run_bulk(&self, query: &str, group_objects: bool) -> Result<Payload, Vec<UserError>> {
        let plan = check(query)?;
        let running: Vec<String> = self.shop.with_bulk(|book| {
            let all = book.of(&self.app);
            let running = all.iter().filter(|record| record.status.is_running());
            running
                .map(|record| format!("gid://shopify/BulkOperation/{}", record.id))
                .collect()
        });
        if running.len() >= MAX_BULK {
            let list = running.join(", ");
            return Err(vec![UserError {
                field: None,
                message: format!(
                    "A bulk query operation for this app and shop is already in progress: {list}."
                ),
                code: Some("OPERATION_IN_PROGRESS"),
            }]);
        }
        let fault = self.shop.next_bulk_fault(&plan);
        if let Some(BulkFault::Refuse { message }) = fault {
            return Err(vec![UserError::invalid(message)]);
        }
        let now = self.shop.now();
        let (record, cancel) = self.shop.with_bulk(|book| book.open(&self.app, now));
        self.shop.count(|statistics| {
            for root in &plan.roots {
                *statistics
                    .bulk_started
                    .entry((*root).to_owned())
                    .or_default() += 1;
            }
        });
        let payload = Payload {
            operation: Some(record.clone()),
            ..Payload::default()
        };
        let app = self.app.clone();
        start(
            &self.shop,
            Job {
                app,
                record,
                cancel,
                plan,
                group_objects,
                fault,
            },
        );
        Ok(payload)
    }

    fn cancel_bulk(&self, field: &Planned) -> Payload {
        let id = field
            .text("id")
            .and_then(|id| id.rsplit('/').next()?.parse().ok())
            .unwrap_or(0);
        self.shop.count(|statistics| statistics.bulk_cancelled += 1);
        let error = |message: String, name| UserError {
            field: name,
            message,
            code: None,
        };
        let (operation, errors) = match self.shop.with_bulk(|book| book.cancel(&self.app, id)) {
            Cancelled::Stopping(record) => (Some(record), Vec::new()),
            Cancelled::Unknown => (
                None,
                vec![error(
                    "Bulk operation does not exist".to_owned(),
                    Some("id"),
                )],
            ),
            Cancelled::TooLate(record) => {
                let status = record.status.as_str().to_lowercase();
                let message = format!("A bulk operation cannot be canceled when it is {status}");
                (Some(record), vec![error(message, None)])
            }
        };
        Payload {
            of: PayloadOf::CancelBulk,
            operation,
            errors,
            ..Payload::default()
        }
    }
}
