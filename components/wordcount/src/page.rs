//! The page with the form, the last answer and the list of uploads. It loads nothing: style and script stand in it.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};

use spinfo_guest::{Cx, Response, escape};

use crate::form::FILE_LIMIT;
use crate::uploads::{Listed, Listing, Page, Upload};

#[cfg(test)]
mod tests;

/// The uploads that the page lists.
pub(crate) const LATEST: Page = Page {
    limit: 100,
    before: None,
};

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// What became of an upload.
pub(crate) enum Notice<'a> {
    /// It was counted and is remembered.
    Counted(&'a str, &'a Upload),
    /// It was not.
    Failed(&'a str),
}

/// The page. All text that isn't of this file is escaped.
pub(crate) fn page(cx: &Cx, notice: Option<Notice<'_>>, listing: &Listing) -> Response {
    let nonce = nonce(cx.random());
    let notice = match notice {
        Some(Notice::Counted(sentence, upload)) => format!(
            r#"<p id="notice" class="notice good">{} <a href="{}">{}</a></p>"#,
            escape(sentence),
            escape(&upload.path()),
            escape(&upload.short_name()),
        ),
        Some(Notice::Failed(sentence)) => {
            format!(
                r#"<p id="notice" class="notice bad">{}</p>"#,
                escape(sentence)
            )
        }
        None => r#"<p id="notice" class="notice" hidden></p>"#.to_owned(),
    };
    let (table_hidden, none_hidden) = match listing.files.is_empty() {
        true => (" hidden", ""),
        false => ("", " hidden"),
    };
    let html = format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Word count</title>
<link rel="icon" href="data:,">
<style nonce="{nonce}">
{STYLE}</style>
</head>
<body>
<main>
<h1>Word count</h1>
<p class="soft">Upload a text file in UTF-8. Its words and its different words are counted, and the file is kept.</p>
<form class="card" method="post" action="/file_upload" enctype="multipart/form-data" data-limit="{FILE_LIMIT}">
<label for="new_file">Text file, at most 10 MiB</label>
<div class="row">
<input id="new_file" name="new_file" type="file" required>
<button type="submit">Count</button>
</div>
<progress hidden aria-label="Upload"></progress>
</form>
<div role="status">{notice}</div>
<section class="card" aria-labelledby="earlier">
<h2 id="earlier">Uploads (<span id="total">{total}</span>)</h2>
<p id="none" class="soft"{none_hidden}>Nothing was uploaded yet.</p>
<div id="table" class="scroll"{table_hidden}>
<table>
<thead>
<tr>
<th scope="col">File</th>
<th scope="col">Uploaded (UTC)</th>
<th scope="col" class="number">Words</th>
<th scope="col" class="number">Different</th>
<th scope="col" class="number">Bytes</th>
</tr>
</thead>
<tbody>
{rows}</tbody>
</table>
</div>
{more}</section>
</main>
<script nonce="{nonce}">
{SCRIPT}</script>
</body>
</html>
"#,
        total = listing.total,
        rows = rows(&listing.files),
        more = more(listing),
    );
    Response::html(html)
        .header("content-security-policy", policy(&nonce))
        .header("cache-control", "no-store")
}

fn rows(files: &[Listed]) -> String {
    let mut rows = String::new();
    for Listed { name, upload } in files {
        // Writing to a string cannot fail.
        let _ = writeln!(
            rows,
            r#"<tr>
<td><a href="{path}">{name}</a></td>
<td><time datetime="{at}">{time}</time></td>
<td class="number">{words}</td>
<td class="number">{unique}</td>
<td class="number">{bytes}</td>
</tr>"#,
            path = escape(&upload.path()),
            name = escape(name),
            at = upload.uploaded_at,
            time = upload.uploaded_at.strftime("%Y-%m-%d %H:%M:%S"),
            words = upload.counts.words,
            unique = upload.counts.unique,
            bytes = upload.bytes,
        );
    }
    rows
}

fn more(listing: &Listing) -> String {
    match listing.more {
        true => format!(
            "<p class=\"soft\">The latest {} are shown; <a href=\"/files\">/files</a> has all.</p>\n",
            listing.files.len()
        ),
        false => String::new(),
    }
}

/// 128 bits that nobody can guess before the page is sent (CSP level 3, section 7.1).
fn nonce(random: u64) -> String {
    format!("{random:016x}{:016x}", RandomState::new().hash_one(random))
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; img-src data:; \
         form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}
