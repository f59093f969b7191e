//! Tables, columns and keys.

use connect::catalogue::{ForeignKey, Kind};

use super::world::World;

const SCHEMA: &str = "
    CREATE TYPE status AS ENUM ('new', 'paid', 'sent');
    CREATE DOMAIN positive AS int NOT NULL CHECK (VALUE > 0);
    CREATE TABLE customers (id int PRIMARY KEY GENERATED ALWAYS AS IDENTITY, email text NOT NULL UNIQUE, vip bool DEFAULT false,
        kind varchar(10) CHECK (kind IN ('shop', 'person')));
    COMMENT ON TABLE customers IS 'Who buys'; COMMENT ON COLUMN customers.email IS 'Where to write';
    CREATE TABLE orders (customer_id int REFERENCES customers ON DELETE CASCADE, number positive, status status DEFAULT 'new',
        total numeric(10,2), twice numeric GENERATED ALWAYS AS (total * 2) STORED, tags text[], gone int, PRIMARY KEY (number, customer_id));
    ALTER TABLE orders DROP gone;
    CREATE TABLE lines (customer_id int, number int, note jsonb, at timestamptz DEFAULT now(), who uuid, place point,
        FOREIGN KEY (number, customer_id) REFERENCES orders (number, customer_id), UNIQUE (at, number));
    CREATE UNIQUE INDEX partial ON lines (who) WHERE number > 1;
    CREATE UNIQUE INDEX expression ON lines ((note ->> 'a'));
    CREATE VIEW big AS SELECT email, 1::bigint AS one FROM customers;
    CREATE MATERIALIZED VIEW kept AS SELECT email FROM customers;
    CREATE TABLE log (day date NOT NULL) PARTITION BY RANGE (day);
    CREATE TABLE log_2024 PARTITION OF log FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE SCHEMA \"Other One\"; CREATE TABLE \"Other One\".\"Odd \"\"name\" (\"a b\" int);";

#[tokio::test]
async fn the_catalogue_tells_tables_columns_and_keys() {
    let Some(world) = World::new("the_catalogue_tells_tables_columns_and_keys", SCHEMA).await else { return };
    let catalogue = world.database().catalogue().await.expect("a catalogue");
    assert!(catalogue.server.starts_with("PostgreSQL 1"), "{}", catalogue.server);
    let names: Vec<_> = catalogue.tables.iter().map(|table| (table.name.as_str(), table.view)).collect();
    let wanted =
        [("big", true), ("customers", false), ("kept", true), ("lines", false), ("log", false), ("orders", false)];
    assert_eq!(names, wanted, "no partitions");

    let customers = catalogue.table("customers").expect("customers");
    assert_eq!((customers.comment.as_deref(), customers.schema.as_str()), (Some("Who buys"), "public"));
    assert_eq!(
        (&customers.primary_key[..], &customers.unique_keys[..]),
        (&["id".into()][..], &[vec!["email".into()]][..])
    );
    let id = customers.column("id").expect("id");
    assert_eq!((id.kind, id.nullable, id.has_default, id.generated), (Kind::Integer, false, true, true));
    let email = customers.column("email").expect("email");
    assert_eq!((email.comment.as_deref(), email.nullable, email.has_default), (Some("Where to write"), false, false));
    assert_eq!(customers.column("kind").expect("kind").values, ["shop", "person"]);
    assert_eq!(customers.column("kind").expect("kind").native_type, "character varying(10)");

    let orders = catalogue.table("orders").expect("orders");
    assert_eq!(orders.primary_key, ["number", "customer_id"], "in key order");
    let key =
        ForeignKey { columns: vec!["customer_id".into()], table: "customers".into(), references: vec!["id".into()] };
    assert_eq!(orders.foreign_keys, [key]);
    let kinds: Vec<_> =
        orders.columns.iter().map(|one| (one.name.as_str(), one.kind, one.nullable, one.generated)).collect();
    let wanted = [
        ("customer_id", Kind::Integer, false, false),
        ("number", Kind::Integer, false, false),
        ("status", Kind::Enum, true, false),
        ("total", Kind::Numeric, true, false),
        ("twice", Kind::Numeric, true, true),
        ("tags", Kind::Array, true, false),
    ];
    assert_eq!(kinds, wanted, "no dropped columns");
    assert_eq!(orders.column("status").expect("status").values, ["new", "paid", "sent"]);
    assert_eq!(orders.column("total").expect("total").native_type, "numeric(10,2)");

    let lines = catalogue.table("lines").expect("lines");
    assert_eq!(lines.unique_keys, [["at", "number"]], "neither the partial index nor the one over an expression");
    assert_eq!(lines.foreign_keys[0].columns, ["number", "customer_id"]);
    let kinds: Vec<_> = lines.columns.iter().map(|column| column.kind).collect();
    assert_eq!(kinds, [Kind::Integer, Kind::Integer, Kind::Json, Kind::Timestamptz, Kind::Uuid, Kind::Other]);
    assert!(lines.primary_key.is_empty());
    assert_eq!(catalogue.table("big").expect("big").column("one").map(|column| column.kind), Some(Kind::Bigint));
}

#[tokio::test]
async fn another_schema_is_read_when_it_is_named() {
    let Some(world) = World::new("another_schema_is_read_when_it_is_named", SCHEMA).await else { return };
    let database = world.database_with(|config| config.schema = Some("Other One".into()));
    let catalogue = database.catalogue().await.expect("a catalogue");
    let names: Vec<_> = catalogue.tables.iter().map(|table| table.name.as_str()).collect();
    assert_eq!(names, ["Odd \"name"]);
    let rows = crate::support::Call::read("SELECT \"a b\" FROM \"Odd \"\"name\"", &[]).rows(&database).await;
    assert_eq!(rows, serde_json::json!([]), "statements see it too");
}
