//! Connections: taken, encrypted when the operator gave a certificate, bounded in number and in patience.

use super::{lanes::Lanes, tls::Tls};
use askfirst_http::Front;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto::Builder,
    service::TowerToHyperService,
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long to wait when the machine has no connection left to give, before asking again.
const BREATH: Duration = Duration::from_millis(50);
/// The first byte of a TLS connection: a handshake record (RFC 8446, section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

/// What an operator may set about connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Open connections. Further ones wait in the machine's queue.
    pub(crate) connections: usize,
    /// For the TLS handshake, and for the head of a request; an idle connection is closed after as long.
    pub(crate) patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, patience: Duration::from_secs(75) }
    }
}

/// Answers until told to stop; then takes no more connections and lets the calls that run end.
pub(super) async fn serve(
    listener: TcpListener,
    lanes: Arc<Lanes>,
    tls: Option<Tls>,
    front: Front,
    limits: Limits,
    stop: CancellationToken,
) {
    let slots = Arc::new(Semaphore::new(limits.connections));
    let connections = TaskTracker::new();
    let taken = stop.run_until_cancelled(async {
        loop {
            // The semaphore is never closed, so a slot always comes.
            let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
            let stream = accept(&listener).await;
            let (tls, front, stop) = (tls.clone(), front.clone(), stop.clone());
            let held = async move {
                if let Err(reason) = one(stream, tls, front, limits, stop).await {
                    tracing::debug!(%reason, "a connection ended early");
                }
                drop(slot);
            };
            connections.spawn_on(held, lanes.next());
        }
    });
    taken.await;
    drop(listener);
    connections.close();
    connections.wait().await;
}

/// A connection that no runtime holds yet.
async fn accept(listener: &TcpListener) -> std::net::TcpStream {
    loop {
        match listener.accept().await.and_then(|(stream, _)| stream.into_std()) {
            Ok(stream) => return stream,
            // The other side has gone already.
            Err(e) if is_theirs(&e) => {}
            Err(e) => {
                tracing::error!(reason = %e, "can't take connections");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

fn is_theirs(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset
    )
}

type Ended = Result<(), Box<dyn std::error::Error + Send + Sync>>;

async fn one(
    stream: std::net::TcpStream,
    tls: Option<Tls>,
    front: Front,
    limits: Limits,
    stop: CancellationToken,
) -> Ended {
    // Here, on its lane, which is told of what comes in.
    let stream = TcpStream::from_std(stream)?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return talk(stream, front, limits, stop).await };
    // A server that is told to stop does not wait for a handshake.
    let greeted = timeout(limits.patience, greet(stream, &tls));
    match stop.run_until_cancelled(greeted).await {
        Some(Ok(Ok(Some(stream)))) => talk(stream, front, limits, stop).await,
        Some(Ok(Err(e))) => Err(e.into()),
        Some(Err(_)) => Err("no handshake in time".into()),
        None | Some(Ok(Ok(None))) => Ok(()),
    }
}

/// The TLS handshake; none when the other side speaks plain HTTP, which is told so.
async fn greet(
    mut stream: TcpStream,
    tls: &Tls,
) -> io::Result<Option<tokio_rustls::server::TlsStream<TcpStream>>> {
    let mut first = [0];
    if stream.peek(&mut first).await? == 0 {
        return Ok(None);
    }
    if first != [TLS_HANDSHAKE] {
        stream.write_all(PLAIN.as_bytes()).await?;
        stream.shutdown().await?;
        return Ok(None);
    }
    tls.acceptor().accept(stream).await.map(Some)
}

/// What is told to a client that sends plain HTTP to a port that speaks TLS.
const PLAIN: &str = concat!(
    "HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\nconnection: close\r\n\r\n",
    r#"{"title":"HTTPS only","status":400,"detail":"This port speaks HTTPS: write https:// in the address."}"#,
);

async fn talk<S>(stream: S, front: Front, limits: Limits, stop: CancellationToken) -> Ended
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.patience);
    builder.http2().timer(TokioTimer::new()).keep_alive_interval(limits.patience);
    let service = TowerToHyperService::new(front.service());
    let mut connection = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}
