//! Connections and the choice between OTLP's transports.

use std::convert::Infallible;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tonic::body::Body;

use crate::shared::Shared;
use crate::{grpc, http as binary};

pub(crate) async fn serve(listener: TcpListener, tls: Option<TlsAcceptor>, shared: Shared) {
    while let Ok((stream, _)) = listener.accept().await {
        let (shared, tls) = (shared.clone(), tls.clone());
        tokio::spawn(async move {
            match tls {
                None => converse(TokioIo::new(stream), shared).await,
                // A client that does not trust this receiver breaks off, which is what some tests are about.
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        converse(TokioIo::new(stream), shared).await;
                    }
                }
            }
        });
    }
}

async fn converse(io: impl Read + Write + Unpin + Send + 'static, shared: Shared) {
    let service = service_fn(move |request| answer(request, shared.clone()));
    // The end of a connection is the client's business.
    let _ = auto::Builder::new(TokioExecutor::new())
        .serve_connection(io, service)
        .await;
}

async fn answer(request: Request<Incoming>, shared: Shared) -> Result<Response<Body>, Infallible> {
    let headers = request.headers().clone();
    let is_grpc = headers
        .get("content-type")
        .is_some_and(|kind| kind == "application/grpc");
    let entry = (request.uri().path().to_owned(), headers);
    shared.change(|state| state.received.requests.push(entry));
    Ok(match is_grpc {
        true => grpc::answer(request, shared).await,
        false => binary::answer(request, shared).await,
    })
}
