use super::*;
use crate::ids::SequentialIds;
use proptest::prelude::*;
use serde_json::json;

fn user(id: &str, text: &str) -> Message {
    Message::User(TextMessage { id: Some(id.to_owned()), content: text.to_owned() })
}

fn put(message: Message) -> MessageChange {
    MessageChange::Put { message }
}

fn ids_of(list: &[Message]) -> Vec<&str> {
    list.iter().filter_map(Message::id).collect()
}

fn merge(list: &[Message], changes: Vec<MessageChange>) -> Result<Vec<Message>, UpdateError> {
    let mut list = list.to_vec();
    add_messages(&mut list, changes, &SequentialIds::new("m")).map(|()| list)
}

#[test]
fn missing_ids_come_from_the_source_and_same_id_replaces_in_place() {
    let list = merge(&[], vec![put(Message::user("a")), put(Message::user("b"))]).unwrap();
    assert_eq!(ids_of(&list), ["m-1", "m-2"]);
    let list = merge(&list, vec![put(user("m-1", "A")), put(user("x", "c"))]).unwrap();
    assert_eq!(list, [user("m-1", "A"), user("m-2", "b"), user("x", "c")]);
}

#[test]
fn removal_by_id_and_of_all() {
    let list = [user("a", "1"), user("b", "2"), user("c", "3")];
    let remove = |id: &str| MessageChange::Remove { id: id.to_owned() };
    assert_eq!(ids_of(&merge(&list, vec![remove("b")]).unwrap()), ["a", "c"]);
    assert_eq!(ids_of(&merge(&list, vec![remove("b"), put(user("b", "again"))]).unwrap()), ["a", "b", "c"]);
    let kept =
        merge(&list, vec![put(user("d", "lost")), MessageChange::RemoveAll, put(user("e", "kept"))]).unwrap();
    assert_eq!(kept, [user("e", "kept")]);
    let error = merge(&list, vec![put(user("z", "new")), remove("nobody")]).unwrap_err();
    assert!(error.0.contains("`nobody`"), "{error}");
}

#[test]
fn a_failed_merge_leaves_the_list_alone() {
    let mut list = vec![user("a", "1")];
    let changes = vec![put(user("a", "changed")), MessageChange::Remove { id: "no".to_owned() }];
    add_messages(&mut list, changes, &SequentialIds::new("m")).unwrap_err();
    assert_eq!(list, [user("a", "1")]);
}

#[test]
fn provider_extras_survive_json() {
    let mut call = ToolCall::new("c1", "order_dish", json!({"dish": "Lobster"}));
    call.extras.insert("thought_signatures".to_owned(), json!(["c2ln"]));
    let message = Message::Assistant(AssistantMessage {
        id: Some("1".to_owned()),
        parts: vec![
            Part::Provider { kind: "thought_signature".to_owned(), data: json!("turn") },
            Part::Reasoning { text: "hm".to_owned() },
            Part::ToolCall(call),
        ],
    });
    let text = serde_json::to_string(&message).unwrap();
    assert_eq!(serde_json::from_str::<Message>(&text).unwrap(), message);
}

proptest! {
    /// Against the obvious model: an ordered list searched from the front.
    #[test]
    fn merging_matches_a_plain_list(
        first in proptest::collection::vec(0_u8..6, 0..6),
        ops in proptest::collection::vec((0_u8..3, 0_u8..6), 0..12),
    ) {
        let first: Vec<MessageChange> = first.iter().map(|i| put(user(&i.to_string(), "first"))).collect();
        let start = merge(&[], first).unwrap();
        let mut model: Vec<(String, String)> = ids_of(&start).iter().map(|id| ((*id).to_owned(), "first".to_owned())).collect();
        let mut changes = Vec::new();
        let mut dead: Vec<String> = Vec::new();
        let mut failed = false;
        for (n, (op, id)) in ops.iter().enumerate() {
            let id = id.to_string();
            if *op == 0 {
                changes.push(MessageChange::Remove { id: id.clone() });
                if model.iter().any(|(known, _)| *known == id) {
                    dead.push(id);
                } else {
                    failed = true;
                    break;
                }
            } else {
                let text = format!("v{n}");
                changes.push(put(user(&id, &text)));
                dead.retain(|d| *d != id);
                match model.iter_mut().find(|(known, _)| *known == id) {
                    Some(entry) => entry.1 = text,
                    None => model.push((id, text)),
                }
            }
        }
        let result = merge(&start, changes);
        prop_assert_eq!(result.is_err(), failed);
        if let Ok(list) = result {
            model.retain(|(id, _)| !dead.contains(id));
            let expected: Vec<Message> = model.iter().map(|(id, text)| user(id, text)).collect();
            prop_assert_eq!(list, expected);
        }
    }
}
