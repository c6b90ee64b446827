//! Wires the node: its directory and configuration, intake, accounts, the door, HTTP, outgoing links.

#![forbid(unsafe_code)]

pub mod accounts;
pub mod administration;
pub mod alerts;
pub mod audit;
pub mod backup;
pub mod certificate;
pub mod chance;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod doctor;
pub mod door;
pub mod egress;
pub mod export;
pub mod eyes;
pub mod home;
pub mod http;
pub mod import;
pub mod intake;
pub mod known;
pub mod limiter;
pub mod link;
pub mod meaning;
pub mod narrow;
pub mod nats;
pub mod network;
pub mod oidc;
pub mod packed;
pub mod partners;
pub mod rules;
pub mod sample;
pub mod sealed;
pub mod second_factor;
pub mod sessions;
pub mod sources;
pub mod totp;
pub mod upkeep;
pub mod validate_files;
pub mod watch;
pub mod why;
pub mod writer;
