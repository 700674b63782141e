//! `spinfo-probe`: is it up, and is its clock right?
