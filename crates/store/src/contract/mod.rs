//! What every body of the store has to do: cases that a body's tests run with [`contract_tests!`](crate::contract_tests).
//!
//! A case gets an empty store, takes what it sees through the trait alone, and fails by assertion.

mod admin;
mod audit;
mod cascades;
mod chain;
mod commits;
mod everything;
mod expects;
mod identities;
mod images;
mod lists;
mod model;
mod outbox;
mod replay;
mod spots;
mod tasks;
mod texts;
mod things;
mod world;

pub use admin::{
    admin_commits_are_whole, deleting_takes_along_what_is_inside, humans_have_passwords_and_sessions,
    keys_and_sessions_are_found_by_hash, one_caller_takes_a_link, scopes_are_listed_in_order,
    the_directory_has_versions, what_has_ended_is_purged,
};
pub use audit::{a_refused_commit_leaves_no_audit_event, audit_events_are_filtered_newest_first};
pub use cascades::{
    deleting_a_relation, deleting_a_resource, deleting_a_role, deleting_a_tenant, deleting_a_user,
    deleting_an_instance,
};
pub use chain::{audit_events_are_chained, erasing_leaves_the_chain_sound, signed_heads_are_kept};
pub use commits::{
    a_batch_shields_neighbours, a_commit_without_changes_takes_no_revision, a_missing_environment_is_refused,
    bulk_commits_name_the_duplicate, changes_come_in_whole_revisions, duplicates_are_named,
    many_tasks_get_gap_free_revisions, whoever_waits_hears_of_a_commit,
};
pub use everything::everything;
pub use expects::{
    each_expectation_holds_or_refuses, one_of_many_conflicting_commits_wins, what_a_neighbour_takes_is_seen,
    what_is_taken_away_is_seen,
};
pub use identities::{identities_are_linked_once, users_are_found_by_email};
pub use images::{an_image_and_the_log_behind_it_are_the_state, an_image_is_of_one_moment};
pub use lists::{
    assignments_are_filtered, escalations_are_found_when_it_is_time, instances_are_filtered,
    invitations_are_filtered, keys_of_every_alphabet_are_found, many_are_found_at_once, pages_are_stable,
    requests_are_filtered_newest_first, requests_end_when_they_are_looked_at, tuples_are_filtered,
    users_and_tenants_are_searched,
};
pub use model::Model;
pub use outbox::{
    an_item_is_claimed_by_one, an_item_waits_until_it_is_delivered, items_that_were_given_up_are_listed,
};
pub use replay::{loading_equals_replaying, values_read_back_as_written};
pub use spots::requests_are_found_where_they_are;
pub use tasks::{keys_of_tokens_are_kept, tasks_and_their_names_are_kept};
pub use texts::nul_is_refused;
pub use things::Things;
pub use world::World;

/// Why a case failed before any assertion could.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
/// How a case ends.
pub type Outcome = Result<(), Failure>;

/// Makes one test of each case. Takes the path of an `async fn() -> Option<Arc<dyn Store>>` that gives an empty store,
/// or none where there is no such database: the cases are skipped then, and it is for that function to say so.
#[macro_export]
macro_rules! contract_tests {
    ($make:path) => {
        $crate::contract_tests! { @cases $make;
            admin_commits_are_whole
            deleting_takes_along_what_is_inside
            keys_and_sessions_are_found_by_hash
            one_caller_takes_a_link
            scopes_are_listed_in_order
            the_directory_has_versions
            humans_have_passwords_and_sessions
            identities_are_linked_once
            users_are_found_by_email
            what_has_ended_is_purged
            an_image_and_the_log_behind_it_are_the_state
            an_image_is_of_one_moment
            a_refused_commit_leaves_no_audit_event
            audit_events_are_filtered_newest_first
            audit_events_are_chained
            erasing_leaves_the_chain_sound
            signed_heads_are_kept
            deleting_a_relation
            deleting_a_resource
            deleting_a_role
            deleting_a_tenant
            deleting_a_user
            deleting_an_instance
            a_batch_shields_neighbours
            a_commit_without_changes_takes_no_revision
            a_missing_environment_is_refused
            bulk_commits_name_the_duplicate
            changes_come_in_whole_revisions
            duplicates_are_named
            many_tasks_get_gap_free_revisions
            each_expectation_holds_or_refuses
            what_is_taken_away_is_seen
            what_a_neighbour_takes_is_seen
            requests_end_when_they_are_looked_at
            escalations_are_found_when_it_is_time
            one_of_many_conflicting_commits_wins
            assignments_are_filtered
            instances_are_filtered
            invitations_are_filtered
            keys_of_every_alphabet_are_found
            many_are_found_at_once
            pages_are_stable
            requests_are_filtered_newest_first
            requests_are_found_where_they_are
            tuples_are_filtered
            users_and_tenants_are_searched
            loading_equals_replaying
            values_read_back_as_written
            an_item_is_claimed_by_one
            an_item_waits_until_it_is_delivered
            items_that_were_given_up_are_listed
            nul_is_refused
            tasks_and_their_names_are_kept
            keys_of_tokens_are_kept
            whoever_waits_hears_of_a_commit
        }
    };
    (@cases $make:path; $($case:ident)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $case() {
            let store: Option<std::sync::Arc<dyn $crate::Store>> = $make().await;
            let Some(store) = store else { return };
            if let Err(error) = $crate::contract::$case(store).await {
                panic!("{error}");
            }
        })*
    };
}
