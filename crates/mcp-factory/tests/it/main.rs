//! The binary as its users see it: what it prints, where, and how it exits.

mod catalogue;
mod clients;
mod commands;
mod droids;
mod errors;
mod help;
mod killed;
mod plane;
mod postgres;
mod registry;
mod serving;
mod shell;
mod world;
