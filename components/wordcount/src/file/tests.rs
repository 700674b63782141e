use spinfo_guest::Method;
use spinfo_guest::testing::{TestApp, TestRequest};

const NAME: &str = "/files/20260102.030405-2-2.txt";

fn app_with(text: &str) -> TestApp {
    let app = TestApp::new(crate::app());
    let body = format!(
        "--X\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a\"\r\n\r\n{text}\r\n--X--\r\n"
    );
    let request =
        TestRequest::post("/file_upload").header("content-type", "multipart/form-data; boundary=X");
    assert_eq!(app.call(request.body(body)).status, 200);
    app
}

#[test]
fn the_text_comes_back_as_it_was_sent() {
    let answer =
        app_with("<b>Grüße</b>\r\n").call(TestRequest::get("/files/20260102.030405-3-2.txt"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text(), "<b>Grüße</b>\r\n");
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-length"), "16");
    assert_eq!(
        answer.header("content-disposition"),
        r#"inline; filename="20260102.030405-3-2.txt""#
    );
}

#[test]
fn head_says_how_long_it_is() {
    let answer = app_with("two words").call(TestRequest::new(Method::HEAD, NAME));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-length"), "9");
    assert!(answer.bytes().is_empty());
}

#[test]
fn a_large_text_is_streamed() {
    let text = "two words\n".repeat(100_000);
    let answer = app_with(&text).call(TestRequest::get("/files/20260102.030405-200000-2.txt"));
    assert!(answer.text() == text);
    assert_eq!(answer.chunks.len(), 4);
}

#[test]
fn unknown_names_are_404() {
    let app = app_with("two words");
    for path in [
        "/files/20260102.030405-2-3.txt",
        "/files/20260102.030405-2-2",
        "/files/..%2F..%2Fetc%2Fpasswd",
        "/files/%00",
        "/files/%FF",
        "/files/status",
        "/files/x/y",
    ] {
        let answer = app.call(TestRequest::get(path));
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
}
