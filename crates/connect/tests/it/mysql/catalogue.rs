//! Tables, columns and keys.

use connect::catalogue::{ForeignKey, Kind};

use super::world::World;

const SCHEMA: &str = "
    CREATE TABLE customers (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, email VARCHAR(90) NOT NULL UNIQUE COMMENT 'Where to write',
        vip BOOLEAN NOT NULL DEFAULT 0, status ENUM('new','it''s old') NOT NULL DEFAULT 'new', note TEXT DEFAULT NULL,
        made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, meta JSON, big BIGINT, u UUID, i INET6) COMMENT 'Who buys';;
    CREATE TABLE orders (customer_id INT UNSIGNED NOT NULL, number INT NOT NULL, total DECIMAL(10,2),
        twice DECIMAL(11,2) GENERATED ALWAYS AS (total * 2) VIRTUAL, thrice DECIMAL(12,2) AS (total * 3) PERSISTENT,
        PRIMARY KEY (number, customer_id), FOREIGN KEY (customer_id) REFERENCES customers (id));;
    CREATE TABLE `line items` (number INT, customer_id INT UNSIGNED, `a``b` INT, UNIQUE (`a``b`, number),
        FOREIGN KEY (number, customer_id) REFERENCES orders (number, customer_id));;
    CREATE VIEW big AS SELECT email, 1 AS one FROM customers;;
    CREATE SEQUENCE s;;
    CREATE TABLE history (x INT) WITH SYSTEM VERSIONING;;
    CREATE TABLE gone (x INT);;
    CREATE VIEW broken AS SELECT x FROM gone;;
    DROP TABLE gone";

#[tokio::test]
async fn the_catalogue_tells_tables_columns_and_keys() {
    let Some(world) = World::new("mysql the_catalogue_tells", SCHEMA).await else { return };
    let catalogue = world.database().catalogue().await.expect("it is read");
    assert!(catalogue.server.starts_with("MariaDB ") || catalogue.server.starts_with("MySQL "), "{}", catalogue.server);
    let names: Vec<_> = catalogue.tables.iter().map(|table| (table.name.as_str(), table.view)).collect();
    assert_eq!(
        names,
        [
            ("big", true),
            ("broken", true),
            ("customers", false),
            ("history", false),
            ("line items", false),
            ("orders", false)
        ]
    );
    let customers = catalogue.table("customers").expect("a table");
    assert_eq!((customers.comment.as_deref(), customers.schema.as_str()), (Some("Who buys"), world.name.as_str()));
    assert_eq!(
        (&customers.primary_key[..], &customers.unique_keys[..]),
        (&["id".to_owned()][..], &[vec!["email".to_owned()]][..])
    );
    let wanted = [
        ("id", Kind::Integer, false, true),
        ("email", Kind::Text, false, false),
        ("vip", Kind::Boolean, false, true),
        ("status", Kind::Enum, false, true),
        ("note", Kind::Text, true, false),
        ("made", Kind::Timestamptz, false, true),
        ("meta", Kind::Json, true, false),
        ("big", Kind::Bigint, true, false),
        ("u", Kind::Uuid, true, false),
        ("i", Kind::Other, true, false),
    ];
    let found: Vec<_> =
        customers.columns.iter().map(|c| (c.name.as_str(), c.kind, c.nullable, c.has_default)).collect();
    assert_eq!(found, wanted);
    let column = |name: &str| customers.column(name).expect("a column");
    assert_eq!(column("status").values, ["new", "it's old"]);
    assert_eq!(column("email").comment.as_deref(), Some("Where to write"));
    assert_eq!((column("email").native_type.as_str(), column("meta").native_type.as_str()), ("varchar(90)", "json"));

    let orders = catalogue.table("orders").expect("a table");
    assert_eq!(orders.primary_key, ["number", "customer_id"]);
    let key =
        ForeignKey { columns: vec!["customer_id".into()], table: "customers".into(), references: vec!["id".into()] };
    assert_eq!(orders.foreign_keys, [key]);
    let generated: Vec<_> = orders.columns.iter().map(|column| column.generated).collect();
    assert_eq!(generated, [false, false, false, true, true]);

    let lines = catalogue.table("line items").expect("a table");
    assert_eq!(lines.unique_keys, [["a`b", "number"]]);
    assert_eq!(lines.foreign_keys[0].references, ["number", "customer_id"]);
    assert!(lines.primary_key.is_empty() && lines.column("number").expect("a column").nullable);
    assert_eq!(catalogue.table("big").expect("a view").columns.len(), 2);
}

#[tokio::test]
async fn another_schema_may_be_named_and_none_is_empty() {
    let Some(world) = World::new("mysql another_schema", "CREATE TABLE t (x INT)").await else { return };
    let server = std::env::var(super::world::SERVER).expect("it is set");
    let database = world.database_with(|config| {
        config.url = base::Secret::new(&server);
        config.schema = Some(world.name.clone());
    });
    let names: Vec<_> = database.catalogue().await.expect("it is read").tables.into_iter().map(|t| t.name).collect();
    assert_eq!(names, ["t"]);
    let database = world.database_with(|config| config.url = base::Secret::new(&server));
    assert!(database.catalogue().await.expect("it is read").tables.is_empty());
}
