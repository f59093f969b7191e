//! Throw-away servers for the tests: PostgreSQL and MariaDB from the Debian packages' binaries, others from npm and PyPI.

mod account;
mod certificates;
mod daemon;
mod graphql;
mod grpc;
mod mail;
mod mariadb;
mod mongo;
mod openid;
mod pgvector;
mod postgres;
mod redis;
mod storage;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{exec, repo};
use daemon::Daemon;

pub const HELP: &str = "\
Usage: cargo xtask services up|down|status

Throw-away servers for the tests: PostgreSQL (with and without pgvector), MariaDB, Redis, a server of MongoDB's protocol, a
GraphQL server, a gRPC server, stores of files (S3, Google Cloud Storage), mail servers and a provider of OpenID Connect. They listen on 127.0.0.1, keep
nothing safe (no fsync), and end with `down`, which also deletes their data.

  up      starts what does not run yet, waits until it answers, writes `.work/services.env` and prints it
  down    stops them
  status  says what runs

Variables in services.env, which the tests read:
  MCP_FACTORY_TEST_POSTGRES  URL of the PostgreSQL server, as its superuser
  MCP_FACTORY_TEST_MYSQL     URL of the MariaDB server, as root
  MCP_FACTORY_TEST_PGVECTOR  URL of a PostgreSQL server that has pgvector, as its superuser
  MCP_FACTORY_TEST_REDIS     URL of the Redis server
  MCP_FACTORY_TEST_REDIS_TLS URL of the Redis server with TLS
  MCP_FACTORY_TEST_MONGO     URL of NX-27017, which speaks MongoDB's protocol
  MCP_FACTORY_TEST_GRAPHQL   URL of the GraphQL server, without a path
  MCP_FACTORY_TEST_GRPC      URL of the gRPC server, which tells its schema by reflection v1alpha
  MCP_FACTORY_TEST_GRPC_TLS  URL of the gRPC server with TLS, which tells its schema by reflection v1
  MCP_FACTORY_TEST_GRPC_CLOSED  URL of the gRPC server without reflection
  MCP_FACTORY_TEST_S3        URL of the server of S3, and of other services of AWS
  MCP_FACTORY_TEST_S3_KEYS   identifier of its key, a colon, the key
  MCP_FACTORY_TEST_GCS       URL of the emulator of Google Cloud Storage
  MCP_FACTORY_TEST_SMTP      port of the mail server with STARTTLS and login
  MCP_FACTORY_TEST_SMTP_TLS  port of the one with TLS from the start
  MCP_FACTORY_TEST_SMTP_OPEN  port of the one without TLS and login
  MCP_FACTORY_TEST_SMTP_WEB  port where letters are read back by HTTP
  MCP_FACTORY_TEST_OPENID    URL of the provider of OpenID Connect, its issuer
  MCP_FACTORY_TEST_CA        certificate authority (PEM) of the servers' certificates, for `localhost` and 127.0.0.1

In a shell: `set -a; . .work/services.env; set +a`
";

/// Variable that holds the URL of PostgreSQL.
const POSTGRES_VARIABLE: &str = "MCP_FACTORY_TEST_POSTGRES";
/// Variable that holds the URL of MariaDB.
const MYSQL_VARIABLE: &str = "MCP_FACTORY_TEST_MYSQL";
/// Variable that holds the path of the certificate authority.
const CA_VARIABLE: &str = "MCP_FACTORY_TEST_CA";

/// The command.
pub fn run(arguments: &[String]) -> Result<()> {
    match arguments {
        [word] if word == "up" => {
            for (name, value) in up()? {
                println!("{name}={value}");
            }
            Ok(())
        }
        [word] if word == "down" => down(),
        [word] if word == "status" => status(),
        _ => bail!("say one of up, down and status; see `cargo xtask services --help`"),
    }
}

