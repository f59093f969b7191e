//! Redis as the rest of the house sees it, against a real server.

mod commands;
mod fake;
mod outages;
mod scans;
mod settings;
mod world;
