//! Records as lines of a bulk file, as Shopify writes them. The texts in the records come from this program and need no
//! escaping.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat, Utc};
use xboard::domain::record::{
    AgreementRecord, CustomerRecord, LineItemRecord, OrderRecord, ProductRecord, Record,
    SaleRecord, VariantRecord,
};
use xboard::domain::sale::AgreementReason;

/// Writes the line of a record.
pub(crate) fn write_line(out: &mut impl Write, record: &Record) -> io::Result<()> {
    match record {
        Record::Customer(customer) => customer_line(out, customer),
        Record::Product(product) => product_line(out, product),
        Record::Variant(variant) => variant_line(out, variant),
        Record::Order(order) => order_line(out, order),
        Record::LineItem(line) => line_item_line(out, line),
        Record::Agreement(agreement) => agreement_line(out, agreement),
        Record::Sale(sale) => sale_line(out, sale),
    }
}

fn at(instant: DateTime<Utc>) -> String {
    instant.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn text(value: Option<&str>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| format!("\"{value}\""))
}

fn texts(values: &[String]) -> String {
    let quoted: Vec<_> = values.iter().map(|value| format!("\"{value}\"")).collect();
    format!("[{}]", quoted.join(","))
}

fn money(amount: rust_decimal::Decimal) -> String {
    format!("{{\"shopMoney\":{{\"amount\":\"{amount}\"}}}}")
}

fn money_in(amount: rust_decimal::Decimal, currency: &str) -> String {
    format!("{{\"shopMoney\":{{\"amount\":\"{amount}\",\"currencyCode\":\"{currency}\"}}}}")
}

fn reference(gid: Option<String>) -> String {
    gid.map_or_else(|| "null".to_owned(), |gid| format!("{{\"id\":\"{gid}\"}}"))
}

fn customer_line(out: &mut impl Write, customer: &CustomerRecord) -> io::Result<()> {
    let email = customer.email.as_ref().map_or_else(
        || "null".to_owned(),
        |email| format!("{{\"emailAddress\":\"{email}\"}}"),
    );
    writeln!(
        out,
        "{{\"__typename\":\"Customer\",\"id\":\"{}\",\"displayName\":\"{}\",\"defaultEmailAddress\":{email},\
         \"createdAt\":\"{}\",\"updatedAt\":\"{}\",\"tags\":{}}}",
        customer.id.gid(),
        customer.display_name,
        at(customer.created_at),
        at(customer.updated_at),
        texts(&customer.tags)
    )
}

fn product_line(out: &mut impl Write, product: &ProductRecord) -> io::Result<()> {
    writeln!(
        out,
        "{{\"__typename\":\"Product\",\"id\":\"{}\",\"title\":\"{}\",\"status\":\"{}\",\"vendor\":\"{}\",\
         \"productType\":\"{}\",\"createdAt\":\"{}\",\"updatedAt\":\"{}\"}}",
        product.id.gid(),
        product.title,
        product.status,
        product.vendor,
        product.product_type,
        at(product.created_at),
        at(product.updated_at)
    )
}

fn variant_line(out: &mut impl Write, variant: &VariantRecord) -> io::Result<()> {
    writeln!(
        out,
        "{{\"__typename\":\"ProductVariant\",\"id\":\"{}\",\"title\":\"{}\",\"sku\":{},\"price\":\"{}\",\
         \"position\":{},\"__parentId\":\"{}\"}}",
        variant.id.gid(),
        variant.title,
        text(variant.sku.as_deref()),
        variant.price,
        variant.position,
        variant.product.gid()
    )
}

