//! URLs, passwords, transport security.

use connect::{Error, ErrorKind, Tls};
use serde_json::{Value, json};

use super::world::World;
use crate::support::{Call, skip};

/// PEM file of the authority that signed the test server's certificate.
const CA: &str = "MCP_FACTORY_TEST_CA";

async fn try_url(world: &World, url: String, tls: Tls, ca: Option<&str>) -> Result<Value, Error> {
    let database = world.database_with(|config| {
        config.url = base::Secret::new(url);
        config.tls = tls;
        config.ca_file = ca.map(Into::into);
    });
    let probe = "SELECT ssl, current_database()::text = $1 AS here FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
    Ok(Call::read(probe, &[json!(world.name)]).run(&database).await?.1)
}

#[tokio::test]
async fn transport_security_is_what_was_asked_for() {
    let test = "transport_security_is_what_was_asked_for";
    let Some(world) = World::new(test, "").await else { return };
    let Ok(ca) = std::env::var(CA) else { return skip(test, &format!("{CA} is not set")) };
    let wrong = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(wrong.path(), "no certificate").expect("it is written");
    let wrong = wrong.path().to_str().expect("a path");
    let cases = [
        ("?sslmode=disable", Tls::Prefer, None, Ok(false)),
        ("", Tls::Disable, None, Ok(false)),
        ("", Tls::Prefer, None, Ok(true)),
        ("?sslmode=require", Tls::Prefer, None, Ok(true)),
        ("?sslmode=disable", Tls::Require, None, Ok(true)),
        ("?sslmode=verify-full", Tls::Prefer, Some(ca.as_str()), Ok(true)),
        ("", Tls::VerifyFull, Some(ca.as_str()), Ok(true)),
        ("?sslmode=require", Tls::VerifyFull, None, Err(ErrorKind::Unreachable)),
        ("?sslmode=verify-full", Tls::Prefer, None, Err(ErrorKind::Unreachable)),
        ("", Tls::VerifyFull, Some(wrong), Err(ErrorKind::Config)),
        ("", Tls::VerifyFull, Some("/nowhere/ca.pem"), Err(ErrorKind::Config)),
    ];
    for (parameters, tls, ca, wanted) in cases {
        let found = try_url(&world, world.url(parameters), tls, ca).await;
        match wanted {
            Ok(ssl) => {
                assert_eq!(found.expect(parameters), json!([{ "ssl": ssl, "here": true }]), "{parameters} {tls:?}")
            }
            Err(kind) => {
                let error = found.expect_err(parameters);
                assert_eq!(error.kind, kind, "{parameters} {tls:?}: {error}");
            }
        }
    }
    let url = world.url(&format!("?sslmode=verify-full&sslrootcert={ca}"));
    assert!(try_url(&world, url, Tls::Prefer, None).await.is_ok());
    // The certificate is for `localhost` and 127.0.0.1.
    let elsewhere = |parameters: &str| {
        let address = world.address();
        let (host, port) = address.split_once(':').expect("host and port");
        format!("postgresql://postgres@db.example:{port}/{}?hostaddr={host}&{parameters}", world.name)
    };
    let error = try_url(&world, elsewhere("sslmode=verify-full"), Tls::Prefer, Some(&ca)).await.expect_err("the name");
    assert!(error.kind == ErrorKind::Unreachable && error.message.contains("db.example"), "{error}");
    assert!(try_url(&world, elsewhere("sslmode=require"), Tls::Prefer, None).await.is_ok());
}

#[tokio::test]
async fn urls_may_be_spelt_in_several_ways() {
    let Some(world) = World::new("urls_may_be_spelt_in_several_ways", "").await else { return };
    let (address, name) = (world.address(), world.name.clone());
    let port = address.rsplit(':').next().expect("a port");
    let role = format!("{name}_role");
    let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'p@ss/w:rd #1%'");
    world.eyes.batch_execute(&create).await.expect("a role");
    let good = [
        format!("postgres://postgres@{address}/{name}"),
        format!("postgresql://{address}/{name}"),
        format!("postgresql://{role}:p%40ss%2Fw%3Ard%20%231%25@{address}/{name}"),
        format!("postgresql:///{name}?host=127.0.0.1&port={port}&user=postgres"),
        format!("postgresql://postgres@{address}/{name}?application_name=x&connect_timeout=5&sslmode=prefer"),
        format!("postgresql://postgres@{address}/%74{}", &name[1..]),
    ];
    let mut wrong = Vec::new();
    for url in good {
        if let Err(error) = try_url(&world, url.clone(), Tls::Prefer, None).await {
            wrong.push(format!("{url}: {error}"));
        }
    }
    let bad = [
        (format!("postgresql://{role}:hunter2@{address}/{name}"), "28P01"),
        (format!("postgresql://{role}@{address}/{name}"), "password"),
        (format!("postgresql://postgres:hunter2@{address}/{name}_not"), "3D000"),
    ];
    for (url, words) in bad {
        let error = try_url(&world, url, Tls::Prefer, None).await.expect_err(words);
        let text = error.to_string();
        if error.kind != ErrorKind::Unreachable || !text.contains(words) || text.contains("hunter2") {
            wrong.push(format!("{words}: {:?} {text}", error.kind));
        }
    }
    let _ = world.eyes.batch_execute(&format!("DROP ROLE {role}")).await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
