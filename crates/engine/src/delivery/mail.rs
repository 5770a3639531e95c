//! Telling people by e-mail: who is told of what, and the letter.
//!
//! The row in the outbox says who and of what, and nothing else. Address, names and whether it still is to be said are looked up
//! when the letter is sent.

use super::{
    letter::Turned,
    post::{Post, address},
};
use crate::{Engine, EnvScope, Kind, error::Result, requests::RequestView};
use askfirst_domain::{
    Ident,
    audit::OutboxItem,
    element::Element,
    id::{RequestId, UserId},
    principal::Principal,
    request::{Request, RequestKind, Status},
    visible::hides,
};
use askfirst_store::Queued;
use lettre::{
    Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::{Duration, UNIX_EPOCH};
use uuid::Uuid;

/// The topic of letters.
pub(crate) const TOPIC: &str = "mail";
/// Stands for the mail server among receivers.
const RECEIVER: Uuid = Uuid::from_u128(3);
/// How much of a name is shown, in characters.
const LONGEST_NAME: usize = 60;

/// What somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Occasion {
    /// A reviewer: it waits.
    Waits,
    /// Somebody who may decide it since it has waited for so long.
    Escalated,
    /// The requester: it was decided, or nobody decided in time.
    Ended,
}

/// The rows for everybody who is told by mail that a request was opened or has ended.
pub(crate) fn mails(
    scope: &EnvScope,
    element: Option<&Element>,
    request: &Request,
    event: &str,
) -> Result<Vec<OutboxItem>> {
    let course = &request.course;
    // What a rule or an emergency has settled was answered to whoever asked, when they asked.
    if course.rule.is_some() || course.emergency.is_some() {
        return Ok(Vec::new());
    }
    match event {
        "request.created" => {
            let suggested = course.suggested.iter().map(|person| person.id);
            letters(scope, element, request.id, Occasion::Waits, suggested)
        }
        "request.approved" | "request.denied" | "request.expired" => {
            letters(scope, element, request.id, Occasion::Ended, [request.requester.id])
        }
        _ => Ok(Vec::new()),
    }
}

/// A row for each of these people, where the element wants mail and the server sends any.
pub(crate) fn letters(
    scope: &EnvScope,
    element: Option<&Element>,
    request: RequestId,
    occasion: Occasion,
    to: impl IntoIterator<Item = UserId>,
) -> Result<Vec<OutboxItem>> {
    if scope.engine.settings().post.is_none() || !wants_mail(element) {
        return Ok(Vec::new());
    }
    let row = |to: UserId| {
        Ok(OutboxItem {
            id: scope.engine.fresh_id::<()>(&scope.op)?.uuid(),
            topic: TOPIC.to_owned(),
            receiver: Some(RECEIVER),
            payload: json!({"request": request, "to": to, "occasion": occasion}),
            created_at: scope.op.now,
        })
    };
    to.into_iter().map(row).collect()
}

fn wants_mail(element: Option<&Element>) -> bool {
    element.is_some_and(|element| element.email_notifications)
}

/// What a row says.
#[derive(Debug, Deserialize)]
pub(super) struct ForPerson {
    request: RequestId,
    to: UserId,
    occasion: Occasion,
}

impl Engine {
    /// The letter to a person, if it still is to be said.
    pub(super) async fn to_person(&self, queued: &Queued, told: ForPerson) -> Result<Turned> {
        let Some(post) = &self.settings().post else {
            return Ok(Turned::Stuck("this server sends no mail; start it with --smtp".to_owned()));
        };
        if self.directory().get().environment_by_id(queued.env).is_none() {
            return Ok(Turned::Nobody);
        }
        let scope = self.enter_as_system(queued.env, "mail").await?;
        match scope.mail_to(post, queued, &told).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(Turned::Nobody),
            other => other,
        }
    }
}

impl EnvScope {
    async fn mail_to(&self, post: &Post, queued: &Queued, told: &ForPerson) -> Result<Turned> {
        let ident = Ident::from(told.to.uuid());
        let Some(email) = self.find_user(&ident).await?.value.email else { return Ok(Turned::Nobody) };
        let acting = self.act_for(&ident).await?;
        let view = acting.request(&Ident::from(told.request.uuid())).await?;
        let state = self.state();
        let element = state.snapshot.schema().element_by_id(view.request.element);
        let due = match told.occasion {
            Occasion::Waits | Occasion::Escalated => view.rights.awaited,
            Occasion::Ended => view.request.status != Status::Pending && view.request.requester.id == told.to,
        };
        if !due || !wants_mail(element.map(AsRef::as_ref)) {
            return Ok(Turned::Nobody);
        }
        let Some(to) = address(&email) else {
            return Ok(Turned::Stuck("the e-mail address of the user is none".to_owned()));
        };
        let words = Words {
            sentence: sentence(&view, told.occasion),
            url: acting.confirm_url(view.request.id),
            place: format!("{}/{}", self.project().key, self.environment().key),
            occasion: told.occasion,
        };
        Ok(match written(post, Mailbox::new(None, to), queued, &words) {
            Ok(letter) => Turned::Mail(Box::new(letter)),
            Err(error) => Turned::Stuck(format!("the letter can't be written: {error}")),
        })
    }
}

