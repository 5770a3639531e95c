//! Telling people by e-mail, with a mail server that behaves as the test says.

use crate::{
    delivery::{ask, courier, listed},
    smtp::{Letter, MailServer, Mood},
    support::{FAMILY, World},
};
use askfirst_domain::Ident;
use askfirst_engine::{
    OutboxFilter, Page, Patch, Settings,
    delivery::{PlainMail, Post, Reach},
    facts::{UnassignmentSpec, UserEdit},
    requests::{Approve, Decide, Verdict},
};
use std::time::Duration;

/// The family, whose requests for roles are told by mail, on a server that hands mail to this one.
async fn family(server: &MailServer) -> World {
    family_at(&server.url).await
}

async fn family_at(url: &str) -> World {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let post = Post::new(url, "askfirst <no-reply@askfirst.example>", None, PlainMail::Loopback);
    let post = post.unwrap().within(Duration::from_secs(2));
    let dir = tempfile::tempdir().unwrap();
    let world = World::open_with(dir.path(), Settings { post: Some(post), ..Settings::default() }).await;
    let policy = FAMILY
        .replace(
            "    name: Restaurant Requests\n",
            "    name: Restaurant Requests\n    email_notifications: true\n",
        )
        .replace("henry: {first_name: Henry,", "henry: {first_name: Henry, email: henry@family.example,");
    world.dev().await.apply_policy(&policy).await.unwrap();
    World { dir: Some(dir), ..world }
}

/// Delivers everything that is due; what reached the mail server, by recipient.
async fn told(world: &World, server: &mut MailServer) -> Vec<Letter> {
    world.engine.deliver_due(&courier(Reach::Public)).await.unwrap();
    let mut letters = server.letters();
    letters.sort_by(|a, b| a.to.cmp(&b.to));
    letters
}

async fn decide(world: &World, id: &Ident, verdict: Verdict, comment: &str) {
    let joe = world.dev().await.act_for(&Ident::from("joe")).await.unwrap();
    joe.decide(id, Decide { approve: verdict, comment: Some(comment.to_owned()) }).await.unwrap();
}

async fn edit(world: &World, user: &str, edit: UserEdit) {
    world.dev().await.update_user(&Ident::from(user), &edit).await.unwrap();
}

#[tokio::test]
async fn reviewers_are_told_that_it_waits_and_the_requester_what_became_of_it() {
    let mut server = MailServer::start(&[]).await;
    let world = family(&server).await;
    let id = ask(&world, "pizza-palace").await;
    let letters = told(&world, &mut server).await;
    let to: Vec<&str> = letters.iter().flat_map(|letter| &letter.to).map(String::as_str).collect();
    assert_eq!(to, ["RCPT TO:<jane@family.example>", "RCPT TO:<joe@family.example>"]);
    let joes = &letters[1];
    assert_eq!(joes.from, "MAIL FROM:<no-reply@askfirst.example>");
    assert_eq!(joes.said("Auto-Submitted"), ["auto-generated"]);
    assert_eq!(joes.said("To"), ["joe@family.example"]);
    assert_eq!(joes.said("Subject"), ["A request waits for a decision (default/dev)"]);
    assert_eq!(joes.said("From"), ["askfirst <no-reply@askfirst.example>"]);
    assert!(joes.said("Message-ID")[0].ends_with("@askfirst.example>"), "{}", joes.raw);
    let headers =
        ["Auto-Submitted", "Content-Type", "Date", "From", "MIME-Version", "Message-ID", "Subject", "To"];
    assert_eq!(joes.headers(), headers);
    let (text, html) = joes.parts();
    let url = format!("http://127.0.0.1:7766/inbox/requests/{}", id.as_str());
    let sentence = "Henry asks for the role child-can-order on restaurants:pizza-palace.";
    for part in [&text, &html] {
        assert!(part.contains(sentence), "{part}");
        assert_eq!(part.matches("http").count(), 1, "one link: {part}");
        assert!(part.contains(&url), "{part}");
        assert!(!part.contains("hungry"), "reasons stay behind the sign-in: {part}");
    }

    decide(&world, &id, Verdict::Deny, "you had pizza yesterday").await;
    let letters = told(&world, &mut server).await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].to, ["RCPT TO:<henry@family.example>"]);
    let (text, _) = letters[0].parts();
    assert!(
        text.starts_with("Your request for the role child-can-order on restaurants:pizza-palace was denied."),
        "{text}"
    );
    assert!(!text.contains("yesterday"), "{text}");
    assert!(listed(&world, OutboxFilter::All).await.is_empty());
}

