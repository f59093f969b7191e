//! From a spec's text to the answers of its tools, over real databases.

mod apis;
mod asking;
mod auth;
mod cases;
mod compose;
mod credentials;
mod files;
mod floods;
mod forwarding;
mod live;
mod messages;
mod others;
mod parts;
mod scripts;
mod secure;
mod service;
mod steps;
mod stores;
mod upstream;
mod vectors;
mod world;
