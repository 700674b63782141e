use std::time::Duration;

use http::StatusCode;
use opentelemetry::logs::Severity;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::{
    Metric as MetricData, metric::Data, number_data_point,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use spinfo_names::{Kind, Metric, Sender};

use super::buffer::CAPACITY;
use super::pipeline::{BACK_OFF, GATHER};
use crate::app::App;
use crate::cx::Cx;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::route::Answer;
use crate::testing::{TestApp, TestRequest};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPOONS: Metric = Metric {
    name: "spinfo.test.spoons",
    unit: "{spoon}",
    help: "Spoons.",
    kind: Kind::Counter,
    senders: &[Sender::Component],
    attributes: &[],
};

fn app() -> TestApp {
    async fn stir(cx: Cx, request: Request) -> Answer {
        let mut span = cx.span("stir");
        span.set("spoon.size", 3);
        span.cx().store("default").await?.set("sugar", b"2").await?;
        drop(span);
        cx.count(&SPOONS, 2, &[]);
        cx.log(
            Severity::Warn,
            "stirred",
            [opentelemetry::KeyValue::new(
                "by",
                request.param("name").into_owned(),
            )],
        );
        let mut headers = http::HeaderMap::new();
        cx.inject(&mut headers);
        Ok(Response::text(
            headers["traceparent"]
                .to_str()
                .unwrap_or_default()
                .to_owned(),
        ))
    }
    async fn spill(_cx: Cx, _request: Request) -> Answer {
        Err(Problem::new(StatusCode::BAD_GATEWAY, "spilled").cause("the cup broke"))
    }
    let app = App::new("tea", "1.2.3")
        .get("/stir/:name", stir)
        .get("/spill", spill);
    TestApp::builder(app)
        .variable("otlp_endpoint", "http://receiver:4318")
        .build()
}

#[derive(Default)]
struct Exported {
    spans: Vec<Span>,
    logs: Vec<LogRecord>,
    metrics: Vec<MetricData>,
    resources: Vec<Vec<KeyValue>>,
    requests: usize,
}

fn exported(app: &TestApp) -> Exported {
    let mut all = Exported::default();
    for (path, body) in app.exported() {
        all.requests += 1;
        match path.as_str() {
            "/v1/traces" => {
                for group in ExportTraceServiceRequest::decode(body)
                    .unwrap()
                    .resource_spans
                {
                    all.resources.push(group.resource.unwrap().attributes);
                    all.spans
                        .extend(group.scope_spans.into_iter().flat_map(|scope| scope.spans));
                }
            }
            "/v1/logs" => {
                for group in ExportLogsServiceRequest::decode(body)
                    .unwrap()
                    .resource_logs
                {
                    all.resources.push(group.resource.unwrap().attributes);
                    all.logs.extend(
                        group
                            .scope_logs
                            .into_iter()
                            .flat_map(|scope| scope.log_records),
                    );
                }
            }
            "/v1/metrics" => {
                for group in ExportMetricsServiceRequest::decode(body)
                    .unwrap()
                    .resource_metrics
                {
                    all.resources.push(group.resource.unwrap().attributes);
                    all.metrics.extend(
                        group
                            .scope_metrics
                            .into_iter()
                            .flat_map(|scope| scope.metrics),
                    );
                }
            }
            other => panic!("nothing is sent to {other}"),
        }
    }
    all
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn attribute(attributes: &[KeyValue], key: &str) -> String {
    let value = attributes
        .iter()
        .find(|attribute| attribute.key == key)
        .and_then(|a| a.value.clone()?.value);
    match value {
        Some(Value::StringValue(text)) => text,
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    }
}

fn span<'a>(exported: &'a Exported, name: &str) -> &'a Span {
    exported
        .spans
        .iter()
        .find(|span| span.name == name)
        .unwrap_or_else(|| panic!("no span {name:?}"))
}

