use std::rc::Rc;

use spinfo_guest::testing::{TestApp, TestRequest, start};
use spinfo_guest::{Answer, App, Cx, Request, Response};

use super::*;
use crate::words::Counts;

/// Runs `work` with an empty store.
fn with_store<F, Fut>(work: F)
where
    F: Fn(Cx) -> Fut + 'static,
    Fut: Future<Output = ()> + 'static,
{
    let work = Rc::new(work);
    let app = App::new("test", "0").get("/", move |cx: Cx, _: Request| {
        let work = Rc::clone(&work);
        async move {
            work(cx).await;
            Answer::Ok(Response::text("done"))
        }
    });
    assert_eq!(TestApp::new(app).call(TestRequest::get("/")).text(), "done");
}

async fn store(cx: &Cx) -> Store {
    cx.store("default").await.unwrap()
}

async fn uploads(cx: &Cx) -> Uploads {
    Uploads::new(store(cx).await)
}

fn after(seconds: u64) -> SystemTime {
    start() + Duration::from_secs(seconds)
}

fn counts(words: u32, unique: u32) -> Counts {
    Counts { words, unique }
}

const ALL: Page = Page {
    limit: 1000,
    before: None,
};

async fn remember(uploads: &Uploads, text: &[u8], counts: Counts, now: SystemTime) -> Upload {
    let mut draft = uploads.draft(now, 0);
    for chunk in text.chunks(10_007) {
        draft.write(chunk).await.unwrap();
    }
    draft.commit(counts, now).await.unwrap()
}

async fn text(uploads: Uploads, name: &str) -> Option<Vec<u8>> {
    let found = uploads.find(name).await.unwrap()?;
    Some(
        uploads
            .into_text(found)
            .collect::<Vec<Bytes>>()
            .await
            .concat(),
    )
}

async fn names(cx: &Cx) -> Vec<String> {
    let listing = uploads(cx).await.list(ALL, after(0)).await.unwrap();
    listing
        .files
        .into_iter()
        .map(|listed| listed.name)
        .collect()
}

fn some_text(length: usize) -> Vec<u8> {
    (0..length)
        .map(|at| b"abcdefg "[at * 31 % 1013 % 8])
        .collect()
}

#[test]
fn a_text_is_read_back_under_both_names() {
    with_store(|cx| async move {
        for (number, length) in [
            0,
            1,
            1000,
            PIECE - 1,
            PIECE,
            PIECE + 1,
            3 * PIECE,
            3 * PIECE + 7,
        ]
        .into_iter()
        .enumerate()
        {
            let content = some_text(length);
            let of = uploads(&cx).await;
            let upload = remember(&of, &content, counts(5, 3), after(number as u64)).await;
            assert_eq!(upload.bytes, length as u64);
            for name in [upload.short_name(), upload.exact_name()] {
                assert_eq!(
                    text(uploads(&cx).await, &name).await.as_ref(),
                    Some(&content),
                    "{name}"
                );
            }
        }
    });
}

#[test]
fn a_small_upload_is_one_write_and_a_large_one_has_its_pieces() {
    with_store(|cx| async move {
        remember(&uploads(&cx).await, &some_text(100), counts(1, 1), after(0)).await;
        assert_eq!(store(&cx).await.keys().await.unwrap().len(), 1);
        remember(
            &uploads(&cx).await,
            &some_text(2 * PIECE + 1),
            counts(1, 1),
            after(1),
        )
        .await;
        assert_eq!(store(&cx).await.keys().await.unwrap().len(), 4);
    });
}

#[test]
fn nothing_is_seen_before_the_commit_and_nothing_left_after_a_discard() {
    with_store(|cx| async move {
        let of = uploads(&cx).await;
        let mut draft = of.draft(after(0), 0);
        draft.write(&some_text(2 * PIECE + 5)).await.unwrap();
        assert_eq!(store(&cx).await.keys().await.unwrap().len(), 2);
        assert!(names(&cx).await.is_empty());
        draft.discard().await;
        assert!(store(&cx).await.keys().await.unwrap().is_empty());
    });
}

#[test]
fn uploads_of_one_second_with_equal_counts_stay_apart() {
    with_store(|cx| async move {
        let of = uploads(&cx).await;
        let mut texts = Vec::new();
        for number in 0..5_u8 {
            let upload = remember(
                &of,
                &[b'a' + number],
                counts(1, 1),
                after(0) + Duration::from_nanos(number.into()),
            )
            .await;
            texts.push((upload, vec![b'a' + number]));
        }
        let names = names(&cx).await;
        assert_eq!(names.len(), 5);
        assert_eq!(names[4], "20260102.030405-1-1.txt");
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), 5);
        for (name, (upload, content)) in names.iter().rev().zip(&texts) {
            assert_eq!(of.name(upload).await.unwrap(), *name);
            assert_eq!(text(uploads(&cx).await, name).await.as_ref(), Some(content));
            assert_eq!(
                text(uploads(&cx).await, &upload.exact_name())
                    .await
                    .as_ref(),
                Some(content)
            );
        }
    });
}

