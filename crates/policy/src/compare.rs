//! Whose values may be compared with a partner's: in a blind meeting a partner learns that a value is in a record here only if
//! it names that value itself.

use crate::{Author, Class, Code, Facts, Micros, Outcome, Rules, Viewer, decide};

/// How far comparing goes beyond handing over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Comparing {
    /// Values of records that the partner may have as they are.
    Releasable,
    /// Those, and values of records of the node's own organisation that nothing but their TLP marking keeps from it: who made
    /// them may go further than their marking says (TLP 2.0 §3).
    Ours,
    /// The same of everybody's records.
    AllButRed,
}

/// Whether values of records of the class may be compared with the viewer's. `own` is the node's own organisation.
///
/// Never of what is TLP:RED and not addressed to the viewer, under embargo or expired, confined to a circle or group in which
/// the viewer is not, above its ceiling, marked with what is not understood, or kept back or masked because of data about
/// persons; and never of a record of which the viewer would get a part, because the value may be in the other part.
#[must_use]
pub fn comparable(
    viewer: &Viewer,
    class: &Class,
    at: Micros,
    rules: &Rules,
    facts: &dyn Facts,
    own: &str,
    comparing: Comparing,
) -> bool {
    let decision = decide(viewer, class, at, rules, facts);
    let ours = class.author == Author::Owner && !own.is_empty() && class.owner.to_lowercase() == own.to_lowercase();
    let beyond = match comparing {
        Comparing::Releasable => false,
        Comparing::Ours => ours,
        Comparing::AllButRed => true,
    };
    match decision.outcome {
        Outcome::Release => true,
        Outcome::Redact(_) => false,
        Outcome::Withhold => beyond && decision.reasons.iter().all(|reason| is_of_marking(reason.code)),
    }
}

/// The rules that may have taken part: those that let somebody have it, and the one that keeps by its TLP level. A rule that is
/// added later is none of them until somebody says so.
fn is_of_marking(code: Code) -> bool {
    matches!(
        code,
        Code::MarkingWithholds
            | Code::MarkingReleases
            | Code::DefaultMarking
            | Code::Originator
            | Code::Statement
            | Code::PermittedActions
            | Code::AudienceReleases
            | Code::GroupMember
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Audience, Group, Handling, Meaning, Relation, Tlp, Treatment};

    const CLEAR: &str = "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487";
    const GREEN: &str = "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb";
    const AMBER: &str = "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421";
    const STRICT: &str = "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003";
    const RED: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";
    const STRANGE: &str = "marking-definition--11111111-1111-4111-8111-111111111111";

    struct World {
        ceiling: Option<Tlp>,
    }

    impl Facts for World {
        fn meaning(&self, _: &str, _: &str) -> Meaning {
            Meaning::Unknown
        }

        fn group(&self, id: &str) -> Option<Group> {
            let members = if id == "theirs" { vec!["Port".to_owned()] } else { Vec::new() };
            Some(Group { id: id.into(), name: id.into(), owner: "Us".into(), members, ..Group::default() })
        }

        fn ceiling(&self, _: &str) -> Option<Tlp> {
            self.ceiling
        }

        fn treatment(&self, _: &Viewer, kind: &str) -> Treatment {
            match kind {
                "email" => Treatment::Mask,
                "passport" => Treatment::Withhold,
                _ => Treatment::Give,
            }
        }
    }

    fn class(marking: &str) -> Class {
        Class { markings: vec![marking.into()], owner: "Us".into(), ..Class::default() }
    }

    fn limited(handling: Handling) -> Class {
        Class { handling, ..class(AMBER) }
    }

    fn within(circle: Audience) -> Class {
        limited(Handling { audience: vec![circle], ..Handling::default() })
    }

    #[test]
    fn table() {
        let of = |owner: &str, author: Author| Class { owner: owner.into(), author, ..class(AMBER) };
        let personal = |fixed: &[&str], cut: &[&str]| Class {
            personal_fixed: fixed.iter().map(|kind| (*kind).to_owned()).collect(),
            personal: cut.iter().map(|kind| (*kind).to_owned()).collect(),
            ..class(AMBER)
        };
        // Releasable, ours, all but red.
        let table = [
            ("clear", class(CLEAR), [true, true, true]),
            ("green", class(GREEN), [true, true, true]),
            ("amber", class(AMBER), [false, true, true]),
            ("amber+strict", class(STRICT), [false, true, true]),
            ("no marking", Class { owner: "Us".into(), ..Class::default() }, [false, true, true]),
            ("red", class(RED), [false, false, false]),
            ("red, addressed", Class { recipients: vec!["Port".into()], ..class(RED) }, [true, true, true]),
            ("red and amber", Class { markings: vec![AMBER.into(), RED.into()], ..class(RED) }, [false, false, false]),
            ("not understood", class(STRANGE), [false, false, false]),
            ("brought by another", of("North", Author::Owner), [false, false, true]),
            ("ours, made by another", of("Us", Author::Organisation("North".into())), [false, false, true]),
            ("ours, made by a stranger", of("Us", Author::Foreign), [false, false, true]),
            ("theirs", of("Port", Author::Owner), [true, true, true]),
            ("embargo", limited(Handling { embargo: Some(20), ..Handling::default() }), [false, false, false]),
            ("expired", limited(Handling { expires: Some(5), ..Handling::default() }), [false, false, false]),
            ("our organisation alone", within(Audience::Organisation), [false, false, false]),
            ("a group without them", within(Audience::Group("ours".into())), [false, false, false]),
            ("a group with them", within(Audience::Group("theirs".into())), [true, true, true]),
            ("everyone, amber", within(Audience::All), [false, true, true]),
            ("persons, masked", personal(&[], &["email"]), [false, false, false]),
            ("persons, fixed", personal(&["email"], &[]), [false, false, false]),
            ("persons, withheld", personal(&[], &["passport"]), [false, false, false]),
            ("persons, given", personal(&[], &["name"]), [false, true, true]),
            ("parts cut", Class { granular: vec![AMBER.into()], ..class(GREEN) }, [false, false, false]),
            ("bound by a part", Class { binding: vec![AMBER.into()], ..class(GREEN) }, [false, false, false]),
        ];
        let viewer =
            Viewer { name: Some("Port".into()), organisation: Some("Port".into()), relation: Relation::Community };
        for (name, class, wanted) in table {
            for (comparing, wanted) in
                [Comparing::Releasable, Comparing::Ours, Comparing::AllButRed].into_iter().zip(wanted)
            {
                let world = World { ceiling: None };
                let got = comparable(&viewer, &class, 10, &Rules::default(), &world, "Us", comparing);
                assert_eq!(got, wanted, "{name}, {comparing:?}");
            }
        }
        let low = World { ceiling: Some(Tlp::Green) };
        assert!(!comparable(&viewer, &class(AMBER), 10, &Rules::default(), &low, "Us", Comparing::AllButRed));
        // A node without an organisation of its own has no records of its own.
        let nobody = Class { owner: String::new(), ..class(AMBER) };
        let world = World { ceiling: None };
        assert!(!comparable(&viewer, &nobody, 10, &Rules::default(), &world, "", Comparing::Ours));
    }
}
