//! One engine with one script in it: made for a run, used in slices, thrown away.

mod engine;
mod finish;
mod watch;

use bytes::Bytes;
use rquickjs::{Context, Ctx, Error, Function, Object, Runtime, Value};

use crate::code::Code;
use crate::fault::{Fault, FaultKind};
use crate::flying::Settled;
use crate::limits::{LOAD_CPU, Limits, MEMORY_BYTES_MIN};
use crate::origin::Origin;
use crate::port::Port;

pub(crate) use engine::bytecode;
pub(crate) use finish::{Ended, Finished};
pub(crate) use watch::Watch;

use std::sync::Arc;

/// The script's name in the engine's stack texts.
pub(crate) const SCRIPT: &str = "script";

/// What a machine is made from.
pub(crate) struct Setup {
    pub(crate) code: Code,
    /// The name of the export that is called.
    pub(crate) entry: Arc<str>,
    pub(crate) origin: Origin,
    pub(crate) surface: String,
    pub(crate) arguments: Vec<u8>,
    /// What the function left for itself before it rested, JSON.
    pub(crate) state: Option<Bytes>,
    pub(crate) limits: Limits,
    pub(crate) port: Port,
    pub(crate) watch: Arc<Watch>,
}

/// What came of a slice.
pub(crate) enum Step {
    /// The run is over.
    Finished(Finished),
    /// The script waits for its host.
    Waiting(Box<Machine>),
}

/// A running script.
pub(crate) struct Machine {
    // The context goes before its runtime.
    context: Context,
    runtime: Runtime,
    ending: finish::Ending,
    origin: Origin,
    watch: Arc<Watch>,
    memory: usize,
}

impl Machine {
    /// Makes the engine, loads the script and calls its function.
    pub(crate) fn start(setup: Setup) -> Step {
        Self::begin(setup, false)
    }

    fn begin(setup: Setup, is_check: bool) -> Step {
        let Setup { code, entry, origin, surface, arguments, state, mut limits, port, watch } = setup;
        limits.memory = limits.memory.max(MEMORY_BYTES_MIN);
        watch.begin();
        let made = engine::make(&code, limits, &watch);
        let (runtime, context) = match made {
            Ok(made) => made,
            Err(error) => {
                let fault = Fault::new(FaultKind::Internal, format!("the script's engine could not start: {error}"));
                return Step::Finished(Finished { result: Err(fault), unhandled: 0 });
            }
        };
        let ending = finish::Ending::new(limits.output);
        ending.track_rejections(&runtime);
        let machine = Box::new(Self { context, runtime, ending, origin, watch, memory: limits.memory });
        let entered = machine.context.with(|ctx| {
            let given = (!is_check).then_some((arguments, state));
            machine.enter(&ctx, (&code, &entry), &surface, given, port).map_err(|_| machine.thrown(&ctx))
        });
        machine.turn(entered)
    }

    /// Hands in the host's answers and goes on.
    pub(crate) fn resume(self: Box<Self>, ready: Vec<Settled>) -> Step {
        self.watch.begin();
        let entered = self
            .context
            .with(|ctx| ready.into_iter().try_for_each(|settled| settle(&ctx, settled)).map_err(|_| self.thrown(&ctx)));
        self.turn(entered)
    }

