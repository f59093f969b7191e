//! JavaScript in a sandbox with limits.
//!
//! A script is one standard ECMAScript module whose default export is a function:
//!
//! ```js
//! export default async function run(args, { db, log }) {
//!   const rows = await db.query("SELECT name FROM products WHERE price < :max", { max: args.max });
//!   log(`${rows.length} products`);
//!   return { names: rows.map((row) => row.name) };
//! }
//! ```
//!
//! It is compiled once ([`Script::compile`]) and run many times at once ([`Sandbox::run`]). Every run has an engine of its
//! own, so that no run sees what another one left behind, and is stopped by limits of memory, processor time, stack,
//! output and time ([`Limits`]). What it reaches is what the caller hands in ([`Surface`], [`Host`]): asynchronous
//! functions from JSON to JSON. A script that waits holds no thread, and one that rests no engine either: `return again(state,
//! { inMs })` ends the engine, and the function is called again later, with the state as its third argument.
//!
//! Never: files, network, environment, clocks other than the language's own, other modules.

mod code;
mod fault;
mod flying;
mod host;
mod intern;
pub mod limits;
mod machine;
mod origin;
mod port;
mod run;
mod sandbox;
mod stack;
mod workers;

pub use code::Script;
pub use fault::{Fault, FaultKind, Place};
pub use host::{Answer, Host, HostError, HostFuture, Level, Rest, Surface};
pub use limits::Limits;
pub use origin::Origin;
pub use sandbox::{Call, Sandbox};
