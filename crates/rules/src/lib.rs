//! Detection exports: what is known of threats, written in the language of other sensors.

#![forbid(unsafe_code)]
