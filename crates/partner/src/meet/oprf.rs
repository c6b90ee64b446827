//! Oblivious pseudorandom functions over ristretto255 with SHA-512 (RFC 9497), modes OPRF and VOPRF.
//!
//! One party has a key, the other an input; the other learns the function of the input under the key, the first learns
//! nothing. In mode VOPRF one short proof a batch shows that every element was evaluated with the one key that was named.
//!
//! Operations work on batches, because encoding many points at once costs a third of encoding each: a point is made with
//! half of its scalar and doubled while it is encoded. They are spread over as many threads as the caller says.
//!
//! Whatever touches a key, a blind or an input runs in constant time. Only [`verify`] and the sums of
//! [`Evaluation::prove`] do not: they look at nothing that was not sent.

use super::chance::Chance;
use super::spread::{spread, spread_all};
use curve25519_dalek::RistrettoPoint;
use curve25519_dalek::Scalar;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::traits::{IsIdentity as _, VartimeMultiscalarMul as _};
use sha2::{Digest as _, Sha512};
use std::num::NonZeroUsize;
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

/// An encoded point of the group (RFC 9496 §4.3.2).
pub type Element = [u8; 32];
/// What the function gives.
pub type Output = [u8; 64];
/// Elements of one batch at most: the proof counts them in two bytes (RFC 9497 §2.2.1).
pub const BATCH: usize = 65_535;
/// Bytes of a proof.
pub const PROOF: usize = 64;

/// Which of the protocols (RFC 9497 §3.1): it is part of everything that is hashed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// Without proof.
    Oprf,
    /// With proof.
    Voprf,
}

/// Why a batch is refused.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// Not the encoding of a point, or of the neutral one.
    #[error("element {0} is not one of the group: not its only encoding, or the neutral element")]
    Element(usize),
    /// The input is mapped to the neutral element, which nobody can find (RFC 9497 §3.3.1).
    #[error("input {0} cannot be hashed to the group")]
    Input(usize),
    /// Nothing, too much, or not as much as was asked.
    #[error("{0} elements, not {1}")]
    Count(usize, usize),
    /// The proof is wrong: not every element was evaluated with the key that was named.
    #[error("the proof is wrong: not everything was evaluated with the key that was named")]
    Proof,
    /// No key comes of this seed, which nobody can find.
    #[error("no key can be made of this seed")]
    Key,
}

impl Mode {
    /// `contextString` (RFC 9497 §3.1).
    fn context(self) -> [u8; 28] {
        let mut context = *b"OPRFV1-\0-ristretto255-SHA512";
        if let Some(mode) = context.get_mut(7) {
            *mode = match self {
                Self::Oprf => 0,
                Self::Voprf => 1,
            };
        }
        context
    }

    fn expander(self, purpose: &[u8]) -> Expander {
        Expander::new(&[purpose, &self.context()].concat())
    }
}

/// `expand_message_xmd` with SHA-512 for 64 bytes (RFC 9380 §5.3.1): one block of output.
#[derive(Clone)]
struct Expander {
    /// The hash after `Z_pad`.
    padded: Sha512,
    /// `DST_prime`.
    purpose: Vec<u8>,
}

impl Expander {
    fn new(purpose: &[u8]) -> Self {
        // The purposes of this file are shorter than 256 bytes, so that none has to be hashed first (§5.3.3).
        let length = u8::try_from(purpose.len()).unwrap_or(u8::MAX);
        Self { padded: Sha512::new().chain_update([0; 128]), purpose: [purpose, &[length]].concat() }
    }

    fn expand(&self, message: &[&[u8]]) -> [u8; 64] {
        let mut hash = self.padded.clone();
        message.iter().for_each(|part| hash.update(part));
        let first = hash.chain_update([0, 64, 0]).chain_update(&self.purpose).finalize();
        Sha512::new().chain_update(first).chain_update([1]).chain_update(&self.purpose).finalize().into()
    }

    fn scalar(&self, message: &[&[u8]]) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&self.expand(message))
    }

    fn point(&self, message: &[u8]) -> RistrettoPoint {
        RistrettoPoint::from_uniform_bytes(&self.expand(&[message]))
    }
}

