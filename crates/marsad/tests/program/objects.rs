//! Objects to bring in, and their markings.

pub(crate) const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
pub(crate) const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
pub(crate) const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
pub(crate) const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

/// A tool without a marking.
pub(crate) const TOOL: &str = r#"{"type":"tool","spec_version":"2.1","id":"tool--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f","created":"2016-04-06T20:03:48.000Z","modified":"2016-04-06T20:03:48.000Z","name":"VNC"}"#;

/// `tool--…0007`, named `t00007`, with a marking.
pub(crate) fn tool(number: u32, marking: &str) -> String {
    format!(
        r#"{{"type":"tool","spec_version":"2.1","id":"tool--00000000-0000-4000-8000-{number:012}","created":"2016-04-06T20:03:48.000Z","modified":"2016-04-06T20:03:48.000Z","object_marking_refs":["{marking}"],"name":"t{number:05}"}}"#
    )
}

/// A bundle of these objects, which have commas between them.
pub(crate) fn bundle(objects: &str) -> String {
    format!(r#"{{"type":"bundle","id":"bundle--5ddaeff9-eca7-4094-9e65-4f53da21a444","objects":[{objects}]}}"#)
}
