//! `GET /`: the greeting.

use spinfo_guest::{Answer, Cx, Media, Request, Response, escape};

const PAGE: &str = include_str!("index.html");

/// The default of the variable `color` in spin.toml.
const DEFAULT_COLOR: &str = "#34577c";

/// Exactly the bytes of the variable `greeting`, or a page for a browser.
pub(crate) async fn show(cx: Cx, request: Request) -> Answer {
    let response = match request.preferred(&[Media::Text, Media::Html]) {
        Media::Html => page(&cx).await?,
        Media::Text | Media::Json => {
            Response::text(cx.variable("greeting").await?.as_bytes().to_vec())
        }
    };
    Ok(response.header("vary", "accept"))
}

async fn page(cx: &Cx) -> Answer {
    let (greeting, message) = (
        cx.variable("greeting").await?,
        cx.variable("message").await?,
    );
    let (color, revision) = (cx.variable("color").await?, cx.variable("revision").await?);
    let trace = cx.trace_id();
    let fields = [
        ("greeting", &*greeting),
        ("message", &*message),
        ("color", css_color(&color)),
        ("version", cx.version()),
        ("revision", &*revision),
        ("instance", cx.instance_id()),
        ("trace", &trace),
    ];
    Ok(Response::html(fill(PAGE, &fields)).header("cache-control", "no-store"))
}

/// Each `{{name}}` of the template becomes its escaped value; values aren't looked into again.
fn fill(template: &str, fields: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() + 256);
    let mut rest = template;
    while let Some((before, (name, after))) = rest
        .split_once("{{")
        .and_then(|(before, after)| Some((before, after.split_once("}}")?)))
    {
        filled.push_str(before);
        if let Some((_, value)) = fields.iter().find(|(field, _)| *field == name) {
            filled.push_str(&escape(value));
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Names and hexadecimal colours pass, anything else could break out of the style sheet.
fn css_color(color: &str) -> &str {
    let name = color.strip_prefix('#').unwrap_or(color);
    let plain = !name.is_empty()
        && name.len() <= 32
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if plain { color } else { DEFAULT_COLOR }
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use super::*;
    use crate::app;

    fn hello(greeting: &str) -> TestApp {
        TestApp::builder(app())
            .variable("greeting", greeting)
            .variable("message", "greetings from spinfo")
            .variable("color", "#34577c")
            .variable("revision", "dev")
            .build()
    }

    fn browser() -> TestRequest {
        TestRequest::get("/").header("accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
    }

    #[test]
    fn tools_get_exactly_the_bytes_of_the_greeting() {
        for accept in ["*/*", "text/plain", "application/json"] {
            let answer = hello("Hello SRE!").call(TestRequest::get("/").header("accept", accept));
            assert_eq!(answer.bytes(), b"Hello SRE!");
            assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(answer.header("vary"), "accept");
        }
        assert_eq!(hello("Grüße").call(TestRequest::get("/")).text(), "Grüße");
        assert_eq!(
            hello("")
                .call(TestRequest::get("/"))
                .header("content-length"),
            "0"
        );
    }

    #[test]
    fn browsers_get_a_page_that_holds_the_greeting_as_text() {
        let answer = hello("<script>alert(1)</script>{{trace}}").call(browser());
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert!(
            answer
                .header("content-security-policy")
                .starts_with("default-src 'none'")
        );
        let page = answer.text();
        assert!(
            page.contains("<h1>&lt;script&gt;alert(1)&lt;/script&gt;{{trace}}</h1>"),
            "{page}"
        );
        assert!(!page.contains("<script>"));
        assert!(page.contains(r#"<a href="/file_upload">"#));
        assert!(page.contains("--accent: #34577c;"));
        let trace_id = answer
            .header("traceresponse")
            .split('-')
            .nth(1)
            .unwrap_or_default();
        assert!(page.contains(trace_id));
    }

    #[test]
    fn every_placeholder_is_filled() {
        assert!(!hello("Hello").call(browser()).text().contains("{{"));
    }

    #[test]
    fn a_color_can_not_leave_its_rule() {
        assert_eq!(css_color("#34577c"), "#34577c");
        assert_eq!(css_color("rebeccapurple"), "rebeccapurple");
        for bad in [
            "",
            "#",
            "red; } body { display: none",
            "url(//x)",
            "</style>",
        ] {
            assert_eq!(css_color(bad), DEFAULT_COLOR, "{bad}");
        }
    }

    #[test]
    fn a_manifest_without_the_greeting_is_an_error_that_hides_the_cause() {
        let answer = TestApp::new(app()).call(TestRequest::get("/"));
        assert_eq!(answer.status, 500);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!answer.text().contains("spin.toml"));
    }
}
