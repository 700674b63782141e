//! From the host's request to the handlers and back.
//!
//! What a short request costs here is its calls to the host, far more than what is computed between them. So the parts
//! that no handler reads aren't asked for, and the SDK's conversion, which asks for all of them, isn't used.

use std::cell::OnceCell;
use std::rc::Rc;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use http_body_util::BodyDataStream;
use spin_sdk::wasip3::http::types::{
    ErrorCode, Fields as HostFields, Request as HostRequest, Response as HostResponse,
};
use spin_sdk::wasip3::http_compat::IncomingRequestBody;
use spin_sdk::wasip3::{wit_future, wit_stream};
use spin_sdk::wit_bindgen::{self, StreamWriter};

pub use spin_sdk::wasip3;

use crate::app::App;
use crate::body::IncomingBody;
use crate::fields::Fields;
use crate::handle::Service;
use crate::platform::spin::Spin;
use crate::request::{Head, Request};
use crate::response::{Body, Response};

thread_local! {
    static SERVICE: OnceCell<Rc<Service>> = const { OnceCell::new() };
}

/// Answers one request of the host; `app` is called for the first one only.
pub async fn serve(app: fn() -> App, request: HostRequest) -> Result<HostResponse, ErrorCode> {
    let start = || Rc::new(Service::new(app(), Rc::new(Spin::new())));
    let service = SERVICE.with(|cell| Rc::clone(cell.get_or_init(start)));
    into_host(service.handle(from_host(request)?).await)
}

fn from_host(host: HostRequest) -> Result<Request, ErrorCode> {
    let method = host
        .get_method()
        .try_into()
        .map_err(|_| ErrorCode::HttpRequestMethodInvalid)?;
    let target = host
        .get_path_with_query()
        .ok_or(ErrorCode::HttpRequestUriInvalid)?;
    let fields = Fields::new(host.get_headers().copy_all());
    let announced = fields
        .get("content-length")
        .next()
        .and_then(|length| length.parse().ok());
    let head = Head {
        method,
        target,
        fields,
    };
    // The host hears of the body only when a handler reads it.
    let chunks = stream::once(async move { IncomingRequestBody::new(host) })
        .map_ok(BodyDataStream::new)
        .try_flatten()
        .map_err(|error| error.to_string());
    Ok(Request::new(head, IncomingBody::new(chunks, announced)))
}

fn into_host(response: Response) -> Result<HostResponse, ErrorCode> {
    let fields: Vec<(String, Vec<u8>)> = response
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec()))
        .collect();
    let fields = HostFields::from_list(&fields)
        .map_err(|error| ErrorCode::InternalError(Some(error.to_string())))?;
    let (writer, contents) = match &response.body {
        // Without a stream the host takes `content-length` as it is, also the one that answers HEAD.
        Body::Full(bytes) if bytes.is_empty() => (None, None),
        _ => {
            let (writer, contents) = wit_stream::new();
            (Some(writer), Some(contents))
        }
    };
    let (end, trailers) = wit_future::new(|| {
        Err(ErrorCode::InternalError(Some(
            "the answer was given up".to_owned(),
        )))
    });
    let (host, _transmitted) = HostResponse::new(fields, contents, trailers);
    if response.status != http::StatusCode::OK {
        host.set_status_code(response.status.as_u16())
            .map_err(|()| ErrorCode::InternalError(Some("invalid status code".to_owned())))?;
    }
    wit_bindgen::spawn(async move {
        if let Some(writer) = writer {
            write(writer, response.body).await;
        }
        let _ = end.write(Ok(None)).await;
    });
    Ok(host)
}

async fn write(mut writer: StreamWriter<u8>, body: Body) {
    match body {
        Body::Full(bytes) => {
            let _ = writer.write_all(bytes.into()).await;
        }
        Body::Stream(mut chunks) => {
            while let Some(chunk) = chunks.next().await {
                let rest = writer.write_all(Bytes::into(chunk)).await;
                if !rest.is_empty() {
                    // The client is gone.
                    break;
                }
            }
        }
    }
}
