//! How a receiver can tell that an object is not whole.

/// The id under which `extensions` of an object says that parts of it were taken out.
pub const EXTENSION: &str = "extension-definition--3f1c5b0e-8d0a-4c62-9a5e-6e2f4b7d91c3";

/// The property that says it where there is no place for [`EXTENSION`]: in STIX 2.0, which has no extensions of domain
/// objects; on an extension-definition, which has none itself; and on a cyber-observable whose id is made from its
/// `extensions`, which would so get another id.
pub const PROPERTY: &str = "x_marsad_partial";
