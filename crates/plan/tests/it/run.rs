//! Inferred SQL on real engines: the right rows, and nothing else, whatever the caller writes.

use base::Source;
use connect::{Engine, Statement};
use plan::{ActionPlan, ConnectionReality, Plan, Reality};
use serde_json::{Value, json};
use spec::Spec;
use spec::model::SqlResult;
use spec::sql::Template;

use crate::world::{self, World};

const SPEC: &str = r#"
name: shop
connections:
  - {name: db, type: TYPE, envVar: DATABASE_URL}
tools:
  - name: search_products
    description: Search products by name, SKU, notes or category
    connection: db
    parameters:
      query: {type: string}
      category: {type: string, enum: [electronics, clothing, food]}
      min_price: {type: number}
      product_ids: {type: array, items: {type: integer}}
      sort_by: {type: string, enum: [price, price_desc]}
      limit: {type: integer, default: 50}
      offset: {type: integer}
    returns:
      type: array
      items: {type: object, properties: {id: {type: string}, name: {type: string}, price: {type: number}, category: {type: [string, "null"]}}}
  - name: get_stock_level
    connection: db
    parameters: {product_id: {type: integer, required: true}}
    returns: {type: object, properties: {product_id: {type: integer}, quantity: {type: integer}}}
  - name: get_product
    connection: db
    parameters: {product_id: {type: string, required: true}}
    returns: {type: object, properties: {id: {type: integer}, name: {type: string}}}
  - name: update_inventory
    connection: db
    parameters: {product_id: {type: integer, required: true}, warehouse_id: {type: integer, required: true}, quantity: {type: integer, required: true}}
    returns: {type: object, properties: {success: {type: boolean}, quantity: {type: integer}}}
  - name: adjust_inventory
    connection: db
    parameters: {product_id: {type: integer, required: true}, warehouse_id: {type: integer, required: true}, quantity_change: {type: integer, required: true}}
    returns: {type: object, properties: {quantity: {type: integer}}}
  - name: update_product
    connection: db
    parameters: {id: {type: integer, required: true}, name: {type: string}, unit_price: {type: number}}
    returns: {type: object, properties: {name: {type: string}, unit_price: {type: string}}}
  - name: create_product
    connection: db
    parameters: {id: {type: integer, required: true}, name: {type: string, required: true}, sku: {type: string, required: true}, price: {type: number, required: true}, notes: {type: string}}
    returns: {type: object, properties: {id: {type: integer}, sku: {type: string}, notes: {type: [string, "null"]}}}
  - name: upsert_category
    connection: db
    parameters: {id: {type: integer, required: true}, name: {type: string, required: true}}
    returns: {type: object, properties: {id: {type: integer}, name: {type: string}}}
  - name: delete_product
    connection: db
    parameters: {id: {type: integer, required: true}}
  - name: count_products
    connection: db
    parameters: {category: {type: string}}
    returns: {type: integer}
  - name: list_visits
    connection: db
    parameters: {from_date: {type: string, format: date}, to_date: {type: string, format: date}}
    returns: {type: array, items: {type: object, properties: {id: {type: integer}}}}
"#;

