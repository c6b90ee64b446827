//! What the watch found, told to people and partners.
//!
//! Hits are folded into alerts ([`fold`]), which lie in the register; an alert becomes a STIX [`sighting`]; notices of it wait in the
//! register for each way out until they are told ([`out`]); what people answer lowers or keeps the [`confidence`] in a claim.
//!
//! What is called a false positive is a verdict of our organisation on the claim, not on one alert. It acts at once here: all open
//! alerts of the claim are false positives, notices of them that wait are let go of, and so is every later alert of it, about
//! whichever machine, after a restart, and also where its author writes a new version of the indicator. Further hits are counted
//! there, and neither told nor sighted. The verdict lies in the register and ends when somebody acknowledges an alert of the
//! claim; an opinion of ours in the book that strongly disagrees, by whatever way it came, does the same for as long as it stands.
//! To others it goes as that opinion, and lowers what the claim counts for there; with `watch.min-confidence` such a claim is not
//! met at all any more, here or there. A hunt, and `marsad watch` at a terminal, tell what they find whatever was answered.

pub mod alert;
pub mod confidence;
pub mod desk;
pub mod fold;
pub mod hit;
pub mod out;
pub mod sighting;
pub mod view;
pub mod words;
