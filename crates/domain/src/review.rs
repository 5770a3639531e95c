//! What reviewers say of a request, and when that decides it.

use crate::{
    Digest, Timestamp,
    principal::Principal,
    request::{Person, Status},
    terms::Threshold,
};
use serde::{Deserialize, Serialize};

/// Which way a review goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    Approve,
    Deny,
}

impl Vote {
    /// The status that it leads to.
    pub fn status(self) -> Status {
        match self {
            Self::Approve => Status::Approved,
            Self::Deny => Status::Denied,
        }
    }

    /// What somebody has done who votes so.
    pub fn past(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Deny => "denied",
        }
    }
}

/// What one person says. There is one of each person; a later one of theirs takes the place of the earlier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub by: Person,
    pub vote: Vote,
    pub comment: Option<String>,
    pub at: Timestamp,
    /// What it is about: [`crate::request::Request::matter`] as it was then. It counts for nothing else.
    pub of: Digest,
    /// In whose place it was said; none: the person's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stands_for: Option<Person>,
}

impl Review {
    /// Whose authority it is that counts.
    pub fn authority(&self) -> &Person {
        self.stands_for.as_ref().unwrap_or(&self.by)
    }

    /// Whether another of these reviews, of those that `counts` lets count for the same matter, takes its place: one authority
    /// counts once. What somebody has said themselves goes before what is said in their place, and of that the last.
    pub fn yields(&self, reviews: &[Self], of: &Digest, counts: impl Fn(&Self) -> bool) -> bool {
        let rivals = reviews
            .iter()
            .filter(|one| one.of == *of && one.authority().id == self.authority().id && counts(one));
        let own = |one: &&Self| one.stands_for.is_none();
        let first = rivals.clone().find(own).or_else(|| rivals.last());
        first.is_some_and(|first| first.by.id != self.by.id)
    }
}

/// Who reviews, and in whose place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    pub by: Person,
    /// None: they speak for themselves.
    pub stands_for: Option<Person>,
}

impl Voice {
    /// Whose authority it is.
    pub fn authority(&self) -> &Person {
        self.stands_for.as_ref().unwrap_or(&self.by)
    }
}

impl From<Person> for Voice {
    fn from(by: Person) -> Self {
        Self { by, stands_for: None }
    }
}

/// How far one threshold is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    pub name: String,
    pub approvals: u32,
    /// So many approvals are needed.
    pub approve: u32,
    pub denials: u32,
    /// So many denials end it.
    pub deny: u32,
}

impl Progress {
    fn denies(&self) -> bool {
        self.denials >= self.deny.max(1)
    }

    /// Whether it has the approvals that it needs.
    pub fn approves(&self) -> bool {
        self.approvals >= self.approve.max(1)
    }
}

/// How far each threshold is. `counts` says whose reviews count for which; one that is about something else than `of` counts
/// for none. Where there is no threshold at all, one review decides.
pub fn progress(
    thresholds: &[Threshold],
    reviews: &[Review],
    of: &Digest,
    counts: impl Fn(&Review, &Threshold) -> bool,
) -> Vec<Progress> {
    let usual = [Threshold::usual()];
    let thresholds = if thresholds.is_empty() { &usual } else { thresholds };
    let number = |threshold: &Threshold, vote: Vote| {
        let here = |review: &Review| counts(review, threshold);
        let fits = |review: &&Review| {
            review.vote == vote && review.of == *of && here(review) && !review.yields(reviews, of, here)
        };
        u32::try_from(reviews.iter().filter(fits).count()).unwrap_or(u32::MAX)
    };
    thresholds
        .iter()
        .map(|threshold| Progress {
            name: threshold.name.clone(),
            approvals: number(threshold, Vote::Approve),
            approve: threshold.approve.max(1),
            denials: number(threshold, Vote::Deny),
            deny: threshold.deny.max(1),
        })
        .collect()
}

/// What it comes to: one threshold whose denials are reached ends it, and an approval needs all of them.
pub fn outcome(progress: &[Progress]) -> Option<Vote> {
    if progress.iter().any(Progress::denies) {
        Some(Vote::Deny)
    } else if !progress.is_empty() && progress.iter().all(Progress::approves) {
        Some(Vote::Approve)
    } else {
        None
    }
}

/// The most questions about one request.
pub const MAX_QUESTIONS: usize = 50;

/// What a reviewer wants to know before deciding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Question {
    pub by: Person,
    pub text: String,
    pub at: Timestamp,
    pub answer: Option<Reply>,
}

/// What the requester says to a question, or their agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// From the credential.
    pub by: Principal,
    pub text: String,
    pub at: Timestamp,
}

/// How the decision of a request falls, or fell.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Course {
    /// What reviewers have said, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reviews: Vec<Review>,
    /// How far each threshold was when the decision fell; empty before.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tally: Vec<Progress>,
    /// Who was named as a reviewer, or suggested, when it was asked; the first goes first. It gives nobody any right.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggested: Vec<Person>,
    /// What reviewers have asked, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// When the next step of the element's escalation is to be told of, while it waits; none: no further step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalates_at: Option<Timestamp>,
    /// The rule of the element that decided it, without anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// It was taken in an emergency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Emergency>,
}

impl Course {
    /// Whether it was taken in an emergency and nobody has looked at it yet.
    pub fn is_unlooked(&self) -> bool {
        self.emergency.as_ref().is_some_and(|emergency| emergency.looked_at.is_none())
    }
}

/// What was taken in an emergency, and what somebody said of it afterwards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Emergency {
    pub looked_at: Option<Look>,
}

/// What a reviewer says afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Look {
    pub by: Person,
    pub verdict: AfterVerdict,
    pub comment: Option<String>,
    pub at: Timestamp,
}

/// Whether it was right to take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterVerdict {
    Fine,
    NotFine,
}

impl Course {
    /// What this person has said.
    pub fn review_of(&self, person: &Person) -> Option<&Review> {
        self.reviews.iter().find(|review| review.by.id == person.id)
    }

    /// Whether this person, or somebody in their place, has said something of this matter.
    pub fn was_heard(&self, authority: &Person, matter: &Digest) -> bool {
        self.reviews.iter().any(|review| review.authority().id == authority.id && review.of == *matter)
    }

    /// The oldest question that nobody has answered, with its number from 1.
    pub fn open_question(&self) -> Option<(u32, &Question)> {
        (1..).zip(&self.questions).find(|(_, question)| question.answer.is_none())
    }

    /// What they say now, in the place of what they said before.
    pub(crate) fn hear(&mut self, review: Review) {
        self.reviews.retain(|before| before.by.id != review.by.id);
        self.reviews.push(review);
    }
}
