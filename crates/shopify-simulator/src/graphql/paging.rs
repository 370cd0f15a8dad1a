//! Which part of a list a connection gives.

use super::plan::Planned;
use super::resolve::sorted_by_id;
use super::view::{Connection, FieldError, Object};
use crate::store::Cursor;

/// The largest page and the longest list of ids.
pub(super) const LARGEST: usize = 250;

/// How many rows a connection gives, and from which end.
pub(super) fn window(field: &Planned) -> Result<(usize, bool), FieldError> {
    if field.takes_everything {
        return Ok((usize::MAX, false));
    }
    let size = |name: &str| field.arguments.get(name).filter(|value| !value.is_null());
    let (value, name) = match (size("first"), size("last")) {
        (Some(_), Some(_)) => {
            return Err(FieldError::bad_request(
                "providing both first and last is not supported",
            ));
        }
        (Some(first), None) => (first, "first"),
        (None, Some(last)) => (last, "last"),
        (None, None) => {
            return Err(FieldError::bad_request(
                "you must provide one of first or last",
            ));
        }
    };
    let Some(size) = value.as_u64().and_then(|size| usize::try_from(size).ok()) else {
        return Err(FieldError::bad_request(format!(
            "{name} must be a non-negative integer"
        )));
    };
    if size > LARGEST {
        return Err(FieldError::bad_request(format!(
            "The requested page size ({size}) of {name} exceeds the maximum of {LARGEST}."
        )));
    }
    Ok((size, name == "last"))
}

/// A cursor argument.
pub(super) fn cursor(field: &Planned, name: &str) -> Result<Option<Cursor>, FieldError> {
    if field.takes_everything {
        return Ok(None);
    }
    match field.text(name) {
        None => Ok(None),
        Some(text) => Cursor::decode(text).map(Some).ok_or_else(foreign_cursor),
    }
}

/// The error for a cursor of another list.
pub(super) fn foreign_cursor() -> FieldError {
    FieldError::bad_request("Invalid cursor for current pagination sort.")
}

/// The part of an object's own list that a nested connection asks for.
pub(crate) fn slice<'a, T>(
    field: &Planned,
    items: &'a [T],
    object: impl Fn(usize, &'a T) -> (Object<'a>, u64),
) -> Result<Connection<'a>, FieldError> {
    let (size, from_end) = window(field)?;
    let (after, before) = (cursor(field, "after")?, cursor(field, "before")?);
    let mut rows: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(place, item)| object(place, item))
        .collect();
    if field.flag("reverse") {
        rows.reverse();
    }
    let place = |cursor: &Cursor| {
        rows.iter()
            .position(|(_, id)| *id == cursor.id)
            .ok_or_else(foreign_cursor)
    };
    let start = after
        .as_ref()
        .map(place)
        .transpose()?
        .map_or(0, |place| place + 1);
    let end = before
        .as_ref()
        .map(place)
        .transpose()?
        .unwrap_or(rows.len());
    let inside = rows.get(start..end).unwrap_or_default();
    let taken = size.min(inside.len());
    let (from, to) = if from_end {
        (inside.len() - taken, inside.len())
    } else {
        (0, taken)
    };
    let rows = inside.get(from..to).unwrap_or_default();
    Ok(Connection {
        rows: rows
            .iter()
            .map(|(object, id)| (*object, sorted_by_id(*id)))
            .collect(),
        has_next: start + to < items.len(),
        has_previous: start + from > 0,
    })
}
