//! `GET /chunked/{seconds}`: the head at once, then the body in pieces over that time.

use std::time::Duration;

use futures::stream;
use spinfo_guest::{Answer, Bytes, Cx, Request, Response};

use crate::seconds;

/// JSON like podinfo's, `{"delay":3}`, with white space for each second in between, so that the stream is alive.
pub(crate) async fn show(cx: Cx, request: Request) -> Answer {
    let seconds = seconds::of(&request)?.as_secs();
    let begin = (0, cx);
    let chunks = stream::unfold(begin, move |(step, cx)| async move {
        let chunk = match step {
            0 => Bytes::from_static(b"{\"delay\":"),
            step if step <= seconds => {
                cx.sleep(Duration::from_secs(1)).await;
                Bytes::from_static(b" ")
            }
            step if step == seconds + 1 => Bytes::from(format!("{seconds}}}\n")),
            _ => return None,
        };
        Some((chunk, (step + 1, cx)))
    });
    Ok(Response::stream("application/json", chunks).header("cache-control", "no-store"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use spinfo_guest::Method;
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_pieces_make_json() {
        let lab = TestApp::new(app());
        let answer = lab.call(TestRequest::get("/chunked/3"));
        assert_eq!(answer.chunks, ["{\"delay\":", " ", " ", " ", "3}\n"]);
        assert_eq!(answer.json(), serde_json::json!({"delay": 3}));
        assert_eq!(answer.header("content-length"), "");
        assert_eq!(lab.elapsed(), Duration::from_secs(3));
    }

    #[test]
    fn head_does_not_wait() {
        let lab = TestApp::new(app());
        let answer = lab.call(TestRequest::new(Method::HEAD, "/chunked/60"));
        assert_eq!((answer.status.as_u16(), answer.bytes().len()), (200, 0));
        assert_eq!(lab.elapsed(), Duration::ZERO);
    }

    #[test]
    fn more_than_a_minute_is_400() {
        assert_eq!(
            TestApp::new(app())
                .call(TestRequest::get("/chunked/61"))
                .status,
            400
        );
    }
}
