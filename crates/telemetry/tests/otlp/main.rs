//! Telemetry as a receiver sees it, and as the program sees it when there is no receiver.

mod delivery;
mod exemplars;
mod logging;
mod program;
mod tls;
mod troubles;
