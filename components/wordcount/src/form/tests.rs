use futures::executor::block_on;
use futures::stream;
use proptest::prelude::*;

use super::*;

const BOUNDARY: &str = "X-BOUNDARY";

/// The first file of the field `new_file`, after the whole form was read.
fn read_chunks(
    boundary: &str,
    chunks: impl IntoIterator<Item = Bytes>,
) -> Result<Option<Vec<u8>>, FormError> {
    let mut body = stream::iter(chunks.into_iter().map(Ok).collect::<Vec<_>>());
    let mut form = Form::new(&mut body, boundary.to_owned());
    block_on(async {
        let mut content = Vec::new();
        if !form.next_file("new_file").await? {
            return Ok(None);
        }
        while let Some(chunk) = form.chunk().await? {
            content.extend_from_slice(&chunk);
        }
        match form.next_file("new_file").await? {
            true => Err(FormError::SecondFile),
            false => Ok(Some(content)),
        }
    })
}

fn read(body: impl AsRef<[u8]>) -> Result<Option<Vec<u8>>, FormError> {
    read_chunks(BOUNDARY, [Bytes::copy_from_slice(body.as_ref())])
}

fn part(disposition: &str, content: &str) -> String {
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

fn file(content: &str) -> String {
    part(r#"name="new_file"; filename="a.txt""#, content)
}

fn end() -> String {
    format!("--{BOUNDARY}--\r\n")
}

#[track_caller]
fn assert_file(body: String, expected: &str) {
    let read = read(body).unwrap().expect("a file");
    assert_eq!(String::from_utf8(read).unwrap(), expected);
}

#[test]
fn the_boundary_is_taken_from_the_content_type() {
    for (content_type, expected) in [
        ("multipart/form-data; boundary=abc", "abc"),
        (
            "Multipart/Form-Data; charset=utf-8; boundary=\"a b\"",
            "a b",
        ),
        (
            "multipart/form-data;boundary=----WebKitFormBoundary7MA4YWxkTrZu0gW",
            "----WebKitFormBoundary7MA4YWxkTrZu0gW",
        ),
    ] {
        assert_eq!(boundary(content_type).unwrap(), expected);
    }
}

#[test]
fn other_content_types_are_not_a_form() {
    for content_type in [
        "",
        "text/plain",
        "multipart/mixed; boundary=a",
        "application/x-www-form-urlencoded",
        "multipart/form-data-x; boundary=a",
    ] {
        assert!(
            matches!(boundary(content_type), Err(FormError::NotAForm)),
            "{content_type}"
        );
    }
}

#[test]
fn a_boundary_that_is_missing_or_huge_is_named() {
    let huge = format!("multipart/form-data; boundary={}", "b".repeat(71));
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; charset=x",
        "multipart/form-data; boundary=\"\"",
        &huge,
    ] {
        assert!(
            matches!(boundary(content_type), Err(FormError::Boundary)),
            "{content_type}"
        );
    }
}

#[test]
fn the_file_is_found_among_other_fields() {
    let other = part(r#"name="comment""#, "hello");
    let other_file = part(r#"name="picture"; filename="b.png""#, "PNG");
    assert_file(file("one\r\ntwo\n") + &end(), "one\r\ntwo\n");
    assert_file(
        format!("{other}{other_file}{}{other}{}", file("text"), end()),
        "text",
    );
}

#[test]
fn preamble_and_epilogue_do_not_count() {
    assert_file(
        format!(
            "to be ignored\r\n{}{}ignored as well\r\n--{BOUNDARY}\r\n",
            file("text"),
            end()
        ),
        "text",
    );
    assert_file(format!("\r\n{}--{BOUNDARY}--", file("")), "");
}

#[test]
fn headers_may_be_in_any_order_and_case() {
    let body = format!(
        "--{BOUNDARY}\r\ncontent-type: text/plain\r\nCONTENT-DISPOSITION: form-data; filename=a.txt; name=new_file\r\nX-Other: 1\r\n\r\ntext\r\n{}",
        end()
    );
    assert_file(body, "text");
}

#[test]
fn what_looks_like_a_boundary_inside_a_file_stays_in_it() {
    let content = format!(
        "--{BOUNDARY}\r\n-{BOUNDARY}\r\n--{}\r\n\r\r\n\r",
        &BOUNDARY[..5]
    );
    // A delimiter begins with a line break; this one begins the content instead.
    assert_file(file(&content) + &end(), &content);
}

#[test]
fn a_field_without_a_file_name_is_no_file() {
    for disposition in [
        r#"name="new_file""#,
        r#"name="new_file"; filename="""#,
        r#"name="other"; filename="a.txt""#,
        r#"filename="a.txt""#,
    ] {
        assert!(
            matches!(read(part(disposition, "x") + &end()), Ok(None)),
            "{disposition}"
        );
    }
    assert!(matches!(read(end()), Ok(None)));
}

#[test]
fn a_second_file_is_refused() {
    assert!(matches!(
        read(file("one") + &file("two") + &end()),
        Err(FormError::SecondFile)
    ));
}

#[test]
fn a_form_that_is_cut_off_anywhere_is_malformed() {
    let whole = part(r#"name="comment""#, "hello") + &file("text") + &end();
    for length in 0..whole.len() - 2 {
        let cut = read(&whole[..length]);
        assert!(
            matches!(cut, Err(FormError::Malformed(_))),
            "{length}: {cut:?}"
        );
    }
}

#[test]
fn nonsense_is_malformed() {
    for body in [
        "".to_owned(),
        "new_file=text".to_owned(),
        format!("--{BOUNDARY}garbage\r\n\r\n"),
        format!("--{BOUNDARY}\r\nno colon\r\n\r\ntext\r\n--{BOUNDARY}--"),
        format!("--{BOUNDARY}\r\n: empty\r\n\r\ntext\r\n--{BOUNDARY}--"),
        format!(
            "--{BOUNDARY}\nContent-Disposition: form-data; name=new_file; filename=a\n\ntext\n--{BOUNDARY}--\n"
        ),
        file("text") + "--another--\r\n",
    ] {
        let read = read(&body);
        assert!(
            matches!(read, Err(FormError::Malformed(_))),
            "{body}: {read:?}"
        );
    }
}

#[test]
fn many_headers_are_refused() {
    let headers: String = (0..100)
        .map(|number| format!("x-{number}: y\r\n"))
        .collect();
    let body = format!("--{BOUNDARY}\r\n{headers}\r\ntext\r\n{}", end());
    assert!(matches!(read(body), Err(FormError::Malformed(_))));
}

/// A body that goes on far beyond what may stand between two parts.
fn read_endless(first: &str, chunk: &'static str) -> Result<Option<Vec<u8>>, FormError> {
    let chunks = std::iter::repeat_n(
        Bytes::from_static(chunk.as_bytes()),
        20 * BETWEEN_PARTS_LIMIT / chunk.len(),
    );
    read_chunks(
        BOUNDARY,
        std::iter::once(Bytes::copy_from_slice(first.as_bytes())).chain(chunks),
    )
}

#[test]
fn endless_headers_preambles_and_boundaries_are_cut_off() {
    for (first, chunk) in [
        (format!("--{BOUNDARY}\r\n"), "x-header: and so on\r\n"),
        (format!("--{BOUNDARY}\r\nx-header: "), "and so on"),
        (String::new(), "a preamble\r\n"),
        (format!("{}--{BOUNDARY}", file("text")), " \t"),
    ] {
        let read = read_endless(&first, chunk);
        assert!(
            matches!(read, Err(FormError::HeadersTooLarge)),
            "{chunk:?}: {read:?}"
        );
    }
}

#[test]
fn many_parts_and_large_fields_are_refused() {
    let part_of = |size: usize| part(r#"name="comment""#, &"c".repeat(size));
    let many: String = (0..=PARTS_LIMIT).map(|_| part_of(1)).collect();
    assert!(matches!(read(many + &end()), Err(FormError::TooManyParts)));
    let large = part_of(OTHER_FIELDS_LIMIT / 2) + &part_of(OTHER_FIELDS_LIMIT / 2);
    assert_file(format!("{large}{}{}", file("text"), end()), "text");
    assert!(matches!(
        read(large + &part_of(1) + &file("text") + &end()),
        Err(FormError::OtherFieldsTooLarge)
    ));
}

#[test]
fn a_file_has_10_mib_and_not_a_byte_more() {
    let content = "x".repeat(FILE_LIMIT);
    let read_of = |content: &str| read(file(content) + &end());
    assert_eq!(read_of(&content).unwrap().unwrap().len(), FILE_LIMIT);
    assert!(matches!(
        read_of(&(content + "x")),
        Err(FormError::FileTooLarge)
    ));
}

#[test]
fn an_interrupted_body_says_so() {
    let interrupted = BodyError::Interrupted("reset".to_owned());
    let mut body = stream::iter([Ok(Bytes::from(file("text"))), Err(interrupted.clone())]);
    let mut form = Form::new(&mut body, BOUNDARY.to_owned());
    let error = block_on(async {
        assert!(form.next_file("new_file").await.unwrap());
        loop {
            if let Err(error) = form.chunk().await {
                return error;
            }
        }
    });
    assert!(matches!(error, FormError::Body(error) if error == interrupted));
}

/// The parser must not take in more than it is asked for, however much has come in.
#[test]
fn little_of_the_body_is_read_ahead() {
    let content = "y".repeat(1 << 20);
    let whole = Bytes::from(file(&content) + &end());
    let total = whole.len();
    let pieces = stream::iter(
        (0..total)
            .step_by(1000)
            .map(move |at| Ok(whole.slice(at..(at + 1000).min(total)))),
    );
    let handed = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&handed);
    let mut body = pieces.inspect(move |piece: &Result<Bytes, BodyError>| {
        let length = piece.as_ref().map_or(0, Bytes::len);
        counter.fetch_add(length, Ordering::Relaxed);
    });
    let mut form = Form::new(&mut body, BOUNDARY.to_owned());
    block_on(async {
        assert!(form.next_file("new_file").await.unwrap());
        let mut taken = 0;
        while let Some(chunk) = form.chunk().await.unwrap() {
            taken += chunk.len();
            let ahead = handed.load(Ordering::Relaxed) - taken;
            assert!(ahead <= 2 * PIECE, "{ahead} bytes ahead");
        }
        assert_eq!(taken, content.len());
    });
}

proptest! {
    #[test]
    fn chunks_make_no_difference(
        content in "[ab\r\n-]{0,60}(--X-BOUND|\r\n--X-BOUNDAR)?[ab\r\n-]{0,20}",
        before in "[a-z\r\n]{0,30}",
        size in 1_usize..50,
    ) {
        let body = Bytes::from(format!("{}{}{}", part(r#"name="comment""#, &before), file(&content), end()));
        let chunks = (0..body.len()).step_by(size).map(|at| body.slice(at..(at + size).min(body.len())));
        prop_assert_eq!(read_chunks(BOUNDARY, chunks).unwrap().unwrap(), content.into_bytes());
    }

    #[test]
    fn any_bytes_are_read_or_refused(body: Vec<u8>, boundary in "[a-z]{1,3}") {
        let _ = read_chunks(&boundary, [Bytes::from(body)]);
    }

    #[test]
    fn anything_made_of_a_forms_words_is_read_or_refused(words in prop::collection::vec(
        prop::sample::select(vec![
            "--X-BOUNDARY", "\r\n", "--", "\n", "\r", "Content-Disposition:", " form-data;", " name=", "new_file", "\"", ";", "filename=", "\\", "x",
        ]), 0..60), size in 1_usize..20)
    {
        let body = Bytes::from(words.concat());
        let chunks = (0..body.len()).step_by(size).map(|at| body.slice(at..(at + size).min(body.len())));
        let _ = read_chunks(BOUNDARY, chunks);
    }

    #[test]
    fn any_content_type_has_a_boundary_or_none(content_type: String) {
        let _ = boundary(&content_type);
        let _ = boundary(&format!("multipart/form-data; {content_type}"));
    }
}
