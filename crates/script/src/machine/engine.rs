//! Making an engine: its language, its limits, what is loaded into it.

use std::sync::{Arc, LazyLock};

use rquickjs::context::intrinsic;
use rquickjs::loader::bundle::Bundle;
use rquickjs::loader::{ImportAttributes, Loader, Resolver};
use rquickjs::{Context, Ctx, Error, Function, Module, Object, Runtime, WriteOptions};

use super::{SCRIPT, Watch, finish};
use crate::code::Code;
use crate::fault::{Fault, FaultKind};
use crate::host::Level;
use crate::intern::{self, Modules};
use crate::limits::{LOAD_CPU, Limits, STACK_BYTES};
use crate::origin::Origin;
use crate::port::{Note, Port, Request};

const PRELUDE: &str = "prelude";
const PRELUDE_SOURCE: &str = include_str!("../prelude.js");
const FETCH: &str = "fetch";
const FETCH_SOURCE: &str = include_str!("../fetch.js");

/// The language, without the compiler.
type Language = (
    intrinsic::Date,
    intrinsic::RegExpCompiler,
    intrinsic::RegExp,
    intrinsic::Json,
    intrinsic::Proxy,
    intrinsic::MapSet,
    intrinsic::TypedArrays,
    intrinsic::Promise,
    intrinsic::WeakRef,
);

/// An engine with limits.
pub(super) fn make(code: &Code, limits: Limits, watch: &Arc<Watch>) -> rquickjs::Result<(Runtime, Context)> {
    let runtime = Runtime::new()?;
    let context = match code {
        Code::Compiled(_) => Context::custom::<Language>(&runtime)?,
        Code::Source(_) => Context::custom::<(Language, intrinsic::Eval)>(&runtime)?,
    };
    // Only now: making a context is not written for a lack of memory.
    runtime.set_memory_limit(limits.memory);
    runtime.set_max_stack_size(limits.stack.min(STACK_BYTES));
    runtime.set_loader(NoModules, NoModules);
    let watch = watch.clone();
    runtime.set_interrupt_handler(Some(Box::new(move || watch.asks_to_stop())));
    Ok((runtime, context))
}

/// The script, not yet evaluated.
pub(super) fn load<'js>(ctx: &Ctx<'js>, code: &Code) -> rquickjs::Result<Module<'js>> {
    match code {
        Code::Compiled(modules) => Bundle(*modules).load(ctx, SCRIPT, None),
        Code::Source(text) => Module::declare(ctx.clone(), SCRIPT, text.as_bytes()),
    }
}

/// The object with the functions `start` and `settle` of the prelude.
pub(super) fn prelude<'js>(
    ctx: &Ctx<'js>,
    surface: &str,
    port: Port,
    finish: Function<'js>,
) -> rquickjs::Result<Object<'js>> {
    static COMPILED: LazyLock<Option<Modules>> = LazyLock::new(|| own(PRELUDE, PRELUDE_SOURCE));
    let modules = COMPILED.ok_or(Error::Unknown)?;
    let (module, _) = Bundle(modules).load(ctx, PRELUDE, None)?.eval()?;
    let open: Function<'js> = module.get("open")?;
    let port = Arc::new(port);
    let sender = port.clone();
    let send = Function::new(ctx.clone(), move |function: u32, id: u32, arguments: String| {
        sender.send(Request { id, function, arguments })
    })?;
    let note = Function::new(ctx.clone(), move |level: String, text: String, done: f64, total: f64| {
        if level.is_empty() {
            port.note(Note::Progress { done, total: (total >= 0.0).then_some(total), message: text });
            return true;
        }
        let level = Level::parse(&level);
        if let Some(level) = level {
            port.note(Note::Log { level, text });
        }
        level.is_some()
    })?;
    let prelude: Object<'js> = open.call((surface, send, note, finish))?;
    if let Some(send) = prelude.get::<_, Option<Function<'js>>>("fetch")? {
        fetch(ctx, send)?;
    }
    Ok(prelude)
}

/// Gives a script `fetch`.
fn fetch<'js>(ctx: &Ctx<'js>, send: Function<'js>) -> rquickjs::Result<()> {
    static COMPILED: LazyLock<Option<Modules>> = LazyLock::new(|| own(FETCH, FETCH_SOURCE));
    let modules = COMPILED.ok_or(Error::Unknown)?;
    let (module, _) = Bundle(modules).load(ctx, FETCH, None)?.eval()?;
    let install: Function<'js> = module.get("install")?;
    install.call((send,))
}

/// A module of ours, compiled.
fn own(name: &'static str, source: &str) -> Option<Modules> {
    let bytecode = bytecode(name, source, &Origin::default()).ok()?;
    intern::put(base::Digest::of(source.as_bytes()), name, bytecode)
}

/// Compiles a module, with the places of its parts and without its text.
pub(crate) fn bytecode(name: &str, source: &str, origin: &Origin) -> Result<Vec<u8>, Fault> {
    let internal = |error: Error| Fault::new(FaultKind::Internal, format!("the compiler could not start: {error}"));
    let runtime = Runtime::new().map_err(internal)?;
    let context = Context::custom::<(intrinsic::Eval, intrinsic::RegExpCompiler)>(&runtime).map_err(internal)?;
    let limits = Limits::default();
    runtime.set_memory_limit(limits.memory);
    runtime.set_max_stack_size(limits.stack);
    runtime.set_loader(NoModules, NoModules);
    let watch = Watch::new(LOAD_CPU);
    watch.begin();
    runtime.set_interrupt_handler(Some(Box::new(move || watch.asks_to_stop())));
    context.with(|ctx| {
        let compiled = Module::declare(ctx.clone(), name, source)
            .and_then(|module| module.write(WriteOptions { strip_source: true, ..WriteOptions::default() }));
        compiled.map_err(|error| match error {
            Error::Exception => finish::syntax(&ctx.catch(), origin),
            // A text with a NUL character.
            other => Fault::new(FaultKind::Syntax, format!("the script cannot be read: {other}")),
        })
    })
}

/// A script is one module.
struct NoModules;

impl Resolver for NoModules {
    fn resolve<'js>(
        &mut self,
        _: &Ctx<'js>,
        base: &str,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<String> {
        Err(Error::new_resolving_message(base, name, "a script is one module and imports no other"))
    }
}

impl Loader for NoModules {
    fn load<'js>(
        &mut self,
        _: &Ctx<'js>,
        name: &str,
        _: Option<ImportAttributes<'js>>,
    ) -> rquickjs::Result<Module<'js>> {
        Err(Error::new_loading_message(name, "a script is one module and imports no other"))
    }
}
