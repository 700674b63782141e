//! What the tests of deployments have in common.
