use super::*;
use crate::id::EnvId;
use serde_json::json;
use uuid::Uuid;

const ENV: EnvId = EnvId::new(Uuid::from_u128(0xe));
const INSTALLATION: Uuid = Uuid::from_u128(0x1);

fn event(n: u128) -> AuditEvent {
    let details = json!({"role": "cook", "amount": 9_007_199_254_740_993_u64, "reason": "héllo \u{1F355}"});
    AuditEvent {
        id: AuditEventId::new(Uuid::from_u128(n)),
        at: Timestamp::from_micros(1_700_000_000_000_000),
        code: "request.approved".to_owned(),
        actor: Principal::System { name: "test".to_owned() },
        on_behalf_of: Some("joe".to_owned()),
        model_named_user: false,
        request: None,
        object: Some("dish:pizza".to_owned()),
        details: details.as_object().cloned().unwrap_or_default(),
        salt: Salt::new([u8::try_from(n).unwrap(); 32]),
        erased: Vec::new(),
    }
}

fn chain(length: u128) -> Vec<Entry> {
    let mut head = ChainHead::default();
    (1..=length)
        .map(|n| {
            let sealed = seal(&event(n)).unwrap();
            head = head.next(ChainId::new(Some(ENV)), &sealed.body);
            Entry { n: head.n, hash: head.hash, body: sealed.body, private: sealed.private }
        })
        .collect()
}

fn key() -> SigningKey {
    SigningKey::from_seed(&[3; 32])
}

fn sign(head: ChainHead) -> SignedHead {
    let env = ChainId::new(Some(ENV));
    let at = Timestamp::from_micros(5);
    key().sign(HeadStatement {
        installation: INSTALLATION,
        env,
        epoch: Uuid::from_u128(7),
        n: head.n,
        hash: head.hash,
        at,
    })
}

fn report(entries: &[Entry], heads: &[ChainHead]) -> Report {
    let mut verifier = Verifier::new(ChainId::new(Some(ENV)), Some(INSTALLATION), vec![key().public()]);
    for head in heads {
        verifier.expect(Expected::Signed(Box::new(sign(*head))));
    }
    for entry in entries {
        verifier.take(entry, None);
    }
    verifier.finish()
}

fn findings(entries: &[Entry], heads: &[ChainHead]) -> Vec<String> {
    report(entries, heads).findings.iter().map(ToString::to_string).collect()
}

/// The bytes of docs/audit.md, which others implement: they never change.
#[test]
fn the_bytes_are_these() {
    let [first, second] = chain(2).try_into().unwrap();
    assert_eq!(
        first.body,
        "{\"actor\":\"ACTOR\",\"at\":1700000000000000,\"code\":\"request.approved\",\"details\":\"DETAILS\",\
         \"id\":\"00000000-0000-0000-0000-000000000001\",\"model_named_user\":false,\"object\":\"OBJECT\",\
         \"on_behalf_of\":\"BEHALF\",\"request\":null,\"v\":1}"
            .replace("ACTOR", &commitment(Field::Actor, &first.private[&Field::Actor]).unwrap().to_string())
            .replace(
                "DETAILS",
                &commitment(Field::Details, &first.private[&Field::Details]).unwrap().to_string()
            )
            .replace(
                "OBJECT",
                &commitment(Field::Object, &first.private[&Field::Object]).unwrap().to_string()
            )
            .replace(
                "BEHALF",
                &commitment(Field::OnBehalfOf, &first.private[&Field::OnBehalfOf]).unwrap().to_string()
            )
    );
    let joe = Opened { salt: "000102030405060708090a0b0c0d0e0f".to_owned(), text: "\"joe\"".to_owned() };
    is_hash(
        &commitment(Field::OnBehalfOf, &joe).unwrap(),
        "d7657509cd2988b2f05a6fcb19868a3560372e94b099e1b8bf252b4cc9a37393",
    );
    is_hash(&leaf("{}"), "e641b3584b4cd695ff2f74751a87c0b0bd5e5f85c351386d81110278fcab424a");
    is_hash(
        &link(Hash::default(), 1, ChainId::new(Some(ENV)), leaf("{}")),
        "2d5916109ef36a081ffae022ad107e05300c8ed865c3a3a1f63ba1b4795f5c44",
    );
    assert_eq!(first.hash, link(Hash::default(), 1, ChainId::new(Some(ENV)), leaf(&first.body)));
    assert_eq!(second.hash, link(first.hash, 2, ChainId::new(Some(ENV)), leaf(&second.body)));
    let signed = sign(ChainHead { n: 2, hash: leaf("{}") });
    assert_eq!(
        signed.statement.bytes(),
        format!(
            "askfirst.audit.head.v1\ninstallation 00000000-0000-0000-0000-000000000001\n\
             env 00000000-0000-0000-0000-00000000000e\nepoch 00000000-0000-0000-0000-000000000007\nn 2\nhash {}\nat 5\n",
            leaf("{}")
        )
    );
    assert_eq!(key().public().id().as_str(), "b62e867fa2f33afe62d5d6b1642e1621");
    assert_eq!(
        signed.signature,
        "03ioib4WE09JhlrLpU2YxiDGqFxYqBwI0uRkoFf2FIc51vC-SJwJdWaqCY-BtJpSizzSFW6KPkJNh0yWCi4ADw"
    );
}

