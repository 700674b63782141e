//! What the comparison is made of.
//!
//! - [`load`]: runs wrk or oha and reads what they found
//! - [`native`]: the native server, which is the limit
//! - [`subject`]: the programs that are compared

pub mod load;
pub mod native;
pub mod subject;