/// Tool, arguments, and the answer that every engine must give.
fn cases() -> Vec<(&'static str, Value, Value)> {
    let pro = json!({"id": "1", "name": "Laptop Pro", "price": 1299.50, "category": "electronics"});
    let sleeve = json!({"id": "2", "name": "laptop sleeve", "price": 19.90, "category": "clothing"});
    let phone = json!({"id": "3", "name": "Phone", "price": 599.00, "category": "electronics"});
    let odd = json!({"id": "4", "name": "Odd 'quote'", "price": 1.00, "category": null});
    let search = |arguments: Value, rows: &[&Value]| ("search_products", arguments, json!(rows));
    vec![
        search(json!({"query": "LAPTOP", "sort_by": "price"}), &[&sleeve, &pro]),
        search(json!({"query": "LAPTOP", "sort_by": "price_desc"}), &[&pro, &sleeve]),
        search(json!({"query": "electro", "sort_by": "price"}), &[&phone, &pro]),
        search(json!({"query": "laptop", "category": "clothing"}), &[&sleeve]),
        search(json!({"query": "laptop", "category": "food"}), &[]),
        search(json!({"query": "LS_2"}), &[&sleeve]),
        search(json!({"min_price": 599, "sort_by": "price"}), &[&phone, &pro]),
        search(json!({"product_ids": [3, 4], "sort_by": "price"}), &[&odd, &phone]),
        search(json!({"sort_by": "price", "limit": 1, "offset": 1}), &[&sleeve]),
        // Wildcards and quotes are themselves.
        search(json!({"query": "%"}), &[&sleeve]),
        search(json!({"query": "_", "sort_by": "price"}), &[&sleeve, &phone]),
        search(json!({"query": "\\"}), &[&odd]),
        search(json!({"query": "'"}), &[&odd]),
        search(json!({"query": "' OR 1=1 --"}), &[]),
        search(json!({"query": "'; DROP TABLE products; --"}), &[]),
        search(json!({"query": "\" OR \"\"=\""}), &[]),
        search(json!({"query": "x", "sort_by": "price; DROP TABLE products"}), &[]),
        ("get_stock_level", json!({"product_id": 1}), json!({"product_id": 1, "quantity": 12})),
        ("get_stock_level", json!({"product_id": 9}), Value::Null),
        ("get_product", json!({"product_id": "2"}), json!({"id": 2, "name": "laptop sleeve"})),
        ("count_products", json!({}), json!(4)),
        ("count_products", json!({"category": "electronics"}), json!(2)),
        ("list_visits", json!({"from_date": "2026-01-02"}), json!([{"id": 2}, {"id": 3}])),
        ("list_visits", json!({"to_date": "2026-01-02"}), json!([{"id": 1}, {"id": 2}])),
        ("list_visits", json!({}), json!([{"id": 1}, {"id": 2}, {"id": 3}])),
        (
            "update_inventory",
            json!({"product_id": 1, "warehouse_id": 1, "quantity": 8}),
            json!({"quantity": 8, "success": true}),
        ),
        (
            "adjust_inventory",
            json!({"product_id": 1, "warehouse_id": 1, "quantity_change": -3}),
            json!({"quantity": 5}),
        ),
        ("update_inventory", json!({"product_id": 9, "warehouse_id": 1, "quantity": 8}), Value::Null),
        ("update_product", json!({"id": 3, "unit_price": 500.25}), json!({"name": "Phone", "unit_price": "500.25"})),
        (
            "update_product",
            json!({"id": 3, "name": "x', unit_price = 0 --"}),
            json!({"name": "x', unit_price = 0 --", "unit_price": "500.25"}),
        ),
        ("upsert_category", json!({"id": 2, "name": "clothes"}), json!({"id": 2, "name": "clothes"})),
        ("upsert_category", json!({"id": 3, "name": "food"}), json!({"id": 3, "name": "food"})),
        ("delete_product", json!({"id": 4}), json!({"affected": 1})),
        ("delete_product", json!({"id": 4}), json!({"affected": 0})),
        ("get_stock_level", json!({"product_id": 1}), json!({"product_id": 1, "quantity": 12})),
    ]
}

#[tokio::test]
async fn inferred_sql_gives_the_right_rows() {
    for world in world::all("inferred_sql_gives_the_right_rows").await {
        let (spec, plan) = planned(&world, SPEC).await;
        for tool in &plan.tools {
            let ActionPlan::NotImplemented { reason } = &tool.action else { continue };
            panic!("{:?} {}: {reason}", world.engine, tool.tool);
        }
        for (tool, arguments, expected) in cases() {
            let found = call(&world, &spec, &plan, tool, &arguments).await;
            assert_eq!(
                plain(found),
                plain(expected),
                "{:?} {tool} {arguments}\n{}",
                world.engine,
                plan::render_text(&plan)
            );
        }
        if world.engine == Engine::Postgresql {
            let created =
                call(&world, &spec, &plan, "create_product", &json!({"id": 7, "name": "n", "sku": "s", "price": 1}))
                    .await;
            assert_eq!(created, json!({"id": 7, "sku": "s", "notes": null}));
        }
        world.end().await;
    }
}

