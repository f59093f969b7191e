//! The two routes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::Method;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::agent::{Agent, Given, Ungiven};
use crate::http::{self as wire, Handler, Request, Response, events, json_answer, refusal, with_header};
use crate::limits::ARGUMENT_BYTES_MAX;
use crate::request::Job;
use crate::run::{self, Bounds};
use crate::settings::{Problem, Settings};
use crate::signature::{self, Refusal, Verifier};

/// A shim that is ready to serve.
#[derive(Debug)]
pub struct Shim {
    verifier: Verifier,
    agent: Agent,
    root: PathBuf,
    settings: Settings,
    permits: Arc<Semaphore>,
    began: Instant,
    runs: AtomicU64,
}

impl Shim {
    /// Checks the settings: the folder is there, the program can be found, the secret is not empty.
    ///
    /// # Errors
    /// What is missing.
    pub fn new(settings: Settings) -> Result<Self, Problem> {
        if settings.secret.expose().is_empty() {
            return Err(Problem("the shared secret is empty".to_owned()));
        }
        let shown = settings.root.display();
        let root = settings
            .root
            .canonicalize()
            .map_err(|error| Problem(format!("the folder {shown} cannot be used: {error}")))?;
        if !root.is_dir() {
            return Err(Problem(format!("{shown} is not a folder")));
        }
        Ok(Self {
            verifier: Verifier::since(settings.secret.clone(), signature::now()),
            agent: Agent::find(&settings)?,
            root,
            permits: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            settings,
            began: Instant::now(),
            runs: AtomicU64::new(0),
        })
    }

    /// Serves until it is told to stop; programs that run then are ended.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) {
        wire::serve(listener, Arc::new(self), stop).await;
    }

    /// The health, for everybody. Whoever signs the request, of which the body is empty, learns whether that is good; nothing is used up.
    fn health(&self, request: &Request) -> Response {
        let free = self.permits.available_permits();
        let shown = request.header(signature::HEADER);
        let signature = shown.map(|_| match self.verifier.verify(shown, &request.body, signature::now()) {
            Ok(_) => "good",
            Err(why) => why.code(),
        });
        let mut told = json!({
            "status": "ok",
            "service": "mcp-factory-shim",
            "version": env!("CARGO_PKG_VERSION"),
            "running": self.settings.concurrency.max(1).saturating_sub(free),
            "concurrency": self.settings.concurrency.max(1),
            "runs": self.runs.load(Ordering::Relaxed),
            "uptime_seconds": self.began.elapsed().as_secs(),
        });
        if let Some(signature) = signature {
            told["signature"] = signature.into();
        }
        json_answer(200, &told)
    }

    fn exec(&self, request: &Request) -> Response {
        let refused = |why: Refusal| {
            tracing::warn!(%why, "a request was refused");
            let status = if why == Refusal::Full { 429 } else { 401 };
            refusal(status, why.code(), &why.to_string())
        };
        let now = signature::now();
        let good = match self.verifier.verify(request.header(signature::HEADER), &request.body, now) {
            Ok(good) => good,
            Err(why) => return refused(why),
        };
        let job = match Job::read(&request.body, &self.root) {
            Ok(job) => job,
            Err(why) => return refusal(400, "bad_request", &why),
        };
        let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() else {
            let why = format!("{} programs run already, the most that may", self.settings.concurrency.max(1));
            return with_header(refusal(429, "busy", &why), "retry-after", "5");
        };
        let given = match self.agent.give(&job) {
            Ok(given) => given,
            Err(why) => return ungiven(&why),
        };
        // Only what is run uses its signature up: a caller that was told to come again may come with the same.
        if let Err(why) = self.verifier.take(good, now) {
            return refused(why);
        }
        let Given { arguments, input, paper } = given;
        let started = match self.agent.program(&job).start(&arguments) {
            Ok(started) => started,
            Err(error) => {
                tracing::error!(%error, "the program could not be started");
                self.verifier.give_back(good);
                return refusal(500, "not_started", "the program could not be started; the shim's log says why");
            }
        };
        self.runs.fetch_add(1, Ordering::Relaxed);
        tracing::info!(folder = %job.folder.display(), mode = job.mode.word(), "a run begins");
        let (events, response) = events();
        let bounds = Bounds { until: Instant::now() + self.settings.timeout, output_bytes: self.settings.output_bytes };
        tokio::spawn(async move {
            let _kept = (permit, paper);
            run::stream(started, input, events, bounds).await;
        });
        response
    }
}

/// Refuses a request that the program cannot be given.
fn ungiven(why: &Ungiven) -> Response {
    match why {
        Ungiven::TooLong(bytes) => {
            let text = format!(
                "the program takes its prompt as an argument, which would have {bytes} bytes, and {ARGUMENT_BYTES_MAX} are the most; a shim whose \
                 program has `{{prompt-file}}` among its arguments, or reads the prompt from its standard input, takes longer ones"
            );
            refusal(413, "prompt_too_long", &text)
        }
        Ungiven::Unwritten(error) => {
            tracing::error!(%error, "the prompt could not be written to a file");
            refusal(500, "not_started", "the prompt could not be written to a file; the shim's log says why")
        }
    }
}

impl Handler for Shim {
    async fn answer(self: Arc<Self>, request: Request) -> Response {
        match (&request.method, request.path.as_str()) {
            (&Method::GET, "/healthz") => self.health(&request),
            (&Method::POST, "/factory/exec") => self.exec(&request),
            (_, "/healthz") => with_header(refusal(405, "method", "ask with GET"), "allow", "GET"),
            (_, "/factory/exec") => with_header(refusal(405, "method", "ask with POST"), "allow", "POST"),
            _ => refusal(404, "not_found", "there are GET /healthz and POST /factory/exec"),
        }
    }
}