#[test]
fn a_request_is_a_span_below_the_caller_s_with_spans_of_its_own() {
    let app = app();
    app.call(TestRequest::get("/stir/eve?secret=1").header("traceparent", PARENT));
    let all = exported(&app);
    assert!(all.spans.iter().all(|span| hex(&span.trace_id) == TRACE));
    let request = span(&all, "tea GET /stir/:name");
    assert_eq!(hex(&request.parent_span_id), "00f067aa0ba902b7");
    assert_eq!(request.kind, 1, "INTERNAL");
    assert_eq!(attribute(&request.attributes, "http.route"), "/stir/:name");
    assert_eq!(attribute(&request.attributes, "http.request.method"), "GET");
    assert_eq!(
        attribute(&request.attributes, "http.response.status_code"),
        "200"
    );
    assert_eq!(attribute(&request.attributes, "url.path"), "/stir/eve");
    let stir = span(&all, "stir");
    assert_eq!(stir.parent_span_id, request.span_id);
    assert_eq!(attribute(&stir.attributes, "spoon.size"), "3");
    let set = span(&all, "set default");
    assert_eq!(set.parent_span_id, stir.span_id);
    assert_eq!(set.kind, 3, "CLIENT");
    assert_eq!(attribute(&set.attributes, "db.operation.name"), "set");
}

#[test]
fn the_answer_and_what_goes_out_name_our_span() {
    let app = app();
    let answer = app.call(TestRequest::get("/stir/eve").header("traceparent", PARENT));
    let all = exported(&app);
    let ours = format!(
        "00-{TRACE}-{}-01",
        hex(&span(&all, "tea GET /stir/:name").span_id)
    );
    assert_eq!(
        (answer.header("traceresponse"), answer.text().as_str()),
        (ours.as_str(), ours.as_str())
    );
}

#[test]
fn log_records_carry_the_ids_and_nothing_goes_to_standard_error() {
    let app = app();
    app.call(TestRequest::get("/stir/eve").header("traceparent", PARENT));
    let all = exported(&app);
    let request = span(&all, "tea GET /stir/:name");
    let bodies: Vec<_> = all
        .logs
        .iter()
        .map(|log| format!("{:?}", log.body.as_ref().unwrap().value))
        .collect();
    assert!(
        bodies[0].contains("stirred") && bodies[1].contains("GET /stir/:name 200"),
        "{bodies:?}"
    );
    for log in &all.logs {
        assert_eq!(
            (hex(&log.trace_id).as_str(), &log.span_id),
            (TRACE, &request.span_id)
        );
    }
    assert_eq!(all.logs[0].severity_text, "WARN");
    assert_eq!(attribute(&all.logs[0].attributes, "by"), "eve");
    assert_eq!(app.log_lines(), [""; 0]);
}

#[test]
fn an_error_marks_the_span_the_metric_and_the_log() {
    let app = app();
    app.call(TestRequest::get("/spill"));
    let all = exported(&app);
    let request = span(&all, "tea GET /spill");
    let status = request.status.as_ref().unwrap();
    assert_eq!((status.code, status.message.as_str()), (2, "the cup broke"));
    assert_eq!(attribute(&request.attributes, "error.type"), "502");
    assert_eq!(all.logs[0].severity_text, "ERROR");
    let Some(Data::Histogram(histogram)) = &all.metrics[0].data else {
        panic!("no histogram")
    };
    assert_eq!(
        attribute(&histogram.data_points[0].attributes, "error.type"),
        "502"
    );
}

#[test]
fn metrics_are_deltas_with_few_attributes() {
    let app = app();
    app.answer(TestRequest::get("/stir/eve"));
    app.call(TestRequest::get("/stir/adam"));
    let first = exported(&app);
    let duration = first
        .metrics
        .iter()
        .find(|m| m.name == "spinfo.component.request.duration")
        .unwrap();
    let Some(Data::Histogram(histogram)) = &duration.data else {
        panic!("no histogram")
    };
    assert_eq!(
        (duration.unit.as_str(), histogram.aggregation_temporality),
        ("s", 1)
    );
    assert_eq!(histogram.data_points.len(), 1);
    assert_eq!(histogram.data_points[0].count, 2);
    let spoons = first
        .metrics
        .iter()
        .find(|m| m.name == SPOONS.name)
        .unwrap();
    let Some(Data::Sum(sum)) = &spoons.data else {
        panic!("no sum")
    };
    assert_eq!((sum.aggregation_temporality, sum.is_monotonic), (1, true));
    app.call(TestRequest::get("/spill"));
    assert!(
        exported(&app).metrics.iter().all(|m| m.name != SPOONS.name),
        "nothing was counted since"
    );
}

#[test]
fn the_resource_names_service_component_and_version() {
    let app = app();
    app.call(TestRequest::get("/stir/eve"));
    let all = exported(&app);
    assert_eq!(all.resources.len(), 3);
    for resource in all.resources {
        assert_eq!(attribute(&resource, "service.name"), "spinfo");
        assert_eq!(attribute(&resource, "service.version"), "1.2.3");
        assert_eq!(attribute(&resource, "wasm.component"), "tea");
    }
}