/// Starts what does not run and gives the variables for the tests.
pub fn up() -> Result<Vec<(String, String)>> {
    let folder = folder()?;
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let tls = certificates::make(&folder.join("tls"))?;
    let postgres = postgres::daemon(&folder)?;
    postgres.start(postgres::prepare, postgres::is_ready)?;
    let mariadb = mariadb::daemon(&folder)?;
    mariadb.start(mariadb::prepare, mariadb::is_ready)?;
    let pgvector = pgvector::daemon(&folder)?;
    pgvector.start(pgvector::prepare, pgvector::is_ready)?;
    let graphql = graphql::daemon(&folder)?;
    graphql.start(graphql::prepare, graphql::is_ready)?;
    let grpc = grpc::daemon(&folder)?;
    grpc.start(grpc::prepare, grpc::is_ready)?;
    let s3 = storage::s3(&folder)?;
    s3.start(storage::prepare, storage::s3_is_ready)?;
    let gcs = storage::gcs(&folder)?;
    gcs.start(storage::prepare, storage::gcs_is_ready)?;
    let mail = mail::daemon(&folder)?;
    mail.start(mail::prepare, mail::is_ready)?;
    let openid = openid::daemon(&folder)?;
    openid.start(openid::prepare, openid::is_ready)?;
    let redis = redis::daemon(&folder)?;
    redis.start(redis::prepare, redis::is_ready)?;
    let mongo = mongo::daemon(&folder)?;
    mongo.start(mongo::prepare, mongo::is_ready)?;
    let redis_tls = redis::tls_port(&redis.folder)?;
    let variables = vec![
        (POSTGRES_VARIABLE.to_owned(), format!("postgresql://postgres@127.0.0.1:{}/postgres", postgres.port)),
        (MYSQL_VARIABLE.to_owned(), format!("mysql://root@127.0.0.1:{}/", mariadb.port)),
        ("MCP_FACTORY_TEST_PGVECTOR".to_owned(), format!("postgresql://postgres@127.0.0.1:{}/postgres", pgvector.port)),
        ("MCP_FACTORY_TEST_REDIS".to_owned(), format!("redis://127.0.0.1:{}", redis.port)),
        ("MCP_FACTORY_TEST_REDIS_TLS".to_owned(), format!("rediss://localhost:{redis_tls}")),
        ("MCP_FACTORY_TEST_MONGO".to_owned(), format!("mongodb://127.0.0.1:{}", mongo.port)),
        ("MCP_FACTORY_TEST_GRAPHQL".to_owned(), format!("http://127.0.0.1:{}", graphql.port)),
        ("MCP_FACTORY_TEST_GRPC".to_owned(), format!("http://127.0.0.1:{}", grpc.port)),
        ("MCP_FACTORY_TEST_GRPC_TLS".to_owned(), format!("https://localhost:{}", grpc::port(&grpc, "tls-port")?)),
        ("MCP_FACTORY_TEST_GRPC_CLOSED".to_owned(), format!("http://127.0.0.1:{}", grpc::port(&grpc, "closed-port")?)),
        ("MCP_FACTORY_TEST_S3".to_owned(), format!("http://127.0.0.1:{}", s3.port)),
        ("MCP_FACTORY_TEST_S3_KEYS".to_owned(), storage::keys(&s3)?),
        ("MCP_FACTORY_TEST_GCS".to_owned(), format!("http://127.0.0.1:{}", gcs.port)),
        ("MCP_FACTORY_TEST_SMTP".to_owned(), mail.port.to_string()),
        ("MCP_FACTORY_TEST_SMTP_TLS".to_owned(), grpc::port(&mail, "tls-port")?.to_string()),
        ("MCP_FACTORY_TEST_SMTP_OPEN".to_owned(), grpc::port(&mail, "open-port")?.to_string()),
        ("MCP_FACTORY_TEST_SMTP_WEB".to_owned(), grpc::port(&mail, "web-port")?.to_string()),
        ("MCP_FACTORY_TEST_OPENID".to_owned(), format!("http://127.0.0.1:{}", openid.port)),
        (CA_VARIABLE.to_owned(), tls.authority.display().to_string()),
    ];
    let text: String = variables.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    let file = repo::work()?.join("services.env");
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(variables)
}

/// Whether all run, so that whoever starts them knows whether to stop them.
pub fn are_up() -> bool {
    daemons().is_ok_and(|daemons| daemons.iter().all(|daemon| daemon.process().is_some()))
}

/// Stops them and deletes their data.
pub fn down() -> Result<()> {
    for daemon in daemons()? {
        daemon.stop()?;
    }
    let file = repo::work()?.join("services.env");
    if file.exists() {
        std::fs::remove_file(file)?;
    }
    let folder = folder()?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    Ok(())
}

fn status() -> Result<()> {
    for daemon in daemons()? {
        match daemon.process() {
            Some(process) => println!("{}: running, process {process}, 127.0.0.1:{}", daemon.name, daemon.port),
            None => println!("{}: stopped", daemon.name),
        }
    }
    Ok(())
}

fn daemons() -> Result<Vec<Daemon>> {
    let folder = folder()?;
    Ok(vec![
        postgres::daemon(&folder)?,
        mariadb::daemon(&folder)?,
        pgvector::daemon(&folder)?,
        graphql::daemon(&folder)?,
        grpc::daemon(&folder)?,
        storage::s3(&folder)?,
        storage::gcs(&folder)?,
        mail::daemon(&folder)?,
        openid::daemon(&folder)?,
        redis::daemon(&folder)?,
        mongo::daemon(&folder)?,
    ])
}

/// Where the servers keep their data: in the work folder, unless the accounts that they run under
/// cannot go there (root's home is closed to others) or its path is too long for a Unix socket.
fn folder() -> Result<PathBuf> {
    let usual = repo::work()?.join("services");
    let folder = if is_reachable(&usual) {
        usual
    } else {
        let mut name = String::from("mcp-factory-services");
        for part in usual.components().skip(1) {
            name.push('-');
            name.push_str(&part.as_os_str().to_string_lossy());
        }
        std::env::temp_dir().join(name.chars().take(LONGEST_SOCKET_FOLDER - 20).collect::<String>())
    };
    Ok(folder)
}

/// A Unix socket's path has at most 107 bytes; this leaves room for the names below the folder.
const LONGEST_SOCKET_FOLDER: usize = 70;

fn is_reachable(folder: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    let open = |part: &Path| part.metadata().is_ok_and(|data| data.permissions().mode() & 0o001 != 0);
    folder.as_os_str().len() <= LONGEST_SOCKET_FOLDER && (!exec::is_root() || folder.ancestors().skip(1).all(open))
}
