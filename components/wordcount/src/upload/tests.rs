use proptest::prelude::*;
use serde_json::{Value, json};
use spinfo_guest::testing::{TestApp, TestRequest, TestResponse};
use spinfo_guest::{Bytes, StatusCode};

const FORM: &str = "multipart/form-data; boundary=XX";
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

fn app() -> TestApp {
    TestApp::new(crate::app())
}

fn form(file: impl AsRef<[u8]>) -> Bytes {
    let head = "--XX\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n";
    [head.as_bytes(), file.as_ref(), b"\r\n--XX--\r\n"]
        .concat()
        .into()
}

fn post(body: impl Into<Bytes>) -> TestRequest {
    TestRequest::post("/file_upload")
        .header("content-type", FORM)
        .body(body)
}

fn send(body: impl Into<Bytes>) -> TestResponse {
    app().call(post(body))
}

fn files(app: &TestApp) -> Vec<Value> {
    app.call(TestRequest::get("/files")).json()["files"]
        .as_array()
        .unwrap()
        .clone()
}

#[test]
fn the_sentence_is_that_of_the_original() {
    let answer = send(form("It is what it is.\n"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("vary"), "accept");
    assert_eq!(
        answer.text(),
        "File Received. Thanks! Word Count:5, Uniq-Word Count:4"
    );
}

#[test]
fn an_empty_file_is_received_and_remembered() {
    let app = app();
    let answer = app.call(post(form("")));
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.text(),
        "File Received... But it was empty. Word Count:0, Uniq-Word Count:0"
    );
    assert_eq!(files(&app)[0]["name"], "20260102.030405-0-0.txt");
}

#[test]
fn a_file_without_words_counts_as_empty() {
    assert_eq!(
        send(form(" -- \n")).text(),
        "File Received... But it was empty. Word Count:0, Uniq-Word Count:0"
    );
}

#[test]
fn a_form_without_the_file_misses_it() {
    let other = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\ntext\r\n--XX--\r\n";
    let not_chosen = "--XX\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n--XX--\r\n";
    for body in [other, not_chosen, "--XX--\r\n", ""] {
        let answer = send(body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.text(), "Missing File", "{body}");
    }
    let nothing = app().call(TestRequest::post("/file_upload"));
    assert_eq!(
        (nothing.status, nothing.text().as_str()),
        (StatusCode::BAD_REQUEST, "Missing File")
    );
}

#[test]
fn a_binary_file_is_a_problem_and_leaves_nothing() {
    let app = app();
    let mut binary = vec![b'a'; 600_000];
    binary.push(0xFF);
    let answer = app.call(post(form(binary)));
    assert_eq!(answer.status, 415);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.text(), "Problem parsing uploaded file. Is it TEXT?");
    assert!(files(&app).is_empty());
}

