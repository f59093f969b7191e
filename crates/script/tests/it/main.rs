//! What scripts can do, and what they cannot.

mod hostile;
mod language;
mod limits;
mod many;
mod places;
mod rest;
mod support;