#[test]
fn lists_are_newest_first_and_come_in_pages() {
    with_store(|cx| async move {
        let of = uploads(&cx).await;
        for number in 0..25_u32 {
            // Five a second, with counts whose text sorts otherwise than their numbers.
            let now = after(u64::from(number / 5)) + Duration::from_millis((number % 5).into());
            remember(&of, b"x", counts(number % 3 * 9 + 1, 1), now).await;
        }
        let all = of.list(ALL, after(0)).await.unwrap();
        assert_eq!((all.files.len(), all.total, all.more), (25, 25, false));
        assert!(
            all.files
                .is_sorted_by(|one, other| one.upload > other.upload)
        );
        let mut paged = Vec::new();
        let mut before = None;
        loop {
            let page = of.list(Page { limit: 4, before }, after(0)).await.unwrap();
            assert_eq!(page.total, 25);
            before = page.files.last().map(|last| last.upload);
            paged.extend(page.files);
            if !page.more {
                break;
            }
        }
        assert_eq!(paged, all.files);
    });
}

#[test]
fn pieces_that_were_cut_off_are_removed_when_they_are_old() {
    with_store(|cx| async move {
        let of = uploads(&cx).await;
        let kept = remember(&of, &some_text(PIECE + 1), counts(2, 2), after(0)).await;
        let mut draft = of.draft(after(0), 0);
        draft.write(&some_text(70 * PIECE)).await.unwrap();
        drop(draft);
        let keys = async || store(&cx).await.keys().await.unwrap().len();
        of.list(ALL, after(3600)).await.unwrap();
        assert_eq!(keys().await, 72);
        of.list(ALL, after(3 * 3600)).await.unwrap();
        assert_eq!(keys().await, 72 - ORPHANS_AT_ONCE);
        of.list(ALL, after(3 * 3600)).await.unwrap();
        assert_eq!(keys().await, 2);
        assert_eq!(
            text(of, &kept.exact_name()).await,
            Some(some_text(PIECE + 1))
        );
    });
}

#[test]
fn an_upload_that_took_too_long_is_not_remembered() {
    with_store(|cx| async move {
        let of = uploads(&cx).await;
        let mut draft = of.draft(after(0), 0);
        draft.write(&some_text(PIECE)).await.unwrap();
        let late = draft
            .commit(
                counts(1, 1),
                after(0) + UPLOAD_LIMIT + Duration::from_secs(1),
            )
            .await;
        assert!(matches!(late, Err(CommitError::TooSlow)));
        assert!(store(&cx).await.keys().await.unwrap().is_empty());
    });
}

#[test]
fn names_of_nothing_find_nothing() {
    with_store(|cx| async move {
        let upload = remember(&uploads(&cx).await, b"x", counts(1, 1), after(0)).await;
        for name in [
            "",
            "x",
            "20260102.030405-1-2.txt",
            "20260102.030405-1.txt",
            "20260102.030405-1-1",
        ] {
            assert_eq!(text(uploads(&cx).await, name).await, None, "{name}");
        }
        let other = upload.exact_name().replace("~0", "~1");
        assert_eq!(text(uploads(&cx).await, &other).await, None);
    });
}

#[test]
fn a_record_of_another_length_is_corrupt() {
    with_store(|cx| async move {
        let upload = remember(&uploads(&cx).await, b"text", counts(1, 1), after(0)).await;
        store(&cx)
            .await
            .set(&record_key(&upload.exact_name()), b"longer text")
            .await
            .unwrap();
        let found = uploads(&cx).await.find(&upload.short_name()).await;
        assert!(matches!(found, Err(StoreError::Corrupt { .. })));
    });
}

#[test]
fn a_missing_piece_ends_the_text() {
    with_store(|cx| async move {
        let upload = remember(
            &uploads(&cx).await,
            &some_text(3 * PIECE + 1),
            counts(1, 1),
            after(0),
        )
        .await;
        store(&cx)
            .await
            .delete(&piece_key(upload.id, 1))
            .await
            .unwrap();
        assert_eq!(
            text(uploads(&cx).await, &upload.exact_name())
                .await
                .map(|text| text.len()),
            Some(PIECE)
        );
    });
}

#[test]
fn keys_of_others_in_the_store_are_left_alone() {
    with_store(|cx| async move {
        for key in [
            "status",
            "wordcount:1:file:",
            "wordcount:1:file:é",
            "wordcount:1:text:",
            "wordcount:1:text:zz:0000",
            "wordcount:2:file:x",
        ] {
            store(&cx).await.set(key, b"value").await.unwrap();
        }
        assert!(names(&cx).await.is_empty());
        uploads(&cx)
            .await
            .list(ALL, after(24 * 3600))
            .await
            .unwrap();
        assert_eq!(store(&cx).await.keys().await.unwrap().len(), 6);
    });
}

#[test]
fn a_broken_store_is_an_error_everywhere() {
    let app = TestApp::new(crate::app());
    app.store("default").set_broken(true);
    for path in ["/files", "/files/20260102.030405-1-1.txt", "/file_upload"] {
        assert_eq!(app.call(TestRequest::get(path)).status, 503, "{path}");
    }
}
