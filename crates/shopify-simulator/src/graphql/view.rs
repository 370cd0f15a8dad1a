//! What a query can see: the store of one moment through the eyes of one app.

use std::cell::RefCell;
use std::time::Duration;

use chrono_tz::Tz;
use serde_json::{Value, json};

use super::names::TypeName;
use crate::amount::{Amount, Currency};
use crate::bulk::{BulkRecord, Payload, PayloadOf, UserError};
use crate::clock::Moment;
use crate::store::{
    Agreement, Customer, LineItem, Order, Product, Reason, Refund, Sale, SaleKind, SortValue,
    Store, Variant,
};
use crate::webhooks::Subscription;

/// How far back orders are seen without `read_all_orders`.
const ORDER_HISTORY: Duration = Duration::from_hours(60 * 24);

/// What a shop says of itself.
#[derive(Clone, Debug)]
pub(crate) struct ShopFacts {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) currency: Currency,
    pub(crate) zone: Tz,
    /// What it calls the zone, where not by the name of today: shops keep the name that was given once.
    pub(crate) zone_name: Option<String>,
}

impl ShopFacts {
    /// The name of the zone, as the store says it.
    pub(crate) fn zone_name(&self) -> &str {
        self.zone_name
            .as_deref()
            .unwrap_or_else(|| self.zone.name())
    }
}

/// What an app may read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Access {
    pub(crate) scopes: Vec<String>,
    /// Whether names and addresses of customers are refused.
    pub(crate) personal_data_refused: bool,
}

impl Access {
    /// Whether the app holds a scope; the write scope includes the read one.
    pub(crate) fn holds(&self, scope: &str) -> bool {
        let subject = scope.strip_prefix("read_");
        self.scopes.iter().any(|held| {
            held == scope
                || subject.is_some_and(|subject| held.strip_prefix("write_") == Some(subject))
        })
    }
}

/// Everything that a query is answered from.
pub(crate) struct View<'a> {
    pub(crate) store: &'a Store,
    pub(crate) facts: &'a ShopFacts,
    pub(crate) access: &'a Access,
    pub(crate) now: Moment,
    /// The bulk operations of the app.
    pub(crate) bulk: &'a [BulkRecord],
    /// The subscriptions of the app.
    pub(crate) subscriptions: &'a [Subscription],
    /// What each mutation of the request did, by its key in the answer.
    pub(crate) payloads: &'a [(String, Payload)],
    /// Whether the client asked how its searches were understood.
    pub(crate) explain_searches: bool,
    /// The entries of `extensions.search`.
    pub(crate) searches: RefCell<Vec<Value>>,
}

