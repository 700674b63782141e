//! The request, its redirects and where the time goes.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use spinfo_client::{
    Certificate, Client, Connection, Failure, Limits, Phases, Request, Target, Warm,
};

use super::Settings;
use super::certificate;
use super::outcome::{CertificateSeen, Finding, Http, PhaseTimes, Severity, Step};
use crate::span::CheckSpan;

/// What came of the request.
pub(super) struct Fetched {
    /// From the beginning to the last byte or to the failure.
    pub(super) time: Duration,
    /// Of all servers on the way, the one that expires first. Known even when the answer is not.
    pub(super) certificate: Option<CertificateSeen>,
    /// To the server that answered last, for more questions.
    pub(super) connection: Warm,
    pub(super) answer: Result<Answer, Finding>,
}

/// The last answer.
pub(super) struct Answer {
    pub(super) http: Http,
    pub(super) body: Bytes,
    /// `content-encoding`, for a server that compresses whatever it is asked for.
    pub(super) encoding: Option<String>,
    /// Whom it came from.
    pub(super) target: Target,
}

/// Asks the URL of the settings and follows redirects to an answer.
pub(super) async fn fetch(
    client: &Client,
    settings: &Settings,
    (began, deadline): (Instant, Instant),
    span: &CheckSpan,
) -> Fetched {
    let mut journey = Journey {
        settings,
        began,
        limits: Limits {
            body_bytes: settings.max_body,
            deadline,
        },
        span,
        connection: Warm::new(client.clone()),
        certificate: None,
        phases: PhaseTimes::default(),
        redirects: 0,
        finished: None,
    };
    let answer = journey.follow().await;
    let end = journey.finished.unwrap_or_else(Instant::now);
    Fetched {
        time: end.saturating_duration_since(began),
        certificate: journey.certificate,
        connection: journey.connection,
        answer,
    }
}

/// What `target` may be sent: headers that hold secrets go only to the server that they were meant for.
pub(super) fn headers_for(settings: &Settings, target: &Target) -> HeaderMap {
    let mut headers = settings.headers.clone();
    if !target.same_origin(&settings.target) {
        let secret: HashSet<_> = headers
            .iter()
            .filter(|(_, value)| value.is_sensitive())
            .map(|(name, _)| name.clone())
            .collect();
        for name in secret {
            headers.remove(name);
        }
    }
    headers
}

struct Journey<'a> {
    settings: &'a Settings,
    began: Instant,
    limits: Limits,
    span: &'a CheckSpan,
    connection: Warm,
    certificate: Option<CertificateSeen>,
    phases: PhaseTimes,
    redirects: u32,
    /// When the last byte of the latest answer was here.
    finished: Option<Instant>,
}

