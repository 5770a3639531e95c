//! How many users were active of late.

use super::Home;
use askfirst_domain::Ident;
use askfirst_engine::{
    EnvScope, Secret,
    check::{Ask, Given},
    decisions::{Door, LogSettings},
    requests::{AskAccess, Times},
};
use askfirst_store::decisions::SqliteDecisions;
use std::{sync::Arc, time::Duration};

async fn active(home: &Home) -> u64 {
    let op = home.engine.authenticate(&Secret::presented(crate::support::DEV_KEY)).await.unwrap();
    let org = home.engine.open(op).unwrap();
    org.environment_statistics(&Ident::from("default"), &Ident::from("dev")).await.unwrap().active_users
}

fn decide(dev: &EnvScope, user: &str) {
    let ask = Ask {
        user: user.to_owned(),
        action: "read".to_owned(),
        resource: "restaurants".to_owned(),
        instance: None,
        tenant: None,
    };
    let _ = dev.decide(ask, Given::default(), Door::Pdp);
}

#[tokio::test]
async fn users_are_active_for_a_month_after_a_decision_or_a_request() {
    let home = Home::family().await;
    assert_eq!(active(&home).await, 0, "a server that keeps no log counts requests");
    let file = home.dir.as_ref().unwrap().path().join("decisions.db");
    let log = Arc::new(SqliteDecisions::open(file).await.unwrap());
    home.engine.log_decisions(log, LogSettings::default()).unwrap();

    let dev = home.dev().await;
    for user in ["joe", "jane", "joe", "nobody-knows-her"] {
        decide(&dev, user);
    }
    assert_eq!(active(&home).await, 3, "each once, whether or not there is such a user");

    home.clock.advance(Duration::from_hours(24 * 29));
    let ask = AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("pizza-palace".to_owned()),
        role: "child-can-order".into(),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times: Times::default(),
    };
    home.as_user("henry").await.request_access(ask).await.unwrap();
    decide(&home.dev().await, "henry");
    assert_eq!(active(&home).await, 4, "who asks and is decided about is one");

    home.clock.advance(Duration::from_hours(24 * 2));
    assert_eq!(active(&home).await, 1, "the others were active a month ago");
}
