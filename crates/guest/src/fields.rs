//! A request's header fields: searched as the host hands them over, and made a map of only for who wants them all.

use std::cell::OnceCell;

use http::{HeaderMap, HeaderName, HeaderValue};

/// Names and values, in the order of the host.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    list: Vec<(String, Vec<u8>)>,
    map: OnceCell<HeaderMap>,
}

impl Fields {
    pub(crate) fn new(list: Vec<(String, Vec<u8>)>) -> Self {
        Self {
            list,
            map: OnceCell::new(),
        }
    }

    /// The values of the fields of this name that are visible ASCII.
    pub(crate) fn get<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.list
            .iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
            .filter_map(|(_, value)| {
                let visible = value.iter().all(|byte| matches!(byte, b'\t' | b' '..=b'~'));
                str::from_utf8(value).ok().filter(|_| visible)
            })
    }

    /// The last of these values.
    pub(crate) fn last(&self, name: &str) -> Option<&str> {
        self.get(name).last()
    }

    /// All of them.
    pub(crate) fn map(&self) -> &HeaderMap {
        self.map.get_or_init(|| {
            let mut map = HeaderMap::with_capacity(self.list.len());
            for (name, value) in &self.list {
                // A host lets nothing else through (wasi:http, `fields`).
                if let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(name), HeaderValue::from_bytes(value))
                {
                    map.append(name, value);
                }
            }
            map
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_no_case_and_values_are_text() {
        let field = |name: &str, value: &[u8]| (name.to_owned(), value.to_vec());
        let fields = Fields::new(vec![
            field("accept", b"a"),
            field("X-B", b"\xff"),
            field("Accept", b"b"),
            field("x-b", b"c\td"),
        ]);
        assert_eq!(fields.get("accept").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(fields.get("x-b").collect::<Vec<_>>(), ["c\td"]);
        assert_eq!(fields.map()["x-b"], b"\xff".as_slice());
        assert_eq!(fields.map().len(), 4);
    }
}