impl Journey<'_> {
    async fn follow(&mut self) -> Result<Answer, Finding> {
        let mut target = self.settings.target.clone();
        let mut seen = HashSet::from([target.url().clone()]);
        loop {
            let answer = self.ask(&target).await?;
            let Some(next) = self.redirect(&answer, &target)? else {
                return self.arrive(answer, target);
            };
            if self.redirects == self.settings.max_redirects {
                return Err(critical(format!(
                    "more than {} redirects, the last from {target} to {next}",
                    self.settings.max_redirects
                )));
            }
            if !seen.insert(next.url().clone()) {
                let cookie = if answer.headers.contains_key(SET_COOKIE) {
                    "; it sets a cookie, and no cookies are kept: send it with --header"
                } else {
                    ""
                };
                return Err(critical(format!(
                    "redirect loop: {target} leads back to {next}{cookie}"
                )));
            }
            self.redirects += 1;
            target = next;
        }
    }

    /// One request.
    async fn ask(&mut self, target: &Target) -> Result<spinfo_client::Answer, Finding> {
        self.finished = None;
        let mut headers = headers_for(self.settings, target);
        // The body is looked at as it comes.
        headers
            .entry(ACCEPT_ENCODING)
            .or_insert(HeaderValue::from_static("identity"));
        let span = self.span.request(target, &mut headers);
        let asked = self.exchange(target, &headers).await;
        span.end_request(self.connection.connection(), &asked);
        let answer = asked.map_err(|failure| {
            self.presented(failure.certificate.clone());
            self.failed(target, &failure)
        })?;
        self.finished = Some(answer.finished_at);
        self.phases.processing += answer.head_at.saturating_duration_since(answer.sent_at);
        self.phases.transfer += answer.finished_at.saturating_duration_since(answer.head_at);
        Ok(answer)
    }

    async fn exchange(
        &mut self,
        target: &Target,
        headers: &HeaderMap,
    ) -> Result<spinfo_client::Answer, Failure> {
        // Before the request, for after one that fails there is no connection to be looked at.
        let phases = self
            .connection
            .connect(target, self.limits.deadline)
            .await?;
        self.connected(phases);
        let request = Request {
            method: Method::GET,
            target,
            headers,
            body: Bytes::new(),
        };
        let exchange = self.connection.send(request, self.limits).await?;
        self.connected(exchange.phases);
        Ok(exchange.answer)
    }

    fn connected(&mut self, phases: Option<Phases>) {
        let Some(phases) = phases else { return };
        self.phases.resolve += phases.dns;
        self.phases.connect += phases.connect;
        if let Some(tls) = phases.tls {
            *self.phases.tls.get_or_insert_default() += tls;
        }
        let certificate = self
            .connection
            .connection()
            .and_then(Connection::certificate)
            .cloned();
        self.presented(certificate);
    }

    /// Keeps the certificate that expires first, also of a server whose certificate is not believed.
    fn presented(&mut self, certificate: Option<Certificate>) {
        let seen = certificate.map(|certificate| certificate::seen(&certificate, self.settings));
        let both = [self.certificate.take(), seen].into_iter().flatten();
        self.certificate = both.min_by_key(|seen| seen.not_after);
    }

    /// Where the answer leads. One whose status is expected leads nowhere.
    fn redirect(
        &self,
        answer: &spinfo_client::Answer,
        target: &Target,
    ) -> Result<Option<Target>, Finding> {
        // The five with which a client goes on by itself (RFC 9110, section 15.4).
        let leads = matches!(
            answer.status,
            StatusCode::MOVED_PERMANENTLY
                | StatusCode::FOUND
                | StatusCode::SEE_OTHER
                | StatusCode::TEMPORARY_REDIRECT
                | StatusCode::PERMANENT_REDIRECT
        );
        let follows =
            self.settings.max_redirects > 0 && !self.settings.status.contains(answer.status);
        let Some(location) = answer.headers.get(LOCATION).filter(|_| leads && follows) else {
            return Ok(None);
        };
        // As UTF-8 at most: joining percent-encodes it, as browsers do.
        let next = std::str::from_utf8(location.as_bytes()).map_err(|_| "not a URL".to_owned());
        let next = next.and_then(|text| target.join(text).map_err(|error| error.to_string()));
        next.map(Some).map_err(|error| {
            critical(format!(
                "HTTP {} of {target} leads nowhere: its Location is {error}",
                answer.status.as_u16()
            ))
        })
    }

    fn arrive(&self, answer: spinfo_client::Answer, target: Target) -> Result<Answer, Finding> {
        let Some(connection) = self.connection.connection() else {
            return Err(critical("the connection is gone".to_owned()));
        };
        let length = answer.headers.get(CONTENT_LENGTH);
        let http = Http {
            url: target.to_string(),
            status: answer.status,
            version: answer.version,
            peer: connection.peer(),
            tls: target.is_tls(),
            redirects: self.redirects,
            size: answer.body.len() as u64,
            content_length: length.and_then(|length| length.to_str().ok()?.parse().ok()),
            first_byte: answer.head_at.saturating_duration_since(self.began),
            phases: self.phases,
        };
        let encoding = answer.headers.get(CONTENT_ENCODING);
        Ok(Answer {
            http,
            encoding: encoding.and_then(|name| Some(name.to_str().ok()?.to_owned())),
            body: answer.body,
            target,
        })
    }

    fn failed(&self, target: &Target, failure: &Failure) -> Finding {
        let text = if self.redirects == 0 {
            failure.message.clone()
        } else {
            format!("redirected to {target}: {}", failure.message)
        };
        Finding {
            error_type: Some(failure.error_type()),
            ..critical(text)
        }
    }
}

fn critical(text: String) -> Finding {
    Finding::new(Step::Http, Severity::Critical, text)
}
