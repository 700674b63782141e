//! One request to a target, from the span's start to the report's numbers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::header::{AUTHORIZATION, LOCATION};
use http::{Method, StatusCode};
use opentelemetry::ContextGuard;
use spinfo_client::{Answer, Failure, Limits, Target, Warm};

use crate::document::Document;
use crate::report::{Phases, ReportError, Sent, rounded};
use crate::settings::RequestSettings;
use crate::telemetry::{Call, Ended, Instruments};

/// A status document has a few hundred bytes; a server that sends more than this has lost its way.
const BODY_LIMIT: usize = 1 << 20;

/// Sends the requests of one target, one after the other.
pub(crate) struct Requests {
    warm: Warm,
    settings: Arc<RequestSettings>,
    instruments: Arc<Instruments>,
}

/// A request that is over, well or not. Its span ends with [`Done::finish`].
pub(crate) struct Done {
    pub(crate) reused: bool,
    pub(crate) phases: Phases,
    timestamp: SystemTime,
    duration: Duration,
    method: Method,
    result: Result<Answer, Failure>,
    peer: Option<SocketAddr>,
    target: Target,
    call: Call,
}

impl Requests {
    pub(crate) fn new(settings: Arc<RequestSettings>, instruments: Arc<Instruments>) -> Self {
        Self {
            warm: Warm::new(settings.client.clone()),
            settings,
            instruments,
        }
    }

    /// Sends a request. Only those that change something carry the token.
    pub(crate) async fn send(&mut self, method: Method, target: &Target) -> Done {
        let call = self.instruments.start(&method, target);
        let mut headers = self.settings.headers.clone();
        self.instruments.inject(&call, &mut headers);
        if let Some(token) = &self.settings.authorization
            && method != Method::GET
        {
            headers.insert(AUTHORIZATION, token.clone());
        }
        let request = spinfo_client::Request {
            method: method.clone(),
            target,
            headers: &headers,
            body: Bytes::new(),
        };
        let timestamp = SystemTime::now();
        let began = Instant::now();
        let limits = Limits {
            body_bytes: BODY_LIMIT,
            deadline: began + self.settings.flags.timeout,
        };
        let (mut phases, mut reused) = (Phases::default(), false);
        // By itself, so that its phases are known when what follows fails.
        let sent = match self.warm.connect(target, limits.deadline).await {
            Ok(made) => {
                phases.made(made);
                reused = made.is_none();
                self.warm.send(request, limits).await
            }
            Err(failure) => Err(failure),
        };
        let ended = Instant::now();
        let peer = self.warm.connection().map(spinfo_client::Connection::peer);
        if self.settings.flags.no_keepalive {
            self.warm.close();
        }
        if let Ok(exchange) = &sent {
            phases.first_byte = Some(rounded(exchange.answer.head_at - exchange.answer.sent_at));
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
            method,
            result,
            peer,
            target: target.clone(),
            call,
        }
    }
}

impl Phases {
    /// Takes over what a connection took, if one had to be made.
    fn made(&mut self, made: Option<spinfo_client::Phases>) {
        if let Some(made) = made {
            self.dns = Some(rounded(made.dns));
            self.connect = Some(rounded(made.connect));
            self.tls = made.tls.map(rounded);
        }
    }
}

impl Done {
    pub(crate) fn status(&self) -> Option<u16> {
        let answer = self.result.as_ref().ok();
        answer.map(|answer| answer.status.as_u16())
    }

    /// What there is to say about it, by the name of its target.
    pub(crate) fn sent(
        &self,
        target: &str,
        document: Option<&Document>,
        error: Option<ReportError>,
    ) -> Sent {
        Sent {
            timestamp: self.timestamp,
            target: target.to_owned(),
            endpoint: self.target.to_string(),
            method: self.method.to_string(),
            duration: self.duration,
            success: error.is_none(),
            status: self.status(),
            error,
            state: document.map(|document| document.state.clone()),
            revision: document.map(|document| document.revision),
            trace_id: self.call.trace_id(),
        }
    }

    /// What the body says of the server's state, if it does.
    pub(crate) fn document(&self) -> Option<Document> {
        let answer = self.result.as_ref().ok();
        answer.and_then(|answer| Document::parse(&answer.body))
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
            message += &format!(": leads to {leads_to}, redirects are not followed");
        } else if let Some(shown) = shown {
            message += &format!(": the server's state is {}", shown.state);
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
        instruments.finish(
            self.call,
            &Ended {
                duration: self.duration,
                answer: self.result.as_ref().ok(),
                peer: self.peer,
                error,
            },
        );
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
