//! Changing an order: edits, refunds, cancellations.
//!
//! What can be taken back is read from the ledger itself: the last unit of a line takes exactly what is
//! left, so that an order taken back entirely sums to nothing.

use super::place::Terms;
use super::requests::{BusinessError, EditLine, RefundRequest};
use crate::amount::Amount;
use crate::clock::Moment;
use crate::store::{Agreement, Ids, LineItem, Order, Reason, Refund, Sale, SaleAction, SaleKind};

/// What is left of a line, or of a kind of sale without lines.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) quantity: i32,
    pub(crate) total: Amount,
    pub(crate) tax: Amount,
    pub(crate) discount: Amount,
}

impl Ledger {
    fn of<'a>(sales: impl Iterator<Item = &'a Sale>) -> Self {
        sales.fold(Self::default(), |left, sale| Self {
            quantity: left.quantity + sale.quantity.unwrap_or(0),
            total: left.total + sale.total,
            tax: left.tax + sale.tax,
            discount: left.discount + sale.discount,
        })
    }

    /// What is left of a line item.
    pub(crate) fn of_line(order: &Order, place: u32) -> Self {
        Self::of(order.sales().filter(|sale| sale.line == Some(place)))
    }

    /// What is left of a kind without lines.
    fn of_kind(order: &Order, kind: SaleKind) -> Self {
        Self::of(
            order
                .sales()
                .filter(|sale| sale.kind == kind && sale.line.is_none()),
        )
    }

    const fn is_empty(&self) -> bool {
        self.total.is_zero() && self.quantity == 0 && self.discount.is_zero()
    }

    /// A sale of `part` of `whole`, with the sign of the action.
    fn sale(
        &self,
        ids: &mut Ids,
        order: &Order,
        (kind, line, action): (SaleKind, Option<u32>, SaleAction),
        (part, whole): (i64, i64),
        quantity: Option<i32>,
    ) -> Sale {
        let share = |amount: Amount| {
            if part == -whole {
                -amount
            } else {
                amount.share(part, whole, order.currency)
            }
        };
        Sale {
            id: ids.sale(),
            kind,
            action,
            quantity,
            line,
            total: share(self.total),
            tax: share(self.tax),
            discount: share(self.discount),
            discount_after_taxes: Amount::ZERO,
        }
    }
}

/// The place of a line item, and the item.
fn line(order: &Order, id: u64) -> Result<(u32, &LineItem), BusinessError> {
    order
        .line_items
        .iter()
        .enumerate()
        .find(|(_, item)| item.id == id)
        .and_then(|(place, item)| Some((u32::try_from(place).ok()?, item)))
        .ok_or(BusinessError::NoSuchLine(id))
}

fn kind_of(item: &LineItem) -> SaleKind {
    match item.kind {
        crate::store::LineKind::Product => SaleKind::Product,
        crate::store::LineKind::GiftCard => SaleKind::GiftCard,
        crate::store::LineKind::Tip => SaleKind::Tip,
    }
}

/// Adds an agreement and lets the order's times follow.
fn agree(ids: &mut Ids, order: &mut Order, reason: Reason, sales: Vec<Sale>, at: Moment) {
    order.agreements.push(Agreement {
        id: ids.agreement(),
        happened_at: at,
        reason,
        sales,
    });
    order.updated_at = order.updated_at.max(at);
}

/// Adds units to lines or removes them.
pub(crate) fn edit(
    ids: &mut Ids,
    order: &mut Order,
    lines: &[EditLine],
    at: Moment,
    terms: &Terms,
) -> Result<(), BusinessError> {
    if order.cancelled_at.is_some() {
        return Err(BusinessError::Cancelled);
    }
    let mut sales = Vec::new();
    let mut changed = order.clone();
    for change in lines {
        let (place, item) = line(&changed, change.line)?;
        let kind = kind_of(item);
        let left = Ledger::of_line(&changed, place);
        if change.by < 0 && item.current_quantity < -change.by {
            return Err(BusinessError::TooMany(change.line, item.current_quantity));
        }
        let key = (kind, Some(place), SaleAction::Update);
        let sale = if change.by > 0 && left.quantity <= 0 {
            // Nothing is left to take a share of: the added units are sold at their full price.
            let priced = terms.price(item.unit_price.times(change.by), Amount::ZERO, terms.tax);
            let full = Ledger {
                quantity: change.by,
                total: priced.total,
                tax: priced.tax,
                discount: priced.discount,
            };
            full.sale(ids, &changed, key, (1, 1), Some(change.by))
        } else {
            let parts = (i64::from(change.by), i64::from(left.quantity));
            left.sale(ids, &changed, key, parts, Some(change.by))
        };
        if let Some(item) = usize::try_from(place)
            .ok()
            .and_then(|place| changed.line_items.get_mut(place))
        {
            item.current_quantity += change.by;
            if change.by > 0 {
                item.quantity += change.by;
                item.discount += sale.discount;
            }
        }
        if change.by > 0 && changed.paid {
            changed.received += sale.total;
        }
        sales.push(sale);
    }
    agree(ids, &mut changed, Reason::OrderEdit, sales, at);
    *order = changed;
    Ok(())
}

