//! One HTTP request as a client sees it: where its time goes, and how it fails.
