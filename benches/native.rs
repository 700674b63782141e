//! A native hyper server that gives the answer of `GET /` and takes whatever is posted: the limit of what a host could reach, and a
//! receiver of telemetry that costs as little as one can.

use std::convert::Infallible;
use std::io::Read as _;
use std::net::SocketAddr;

use anyhow::Context as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Serves until stdin is closed, which happens when the program that started it ends.
///
/// # Errors
/// When no port can be bound.
pub fn run(announce: impl FnOnce(SocketAddr)) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    let listener = runtime
        .block_on(TcpListener::bind("127.0.0.1:0"))
        .context("cannot bind a port")?;
    announce(listener.local_addr()?);
    runtime.spawn(accept(listener));
    std::io::stdin()
        .read_to_end(&mut Vec::new())
        .context("cannot wait for the end")?;
    Ok(())
}

async fn accept(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        // A connection without the option is only slower.
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            // A client that goes away early is no failure of the server.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service_fn(answer))
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    // The rest of the body has to be read for the connection to stay usable.
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Full::new(Bytes::from_static(b"Hello World")));
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    Ok(response)
}