fn is_hash(hash: &Hash, expected: &str) {
    assert_eq!(hash.to_string(), expected);
}

#[test]
fn an_event_reads_back_as_it_was() {
    let entry = &chain(1)[0];
    assert_eq!(entry.event().unwrap(), event(1));
    let mut changed = entry.clone();
    changed.private.get_mut(&Field::OnBehalfOf).unwrap().text = "\"jane\"".to_owned();
    assert!(matches!(changed.event(), Err(SealError::Value(Field::OnBehalfOf))));
    let mut spaced = entry.clone();
    spaced.body = spaced.body.replace(',', ", ");
    assert!(matches!(spaced.event(), Err(SealError::NotCanonical)));
}

#[test]
fn equal_values_have_different_commitments() {
    let entries = chain(2);
    let of = |n: usize| Body::read(&entries[n].body).unwrap().on_behalf_of;
    assert_ne!(of(0), of(1), "the same user in two events can't be told from two users");
}

#[test]
fn a_sound_log_has_no_findings_also_when_something_was_erased() {
    let mut entries = chain(6);
    let heads = [entries[2].head(), entries[5].head()];
    entries[3].private.clear();
    entries[4].private.remove(&Field::Actor);
    let report = report(&entries, &heads);
    assert_eq!((report.findings, report.heads, report.erased), (Vec::new(), 2, 2));
    assert_eq!(report.signed.unwrap().n, 6);
}

#[test]
fn deleting_editing_reordering_and_truncating_are_found_and_located() {
    let whole = chain(6);
    let heads = [whole[2].head(), whole[5].head()];
    let mut deleted = whole.clone();
    deleted.remove(3);
    assert_eq!(findings(&deleted, &heads), ["event 4: event 4 is missing"]);
    deleted.remove(3);
    assert_eq!(findings(&deleted, &heads), ["event 4: events 4 to 5 are missing"]);

    let mut edited = whole.clone();
    edited[1].body = edited[1].body.replace("approved", "denied");
    assert_eq!(
        findings(&edited, &heads),
        ["event 2: it is not what was written, or the event before it is not"]
    );

    let mut swapped = whole.clone();
    swapped.swap(1, 2);
    let found = findings(&swapped, &heads);
    assert!(found[0].starts_with("event 2: event 2 is missing"), "{found:?}");
    assert!(found[1].starts_with("event 2: it stands after event 3"), "{found:?}");
    // Also when the numbers and hashes are left where they were.
    let mut moved = whole.clone();
    let (one, other) = (moved[1].body.clone(), moved[2].body.clone());
    (moved[1].body, moved[2].body) = (other, one);
    assert!(findings(&moved, &heads).iter().any(|f| f.starts_with("event 2: it is not what was written")));

    assert_eq!(
        findings(&whole[..4], &heads),
        ["event 4: the log ends here, and events 5 to 6 are missing: there is a head at 6"]
    );
    assert_eq!(findings(&whole[1..], &heads), ["event 1: event 1 is missing"]);
    let mut twice = whole.clone();
    twice.insert(2, whole[1].clone());
    assert!(findings(&twice, &heads)[0].starts_with("event 2: it stands after event 2"));
}

#[test]
fn a_log_that_was_written_anew_does_not_fit_its_heads() {
    let whole = chain(6);
    let heads = [whole[2].head(), whole[5].head()];
    // Whoever has the database can work the hashes out again, but can't sign them.
    let mut head = whole[2].head();
    let forged: Vec<_> = whole[3..]
        .iter()
        .map(|entry| {
            let body = entry.body.replace("approved", "denied");
            head = head.next(ChainId::new(Some(ENV)), &body);
            Entry { n: head.n, hash: head.hash, body, private: entry.private.clone() }
        })
        .collect();
    let forged: Vec<_> = whole[..3].iter().cloned().chain(forged).collect();
    assert_eq!(
        findings(&forged, &heads[..1]),
        Vec::<String>::new(),
        "beyond the last head nothing is proven"
    );
    let found = findings(&forged, &heads);
    assert!(
        found[0].starts_with("event 4: the log was written anew somewhere between event 4 and event 6"),
        "{found:?}"
    );
    let mut verifier = Verifier::new(ChainId::new(Some(ENV)), None, Vec::new());
    verifier.expect(Expected::Noted(whole[5].head()));
    for entry in &forged {
        verifier.take(entry, None);
    }
    assert_eq!(verifier.finish().findings.len(), 1);
}

