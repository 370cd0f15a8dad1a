//! A line of a bulk result, turned into a record. Which kind of object it holds is told by `__typename`, and
//! by its shape where that is missing; never by its place in the file.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::error::{ShopifyError, json_fault};
use super::wire::{Agreement, Customer, LineItem, Order, Product, Sale, Variant};
use crate::domain::record::Record;

/// What a line holds.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// Whether it has no parent.
    pub(super) root: bool,
    /// The object; `None` for a kind that is not kept.
    pub(super) record: Option<Record>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Customer,
    Product,
    Variant,
    Order,
    LineItem,
    Agreement,
    Sale,
}

/// What tells the kind of a line.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'a> {
    #[serde(borrow, default, rename = "__typename")]
    typename: Option<Cow<'a, str>>,
    #[serde(default, rename = "__parentId")]
    parent: Option<IgnoredAny>,
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(default)]
    happened_at: Option<IgnoredAny>,
    #[serde(default)]
    line_type: Option<IgnoredAny>,
}

/// Reads a line. What is wrong with one is said without what it holds.
pub(super) fn read_line(line: &[u8]) -> Result<Line, String> {
    // The queries ask for `__typename` first, so most lines need no second look.
    if let Some(kind) = leading_typename(line).and_then(Kind::named) {
        let root = matches!(kind, Kind::Customer | Kind::Product | Kind::Order);
        let record = Some(kind.read(line)?);
        return Ok(Line { root, record });
    }
    // A list would pass for an object without names.
    if line.first() != Some(&b'{') {
        return Err("it is not an object".to_owned());
    }
    let head: Head<'_> = serde_json::from_slice(line).map_err(|error| json_fault(&error))?;
    let root = head.parent.is_none();
    let record = head.kind().map(|kind| kind.read(line)).transpose()?;
    Ok(Line { root, record })
}

fn leading_typename(line: &[u8]) -> Option<&str> {
    let rest = line.strip_prefix(br#"{"__typename":""#)?;
    let end = rest.iter().position(|byte| *byte == b'"')?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

impl Head<'_> {
    fn kind(&self) -> Option<Kind> {
        if let Some(typename) = &self.typename {
            return Kind::named(typename);
        }
        if self.line_type.is_some() {
            return Some(Kind::Sale);
        }
        if self.happened_at.is_some() {
            return Some(Kind::Agreement);
        }
        let gid = self.id.as_deref()?.strip_prefix("gid://shopify/")?;
        Kind::named(gid.split('/').next()?)
    }
}

impl Kind {
    /// The kind that this typename stands for. Agreements and sales are of many types, and of new ones in
    /// time; their names end alike.
    fn named(typename: &str) -> Option<Self> {
        match typename {
            "Customer" => Some(Self::Customer),
            "Product" => Some(Self::Product),
            "ProductVariant" => Some(Self::Variant),
            "Order" => Some(Self::Order),
            "LineItem" => Some(Self::LineItem),
            other if other.ends_with("Agreement") => Some(Self::Agreement),
            other if other.ends_with("Sale") => Some(Self::Sale),
            _ => None,
        }
    }

    fn read(self, line: &[u8]) -> Result<Record, String> {
        fn parsed<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
            serde_json::from_slice(line).map_err(|error| json_fault(&error))
        }
        let record = match self {
            Self::Customer => parsed::<Customer<'_>>(line)?
                .into_record()
                .map(Record::Customer),
            Self::Product => parsed::<Product<'_>>(line)?
                .into_record()
                .map(Record::Product),
            Self::Variant => parsed::<Variant<'_>>(line)?
                .into_record()
                .map(Record::Variant),
            Self::Order => parsed::<Order<'_>>(line)?
                .into_record()
                .map(|order| Record::Order(Box::new(order))),
            Self::LineItem => parsed::<LineItem<'_>>(line)?
                .into_record()
                .map(Record::LineItem),
            Self::Agreement => parsed::<Agreement<'_>>(line)?
                .into_record()
                .map(Record::Agreement),
            Self::Sale => parsed::<Sale<'_>>(line)?.into_record().map(Record::Sale),
        };
        record.map_err(|error| match error {
            ShopifyError::Unconvertible(what) => format!("an unreadable {what}"),
            other => other.to_string(),
        })
    }
}
