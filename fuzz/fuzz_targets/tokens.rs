//! No token but one of ours opens anything: a binding token (JWS) that was changed opens no request, and no state that anybody
//! makes up turns a denial into a permit.

#![no_main]

use askfirst_fuzz::with_server;
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};

fn question() -> Value {
    json!({
        "subject": {"type": "user", "id": "henry"},
        "action": {"name": "read"},
        "resource": {"type": "restaurants", "id": "pizza-palace"},
    })
}

/// The token with some of its bytes changed: places and characters by turns, and cut where the first says so.
fn changed(token: &str, how: &[u8]) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
    let mut bytes = token.as_bytes().to_vec();
    for change in how.chunks_exact(3) {
        let at = usize::from(u16::from_le_bytes([change[0], change[1]])) % bytes.len();
        bytes[at] = ALPHABET[usize::from(change[2]) % ALPHABET.len()];
    }
    if how.len() % 3 == 1 {
        bytes.truncate(bytes.len().saturating_sub(usize::from(how[how.len() - 1])));
    }
    String::from_utf8(bytes).expect("ASCII")
}

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    with_server(|server| {
        let mut asked = question();
        let (_, denied) = server.call("POST", "/access/v1/evaluation", asked.to_string().as_bytes());
        assert_eq!(denied["decision"], false, "{denied}");
        let offer = &denied["context"]["access_request"];
        let right = offer["binding_token"].as_str().expect("a token");
        let token = match kind % 3 {
            0 => String::from_utf8_lossy(rest).into_owned(),
            _ => changed(right, rest),
        };
        if token == right {
            return;
        }
        // By the token alone, so that nothing else vouches for it.
        let mut submission = asked.clone();
        submission["context"] = json!({"justification": "why not"});
        submission["denial"] = json!({"expires_at": offer["expires_at"], "binding_token": token});
        let (status, told) = server.call("POST", "/access/v1/requests", submission.to_string().as_bytes());
        assert!(status.is_client_error(), "{status} {token}: {told}");
        asked["context"] = json!({"approval": {"id": token, "approved_until": "2100-01-01T00:00:00Z", "state": token}});
        let (_, told) = server.call("POST", "/access/v1/evaluation", asked.to_string().as_bytes());
        assert_ne!(told["decision"], true, "{token}");
    });
});
