//! Messages to people: letters through a real mail server, Slack and short messages through fakes that check what they get.

mod fakes;
mod letters;
mod slack;
mod sms;
mod world;
