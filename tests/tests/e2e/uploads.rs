//! `wordcount` with real text: the counts are Python's, and nothing that was acknowledged is lost.

use std::io::Write as _;
use std::process::{Command, Stdio};

use http::Request;
use serde_json::Value;
use spinfo_tests::{Answer, Host, Up};

const BOUNDARY: &str = "boundary-of-the-test";
/// The largest file that is taken, in bytes.
const LIMIT: usize = 10_485_760;

fn form(field: &str, file: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\n"
    )
    .into_bytes();
    body.extend_from_slice(file);
    body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
    body
}

fn post(host: &Host, accept: &str, body: Vec<u8>) -> Answer {
    let kind = format!("multipart/form-data; boundary=\"{BOUNDARY}\"");
    host.send(
        Request::post("/file_upload")
            .header("content-type", kind)
            .header("accept", accept)
            .body(body)
            .unwrap(),
    )
}

fn upload(host: &Host, file: &[u8]) -> Answer {
    post(host, "*/*", form("new_file", file))
}

fn files(host: &Host) -> Vec<Value> {
    host.get("/files").json()["files"]
        .as_array()
        .unwrap()
        .clone()
}

fn thanks(words: u64, unique: u64) -> String {
    format!("File Received. Thanks! Word Count:{words}, Uniq-Word Count:{unique}")
}

/// What Python's `re` counts; `None` on machines without Python.
fn python(text: &[u8]) -> Option<(u64, u64)> {
    const COUNT: &str = "import re,sys\n\
        words=[w for w in re.split(r'\\W+',sys.stdin.buffer.read().decode()) if w]\n\
        print(len(words),len(set(words)))";
    let python = Command::new("python3")
        .args(["-c", COUNT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut python = python.ok()?;
    python.stdin.take().unwrap().write_all(text).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let (words, unique) = text.trim().split_once(' ').unwrap();
    Some((words.parse().unwrap(), unique.parse().unwrap()))
}

/// Words of many scripts, some of which `\W+` cuts (combining marks, apostrophes, symbols), in an order that looks random.
fn many_languages(bytes: usize) -> Vec<u8> {
    const WORDS: [&str; 32] = [
        "word",
        "naïve",
        "don't",
        "snake_case",
        "x86_64",
        "Ελλάδα",
        "Привет",
        "שלום",
        "سلام",
        "नमस्ते",
        "ภาษาไทย",
        "你好",
        "こんにちは",
        "한국어",
        "e\u{301}tude",
        "½",
        "²",
        "Ⅷ",
        "ẞß",
        "ǅ",
        "አማርኛ",
        "ქართული",
        "Հայերեն",
        "தமிழ்",
        "😀",
        "3.14",
        "—",
        "١٢٣",
        "a\u{200d}b",
        "ﬁn",
        "\u{1d400}\u{1d7d8}",
        "İI",
    ];
    const SPACES: [&str; 6] = [" ", "\n", "\t", ", ", "\u{a0}", "\u{3000}"];
    let mut text = String::with_capacity(bytes + 64);
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    while text.len() < bytes {
        text.push_str(WORDS[random(WORDS.len())]);
        if random(3) == 0 {
            text.push_str(&random(4000).to_string());
        }
        text.push_str(SPACES[random(SPACES.len())]);
    }
    text.push('\n');
    text.into_bytes()
}

/// Words and distinct words of nine mebibytes of that, counted by Python 3.11, for machines without it.
const MANY_LANGUAGES: (u64, u64) = (997_576, 103_903);

#[test]
fn the_counts_of_a_licence_are_pythons() {
    let Ok(text) = std::fs::read("/usr/share/common-licenses/GPL-3") else {
        return;
    };
    let Some((words, unique)) = python(&text) else {
        return;
    };
    let host = Up::spinfo().start();
    assert_eq!(upload(&host, &text).text(), thanks(words, unique));
}

#[test]
fn the_counts_of_nine_mebibytes_in_many_languages_are_pythons_and_take_little_memory() {
    let text = many_languages(9 << 20);
    let (words, unique) = MANY_LANGUAGES;
    assert_eq!(python(&text).unwrap_or(MANY_LANGUAGES), MANY_LANGUAGES);
    let host = Up::spinfo().args(["--max-memory", "16777216"]).start();
    let answer = upload(&host, &text);
    assert_eq!(
        (answer.status.as_u16(), answer.text()),
        (200, &*thanks(words, unique))
    );

    let listed = files(&host);
    assert_eq!(listed[0]["bytes"], text.len());
    let stored = host.get(listed[0]["url"].as_str().unwrap());
    assert_eq!(stored.header("content-type"), "text/plain; charset=utf-8");
    assert!(stored.body == text, "{} bytes came back", stored.body.len());
}

#[test]
fn the_original_sentences_are_answered() {
    let host = Up::spinfo().start();
    let plain = |answer: Answer| {
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        (answer.status.as_u16(), answer.text().to_owned())
    };
    assert_eq!(plain(upload(&host, b"one two two\n")), (200, thanks(3, 2)));
    let empty = "File Received... But it was empty. Word Count:0, Uniq-Word Count:0";
    assert_eq!(plain(upload(&host, b"")), (200, empty.into()));
    assert_eq!(plain(upload(&host, b" ...\n")).1, empty);
    assert_eq!(
        plain(post(&host, "*/*", form("other", b"one"))),
        (400, "Missing File".into())
    );
    let binary: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    assert_eq!(
        plain(upload(&host, &binary)),
        (415, "Problem parsing uploaded file. Is it TEXT?".into())
    );
    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert_eq!(
        plain(upload(&host, &program[..1 << 20])),
        (415, "Problem parsing uploaded file. Is it TEXT?".into())
    );
}

#[test]
fn ten_mebibytes_are_taken_and_not_a_byte_more() {
    let host = Up::spinfo().start();
    let mut text = b"word ".repeat(LIMIT / 5);
    assert_eq!(text.len(), LIMIT);
    assert_eq!(upload(&host, &text).text(), thanks(LIMIT as u64 / 5, 1));
    text.push(b'a');
    let answer = upload(&host, &text);
    assert_eq!(answer.status, 413);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(files(&host).len(), 1, "what was refused is not kept");
}

#[test]
fn programs_get_json_and_browsers_a_page() {
    let host = Up::spinfo().start();
    let answer = post(&host, "application/json", form("new_file", b"a <b> a\n"));
    let body = answer.json();
    assert_eq!(
        (&body["words"], &body["unique_words"], &body["bytes"]),
        (&3.into(), &2.into(), &8.into())
    );
    let name = body["name"].as_str().unwrap();
    // YYYYMMDD.HHmmss-#words-#unique.txt
    assert!(
        name.ends_with("-3-2.txt") && name.as_bytes()[8] == b'.' && name.as_bytes()[15] == b'-',
        "{name}"
    );
    let page = post(&host, "text/html", form("new_file", b"one two\n"));
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text().contains("Word Count:2, Uniq-Word Count:2"));
    let shown = host.get("/file_upload");
    assert!(
        shown.text().contains("new_file") && shown.text().contains(name),
        "{}",
        shown.text()
    );
    assert!(
        shown.text().find("-2-2.txt") < shown.text().find("-3-2.txt"),
        "the newest comes first"
    );
}

#[test]
fn uploads_of_the_same_moment_are_all_kept() {
    let host = Up::spinfo().start();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_eq!(upload(&host, b"same words\n").text(), thanks(2, 2)));
        }
    });
    let listed = files(&host);
    assert_eq!(listed.len(), 16);
    let mut urls: Vec<_> = listed
        .iter()
        .map(|file| file["url"].as_str().unwrap())
        .collect();
    urls.sort_unstable();
    urls.dedup();
    assert_eq!(urls.len(), 16);
    for url in urls {
        assert_eq!(host.get(url).text(), "same words\n");
    }
}