fn order_line(out: &mut impl Write, order: &OrderRecord) -> io::Result<()> {
    let refunds: Vec<_> = order
        .refunds
        .iter()
        .map(|refund| {
            format!(
                "{{\"id\":\"{}\",\"processedAt\":\"{}\",\"totalRefundedSet\":{}}}",
                refund.id.gid(),
                at(refund.processed_at),
                money(refund.total_refunded)
            )
        })
        .collect();
    writeln!(
        out,
        "{{\"__typename\":\"Order\",\"id\":\"{}\",\"name\":\"{}\",\"createdAt\":\"{}\",\"processedAt\":\"{}\",\
         \"updatedAt\":\"{}\",\"cancelledAt\":{},\"test\":{},\"currencyCode\":\"{}\",\"displayFinancialStatus\":{},\
         \"displayFulfillmentStatus\":{},\"sourceName\":{},\"discountCodes\":{},\"tags\":{},\"totalPriceSet\":{},\
         \"netPaymentSet\":{},\"customer\":{},\"refunds\":[{}]}}",
        order.id.gid(),
        order.name,
        at(order.created_at),
        at(order.processed_at),
        at(order.updated_at),
        text(order.cancelled_at.map(at).as_deref()),
        order.test,
        order.currency.code(),
        text(order.financial_status.as_deref()),
        text(order.fulfillment_status.as_deref()),
        text(order.source_name.as_deref()),
        texts(&order.discount_codes),
        texts(&order.tags),
        money_in(order.total_price, order.currency.code()),
        money(order.net_payment),
        reference(order.customer.map(xboard::domain::ids::CustomerId::gid)),
        refunds.join(",")
    )
}

fn line_item_line(out: &mut impl Write, line: &LineItemRecord) -> io::Result<()> {
    writeln!(
        out,
        "{{\"__typename\":\"LineItem\",\"id\":\"{}\",\"title\":\"{}\",\"variantTitle\":{},\"sku\":{},\"quantity\":{},\
         \"currentQuantity\":{},\"product\":{},\"variant\":{},\"originalTotalSet\":{},\"discountedTotalSet\":{},\
         \"__parentId\":\"{}\"}}",
        line.id.gid(),
        line.title,
        text(line.variant_title.as_deref()),
        text(line.sku.as_deref()),
        line.quantity,
        line.current_quantity,
        reference(line.product.map(xboard::domain::ids::ProductId::gid)),
        reference(line.variant.map(xboard::domain::ids::VariantId::gid)),
        money(line.original_total),
        money(line.discounted_total),
        line.order.gid()
    )
}

fn agreement_line(out: &mut impl Write, agreement: &AgreementRecord) -> io::Result<()> {
    let kind = match agreement.reason {
        AgreementReason::Order => "OrderAgreement",
        _ => "RefundAgreement",
    };
    writeln!(
        out,
        "{{\"__typename\":\"{kind}\",\"id\":\"{}\",\"happenedAt\":\"{}\",\"reason\":\"{}\",\"__parentId\":\"{}\"}}",
        agreement.gid,
        at(agreement.happened_at),
        agreement.reason.word(),
        agreement.order.gid()
    )
}

fn sale_line(out: &mut impl Write, sale: &SaleRecord) -> io::Result<()> {
    let kind = if sale.line_item.is_some() {
        "ProductSale"
    } else {
        "ShippingLineSale"
    };
    let line = sale
        .line_item
        .map(|line| format!(",\"lineItem\":{{\"id\":\"{}\"}}", line.gid()))
        .unwrap_or_default();
    writeln!(
        out,
        "{{\"__typename\":\"{kind}\",\"id\":\"{}\",\"actionType\":\"{}\",\"lineType\":\"{}\",\"quantity\":{},\
         \"totalAmount\":{},\"totalTaxAmount\":{},\"totalDiscountAmountBeforeTaxes\":{}{line},\"__parentId\":\"{}\"}}",
        sale.gid,
        sale.action.word(),
        sale.line_type.word(),
        sale.quantity
            .map_or_else(|| "null".to_owned(), |quantity| quantity.to_string()),
        money_in(sale.total, sale.currency.code()),
        money(sale.tax),
        money(sale.discount),
        sale.agreement_gid
    )
}
