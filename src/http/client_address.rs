//! The network address of a client, for rate limits and session lists.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;

/// The address of the client. Behind a proxy it is in `X-Forwarded-For`.
pub(super) fn client_address(parts: &Parts, behind_proxy: bool) -> Option<IpAddr> {
    let peer = || {
        parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map(|info| info.0.ip())
    };
    if behind_proxy {
        forwarded_for(&parts.headers).or_else(peer)
    } else {
        peer()
    }
}

/// The last address of the list, which the operator's own proxy appended. The client may have sent the others.
fn forwarded_for(headers: &HeaderMap) -> Option<IpAddr> {
    let list = headers
        .get_all("x-forwarded-for")
        .iter()
        .next_back()?
        .to_str()
        .ok()?;
    list.rsplit(',').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_the_entry_of_the_own_proxy_is_trusted() {
        let mut headers = HeaderMap::new();
        headers.append("x-forwarded-for", HeaderValue::from_static("10.0.0.1"));
        headers.append(
            "x-forwarded-for",
            HeaderValue::from_static("10.0.0.2, 192.0.2.7"),
        );
        assert_eq!(forwarded_for(&headers), Some("192.0.2.7".parse().unwrap()));
        assert_eq!(forwarded_for(&HeaderMap::new()), None);
    }
}