    /// Loads the prelude and the script, then calls the script's function.
    fn enter<'js>(
        &self,
        ctx: &Ctx<'js>,
        (code, entry): (&Code, &str),
        surface: &str,
        given: Option<(Vec<u8>, Option<Bytes>)>,
        port: Port,
    ) -> rquickjs::Result<()> {
        let prelude = engine::prelude(ctx, surface, port, self.ending.callback(ctx)?)?;
        let start: Function<'js> = prelude.get("start")?;
        // The slot is empty: the engine is new.
        let _ = ctx.store_userdata(prelude);
        let (module, loaded) = engine::load(ctx, code)?.eval()?;
        let namespace: Object<'js> = module.namespace()?;
        let nothing = Value::new_undefined(ctx.clone());
        let (arguments, state) = match given {
            Some((arguments, None)) => (ctx.json_parse(arguments)?, nothing),
            Some((arguments, Some(state))) => (ctx.json_parse(arguments)?, ctx.json_parse(state)?),
            None => (nothing.clone(), nothing),
        };
        start.call::<_, ()>((loaded, namespace, arguments, entry, state))
    }

    /// Lets the engine compute until it has nothing to do.
    fn turn(self: Box<Self>, entered: Result<(), Fault>) -> Step {
        let computed = entered.and_then(|()| self.jobs());
        self.watch.end();
        // An engine that was interrupted, or failed outside the script's own handlers, is not used again; what the script
        // makes of an interruption is not its result.
        let result = match (computed, self.watch.tripped()) {
            (Err(fault), _) => Err(fault),
            (Ok(()), Some(fault)) => Err(fault),
            (Ok(()), None) => match self.ending.take(&self.origin) {
                Some(result) => result,
                None => return Step::Waiting(self),
            },
        };
        Step::Finished(self.ending.finish(result))
    }

    /// A script that waits, and nothing that it waits for.
    pub(crate) fn stalled(&self) -> Fault {
        let message = "the script waits for a promise that nothing will settle: there is no call to the host and no \
                       `sleep` under way";
        let used = usize::try_from(self.runtime.memory_usage().malloc_size).unwrap_or(usize::MAX);
        // When memory ends inside a promise, the engine leaves the promise as it is.
        if used > self.memory / 4 * 3 { finish::out_of_memory() } else { Fault::new(FaultKind::Stalled, message) }
    }

    fn jobs(&self) -> Result<(), Fault> {
        while !self.ending.is_set() {
            match self.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => break,
                Err(failed) => return Err(failed.0.with(|ctx| self.thrown(&ctx))),
            }
        }
        Ok(())
    }

    /// The exception that the engine holds.
    fn thrown(&self, ctx: &Ctx<'_>) -> Fault {
        let exception = ctx.catch();
        if let Some(kind) = self.watch.tripped() {
            return kind.located(&self.origin, &finish::text(&exception, "stack"));
        }
        finish::fault(&exception, &self.origin)
    }
}

/// The functions of the prelude.
fn prelude<'js>(ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
    ctx.userdata::<Object<'js>>().map(|object| object.clone()).ok_or(Error::Unknown)
}

fn settle(ctx: &Ctx<'_>, settled: Settled) -> rquickjs::Result<()> {
    let settle: Function<'_> = prelude(ctx)?.get("settle")?;
    let (message, code) = match settled.outcome {
        Ok(json) => match ctx.json_parse(json) {
            Ok(value) => return settle.call((settled.id, false, value, "")),
            Err(_) => {
                (format!("the answer of the host cannot be read: {}", finish::text(&ctx.catch(), "message")), None)
            }
        },
        Err(error) => (error.message, error.code),
    };
    settle.call((settled.id, true, message, code.unwrap_or_default()))
}

/// Loads a script without calling its function.
pub(crate) fn check(code: &Code, entry: &Arc<str>, origin: &Origin) -> Result<(), Fault> {
    let limits = Limits { cpu: LOAD_CPU, ..Limits::default() };
    let (port, _inbox) = crate::port::open(limits.memory);
    let watch = Arc::new(Watch::new(limits.cpu));
    let setup = Setup {
        code: code.clone(),
        entry: entry.clone(),
        origin: origin.clone(),
        surface: "[]".to_owned(),
        arguments: Vec::new(),
        state: None,
        limits,
        port,
        watch,
    };
    match Machine::begin(setup, true) {
        Step::Finished(finished) => finished.result.map(|_| ()),
        Step::Waiting(_) => {
            let message =
                "the script waits for a promise when it is loaded; what it waits for belongs into its function";
            Err(Fault::new(FaultKind::Shape, message))
        }
    }
}
