//! The state of a graph and how updates reach it.

use crate::ids::IdSource;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The state of a graph.
///
/// A state is a plain struct; each field is a channel. A thread begins with the default. Nodes do not return a state, they return an
/// [`Update`](State::Update), and `apply` is where the reducers live: one typed function instead of a
/// table of channel names, so an update of a channel that does not exist does not compile.
///
/// Two kinds of channel are told apart by [`last_value_writes`](State::last_value_writes). A channel
/// named there holds one value and takes at most one write in a superstep; any other channel has a
/// reducer that merges all writes, in the order of node names and never in the order of finishing.
pub trait State: Default + Clone + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// What a node may change. Stored as JSON while a sibling waits for a human.
    type Update: Clone + Send + Sync + Serialize + DeserializeOwned + 'static;

    /// Merges one update. `ids` names what comes without a name.
    ///
    /// # Errors
    /// The update cannot be applied to this state, such as the removal of an unknown message.
    fn apply(&mut self, update: Self::Update, ids: &dyn IdSource) -> Result<(), UpdateError>;

    /// Names of the last-value channels that `update` writes. The default says that every channel
    /// has a reducer.
    fn last_value_writes(update: &Self::Update) -> Vec<&'static str> {
        let _ = update;
        Vec::new()
    }
}

/// An update that does not fit the state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UpdateError(pub String);
