//! The built program against servers of the test, most of which are wrong on purpose.
//!
//! - [`program`]: a run of the program, and what it says
//! - [`server`]: a server that answers by a script, byte by byte
//! - [`status`]: a server with the status endpoints, whose state others may change too

mod program;
mod server;
mod status;

mod changes;
mod connections;
mod ends;
mod errors;
mod otlp;
mod output;
mod pages;
mod schedule;
mod terminal;