/// Gives something back.
pub(crate) fn refund(
    ids: &mut Ids,
    order: &mut Order,
    request: &RefundRequest,
    at: Moment,
) -> Result<(), BusinessError> {
    let mut changed = order.clone();
    let mut sales = Vec::new();
    for wanted in &request.lines {
        let (place, item) = line(&changed, wanted.line)?;
        if wanted.quantity > item.current_quantity || wanted.quantity <= 0 {
            return Err(BusinessError::TooMany(wanted.line, item.current_quantity));
        }
        let left = Ledger::of_line(&changed, place);
        let key = (kind_of(item), Some(place), SaleAction::Return);
        let parts = (-i64::from(wanted.quantity), i64::from(left.quantity));
        sales.push(left.sale(ids, &changed, key, parts, Some(-wanted.quantity)));
        if let Some(item) = usize::try_from(place)
            .ok()
            .and_then(|place| changed.line_items.get_mut(place))
        {
            item.current_quantity -= wanted.quantity;
        }
    }
    if !request.shipping.is_zero() {
        let left = Ledger::of_kind(&changed, SaleKind::Shipping);
        if request.shipping > left.total {
            return Err(BusinessError::TooMuchShipping(left.total));
        }
        let key = (SaleKind::Shipping, None, SaleAction::Return);
        let parts = (
            -request.shipping.ten_thousandths(),
            left.total.ten_thousandths(),
        );
        sales.push(left.sale(ids, &changed, key, parts, None));
    }
    if !request.adjustment.is_zero() {
        let given = Ledger {
            total: request.adjustment,
            ..Ledger::default()
        };
        let key = (SaleKind::Adjustment, None, SaleAction::Return);
        sales.push(given.sale(ids, &changed, key, (-1, 1), None));
    }
    let given_back = -sales.iter().map(|sale| sale.total).sum::<Amount>();
    let reason = if request.is_return {
        Reason::Return
    } else {
        Reason::Refund
    };
    agree(ids, &mut changed, reason, sales, at);
    note_refund(ids, &mut changed, given_back, at);
    *order = changed;
    Ok(())
}

/// Notes the money given back, as far as any was received.
fn note_refund(ids: &mut Ids, order: &mut Order, amount: Amount, at: Moment) {
    let total = if order.paid { amount } else { Amount::ZERO };
    order.refunds.push(Refund {
        id: ids.refund(),
        processed_at: at,
        total,
    });
}

/// Takes everything back that is left, and marks the order cancelled.
pub(crate) fn cancel(ids: &mut Ids, order: &mut Order, at: Moment) -> Result<(), BusinessError> {
    if order.cancelled_at.is_some() {
        return Err(BusinessError::Cancelled);
    }
    let mut sales = Vec::new();
    let lines: Vec<(u32, SaleKind)> = order
        .line_items
        .iter()
        .enumerate()
        .filter_map(|(place, item)| Some((u32::try_from(place).ok()?, kind_of(item))))
        .collect();
    for (place, kind) in lines {
        let left = Ledger::of_line(order, place);
        if !left.is_empty() {
            let key = (kind, Some(place), SaleAction::Return);
            sales.push(left.sale(ids, order, key, (-1, 1), Some(-left.quantity)));
        }
    }
    for kind in [
        SaleKind::Shipping,
        SaleKind::Duty,
        SaleKind::Fee,
        SaleKind::AdditionalFee,
    ] {
        let left = Ledger::of_kind(order, kind);
        if !left.is_empty() {
            let key = (kind, None, SaleAction::Return);
            sales.push(left.sale(ids, order, key, (-1, 1), None));
        }
    }
    let given_back = -sales.iter().map(|sale| sale.total).sum::<Amount>();
    if !sales.is_empty() {
        agree(ids, order, Reason::Refund, sales, at);
        note_refund(ids, order, given_back, at);
    }
    for item in &mut order.line_items {
        item.current_quantity = 0;
    }
    order.cancelled_at = Some(at);
    order.updated_at = order.updated_at.max(at);
    Ok(())
}
