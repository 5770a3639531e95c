//! Whether the terms of an element may be written, and what the roles in them mean.

use super::Schema;
use crate::condition::{Condition, ConditionError, ConditionLimits};
use askfirst_domain::{
    Key, Span, Timestamp,
    schema::Role,
    terms::{
        BreakGlass, MAX_ENTRIES, MAX_NAME, RoleRef, RoleScope, Rule, Schedule, Terms, Threshold, TimeOfDay,
        Weekday,
    },
};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde_json::Value;
use std::{collections::BTreeSet, sync::Arc};
use thiserror::Error;

/// Why terms may not be written. Each prints as a part of a sentence.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TermsError {
    /// A role that is not there, or that nobody can hold where the element's requests are about.
    #[error("name the role {role}, which is neither a role on its resource nor one of the tenant")]
    UnknownRole { role: RoleRef },
    /// A condition that can't be read.
    #[error("have a wrong condition in `{name}`: {cause}")]
    Condition { name: String, cause: ConditionError },
    /// Two of one name.
    #[error("name `{name}` twice")]
    Twice { name: String },
    /// No name, or a very long one.
    #[error("have a name that is empty or has more than {MAX_NAME} characters: `{name}`")]
    Name { name: String },
    /// A threshold that would be reached by nobody.
    #[error("say 0 in `{name}`; at least one approval is needed, and at least one denial ends a request")]
    Nobody { name: String },
    /// A time zone that is not known.
    #[error("name the time zone `{zone}`, which is not known; write one such as Europe/Berlin")]
    Zone { zone: String },
    /// A longer emergency.
    #[error("let an emergency last {lasts}; it may last {} at most", BreakGlass::MOST)]
    LongEmergency { lasts: Span },
    /// An emergency of nobody.
    #[error("name no role in `break_glass`, so nobody could use it; leave it away")]
    NoRole,
    /// A long list.
    #[error("have {found} entries in a list that may have {MAX_ENTRIES}")]
    TooMany { found: usize },
}

impl Schema {
    /// The role that the terms of an element on this resource mean; none when it is not there, or is held elsewhere.
    pub fn role_of_terms(&self, resource: Option<&Key>, role: &RoleRef) -> Option<&Arc<Role>> {
        let own = || resource.and_then(|on| self.role_by_key(Some(on.as_str()), role.key.as_str()));
        let of_tenant = || self.role_by_key(None, role.key.as_str());
        match &role.scope {
            RoleScope::Near => own().or_else(of_tenant),
            RoleScope::Tenant => of_tenant(),
            RoleScope::On(on) => own().filter(|_| resource == Some(on)),
        }
    }

    /// Writes for each role in the terms which one it is, so that it stays that one.
    pub fn settle_terms(&self, resource: Option<&Key>, terms: &mut Terms) {
        for role in terms.roles_mut() {
            if role.scope == RoleScope::Near
                && let Some(found) = self.role_of_terms(resource, role)
            {
                role.scope = found.resource.clone().map_or(RoleScope::Tenant, RoleScope::On);
            }
        }
    }

    /// Whether these terms may be written for an element on this resource.
    pub(super) fn check_terms(&self, resource: Option<&Key>, terms: &Terms) -> Result<(), TermsError> {
        check_names(terms.thresholds.iter().map(|threshold| &threshold.name))?;
        check_names(terms.rules.iter().map(|rule| &rule.name))?;
        terms.thresholds.iter().try_for_each(|threshold| self.check_threshold(resource, threshold))?;
        terms.rules.iter().try_for_each(|rule| self.check_rule_of_terms(resource, rule))?;
        if terms.escalation.len() > MAX_ENTRIES {
            return Err(TermsError::TooMany { found: terms.escalation.len() });
        }
        let mut escalated = terms.escalation.iter().flat_map(|step| &step.roles);
        escalated.try_for_each(|role| self.check_role_of_terms(resource, role))?;
        let Some(glass) = &terms.break_glass else { return Ok(()) };
        match glass.lasts.filter(|lasts| *lasts > BreakGlass::MOST) {
            Some(lasts) => return Err(TermsError::LongEmergency { lasts }),
            None if glass.roles.is_empty() => return Err(TermsError::NoRole),
            None if glass.roles.len() > MAX_ENTRIES => {
                return Err(TermsError::TooMany { found: glass.roles.len() });
            }
            None => {}
        }
        glass.roles.iter().try_for_each(|role| self.check_role_of_terms(resource, role))
    }

    fn check_rule_of_terms(&self, resource: Option<&Key>, rule: &Rule) -> Result<(), TermsError> {
        if let Some(role) = &rule.role {
            self.check_role_of_terms(resource, role)?;
        }
        if let Some(during) = &rule.during
            && zone(during).is_none()
        {
            return Err(TermsError::Zone { zone: during.zone.clone() });
        }
        self.check_when(&rule.name, rule.when.as_ref())
    }