#[test]
fn uploads_survive_a_stop_and_a_crash() {
    let state = tempfile::tempdir().unwrap();
    let text = |round: usize| format!("round {round}\n").repeat(1 + round * 20_000);
    for round in 0..4 {
        let mut host = Up::spinfo().state(state.path()).start();
        assert_eq!(files(&host).len(), round, "round {round}");
        for (file, earlier) in files(&host).iter().zip((0..round).rev()) {
            let kept = host.get(file["url"].as_str().unwrap());
            assert!(
                kept.text() == text(earlier),
                "the upload of round {earlier} in round {round}"
            );
        }
        assert_eq!(upload(&host, text(round).as_bytes()).status, 200);
        // At once: the answer is the promise.
        if round % 2 == 0 {
            host.kill();
        } else {
            assert_eq!(host.stop().code(), Some(0));
        }
    }
}

#[test]
fn hostile_forms_are_refused_and_leave_nothing() {
    let host = Up::spinfo().start();
    let truncated = &form("new_file", b"one two")[..120];
    let endless = format!("--{BOUNDARY}\r\nX: {}", "a".repeat(1 << 20));
    let two = [&form("new_file", b"one")[..], b""].concat();
    let two = String::from_utf8(two).unwrap();
    let two = two.replace(&format!("--{BOUNDARY}--\r\n"), "")
        + &String::from_utf8(form("new_file", b"two")).unwrap();
    for (name, body) in [
        ("truncated", truncated.to_vec()),
        ("endless headers", endless.into_bytes()),
        ("two files", two.into_bytes()),
        ("no form", b"x".to_vec()),
    ] {
        let answer = post(&host, "*/*", body);
        assert!(answer.status.is_client_error(), "{name}: {answer:?}");
    }
    for kind in [
        "multipart/form-data",
        "text/plain",
        "multipart/form-data; boundary=",
    ] {
        let request = Request::post("/file_upload").header("content-type", kind);
        let answer = host.send(request.body(form("new_file", b"one")).unwrap());
        assert!(answer.status.is_client_error(), "{kind}: {answer:?}");
    }
    assert!(files(&host).is_empty());
}
