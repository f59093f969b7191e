//! Values from PostgreSQL's binary wire form to JSON, without a step between.

use postgres_types::{FromSql, Kind, Type};

use super::{format, interval, numeric};
use crate::Target;
use crate::json::{self, Cell};

/// Bytes that are not what their type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// A column's value as it came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Raw<'a>(pub(super) Option<&'a [u8]>);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_ty: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(Some(raw)))
    }

    fn from_sql_null(_ty: &Type) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(None))
    }

    fn accepts(_ty: &Type) -> bool {
        true
    }
}

/// How a type's wire form is read. Decided once per prepared statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reader {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    Numeric,
    /// The bytes are the text.
    Text,
    Char,
    Bytes,
    Uuid,
    Json,
    Jsonb,
    Date,
    Time,
    TimeTz,
    Timestamp,
    TimestampTz,
    Interval,
    Array(Box<Reader>),
}

/// What a domain, and a domain over it, is made of; any other type is its own base.
pub(super) fn base(ty: &Type) -> &Type {
    match ty.kind() {
        Kind::Domain(inner) => base(inner),
        _ => ty,
    }
}

/// The reader of a type; `None` for types that are asked for as text.
pub(super) fn reader(ty: &Type) -> Option<Reader> {
    match ty.kind() {
        Kind::Domain(inner) => return reader(inner),
        Kind::Enum(_) => return Some(Reader::Text),
        Kind::Array(element) => return reader(element).map(|element| Reader::Array(Box::new(element))),
        _ => {}
    }
    Some(match *ty {
        Type::BOOL => Reader::Bool,
        Type::INT2 => Reader::Int2,
        Type::INT4 => Reader::Int4,
        Type::INT8 => Reader::Int8,
        Type::OID => Reader::Oid,
        Type::FLOAT4 => Reader::Float4,
        Type::FLOAT8 => Reader::Float8,
        Type::NUMERIC => Reader::Numeric,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::UNKNOWN | Type::XML => Reader::Text,
        Type::CHAR => Reader::Char,
        Type::BYTEA => Reader::Bytes,
        Type::UUID => Reader::Uuid,
        Type::JSON => Reader::Json,
        Type::JSONB => Reader::Jsonb,
        Type::DATE => Reader::Date,
        Type::TIME => Reader::Time,
        Type::TIMETZ => Reader::TimeTz,
        Type::TIMESTAMP => Reader::Timestamp,
        Type::TIMESTAMPTZ => Reader::TimestampTz,
        Type::INTERVAL => Reader::Interval,
        _ if ty.name() == "citext" => Reader::Text,
        _ => return None,
    })
}