#[tokio::test]
async fn declared_sql_is_typed_and_paged() {
    const DECLARED: &str = r#"
name: shop
connections:
  - {name: db, type: TYPE, envVar: DATABASE_URL}
tools:
  - name: optional
    connection: db
    parameters: {category: {type: integer}, sku: {type: string}}
    sql: SELECT id FROM products WHERE (:category IS NULL OR category_id = :category) AND (:sku IS NULL OR sku = :sku) ORDER BY id
    returns: {type: array, items: {type: object, properties: {id: {type: string}}}}
  - name: offset
    connection: db
    parameters: {}
    sql: {query: SELECT id FROM products ORDER BY id, page: {size: 2}}
  - name: keyset
    connection: db
    parameters: {}
    sql: {query: "SELECT category_id, id FROM products WHERE category_id IS NOT NULL", page: {size: 2, by: keyset, key: [-category_id, id]}}
"#;
    for world in world::all("declared_sql_is_typed_and_paged").await {
        let (spec, plan) = planned(&world, DECLARED).await;
        let all = json!([{"id": "1"}, {"id": "2"}, {"id": "3"}, {"id": "4"}]);
        assert_eq!(call(&world, &spec, &plan, "optional", &json!({})).await, all, "{:?}", world.engine);
        assert_eq!(call(&world, &spec, &plan, "optional", &json!({"category": 2})).await, json!([{"id": "2"}]));
        assert_eq!(
            call(&world, &spec, &plan, "optional", &json!({"category": 1, "sku": "PH-3"})).await,
            json!([{"id": "3"}])
        );
        let page = json!({"page_limit": 3, "page_offset": 2});
        assert_eq!(call(&world, &spec, &plan, "offset", &page).await, json!([{"id": 3}, {"id": 4}]));
        let first = call(&world, &spec, &plan, "keyset", &json!({"page_limit": 3})).await;
        assert_eq!(
            first,
            json!([{"category_id": 2, "id": 2}, {"category_id": 1, "id": 1}, {"category_id": 1, "id": 3}])
        );
        let mut next = plan.clone();
        let ActionPlan::Sql(sql) = &mut next.tools[2].action else { panic!() };
        sql.statements = vec![sql.page.clone().unwrap().next.unwrap()];
        let after = json!({"page_limit": 3, "page_key_1": 1, "page_key_2": 1});
        assert_eq!(call(&world, &spec, &next, "keyset", &after).await, json!([{"category_id": 1, "id": 3}]));
        world.end().await;
    }
}

#[tokio::test]
async fn a_refused_statement_is_an_error_with_the_databases_words() {
    for world in world::all("a_refused_statement_is_an_error_with_the_databases_words").await {
        let text = "name: shop\nconnections:\n  - {name: db, type: TYPE, envVar: DATABASE_URL}\ntools:\n  - name: wrong\n    connection: db\n    parameters: {}\n    sql: SELECT nonsense FROM products\n";
        let spec = parse(&world, text);
        let reality = reality(&world).await;
        let (mut plan, _) = plan::make(&spec, &reality, None);
        let found = describe(&world, &plan).await;
        let refined = plan::refine(&mut plan, &spec, &reality, &found);
        assert_eq!(refined.diagnostics.len(), 1, "{:?}", refined.diagnostics);
        assert_eq!(refined.diagnostics[0].code, "MF0809");
        assert!(refined.diagnostics[0].message.contains("nonsense"), "{:?}", refined.diagnostics);
        world.end().await;
    }
}

