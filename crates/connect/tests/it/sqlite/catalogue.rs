//! Tables, columns and keys.

use connect::catalogue::{ForeignKey, Kind};

use super::memory;

const SCHEMA: &[&str] = &[
    "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, vip BOOLEAN NOT NULL DEFAULT 0,
        status TEXT NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'old')))",
    "CREATE TABLE orders (customer_id INTEGER NOT NULL REFERENCES customers ON DELETE CASCADE, number INT NOT NULL,
        total DECIMAL(10,2), twice GENERATED ALWAYS AS (total * 2) VIRTUAL, PRIMARY KEY (customer_id, number)) WITHOUT ROWID",
    "CREATE TABLE lines (customer_id INT, number INT, note JSON,
        FOREIGN KEY (customer_id, number) REFERENCES orders (customer_id, number), UNIQUE (note, number))",
    "CREATE UNIQUE INDEX partial ON lines (note) WHERE number > 1",
    "CREATE UNIQUE INDEX expression ON lines (lower(note))",
    "CREATE VIEW big AS SELECT email, 1 AS one FROM customers",
    "CREATE VIRTUAL TABLE notes USING fts5(body)",
    "CREATE VIEW broken AS SELECT x FROM gone",
];

#[tokio::test]
async fn the_catalogue_tells_tables_columns_and_keys() {
    let database = memory(SCHEMA).await;
    let catalogue = database.catalogue().await.unwrap();
    assert!(catalogue.server.starts_with("SQLite 3."));
    let names: Vec<_> = catalogue.tables.iter().map(|table| (table.name.as_str(), table.view)).collect();
    assert_eq!(names, [("big", true), ("customers", false), ("lines", false), ("notes", false), ("orders", false)]);

    let customers = catalogue.table("customers").unwrap();
    assert_eq!(
        (&customers.primary_key[..], &customers.unique_keys[..]),
        (&["id".to_owned()][..], &[vec!["email".to_owned()]][..])
    );
    let id = customers.column("id").unwrap();
    assert_eq!((id.kind, id.nullable, id.has_default, id.generated), (Kind::Bigint, false, true, false));
    let vip = customers.column("vip").unwrap();
    assert_eq!((vip.kind, vip.nullable, vip.has_default), (Kind::Boolean, false, true));
    let status = customers.column("status").unwrap();
    assert_eq!((status.kind, &status.values[..]), (Kind::Enum, &["new".to_owned(), "old".to_owned()][..]));

    let orders = catalogue.table("orders").unwrap();
    assert_eq!(orders.primary_key, ["customer_id", "number"]);
    assert_eq!(
        orders.foreign_keys,
        [ForeignKey { columns: vec!["customer_id".into()], table: "customers".into(), references: vec!["id".into()] }]
    );
    let twice = orders.column("twice").unwrap();
    assert!(twice.generated && !orders.column("total").unwrap().generated);
    assert_eq!(orders.column("total").unwrap().native_type, "DECIMAL(10,2)");

    let lines = catalogue.table("lines").unwrap();
    assert_eq!(lines.unique_keys, [["note", "number"]], "neither the partial index nor the one over an expression");
    assert_eq!(lines.foreign_keys[0].columns, ["customer_id", "number"]);
    assert!(lines.primary_key.is_empty() && lines.column("note").unwrap().nullable);
    assert_eq!(catalogue.table("notes").unwrap().columns.len(), 1, "hidden columns are left out");
}