impl Reader {
    /// The value as a cell. Texts that have to be made are made in `scratch`.
    pub(super) fn cell<'a>(&self, bytes: &'a [u8], scratch: &'a mut String) -> Result<Cell<'a>, Malformed> {
        scratch.clear();
        Ok(match self {
            Self::Bool => Cell::Bool(fixed::<1>(bytes)?[0] != 0),
            Self::Int2 => Cell::Int(i16::from_be_bytes(fixed(bytes)?).into()),
            Self::Int4 => Cell::Int(i32::from_be_bytes(fixed(bytes)?).into()),
            Self::Int8 => Cell::Int(i64::from_be_bytes(fixed(bytes)?)),
            Self::Oid => Cell::Uint(u32::from_be_bytes(fixed(bytes)?).into()),
            Self::Float4 => Cell::Single(f32::from_be_bytes(fixed(bytes)?)),
            Self::Float8 => Cell::Float(f64::from_be_bytes(fixed(bytes)?)),
            Self::Numeric => {
                numeric::text(bytes, scratch)?;
                Cell::Decimal(scratch)
            }
            Self::Text => Cell::Text(std::str::from_utf8(bytes).map_err(|_| Malformed)?),
            Self::Char => {
                // PostgreSQL's one-byte "char" is not text in any encoding; what is not ASCII is shown as it shows it.
                match fixed::<1>(bytes)?[0] {
                    0 => {}
                    byte if byte.is_ascii() => scratch.push(char::from(byte)),
                    byte => scratch.push_str(&format!("\\{byte:03o}")),
                }
                Cell::Text(scratch)
            }
            Self::Bytes => Cell::Bytes(bytes),
            Self::Uuid => {
                let uuid = uuid::Uuid::from_slice(bytes).map_err(|_| Malformed)?;
                scratch.push_str(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()));
                Cell::Text(scratch)
            }
            Self::Json => Cell::Json(std::str::from_utf8(bytes).map_err(|_| Malformed)?),
            Self::Jsonb => match bytes.split_first() {
                Some((1, json)) => Cell::Json(std::str::from_utf8(json).map_err(|_| Malformed)?),
                _ => return Err(Malformed),
            },
            Self::Date | Self::Time | Self::TimeTz | Self::Timestamp | Self::TimestampTz | Self::Interval => {
                self.moment(bytes, scratch)?;
                Cell::Text(scratch)
            }
            Self::Array(element) => {
                let mut out = Vec::with_capacity(bytes.len() * 2);
                array(element, bytes, &mut out)?;
                *scratch = String::from_utf8(out).map_err(|_| Malformed)?;
                Cell::Json(scratch)
            }
        })
    }

    fn moment(&self, bytes: &[u8], out: &mut String) -> Result<(), Malformed> {
        match self {
            Self::Date => format::date(i32::from_be_bytes(fixed(bytes)?), out),
            Self::Time => interval::clock(i64::from_be_bytes(fixed(bytes)?).unsigned_abs(), out),
            Self::TimeTz => {
                let (micros, west) = bytes.split_at_checked(8).ok_or(Malformed)?;
                interval::clock(i64::from_be_bytes(fixed(micros)?).unsigned_abs(), out);
                format::offset(i32::from_be_bytes(fixed(west)?), out);
            }
            Self::Timestamp => format::timestamp(i64::from_be_bytes(fixed(bytes)?), "", out),
            Self::TimestampTz => format::timestamp(i64::from_be_bytes(fixed(bytes)?), "Z", out),
            _ => {
                let (micros, rest) = bytes.split_at_checked(8).ok_or(Malformed)?;
                let (days, months) = rest.split_at_checked(4).ok_or(Malformed)?;
                let micros = i64::from_be_bytes(fixed(micros)?);
                interval::text(micros, i32::from_be_bytes(fixed(days)?), i32::from_be_bytes(fixed(months)?), out);
            }
        }
        Ok(())
    }
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Malformed> {
    bytes.try_into().map_err(|_| Malformed)
}

/// Deepest array of arrays that PostgreSQL has (`MAXDIM`).
const DIMENSIONS_MAX: usize = 6;

/// An array as a JSON array; one of several dimensions as arrays of arrays (`array_send` in PostgreSQL's `arrayfuncs.c`).
fn array(element: &Reader, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Malformed> {
    let mut rest = Bytes(bytes);
    let dimensions = usize::try_from(rest.int()?).map_err(|_| Malformed)?;
    if dimensions > DIMENSIONS_MAX {
        return Err(Malformed);
    }
    rest.take(8)?;
    let mut lengths = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        lengths.push(usize::try_from(rest.int()?).map_err(|_| Malformed)?);
        rest.take(4)?;
    }
    if lengths.is_empty() {
        out.extend_from_slice(b"[]");
        return Ok(());
    }
    dimension(element, &lengths, &mut rest, out, &mut String::new())
}

fn dimension(
    element: &Reader,
    lengths: &[usize],
    rest: &mut Bytes<'_>,
    out: &mut Vec<u8>,
    scratch: &mut String,
) -> Result<(), Malformed> {
    let Some((length, inner)) = lengths.split_first() else { return Err(Malformed) };
    out.push(b'[');
    for at in 0..*length {
        if at > 0 {
            out.push(b',');
        }
        if !inner.is_empty() {
            dimension(element, inner, rest, out, scratch)?;
            continue;
        }
        match rest.int()? {
            -1 => out.extend_from_slice(b"null"),
            size => {
                let value = rest.take(usize::try_from(size).map_err(|_| Malformed)?)?;
                json::write(out, element.cell(value, scratch)?, Target::Auto).map_err(|_| Malformed)?;
            }
        }
    }
    out.push(b']');
    Ok(())
}

/// What is left to read.
struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    fn int(&mut self) -> Result<i32, Malformed> {
        Ok(i32::from_be_bytes(fixed(self.take(4)?)?))
    }
}
