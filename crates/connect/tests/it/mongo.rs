//! MongoDB as the rest of the house sees it: against NX-27017, which speaks its protocol, and against a fake of our own for
//! what that has not.

mod documents;
mod fake;
mod logins;
mod outages;
mod safety;
mod world;
