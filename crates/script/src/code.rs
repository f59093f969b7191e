//! A compiled script.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use base::Digest;

use crate::fault::{Fault, FaultKind};
use crate::intern::{self, Modules};
use crate::limits::{COMPILE_WAIT, SOURCE_BYTES_MAX, UNSTOPPABLE_MAX};
use crate::machine::{self, SCRIPT};
use crate::origin::Origin;
use crate::sandbox::Sandbox;

/// The export that is called unless another one is named.
const DEFAULT: &str = "default";

/// A script that was compiled and checked. Clones share it.
#[derive(Clone, Debug)]
pub struct Script(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) code: Code,
    /// The name of the export that is called.
    pub(crate) entry: Arc<str>,
    pub(crate) origin: Origin,
    /// Runs that were given up and still hold a thread.
    pub(crate) abandoned: AtomicUsize,
}

/// What a run's engine is given.
#[derive(Clone, Debug)]
pub(crate) enum Code {
    /// Compiled, shared by everything in the process.
    Compiled(Modules),
    /// The text, parsed at each run.
    Source(Arc<str>),
}

impl Script {
    /// Compiles a script, and loads it once to see that its default export is a function. Blocks, usually for less than a
    /// millisecond and never longer than [`COMPILE_WAIT`].
    ///
    /// # Errors
    /// The text is too long, is not JavaScript, imports another module, throws when it is loaded, or exports no function.
    pub fn compile(text: &str, origin: Origin) -> Result<Self, Fault> {
        Self::build(text, DEFAULT, origin, true)
    }

    /// As [`Script::compile`], for the export of this name.
    ///
    /// # Errors
    /// As [`Script::compile`].
    pub fn compile_export(text: &str, export: &str, origin: Origin) -> Result<Self, Fault> {
        Self::build(text, export, origin, true)
    }

    /// As [`Script::compile`], but parsed at each run: what happens past [`crate::limits::BYTECODE_BYTES_MAX`].
    ///
    /// # Errors
    /// As [`Script::compile`].
    pub fn compile_uncached(text: &str, origin: Origin) -> Result<Self, Fault> {
        Self::build(text, DEFAULT, origin, false)
    }

    fn build(text: &str, entry: &str, origin: Origin, is_kept: bool) -> Result<Self, Fault> {
        if text.len() > SOURCE_BYTES_MAX {
            let message = format!("the script has {} bytes, and {SOURCE_BYTES_MAX} are the most", text.len());
            return Err(Fault::new(FaultKind::Shape, message));
        }
        let (origin, entry): (Origin, Arc<str>) = (origin.of(text), entry.into());
        let digest = Digest::of(text.as_bytes());
        let known = intern::get(&digest).filter(|_| is_kept);
        if let Some(modules) = known
            && &*entry == DEFAULT
            && text.contains("export default")
        {
            return Ok(Self::new(Code::Compiled(modules), entry, origin));
        }
        let source: Arc<str> = text.into();
        let (answer, wait) = mpsc::sync_channel(1);
        Sandbox::shared().workers.submit({
            let (origin, entry) = (origin.clone(), entry.clone());
            move || {
                // Compiled already: whether it has this export is not known yet.
                let ready = known.map(Code::Compiled).map(|code| machine::check(&code, &entry, &origin).map(|()| code));
                let make = || prepare(&source, &entry, &origin, is_kept.then_some(digest));
                let _ = answer.send(ready.unwrap_or_else(make));
            }
        });
        let code = wait.recv_timeout(COMPILE_WAIT).map_err(|_| {
            Fault::new(FaultKind::Cpu, format!("the script could not be loaded within {} s", COMPILE_WAIT.as_secs()))
        })??;
        Ok(Self::new(code, entry, origin))
    }

    fn new(code: Code, entry: Arc<str>, origin: Origin) -> Self {
        Self(Arc::new(Inner { code, entry, origin, abandoned: AtomicUsize::new(0) }))
    }

    /// Where the text stands in the user's file.
    pub fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Whether runs of it may begin.
    pub(crate) fn admit(&self) -> Result<(), Fault> {
        if self.0.abandoned.load(Ordering::Relaxed) < UNSTOPPABLE_MAX {
            return Ok(());
        }
        let message = "earlier runs of this script could not be stopped and still compute, so that it is refused until \
                       they end; look for one operation on very large data, such as a search in a long text";
        Err(Fault::new(FaultKind::Refused, message))
    }
}

fn prepare(source: &Arc<str>, entry: &Arc<str>, origin: &Origin, digest: Option<Digest>) -> Result<Code, Fault> {
    let bytecode = machine::bytecode(SCRIPT, source, origin)?;
    // Only what was seen to load is kept, so that what is found in the store needs no check.
    machine::check(&Code::Source(source.clone()), entry, origin)?;
    Ok(digest
        .and_then(|digest| intern::put(digest, SCRIPT, bytecode))
        .map_or_else(|| Code::Source(source.clone()), Code::Compiled))
}
