//! The component `wordcount`: counts the words of uploaded texts and remembers the texts.
//!
//! The map, in reading order: [`app`] (the routes); one module per endpoint: `upload_page`, `upload`, `files`,
//! `file`; `form` (multipart in bounded memory), `words` (counting), `uploads` (what is stored, and under which
//! names), `memory` (what uploads share), `page`
//! (HTML).

use spinfo_guest::App;

mod file;
mod files;
mod form;
mod memory;
mod page;
mod upload;
mod upload_page;
mod uploads;
mod words;

/// The label of the key-value store in spin.toml.
const STORE: &str = "default";

/// The component's routes.
pub fn app() -> App {
    App::new("wordcount", env!("CARGO_PKG_VERSION"))
        .get("/file_upload", upload_page::upload_page)
        .post("/file_upload", upload::upload)
        .get("/files", files::files)
        .get("/files/:name", file::file)
}

spinfo_guest::export!(app);
