//! A stand-in for a Shopify store.
