//! The socket: accepting, bounding and closing connections.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::routes::router;
use crate::state::{AppState, GatewayError};

/// Pause after a failed `accept`, which is mostly out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the API until it is told to stop, then lets requests under way finish for a while.
///
/// # Errors
/// `Listener` when the socket has no address, because it was closed.
pub async fn serve(
    listener: TcpListener,
    state: AppState,
    shutdown: CancellationToken,
) -> Result<(), GatewayError> {
    let address = listener.local_addr().map_err(GatewayError::Listener)?;
    let settings = state.settings().clone();
    let server = Server {
        router: router(state),
        head_limit: settings.timeouts.head(),
        shutdown: shutdown.clone(),
    };
    tracing::info!(%address, "listening");

    let places = Arc::new(Semaphore::new(settings.limits.connections_max));
    let connections = TaskTracker::new();
    while let Some((stream, peer)) = accept(&listener, &places, &shutdown).await {
        let (permit, server) = (Arc::clone(&places).try_acquire_owned(), server.clone());
        connections.spawn(async move {
            server.serve_connection(stream, peer).await;
            drop(permit);
        });
    }

    drop(listener);
    connections.close();
    let drained = tokio::time::timeout(settings.timeouts.shutdown(), connections.wait()).await;
    if drained.is_ok() {
        tracing::info!("every request was finished");
    } else {
        tracing::warn!(connections = connections.len(), "requests were cut off");
    }
    Ok(())
}

/// The next connection, once there is room for it; `None` at shutdown.
async fn accept(
    listener: &TcpListener,
    places: &Semaphore,
    shutdown: &CancellationToken,
) -> Option<(TcpStream, SocketAddr)> {
    let next = async {
        loop {
            // Only this loop takes places, so one that is seen free is still free afterwards.
            let Ok(place) = places.acquire().await else {
                return std::future::pending().await;
            };
            drop(place);
            match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::error!(%error, "accepting a connection failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shutdown.cancelled() => None,
        accepted = next => Some(accepted),
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

#[derive(Clone)]
struct Server {
    router: Router,
    head_limit: Duration,
    shutdown: CancellationToken,
}

impl Server {
    async fn serve_connection(self, stream: TcpStream, peer: SocketAddr) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "the connection keeps collecting small packets");
        }
        let service =
            self.router
                .map_request(move |mut request: hyper::Request<hyper::body::Incoming>| {
                    request.extensions_mut().insert(ConnectInfo(peer));
                    request.map(axum::body::Body::new)
                });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.head_limit)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service));
        let mut connection = std::pin::pin!(connection);
        let served = tokio::select! {
            served = connection.as_mut() => served,
            () = self.shutdown.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = served {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
