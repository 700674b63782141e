//! `POST /echo`: the body comes back with 202, as podinfo answers.

use spinfo_guest::{Answer, Cx, Request, Response, StatusCode};

/// 1 MiB
const LIMIT: u64 = 1024 * 1024;

/// Types that no browser runs. Whatever else the client names comes back as bytes.
const HARMLESS: [&str; 3] = ["application/json", "application/x-protobuf", "text/plain"];

pub(crate) async fn repeat(_cx: Cx, request: Request) -> Answer {
    let named = request.media_type();
    let content_type = HARMLESS
        .into_iter()
        .find(|harmless| *harmless == named)
        .unwrap_or("application/octet-stream");
    let body = request.bytes(LIMIT).await?;
    Ok(Response::bytes(content_type, body).status(StatusCode::ACCEPTED))
}

#[cfg(test)]
mod tests {
    use spinfo_guest::Bytes;
    use spinfo_guest::testing::{TestApp, TestRequest};

    use super::*;
    use crate::app;

    #[test]
    fn the_bytes_come_back() {
        let body: Vec<u8> = (0..=255).cycle().take(LIMIT as usize).collect();
        let answer = TestApp::new(app()).call(TestRequest::post("/echo").body(body.clone()));
        assert_eq!(answer.status, 202);
        assert!(answer.bytes() == body);
    }

    #[test]
    fn one_byte_more_is_413_announced_or_not() {
        let chunk = Bytes::from(vec![b'x'; LIMIT as usize / 2]);
        let announced = TestRequest::post("/echo").body(vec![b'x'; LIMIT as usize + 1]);
        let unannounced =
            TestRequest::post("/echo").chunks([chunk.clone(), chunk, Bytes::from_static(b"x")]);
        for request in [announced, unannounced] {
            let answer = TestApp::new(app()).call(request);
            assert_eq!(answer.status, 413);
            assert_eq!(
                answer.json()["detail"],
                "the body is larger than 1048576 bytes"
            );
        }
    }

    #[test]
    fn html_is_never_sent_as_html() {
        for named in [
            "text/html",
            "image/svg+xml",
            "application/xhtml+xml",
            "text/html;charset=utf-8",
            "x",
        ] {
            let request = TestRequest::post("/echo")
                .header("content-type", named)
                .body("<script>");
            let answer = TestApp::new(app()).call(request);
            assert_eq!(
                answer.header("content-type"),
                "application/octet-stream",
                "{named}"
            );
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
        }
        let json = TestRequest::post("/echo").json("{}");
        assert_eq!(
            TestApp::new(app()).call(json).header("content-type"),
            "application/json"
        );
    }
}
