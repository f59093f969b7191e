//! The main job on PostgreSQL.

use crate::world::{World, service};

/// A database of its own, dropped at the end.
pub(crate) struct Database {
    server: String,
    name: String,
    runtime: tokio::runtime::Runtime,
}

impl Database {
    pub(crate) fn new(server: String) -> Self {
        let name = format!(
            "t_cli_{}_{:x}",
            std::process::id(),
            std::time::UNIX_EPOCH.elapsed().map_or(0, |e| e.subsec_nanos())
        );
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let database = Self { server, name, runtime };
        database.execute(&format!("CREATE DATABASE {}", database.name));
        database
    }

    fn execute(&self, sql: &str) {
        self.runtime.block_on(async {
            let (client, connection) =
                tokio_postgres::connect(&self.server, tokio_postgres::NoTls).await.expect("PostgreSQL answers");
            let task = tokio::spawn(connection);
            client.batch_execute(sql).await.expect("the statement works");
            drop(client);
            let _ = task.await;
        });
    }

    pub(crate) fn url(&self) -> String {
        let (base, _) = self.server.rsplit_once('/').expect("a URL with a database");
        format!("{base}/{}", self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
    }
}

#[test]
fn the_demonstration_runs_on_postgresql() {
    let Some(server) = service("MCP_FACTORY_TEST_POSTGRES", "the_demonstration_runs_on_postgresql") else { return };
    let database = Database::new(server);
    let mut world = World::new();
    world.set("DATABASE_URL", &database.url());
    let shown = world.json(&["demo"]);
    assert_eq!(shown["ok"], true, "{shown}");
    // The data stays and is used the second time.
    let again = world.ok(&["demo"]);
    assert!(again.err.contains("is there already"), "{}", again.err);
}

#[test]
fn the_example_is_created_tested_and_looked_at() {
    let Some(server) = service("MCP_FACTORY_TEST_POSTGRES", "the_example_is_created_tested_and_looked_at") else {
        return;
    };
    let database = Database::new(server);
    let mut world = World::new();
    world.set("DATABASE_URL", &database.url());
    world.ok(&["demo", "--quiet"]);
    world.write("inventory-mcp.yaml", include_str!("../../../../examples/inventory-mcp.yaml"));
    world.write("inventory-full.yaml", include_str!("../../../../examples/inventory-full.yaml"));
    for name in ["inventory-mcp", "inventory-full"] {
        assert_eq!(world.json(&["create", "--spec", &format!("{name}.yaml")])["result"], "created");
        let status = world.json(&["status", name]);
        assert_eq!(status["healthy"], true, "{status}");
        assert!(status["connections"][0]["server"].as_str().is_some_and(|server| server.starts_with("PostgreSQL")));
        let tested = world.json(&["test", name, "--all", "--write"]);
        assert_eq!((&tested["failed"], &tested["skipped"]), (&0.into(), &0.into()), "{tested}");
    }
    let rows = world.json(&["test", "inventory-mcp", "search_products", r#"{"query": "laptop"}"#]);
    assert!(rows["structured"].as_array().is_some_and(|rows| rows.len() >= 4), "{rows}");
    assert!(rows["structured"][0]["id"].is_string() && rows["structured"][0]["price"].is_number());
}
