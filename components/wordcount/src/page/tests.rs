use spinfo_guest::testing::{TestApp, TestRequest};

fn get(app: &TestApp) -> (String, String) {
    let answer = app.call(TestRequest::get("/file_upload"));
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    (
        answer.text(),
        answer.header("content-security-policy").to_owned(),
    )
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let from = text.find(start).expect(start) + start.len();
    &text[from..from + text[from..].find(end).expect(end)]
}

#[test]
fn only_the_pages_own_style_and_script_may_run() {
    let app = TestApp::new(crate::app());
    let (page, policy) = get(&app);
    let nonce = between(&policy, "script-src 'nonce-", "'");
    assert_eq!(nonce.len(), 32);
    assert!(policy.starts_with("default-src 'none'; "));
    assert!(!policy.contains("unsafe"));
    for tag in ["<script", "<style"] {
        assert_eq!(page.matches(tag).count(), 1, "{tag}");
        assert!(page.contains(&format!("{tag} nonce=\"{nonce}\">")));
    }
    assert_ne!(get(&app).1, policy);
}

#[test]
fn the_form_works_as_it_stands() {
    let (page, _) = get(&TestApp::new(crate::app()));
    assert!(page.contains(r#"method="post" action="/file_upload" enctype="multipart/form-data""#));
    assert!(page.contains(r#"<label for="new_file">"#));
    assert!(page.contains(r#"<input id="new_file" name="new_file" type="file" required>"#));
    assert!(page.contains("Nothing was uploaded yet."));
}

#[test]
fn uploads_are_listed_newest_first_up_to_a_hundred() {
    let app = TestApp::new(crate::app());
    for number in 0..103 {
        let body = format!(
            "--X\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a\"\r\n\r\nnumber {number}\r\n--X--\r\n"
        );
        let request = TestRequest::post("/file_upload")
            .header("content-type", "multipart/form-data; boundary=X");
        app.call(request.body(body));
        app.advance(std::time::Duration::from_secs(1));
    }
    let (page, _) = get(&app);
    assert_eq!(page.matches("<tr>\n<td>").count(), 100);
    assert_eq!(between(&page, "<span id=\"total\">", "<"), "103");
    assert!(page.contains("The latest 100 are shown"));
    let first = between(&page, "<tbody>", "</tr>");
    assert!(first.contains(">20260102.030547-2-2.txt</a>"), "{first}");
    assert!(first.contains(">2026-01-02 03:05:47</time>"), "{first}");
}
