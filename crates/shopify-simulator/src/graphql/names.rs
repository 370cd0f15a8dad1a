//! The fields and types the simulator answers, as enums: a plan compares numbers, not texts.
//!
//! A test compares both lists with `schema.graphql`: a field that is added there and not here fails it.

macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum $name { $($variant,)* }

        impl $name {
            /// The name of a text, if the simulator knows it.
            pub(crate) fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }

            /// The name in the schema.
            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

names! {
    /// A field's name, whatever type it belongs to.
    FieldName {
        AccessScopes = "accessScopes",
        ActionType = "actionType",
        Agreements = "agreements",
        Amount = "amount",
        BulkOperation = "bulkOperation",
        BulkOperationCancel = "bulkOperationCancel",
        BulkOperationRunQuery = "bulkOperationRunQuery",
        CancelledAt = "cancelledAt",
        Code = "code",
        CompletedAt = "completedAt",
        Count = "count",
        CreatedAt = "createdAt",
        CurrencyCode = "currencyCode",
        CurrentAppInstallation = "currentAppInstallation",
        CurrentQuantity = "currentQuantity",
        Cursor = "cursor",
        Customer = "customer",
        Customers = "customers",
        CustomersCount = "customersCount",
        DeletedWebhookSubscriptionId = "deletedWebhookSubscriptionId",
        DefaultEmailAddress = "defaultEmailAddress",
        DiscountCodes = "discountCodes",
        DiscountedTotalSet = "discountedTotalSet",
        DisplayFinancialStatus = "displayFinancialStatus",
        DisplayFulfillmentStatus = "displayFulfillmentStatus",
        DisplayName = "displayName",
        Edges = "edges",
        EmailAddress = "emailAddress",
        EndCursor = "endCursor",
        ErrorCode = "errorCode",
        Field = "field",
        FileSize = "fileSize",
        Handle = "handle",
        HappenedAt = "happenedAt",
        HasNextPage = "hasNextPage",
        HasPreviousPage = "hasPreviousPage",
        IncludeFields = "includeFields",
        IanaTimezone = "ianaTimezone",
        Id = "id",
        IsGiftCard = "isGiftCard",
        LineItem = "lineItem",
        LineItems = "lineItems",
        LineType = "lineType",
        Message = "message",
        MyshopifyDomain = "myshopifyDomain",
        Name = "name",
        NetPaymentSet = "netPaymentSet",
        Node = "node",
        Nodes = "nodes",
        ObjectCount = "objectCount",
        Order = "order",
        Orders = "orders",
        OrdersCount = "ordersCount",
        OriginalTotalPriceSet = "originalTotalPriceSet",
        OriginalTotalSet = "originalTotalSet",
        PageInfo = "pageInfo",
        PartialDataUrl = "partialDataUrl",
        Position = "position",
        Precision = "precision",
        PresentmentMoney = "presentmentMoney",
        Price = "price",
        ProcessedAt = "processedAt",
        Product = "product",
        ProductType = "productType",
        Products = "products",
        ProductsCount = "productsCount",
        Quantity = "quantity",
        Reason = "reason",
        Refunds = "refunds",
        RootObjectCount = "rootObjectCount",
        Sales = "sales",
        Shop = "shop",
        ShopMoney = "shopMoney",
        Sku = "sku",
        SourceName = "sourceName",
        StartCursor = "startCursor",
        Status = "status",
        Tags = "tags",
        Test = "test",
        Title = "title",
        Topic = "topic",
        TotalAmount = "totalAmount",
        TotalDiscountAmountAfterTaxes = "totalDiscountAmountAfterTaxes",
        TotalDiscountAmountBeforeTaxes = "totalDiscountAmountBeforeTaxes",
        TotalPriceSet = "totalPriceSet",
        TotalRefundedSet = "totalRefundedSet",
        TotalTaxAmount = "totalTaxAmount",
        Typename = "__typename",
        UpdatedAt = "updatedAt",
        Uri = "uri",
        Url = "url",
        UserErrors = "userErrors",
        Variant = "variant",
        VariantTitle = "variantTitle",
        Variants = "variants",
        Vendor = "vendor",
        WebhookSubscription = "webhookSubscription",
        WebhookSubscriptionCreate = "webhookSubscriptionCreate",
        WebhookSubscriptionDelete = "webhookSubscriptionDelete",
        WebhookSubscriptions = "webhookSubscriptions",
    }
}

names! {
    /// An object type.
    TypeName {
        AccessScope = "AccessScope",
        AdditionalFeeSale = "AdditionalFeeSale",
        AdjustmentSale = "AdjustmentSale",
        AppInstallation = "AppInstallation",
        BulkOperation = "BulkOperation",
        BulkOperationCancelPayload = "BulkOperationCancelPayload",
        BulkOperationRunQueryPayload = "BulkOperationRunQueryPayload",
        BulkOperationUserError = "BulkOperationUserError",
        Count = "Count",
        Customer = "Customer",
        CustomerConnection = "CustomerConnection",
        CustomerEdge = "CustomerEdge",
        CustomerEmailAddress = "CustomerEmailAddress",
        DutySale = "DutySale",
        FeeSale = "FeeSale",
        GiftCardSale = "GiftCardSale",
        LineItem = "LineItem",
        LineItemConnection = "LineItemConnection",
        LineItemEdge = "LineItemEdge",
        MoneyBag = "MoneyBag",
        MoneyV2 = "MoneyV2",
        Mutation = "Mutation",
        Order = "Order",
        OrderAgreement = "OrderAgreement",
        OrderConnection = "OrderConnection",
        OrderEdge = "OrderEdge",
        OrderEditAgreement = "OrderEditAgreement",
        PageInfo = "PageInfo",
        Product = "Product",
        ProductConnection = "ProductConnection",
        ProductEdge = "ProductEdge",
        ProductSale = "ProductSale",
        ProductVariant = "ProductVariant",
        ProductVariantConnection = "ProductVariantConnection",
        ProductVariantEdge = "ProductVariantEdge",
        QueryRoot = "QueryRoot",
        Refund = "Refund",
        RefundAgreement = "RefundAgreement",
        ReturnAgreement = "ReturnAgreement",
        SaleConnection = "SaleConnection",
        SaleEdge = "SaleEdge",
        SalesAgreementConnection = "SalesAgreementConnection",
        SalesAgreementEdge = "SalesAgreementEdge",
        ShippingLineSale = "ShippingLineSale",
        Shop = "Shop",
        TipSale = "TipSale",
        UnknownSale = "UnknownSale",
        UserError = "UserError",
        WebhookSubscription = "WebhookSubscription",
        WebhookSubscriptionConnection = "WebhookSubscriptionConnection",
        WebhookSubscriptionCreatePayload = "WebhookSubscriptionCreatePayload",
        WebhookSubscriptionDeletePayload = "WebhookSubscriptionDeletePayload",
    }
}

impl TypeName {
    /// Whether it is a connection.
    pub(crate) fn is_connection(self) -> bool {
        self.as_str().ends_with("Connection")
    }
}