#[test]
fn an_unsampled_trace_exports_no_span_and_no_access_log() {
    let app = app();
    let unsampled = PARENT.replace("-01", "-00");
    let answer = app.call(TestRequest::get("/spill").header("traceparent", &unsampled));
    assert!(answer.header("traceresponse").ends_with("-00"));
    let all = exported(&app);
    assert!(all.spans.is_empty());
    assert_eq!(all.logs.len(), 1, "the error alone");
    assert_eq!(all.metrics.len(), 1);
}

#[test]
fn requests_of_one_moment_share_an_export() {
    let app = app();
    for _ in 0..20 {
        app.answer(TestRequest::get("/stir/eve"));
    }
    assert_eq!(
        exported(&app).requests,
        0,
        "nothing is sent before the answers"
    );
    assert_eq!(app.run_background(), 1);
    let all = exported(&app);
    assert_eq!((all.requests, all.spans.len()), (3, 60));
    assert_eq!(app.elapsed(), GATHER);
}

fn lost(all: &Exported) -> Vec<(String, i64)> {
    let dropped = all
        .metrics
        .iter()
        .find(|m| m.name == "spinfo.telemetry.dropped")
        .unwrap();
    let Some(Data::Sum(sum)) = &dropped.data else {
        panic!("no sum")
    };
    let lost = sum.data_points.iter().map(|point| match point.value {
        Some(number_data_point::Value::AsInt(count)) => {
            (attribute(&point.attributes, "signal"), count)
        }
        other => panic!("{other:?}"),
    });
    let mut lost: Vec<_> = lost.collect();
    lost.sort();
    lost
}

#[test]
fn without_a_receiver_exports_pause_and_the_losses_are_reported_later() {
    let app = app();
    app.set_receiver_reachable(false);
    assert_eq!(app.call(TestRequest::get("/stir/eve")).status, 200);
    let answer = app.answer(TestRequest::get("/stir/eve").header("traceparent", PARENT));
    assert_eq!(
        answer.header("traceresponse"),
        PARENT,
        "the trace goes on without us"
    );
    app.answer(TestRequest::get("/stir/eve").header("traceparent", &PARENT.replace("-01", "-00")));
    assert_eq!(
        app.run_background(),
        0,
        "a failed export keeps quiet for a while"
    );
    app.advance(BACK_OFF);
    app.call(TestRequest::get("/stir/eve"));
    app.set_receiver_reachable(true);
    app.advance(BACK_OFF - Duration::from_millis(1));
    app.answer(TestRequest::get("/stir/eve"));
    assert_eq!(app.run_background(), 0);
    app.advance(Duration::from_millis(1));
    app.call(TestRequest::get("/stir/eve"));
    let all = exported(&app);
    assert_eq!(all.spans.len(), 3, "one request");
    // Spans: twice three were being sent, and two requests wanted to be recorded; the unsampled one did not.
    // Logs: what the handler and the access log wrote for the two exports, and the handler alone in between.
    assert_eq!(
        lost(&all),
        [("logs".to_owned(), 6), ("spans".to_owned(), 8)]
    );
}

#[test]
fn a_burst_is_cut_at_the_capacity() {
    let app = app();
    for _ in 0..CAPACITY + 5 {
        app.answer(TestRequest::get("/spill"));
    }
    app.run_background();
    let all = exported(&app);
    assert_eq!((all.spans.len(), all.logs.len()), (CAPACITY, CAPACITY));
    assert_eq!(
        lost(&all),
        [("logs".to_owned(), 5), ("spans".to_owned(), 5)]
    );
}

#[test]
fn an_endpoint_that_is_no_url_is_reported_and_turns_the_export_off() {
    async fn ok(_cx: Cx, _request: Request) -> Answer {
        Ok(Response::empty(StatusCode::OK))
    }
    let app = TestApp::builder(App::new("tea", "1").get("/", ok))
        .variable("otlp_endpoint", "not a url")
        .build();
    assert_eq!(app.call(TestRequest::get("/")).status, 200);
    assert_eq!(app.call(TestRequest::get("/")).status, 200);
    let lines = app.log_lines();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("otlp_endpoint"), "{lines:?}");
    assert_eq!(exported(&app).requests, 0);
}