    fn check_threshold(&self, resource: Option<&Key>, threshold: &Threshold) -> Result<(), TermsError> {
        if threshold.approve == 0 || threshold.deny == 0 {
            return Err(TermsError::Nobody { name: threshold.name.clone() });
        }
        if let Some(role) = &threshold.role {
            self.check_role_of_terms(resource, role)?;
        }
        self.check_when(&threshold.name, threshold.when.as_ref())
    }

    fn check_role_of_terms(&self, resource: Option<&Key>, role: &RoleRef) -> Result<(), TermsError> {
        match self.role_of_terms(resource, role) {
            Some(_) => Ok(()),
            None => Err(TermsError::UnknownRole { role: role.clone() }),
        }
    }

    fn check_when(&self, name: &str, when: Option<&Value>) -> Result<(), TermsError> {
        let Some(when) = when else { return Ok(()) };
        Condition::compile_within(when, self.condition_limits)
            .map(drop)
            .map_err(|cause| TermsError::Condition { name: name.to_owned(), cause })
    }
}

/// A condition of terms, as it is evaluated: also one that was written when more was allowed.
///
/// # Errors
/// See [`Condition::compile`].
pub fn condition_of_terms(when: &Value) -> Result<Condition, ConditionError> {
    Condition::compile_within(when, ConditionLimits::MOST)
}

/// Whether a moment is within a schedule; none: its zone is not known.
pub fn is_within(schedule: &Schedule, now: Timestamp) -> Option<bool> {
    let local = jiff::Timestamp::from_microsecond(now.micros()).ok()?.to_zoned_datetime(zone(schedule)?);
    let minute = u16::try_from(local.hour()).ok()? * 60 + u16::try_from(local.minute()).ok()?;
    let place = usize::try_from(local.weekday().to_monday_zero_offset()).ok()?;
    let today = *Weekday::ALL.get(place)?;
    let on = |day: Weekday| schedule.days.is_empty() || schedule.days.contains(&day);
    let from = schedule.from.map_or(0, TimeOfDay::minutes);
    let to = schedule.to.map_or(24 * 60, TimeOfDay::minutes);
    Some(if from < to {
        on(today) && (from..to).contains(&minute)
    } else {
        (on(today) && minute >= from) || (on(today.before()) && minute < to)
    })
}

fn zone(schedule: &Schedule) -> Option<TimeZone> {
    // Those that the binary brings along: no file of the machine decides.
    TimeZoneDatabase::bundled().get(&schedule.zone).ok()
}

fn check_names<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> Result<(), TermsError> {
    if names.len() > MAX_ENTRIES {
        return Err(TermsError::TooMany { found: names.len() });
    }
    let mut seen = BTreeSet::new();
    for name in names {
        if name.trim().is_empty() || name.chars().count() > MAX_NAME {
            return Err(TermsError::Name { name: name.clone() });
        }
        if !seen.insert(name) {
            return Err(TermsError::Twice { name: name.clone() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::from_micros(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    #[test]
    fn schedules_follow_their_zone_and_nights_belong_to_the_day_on_which_they_begin() {
        let schedule = |days: Vec<Weekday>, from: &str, to: &str, zone: &str| Schedule {
            days,
            from: Some(from.parse().unwrap()),
            to: Some(to.parse().unwrap()),
            zone: zone.to_owned(),
        };
        let office = schedule(vec![Weekday::Mon, Weekday::Tue], "09:00", "17:00", "Europe/Berlin");
        // 2026-11-23 is a Monday; Berlin is an hour ahead in winter and two in summer.
        for (moment, wanted) in [
            ("2026-11-23T07:59:59Z", false),
            ("2026-11-23T08:00:00Z", true),
            ("2026-11-24T15:59:59Z", true),
            ("2026-11-24T16:00:00Z", false),
            ("2026-11-25T10:00:00Z", false),
            ("2026-07-20T07:00:00Z", true),
        ] {
            assert_eq!(is_within(&office, at(moment)), Some(wanted), "{moment}");
        }
        let night = schedule(vec![Weekday::Fri], "22:00", "06:00", "UTC");
        for (moment, wanted) in [
            ("2026-11-27T21:59:00Z", false),
            ("2026-11-27T22:00:00Z", true),
            ("2026-11-28T05:59:00Z", true),
            ("2026-11-28T06:00:00Z", false),
            ("2026-11-28T23:00:00Z", false),
            ("2026-11-27T05:00:00Z", false),
        ] {
            assert_eq!(is_within(&night, at(moment)), Some(wanted), "{moment}");
        }
        let always = Schedule { days: Vec::new(), from: None, to: None, zone: "UTC".to_owned() };
        assert_eq!(is_within(&always, at("2026-11-28T23:59:59Z")), Some(true));
        let nowhere = Schedule { zone: "Europe/Atlantis".to_owned(), ..always };
        assert_eq!(is_within(&nowhere, at("2026-11-28T23:59:59Z")), None);
    }
}