#[tokio::test]
async fn the_requester_is_told_when_nobody_decided_in_time() {
    let mut server = MailServer::start(&[]).await;
    let world = family(&server).await;
    ask(&world, "pizza-palace").await;
    told(&world, &mut server).await;
    world.clock.advance(Duration::from_hours(25));
    world.engine.write_down_ends().await.unwrap();
    let letters = told(&world, &mut server).await;
    assert_eq!(letters.len(), 1);
    assert!(letters[0].parts().0.contains("expired, since nobody decided in time."), "{}", letters[0].raw);
}

#[tokio::test]
async fn names_are_hostile_text_and_stay_text() {
    let mut server = MailServer::start(&[]).await;
    let world = family(&server).await;
    let name = "Evil\r\nBcc: spy@evil.example\r\n\r\n<b>\u{202E}https://evil.example</b>";
    edit(&world, "henry", UserEdit { first_name: Patch::Set(name.to_owned()), ..UserEdit::default() }).await;
    ask(&world, "pizza-palace").await;
    let letters = told(&world, &mut server).await;
    assert_eq!(letters.len(), 2);
    for letter in &letters {
        assert_eq!(letter.to.len(), 1);
        assert!(letter.said("Bcc").is_empty() && !letter.raw.contains("\nBcc"), "{}", letter.raw);
        let (text, html) = letter.parts();
        assert!(text.starts_with("Evil⟨U+000D⟩⟨U+000A⟩Bcc: spy⟨@⟩evil⟨.⟩example"), "{text}");
        assert!(text.contains("⟨U+202E⟩") && !text.contains('\u{202E}'), "{text}");
        assert_eq!((text.matches("http://").count(), text.matches("https://").count()), (1, 0), "{text}");
        assert!(html.contains("&lt;b&gt;") && !html.contains("<b>"), "{html}");
    }
}

#[tokio::test]
async fn an_address_that_names_others_too_is_no_address() {
    let mut server = MailServer::start(&[]).await;
    let world = family(&server).await;
    for user in ["joe", "jane"] {
        let email = Patch::Set("joe@family.example\r\nRCPT TO:<spy@evil.example>".to_owned());
        edit(&world, user, UserEdit { email, ..UserEdit::default() }).await;
    }
    ask(&world, "pizza-palace").await;
    assert!(told(&world, &mut server).await.is_empty());
    let dead = listed(&world, OutboxFilter::Dead).await;
    let why: Vec<&str> = dead.iter().filter_map(|one| one.failure.as_deref()).collect();
    assert_eq!(why, ["the e-mail address of the user is none"; 2]);
}

#[tokio::test]
async fn what_is_refused_for_good_is_given_up_and_what_is_not_is_tried_again_as_the_same_letter() {
    let moods = [
        Mood::RefuseRecipient("550 joe@family.example is unknown here"),
        Mood::Refuse("451 try later"),
        Mood::DieInLetter,
        Mood::DieAfterLetter,
        Mood::Silent,
    ];
    let mut server = MailServer::start(&moods).await;
    let world = family(&server).await;
    edit(&world, "jane", UserEdit { email: Patch::Clear, ..UserEdit::default() }).await;
    ask(&world, "pizza-palace").await;
    assert!(told(&world, &mut server).await.is_empty());
    let dead = listed(&world, OutboxFilter::Dead).await;
    assert_eq!(dead[0].failure.as_deref(), Some("the mail server answered 550"), "without what it wrote");
    assert!(!dead[0].item.payload.to_string().contains('@'), "no address waits in the database");
    world.dev().await.retry_delivery(dead[0].item.id).await.unwrap();

    let mut ids = Vec::new();
    for failure in [
        Some("the mail server answered 451"),
        Some("no conversation with the mail server"),
        Some("no conversation with the mail server"),
        Some("the mail server did not take it within 2 s"),
        None,
    ] {
        let letters = told(&world, &mut server).await;
        ids.extend(letters.iter().flat_map(|letter| letter.said("Message-ID")));
        let waiting = listed(&world, OutboxFilter::Waiting).await;
        assert_eq!(waiting.first().and_then(|one| one.failure.as_deref()), failure);
        world.clock.advance(Duration::from_hours(1));
    }
    assert!(server.is_calm());
    assert_eq!(ids.len(), 3, "refused, lost, taken");
    ids.dedup();
    assert_eq!(ids.len(), 1, "the same letter each time");
}

