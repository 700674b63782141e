use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::{Method, StatusCode};

use crate::app::App;
use crate::cx::Cx;
use crate::problem::Problem;
use crate::request::Request;
use crate::response::Response;
use crate::route::Answer;
use crate::testing::{TestApp, TestRequest, TestResponse};

const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

fn app() -> App {
    async fn hello(_cx: Cx, _request: Request) -> Answer {
        Ok(Response::text("hello").header("etag", "\"1\""))
    }
    async fn length(_cx: Cx, request: Request) -> Answer {
        Ok(Response::text(request.bytes(10).await?.len().to_string()))
    }
    async fn fail(cx: Cx, _request: Request) -> Answer {
        cx.variable("absent").await?;
        Ok(Response::empty(StatusCode::OK))
    }
    async fn broken(_cx: Cx, _request: Request) -> Answer {
        Err(Problem::bad_request("<b>no</b>"))
    }
    async fn drip(cx: Cx, _request: Request) -> Answer {
        Ok(Response::stream(
            "text/plain",
            stream::unfold((0, cx), |(step, cx)| async move {
                cx.sleep(Duration::from_secs(1)).await;
                (step < 3).then(|| (Bytes::from_static(b"."), (step + 1, cx)))
            }),
        ))
    }
    App::new("test", "1.2.3")
        .get("/hello", hello)
        .post("/length/:name", length)
        .get("/fail", fail)
        .get("/broken", broken)
        .get("/drip", drip)
}

fn call(request: TestRequest) -> TestResponse {
    TestApp::new(app()).call(request)
}

fn is_traceresponse(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [2, 32, 16, 2] && parts.concat().bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn every_answer_names_its_trace_and_forbids_sniffing() {
    for request in [
        TestRequest::get("/hello"),
        TestRequest::get("/nowhere"),
        TestRequest::post("/hello"),
        TestRequest::get("/fail"),
        TestRequest::new(Method::OPTIONS, "/hello"),
        TestRequest::new(Method::HEAD, "/hello"),
    ] {
        let answer = call(request.clone());
        assert!(
            is_traceresponse(answer.header("traceresponse")),
            "{request:?}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        let continued = call(request.header("traceparent", PARENT));
        assert_eq!(
            continued.header("traceresponse"),
            PARENT,
            "nobody records, so the caller's span goes on"
        );
    }
}

#[test]
fn head_has_the_headers_of_get_and_no_body() {
    let get = call(TestRequest::get("/hello"));
    let head = call(TestRequest::new(Method::HEAD, "/hello"));
    assert_eq!((head.status, head.bytes().len()), (get.status, 0));
    for name in ["content-length", "content-type", "etag"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    assert_eq!(head.header("content-length"), "5");
}

#[test]
fn head_of_an_error_has_no_body_either() {
    let head = call(TestRequest::new(Method::HEAD, "/nowhere"));
    assert_eq!((head.status.as_u16(), head.bytes().len()), (404, 0));
    assert_eq!(head.header("content-type"), "application/problem+json");
}

#[test]
fn other_methods_get_405_and_options_gets_the_list() {
    for method in [
        Method::POST,
        Method::TRACE,
        Method::CONNECT,
        Method::from_bytes(b"BREW").unwrap(),
    ] {
        let answer = call(TestRequest::new(method.clone(), "/hello"));
        assert_eq!(
            (answer.status.as_u16(), answer.header("allow")),
            (405, "GET, HEAD, OPTIONS")
        );
        assert_eq!(answer.json()["title"], "Method Not Allowed");
    }
    let options = call(TestRequest::new(Method::OPTIONS, "/length/x"));
    assert_eq!(
        (options.status.as_u16(), options.header("allow")),
        (204, "POST, OPTIONS")
    );
    assert_eq!(options.header("content-length"), "");
}

#[test]
fn an_unknown_path_is_a_problem_with_the_trace_id() {
    let answer = call(TestRequest::get("/nowhere/%3Cscript%3E").header("traceparent", PARENT));
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    let document = answer.json();
    assert_eq!(document["status"], 404);
    assert_eq!(document["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert!(!answer.text().contains("script"));
}

#[test]
fn a_large_body_is_a_413_problem() {
    assert_eq!(
        call(TestRequest::post("/length/a").body("0123456789")).text(),
        "10"
    );
    let answer = call(TestRequest::post("/length/a").body("0123456789x"));
    assert_eq!(answer.status, 413);
    assert_eq!(answer.json()["title"], "Payload Too Large");
}

#[test]
fn the_cause_of_a_500_is_logged_with_the_trace_and_not_sent() {
    let app = TestApp::new(app());
    let answer = app.call(TestRequest::get("/fail").header("traceparent", PARENT));
    assert_eq!(answer.status, 500);
    assert!(!answer.text().contains("spin.toml"));
    let lines = app.log_lines();
    assert_eq!(lines.len(), 1);
    let line: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
    assert_eq!(
        line["message"],
        "GET /fail 500: add absent to [component.test.variables] in spin.toml"
    );
    assert_eq!(line["severity"], "ERROR");
    assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[test]
fn the_client_s_mistakes_are_not_logged() {
    let app = TestApp::new(app());
    for path in ["/broken", "/nowhere", "/hello"] {
        app.call(TestRequest::get(path));
    }
    assert_eq!(app.log_lines(), [""; 0]);
}

#[test]
fn a_stream_goes_out_in_pieces_without_a_length() {
    let answer = call(TestRequest::get("/drip"));
    assert_eq!(answer.chunks, [".", ".", "."]);
    assert_eq!(answer.header("content-length"), "");
}
