//! The end of a request: its span, its measurement and its log record.

use std::borrow::Cow;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use http::StatusCode;
use opentelemetry::KeyValue;
use opentelemetry::logs::Severity;
use opentelemetry::trace::{Span as _, Status};
use spinfo_names::attribute::{
    COMPONENT, COMPONENT_ERROR, HTTP_REQUEST_METHOD, HTTP_RESPONSE_STATUS_CODE, HTTP_ROUTE,
};
use spinfo_names::metric::COMPONENT_REQUEST_DURATION;
use spinfo_names::values::HttpMethod;

use crate::instance::Instance;
use crate::telemetry::log::Entry;
use crate::telemetry::{Begun, Telemetry, flush};

/// `hello GET /`; an unknown path is left out.
pub(super) fn span_name(
    component: &str,
    method: HttpMethod,
    route: Option<&str>,
) -> Cow<'static, str> {
    let method = method.span_name();
    Cow::Owned(match route {
        Some(route) => [component, " ", method, " ", route].concat(),
        None => [component, " ", method].concat(),
    })
}

/// Ends the request's span, measures and logs it, when dropped.
pub(super) struct Finish {
    pub(super) instance: Rc<Instance>,
    pub(super) method: &'static str,
    pub(super) route: Option<&'static str>,
    pub(super) received: SystemTime,
    /// Monotonic; of no meaning without a receiver.
    pub(super) began: Duration,
    pub(super) begun: Begun,
    pub(super) status: StatusCode,
    pub(super) cause: Option<String>,
}

impl Drop for Finish {
    fn drop(&mut self) {
        let Some(telemetry) = self.instance.known_telemetry() else {
            return;
        };
        let Some(pipeline) = &telemetry.pipeline else {
            if self.cause.is_some() {
                self.log(telemetry, self.instance.platform.now(), self.attributes());
            }
            return;
        };
        let now = self.instance.platform.monotonic();
        let took = now.saturating_sub(self.began);
        let ended = self.received + took;
        let mut attributes = self.attributes();
        if self.begun.recorder.is_some() || self.cause.is_some() {
            self.log(telemetry, ended, attributes.clone());
        }
        if let Some(mut recorder) = self.begun.recorder.take() {
            recorder.set_attributes(attributes.iter().cloned());
            if self.status.is_server_error() {
                recorder.set_status(Status::error(self.cause.take().unwrap_or_default()));
            }
            recorder.end_with_timestamp(ended);
        }
        attributes.push(KeyValue::new(
            COMPONENT.key,
            self.instance.identity.component,
        ));
        telemetry.record(&COMPONENT_REQUEST_DURATION, took.as_secs_f64(), &attributes);
        flush::schedule(pipeline, &self.instance.platform, now);
    }
}

impl Finish {
    fn log(&self, telemetry: &Telemetry, time: SystemTime, attributes: Vec<KeyValue>) {
        let entry = Entry {
            time,
            severity: self.severity(),
            message: self.message().into(),
            attributes,
        };
        telemetry.log(&self.begun.context, entry);
    }

    /// What span, log record and metric have in common; all of low cardinality.
    fn attributes(&self) -> Vec<KeyValue> {
        let mut attributes = Vec::with_capacity(5);
        attributes.push(KeyValue::new(HTTP_REQUEST_METHOD.key, self.method));
        attributes.push(KeyValue::new(
            HTTP_RESPONSE_STATUS_CODE.key,
            i64::from(self.status.as_u16()),
        ));
        attributes.extend(self.route.map(|route| KeyValue::new(HTTP_ROUTE.key, route)));
        if self.status.is_server_error() {
            attributes.push(KeyValue::new(
                COMPONENT_ERROR.key,
                self.status.as_str().to_owned(),
            ));
        }
        attributes
    }

    fn severity(&self) -> Severity {
        if self.status.is_server_error() {
            Severity::Error
        } else {
            Severity::Info
        }
    }

    /// `GET /status 503: the cause`
    fn message(&self) -> String {
        let (method, route, status) = (
            self.method,
            self.route.unwrap_or("unknown path"),
            self.status.as_str(),
        );
        match &self.cause {
            Some(cause) => format!("{method} {route} {status}: {cause}"),
            None => [method, " ", route, " ", status].concat(),
        }
    }
}
