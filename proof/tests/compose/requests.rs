//! Requests to the two replicas.

use std::net::SocketAddr;

use http::{Request, StatusCode};
use spinfo_proof::stack::wait::until;
use spinfo_tests::tls::trusting;
use spinfo_tests::{Answer, Client};

use crate::project::Project;

/// What was asked, for those who look for its traces.
pub(crate) struct Driven {
    /// How often each replica was asked for its version, which nobody else asks for.
    pub(crate) versions: [u32; 2],
    /// Trace ids, and the component that worked on it.
    pub(crate) traces: Vec<(String, &'static str)>,
    /// The trace id of a request that trapped.
    pub(crate) trap: String,
}

/// The addresses of the replicas.
pub(crate) fn replicas(project: &Project) -> [SocketAddr; 2] {
    [1, 2].map(|index| project.address("spinfo", index, 3000))
}

/// A request on a connection of its own.
pub(crate) fn send(address: SocketAddr, request: http::request::Builder, body: &str) -> Answer {
    let request = request
        .body(body.as_bytes().to_vec())
        .expect("a good request");
    Client::connect(address).send(request)
}

/// What one is told, the other knows; and a trap is answered and forgotten.
pub(crate) fn replicas_answer_alike(project: &Project) -> Driven {
    let [first, second] = replicas(project);
    let versions = [3, 2];
    let mut traces = Vec::new();
    for (address, times) in [first, second].into_iter().zip(versions) {
        let answer = send(address, Request::get("/"), "");
        assert_eq!(
            (answer.status, answer.text()),
            (StatusCode::OK, "Hello SRE!")
        );
        for _ in 0..times {
            let answer = send(address, Request::get("/version"), "");
            assert_eq!(answer.status, StatusCode::OK);
            traces.push((answer.trace_id().to_owned(), "hello"));
        }
    }

    let told = until("the second to answer as the first was told", || {
        let put = Request::put("/status").header("content-type", "application/json");
        let answer = send(first, put, r#"{"code": 418, "message": "from the first"}"#);
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let answer = send(second, Request::get("/status"), "");
        // The monitor may have changed it in between.
        (answer.status == StatusCode::IM_A_TEAPOT && answer.json()["message"] == "from the first")
            .then(|| answer.trace_id().to_owned())
            .ok_or_else(|| format!("{answer:?}"))
    });
    traces.push((told, "status"));
    send(second, Request::delete("/status"), "");

    let form = "--b\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a\"\r\n\r\none two two\n\r\n--b--\r\n";
    let post =
        Request::post("/file_upload").header("content-type", "multipart/form-data; boundary=b");
    let answer = send(first, post, form);
    assert_eq!(
        answer.text(),
        "File Received. Thanks! Word Count:3, Uniq-Word Count:2"
    );
    traces.push((answer.trace_id().to_owned(), "wordcount"));
    let files = send(second, Request::get("/files"), "").json();
    assert_eq!(files["total"], 1, "{files}");

    let trap = send(first, Request::get("/panic"), "");
    assert_eq!(trap.status, StatusCode::INTERNAL_SERVER_ERROR);
    Driven {
        versions,
        traces,
        trap: trap.trace_id().to_owned(),
    }
}

/// HTTPS with a certificate of its own CA, and the way there from HTTP. Returns the trace id of an answer.
pub(crate) fn the_edge_answers(project: &Project) -> String {
    let [http, https] = project
        .edge
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
    let plain = Request::get("/now?x=1").header("host", "localhost");
    let moved = send(http, plain, "");
    assert_eq!(moved.status, StatusCode::PERMANENT_REDIRECT, "{moved:?}");
    let location = format!("https://localhost:{}/now?x=1", https.port());
    assert_eq!(moved.header("location"), location);

    let trusting = trusting(&project.root_certificate(), &["h2"]);
    let (mut client, protocol) = Client::connect_tls_as(https, "localhost", &trusting)
        .expect("a certificate of the edge's CA");
    assert_eq!(protocol.as_deref(), Some(&b"h2"[..]));
    let answer = client.send(Request::get("/").body(Vec::new()).expect("a good request"));
    assert_eq!(
        (answer.status, answer.text()),
        (StatusCode::OK, "Hello SRE!")
    );
    assert!(
        answer.header("content-type").starts_with("text/plain"),
        "{answer:?}"
    );
    answer.trace_id().to_owned()
}
