//! Parses a line of a bulk result into a record. `__typename` determines the kind of object, or the
//! shape of the object if `__typename` is missing. The position in the file does not matter.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::error::{ShopifyError, describe_json_error};
use super::objects::{Agreement, Customer, LineItem, Order, Product, Sale, Variant};
use crate::domain::record::Record;

/// A parsed line.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    /// Whether the object has no parent.
    pub(super) root: bool,
    /// The record. `None` for objects of unknown kinds.
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

/// The fields that determine the kind of a line.
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

/// Parses a line. Errors do not contain its contents.
pub(super) fn read_line(line: &[u8]) -> Result<Line, String> {
    // The queries request `__typename` first, so most lines are parsed only once.
    if let Some(kind) = leading_typename(line).and_then(Kind::named) {
        let root = matches!(kind, Kind::Customer | Kind::Product | Kind::Order);
        let record = Some(kind.read(line)?);
        return Ok(Line { root, record });
    }
    // Serde would accept a list as a struct.
    if line.first() != Some(&b'{') {
        return Err("it is not an object".to_owned());
    }
    let head: Head<'_> =
        serde_json::from_slice(line).map_err(|error| describe_json_error(&error))?;
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
    /// The kind for a typename. There are many types of agreements and sales, and Shopify adds
    /// more. Their names have the same endings.
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
        fn parsed<T: DeserializeOwned>(line: &[u8]) -> Result<T, String> {
            serde_json::from_slice(line).map_err(|error| describe_json_error(&error))
        }
        let converted = match self {
            Self::Customer => Ok(Record::Customer(parsed::<Customer>(line)?.into())),
            Self::Product => Ok(Record::Product(parsed::<Product>(line)?.into())),
            Self::Variant => parsed::<Variant>(line)?.into_record().map(Record::Variant),
            Self::Order => parsed::<Order>(line)?
                .into_record()
                .map(|order| Record::Order(Box::new(order))),
            Self::LineItem => parsed::<LineItem>(line)?
                .into_record()
                .map(Record::LineItem),
            Self::Agreement => parsed::<Agreement>(line)?
                .into_record()
                .map(Record::Agreement),
            Self::Sale => parsed::<Sale>(line)?.into_record().map(Record::Sale),
        };
        converted.map_err(|error| match error {
            ShopifyError::Unconvertible(value) => format!("an unreadable {value}"),
            other => other.to_string(),
        })
    }
}
