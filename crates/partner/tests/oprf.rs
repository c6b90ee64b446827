//! RFC 9497, appendix A.1: the vectors of ristretto255-SHA512 for the modes OPRF and VOPRF; and what must be refused.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::{RistrettoPoint, Scalar};
use partner::meet::chance::Chance;
use partner::meet::oprf::{BATCH, Element, Error, Key, Mode, blind, random_elements, unverified, verify};
use std::num::NonZeroUsize;

const ONE: NonZeroUsize = NonZeroUsize::MIN;
const BLIND: &str = "64d37aed22a27f5191de1c1d69fadb899d8862b58eb4220029e036ec4c1f6706";
const OTHER_BLIND: &str = "222a5e897cf59db8145db8d16e597e8facb80ae7d4e26d9881aa6f61d645fc0e";
const LONG_INPUT: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// One input of a batch.
struct Line {
    input: &'static str,
    blind: &'static str,
    blinded: &'static str,
    evaluated: &'static str,
    output: &'static str,
}

/// A batch; without a proof in mode OPRF.
struct Vector {
    mode: Mode,
    secret: &'static str,
    proof: Option<(&'static str, &'static str)>,
    lines: &'static [Line],
}

const OPRF_SECRET: &str = "5ebcea5ee37023ccb9fc2d2019f9d7737be85591ae8652ffa9ef0f4d37063b0e";
const VOPRF_SECRET: &str = "e6f73f344b79b379f1a0dd37e07ff62e38d9f71345ce62ae3a9bc60b04ccd909";
const VOPRF_PUBLIC: &str = "c803e2cc6b05fc15064549b5920659ca4a77b2cca6f04f6b357009335476ad4e";

const VECTORS: &[Vector] = &[
    // A.1.1
    Vector {
        mode: Mode::Oprf,
        secret: OPRF_SECRET,
        proof: None,
        lines: &[Line {
            input: "00",
            blind: BLIND,
            blinded: "609a0ae68c15a3cf6903766461307e5c8bb2f95e7e6550e1ffa2dc99e412803c",
            evaluated: "7ec6578ae5120958eb2db1745758ff379e77cb64fe77b0b2d8cc917ea0869c7e",
            output: "527759c3d9366f277d8c6020418d96bb393ba2afb20ff90df23fb7708264e2f3\
                     ab9135e3bd69955851de4b1f9fe8a0973396719b7912ba9ee8aa7d0b5e24bcf6",
        }],
    },
    Vector {
        mode: Mode::Oprf,
        secret: OPRF_SECRET,
        proof: None,
        lines: &[Line {
            input: LONG_INPUT,
            blind: BLIND,
            blinded: "da27ef466870f5f15296299850aa088629945a17d1f5b7f5ff043f76b3c06418",
            evaluated: "b4cbf5a4f1eeda5a63ce7b77c7d23f461db3fcab0dd28e4e17cecb5c90d02c25",
            output: "f4a74c9c592497375e796aa837e907b1a045d34306a749db9f34221f7e750cb4\
                     f2a6413a6bf6fa5e19ba6348eb673934a722a7ede2e7621306d18951e7cf2c73",
        }],
    },
    // A.1.2
    Vector {
        mode: Mode::Voprf,
        secret: VOPRF_SECRET,
        proof: Some((
            OTHER_BLIND,
            "ddef93772692e535d1a53903db24367355cc2cc78de93b3be5a8ffcc6985dd06\
             6d4346421d17bf5117a2a1ff0fcb2a759f58a539dfbe857a40bce4cf49ec600d",
        )),
        lines: &[Line {
            input: "00",
            blind: BLIND,
            blinded: "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
            evaluated: "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
            output: "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d\
                     a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
        }],
    },
    Vector {
        mode: Mode::Voprf,
        secret: VOPRF_SECRET,
        proof: Some((
            OTHER_BLIND,
            "401a0da6264f8cf45bb2f5264bc31e109155600babb3cd4e5af7d181a2c9dc0a\
             67154fabf031fd936051dec80b0b6ae29c9503493dde7393b722eafdf5a50b02",
        )),
        lines: &[Line {
            input: LONG_INPUT,
            blind: BLIND,
            blinded: "cc0b2a350101881d8a4cba4c80241d74fb7dcbfde4a61fde2f91443c2bf9ef0c",
            evaluated: "60a59a57208d48aca71e9e850d22674b611f752bed48b36f7a91b372bd7ad468",
            output: "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60\
                     356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
        }],
    },
    Vector {
        mode: Mode::Voprf,
        secret: VOPRF_SECRET,
        proof: Some((
            "419c4f4f5052c53c45f3da494d2b67b220d02118e0857cdbcf037f9ea84bbe0c",
            "cc203910175d786927eeb44ea847328047892ddf8590e723c37205cb74600b0a\
             5ab5337c8eb4ceae0494c2cf89529dcf94572ed267473d567aeed6ab873dee08",
        )),
        lines: &[
            Line {
                input: "00",
                blind: BLIND,
                blinded: "863f330cc1a1259ed5a5998a23acfd37fb4351a793a5b3c090b642ddc439b945",
                evaluated: "aa8fa048764d5623868679402ff6108d2521884fa138cd7f9c7669a9a014267e",
                output: "b58cfbe118e0cb94d79b5fd6a6dafb98764dff49c14e1770b566e42402da1a7d\
                         a4d8527693914139caee5bd03903af43a491351d23b430948dd50cde10d32b3c",
            },
            Line {
                input: LONG_INPUT,
                blind: OTHER_BLIND,
                blinded: "90a0145ea9da29254c3a56be4fe185465ebb3bf2a1801f7124bbbadac751e654",
                evaluated: "cc5ac221950a49ceaa73c8db41b82c20372a4c8d63e5dded2db920b7eee36a2a",
                output: "8a9a2f3c7f085b65933594309041fc1898d42d0858e59f90814ae90571a6df60\
                         356f4610bf816f27afdd84f47719e480906d27ecd994985890e5f539e7ea74b6",
            },
        ],
    },
];

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    (0..hex.len()).step_by(2).map(digit).collect()
}

