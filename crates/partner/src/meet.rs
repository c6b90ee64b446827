//! The blind meeting: two partners learn which indicator values both hold, and nothing else of what the other holds.
//!
//! # The protocol
//!
//! One run of the verifiable oblivious pseudorandom function of RFC 9497 ([`oprf`]) serves both directions. The one who asks
//! is the [`Asker`], the one who is asked the [`Answerer`].
//!
//! 1. The answerer makes a key for this one meeting and names its public half.
//! 2. The asker blinds each of its values with a scalar of its own, mixes in random points up to the size of a
//!    [bucket](bucket) and sends all in random order, page by page. The answerer evaluates each page, with a proof that it
//!    used the named key for every element. The asker unblinds: for each of its values `x` it now has `F(x)`.
//! 3. When all pages are done, the answerer sends for each of its values `y` the first 16 bytes of `F(y)`, its *tag*, mixed with
//!    random tags up to the size of a bucket, sorted. The asker sees which of its values are there.
//! 4. For each of these the asker sends the next 16 bytes of `F(x)`, the *echo*, sorted. Whoever can say the echo of a value has
//!    had it evaluated: the answerer knows which of its values the asker named, and that it did name them.
//!
//! # Why one run, and not one each way
//!
//! Two runs cost twice as much and promise less: a party could ask with one set and answer with another. Here each party is
//! bound to one set for both directions. The work of one value on either side is four multiplications of a point in
//! all (blind, evaluate, unblind; and the function of one of the answerer's), against eight.
//!
//! # What each learns
//!
//! * What the answerer sees of the asker's values are points multiplied with random scalars: they are independent of the values,
//!   whatever the answerer can compute. No key has to be kept for that; not even its theft tells later.
//! * What the asker sees of the answerer's values are outputs of a pseudorandom function under a key that is forgotten with the
//!   meeting. The function can be asked only while the meeting lasts, only through the answerer, and only so often as
//!   the answerer allows.
//! * Sizes are seen as buckets: powers of two and one and a half times these, 1,024 at least.
//! * The pages of step 2 are closed before step 3 begins: no question can follow from what was found.
//!
//! # What a dishonest party gains
//!
//! * *Guesses.* To learn whether the other holds a value one must name it, in either role: an asker has it evaluated, an answerer
//!   has it among its tags, and each costs a place of a bucket. That is what any meeting gives; therefore both
//!   roles count the other's places against a budget for each day.
//! * *Claiming what it does not hold* works only with values that it names: that is a guess. Without naming them, an answerer can
//!   send random tags, which match with probability 2^-128 each, and an asker random echoes, which end the meeting with an
//!   error.
//! * *Keeping silent.* An asker that stops after step 3, or leaves echoes out, knows more than the answerer. No protocol between
//!   two without a third prevents that; the answerer sees that no echo came.
//! * *Another key for each value*, by which an answerer could see in an echo which element was which, fails at the proof.
//! * *Elements that are no blinded values*, multiples of the public key say, give multiples under the key of points that were
//!   chosen; what that yields is bounded by the strength of the one-more Diffie-Hellman problem (RFC 9497 §7.2.3; after 2^21
//!   questions some ten bits of 126 are lost), and the key is never used again.
//!
//! False matches: with `n` and `m` values the chance that any two different ones share a tag is `n·m / 2^128`, for a million
//! each 2^-88.
//!
//! The mode with public input (POPRF) is left out: what would be public, who meets whom and when, has its own key.

pub mod chance;
pub mod hello;
pub mod oprf;
mod party;
mod spread;
mod value;

pub use party::{Answer, Answerer, Asker, Error, Met, Offer, PAGE, Tag, bucket, pages};
pub use value::{Kind, MAX, Value};
