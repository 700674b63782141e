use std::time::Duration;

use serde_json::json;
use spinfo_guest::testing::{TestApp, TestRequest};

fn app_with(uploads: usize) -> TestApp {
    let app = TestApp::new(crate::app());
    for number in 0..uploads {
        let body = format!(
            "--X\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a\"\r\n\r\nnumber {number}\n\r\n--X--\r\n"
        );
        let request = TestRequest::post("/file_upload")
            .header("content-type", "multipart/form-data; boundary=X");
        assert_eq!(app.call(request.body(body)).status, 200);
        app.advance(Duration::from_secs(1));
    }
    app
}

#[test]
fn nothing_was_uploaded_at_first() {
    let answer = app_with(0).call(TestRequest::get("/files"));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.json(), json!({"files": [], "total": 0}));
}

#[test]
fn files_are_listed_newest_first() {
    let answer = app_with(2).call(TestRequest::get("/files"));
    let mut body = answer.json();
    for file in body["files"].as_array_mut().unwrap() {
        assert!(
            file["url"]
                .take()
                .as_str()
                .unwrap()
                .starts_with("/files/20260102.03040")
        );
    }
    assert_eq!(
        body,
        json!({
            "files": [
                {"name": "20260102.030406-2-2.txt", "words": 2, "unique_words": 2, "bytes": 9, "uploaded_at": "2026-01-02T03:04:06Z", "url": null},
                {"name": "20260102.030405-2-2.txt", "words": 2, "unique_words": 2, "bytes": 9, "uploaded_at": "2026-01-02T03:04:05Z", "url": null},
            ],
            "total": 2,
        })
    );
}

#[test]
fn next_leads_through_all_pages() {
    let app = app_with(7);
    let mut path = "/files?limit=3".to_owned();
    let mut names = Vec::new();
    loop {
        let body = app.call(TestRequest::get(&path)).json();
        names.extend(
            body["files"]
                .as_array()
                .unwrap()
                .iter()
                .map(|file| file["name"].to_string()),
        );
        match body["next"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(names.len(), 7);
    assert!(names.is_sorted_by(|one, other| one > other));
}

#[test]
fn other_pages_are_refused_by_name() {
    let app = app_with(1);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=x", "limit"),
        ("before=x", "before"),
        ("before=", "before"),
    ] {
        let answer = app.call(TestRequest::get(&format!("/files?{query}")));
        assert_eq!(answer.status, 400, "{query}");
        assert_eq!(answer.json()["errors"][0]["field"], field);
    }
}