#[tokio::test]
async fn nobody_is_told_what_is_not_so_any_more_or_not_wanted() {
    let mut server = MailServer::start(&[]).await;
    let world = family(&server).await;
    let id = ask(&world, "pizza-palace").await;
    let lost = UnassignmentSpec {
        user: "jane".into(),
        role: "parent".into(),
        tenant: None,
        instance: Some("restaurants:pizza-palace".to_owned()),
    };
    world.dev().await.unassign_role(&lost).await.unwrap();
    let letters = told(&world, &mut server).await;
    assert_eq!(letters.len(), 1, "jane may not decide it any more");
    assert_eq!(letters[0].to, ["RCPT TO:<joe@family.example>"]);
    decide(&world, &id, Verdict::Approve(Approve::default()), "").await;
    world.dev().await.delete_user(&"henry".into()).await.unwrap();
    assert!(told(&world, &mut server).await.is_empty(), "henry is gone");

    let rose = world.dev().await.act_for(&Ident::from("rose")).await.unwrap();
    let wish = askfirst_engine::requests::AskAccess {
        element: "restaurant-requests".into(),
        tenant: "default".into(),
        resource: None,
        instance: Some("burger-barn".to_owned()),
        role: "child-can-order".into(),
        reason: String::new(),
        suggested_reviewers: Vec::new(),
        times: askfirst_engine::requests::Times::default(),
    };
    let asked = rose.request_access(wish.clone()).await.unwrap().view.request;
    decide(&world, &Ident::from(asked.id.uuid()), Verdict::Approve(Approve::default()), "").await;
    assert!(told(&world, &mut server).await.is_empty(), "it waits no more, and rose has no address");

    let off =
        askfirst_engine::elements::ElementPatch { email_notifications: Some(false), ..Default::default() };
    world.dev().await.update_element(&"restaurant-requests".into(), off).await.unwrap();
    let wish = askfirst_engine::requests::AskAccess { instance: Some("sushi-spot".to_owned()), ..wish };
    rose.request_access(wish).await.unwrap();
    assert!(listed(&world, OutboxFilter::All).await.is_empty(), "the element wants no mail");
    assert!(listed(&world, OutboxFilter::Dead).await.is_empty());
}

#[tokio::test]
async fn those_who_may_decide_after_a_while_are_told_then_and_once() {
    let mut server = MailServer::start(&[]).await;
    let world = family(&server).await;
    let policy = "askfirst: 1\nroles: {boss: {permissions: []}}\nusers:\n  ada: {email: ada@family.example}\n  bob: {email: bob@family.example}\nassignments:\n  - {user: ada, role: boss, tenant: default}\n  - {user: joe, role: boss, tenant: default}\n";
    world.dev().await.apply_policy(policy).await.unwrap();
    let terms = serde_json::json!({"escalation": [
        {"after": "30m", "roles": ["tenant#boss"]}, {"after": "2h", "roles": ["tenant#boss"]},
    ]});
    let terms = serde_json::from_value(terms).unwrap();
    world.dev().await.set_terms(&"restaurant-requests".into(), terms).await.unwrap();
    let id = ask(&world, "pizza-palace").await;
    assert_eq!(told(&world, &mut server).await.len(), 2, "joe and jane");
    world.clock.advance(Duration::from_mins(29));
    assert_eq!(world.engine.write_down_ends().await.unwrap(), 0);
    let joe = world.dev().await.act_for(&Ident::from("joe")).await.unwrap();
    let shown = joe.request(&id).await.unwrap().shown();

    world.clock.advance(Duration::from_mins(2));
    assert_eq!(world.engine.write_down_ends().await.unwrap(), 1);
    let letters = told(&world, &mut server).await;
    assert_eq!(letters.len(), 1, "joe could decide it before");
    assert_eq!(letters[0].to, ["RCPT TO:<ada@family.example>"]);
    assert_eq!(letters[0].said("Subject"), ["A request still waits for a decision (default/dev)"]);
    assert_eq!(world.engine.write_down_ends().await.unwrap(), 0, "once");
    let dev = world.dev().await;
    let events = dev.audit_events(None, Some("request.escalated".to_owned()), Page::ALL).await.unwrap();
    assert_eq!(events.items[0].details["told"], 1);

    world.clock.advance(Duration::from_hours(2));
    assert_eq!(world.engine.write_down_ends().await.unwrap(), 1, "the second step");
    assert!(told(&world, &mut server).await.is_empty(), "and nobody is new in it");
    let decide = Decide { approve: Verdict::Approve(Approve::default()), comment: None };
    joe.decide_shown(&id, decide, &shown)
        .await
        .expect("that others were told changes nothing of what was shown");
    world.clock.advance(Duration::from_hours(2));
    assert_eq!(world.engine.write_down_ends().await.unwrap(), 0);
}

#[tokio::test]
async fn a_mail_server_without_tls_gets_nothing_where_tls_is_demanded() {
    let mut server = MailServer::start(&[]).await;
    for scheme in ["smtp+starttls", "smtps"] {
        let world = family_at(&server.url.replace("smtp", scheme)).await;
        ask(&world, "pizza-palace").await;
        assert!(told(&world, &mut server).await.is_empty());
        let waiting = listed(&world, OutboxFilter::Waiting).await;
        assert_eq!(waiting.len(), 2, "it is tried again: {waiting:?}");
    }
}
