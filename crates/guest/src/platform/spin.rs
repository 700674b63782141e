//! The Spin host, and any other that offers WASI 0.3, `spin:key-value` and `spin:variables`.

use std::io::Write;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::{Either, LocalBoxFuture, join, select};
use http_body_util::{BodyExt, Limited};
use opentelemetry_http::{HttpClient, HttpError};
use spin_sdk::variables;
use spin_sdk::wasip3::http::client;
use spin_sdk::wasip3::http::types::{self, Fields};
use spin_sdk::wasip3::http_compat::{BodyWriter, http_from_wasi_response};
use spin_sdk::wit_bindgen;

use super::Platform;
use crate::store::{Backend, StoreError};

mod store;

use store::SpinStore;

/// How long one outgoing request may take, until its answer's last byte.
const OUTGOING_TIMEOUT: Duration = Duration::from_secs(3);

/// An OTLP receiver answers with a few bytes; more is not read.
const MAX_ANSWER: usize = 64 * 1024;

/// The host of this instance.
#[derive(Debug)]
pub(crate) struct Spin {
    start: Instant,
}

impl Spin {
    pub(crate) fn new() -> Self {
        Self {
            start: Instant::now(),
        }
    }
}

impl Platform for Spin {
    fn variable(&self, name: &'static str) -> LocalBoxFuture<'_, Result<Option<String>, String>> {
        Box::pin(async move {
            match variables::get(name).await {
                Ok(value) => Ok(Some(value)),
                Err(variables::Error::Undefined(_)) => Ok(None),
                Err(error) => Err(error.to_string()),
            }
        })
    }

    fn open_store(
        &self,
        label: &'static str,
    ) -> LocalBoxFuture<'_, Result<Rc<dyn Backend>, StoreError>> {
        Box::pin(async move { Ok(Rc::new(SpinStore::open(label).await?) as Rc<dyn Backend>) })
    }

    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, duration: Duration) -> LocalBoxFuture<'static, ()> {
        Box::pin(spin_sdk::time::sleep(duration))
    }

    fn spawn(&self, task: LocalBoxFuture<'static, ()>) {
        wit_bindgen::spawn(task);
    }

    /// A line that can't be written is lost: there is nowhere else to say so.
    fn log_line(&self, line: &str) {
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    fn http_client(&self) -> Arc<dyn HttpClient> {
        Arc::new(Outgoing)
    }
}

/// `wasi:http/client`
#[derive(Debug)]
struct Outgoing;

#[async_trait]
impl HttpClient for Outgoing {
    async fn send_bytes(
        &self,
        request: http::Request<Bytes>,
    ) -> Result<http::Response<Bytes>, HttpError> {
        in_time(request).await
    }
}

async fn in_time(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
    let exchange = std::pin::pin!(exchange(request));
    let timeout = std::pin::pin!(spin_sdk::time::sleep(OUTGOING_TIMEOUT));
    match select(exchange, timeout).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => Err("no answer in time".into()),
    }
}

/// The SDK's `send` leaves the body to a task it spawns, and wit-bindgen polls such a task only after the next event of
/// the component, which here is the answer that waits for the body. So body and answer are awaited together.
async fn exchange(request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError> {
    let (mut parts, body) = request.into_parts();
    parts
        .headers
        .insert(http::header::CONTENT_LENGTH, body.len().into());
    let (mut writer, contents, trailers) = BodyWriter::new();
    let (host, _transmitted) = types::Request::new(
        Fields::try_from(parts.headers)?,
        Some(contents),
        trailers,
        None,
    );
    let scheme = parts.uri.scheme().map(types::Scheme::from);
    let path = parts
        .uri
        .path_and_query()
        .map(http::uri::PathAndQuery::as_str);
    let valid = host.set_method(&parts.method.into()).is_ok()
        && host.set_scheme(scheme.as_ref()).is_ok()
        && host
            .set_authority(parts.uri.authority().map(http::uri::Authority::as_str))
            .is_ok()
        && host.set_path_with_query(path).is_ok();
    if !valid {
        return Err("the host takes no such URL".into());
    }
    let write = async {
        // What isn't taken shows in the answer.
        let _ = writer.stream_writer.write_all(body.into()).await;
        drop(writer.stream_writer);
        let _ = writer.result_writer.write(Ok(None)).await;
    };
    let (answer, ()) = join(client::send(host), write).await;
    let (parts, body) = http_from_wasi_response(answer?)?.into_parts();
    let body = Limited::new(body, MAX_ANSWER).collect().await?.to_bytes();
    Ok(http::Response::from_parts(parts, body))
}
