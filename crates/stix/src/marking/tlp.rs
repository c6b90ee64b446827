//! The Traffic Light Protocol: its labels and their predefined marking definitions. STIX 2.1 §7.2.1.4, TLP 2.0.

use std::fmt;

/// A label of TLP 2.0, from the widest circle of recipients to the narrowest: a greater label is stricter.
///
/// TLP 1's WHITE is CLEAR; its AMBER, which included clients, is AMBER and not AMBER+STRICT (TLP 2.0 §1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// No limit.
    Clear,
    /// The community of peers and partners, never a public channel.
    Green,
    /// The recipient's organisation and its clients.
    Amber,
    /// The recipient's organisation alone.
    AmberStrict,
    /// The individual recipients alone.
    Red,
}

impl Tlp {
    /// Every label, from CLEAR to RED.
    pub const ALL: [Self; 5] = [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The label as it must be written in any language: `TLP:AMBER+STRICT`. TLP 2.0 §1.
    pub fn label(self) -> &'static str {
        match self {
            Self::Clear => "TLP:CLEAR",
            Self::Green => "TLP:GREEN",
            Self::Amber => "TLP:AMBER",
            Self::AmberStrict => "TLP:AMBER+STRICT",
            Self::Red => "TLP:RED",
        }
    }

    /// The id of the TLP 2.0 marking definition.
    pub fn id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

/// The extension by which a marking definition says a label of TLP 2.0, in the property `tlp_2_0`.
pub const TLP2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";
/// `created` of the TLP 1 marking definitions. STIX 2.1 §7.2.1.4.
pub const TLP1_CREATED: &str = "2017-01-20T00:00:00.000Z";
/// `created` of the TLP 2.0 marking definitions.
pub const TLP2_CREATED: &str = "2022-10-01T00:00:00.000Z";

/// A marking definition that is fixed once for everybody; no other may be made for its label. STIX 2.1 §7.2.1.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Predefined {
    /// The id, which objects may name without bringing the definition along.
    pub id: &'static str,
    /// What it means.
    pub tlp: Tlp,
    /// 1 for TLP 1 (`definition`), 2 for TLP 2.0 (extension).
    pub generation: u8,
    /// Its `name`.
    pub name: &'static str,
    /// Value of `definition.tlp` or of `tlp_2_0`.
    pub value: &'static str,
    /// The whole object, as compact JSON.
    pub json: &'static str,
}

/// The meaning of a predefined TLP marking definition, of either generation.
pub fn tlp_of(id: &str) -> Option<Tlp> {
    predefined(id).map(|definition| definition.tlp)
}

/// The predefined marking definition of that id.
pub fn predefined(id: &str) -> Option<&'static Predefined> {
    PREDEFINED.iter().find(|definition| definition.id == id)
}

macro_rules! tlp1 {
    ($tlp:ident, $name:literal, $value:literal, $uuid:literal) => {
        Predefined {
            id: concat!("marking-definition--", $uuid),
            tlp: Tlp::$tlp,
            generation: 1,
            name: $name,
            value: $value,
            json: concat!(
                r#"{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--"#,
                $uuid,
                r#"","created":"2017-01-20T00:00:00.000Z","name":""#,
                $name,
                r#"","definition_type":"tlp","definition":{"tlp":""#,
                $value,
                r#""}}"#
            ),
        }
    };
}

macro_rules! tlp2 {
    ($tlp:ident, $name:literal, $value:literal, $uuid:literal) => {
        Predefined {
            id: concat!("marking-definition--", $uuid),
            tlp: Tlp::$tlp,
            generation: 2,
            name: $name,
            value: $value,
            json: concat!(
                r#"{"type":"marking-definition","spec_version":"2.1","id":"marking-definition--"#,
                $uuid,
                r#"","created":"2022-10-01T00:00:00.000Z","name":""#,
                $name,
                r#"","extensions":{"extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d":{"extension_type":"property-extension","tlp_2_0":""#,
                $value,
                r#""}}}"#
            ),
        }
    };
}