/// A key and what others know of it. Does not print; is wiped when dropped.
pub struct Key {
    mode: Mode,
    secret: Zeroizing<Scalar>,
    /// The same, halved: what points are multiplied with before they are doubled and encoded.
    half: Zeroizing<Scalar>,
    public: Element,
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Key {
    /// `DeriveKeyPair` (RFC 9497 §3.2.1).
    ///
    /// # Errors
    /// [`Error::Key`].
    pub fn derive(mode: Mode, seed: &[u8; 32], info: &[u8]) -> Result<Self, Error> {
        let expander = mode.expander(b"DeriveKeyPair");
        let length = length(info);
        let mut keys = (0..=u8::MAX).map(|counter| expander.scalar(&[seed, &length, info, &[counter]]));
        let secret = Zeroizing::new(keys.find(|key| *key != Scalar::ZERO).ok_or(Error::Key)?);
        let half = Zeroizing::new(secret.div_by_2());
        let public = RistrettoPoint::mul_base(&secret).compress().to_bytes();
        Ok(Self { mode, secret, half, public })
    }

    /// `pkS`.
    #[must_use]
    pub fn public(&self) -> &Element {
        &self.public
    }

    /// `BlindEvaluate` without the proof (RFC 9497 §3.3.1).
    ///
    /// # Errors
    /// [`Error::Count`], [`Error::Element`].
    pub fn evaluate(&self, blinded: &[Element], threads: NonZeroUsize) -> Result<Evaluation<'_>, Error> {
        counted(blinded.len(), blinded.len())?;
        let points = decode(blinded, threads)?;
        let elements = spread(threads, &points, |_, points| {
            let multiples: Vec<_> = points.iter().map(|point| point * *self.half).collect();
            Ok(encode_doubled(&multiples))
        })?;
        Ok(Evaluation { key: self, points, blinded: blinded.to_vec(), elements })
    }

    /// `Evaluate` (RFC 9497 §3.3.1): the function itself, of inputs of the one who holds the key.
    ///
    /// # Errors
    /// [`Error::Input`].
    pub fn function<I: AsRef<[u8]> + Sync>(&self, inputs: &[I], threads: NonZeroUsize) -> Result<Vec<Output>, Error> {
        let expander = self.mode.expander(b"HashToGroup-");
        spread(threads, inputs, |from, inputs| {
            let hashed = hashed(&expander, inputs, from)?;
            let multiples: Vec<_> = hashed.iter().map(|point| point * *self.half).collect();
            let elements = encode_doubled(&multiples);
            Ok(inputs.iter().zip(&elements).map(|(input, element)| output(input.as_ref(), element)).collect())
        })
    }
}

/// A batch that was evaluated.
pub struct Evaluation<'k> {
    key: &'k Key,
    points: Vec<RistrettoPoint>,
    blinded: Vec<Element>,
    elements: Vec<Element>,
}

impl Evaluation<'_> {
    /// The evaluated elements, in the order of the blinded ones.
    #[must_use]
    pub fn elements(&self) -> &[Element] {
        &self.elements
    }

    /// `GenerateProof` (RFC 9497 §2.2.1), with `random` as its random scalar.
    ///
    /// # Errors
    /// None that can happen: all points are there already.
    pub fn prove(&self, random: &Scalar, threads: NonZeroUsize) -> Result<[u8; PROOF], Error> {
        let key = self.key;
        let factors = composites(key.mode, &key.public, &self.blinded, &self.elements, threads)?;
        let m = sum(&factors, &self.points, threads)?;
        // `ComputeCompositesFast`: the key is at hand, so that the second sum is a multiple of the first.
        let z = *key.secret * m;
        let mut t2 = RistrettoPoint::mul_base(random);
        let t3 = random * m;
        let challenge = challenge(key.mode, &key.public, &[m, z, t2, t3]);
        t2.zeroize();
        let response = random - challenge * *key.secret;
        let mut proof = [0; PROOF];
        let (first, second) = proof.split_at_mut(32);
        first.copy_from_slice(challenge.as_bytes());
        second.copy_from_slice(response.as_bytes());
        Ok(proof)
    }
}

/// `Blind` (RFC 9497 §3.3.1) of inputs, each with a scalar of its own that `blinds` draws by place. Another's place, and an
/// element says nothing at all about its input: for every input there is a scalar that gives it.
///
/// # Errors
/// [`Error::Input`].
pub fn blind<I: AsRef<[u8]> + Sync>(
    mode: Mode,
    inputs: &[I],
    blinds: &(dyn Fn(usize) -> Scalar + Sync),
    threads: NonZeroUsize,
) -> Result<Vec<Element>, Error> {
    let expander = mode.expander(b"HashToGroup-");
    spread(threads, inputs, |from, inputs| {
        let hashed = hashed(&expander, inputs, from)?;
        let multiples: Vec<_> = hashed
            .iter()
            .enumerate()
            .map(|(at, point)| point * *Zeroizing::new(blinds(from + at).div_by_2()))
            .collect();
        Ok(encode_doubled(&multiples))
    })
}