#[test]
fn json_is_answered_to_whom_asks_for_it() {
    let app = app();
    let answer = app.call(post(form("one two one\n")).header("accept", "application/json"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    let mut body = answer.json();
    let url = body["url"].take();
    assert_eq!(
        body,
        json!({
            "message": "File Received. Thanks! Word Count:3, Uniq-Word Count:2",
            "name": "20260102.030405-3-2.txt",
            "words": 3,
            "unique_words": 2,
            "bytes": 12,
            "uploaded_at": "2026-01-02T03:04:05Z",
            "url": null,
        })
    );
    assert_eq!(
        app.call(TestRequest::get(url.as_str().unwrap())).text(),
        "one two one\n"
    );
}

#[test]
fn problems_carry_the_sentences_for_json_clients() {
    for accept in ["application/json", "application/problem+json"] {
        for (body, status, detail) in [
            (
                form([0xFF]),
                415,
                "Problem parsing uploaded file. Is it TEXT?",
            ),
            (Bytes::from("--XX--\r\n"), 400, "Missing File"),
        ] {
            let answer = app().call(post(body).header("accept", accept));
            assert_eq!(answer.status, status);
            assert_eq!(answer.header("content-type"), "application/problem+json");
            assert_eq!(answer.json()["detail"], detail);
        }
    }
}

#[test]
fn browsers_get_the_page_with_the_sentence() {
    let answer = app().call(post(form("one two\n")).header("accept", BROWSER));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(
        answer
            .text()
            .contains("File Received. Thanks! Word Count:2, Uniq-Word Count:2")
    );
    assert!(answer.text().contains(">20260102.030405-2-2.txt</a>"));

    let refused = app().call(post(form([0xFF])).header("accept", BROWSER));
    assert_eq!(refused.status, 415);
    assert!(
        refused
            .text()
            .contains("Problem parsing uploaded file. Is it TEXT?")
    );
}

#[test]
fn what_a_client_sends_is_not_reflected_as_html() {
    let body = "--XX\r\nContent-Disposition: form-data; name=\"<script>alert(1)</script>\"; filename=\"<b>\"\r\n\r\ntext";
    let answer = app().call(post(body).header("accept", BROWSER));
    assert_eq!(answer.status, 400);
    assert!(!answer.text().contains("<script>alert"));
}

#[test]
fn other_content_types_are_415() {
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/mixed; boundary=XX",
    ] {
        let request = TestRequest::post("/file_upload").header("content-type", content_type);
        let answer = app().call(request.body(form("text")));
        assert_eq!(answer.status, 415, "{content_type}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}

#[test]
fn malformed_forms_are_400_with_a_clear_problem() {
    let cut = form("text").slice(..80);
    let answer = send(cut);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(
        answer.json()["detail"],
        "the form is not well-formed multipart: it ends early, or a boundary is missing or garbled"
    );

    for content_type in [
        "multipart/form-data",
        &format!("multipart/form-data; boundary={}", "x".repeat(5000)),
    ] {
        let request = TestRequest::post("/file_upload").header("content-type", content_type);
        let answer = app().call(request.body(form("text")));
        assert_eq!(answer.status, 400);
        assert!(
            answer.json()["detail"]
                .as_str()
                .unwrap()
                .contains("boundary")
        );
    }
}

#[test]
fn a_cut_off_upload_leaves_nothing() {
    let app = app();
    let whole = form("word ".repeat(200_000));
    let answer = app.call(post(whole.slice(..whole.len() - 10)));
    assert_eq!(answer.status, 400);
    assert!(files(&app).is_empty());
}

#[test]
fn two_files_are_refused_and_none_remembered() {
    let app = app();
    let one = form("one\n");
    let two = [&one[..one.len() - 4], b"\r\n", &form("two\n")[6..]].concat();
    let answer = app.call(post(two));
    assert_eq!(answer.status, 400, "{}", answer.text());
    assert_eq!(
        answer.json()["detail"],
        "the form has more than one file; send one at a time"
    );
    assert!(files(&app).is_empty());
}

#[test]
fn ten_mebibytes_pass_and_a_byte_more_is_413() {
    let app = app();
    let text = "words and so on\n".repeat(10_485_760 / 16);
    let answer = app.call(post(form(&text)));
    assert_eq!(
        answer.text(),
        "File Received. Thanks! Word Count:2621440, Uniq-Word Count:4"
    );
    let stored = app.call(TestRequest::get("/files/20260102.030405-2621440-4.txt"));
    assert!(stored.bytes() == text.as_bytes());

    for request in [post(form(text.clone() + ".")), post(form(text.repeat(2)))] {
        let answer = app.call(request);
        assert_eq!(answer.status, 413);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(
            answer.json()["detail"],
            "the file is larger than 10485760 bytes"
        );
    }
    assert_eq!(files(&app).len(), 1);
}

#[test]
fn a_body_of_unannounced_length_is_cut_at_the_limit() {
    let text = Bytes::from("words and so on\n".repeat(4096));
    let head = form("").slice(..form("").len() - 10);
    let chunks = std::iter::once(head).chain(std::iter::repeat_n(text, 400));
    let request = TestRequest::post("/file_upload")
        .header("content-type", FORM)
        .chunks(chunks);
    assert_eq!(app().call(request).status, 413);
}

#[test]
fn the_same_file_again_is_another_upload() {
    let app = app();
    for _ in 0..3 {
        assert_eq!(app.call(post(form("same\n"))).status, 200);
    }
    let names: std::collections::HashSet<String> = files(&app)
        .iter()
        .map(|file| file["name"].to_string())
        .collect();
    assert_eq!(names.len(), 3);
}

#[test]
fn a_broken_store_is_503_and_nothing_is_acknowledged() {
    let app = app();
    app.store("default").set_broken(true);
    assert_eq!(app.call(post(form("text"))).status, 503);
    app.store("default").set_broken(false);
    assert!(files(&app).is_empty());
}

#[test]
fn other_methods_are_405() {
    let answer = app().call(TestRequest::new(
        spinfo_guest::Method::DELETE,
        "/file_upload",
    ));
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("allow"), "GET, HEAD, POST, OPTIONS");
}

proptest! {
    #[test]
    fn any_body_is_answered(body: Vec<u8>, content_type in "(multipart/form-data; boundary=)?[ -~]{0,20}") {
        let request = TestRequest::post("/file_upload").header("content-type", &content_type).body(body);
        prop_assert!(app().call(request).status.is_client_error());
    }

    #[test]
    fn any_file_is_counted_or_refused(file: Vec<u8>) {
        let status = send(form(&file)).status;
        // A file may contain what ends the form; then it is cut off there.
        prop_assume!(!file.windows(6).any(|window| window == b"\r\n--XX"));
        prop_assert_eq!(status, if str::from_utf8(&file).is_ok() { 200 } else { 415 });
    }
}
