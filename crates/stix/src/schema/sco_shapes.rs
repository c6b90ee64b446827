//! Types inside cyber-observables. STIX 2.1 §6.

use super::extension::embedded;
use super::property::may;
use super::{Kind, Rule, Shape, Target};
use crate::vocab;

pub(super) static MIME_PART: Shape = embedded(
    "email-mime-part-type",
    "STIX 2.1 §6.6.2",
    &[
        may("body", Kind::Text),
        may("body_raw_ref", Kind::Ref(Target::Local(&["artifact", "file"]))),
        may("content_type", Kind::Text),
        may("content_disposition", Kind::Text),
    ],
    &[Rule::OneOf("body", "body_raw_ref")],
);

pub(super) static REGISTRY_VALUE: Shape = embedded(
    "windows-registry-value-type",
    "STIX 2.1 §6.17.2",
    &[
        may("name", Kind::Text),
        may("data", Kind::Text),
        may("data_type", Kind::Closed(&vocab::WINDOWS_REGISTRY_DATATYPE)),
    ],
    &[Rule::AnyOwn],
);

pub(super) static X509_EXTENSIONS: Shape = embedded(
    "x509-v3-extensions-type",
    "STIX 2.1 §6.18.2",
    &[
        may("basic_constraints", Kind::Text),
        may("name_constraints", Kind::Text),
        may("policy_constraints", Kind::Text),
        may("key_usage", Kind::Text),
        may("extended_key_usage", Kind::Text),
        may("subject_key_identifier", Kind::Text),
        may("authority_key_identifier", Kind::Text),
        may("subject_alternative_name", Kind::Text),
        may("issuer_alternative_name", Kind::Text),
        may("subject_directory_attributes", Kind::Text),
        may("crl_distribution_points", Kind::Text),
        may("inhibit_any_policy", Kind::Text),
        may("private_key_usage_period_not_before", Kind::Time),
        may("private_key_usage_period_not_after", Kind::Time),
        may("certificate_policies", Kind::Text),
        may("policy_mappings", Kind::Text),
    ],
    &[Rule::AnyOwn],
);
