//! `GET /file_upload`: the page with the form and the latest uploads.

use spinfo_guest::{Answer, Cx, Request};

use crate::STORE;
use crate::page::{LATEST, page};
use crate::uploads::Uploads;

pub(crate) async fn upload_page(cx: Cx, _request: Request) -> Answer {
    let uploads = Uploads::new(cx.store(STORE).await?);
    let listing = uploads.list(LATEST, cx.now()).await?;
    Ok(page(&cx, None, &listing))
}
