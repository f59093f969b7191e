//! Puts a compiled toolset on the wire: joins engine and protocol; and the pipeline at create time, which joins spec,
//! plan and the live databases.
//!
//! Never: a catalogue of servers. Environment variables come in through a [`Lookup`], so a caller decides what a spec
//! may see.

mod auth;
mod authorize;
mod codes;
mod doppler;
mod forget;
mod hosted;
pub mod limits;
mod logins;
mod open;
mod reality;
mod resolve;
pub mod tasks;
pub mod timers;
mod users;

pub use auth::{Caller, Keys, auth, auth_variable};
pub use authorize::{Authorization, authorize, take_users};
pub use codes::codes;
pub use doppler::{Managed, managed};
pub use engine::{Metrics, ToolMetrics};
pub use forget::Kept;
pub use hosted::{GroupService, Hosted};
pub use logins::LoginFile;
pub use open::{ALLOW_COMMANDS, ALLOW_NETWORK, HOSTS_FILE, Opened, open, open_with, resolver, toolset};
pub use reality::{describe, make_plan, reality};
pub use resolve::Lookup;
