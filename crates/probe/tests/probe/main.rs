//! The program against servers that are wrong on purpose. They speak raw bytes, for no HTTP library would send what they send.

mod certificate;
mod clock;
mod interval;
mod output;
mod perfdata;
mod program;
mod prometheus;
mod redirects;
mod secrets;
mod server;
mod status;
mod telemetry;
mod transport;
mod usage;