#[tokio::test]
async fn a_page_key_that_may_be_null_is_warned_of() {
    for world in world::all("a_page_key_that_may_be_null_is_warned_of").await {
        let text = |column: &str, key: &str| {
            format!(
                "name: shop\nconnections:\n  - {{name: db, type: TYPE, envVar: DATABASE_URL}}\ntools:\n  - name: pages\n    connection: db\n    parameters: {{}}\n    sql: {{query: \"SELECT id, {column} FROM products\", page: {{by: keyset, key: {key}}}}}\n"
            )
        };
        let reality = reality(&world).await;
        for (column, key, codes) in [
            ("category_id", "[-category_id, id]", &["MF0808"][..]),
            ("category_id", "[id]", &[]),
            ("COALESCE(category_id, 0) AS category_id", "[category_id, id]", &[]),
        ] {
            let spec = parse(&world, &text(column, key));
            let (mut plan, _) = plan::make(&spec, &reality, None);
            let found = describe(&world, &plan).await;
            let refined = plan::refine(&mut plan, &spec, &reality, &found);
            let found: Vec<&str> = refined.diagnostics.iter().map(|found| &*found.code).collect();
            assert_eq!(found, codes, "{column} by {key} on {:?}: {:?}", world.engine, refined.diagnostics);
        }
        world.end().await;
    }
}

/// The value with every number as floating point: engines write 599, 599.0 and 599.00.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (name, plain(value))).collect(),
        other => other,
    }
}

fn parse(world: &World, text: &str) -> Spec {
    let text = text.replace("TYPE", world.engine.as_str());
    let parsed = spec::parse(Source { name: "spec.yaml", text: &text }, &spec::ParseOptions::default());
    parsed.spec.unwrap_or_else(|| panic!("{:#?}", parsed.diagnostics))
}

async fn reality(world: &World) -> Reality {
    let catalogue = world.db.catalogue().await.unwrap();
    let connection = ConnectionReality {
        name: "db".to_owned(),
        engine: Some(world.engine),
        server: Some(catalogue.server.clone()),
        catalogue: Some(catalogue),
    };
    Reality { connections: vec![connection], ..Reality::default() }
}

async fn describe(world: &World, plan: &Plan) -> Vec<(plan::ToCheck, Result<connect::Described, connect::Error>)> {
    let mut out = Vec::new();
    for check in plan::statements(plan) {
        let described = world.db.describe(&check.statement).await;
        out.push((check, described));
    }
    out
}

async fn planned(world: &World, text: &str) -> (Spec, Plan) {
    let spec = parse(world, text);
    let reality = reality(world).await;
    let (mut plan, diagnostics) = plan::make(&spec, &reality, None);
    let found = describe(world, &plan).await;
    let refined = plan::refine(&mut plan, &spec, &reality, &found);
    assert!(!refined.again);
    let errors: Vec<_> = diagnostics.iter().chain(&refined.diagnostics).filter(|found| found.is_error()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (spec, plan)
}

/// Calls a tool as the engine does: defaults filled in, absent parameters NULL, values bound.
async fn call(world: &World, _: &Spec, plan: &Plan, tool: &str, arguments: &Value) -> Value {
    let tool = plan.tools.iter().find(|planned| planned.tool == tool).unwrap();
    let ActionPlan::Sql(sql) = &tool.action else { panic!("{} has no SQL", tool.tool) };
    let mut values = Vec::new();
    let statements: Vec<Statement> = sql
        .statements
        .iter()
        .map(|statement| {
            let template = Template::parse(&statement.sql, plan::dialect(world.engine)).unwrap();
            let (text, names) = template.native(plan::dialect(world.engine));
            let order: Vec<usize> = names
                .iter()
                .map(|name| {
                    let parameter = tool.parameters.iter().find(|parameter| parameter.name == *name);
                    let default = parameter.and_then(|parameter| parameter.schema.default()).cloned();
                    values.push(arguments.get(name).cloned().or(default).unwrap_or_default());
                    values.len() - 1
                })
                .collect();
            Statement { text: text.into(), order: order.into(), targets: statement.targets.clone().into() }
        })
        .collect();
    let single = matches!(sql.result, SqlResult::Row | SqlResult::Value);
    let answer = world::run(&world.db, &statements, &[values], sql.write, single).await;
    let (text, affected) =
        answer.unwrap_or_else(|error| panic!("{:?} {} {arguments}: {error}", world.engine, tool.tool));
    match sql.result {
        SqlResult::Affected => json!({ "affected": affected }),
        SqlResult::Value => {
            let row: Value = serde_json::from_str(&text).unwrap();
            row.as_object().and_then(|row| row.values().next().cloned()).unwrap_or_default()
        }
        _ => serde_json::from_str(&text).unwrap(),
    }
}