/// An object of the answer.
#[derive(Clone, Copy)]
pub(crate) enum Object<'a> {
    Query,
    Mutation,
    Shop,
    AppInstallation,
    AccessScope(&'a str),
    Customer(&'a Customer),
    Email(&'a str),
    Product(&'a Product),
    Variant(&'a Variant, usize),
    Order(&'a Order),
    LineItem(&'a Order, &'a LineItem),
    Refund(&'a Order, &'a Refund),
    Agreement(&'a Order, &'a Agreement),
    Sale(&'a Order, &'a Sale),
    MoneyBag(Amount, Currency),
    Money(Amount, Currency),
    Count(usize, bool),
    BulkOperation(&'a BulkRecord),
    Subscription(&'a Subscription),
    Payload(&'a Payload),
    UserError(&'a UserError),
}

/// A connection's rows, with the value each was sorted by.
pub(crate) struct Connection<'a> {
    pub(crate) rows: Vec<(Object<'a>, SortValue)>,
    pub(crate) has_next: bool,
    pub(crate) has_previous: bool,
}

/// The value of a field.
pub(crate) enum Resolved<'a> {
    Null,
    Text(&'a str),
    Owned(String),
    Texts(Vec<&'a str>),
    Truth(bool),
    Number(i64),
    /// A number that is serialised as a string.
    NumberText(u64),
    Moment(Moment),
    Amount(Amount),
    Gid(&'static str, u64),
    Object(Object<'a>),
    List(Vec<Option<Object<'a>>>),
    Connection(Connection<'a>),
}

/// Why a field has no value.
#[derive(Debug)]
pub(crate) struct FieldError {
    pub(crate) message: String,
    pub(crate) extensions: Value,
}

impl FieldError {
    /// A request that the field refuses.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            extensions: super::errors::bad_request(),
        }
    }

    /// A field that the app holds no scope for.
    fn no_scope(field: &str, scope: &str) -> Self {
        let required = format!("`{scope}` access scope.");
        Self {
            message: format!("Access denied for {field} field. Required access: {required}"),
            extensions: json!({
                "code": "ACCESS_DENIED",
                "documentation": "https://shopify.dev/api/usage/access-scopes",
                "requiredAccess": required,
            }),
        }
    }

    /// A field that is protected customer data.
    pub(crate) fn protected(field: &str) -> Self {
        Self {
            message: format!(
                "This app is not approved to use the {field} field. See \
                 https://shopify.dev/docs/apps/launch/protected-customer-data for more details."
            ),
            extensions: json!({
                "code": "ACCESS_DENIED",
                "documentation":
                    "https://shopify.dev/docs/apps/launch/protected-customer-data",
            }),
        }
    }
}

impl View<'_> {
    /// Refuses a field whose scope the app does not hold.
    pub(crate) fn require(&self, scope: &str, field: &str) -> Result<(), FieldError> {
        if self.access.holds(scope) {
            Ok(())
        } else {
            Err(FieldError::no_scope(field, scope))
        }
    }

    /// Whether an order is not deleted and not hidden by its age.
    pub(crate) fn sees(&self, order: &Order) -> bool {
        !order.deleted
            && (self.access.holds("read_all_orders")
                || order.created_at >= self.now.before(ORDER_HISTORY))
    }
}

impl Object<'_> {
    /// The type in the schema.
    pub(crate) fn type_name(self) -> TypeName {
        match self {
            Self::Query => TypeName::QueryRoot,
            Self::Mutation => TypeName::Mutation,
            Self::Shop => TypeName::Shop,
            Self::AppInstallation => TypeName::AppInstallation,
            Self::AccessScope(_) => TypeName::AccessScope,
            Self::Customer(_) => TypeName::Customer,
            Self::Email(_) => TypeName::CustomerEmailAddress,
            Self::Product(_) => TypeName::Product,
            Self::Variant(..) => TypeName::ProductVariant,
            Self::Order(_) => TypeName::Order,
            Self::LineItem(..) => TypeName::LineItem,
            Self::Refund(..) => TypeName::Refund,
            Self::Agreement(_, agreement) => match agreement.reason {
                Reason::Order | Reason::Unknown => TypeName::OrderAgreement,
                Reason::OrderEdit => TypeName::OrderEditAgreement,
                Reason::Refund => TypeName::RefundAgreement,
                Reason::Return => TypeName::ReturnAgreement,
            },
            Self::Sale(_, sale) => match sale.kind {
                SaleKind::Product => TypeName::ProductSale,
                SaleKind::Shipping => TypeName::ShippingLineSale,
                SaleKind::GiftCard => TypeName::GiftCardSale,
                SaleKind::Tip => TypeName::TipSale,
                SaleKind::Duty => TypeName::DutySale,
                SaleKind::Fee => TypeName::FeeSale,
                SaleKind::AdditionalFee => TypeName::AdditionalFeeSale,
                SaleKind::Adjustment => TypeName::AdjustmentSale,
                SaleKind::Unknown => TypeName::UnknownSale,
            },
            Self::MoneyBag(..) => TypeName::MoneyBag,
            Self::Money(..) => TypeName::MoneyV2,
            Self::Count(..) => TypeName::Count,
            Self::BulkOperation(_) => TypeName::BulkOperation,
            Self::Subscription(_) => TypeName::WebhookSubscription,
            Self::Payload(payload) => match payload.of {
                PayloadOf::RunBulk => TypeName::BulkOperationRunQueryPayload,
                PayloadOf::CancelBulk => TypeName::BulkOperationCancelPayload,
                PayloadOf::Subscribe => TypeName::WebhookSubscriptionCreatePayload,
                PayloadOf::Unsubscribe => TypeName::WebhookSubscriptionDeletePayload,
            },
            Self::UserError(error) if error.code.is_none() => TypeName::UserError,
            Self::UserError(_) => TypeName::BulkOperationUserError,
        }
    }

    /// The kind in the global id, and the id; none for objects without one.
    pub(crate) fn gid(self) -> Option<(&'static str, u64)> {
        Some(match self {
            Self::Customer(customer) => ("Customer", customer.id),
            Self::Product(product) => ("Product", product.id),
            Self::Variant(variant, _) => ("ProductVariant", variant.id),
            Self::Order(order) => ("Order", order.id),
            Self::LineItem(_, line) => ("LineItem", line.id),
            Self::Refund(_, refund) => ("Refund", refund.id),
            Self::Agreement(_, agreement) => ("SalesAgreement", agreement.id),
            Self::Sale(_, sale) => ("Sale", sale.id),
            Self::BulkOperation(record) => ("BulkOperation", record.id),
            Self::Subscription(subscription) => ("WebhookSubscription", subscription.id),
            _ => return None,
        })
    }
}

/// The kind and the number of a global id.
pub(crate) fn read_gid(text: &str) -> Option<(&str, u64)> {
    let (kind, number) = text.strip_prefix("gid://shopify/")?.split_once('/')?;
    let digits = number.split('?').next()?;
    Some((kind, digits.parse().ok()?))
}