/// What a letter says.
struct Words {
    sentence: String,
    url: String,
    /// `default/dev`.
    place: String,
    occasion: Occasion,
}

impl Words {
    /// Nothing that anybody else wrote is in it.
    fn subject(&self) -> String {
        let what = match self.occasion {
            Occasion::Waits => "A request waits for a decision",
            Occasion::Escalated => "A request still waits for a decision",
            Occasion::Ended => "Your request has come to an end",
        };
        format!("{what} ({})", self.place)
    }

    fn call(&self) -> &'static str {
        match self.occasion {
            Occasion::Waits | Occasion::Escalated => "Look at it and decide",
            Occasion::Ended => "See what became of it",
        }
    }

    fn footer(&self) -> String {
        format!(
            "You have to sign in there; nothing is decided by opening the link. askfirst has sent this by itself. Whoever looks after \
             {} can switch such mail off.",
            self.place
        )
    }

    fn plain(&self) -> String {
        format!("{}\r\n\r\n{}:\r\n{}\r\n\r\n{}\r\n", self.sentence, self.call(), self.url, self.footer())
    }

    fn html(&self) -> String {
        let [sentence, url, footer] = [&self.sentence, &self.url, &self.footer()].map(|text| escaped(text));
        let call = self.call();
        format!(
            "<!doctype html><html><body><p>{sentence}</p><p><a href=\"{url}\">{call}</a></p><p><small>{footer}</small></p></body></html>"
        )
    }
}

/// The letter. The same row gives the same `Message-ID`, so that a repeated letter is seen as one.
fn written(
    post: &Post,
    to: Mailbox,
    queued: &Queued,
    words: &Words,
) -> Result<Message, lettre::error::Error> {
    let from = post.from().clone();
    let id = format!("<{}@{}>", queued.item.id, from.email.domain());
    let micros = u64::try_from(queued.item.created_at.micros()).unwrap_or(0);
    Message::builder()
        .message_id(Some(id))
        .date(UNIX_EPOCH + Duration::from_micros(micros))
        .from(from)
        .to(to)
        .subject(words.subject())
        .raw_header(HeaderValue::new(
            HeaderName::new_from_ascii_str("Auto-Submitted"),
            "auto-generated".to_owned(),
        ))
        .multipart(MultiPart::alternative_plain_html(words.plain(), words.html()))
}

/// Who wants what, or what became of it, in one sentence. No arguments, and nothing of why: whoever may read that signs in.
fn sentence(view: &RequestView, occasion: Occasion) -> String {
    let request = &view.request;
    let wish = match request.kind {
        RequestKind::AccessRequest if request.binding.is_some() => format!("one thing on {}", view.place()),
        RequestKind::AccessRequest => format!("the role {} on {}", request.role.key, view.place()),
        RequestKind::OperationApproval => format!("approval of one operation on {}", view.place()),
    };
    let what = match (occasion, request.status) {
        (Occasion::Waits | Occasion::Escalated, _) => {
            let name = name(&view.requester.display_name());
            let key = view.requester.key.as_str();
            let who = if name.eq_ignore_ascii_case(key) { name } else { format!("{name} ({key})") };
            return if matches!(request.opened_by, Principal::Agent { .. } | Principal::TrustedAgent { .. }) {
                format!("An agent of {who} asks for {wish}.")
            } else {
                format!("{who} asks for {wish}.")
            };
        }
        (Occasion::Ended, Status::Expired) => "expired, since nobody decided in time".to_owned(),
        (Occasion::Ended, status) => format!("was {status}"),
    };
    format!("Your request for {wish} {what}.")
}

/// A name as it stands in a letter: on one line, with nothing hidden in it, and nothing that a mail program would make a link of.
fn name(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text.chars().take(LONGEST_NAME).peekable();
    while let Some(c) = rest.next() {
        let links = matches!(c, '.' | ':' | '/' | '\\' | '@')
            && rest.peek().is_some_and(|next| !next.is_whitespace());
        let piece = if hides(c) || matches!(c, '\n' | '\t') {
            format!("⟨U+{:04X}⟩", u32::from(c))
        } else if links {
            format!("⟨{c}⟩")
        } else {
            c.to_string()
        };
        shown.push_str(&piece);
    }
    if text.chars().count() > LONGEST_NAME {
        shown.push('…');
    }
    shown
}

fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            c => shown.push(c),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_hides_nothing_and_links_nowhere() {
        for (written, shown) in [
            ("Henry J. Diner", "Henry J. Diner"),
            ("Hen\u{202E}ry", "Hen⟨U+202E⟩ry"),
            ("a\r\nBcc: joe@x.example", "a⟨U+000D⟩⟨U+000A⟩Bcc: joe⟨@⟩x⟨.⟩example"),
            ("https://evil.example", "https⟨:⟩⟨/⟩⟨/⟩evil⟨.⟩example"),
        ] {
            assert_eq!(name(written), shown);
        }
        assert_eq!(name(&"x".repeat(61)), format!("{}…", "x".repeat(60)));
    }

    #[test]
    fn html_is_text() {
        assert_eq!(escaped("<a href=\"x\">&'"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39;");
    }
}
