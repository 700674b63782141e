//! `GET /now`: UTC, as a line or with the stamps that NTP's arithmetic needs (RFC 5905, section 8).

use serde::Serialize;
use spinfo_guest::{Answer, Cx, Media, Request, Response, rfc3339, unix_nanos};

/// The stamps are nanoseconds since 1970-01-01T00:00:00Z.
#[derive(Serialize)]
struct Now {
    now: String,
    unix_ns: u64,
    /// When the component saw the request.
    received_ns: u64,
    /// As late as the component can say.
    transmitted_ns: u64,
}

pub(crate) async fn show(cx: Cx, request: Request) -> Answer {
    let response = match request.preferred(&[Media::Text, Media::Json]) {
        Media::Json => {
            let now = cx.now();
            let (text, unix_ns, received_ns) =
                (rfc3339(now), unix_nanos(now), unix_nanos(cx.received()));
            Response::json(&Now {
                now: text,
                unix_ns,
                received_ns,
                transmitted_ns: unix_nanos(cx.now()),
            })?
        }
        Media::Text | Media::Html => Response::text(rfc3339(cx.now()) + "\n"),
    };
    Ok(response
        .header("cache-control", "no-store")
        .header("vary", "accept"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn the_text_is_utc_with_nanoseconds_and_a_newline() {
        let now = TestApp::new(app());
        now.advance(Duration::from_nanos(7));
        let answer = now.call(TestRequest::get("/now"));
        assert_eq!(answer.text(), "2026-01-02T03:04:05.000000007Z\n");
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!(answer.header("cache-control"), "no-store");
    }

    #[test]
    fn the_json_has_integers_in_the_order_of_events() {
        let now = TestApp::new(app());
        now.advance(Duration::from_nanos(120));
        let answer = now.call(TestRequest::get("/now").header("accept", "application/json"));
        assert_eq!(
            answer.text(),
            concat!(
                r#"{"now":"2026-01-02T03:04:05.000000120Z","unix_ns":1767323045000000120,"#,
                r#""received_ns":1767323045000000120,"transmitted_ns":1767323045000000120}"#,
                "\n"
            )
        );
    }

    #[test]
    fn a_browser_gets_the_text() {
        let answer =
            TestApp::new(app()).call(TestRequest::get("/now").header("accept", "text/html"));
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
}