#[test]
fn a_head_of_another_key_log_or_installation_counts_for_nothing() {
    let whole = chain(2);
    let signed = sign(whole[1].head());
    let found = |signed: &SignedHead, chain: ChainId, installation: Uuid, keys: Vec<PublicKey>| {
        let mut verifier = Verifier::new(chain, Some(installation), keys);
        verifier.expect(Expected::Signed(Box::new(signed.clone())));
        verifier.finish().findings.first().map(|f| f.what.clone()).unwrap_or_default()
    };
    let here = ChainId::new(Some(ENV));
    let other = SigningKey::from_seed(&[4; 32]).public();
    assert!(found(&signed, here, INSTALLATION, vec![other]).contains("not among the keys to trust"));
    assert!(
        found(&signed, ChainId::INSTALLATION, INSTALLATION, vec![key().public()]).contains("of another log")
    );
    assert!(found(&signed, here, Uuid::nil(), vec![key().public()]).contains("of another log"));
    let mut later = signed.clone();
    later.statement.at = Timestamp::from_micros(6);
    assert!(found(&later, here, INSTALLATION, vec![key().public()]).contains("its signature is wrong"));
}

fn receipt(whole: &[Entry], at: usize) -> Receipt {
    let previous = at.checked_sub(1).map_or_else(Hash::default, |before| whole[before].hash);
    let leaves = whole[at + 1..].iter().map(|entry| leaf(&entry.body)).collect();
    Receipt::new(
        ChainId::new(Some(ENV)),
        previous,
        whole[at].clone(),
        leaves,
        sign(whole[whole.len() - 1].head()),
    )
}

/// Spoils a receipt.
type Breaking = fn(&mut Receipt);

#[test]
fn a_receipt_proves_its_event_and_nothing_else() {
    let whole = chain(5);
    let keys = [key().public()];
    for at in 0..5 {
        assert_eq!(receipt(&whole, at).verify(&keys).unwrap().id, event(at as u128 + 1).id);
    }
    let mut erased = receipt(&whole, 2);
    erased.private.clear();
    assert!(erased.verify(&keys).is_ok());
    let text = serde_json::to_string(&receipt(&whole, 2)).unwrap();
    assert_eq!(serde_json::from_str::<Receipt>(&text).unwrap(), receipt(&whole, 2));

    let broken: [(&str, Breaking); 9] = [
        ("kind", |r| r.kind = "askfirst.audit.receipt.v2".to_owned()),
        ("body", |r| r.body = r.body.replace("approved", "denied")),
        ("value", |r| r.private.get_mut(&Field::Details).unwrap().text.push(' ')),
        ("salt", |r| r.private.get_mut(&Field::Details).unwrap().salt = "00".repeat(16)),
        ("place", |r| r.n += 1),
        ("previous", |r| r.previous = leaf("")),
        ("leaf", |r| r.leaves[0] = leaf("")),
        ("leaf left out", |r| r.leaves.truncate(1)),
        ("head", |r| r.head.statement.hash = leaf("")),
    ];
    for (what, break_it) in broken {
        let mut receipt = receipt(&whole, 2);
        break_it(&mut receipt);
        assert!(receipt.verify(&keys).is_err(), "{what}");
    }
    assert!(matches!(receipt(&whole, 2).verify(&[]), Err(ReceiptError::Head(HeadError::UnknownKey(_)))));
}

#[test]
fn people_are_found_by_whole_words() {
    let in_entry = |event: &AuditEvent, names: &[&str]| {
        let sealed = seal(event).unwrap();
        let entry = Entry { n: 1, hash: Hash::default(), body: sealed.body, private: sealed.private };
        let left = Mentioned::new(names.iter().map(|name| (*name).to_owned())).without(&entry);
        left.map(|left| left.keys().map(|field| field.as_str()).collect::<Vec<_>>())
    };
    let mut told = event(1);
    assert_eq!(in_entry(&told, &["joe"]), Some(vec![]), "what was done for somebody is theirs as a whole");
    told.on_behalf_of = None;
    assert_eq!(in_entry(&told, &["joe"]), None);
    assert_eq!(in_entry(&told, &["pizza"]), Some(vec!["actor", "details", "on_behalf_of"]));
    assert_eq!(in_entry(&told, &["pizz", "", "test"]), None);
    told.details = json!({"users": [{"joe@example.com": 1}]}).as_object().cloned().unwrap();
    assert_eq!(in_entry(&told, &["joe@example.com"]), Some(vec!["actor", "object", "on_behalf_of"]));
    told.actor = Principal::Agent {
        env: ENV,
        user: crate::Id::new(Uuid::from_u128(9)),
        key: "rose".parse().unwrap(),
        via: crate::Id::new(Uuid::from_u128(8)),
        agent: None,
    };
    assert_eq!(in_entry(&told, &["rose"]), Some(vec![]));
    assert_eq!(in_entry(&told, &["00000000-0000-0000-0000-000000000009"]), Some(vec![]));
    assert_eq!(in_entry(&told, &["00000000-0000-0000-0000-000000000008"]), None, "a key is nobody's name");
}
