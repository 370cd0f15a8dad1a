//! Requests of customers under privacy law.

use super::codes::codes;

codes! {
    /// The kinds of privacy requests.
    PrivacyRequestKind {
        /// The customer requests a copy of their stored data.
        DataRequest = "DATA_REQUEST",
        /// The customer requests the deletion of their personal data.
        CustomerRedaction = "CUSTOMER_REDACTION",
    }
}
