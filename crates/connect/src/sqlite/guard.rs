//! What a statement may do, asked by SQLite itself while it compiles one.
//!
//! This is the second of three locks on a reading connection: the file is opened read-only, the
//! compiler refuses every action that is not on the list, and a compiled statement that could
//! write is not run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Statements of tools that only read, catalogues and descriptions.
    Read,
    /// Statements of tools that may write.
    Write,
}

/// Set while the connector's own `BEGIN`, `COMMIT` and `ROLLBACK` are compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Own(Arc<AtomicBool>);

impl Own {
    /// Does something in the connector's own name.
    pub(super) fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.0.store(true, Ordering::Relaxed);
        let out = work();
        self.0.store(false, Ordering::Relaxed);
        out
    }
}

/// The authorizer of a connection.
pub(super) fn authorizer(
    role: Role,
    own: Own,
) -> impl for<'r> FnMut(AuthContext<'r>) -> Authorization + Send + 'static {
    move |context| {
        let allowed = own.0.load(Ordering::Relaxed)
            || match role {
                Role::Read => may_read(&context.action),
                Role::Write => may_read(&context.action) || may_write(&context.action),
            };
        if allowed { Authorization::Allow } else { Authorization::Deny }
    }
}

fn may_read(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        AuthAction::Function { function_name } => {
            !FUNCTIONS_REFUSED.iter().any(|refused| refused.eq_ignore_ascii_case(function_name))
        }
        AuthAction::Pragma { pragma_name, pragma_value } => {
            let is = |name: &&str| name.eq_ignore_ascii_case(pragma_name);
            PRAGMAS_WITH_ARGUMENT.iter().any(&is) || (pragma_value.is_none() && PRAGMAS_WITHOUT_ARGUMENT.iter().any(is))
        }
        _ => false,
    }
}

/// Everything that changes this one database. Left out: attaching files, transactions (the
/// connector makes them), and whatever a later SQLite brings.
fn may_write(action: &AuthAction<'_>) -> bool {
    matches!(
        action,
        AuthAction::Insert { .. }
            | AuthAction::Update { .. }
            | AuthAction::Delete { .. }
            | AuthAction::CreateIndex { .. }
            | AuthAction::CreateTable { .. }
            | AuthAction::CreateTrigger { .. }
            | AuthAction::CreateView { .. }
            | AuthAction::CreateVtable { .. }
            | AuthAction::DropIndex { .. }
            | AuthAction::DropTable { .. }
            | AuthAction::DropTrigger { .. }
            | AuthAction::DropView { .. }
            | AuthAction::DropVtable { .. }
            | AuthAction::AlterTable { .. }
            | AuthAction::Reindex { .. }
            | AuthAction::Analyze { .. }
    )
}

/// Functions that reach outside of the database. A plain build has only the first and the last;
/// the others belong to the command line shell and may come with a build of the library.
const FUNCTIONS_REFUSED: &[&str] = &["load_extension", "readfile", "writefile", "edit", "fsdir", "fts3_tokenizer"];

/// Pragmas whose argument names what to tell about.
const PRAGMAS_WITH_ARGUMENT: &[&str] = &[
    "foreign_key_check",
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that only tell, as long as they have no argument.
const PRAGMAS_WITHOUT_ARGUMENT: &[&str] = &[
    "application_id",
    "collation_list",
    "compile_options",
    "data_version",
    "encoding",
    "foreign_keys",
    "freelist_count",
    "function_list",
    "module_list",
    "page_count",
    "page_size",
    "pragma_list",
    "schema_version",
    "user_version",
];
