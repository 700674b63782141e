//! OTLP: one batch in, delivered or given up within its time.
//!
//! The exporters of `opentelemetry-otlp` are not used: their builders read the process's environment behind the caller's back (headers
//! and compression cannot be kept from it), and their gRPC needs a second HTTP stack. gRPC's unary call is one HTTP/2 request, so the
//! client here speaks both protocols over hyper; the messages and their conversion are opentelemetry-proto's.

mod connect;
mod grpc;
mod http;

use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ::http::{HeaderMap, HeaderValue, Uri, header};
use bytes::Bytes;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message as _;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use crate::Error;
use crate::settings::{Compression, Export, Protocol};

/// Longest response that is read; the specification recommends 4 MiB.
const MAX_RESPONSE: usize = 4 << 20;
/// First pause before a retry; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// Longest pause that we choose ourselves; a receiver may ask for more.
const MAX_PAUSE: Duration = Duration::from_secs(5);
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!(
    "OTel-OTLP-Exporter-spinfo-Rust/",
    env!("CARGO_PKG_VERSION")
));

/// Sends one signal's batches to one receiver.
pub(crate) struct Exporter {
    client: connect::Client,
    endpoint: Uri,
    headers: HeaderMap,
    protocol: Protocol,
    compression: Compression,
    timeout: Duration,
}

/// Why one attempt did not succeed.
enum Failure {
    /// Worth another attempt, not before the pause that the receiver asked for.
    Passing {
        reason: String,
        pause: Option<Duration>,
    },
    /// The same batch will never be taken.
    Final(String),
}

/// Items that a receiver refused out of a batch that it took (OTLP, "Partial Success").
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) items: u64,
    pub(crate) message: String,
}

impl Exporter {
    /// # Errors
    ///
    /// [`Error::Certificate`] when a certificate or key cannot be used.
    pub(crate) fn new(export: Export) -> Result<Self, Error> {
        let client = connect::client(&export)?;
        let mut headers = HeaderMap::new();
        headers.insert(header::USER_AGENT, USER_AGENT);
        headers.extend(export.headers);
        Ok(Self {
            client,
            endpoint: export.endpoint,
            headers,
            protocol: export.protocol,
            compression: export.compression,
            timeout: export.timeout,
        })
    }

    /// The receiver's host and port, for messages: the rest of the URL may hold a secret.
    pub(crate) fn receiver(&self) -> String {
        let host = self.endpoint.host().unwrap_or_default();
        self.endpoint
            .port_u16()
            .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Delivers an encoded request, retrying what is worth it until `limit` or the receiver's own time-out is over. Once `stop` is true
    /// there is no more waiting: what fails then has failed.
    pub(crate) async fn send(
        &self,
        message: Vec<u8>,
        limit: Duration,
        stop: &watch::Receiver<bool>,
    ) -> Result<Rejected, String> {
        let limit = limit.min(self.timeout);
        let message = self.compressed(message);
        let deadline = Instant::now().checked_add(limit);
        let mut last = None;
        let attempts = self.attempts(message, deadline, stop.clone(), &mut last);
        match timeout(limit, attempts).await {
            Ok(outcome) => outcome,
            Err(_) => {
                Err(last.unwrap_or_else(|| format!("no answer within {} ms", limit.as_millis())))
            }
        }
    }

    async fn attempts(
        &self,
        message: Bytes,
        deadline: Option<Instant>,
        mut stop: watch::Receiver<bool>,
        last: &mut Option<String>,
    ) -> Result<Rejected, String> {
        let mut pause = FIRST_PAUSE;
        loop {
            let stopping = *stop.borrow();
            let attempt = match self.protocol {
                Protocol::HttpProtobuf => http::attempt(self, message.clone()).await,
                Protocol::Grpc => grpc::attempt(self, message.clone()).await,
            };
            let (reason, asked) = match attempt {
                Ok(response) => return Ok(rejected(&response)),
                Err(Failure::Final(reason)) => return Err(reason),
                Err(Failure::Passing { reason, pause }) => (reason, pause),
            };
            let wait = asked.unwrap_or_else(|| jittered(pause));
            let too_late = deadline
                .is_some_and(|deadline| wait >= deadline.saturating_duration_since(Instant::now()));
            if stopping || too_late {
                return Err(reason);
            }
            *last = Some(reason);
            tokio::select! {
                () = sleep(wait) => {}
                // A sender that is gone is a process that stops.
                _ = stop.wait_for(|stop| *stop) => {}
            }
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    fn compressed(&self, message: Vec<u8>) -> Bytes {
        match self.compression {
            Compression::None => message.into(),
            Compression::Gzip => {
                let mut encoder = GzEncoder::new(
                    Vec::with_capacity(message.len() / 4),
                    flate2::Compression::fast(),
                );
                // Writing into a vector cannot fail, so neither can this.
                let written = encoder.write_all(&message).and_then(|()| encoder.finish());
                written.unwrap_or_default().into()
            }
        }
    }
}

/// Between half of `pause` and all of it, so that many clients of a receiver that returns do not come at once.
fn jittered(pause: Duration) -> Duration {
    let noise = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |now| now.subsec_nanos());
    pause / 2 + pause.mul_f64(f64::from(noise % 1000) / 2000.0)
}

/// The partial success in a response. The three signals' responses have the same fields with the same numbers, so one type reads all.
/// A response that cannot be decoded came with a success, which is what counts.
fn rejected(response: &[u8]) -> Rejected {
    ExportTraceServiceResponse::decode(response)
        .ok()
        .and_then(|response| response.partial_success)
        .map(|partial| Rejected {
            items: u64::try_from(partial.rejected_spans).unwrap_or_default(),
            message: partial.error_message,
        })
        .unwrap_or_default()
}

/// An error with its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
