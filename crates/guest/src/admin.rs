//! The bearer token for requests that change state (RFC 6750).

use crate::cx::Cx;
use crate::problem::Problem;
use crate::request::Request;

/// The component variable with the token; empty or missing leaves the requests open.
const ADMIN_TOKEN: &str = "admin_token";

impl Cx {
    /// Passes when the request carries the bearer token of the variable `admin_token`, or when that is empty.
    ///
    /// # Errors
    /// 401 with `www-authenticate` otherwise.
    pub async fn authorize(&self, request: &Request) -> Result<(), Problem> {
        let expected = self.variable_or(ADMIN_TOKEN, "").await?;
        if expected.is_empty() {
            return Ok(());
        }
        let Some(given) = request.header("authorization").and_then(bearer) else {
            return Err(Problem::unauthorized(
                "this request needs the header authorization: Bearer TOKEN",
            ));
        };
        if same(given.as_bytes(), expected.as_bytes()) {
            Ok(())
        } else {
            Err(Problem::unauthorized("the bearer token is not valid"))
        }
    }
}

fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares in a time that depends on the lengths only, so that a token can't be guessed byte by byte.
fn same(given: &[u8], expected: &[u8]) -> bool {
    let difference = given
        .iter()
        .zip(expected)
        .fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    given.len() == expected.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_equal_only_as_a_whole() {
        assert!(same(b"secret", b"secret"));
        assert!(!same(b"secreT", b"secret"));
        assert!(!same(b"secret1", b"secret"));
        assert!(!same(b"", b"secret"));
    }

    #[test]
    fn the_scheme_is_case_insensitive() {
        assert_eq!(bearer("bearer abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer"), None);
    }
}
