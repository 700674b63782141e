//! What clients ask for, and what they have to get.

use http::Request;
use spinfo_tests::Answer;

/// A kind of request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Greeting,
    Now,
    Status,
    Delay,
    Echo,
    Upload,
}

/// The order in which clients ask. Its length is odd, so that each has its turn on kept connections and on new ones.
const MIX: [Kind; 21] = {
    use Kind::{Delay, Echo, Greeting, Now, Status, Upload};
    [
        Greeting, Now, Status, Echo, Greeting, Now, Greeting, Status, Upload, Now, Greeting, Delay,
        Status, Now, Echo, Greeting, Now, Status, Greeting, Now, Echo,
    ]
};

/// Bytes of a body that is to come back.
const ECHO: usize = 2000;

/// A set of the application's versions, whose numbers are small.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Versions(pub(crate) u64);

impl Versions {
    pub(crate) fn of(versions: &[u32]) -> Self {
        Self(versions.iter().fold(0, |set, version| set | 1 << version))
    }

    fn contain(self, version: u32) -> bool {
        self.0.checked_shr(version).is_some_and(|set| set & 1 == 1)
    }
}

/// The greeting of a version.
pub(crate) fn greeting(version: u32) -> String {
    format!("version {version}.")
}

/// The text of an upload, which no other request has.
pub(crate) fn text(number: u64) -> String {
    format!("upload number {number} of a test\n")
}

/// The number of an upload.
pub(crate) fn number(text: &str) -> Option<u64> {
    let rest = text.strip_prefix("upload number ")?;
    rest.strip_suffix(" of a test\n")?.parse().ok()
}

impl Kind {
    /// The kind of a request, by its number.
    pub(crate) fn of(number: u64) -> Self {
        let turn = number % MIX.len() as u64;
        MIX[usize::try_from(turn).expect("it is small")]
    }

    pub(crate) fn method(self) -> &'static str {
        match self {
            Self::Greeting | Self::Now | Self::Status | Self::Delay => "GET",
            Self::Echo | Self::Upload => "POST",
        }
    }

    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Greeting => "/",
            Self::Now => "/now",
            Self::Status => "/status",
            Self::Delay => "/delay/1",
            Self::Echo => "/echo",
            Self::Upload => "/file_upload",
        }
    }

    /// Whether it may be done twice (RFC 9110 section 9.2.2).
    pub(crate) fn is_idempotent(self) -> bool {
        self.method() == "GET"
    }

    /// The request. Its query tells it from all others in the access log.
    pub(crate) fn request(self, number: u64) -> Request<Vec<u8>> {
        let request = Request::builder().method(self.method()).uri(format!(
            "{}?{}",
            self.route(),
            mark(number)
        ));
        let request = match self {
            Self::Echo => request.body(vec![b'e'; ECHO]),
            Self::Upload => {
                let text = text(number);
                let form = format!(
                    "--b\r\nContent-Disposition: form-data; name=\"new_file\"; filename=\"a.txt\"\r\n\r\n{text}\r\n--b--\r\n"
                );
                request
                    .header("content-type", "multipart/form-data; boundary=b")
                    .body(form.into_bytes())
            }
            _ => request.body(Vec::new()),
        };
        request.expect("a good request")
    }

    /// Whether it is the answer that was to be expected from one of these versions.
    pub(crate) fn check(self, answer: &Answer, versions: Versions) -> Result<(), String> {
        let text = String::from_utf8_lossy(&answer.body);
        let good = match self {
            Self::Echo => answer.status == 202 && answer.body == vec![b'e'; ECHO],
            _ if answer.status != 200 => false,
            Self::Greeting => version(&text).is_some_and(|version| versions.contain(version)),
            Self::Now => text.ends_with("Z\n"),
            Self::Status => answer.json()["state"] == "ok",
            Self::Delay => answer.json()["delay"] == 1,
            Self::Upload => text == "File Received. Thanks! Word Count:6, Uniq-Word Count:6",
        };
        if good {
            return Ok(());
        }
        let begin: String = text.chars().take(200).collect();
        Err(format!("status {}: {begin}", answer.status))
    }
}

/// What tells a request from all others.
pub(crate) fn mark(number: u64) -> String {
    format!("request={number}.")
}

fn version(greeting: &str) -> Option<u32> {
    let number = greeting.strip_prefix("version ")?;
    number.strip_suffix('.')?.parse().ok()
}
