//! Whatever the body of a call is, it is answered, and never by a failure of the server; what is refused is refused with a
//! sentence.

#![no_main]

use askfirst_fuzz::with_server;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// Calls that read a body. Those that write are here, too: what they write is part of the world that the next input meets.
const CALLS: [(&str, &str); 28] = [
    ("POST", "/allowed"),
    ("POST", "/allowed/bulk"),
    ("POST", "/allowed_url"),
    ("POST", "/kong"),
    ("POST", "/user-permissions"),
    ("POST", "/user-tenants"),
    ("POST", "/authorized_users"),
    ("POST", "/access/v1/evaluation"),
    ("POST", "/access/v1/evaluations"),
    ("POST", "/access/v1/search/subject"),
    ("POST", "/access/v1/search/resource"),
    ("POST", "/access/v1/search/action"),
    ("POST", "/access/v1/requests"),
    ("POST", "/api/v1/check"),
    ("POST", "/api/v1/requests"),
    ("POST", "/api/v1/requests/dry-run"),
    ("POST", "/api/v1/policy/plan"),
    ("POST", "/api/v1/agents"),
    ("POST", "/api/v1/webhooks"),
    ("PUT", "/api/v1/elements/restaurant-requests/terms"),
    ("POST", "/v2/schema/default/dev/condition_sets"),
    ("POST", "/v2/schema/default/dev/resources"),
    ("POST", "/v2/schema/default/dev/roles"),
    ("POST", "/v2/facts/default/dev/users"),
    ("POST", "/v2/facts/default/dev/tenants"),
    ("POST", "/v2/facts/default/dev/role_assignments"),
    ("POST", "/v2/facts/default/dev/relationship_tuples"),
    ("POST", "/v2/elements/default/dev/config"),
];

fuzz_target!(|data: &[u8]| {
    let Some((which, body)) = data.split_first() else { return };
    let (method, path) = CALLS[usize::from(*which) % CALLS.len()];
    with_server(|server| {
        let (status, told) = server.call(method, path, body);
        assert!(!status.is_server_error(), "{method} {path}: {status} {told}");
        if status.is_client_error() {
            assert_ne!(told, Value::Null, "{method} {path}: {status} without a word");
        }
    });
});
