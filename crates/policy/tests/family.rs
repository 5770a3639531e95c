//! The example that the product ships with is a valid policy file and says what its comments promise.

use askfirst_domain::element::{APPROVED_ROLE, OPERATE_ACTION, REVIEWER_ACTIONS, REVIEWER_ROLE};
use askfirst_policy::{Snapshot, file};

const FAMILY: &str = include_str!("../../../examples/family/policy.yaml");

#[test]
fn the_family_example_is_valid_and_has_what_operation_approvals_need() {
    let file = file::parse(FAMILY, &Snapshot::empty(), file::Prune::Nothing)
        .unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let [restaurants] = file.resources.as_slice() else { panic!("one resource") };
    let role = |key: &str| restaurants.roles.iter().find(|role| role.key.as_str() == key).unwrap();
    let actions = |key: &str| -> Vec<String> {
        role(key).permissions.iter().map(|permission| permission.action.to_string()).collect()
    };
    assert_eq!(actions(REVIEWER_ROLE), REVIEWER_ACTIONS);
    assert_eq!(actions(APPROVED_ROLE), [OPERATE_ACTION]);
    assert!(role(APPROVED_ROLE).granted_to.is_none(), "an approval reaches no further than the dish");
    assert!(!file.assignments.iter().any(|assignment| assignment.user.as_str() == "henry"));
    for dish in file.instances.iter().filter(|instance| instance.at.key.as_str().contains('_')) {
        let restaurant = dish.at.key.as_str().split('_').next();
        let served = file.tuples.iter().filter(|tuple| tuple.object == dish.at);
        let by: Vec<_> = served.map(|tuple| tuple.subject.key.to_string()).collect();
        assert_eq!(by, restaurant.into_iter().collect::<Vec<_>>(), "{}", dish.at);
    }
}
