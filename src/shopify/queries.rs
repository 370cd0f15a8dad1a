//! The types of `shopify_queries/*.graphql`, made by `graphql_client` from the project's subset of the schema.
//! Enums are read as the words they are, so a value that a later version adds is no error.

use chrono::Utc;

use super::amount::{Amount, Tally};

type DateTime = chrono::DateTime<Utc>;
type Decimal = Amount;
type Money = Amount;
type UnsignedInt64 = Tally;
#[expect(clippy::upper_case_acronyms, reason = "the scalar is called so")]
type URL = String;
type CurrencyCode = String;
type CountPrecision = String;
type ProductStatus = String;
type OrderDisplayFinancialStatus = String;
type OrderDisplayFulfillmentStatus = String;
type OrderActionType = String;
type SaleActionType = String;
type SaleLineType = String;
type BulkOperationStatus = String;
type BulkOperationErrorCode = String;
type BulkOperationUserErrorCode = String;
type WebhookSubscriptionTopic = String;

macro_rules! queries {
    ($file:tt: $($name:ident),+ $(,)?) => {
        $(
            #[derive(graphql_client::GraphQLQuery)]
            #[graphql(
                schema_path = "shopify_queries/schema.graphql",
                query_path = $file,
                response_derives = "Debug",
                fragments_other_variant = "true",
                extern_enums(
                    "CurrencyCode", "CountPrecision", "ProductStatus", "OrderDisplayFinancialStatus",
                    "OrderDisplayFulfillmentStatus", "OrderActionType", "SaleActionType", "SaleLineType",
                    "BulkOperationStatus", "BulkOperationErrorCode", "BulkOperationUserErrorCode",
                    "WebhookSubscriptionTopic"
                )
            )]
            pub(super) struct $name;
        )+
    };
}

queries!("shopify_queries/shop.graphql": ShopRecord);
queries!("shopify_queries/counts.graphql": StoreCounts);
queries!("shopify_queries/customers.graphql": CustomerIds, CustomersById, UnnamedCustomersById);
queries!("shopify_queries/products.graphql": ProductIds, ProductsById, ProductVariants);
queries!("shopify_queries/orders.graphql":
    OrderIds, OrdersById, OrderLineItems, OrderAgreements, AgreementSales);
queries!("shopify_queries/bulk_operations.graphql": BulkRun, BulkStatus, BulkCancel);
queries!("shopify_queries/webhooks.graphql": WebhookList, WebhookCreate, WebhookDelete);
