//! The way of a request through the component, and what all answers have in common.

use std::rc::Rc;
use std::time::Duration;

use futures::StreamExt;
use http::header::{ALLOW, CONTENT_LENGTH, HeaderName, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderValue, Method, StatusCode};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanContext, SpanKind};
use spinfo_names::attribute::{INSTANCE_REQUESTS, URL_PATH};
use spinfo_names::values::HttpMethod;

use crate::app::App;
use crate::cx::Cx;
use crate::instance::Instance;
use crate::platform::Platform;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::{Body, Response};
use crate::route::{Answer, Match, RouteTable};
use crate::telemetry::resource::Identity;
use crate::trace;

mod finish;
pub(crate) mod store;
#[cfg(test)]
mod tests;

use finish::{Finish, span_name};

static TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");

/// A component at work: its routes, and the instance that they share.
pub(crate) struct Service {
    routes: RouteTable,
    instance: Rc<Instance>,
}

impl Service {
    pub(crate) fn new(app: App, platform: Rc<dyn Platform>) -> Self {
        Self {
            routes: app.routes,
            instance: Instance::new(Identity::new(app.name, app.version), platform),
        }
    }

    /// Answers one request. Requests of an instance run concurrently.
    pub(crate) async fn handle(&self, request: Request) -> Response {
        handle(&self.routes, Rc::clone(&self.instance), request).await
    }
}

async fn handle(routes: &RouteTable, instance: Rc<Instance>, mut request: Request) -> Response {
    let began = began(&instance);
    let received = instance.platform.now();
    instance.requests.set(instance.requests.get() + 1);
    let telemetry = instance.telemetry().await;

    let method = request.method().clone();
    let known = HttpMethod::of(method.as_str());
    let (route, step) = match routes.find(&request) {
        Match::Handler {
            template,
            handler,
            params,
        } => {
            request.set_params(params);
            (Some(template), Step::Handle(handler))
        }
        Match::OtherMethods { template, allow } => (Some(template), Step::Refuse(allow)),
        Match::Nothing => (None, Step::Missing),
    };

    let parent = trace::extract(request.fields());
    let name = || span_name(instance.identity.component, known, route);
    let mut begun = if telemetry.is_silent(began) {
        telemetry.skip(&parent)
    } else {
        telemetry.begin(name, SpanKind::Internal, received, &parent)
    };
    if let Some(recorder) = &mut begun.recorder {
        recorder.set_attribute(KeyValue::new(URL_PATH.key, request.path().to_owned()));
        recorder.set_attribute(KeyValue::new(
            INSTANCE_REQUESTS.key,
            instance.requests.get().cast_signed(),
        ));
    }
    let cx = Cx::new(Rc::clone(&instance), received, &parent, &begun);

    let answer = match step {
        Step::Handle(handler) => handler(cx, request).await,
        Step::Refuse(allow) if method == Method::OPTIONS => Ok(options(&allow)),
        Step::Refuse(allow) => Err(Problem::method_not_allowed(&method, &allow)),
        Step::Missing => Err(Problem::not_found("there is nothing at this path")),
    };

    let span = begun.context.clone();
    let mut finish = Finish {
        instance,
        method: known.as_str(),
        route,
        received,
        began,
        begun,
        status: StatusCode::OK,
        cause: None,
    };
    let mut response = answer.unwrap_or_else(|problem| {
        if problem.status().is_server_error() {
            finish.cause = Some(problem.operator_message().to_owned());
        }
        problem.into_response(&span.trace_id().to_string())
    });
    finish.status = response.status;
    complete(&mut response, &method, &span);
    response.body = match response.body {
        Body::Stream(chunks) => Body::Stream(
            // The request ends when its last chunk is taken, or when the client is gone and the stream dropped.
            chunks
                .map(move |chunk| {
                    let _ends_with_the_stream = &finish;
                    chunk
                })
                .boxed_local(),
        ),
        full => {
            drop(finish);
            full
        }
    };
    response
}

/// The monotonic time; not asked for once it is known that there is no receiver to tell.
fn began(instance: &Instance) -> Duration {
    let measured = instance
        .known_telemetry()
        .is_none_or(|telemetry| telemetry.pipeline.is_some());
    if measured {
        instance.platform.monotonic()
    } else {
        Duration::ZERO
    }
}

enum Step<'a> {
    Handle(&'a dyn Fn(Cx, Request) -> futures::future::LocalBoxFuture<'static, Answer>),
    Refuse(String),
    Missing,
}

fn options(allow: &str) -> Response {
    let mut response = Response::empty(StatusCode::NO_CONTENT);
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers.insert(ALLOW, allow);
    }
    response
}

/// What every answer has: the trace, no sniffing, a length unless it is streamed, and no body for HEAD.
fn complete(response: &mut Response, method: &Method, span: &SpanContext) {
    if let Ok(value) = HeaderValue::try_from(trace::traceresponse(span)) {
        response.headers.insert(&TRACERESPONSE, value);
    }
    response
        .headers
        .insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if response.status == StatusCode::RESET_CONTENT {
        // RFC 9110, section 15.3.6: no content, and says so.
        response.body = Body::Full(bytes::Bytes::new());
    }
    // RFC 9110, section 8.6: no content-length with 204; 304 has the one of a representation that isn't at hand.
    let bodiless = matches!(
        response.status,
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    if let (Body::Full(bytes), false) = (&response.body, bodiless) {
        response
            .headers
            .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    if bodiless || method == Method::HEAD {
        response.body = Body::Full(bytes::Bytes::new());
    }
}
