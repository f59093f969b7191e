//! One session at the server, and the settings that follow a request.

use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, Opts, OptsBuilder, SslOpts};
use parking_lot::Mutex;

use super::url::Location;
use crate::Tls;

/// Prepared statements kept by one session. The server keeps 16382 over all sessions by default.
const STATEMENTS_KEPT: usize = 128;
/// Largest packet that is sent or taken, bytes. The server has a limit of its own.
const PACKET_BYTES_MAX: usize = 128 * 1024 * 1024;
/// How much later than the connector the server's own limit ends a statement: it is there for the
/// case that this process dies.
const GRACE: Duration = Duration::from_millis(500);
/// How long MariaDB's list of JSON columns is believed.
const JSON_AGE_MAX: Duration = Duration::from_secs(60);

/// What a session is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Its transactions are `READ ONLY`, all of them.
    Read,
    /// Statements of tools that may write.
    Write,
}

/// A session and what it was last set to.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) conn: Conn,
    pub(super) role: Role,
    /// `MariaDB 10.11.6`, `MySQL 8.4.0`.
    pub(super) server: String,
    pub(super) mariadb: bool,
    /// The statement that makes its settings.
    setup: String,
    timeout: Duration,
    row_limit: usize,
}

/// The driver's options, with or without TLS. With addresses the driver looks nothing up itself.
pub(super) fn options(location: &Location, tls: bool, addresses: &[IpAddr]) -> Opts {
    let mut ssl = SslOpts::default();
    if location.tls == Tls::VerifyFull {
        if let Some(file) = &location.ca_file {
            ssl = ssl.with_root_certs(vec![file.clone().into()]).with_disable_built_in_roots(true);
        }
    } else {
        ssl = ssl.with_danger_accept_invalid_certs(true);
    }
    OptsBuilder::default()
        .ip_or_hostname(location.host.clone())
        .tcp_port(location.port)
        .resolved_ips((!addresses.is_empty()).then(|| addresses.to_vec()))
        .socket(location.socket.clone())
        // The server may name its socket; what the URL says is what is used.
        .prefer_socket(false)
        .user(location.user.clone())
        .pass(location.password.clone())
        .db_name(location.database.clone())
        .tcp_nodelay(true)
        .stmt_cache_size(STATEMENTS_KEPT)
        .max_allowed_packet(Some(PACKET_BYTES_MAX))
        // Asked for so that the driver does not ask the server.
        .wait_timeout(Some(28_800))
        // Rows changed are rows found, as with the other engines.
        .client_found_rows(true)
        .ssl_opts((tls && location.socket.is_none()).then_some(ssl))
        .into()
}

/// Modes in which texts mean something else than the guard reads, alone or as a part.
const MODES_REFUSED: [&str; 8] =
    ["ANSI", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "ORACLE", "MSSQL", "DB2", "MAXDB", "POSTGRESQL"];
/// What does not fit a column is an error and is not cut.
const MODE_STRICT: &str = "STRICT_TRANS_TABLES";

impl Session {
    /// Connects and sets the session up.
    pub(super) async fn connect(opts: Opts, role: Role) -> Result<Self, Error> {
        let mut conn = Conn::new(opts).await?;
        let (version, modes): (String, String) =
            conn.query_first("SELECT VERSION(), @@SESSION.sql_mode").await?.unwrap_or_default();
        let mariadb = version.contains("MariaDB");
        let number = version.split('-').next().unwrap_or_default();
        let server = format!("{} {number}", if mariadb { "MariaDB" } else { "MySQL" });
        let modes = modes.split(',').filter(|mode| !mode.is_empty() && !MODES_REFUSED.contains(mode));
        let modes: Vec<&str> = modes.filter(|mode| *mode != MODE_STRICT).chain([MODE_STRICT]).collect();
        let setup =
            format!("SET NAMES utf8mb4, time_zone = '+00:00', autocommit = 1, sql_mode = '{}'", modes.join(","));
        let (timeout, row_limit) = (Duration::ZERO, usize::MAX);
        let mut session = Self { conn, role, server, mariadb, setup, timeout, row_limit };
        session.set_up().await?;
        Ok(session)
    }

