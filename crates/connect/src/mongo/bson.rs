//! BSON (<https://bsonspec.org>) to JSON and back, in MongoDB's relaxed extended JSON or in plain values.

mod decimal;
mod decode;
mod encode;

pub(super) use decode::{document as decode, int};
pub(super) use encode::{ObjectIds, document as encode};

/// Deepest nesting in both directions; servers allow 100.
pub const DEPTH_MAX: usize = 128;

/// How values that JSON does not have are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// As texts: identifiers in hexadecimal, dates as RFC 3339, decimals and integers beyond 2^53 as digits, UUIDs as such,
    /// other bytes in base64. Regular expressions, timestamps and the like are as in [`Form::Extended`].
    #[default]
    Plain,
    /// MongoDB's extended JSON, relaxed, with integers beyond 2^53 as `$numberLong`: every value keeps its type.
    Extended,
}

/// What stands before each value.
mod tag {
    pub(super) const DOUBLE: u8 = 0x01;
    pub(super) const STRING: u8 = 0x02;
    pub(super) const DOCUMENT: u8 = 0x03;
    pub(super) const ARRAY: u8 = 0x04;
    pub(super) const BINARY: u8 = 0x05;
    pub(super) const UNDEFINED: u8 = 0x06;
    pub(super) const OBJECT_ID: u8 = 0x07;
    pub(super) const BOOL: u8 = 0x08;
    pub(super) const DATE: u8 = 0x09;
    pub(super) const NULL: u8 = 0x0a;
    pub(super) const REGEX: u8 = 0x0b;
    pub(super) const POINTER: u8 = 0x0c;
    pub(super) const CODE: u8 = 0x0d;
    pub(super) const SYMBOL: u8 = 0x0e;
    pub(super) const SCOPED_CODE: u8 = 0x0f;
    pub(super) const INT32: u8 = 0x10;
    pub(super) const TIMESTAMP: u8 = 0x11;
    pub(super) const INT64: u8 = 0x12;
    pub(super) const DECIMAL: u8 = 0x13;
    pub(super) const MAX: u8 = 0x7f;
    pub(super) const MIN: u8 = 0xff;
}

#[cfg(test)]
mod tests;
