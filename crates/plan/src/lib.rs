//! What is really run: statements with bound values, types, and the reasons for each choice. A
//! plan is made at create time from a spec and from what its connections really offer, is stored
//! with the server, can be read, pinned and edited by a person, and is what the engine runs.
//!
//! [`make`] plans a spec; [`statements`] lists what the caller should have the databases describe;
//! [`refine`] takes the descriptions in; [`render_text`] prints a plan for people.
//!
//! Never: I/O. The catalogue and the engine's descriptions of statements are handed in.

mod annotations;
mod codes;
mod compose;
mod declared;
mod infer;
mod make;
pub mod model;
mod output;
mod page;
mod quote;
mod refine;
mod render;

pub use codes::codes;
pub use make::{ConnectionReality, OperationReality, Reality, dialect, engine, make};
pub use model::{
    ActionPlan, CallPlan, ConnectionPlan, On, Origin, PagePlan, Plan, ScriptPlan, SqlPlan, StatementPlan, StepPlan,
    StepsPlan, ToolPlan,
};
pub use output::shaped;
pub use refine::{Refined, ToCheck, refine, statements};
pub use render::render_text;
