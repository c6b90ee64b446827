use super::*;
use crate::key::Keys;
use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use ed25519_dalek::{Signature, VerifyingKey};
use proptest::prelude::*;

fn hex<const N: usize>(text: &str) -> [u8; N] {
    let bytes: Vec<u8> =
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect();
    bytes.try_into().unwrap()
}

/// RFC 8032 §7.1: public key, message, signature.
const PUBLISHED: [(&str, &str, &str); 4] = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
    (
        "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704",
    ),
];

#[test]
fn published_signatures_hold_and_no_other_of_one_bit_does() {
    for (key, message, signature) in PUBLISHED {
        let key = VerifyKey::of(&hex(key)).unwrap();
        let message: Vec<u8> =
            (0..message.len() / 2).map(|i| u8::from_str_radix(&message[2 * i..2 * i + 2], 16).unwrap()).collect();
        let signature: [u8; 64] = hex(signature);
        assert!(key.verify(&message, &signature));
        for bit in 0..512 {
            let mut bent = signature;
            bent[bit / 8] ^= 1 << (bit % 8);
            assert!(!key.verify(&message, &bent), "bit {bit}");
        }
        let mut bent = message.clone();
        bent.push(0);
        assert!(!key.verify(&bent, &signature));
    }
}

/// A signature by the secret scalar `a`, with `t` of small order added to the key and `u` to R.
fn crooked(a: u64, t: &EdwardsPoint, u: &EdwardsPoint, message: &[u8]) -> ([u8; 32], [u8; 64]) {
    let (a, r) = (Scalar::from(a), Scalar::from(77_u64));
    let key = (ED25519_BASEPOINT_POINT * a + t).compress().0;
    let r_point = (ED25519_BASEPOINT_POINT * r + u).compress().0;
    let hash: [u8; 64] = Sha512::new().chain_update(r_point).chain_update(key).chain_update(message).finalize().into();
    let s = r + Scalar::from_bytes_mod_order_wide(&hash) * a;
    (key, [r_point, s.to_bytes()].concat().try_into().unwrap())
}

#[test]
fn small_order_and_other_spellings_get_one_verdict_alone_and_in_company() {
    // (what, key, signature, verdict): RFC 8032 §5.1.3, §5.1.7.
    let message = b"message";
    let mut cases: Vec<(String, [u8; 32], [u8; 64], bool)> = Vec::new();
    for (i, t) in EIGHT_TORSION.iter().enumerate() {
        for (j, u) in EIGHT_TORSION.iter().enumerate() {
            let (key, signature) = crooked(5, t, u, message);
            cases.push((format!("A + T{i}, R + T{j}"), key, signature, true));
            // The key is of small order: with S = 0 and R = -kA anything would be signed.
            let (key, signature) = crooked(0, t, u, message);
            cases.push((format!("A = T{i}, R + T{j}"), key, signature, false));
        }
    }
    let (key, signature) = crooked(5, &EIGHT_TORSION[0], &EIGHT_TORSION[0], message);
    let order: [u8; 32] = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    let mut s_too_great = signature;
    let mut carry = 0_u16;
    for (byte, more) in s_too_great[32..].iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(more) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    cases.push(("S + l".into(), key, s_too_great, false));
    // y = 1 is also written as p + 1, and with a minus sign on x = 0.
    for (what, spelling) in [
        ("R = p + 1", "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ("R = (-0, 1)", "0100000000000000000000000000000000000000000000000000000000000080"),
        ("R = (-0, -1)", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ] {
        let r: [u8; 32] = hex(spelling);
        let hash: [u8; 64] = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize().into();
        let s = Scalar::from_bytes_mod_order_wide(&hash) * Scalar::from(5_u64);
        cases.push((what.into(), key, [r, s.to_bytes()].concat().try_into().unwrap(), false));
        assert!(CompressedEdwardsY(r).decompress().is_some(), "{what}: not refused for another reason");
        assert!(VerifyKey::of(&r).is_none(), "{what}");
    }
    // With R spelled as it should be the same signature holds.
    let r: [u8; 32] = hex("0100000000000000000000000000000000000000000000000000000000000000");
    let hash: [u8; 64] = Sha512::new().chain_update(r).chain_update(key).chain_update(message).finalize().into();
    let s = Scalar::from_bytes_mod_order_wide(&hash) * Scalar::from(5_u64);
    cases.push(("R = 1".into(), key, [r, s.to_bytes()].concat().try_into().unwrap(), true));
    let mut company = Vec::new();
    for (what, key, signature, verdict) in &cases {
        let key = VerifyKey::of(key);
        let alone = key.as_ref().is_some_and(|key| key.verify(message, signature));
        assert_eq!(alone, *verdict, "{what}");
        company.extend(key.map(|key| (key, signature, *verdict)));
    }
    let checks: Vec<Check<'_>> = company.iter().map(|(key, signature, _)| Check { key, message, signature }).collect();
    let verdicts: Vec<bool> = company.iter().map(|case| case.2).collect();
    assert!(verdicts.len() > 64);
    assert_eq!(verify_all(&checks), verdicts);
}

#[test]
fn a_key_that_is_none_is_refused() {
    for (what, bytes) in [
        ("the neutral element", "0100000000000000000000000000000000000000000000000000000000000000"),
        ("order 4", "0000000000000000000000000000000000000000000000000000000000000000"),
        ("order 8", "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        ("not on the curve", "0200000000000000000000000000000000000000000000000000000000000000"),
        ("y not less than p", "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ] {
        assert_eq!(VerifyKey::of(&hex(bytes)), None, "{what}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Some hundred signatures of a few keys, some bent: together as alone, and as the strict check of another hand says.
    #[test]
    fn together_as_alone(
        seeds in prop::collection::vec((0..4_u8, any::<u32>()), 0..300),
        bent in prop::collection::vec((any::<prop::sample::Index>(), 0..512_usize), 0..12),
    ) {
        let keys: Vec<Keys> = (0..4).map(|number| Keys::of(&[number; 32])).collect();
        let points: Vec<VerifyKey> = keys.iter().map(|keys| VerifyKey::of(&keys.public().sign).unwrap()).collect();
        let messages: Vec<[u8; 4]> = seeds.iter().map(|(_, message)| message.to_be_bytes()).collect();
        let mut signatures: Vec<[u8; 64]> =
            seeds.iter().zip(&messages).map(|((key, _), message)| keys[usize::from(*key)].sign(message)).collect();
        if !signatures.is_empty() {
            for (index, bit) in bent {
                index.get_mut(&mut signatures)[bit / 8] ^= 1 << (bit % 8);
            }
        }
        let checks: Vec<Check<'_>> = seeds
            .iter()
            .zip(&messages)
            .zip(&signatures)
            .map(|(((key, _), message), signature)| Check { key: &points[usize::from(*key)], message, signature })
            .collect();
        let alone: Vec<bool> = checks.iter().map(|check| check.key.verify(check.message, check.signature)).collect();
        let strict = |check: &Check<'_>| {
            let key = VerifyingKey::from_bytes(check.key.as_bytes()).unwrap();
            key.verify_strict(check.message, &Signature::from_bytes(check.signature)).is_ok()
        };
        prop_assert_eq!(&alone, &checks.iter().map(strict).collect::<Vec<_>>());
        prop_assert_eq!(verify_all(&checks), alone);
    }
}
