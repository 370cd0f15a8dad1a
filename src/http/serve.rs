//! Serving requests, and graceful shutdown.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long open requests may take after the shutdown began.
const GRACE_PERIOD: Duration = Duration::from_secs(20);

/// Serves until the token is cancelled, then until all requests are answered or the grace period ends.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let grace_period = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE_PERIOD).await;
    };
    tokio::select! {
        result = server => result,
        () = grace_period => {
            tracing::warn!("shutdown grace period ended with open requests");
            Ok(())
        }
    }
}
