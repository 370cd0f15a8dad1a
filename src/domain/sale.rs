//! The words of Shopify's sales ledger. What a newer version of Shopify adds reads as UNKNOWN, never as an error.

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A word that this version does not know.
            Unknown,
        }

        impl $name {
            /// The word as Shopify writes it.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Unknown => "UNKNOWN",
                }
            }

            /// The value that Shopify writes so; anything else is `Unknown`.
            #[must_use]
            pub fn from_word(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    _ => Self::Unknown,
                }
            }
        }
    };
}

words! {
    /// Why an agreement came about.
    AgreementReason {
        /// The order was placed.
        Order = "ORDER",
        /// The order was edited.
        OrderEdit = "ORDER_EDIT",
        /// Something was refunded.
        Refund = "REFUND",
        /// Something was returned.
        Return = "RETURN",
    }
}

words! {
    /// What a sale does.
    SaleAction {
        /// Sells with the order.
        Order = "ORDER",
        /// Takes back.
        Return = "RETURN",
        /// Changes what was sold, up or down.
        Update = "UPDATE",
    }
}

words! {
    /// What a sale is of.
    SaleLineType {
        /// An article.
        Product = "PRODUCT",
        /// Shipping.
        Shipping = "SHIPPING",
        /// Import duty.
        Duty = "DUTY",
        /// A fee.
        Fee = "FEE",
        /// A further fee.
        AdditionalFee = "ADDITIONAL_FEE",
        /// A tip: in no figure.
        Tip = "TIP",
        /// A gift card: a promise of goods, in no figure.
        GiftCard = "GIFT_CARD",
        /// A correction of an amount that belongs to no line.
        Adjustment = "ADJUSTMENT",
    }
}