/// The four marking definitions of TLP 1 and the five of TLP 2.0.
pub const PREDEFINED: [Predefined; 9] = [
    tlp1!(Clear, "TLP:WHITE", "white", "613f2e26-407d-48c7-9eca-b8e91df99dc9"),
    tlp1!(Green, "TLP:GREEN", "green", "34098fce-860f-48ae-8e50-ebd3cc5e41da"),
    tlp1!(Amber, "TLP:AMBER", "amber", "f88d31f6-486f-44da-b317-01333bde0b82"),
    tlp1!(Red, "TLP:RED", "red", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed"),
    tlp2!(Clear, "TLP:CLEAR", "clear", "94868c89-83c2-464b-929b-a1a8aa3c8487"),
    tlp2!(Green, "TLP:GREEN", "green", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb"),
    tlp2!(Amber, "TLP:AMBER", "amber", "55d920b0-5e8b-4f79-9ee9-91f868d9b421"),
    tlp2!(AmberStrict, "TLP:AMBER+STRICT", "amber+strict", "939a9414-2ddd-4d32-a0cd-375ea402b003"),
    tlp2!(Red, "TLP:RED", "red", "e828b379-4e03-4974-9ac4-e53a884c97c1"),
];

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::{id::Id, published, timestamp::Timestamp};

    #[test]
    fn every_definition_says_what_its_row_says() {
        for row in &PREDEFINED {
            let object: Value = serde_json::from_str(row.json).unwrap();
            assert_eq!(object["id"], row.id);
            assert_eq!(object["name"], row.name);
            assert_eq!(object["spec_version"], "2.1");
            assert_eq!(Id::parse(row.id).unwrap().object_type(), "marking-definition");
            let (value, created) = match row.generation {
                1 => (&object["definition"]["tlp"], TLP1_CREATED),
                _ => (&object["extensions"][TLP2_EXTENSION]["tlp_2_0"], TLP2_CREATED),
            };
            assert_eq!(value, row.value);
            assert_eq!(object["created"], created);
            assert!(Timestamp::parse(created).is_ok());
            assert_eq!(format!("TLP:{}", row.value.to_uppercase()), row.name);
        }
    }

    #[test]
    fn ids_are_of_one_label_and_each_label_knows_its_id() {
        for tlp in Tlp::ALL {
            assert_eq!(tlp_of(tlp.id()), Some(tlp));
            assert_eq!(predefined(tlp.id()).unwrap().generation, 2);
            assert_eq!(predefined(tlp.id()).unwrap().name, tlp.label());
        }
        let mut ids: Vec<_> = PREDEFINED.iter().map(|row| row.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), PREDEFINED.len());
        assert_eq!(tlp_of("marking-definition--613f2e26-407d-48c7-9eca-b8e91df99dc0"), None);
        assert_eq!(tlp_of("MARKING-DEFINITION--613f2e26-407d-48c7-9eca-b8e91df99dc9"), None);
        assert_eq!(tlp_of(""), None);
    }

    #[test]
    fn stricter_labels_are_greater() {
        assert!(Tlp::ALL.is_sorted_by(|a, b| a < b));
        assert!(Tlp::Amber < Tlp::AmberStrict && Tlp::AmberStrict < Tlp::Red);
    }

    #[test]
    fn equal_to_the_published_definitions() {
        let Some(schema) = published::json("stix21-schemas/schemas/common/marking-definition.json") else { return };
        for row in PREDEFINED.iter().filter(|row| row.generation == 1) {
            let fixed = &schema["definitions"][format!("tlp_{}", row.value)]["properties"];
            assert_eq!(fixed["id"]["enum"][0], row.id);
            assert_eq!(fixed["name"]["enum"][0], row.name);
            assert_eq!(fixed["definition"]["properties"]["tlp"]["enum"][0], row.value);
        }
        assert_eq!(schema["oneOf"][1]["properties"]["created"]["enum"][0], TLP1_CREATED);

        let Some(schema) = published::json(&format!("stix21-validator-samples/test_schemas/{TLP2_EXTENSION}.json"))
        else {
            return;
        };
        for row in PREDEFINED.iter().filter(|row| row.generation == 2) {
            let fixed = &schema["definitions"][format!("tlp_{}", row.value.replace('+', "_"))]["properties"];
            assert_eq!(fixed["id"]["enum"][0], row.id);
            assert_eq!(fixed["name"]["enum"][0], row.name);
            let extension = &fixed["extensions"]["properties"][TLP2_EXTENSION]["properties"];
            assert_eq!(extension["tlp_2_0"]["enum"][0], row.value);
            assert_eq!(extension["extension_type"]["enum"][0], "property-extension");
        }

        let Some(bundle) = published::json("stix21-validator-samples/test_examples/tlp-amber.json") else { return };
        let ours: Value = serde_json::from_str(predefined(Tlp::Amber.id()).unwrap().json).unwrap();
        assert_eq!(bundle["objects"][0], ours);
    }
}
