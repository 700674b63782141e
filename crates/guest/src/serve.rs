//! From the host's request to the handlers and back.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::BodyDataStream;
use spin_sdk::http::{IntoResponse, Request as HostRequest};
use spin_sdk::wasip3::http::types::{ErrorCode, Fields, Response as HostResponse};
use spin_sdk::wasip3::http_compat::BodyWriter;
use spin_sdk::wit_bindgen;

use crate::app::{App, handle};
use crate::body::IncomingBody;
use crate::instance::Instance;
use crate::platform::spin::Spin;
use crate::request::Request;
use crate::response::{Body, Response};

thread_local! {
    static INSTANCE: OnceCell<Rc<Instance>> = const { OnceCell::new() };
}

/// Answers one request of the host; `app` is called for the first one only.
pub async fn serve(app: fn() -> App, request: HostRequest) -> impl IntoResponse {
    let instance = INSTANCE
        .with(|cell| Rc::clone(cell.get_or_init(|| Instance::new(app(), Rc::new(Spin::new())))));
    let (parts, body) = request.into_parts();
    let announced = parts
        .headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse().ok());
    let chunks = BodyDataStream::new(body).map(|chunk| chunk.map_err(|error| error.to_string()));
    let response = handle(
        instance,
        Request::new(parts, IncomingBody::new(chunks, announced)),
    )
    .await;
    into_host(response).map_err(spin_sdk::http::Error::ErrorCode)
}

fn into_host(response: Response) -> Result<HostResponse, ErrorCode> {
    let fields: Vec<(String, Vec<u8>)> = response
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let fields = Fields::from_list(&fields)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (mut writer, contents, trailers) = BodyWriter::new();
    let contents = match &response.body {
        // Without a stream the host takes `content-length` as it is, also the one that answers HEAD.
        Body::Full(bytes) if bytes.is_empty() => None,
        _ => Some(contents),
    };
    let (host, _transmitted) = HostResponse::new(fields, contents, trailers);
    host.set_status_code(response.status.as_u16())
        .map_err(|()| ErrorCode::InternalError(Some("invalid status code".to_owned())))?;
    wit_bindgen::spawn(async move {
        match response.body {
            Body::Full(bytes) if bytes.is_empty() => {}
            Body::Full(bytes) => {
                let _ = writer.stream_writer.write_all(bytes.into()).await;
            }
            Body::Stream(mut chunks) => {
                while let Some(chunk) = chunks.next().await {
                    let rest = writer.stream_writer.write_all(Bytes::into(chunk)).await;
                    if !rest.is_empty() {
                        // The client is gone.
                        break;
                    }
                }
            }
        }
        drop(writer.stream_writer);
        let _ = writer.result_writer.write(Ok(None)).await;
    });
    Ok(host)
}
