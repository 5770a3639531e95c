//! The families of routes: what they are for, what opens them, how they refuse.

/// What opens a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opens {
    /// Everybody may call it.
    Nothing,
    /// An API key.
    Key,
    /// An element session.
    Session,
    /// An API key, or an element session.
    KeyOrSession,
    /// What the call brings besides: the token of the caller's own user, or a ticket.
    Itself,
}

/// How a route refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Permit's `ErrorDetails`, and a 422 for a body that has not the right shape.
    Permit,
    /// `application/problem+json` (RFC 9457).
    Problem,
}

/// Routes that belong together.
#[derive(Debug)]
pub(super) struct Family {
    /// How their paths begin.
    prefix: &'static str,
    pub(super) tag: &'static str,
    pub(super) about: &'static str,
    pub(super) opens: Opens,
    pub(super) refusal: Refusal,
    /// Whether answers name a revision and calls may demand one.
    pub(super) in_environment: bool,
}

const fn family(prefix: &'static str, tag: &'static str, about: &'static str) -> Family {
    Family { prefix, tag, about, opens: Opens::Key, refusal: Refusal::Permit, in_environment: true }
}

/// The first that fits counts.
pub(super) const FAMILIES: &[Family] = &[
    family(
        "/v2/schema/",
        "Schema",
        "Resources with actions, attributes, roles and relations; roles in tenants; condition sets.",
    ),
    family(
        "/v2/facts/{project}/{env}/access_requests",
        "Access requests",
        "Asking for a role on a thing, and deciding it.",
    ),
    family(
        "/v2/facts/",
        "Facts",
        "Users, tenants, instances, role assignments, relationship tuples, set rules.",
    ),
    family(
        "/facts/",
        "Facts of the decision point",
        "The same for the environment of the key, where Permit's PDP has them.",
    ),
    Family {
        opens: Opens::KeyOrSession,
        ..family("/v2/elements/{project}/{env}/config/{element}/data/active", "Elements in use", "")
    },
    Family {
        opens: Opens::Session,
        ..family(
            "/v2/elements/{project}/{env}/config/{element}/",
            "Elements in use",
            "What people do through an element.",
        )
    },
    family("/v2/elements/", "Elements", "Who may ask for what, and who decides."),
    family(
        "/v2/auth/elements_login_as",
        "Element sessions",
        "Signing people in to elements and out of them.",
    ),
    Family { opens: Opens::Session, ..family("/v2/auth/me", "Element sessions", "") },
    Family {
        opens: Opens::Session,
        in_environment: false,
        ..family("/v2/auth/logout", "Element sessions", "")
    },
    Family { opens: Opens::Itself, in_environment: false, ..family("/v2/auth/", "Element sessions", "") },
    family("/v2/pdps/", "Decision log", "What was decided, as Permit lists it."),
    Family {
        in_environment: false,
        ..family("/v2/", "Projects and keys", "Projects, environments and API keys.")
    },
    Family {
        refusal: Refusal::Problem,
        ..family("/access/v1/", "AuthZEN", "Authorization API 1.0: evaluations and searches.")
    },
    Family {
        opens: Opens::Nothing,
        in_environment: false,
        ..family("/.well-known/askfirst-audit-keys.json", "Audit log", "")
    },
    Family {
        opens: Opens::Nothing,
        refusal: Refusal::Problem,
        in_environment: false,
        ..family("/.well-known/", "AuthZEN", "")
    },
    family("/api/v1/audit", "Audit log", "What happened, as a chain that can be proven; see docs/audit.md."),
    family("/api/v1/", "askfirst", "What the command line uses and Permit has no route for."),
    Family {
        opens: Opens::Nothing,
        in_environment: false,
        ..family("/health", "Operation", "Whether the server lives and what it is.")
    },
    Family { opens: Opens::Nothing, in_environment: false, ..family("/ready", "Operation", "") },
    Family { opens: Opens::Nothing, in_environment: false, ..family("/version", "Operation", "") },
    family("/", "Decision point", "Permit's PDP: may this be done, by whom, where."),
];

/// The family of a path.
pub(super) fn of(path: &str) -> Option<&'static Family> {
    FAMILIES.iter().find(|family| path.starts_with(family.prefix))
}
