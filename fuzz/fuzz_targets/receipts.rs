//! Nothing but what was signed is taken for a receipt: whatever is changed in one, it is refused or says the same.

#![no_main]

use askfirst_domain::{
    Timestamp,
    audit::{
        AuditEvent, ChainHead, ChainId, Entry, HeadStatement, PublicKey, Receipt, Salt, SigningKey, Verifier, leaf,
        seal,
    },
    id::{AuditEventId, EnvId},
    principal::Principal,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use uuid::Uuid;

const ENV: EnvId = EnvId::new(Uuid::from_u128(0xe));

struct Proven {
    receipt: Receipt,
    text: Vec<u8>,
    keys: Vec<PublicKey>,
}

static PROVEN: LazyLock<Proven> = LazyLock::new(|| {
    let chain = ChainId::new(Some(ENV));
    let mut head = ChainHead::default();
    let entries: Vec<Entry> = (1..=3)
        .map(|n| {
            let sealed = seal(&event(n)).expect("an event");
            head = head.next(chain, &sealed.body);
            Entry { n: head.n, hash: head.hash, body: sealed.body, private: sealed.private }
        })
        .collect();
    let key = SigningKey::from_seed(&[3; 32]);
    let signed = key.sign(HeadStatement {
        installation: Uuid::from_u128(1),
        env: chain,
        epoch: Uuid::from_u128(7),
        n: head.n,
        hash: head.hash,
        at: Timestamp::from_micros(5),
    });
    let leaves = entries[2..].iter().map(|entry| leaf(&entry.body)).collect();
    let receipt = Receipt::new(chain, entries[0].hash, entries[1].clone(), leaves, signed);
    let keys = vec![key.public()];
    receipt.verify(&keys).expect("it is right as it is");
    let text = serde_json::to_vec(&receipt).expect("JSON");
    Proven { receipt, text, keys }
});

fn event(n: u8) -> AuditEvent {
    let details = serde_json::json!({"role": "cook", "reason": "h\u{e9}llo"});
    AuditEvent {
        id: AuditEventId::new(Uuid::from_u128(n.into())),
        at: Timestamp::from_micros(1_700_000_000_000_000),
        code: "request.approved".to_owned(),
        actor: Principal::System { name: "test".to_owned() },
        on_behalf_of: Some("joe".to_owned()),
        model_named_user: false,
        request: None,
        object: Some("dish:pizza".to_owned()),
        details: details.as_object().cloned().expect("an object"),
        salt: Salt::new([n; 32]),
        erased: Vec::new(),
    }
}

/// The right receipt with some of its bytes changed: places and bytes by turns.
fn changed(how: &[u8]) -> Vec<u8> {
    let mut text = PROVEN.text.clone();
    for change in how.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % text.len();
        text[at] = change[2];
    }
    text
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    let text = if kind % 2 == 0 { rest.to_vec() } else { changed(rest) };
    if let Ok(receipt) = serde_json::from_slice::<Receipt>(&text)
        && receipt.verify(&PROVEN.keys).is_ok()
    {
        let right = &PROVEN.receipt;
        // What is private may be erased, and nothing else differs.
        assert_eq!((&receipt.body, receipt.n, receipt.previous), (&right.body, right.n, right.previous));
        // Digits of a salt may be written large or small.
        assert!(receipt.private.iter().all(|(field, opened)| right.private.get(field).is_some_and(|right| {
            right.text == opened.text && right.salt.eq_ignore_ascii_case(&opened.salt)
        })));
    }
    // A log of anything is looked at to its end.
    if let Ok(entries) = serde_json::from_slice::<Vec<Entry>>(rest) {
        let mut verifier = Verifier::new(ChainId::new(Some(ENV)), None, PROVEN.keys.clone());
        entries.iter().for_each(|entry| verifier.take(entry, None));
        verifier.finish();
    }
});
