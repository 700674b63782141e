//! `spinfo-monitor`: what does a client see?
