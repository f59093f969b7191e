//! One connection: the client, the driver that moves its bytes, and what was done to it.
//!
//! The driver is polled by whoever waits for an answer rather than by a task of its own. That saves two wake-ups a call,
//! and when an answer is there, everything that the server reported before it has been seen.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Sleep;
use tokio_postgres::{AsyncMessage, Client, Connection, Error};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_util::sync::CancellationToken;

use super::error::Stop;
use super::guard::After;
use super::prepare::{Key, Prepared};
use crate::steps::in_steps;

/// Prepared statements kept per connection; the least used goes first.
const STATEMENTS_MAX: usize = 256;
/// Longest wait for the server to take a request to cancel.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the server to put a session back to how it was.
const CLEAN_TIMEOUT: Duration = Duration::from_secs(2);
/// Time that the server has to cancel by itself before we ask it to.
pub(super) const GRACE: Duration = Duration::from_millis(250);
const READ_ONLY: &str = "default_transaction_read_only";

/// What a session may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Read; the server refuses anything else.
    Read,
    /// Read and write.
    Write,
}

/// The part of a connection that moves bytes.
trait Driver: Send {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<AsyncMessage, Error>>>;
    fn parameter(&self, name: &str) -> Option<&str>;
}

impl<S, T> Driver for Connection<S, T>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    T: AsyncRead + AsyncWrite + Unpin + Send,
{
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<AsyncMessage, Error>>> {
        self.poll_message(cx)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        Connection::parameter(self, name)
    }
}

/// One connection to the server.
pub(super) struct Session {
    pub(super) client: Client,
    /// Gone once the connection has ended.
    driver: Option<Box<dyn Driver>>,
    tls: MakeRustlsConnect,
    role: Role,
    /// What every session of this pool and role is set to.
    settings: String,
    /// The server's limit on statements, from those settings and now, in steps.
    first_timeout: Duration,
    timeout: Duration,
    statements: HashMap<Key, (u64, Arc<Prepared>)>,
    uses: u64,
    after: After,
    unfinished: bool,
    open: bool,
    /// Rings when a request is late. Moved on with every request rather than made anew: that costs nearly nothing.
    alarm: Pin<Box<Sleep>>,
    pub(super) idle_since: Instant,
}

impl Session {
    /// Connects and sets what every session of a role has.
    pub(super) async fn connect(
        config: &tokio_postgres::Config,
        tls: MakeRustlsConnect,
        role: Role,
        timeout: Duration,
        schema: Option<&str>,
    ) -> Result<Self, Error> {
        let (client, connection) = config.connect(tls.clone()).await?;
        let timeout = in_steps(timeout);
        let mut session = Self {
            client,
            driver: Some(Box::new(connection)),
            tls,
            role,
            settings: settings(role, timeout, schema),
            first_timeout: timeout,
            timeout,
            statements: HashMap::new(),
            uses: 0,
            after: After::Keep,
            unfinished: false,
            open: false,
            alarm: Box::pin(tokio::time::sleep(timeout)),
            idle_since: Instant::now(),
        };
        let Self { client, driver, settings, .. } = &mut session;
        drive(driver, client.batch_execute(settings)).await?;
        Ok(session)
    }

    fn parameter(&self, name: &str) -> Option<&str> {
        self.driver.as_ref()?.parameter(name)
    }

    /// Engine and version, such as `PostgreSQL 15.18`.
    pub(super) fn server(&self) -> String {
        let version = self.parameter("server_version").unwrap_or_default();
        format!("PostgreSQL {}", version.split(' ').next().unwrap_or_default())
    }

    pub(super) fn role(&self) -> Role {
        self.role
    }

    /// Whether it can be talked to, and its transaction is over.
    pub(super) fn is_whole(&self) -> bool {
        !self.unfinished && !self.open && self.is_connected() && !self.is_tampered()
    }

    fn is_connected(&self) -> bool {
        self.driver.is_some() && !self.client.is_closed()
    }

    /// Whether a session that reads was made one that writes: PostgreSQL 14 and newer report changes of that setting.
    fn is_tampered(&self) -> bool {
        self.role == Role::Read && self.parameter(READ_ONLY).is_some_and(|value| value != "on")
    }

