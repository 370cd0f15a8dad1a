//! Listening, and going in good order: what is under way is finished, for a while.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// How long what is under way may take once the program was told to end.
const GRACE: Duration = Duration::from_secs(20);

/// Serves until the token is cancelled, and then until the last answer is sent or the patience ends.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let server =
        axum::serve(listener, service).with_graceful_shutdown(shutdown.clone().cancelled_owned());
    let patience = async {
        shutdown.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = server => result,
        () = patience => {
            tracing::warn!("some clients did not take their answers in time");
            Ok(())
        }
    }
}