    /// Texts in UTF-8, times in UTC, and for reading no transaction that writes.
    async fn set_up(&mut self) -> Result<(), Error> {
        self.conn.query_drop(self.setup.as_str()).await?;
        if self.role == Role::Read {
            self.conn.query_drop("SET SESSION TRANSACTION READ ONLY").await?;
        }
        (self.timeout, self.row_limit) = (Duration::ZERO, usize::MAX);
        Ok(())
    }

    /// Makes the session as if it were new: no variables, no temporary tables, no locks, no
    /// transaction. `false`: the server is too old for it.
    pub(super) async fn reset(&mut self) -> Result<bool, Error> {
        Ok(if self.conn.reset().await? {
            self.set_up().await?;
            true
        } else {
            false
        })
    }

    /// The server's number for this session, for `KILL`.
    pub(super) fn id(&self) -> u32 {
        self.conn.id()
    }

    /// Lets the connector's own questions have all their rows.
    pub(super) async fn without_row_limit(&mut self) -> Result<(), Error> {
        self.limits(self.timeout, usize::MAX).await
    }

    /// Sets the server's own limits where they differ from what they are.
    pub(super) async fn limits(&mut self, timeout: Duration, row_limit: usize) -> Result<(), Error> {
        // `sql_select_limit` would also cut a `SELECT` short whose rows a writer wants all.
        let row_limit = if self.role == Role::Read { row_limit } else { usize::MAX };
        let mut changes = Vec::new();
        if timeout != self.timeout {
            let at_server = timeout + GRACE;
            changes.push(if self.mariadb {
                format!("max_statement_time = {:.3}", at_server.as_secs_f64())
            } else {
                format!("max_execution_time = {}", at_server.as_millis())
            });
        }
        if row_limit != self.row_limit {
            let rows = row_limit.saturating_add(1);
            changes.push(if rows == usize::MAX {
                "sql_select_limit = DEFAULT".to_owned()
            } else {
                format!("sql_select_limit = {rows}")
            });
        }
        if !changes.is_empty() {
            self.conn.query_drop(format!("SET SESSION {}", changes.join(", "))).await?;
            (self.timeout, self.row_limit) = (timeout, row_limit);
        }
        Ok(())
    }
}

/// Database, table and column.
type Name = (String, String, String);

/// MariaDB's JSON columns, which the protocol calls long texts: those that are checked by
/// `json_valid`, as its documentation defines the type.
#[derive(Debug, Default)]
pub(super) struct JsonColumns(Mutex<Option<(Instant, Arc<HashSet<Name>>)>>);

impl JsonColumns {
    /// The columns, asked of the server when what is known is old.
    pub(super) async fn get(&self, session: &mut Session) -> Result<Arc<HashSet<Name>>, Error> {
        if let Some((since, known)) = &*self.0.lock()
            && since.elapsed() < JSON_AGE_MAX
        {
            return Ok(Arc::clone(known));
        }
        session.without_row_limit().await?;
        let checks: Vec<(String, String, String)> = session
            .conn
            .query(
                "SELECT CONSTRAINT_SCHEMA, TABLE_NAME, CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
                 WHERE CHECK_CLAUSE LIKE 'json\\_valid(%)'",
            )
            .await?;
        let known = checks.into_iter().filter_map(|(schema, table, check)| {
            let column = check.strip_prefix("json_valid(`")?.strip_suffix("`)")?.replace("``", "`");
            Some((schema, table, column))
        });
        let known = Arc::new(known.collect::<HashSet<Name>>());
        *self.0.lock() = Some((Instant::now(), Arc::clone(&known)));
        Ok(known)
    }
}
