//! Partners: organisations with nodes of their own, with which this one exchanges.

pub mod provenance;
pub mod statement;