fn array<const N: usize>(hex: &str) -> [u8; N] {
    bytes(hex).try_into().unwrap()
}

fn scalar(hex: &str) -> Scalar {
    Option::from(Scalar::from_canonical_bytes(array(hex))).unwrap()
}

fn key(mode: Mode) -> Key {
    Key::derive(mode, &[0xa3; 32], b"test key").unwrap()
}

#[test]
fn published_keys() {
    assert_eq!(key(Mode::Voprf).public(), &array::<32>(VOPRF_PUBLIC));
    for (mode, secret) in [(Mode::Oprf, OPRF_SECRET), (Mode::Voprf, VOPRF_SECRET)] {
        assert_eq!(key(mode).public(), &RistrettoPoint::mul_base(&scalar(secret)).compress().to_bytes());
    }
}

#[test]
fn published_vectors() {
    for vector in VECTORS {
        let key = key(vector.mode);
        assert_eq!(key.public(), &RistrettoPoint::mul_base(&scalar(vector.secret)).compress().to_bytes());
        let column = |of: fn(&Line) -> &'static str| vector.lines.iter().map(of).collect::<Vec<_>>();
        let inputs: Vec<Vec<u8>> = column(|line| line.input).into_iter().map(bytes).collect();
        let blinds: Vec<Scalar> = column(|line| line.blind).into_iter().map(scalar).collect();
        let draw = |at: usize| blinds[at];
        let elements = |texts: Vec<&'static str>| texts.into_iter().map(array::<32>).collect::<Vec<Element>>();
        let (blinded, evaluated) = (elements(column(|line| line.blinded)), elements(column(|line| line.evaluated)));
        let outputs: Vec<[u8; 64]> = column(|line| line.output).into_iter().map(array).collect();

        assert_eq!(blind(vector.mode, &inputs, &draw, ONE).unwrap(), blinded);
        let evaluation = key.evaluate(&blinded, ONE).unwrap();
        assert_eq!(evaluation.elements(), evaluated);
        let verified = match vector.proof {
            None => unverified(&blinded, &evaluated, ONE).unwrap(),
            Some((random, proof)) => {
                let proof = array::<64>(proof);
                assert_eq!(evaluation.prove(&scalar(random), ONE).unwrap(), proof);
                verify(key.public(), &blinded, &evaluated, &proof, ONE).unwrap()
            }
        };
        let some: Vec<_> = inputs.iter().map(Some).collect();
        let finalized: Option<Vec<_>> = verified.finalize(&some, &draw, ONE).unwrap().into_iter().collect();
        assert_eq!(finalized.unwrap(), outputs);
        assert_eq!(key.function(&inputs, ONE).unwrap(), outputs);
    }
}

/// A key, inputs, their blinded and evaluated elements, and the proof.
type Batch = (Key, Vec<Vec<u8>>, Vec<Element>, Vec<Element>, [u8; 64]);

/// A batch of this length.
fn batch(count: usize, threads: NonZeroUsize) -> Batch {
    let key = Key::derive(Mode::Voprf, &[7; 32], b"batch").unwrap();
    let chance = Chance::new(&[9; 32], "blinds");
    let inputs: Vec<Vec<u8>> = (0..count).map(|at| format!("value {at}").into_bytes()).collect();
    let blinded = blind(Mode::Voprf, &inputs, &|at| chance.scalar(at as u64), threads).unwrap();
    let (evaluated, proof) = {
        let evaluation = key.evaluate(&blinded, threads).unwrap();
        (evaluation.elements().to_vec(), evaluation.prove(&scalar(BLIND), threads).unwrap())
    };
    (key, inputs, blinded, evaluated, proof)
}