/// Points that nobody knows a factor of, like blinded elements of no input.
#[must_use]
pub fn random_elements(chance: &Chance, from: u64, count: usize) -> Vec<Element> {
    let places = (from..).take(count);
    let points: Vec<_> = places.map(|place| RistrettoPoint::from_uniform_bytes(&chance.wide(place))).collect();
    encode_doubled(&points)
}

/// What was evaluated, and found to be evaluated with the key that was named.
pub struct Verified {
    evaluated: Vec<RistrettoPoint>,
}

/// `VerifyProof` (RFC 9497 §2.2.2) for mode VOPRF.
///
/// # Errors
/// [`Error`].
pub fn verify(
    public: &Element,
    blinded: &[Element],
    evaluated: &[Element],
    proof: &[u8; PROOF],
    threads: NonZeroUsize,
) -> Result<Verified, Error> {
    counted(evaluated.len(), blinded.len())?;
    let key = decode(std::slice::from_ref(public), NonZeroUsize::MIN)?.pop().ok_or(Error::Key)?;
    let points = decode(evaluated, threads)?;
    let factors = composites(Mode::Voprf, public, blinded, evaluated, threads)?;
    let m = sum(&factors, &decode(blinded, threads)?, threads)?;
    let z = sum(&factors, &points, threads)?;
    let scalar = |bytes: Option<&[u8]>| {
        let bytes: Option<[u8; 32]> = bytes.and_then(|bytes| bytes.try_into().ok());
        bytes.and_then(|bytes| Option::<Scalar>::from(Scalar::from_canonical_bytes(bytes))).ok_or(Error::Proof)
    };
    let (c, s) = (scalar(proof.get(..32))?, scalar(proof.get(32..))?);
    let t2 = RistrettoPoint::vartime_double_scalar_mul_basepoint(&c, &key, &s);
    let t3 = RistrettoPoint::vartime_multiscalar_mul([s, c], [m, z]);
    let expected = challenge(Mode::Voprf, public, &[m, z, t2, t3]);
    if bool::from(expected.ct_eq(&c)) { Ok(Verified { evaluated: points }) } else { Err(Error::Proof) }
}

/// The evaluated elements of mode OPRF, in which nothing is proven.
///
/// # Errors
/// [`Error`].
pub fn unverified(blinded: &[Element], evaluated: &[Element], threads: NonZeroUsize) -> Result<Verified, Error> {
    counted(evaluated.len(), blinded.len())?;
    Ok(Verified { evaluated: decode(evaluated, threads)? })
}

impl Verified {
    /// `Finalize` (RFC 9497 §3.3.1) of inputs that were blinded with `blinds`. `inputs` says for every place its input;
    /// `None`: there was none, the element was a random one.
    ///
    /// # Errors
    /// [`Error::Count`].
    pub fn finalize<I: AsRef<[u8]> + Sync>(
        &self,
        inputs: &[Option<I>],
        blinds: &(dyn Fn(usize) -> Scalar + Sync),
        threads: NonZeroUsize,
    ) -> Result<Vec<Option<Output>>, Error> {
        counted(inputs.len(), self.evaluated.len())?;
        let pairs: Vec<_> = inputs.iter().zip(&self.evaluated).collect();
        spread(threads, &pairs, |from, pairs| {
            let real =
                || pairs.iter().enumerate().filter_map(|(at, (input, point))| Some((at, input.as_ref()?, point)));
            let mut inverses: Vec<Scalar> = real().map(|(at, ..)| blinds(from + at)).collect();
            Scalar::invert_batch_alloc(&mut inverses);
            let multiples: Vec<_> =
                real().zip(&inverses).map(|((_, _, point), inverse)| *point * inverse.div_by_2()).collect();
            inverses.zeroize();
            let elements = encode_doubled(&multiples);
            let mut outputs: Vec<Option<Output>> = vec![None; pairs.len()];
            for ((at, input, _), element) in real().zip(&elements) {
                if let Some(place) = outputs.get_mut(at) {
                    *place = Some(output(input.as_ref(), element));
                }
            }
            Ok(outputs)
        })
    }
}

