//! The requests that the backends are asked about afterwards, and what they should say about them.

use std::collections::BTreeMap;

use http::Request;
use spinfo_tests::{Answer, Client, Host};

/// A credential that no backend may keep.
pub(crate) const SECRET: &str = "s3cr3t-of-the-stack-test";

/// Clients that make [`AT_ONCE`] at the same time, so that components have several instances.
const CLIENTS: u32 = 8;

/// The text of an upload, and its words.
const UPLOAD: (&str, u32) = ("some words to count\n", 4);

/// Requests of one kind.
struct Call {
    method: &'static str,
    path: &'static str,
    body: &'static str,
    /// The trigger's template; empty when none matches.
    route: &'static str,
    status: u16,
    times: u32,
}

const fn get(path: &'static str, route: &'static str, status: u16, times: u32) -> Call {
    Call {
        method: "GET",
        path,
        body: "",
        route,
        status,
        times,
    }
}

const fn send(method: &'static str, path: &'static str, body: &'static str, status: u16) -> Call {
    Call {
        method,
        path,
        body,
        route: path,
        status,
        times: 1,
    }
}

/// Made one after the other.
///
/// The traps begin: what the instance did in the moment before would be lost with it.
const IN_TURN: &[Call] = &[
    get("/panic", "/panic", 500, 3),
    get("/api/info", "/api/info", 200, 2),
    get("/status", "/status", 200, 4),
    send(
        "PUT",
        "/status",
        r#"{"code": 500, "message": "as told"}"#,
        200,
    ),
    get("/status", "/status", 500, 5),
    send("PUT", "/status", r#"{"code": 200, "delay_ms": 300}"#, 200),
    get("/status", "/status", 200, 2),
    send("DELETE", "/status", "", 200),
    send("POST", "/status/change", "", 200),
    send("DELETE", "/status", "", 200),
    get("/delay/1", "/delay/:seconds", 200, 2),
    get("/status/503", "/status/:code", 503, 3),
    get("/nothing/here", "", 404, 2),
];

/// Made by each client.
const AT_ONCE: &[Call] = &[
    get("/", "/", 200, 30),
    get("/version", "/version", 200, 20),
    get("/now", "/now", 200, 30),
    get("/status", "/status", 200, 10),
    send("POST", "/echo", "an echo", 202),
    get("/status/204", "/status/:code", 204, 10),
    get("/healthz", "/healthz", 200, 5),
];

/// Uploads, by whether they are good ones.
const UPLOADS: (u32, u32) = (3, 1);

/// What became of a drive.
pub(crate) struct Driven {
    /// A `GET /status` with a query, made with credentials.
    pub(crate) status: String,
    /// An upload.
    pub(crate) upload: String,
    /// A `GET /status/503`.
    pub(crate) failed: String,
    /// A `GET /delay/1`.
    pub(crate) slow: String,
    /// A `GET /panic`.
    pub(crate) trapped: String,
}

/// Makes requests one after the other. The answer has ids of traces.
pub(crate) fn in_turn(host: &Host) -> Driven {
    let mut client = Client::connect(host.address);
    let mut traces = BTreeMap::new();
    for call in IN_TURN {
        make(&mut client, call, &mut traces);
    }
    let mut upload = String::new();
    for _ in 0..UPLOADS.0 {
        upload = self::upload(&mut client, "new_file", 200);
    }
    for _ in 0..UPLOADS.1 {
        self::upload(&mut client, "another_field", 400);
    }
    let trace = |path: &str| traces[path].clone();
    Driven {
        status: with_credentials(&mut client),
        upload,
        failed: trace("/status/503"),
        slow: trace("/delay/1"),
        trapped: trace("/panic"),
    }
}

/// Makes many requests at the same time, more than the Collector keeps all traces of.
pub(crate) fn at_once(host: &Host) {
    std::thread::scope(|threads| {
        for _ in 0..CLIENTS {
            threads.spawn(|| {
                let mut client = Client::connect(host.address);
                for call in AT_ONCE {
                    make(&mut client, call, &mut BTreeMap::new());
                }
            });
        }
    });
}

fn make(client: &mut Client, call: &Call, traces: &mut BTreeMap<&'static str, String>) {
    for _ in 0..call.times {
        let request = Request::builder().method(call.method).uri(call.path);
        let request = request.header("content-type", "application/json");
        let answer = client.send(request.body(call.body.into()).expect("a good request"));
        expect(&answer, call.path, call.status);
        traces.insert(call.path, answer.trace_id().to_owned());
    }
}

fn upload(client: &mut Client, field: &str, status: u16) -> String {
    let body = format!(
        "--b\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"a\"\r\n\r\n{}\r\n--b--\r\n",
        UPLOAD.0
    );
    let request =
        Request::post("/file_upload").header("content-type", "multipart/form-data; boundary=b");
    let answer = client.send(request.body(body.into()).expect("a good request"));
    expect(&answer, "/file_upload", status);
    answer.trace_id().to_owned()
}

fn with_credentials(client: &mut Client) -> String {
    let request = Request::get(format!("/status?page=1&token={SECRET}&sig={SECRET}"))
        .header("authorization", format!("Bearer {SECRET}"))
        .header("cookie", format!("session={SECRET}"));
    let answer = client.send(request.body(Vec::new()).expect("a good request"));
    expect(&answer, "/status", 200);
    answer.trace_id().to_owned()
}

fn expect(answer: &Answer, path: &str, status: u16) {
    assert_eq!(answer.status, status, "{path}: {answer:?}");
}

/// Requests by route, method and status after `rounds` drives, as the host counts them.
pub(crate) fn host_requests(rounds: u32) -> BTreeMap<Vec<String>, f64> {
    let mut requests = BTreeMap::new();
    let mut count = |route: &str, method: &str, status: u16, times: u32| {
        let key = vec![route.to_owned(), method.to_owned(), status.to_string()];
        *requests.entry(key).or_insert(0.0) += f64::from(times * rounds);
    };
    for call in IN_TURN {
        count(call.route, call.method, call.status, call.times);
    }
    for call in AT_ONCE {
        count(call.route, call.method, call.status, call.times * CLIENTS);
    }
    count("/file_upload", "POST", 200, UPLOADS.0);
    count("/file_upload", "POST", 400, UPLOADS.1);
    count("/status", "GET", 200, 1);
    requests
}

/// The same as components count them: without what had no component, and without traps, which don't live to tell.
pub(crate) fn component_requests(rounds: u32) -> BTreeMap<Vec<String>, f64> {
    let mut requests = host_requests(rounds);
    requests.retain(|key, _| !key[0].is_empty() && key[0] != "/panic");
    requests
}

/// Traps after `rounds` drives.
pub(crate) fn traps(rounds: u32) -> f64 {
    let panics = IN_TURN.iter().filter(|call| call.path == "/panic");
    panics.map(|call| f64::from(call.times * rounds)).sum()
}

/// Uploads that were counted, and their words, after `rounds` drives.
pub(crate) fn words(rounds: u32) -> (f64, f64) {
    let uploads = f64::from(UPLOADS.0 * rounds);
    (uploads, uploads * f64::from(UPLOAD.1))
}