#[test]
fn any_number_of_threads_gives_the_same() {
    for count in [1, 511, 512, 513, 1_500] {
        let one = batch(count, ONE);
        let chance = Chance::new(&[9; 32], "blinds");
        for threads in [2, 3, 8] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let many = batch(count, threads);
            assert_eq!((&one.2, &one.3, one.4), (&many.2, &many.3, many.4), "{count} by {threads}");
            let verified = verify(many.0.public(), &many.2, &many.3, &many.4, threads).unwrap();
            // Places without an input are left alone, and the others keep their places.
            let asked: Vec<_> = many.1.iter().enumerate().map(|(at, input)| (at % 3 != 1).then_some(input)).collect();
            let outputs = verified.finalize(&asked, &|at| chance.scalar(at as u64), threads).unwrap();
            let function = many.0.function(&many.1, threads).unwrap();
            for (at, (output, function)) in outputs.iter().zip(&function).enumerate() {
                assert_eq!(*output, (at % 3 != 1).then_some(*function), "place {at}");
            }
        }
    }
}

#[test]
fn a_proof_holds_for_its_own_statement_alone() {
    let (key, _, blinded, evaluated, proof) = batch(40, ONE);
    assert!(verify(key.public(), &blinded, &evaluated, &proof, ONE).is_ok());
    let other = Key::derive(Mode::Voprf, &[8; 32], b"batch").unwrap();
    assert_eq!(verify(other.public(), &blinded, &evaluated, &proof, ONE).err(), Some(Error::Proof));
    // One of forty evaluated with another key.
    let mut mixed = evaluated.clone();
    mixed[17] = other.evaluate(&blinded[17..18], ONE).unwrap().elements()[0];
    assert_eq!(verify(key.public(), &blinded, &mixed, &proof, ONE).err(), Some(Error::Proof));
    // Two that changed places.
    let mut swapped = evaluated.clone();
    swapped.swap(3, 4);
    assert_eq!(verify(key.public(), &blinded, &swapped, &proof, ONE).err(), Some(Error::Proof));
    assert_eq!(verify(key.public(), &blinded[1..], &evaluated[1..], &proof, ONE).err(), Some(Error::Proof));
    for at in [0, 31, 32, 63] {
        let mut bent = proof;
        bent[at] ^= 1;
        assert_eq!(verify(key.public(), &blinded, &evaluated, &bent, ONE).err(), Some(Error::Proof), "byte {at}");
    }
    // The same scalar, written with the order of the group added to it.
    let order = bytes("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut long = proof;
    let mut carry = 0_u16;
    for (byte, add) in long[..32].iter_mut().zip(order) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry as u8;
        carry >>= 8;
    }
    assert_eq!(verify(key.public(), &blinded, &evaluated, &long, ONE).err(), Some(Error::Proof));
}

/// RFC 9496 appendix A.3: what is no encoding of a point, one of each sort; and the neutral element, which is refused as well.
const NO_ELEMENTS: &[&str] = &[
    "0000000000000000000000000000000000000000000000000000000000000000",
    "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
    "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
    "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
];

#[test]
fn what_is_no_element_is_refused_wherever_it_comes() {
    let (key, _, blinded, evaluated, proof) = batch(5, ONE);
    for text in NO_ELEMENTS {
        let with = |list: &[Element]| {
            let mut list = list.to_vec();
            list[3] = array(text);
            list
        };
        assert_eq!(key.evaluate(&with(&blinded), ONE).err(), Some(Error::Element(3)), "{text}");
        let got = verify(key.public(), &blinded, &with(&evaluated), &proof, ONE).err();
        assert_eq!(got, Some(Error::Element(3)), "{text}");
        assert_eq!(unverified(&blinded, &with(&evaluated), ONE).err(), Some(Error::Element(3)), "{text}");
        let got = verify(&array(text), &blinded, &evaluated, &proof, ONE).err();
        assert_eq!(got, Some(Error::Element(0)), "{text}");
    }
}

#[test]
fn counts_are_bounded() {
    let key = key(Mode::Voprf);
    assert_eq!(key.evaluate(&[], ONE).err(), Some(Error::Count(0, 0)));
    let many = vec![RISTRETTO_BASEPOINT_COMPRESSED.to_bytes(); BATCH + 1];
    assert_eq!(key.evaluate(&many, ONE).err(), Some(Error::Count(BATCH + 1, BATCH)));
    assert_eq!(verify(key.public(), &many[..2], &many[..3], &[0; 64], ONE).err(), Some(Error::Count(3, 2)));
}

#[test]
fn random_elements_are_points_and_differ() {
    let elements = random_elements(&Chance::new(&[1; 32], "x"), 100, 600);
    let again = random_elements(&Chance::new(&[1; 32], "x"), 400, 300);
    assert_eq!(elements[300..], again[..]);
    assert!(elements.iter().all(|element| CompressedRistretto(*element).decompress().is_some()));
    assert_eq!(elements.iter().collect::<std::collections::HashSet<_>>().len(), 600);
}
