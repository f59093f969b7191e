//! Compiled code, kept for the life of the process.
//!
//! The engine's binding reads bytecode without `unsafe` only from memory that is never given back. So each distinct code is
//! kept once, whatever number of scripts has it, up to a limit; a script past the limit is parsed at each of its runs.

use std::collections::HashMap;
use std::sync::LazyLock;

use base::Digest;
use parking_lot::Mutex;

use crate::limits::BYTECODE_BYTES_MAX;

/// The modules of one script, as the binding's bundle wants them.
pub(crate) type Modules = &'static [(&'static str, &'static [u8])];

#[derive(Default)]
struct Store {
    known: HashMap<Digest, Modules>,
    bytes: usize,
}

static STORE: LazyLock<Mutex<Store>> = LazyLock::new(Mutex::default);

/// The code of a text that was compiled before.
pub(crate) fn get(digest: &Digest) -> Option<Modules> {
    STORE.lock().known.get(digest).copied()
}

/// Keeps a module's code; `None` when the limit is reached.
pub(crate) fn put(digest: Digest, name: &'static str, bytecode: Vec<u8>) -> Option<Modules> {
    let mut store = STORE.lock();
    if let Some(modules) = store.known.get(&digest) {
        return Some(modules);
    }
    if store.bytes + bytecode.len() > BYTECODE_BYTES_MAX {
        return None;
    }
    store.bytes += bytecode.len();
    let code: &'static [u8] = Box::leak(bytecode.into_boxed_slice());
    let modules: Modules = Box::leak(Box::new([(name, code)]));
    store.known.insert(digest, modules);
    Some(modules)
}