/// The points of these inputs.
fn hashed<I: AsRef<[u8]>>(expander: &Expander, inputs: &[I], from: usize) -> Result<Vec<RistrettoPoint>, Error> {
    let point = |(at, input): (usize, &I)| {
        let point = expander.point(input.as_ref());
        if point.is_identity() { Err(Error::Input(from + at)) } else { Ok(point) }
    };
    inputs.iter().enumerate().map(point).collect()
}

/// Twice these points, encoded.
fn encode_doubled(points: &[RistrettoPoint]) -> Vec<Element> {
    RistrettoPoint::double_and_compress_batch(points).iter().map(CompressedRistretto::to_bytes).collect()
}

/// `DeserializeElement` (RFC 9497 §4.1): the only encoding of a point that is not the neutral one.
fn decode(elements: &[Element], threads: NonZeroUsize) -> Result<Vec<RistrettoPoint>, Error> {
    spread(threads, elements, |from, elements| {
        let point = |(at, element): (usize, &Element)| {
            let point = CompressedRistretto(*element).decompress();
            point.filter(|point| !point.is_identity()).ok_or(Error::Element(from + at))
        };
        elements.iter().enumerate().map(point).collect()
    })
}

/// `finalizeHash` of RFC 9497 §3.3.1.
fn output(input: &[u8], element: &Element) -> Output {
    let hash = Sha512::new().chain_update(length(input)).chain_update(input);
    hash.chain_update(length(element)).chain_update(element).chain_update(b"Finalize").finalize().into()
}

/// The factors of `ComputeComposites` (RFC 9497 §2.2.1).
fn composites(
    mode: Mode,
    public: &Element,
    blinded: &[Element],
    evaluated: &[Element],
    threads: NonZeroUsize,
) -> Result<Vec<Scalar>, Error> {
    let expander = mode.expander(b"HashToScalar-");
    let purpose = [b"Seed-".as_slice(), &mode.context()].concat();
    let seed = Sha512::new().chain_update(length(public)).chain_update(public);
    let seed: [u8; 64] = seed.chain_update(length(&purpose)).chain_update(&purpose).finalize().into();
    let pairs: Vec<_> = blinded.iter().zip(evaluated).collect();
    spread(threads, &pairs, |from, pairs| {
        let factor = |(at, (c, d)): (usize, &(&Element, &Element))| {
            let place = u16::try_from(from + at).map_err(|_| Error::Count(from + at, BATCH))?.to_be_bytes();
            let (c, d) = (c.as_slice(), d.as_slice());
            Ok(expander.scalar(&[&length(&seed), &seed, &place, &length(c), c, &length(d), d, b"Composite"]))
        };
        pairs.iter().enumerate().map(factor).collect()
    })
}

/// The sum of the multiples. In variable time: of nothing secret.
fn sum(factors: &[Scalar], points: &[RistrettoPoint], threads: NonZeroUsize) -> Result<RistrettoPoint, Error> {
    let pairs: Vec<_> = factors.iter().zip(points).collect();
    let parts = spread_all(threads, &pairs, |_, pairs| {
        let (factors, points) = (pairs.iter().map(|(factor, _)| *factor), pairs.iter().map(|(_, point)| *point));
        Ok::<_, Error>(RistrettoPoint::vartime_multiscalar_mul(factors, points))
    })?;
    Ok(parts.iter().sum())
}

/// The challenge of `GenerateProof` and `VerifyProof`.
fn challenge(mode: Mode, public: &Element, points: &[RistrettoPoint; 4]) -> Scalar {
    let mut transcript = Vec::with_capacity(5 * 34 + 9);
    let encoded = points.iter().map(|point| point.compress().to_bytes());
    for element in std::iter::once(*public).chain(encoded) {
        transcript.extend_from_slice(&length(&element));
        transcript.extend_from_slice(&element);
    }
    transcript.extend_from_slice(b"Challenge");
    mode.expander(b"HashToScalar-").scalar(&[&transcript])
}

/// `I2OSP(len(text), 2)`. What is longer than two bytes can say is refused before it comes here.
fn length(text: &[u8]) -> [u8; 2] {
    u16::try_from(text.len()).unwrap_or(u16::MAX).to_be_bytes()
}

fn counted(count: usize, wanted: usize) -> Result<(), Error> {
    if count != wanted || count == 0 || count > BATCH { Err(Error::Count(count, wanted.min(BATCH))) } else { Ok(()) }
}
