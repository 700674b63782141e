//! `GET /headers` and `POST /headers`: the request's header fields, each name with its values.

use std::collections::BTreeMap;

use spinfo_guest::{Answer, Cx, Request, Response};

pub(crate) async fn show(_cx: Cx, request: Request) -> Answer {
    let mut fields: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, value) in request.headers() {
        fields
            .entry(name.as_str())
            .or_default()
            .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
    }
    Ok(Response::json(&fields)?.header("cache-control", "no-store"))
}

#[cfg(test)]
mod tests {
    use spinfo_guest::testing::{TestApp, TestRequest};

    use crate::app;

    #[test]
    fn every_value_is_listed_as_json() {
        let request = TestRequest::get("/headers")
            .header("x-a", "1")
            .header("x-a", "2")
            .header("x-b", "<b>");
        let answer = TestApp::new(app()).call(request);
        let fields = answer.json();
        assert_eq!(fields["x-a"], serde_json::json!(["1", "2"]));
        assert_eq!(fields["x-b"], serde_json::json!(["<b>"]));
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
}
