//! The statements of identities. Each that writes gives a row for each that it wrote.

use super::{Statement, tables::USERS};
use askfirst_domain::{
    id::{EnvId, UserId},
    scope::Identity,
};

/// Writes nothing where the user is not there, and nothing over what is there.
pub(crate) fn link(identity: &Identity) -> Statement {
    const SQL: &str = "INSERT INTO identity (env, issuer, subject, user_id, linked_at) \
         SELECT env, $3, $4, id, $5 FROM user_ WHERE env = $1 AND id = $2 ON CONFLICT DO NOTHING RETURNING 1";
    let args = vec![
        identity.env.into(),
        identity.user.into(),
        identity.issuer.as_str().into(),
        identity.subject.as_str().into(),
        identity.linked_at.into(),
    ];
    Statement::new(SQL, args)
}

pub(crate) fn unlink(env: EnvId, user: UserId) -> Statement {
    const SQL: &str = "DELETE FROM identity WHERE env = $1 AND user_id = $2 RETURNING 1";
    Statement::new(SQL, vec![env.into(), user.into()])
}

pub(crate) fn one(env: EnvId, issuer: &str, subject: &str) -> Statement {
    const SQL: &str = "SELECT env, issuer, subject, user_id, linked_at FROM identity \
         WHERE env = $1 AND issuer = $2 AND subject = $3";
    Statement::new(SQL, vec![env.into(), issuer.into(), subject.into()])
}

pub(crate) fn of_user(env: EnvId, user: UserId) -> Statement {
    const SQL: &str = "SELECT env, issuer, subject, user_id, linked_at FROM identity \
         WHERE env = $1 AND user_id = $2 ORDER BY issuer LIMIT 100";
    Statement::new(SQL, vec![env.into(), user.into()])
}

/// Those whose address is this one in lower case; more than two are as good as two.
pub(crate) fn users_with(env: EnvId, email: &str) -> Statement {
    let sql = format!(
        "SELECT {} FROM user_ WHERE env = $1 AND lower(email) = $2 ORDER BY id LIMIT 3",
        USERS.columns()
    );
    Statement { sql: sql.into(), args: vec![env.into(), email.to_ascii_lowercase().as_str().into()] }
}
