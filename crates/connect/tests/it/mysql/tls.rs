//! Transport security, as the URL and the configuration ask for it.

use std::path::PathBuf;

use connect::{Database, ErrorKind, Tls};

use super::world::World;
use crate::support::{Call, config, skip};

/// PEM file of the authority that signed the server's certificate.
const CA: &str = "MCP_FACTORY_TEST_CA";

#[tokio::test]
async fn tls_is_what_was_asked_for() {
    let Some(world) = World::new("mysql tls_is_what_was_asked_for", "").await else { return };
    let Ok(ca) = std::env::var(CA) else { return skip("mysql tls_is_what_was_asked_for", &format!("{CA} is not set")) };
    let ciphers = async |tls: Tls, parameters: &str, ca: Option<&str>, host: &str| {
        let mut config = config(&world.url(parameters).replace("127.0.0.1", host));
        (config.tls, config.ca_file) = (tls, ca.map(PathBuf::from));
        let database = Database::open(config).expect("the URL is right");
        let text = "SELECT VARIABLE_VALUE <> '' AS tls FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'SSL_CIPHER'";
        Call::read(text, &[]).run(&database).await.map(|(_, rows)| rows[0]["tls"] == 1)
    };
    let ca = Some(ca.as_str());
    assert!(!ciphers(Tls::Disable, "", None, "127.0.0.1").await.expect("it connects"));
    assert!(ciphers(Tls::Prefer, "", None, "127.0.0.1").await.expect("it connects"));
    assert!(ciphers(Tls::Require, "", None, "127.0.0.1").await.expect("it connects"));
    for host in ["127.0.0.1", "localhost"] {
        assert!(ciphers(Tls::VerifyFull, "", ca, host).await.expect("it connects"), "{host}");
        assert!(ciphers(Tls::Prefer, "?ssl-mode=VERIFY_IDENTITY", ca, host).await.expect("it connects"), "{host}");
    }
    // An authority that nobody named, and a name that the certificate does not have.
    for (ca, host) in [(None, "127.0.0.1"), (ca, "127.0.0.2")] {
        let error = ciphers(Tls::VerifyFull, "", ca, host).await.expect_err("it is refused");
        assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    }
    let error = ciphers(Tls::VerifyFull, "", Some("/no/such/file.pem"), "127.0.0.1").await.expect_err("no such file");
    assert!(matches!(error.kind, ErrorKind::Unreachable | ErrorKind::Config), "{error}");
}