    /// Whether the server has not closed it. What arrived while it was idle is looked at; nothing is waited for.
    pub(super) fn is_alive(&mut self) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        while let Some(driver) = self.driver.as_mut() {
            match driver.poll(&mut context) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(Some(Err(_)) | None) => self.driver = None,
                Poll::Pending => break,
            }
        }
        self.is_connected()
    }

    /// A transaction was begun by hand.
    pub(super) fn began(&mut self) {
        self.open = true;
    }

    /// It was committed.
    pub(super) fn ended(&mut self) {
        self.open = false;
    }

    /// Takes back what an open transaction did. `false` when the server did not answer.
    pub(super) async fn rollback(&mut self) -> bool {
        if self.open && !self.unfinished && self.is_connected() {
            let (deadline, nobody) = (Instant::now() + CLEAN_TIMEOUT, CancellationToken::new());
            let done = self.bounded(deadline, &nobody, |client| client.batch_execute("ROLLBACK")).await;
            self.open = !matches!(done, Ok(Ok(())));
        }
        !self.open
    }

    /// What has to happen before the next caller gets it.
    pub(super) fn after(&self) -> After {
        self.after
    }

    /// Something was done to it that the next caller must not see.
    pub(super) fn left(&mut self, after: After) {
        self.after = self.after.max(after);
    }

    /// What a transaction that reads may have left was taken back at its end.
    pub(super) fn unlocked(&mut self) {
        if self.after == After::Reset {
            self.after = After::Keep;
        }
    }

    /// Puts back what a statement may have left behind: everything that `DISCARD ALL` does, except that our prepared
    /// statements stay. `false` when the session cannot be used again.
    pub(super) async fn reset(&mut self) -> bool {
        const RESET: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
                             SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";
        let text = format!("{RESET}; {}", self.settings);
        let (deadline, nobody) = (Instant::now() + CLEAN_TIMEOUT, CancellationToken::new());
        let done = self.bounded(deadline, &nobody, |client| async move { client.batch_execute(&text).await }).await;
        self.timeout = self.first_timeout;
        self.after = if matches!(done, Ok(Ok(()))) { After::Keep } else { After::Close };
        self.after == After::Keep && self.is_whole()
    }

    /// The statement that sets the server's own limit, if it is not what this call needs.
    pub(super) fn change_timeout(&mut self, timeout: Duration) -> Option<String> {
        let timeout = in_steps(timeout);
        if self.timeout == timeout {
            return None;
        }
        self.timeout = timeout;
        Some(format!("SET statement_timeout = {}", timeout.as_millis()))
    }

    /// A statement that was prepared on this connection before.
    pub(super) fn statement(&mut self, key: &Key) -> Option<Arc<Prepared>> {
        self.uses += 1;
        let (used, prepared) = self.statements.get_mut(key)?;
        *used = self.uses;
        Some(Arc::clone(prepared))
    }

    /// Keeps a prepared statement.
    pub(super) fn keep(&mut self, key: Key, prepared: Arc<Prepared>) {
        if self.statements.len() >= STATEMENTS_MAX {
            let oldest = self.statements.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
            if let Some(oldest) = oldest {
                self.statements.remove(&oldest);
            }
        }
        self.statements.insert(key, (self.uses, prepared));
    }

    /// Forgets statements that the server no longer takes, because a table changed under them.
    pub(super) fn forget_all(&mut self, keys: impl Iterator<Item = Key>) {
        for key in keys {
            self.statements.remove(&key);
        }
    }

    /// Waits for an answer while moving the connection's bytes, until a deadline or a cancellation. Then the server is
    /// told to cancel, and the session is never used again: a late cancel must not hit somebody else's statement.
    pub(super) async fn bounded<'s, F, R>(
        &'s mut self,
        deadline: Instant,
        cancel: &CancellationToken,
        work: impl FnOnce(&'s Client) -> F,
    ) -> Result<R, Stop>
    where
        F: Future<Output = R>,
    {
        let Self { client, driver, tls, unfinished, alarm, .. } = self;
        let client: &'s Client = client;
        // Whoever drops this future half-way leaves a session that cannot be used.
        *unfinished = true;
        alarm.as_mut().reset((deadline + GRACE).into());
        let stop = tokio::select! {
            biased;
            output = drive(driver, work(client)) => {
                *unfinished = false;
                return Ok(output);
            }
            () = cancel.cancelled() => Stop::Cancelled,
            () = alarm.as_mut() => Stop::Late,
        };
        let asked = client.cancel_token();
        let _ = tokio::time::timeout(CANCEL_TIMEOUT, asked.cancel_query(tls.clone())).await;
        Err(stop)
    }
}

impl Drop for Session {
    /// A caller that went away without a word (its future was dropped) leaves a statement running at the server.
    fn drop(&mut self) {
        if !self.unfinished || self.client.is_closed() {
            return;
        }
        let (token, tls) = (self.client.cancel_token(), self.tls.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let _ = tokio::time::timeout(CANCEL_TIMEOUT, token.cancel_query(tls)).await;
            });
        }
    }
}

/// The settings of a role. Texts are read and written in one way whatever the database's own defaults are.
fn settings(role: Role, timeout: Duration, schema: Option<&str>) -> String {
    let read_only = if role == Role::Read { "on" } else { "off" };
    let mut text = format!(
        "SET {READ_ONLY} = {read_only}; SET statement_timeout = {}; SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; \
         SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1; \
         SET standard_conforming_strings = on; SET client_min_messages = 'error'",
        timeout.as_millis()
    );
    if let Some(schema) = schema {
        text.push_str(&format!("; SET search_path = \"{}\"", schema.replace('"', "\"\"")));
    }
    text
}

async fn drive<F: Future>(driver: &mut Option<Box<dyn Driver>>, work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(output);
            }
            match driver.as_mut().map(|driver| driver.poll(cx)) {
                // Notices and notifications are nobody's.
                Some(Poll::Ready(Some(Ok(_)))) => {}
                // With the driver go the channels that the work waits on: it ends with an error at its next poll.
                Some(Poll::Ready(Some(Err(_)) | None)) => *driver = None,
                Some(Poll::Pending) | None => return work.as_mut().poll(cx),
            }
        }
    })
    .await
}
