//! `GET /files/{name}`: the text of one upload, as it was sent.

use spinfo_guest::{Answer, Cx, Problem, Request, Response};

use crate::STORE;
use crate::uploads::Uploads;

#[cfg(test)]
mod tests;

pub(crate) async fn file(cx: Cx, request: Request) -> Answer {
    let name = request.param("name");
    let uploads = Uploads::new(cx.store(STORE).await?);
    let Some(found) = uploads.find(&name).await? else {
        return Err(Problem::not_found("there is no upload of this name"));
    };
    let (length, name) = (found.upload.bytes, found.upload.short_name());
    // The length tells the client when the text breaks off because the store fails.
    Ok(
        Response::stream("text/plain; charset=utf-8", uploads.into_text(found))
            .header("content-length", length.to_string())
            .header(
                "content-disposition",
                format!(r#"inline; filename="{name}""#),
            ),
    )
}
