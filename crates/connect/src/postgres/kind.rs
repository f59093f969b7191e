//! PostgreSQL's types among our kinds.

use postgres_types::{Kind as PgKind, Type};

use crate::catalogue::Kind;

/// What kind of value a type holds.
pub(super) fn of(ty: &Type) -> Kind {
    match ty.kind() {
        PgKind::Domain(inner) => return of(inner),
        PgKind::Array(_) => return Kind::Array,
        PgKind::Enum(_) => return Kind::Enum,
        _ => {}
    }
    match *ty {
        Type::BOOL => Kind::Boolean,
        Type::INT2 | Type::INT4 | Type::OID => Kind::Integer,
        Type::INT8 => Kind::Bigint,
        Type::NUMERIC => Kind::Numeric,
        Type::FLOAT4 | Type::FLOAT8 => Kind::Float,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME | Type::CHAR | Type::UNKNOWN => Kind::Text,
        Type::UUID => Kind::Uuid,
        Type::DATE => Kind::Date,
        Type::TIME => Kind::Time,
        Type::TIMESTAMP => Kind::Timestamp,
        Type::TIMESTAMPTZ => Kind::Timestamptz,
        Type::BYTEA => Kind::Bytes,
        Type::JSON | Type::JSONB => Kind::Json,
        _ if ty.name() == "citext" => Kind::Text,
        _ => Kind::Other,
    }
}

/// What kind of value a type of the catalogue holds, by the object id of its base type.
pub(super) fn of_catalogue(oid: u32, class: char, category: char, name: &str) -> Kind {
    match (class, category) {
        ('e', _) => return Kind::Enum,
        (_, 'A') => return Kind::Array,
        _ => {}
    }
    match Type::from_oid(oid) {
        Some(ty) => of(&ty),
        None if name == "citext" => Kind::Text,
        None => Kind::Other,
    }
}
