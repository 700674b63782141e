//! One request to a target, from the span's start to the report's numbers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::LOCATION;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use opentelemetry::ContextGuard;
use spinfo_client::{Answer, Failure, Limits, Target, Warm};

use crate::document::Document;
use crate::report::{Phases, ReportError};
use crate::settings::{TOKEN_HEADER, TargetSettings};
use crate::telemetry::{Call, CallError, CallResult, Instruments};

/// A status document has a few hundred bytes; a server that sends more than this has lost its way.
const BODY_LIMIT: usize = 1 << 20;

/// Sends the requests of one target, one after the other.
pub(crate) struct Requests {
    warm: Warm,
    headers: HeaderMap,
    timeout: Duration,
    keepalive: bool,
    instruments: Arc<Instruments>,
}

/// What is asked of which endpoint.
pub(crate) struct Ask<'a> {
    pub(crate) method: Method,
    pub(crate) target: &'a Target,
    /// Its path, for the span's name.
    pub(crate) path: &'a str,
    /// Only changes need it.
    pub(crate) authorization: Option<&'a HeaderValue>,
}

/// A request that is over, well or not. Its span ends with [`Done::finish`].
pub(crate) struct Done {
    pub(crate) timestamp: SystemTime,
    pub(crate) duration: Duration,
    pub(crate) reused: bool,
    pub(crate) phases: Phases,
    pub(crate) trace_id: Option<String>,
    result: Result<Answer, Failure>,
    peer: Option<SocketAddr>,
    target: Target,
    call: Call,
}

impl Requests {
    pub(crate) fn new(settings: &TargetSettings, instruments: Arc<Instruments>) -> Self {
        Self {
            warm: Warm::new(settings.client.clone()),
            headers: settings.headers.clone(),
            timeout: settings.timeout,
            keepalive: settings.keepalive,
            instruments,
        }
    }

    pub(crate) async fn send(&mut self, ask: Ask<'_>) -> Done {
        let call = self
            .instruments
            .start(method_name(&ask.method), ask.target, ask.path);
        let mut headers = self.headers.clone();
        self.instruments.inject(&call, &mut headers);
        if let Some(authorization) = ask.authorization {
            headers.insert(TOKEN_HEADER, authorization.clone());
        }
        let request = spinfo_client::Request {
            method: ask.method,
            target: ask.target,
            headers: &headers,
            body: Bytes::new(),
        };
        let timestamp = SystemTime::now();
        let began = Instant::now();
        let limits = Limits {
            body_bytes: BODY_LIMIT,
            deadline: began + self.timeout,
        };
        let (mut phases, mut reused) = (Phases::default(), false);
        // By itself, so that its phases are known when what follows fails.
        let sent = match self.warm.connect(ask.target, limits.deadline).await {
            Ok(made) => {
                phases.made(made);
                reused = made.is_none();
                self.warm.send(request, limits).await
            }
            Err(failure) => Err(failure),
        };
        let ended = Instant::now();
        let peer = self.warm.connection().map(spinfo_client::Connection::peer);
        if !self.keepalive {
            self.warm.close();
        }
        if let Ok(exchange) = &sent {
            phases.first_byte = Some(exchange.answer.head_at - exchange.answer.sent_at);
            phases.made(exchange.phases);
            reused = exchange.reused();
        }
        let result = sent.map(|exchange| exchange.answer);
        Done {
            timestamp,
            // The stamp of the last byte is not delayed by what else this thread has to do.
            duration: result.as_ref().map_or(ended, |answer| answer.finished_at) - began,
            reused,
            phases,
            trace_id: call.trace_id(),
            result,
            peer,
            target: ask.target.clone(),
            call,
        }
    }

    pub(crate) fn instruments(&self) -> &Instruments {
        &self.instruments
    }
}

impl Phases {
    /// Takes over what a connection took, if one had to be made.
    fn made(&mut self, made: Option<spinfo_client::Phases>) {
        if let Some(made) = made {
            (self.dns, self.connect, self.tls) = (Some(made.dns), Some(made.connect), made.tls);
        }
    }
}

impl Done {
    pub(crate) fn status(&self) -> Option<u16> {
        self.result
            .as_ref()
            .ok()
            .map(|answer| answer.status.as_u16())
    }

    pub(crate) fn body(&self) -> &[u8] {
        self.result.as_ref().map_or(&[], |answer| &answer.body)
    }

    /// Why this is a failure. 2xx is none, and neither is the code of a state that was asked for, as long as the answer shows that state.
    pub(crate) fn error(
        &self,
        promise: Option<&Document>,
        shown: Option<&Document>,
    ) -> Option<ReportError> {
        let answer = match &self.result {
            Ok(answer) => answer,
            Err(failure) => {
                return Some(ReportError {
                    kind: failure.error_type(),
                    message: failure.message.clone(),
                });
            }
        };
        let kept = promise.is_some_and(|promise| {
            answer.status.as_u16() == promise.code
                && shown.is_some_and(|shown| shown.revision == promise.revision)
        });
        if answer.status.is_success() || kept {
            return None;
        }
        let mut message = named(answer.status);
        if let Some(leads_to) = redirection(answer, &self.target) {
            message = format!("{message}: leads to {leads_to}, redirects are not followed");
        } else if let Some(shown) = shown {
            message = format!("{message}: the server's state is {}", shown.state);
        }
        Some(ReportError {
            kind: "status",
            message,
        })
    }

    /// Makes the span current on this thread, so that log records carry its ids.
    pub(crate) fn attach(&self) -> ContextGuard {
        self.call.attach()
    }

    /// Ends the span and records the duration.
    pub(crate) fn finish(self, instruments: &Instruments, error: Option<&ReportError>) {
        let status = self.status();
        let error = error.map(|error| CallError {
            // The semantic conventions have the code for a wrong code.
            kind: match status {
                Some(status) if error.kind == "status" => status.to_string(),
                _ => error.kind.to_owned(),
            },
            message: error.message.clone(),
        });
        let result = CallResult {
            duration: self.duration,
            status,
            version: self.result.as_ref().ok().map(|answer| answer.version),
            peer: self.peer,
            error: error.as_ref(),
        };
        instruments.finish(self.call, &result);
    }
}

/// Where an answer sends its client, without secrets.
fn redirection(answer: &Answer, from: &Target) -> Option<String> {
    if !answer.status.is_redirection() {
        return None;
    }
    let location = answer.headers.get(LOCATION)?.to_str().ok();
    let target = location.and_then(|location| from.join(location).ok());
    Some(target.map_or_else(
        || "an address that cannot be read".to_owned(),
        |target| target.to_string(),
    ))
}

/// `503 Service Unavailable`.
fn named(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("{} {reason}", status.as_u16()),
        None => status.as_u16().to_string(),
    }
}

/// The methods that this program uses.
pub(crate) fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::POST => "POST",
        Method::DELETE => "DELETE",
        _ => "GET",
    }
}
