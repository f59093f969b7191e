//! Functions that a tool's SQL should not call without its author knowing what they do. A
//! read-only transaction does not stop most of them.

/// Why a function is on the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Risk {
    /// It changes data or the state of the session or the server.
    Writes,
    /// It keeps a connection busy.
    Waits,
    /// It reads files or settings of the database server, or reaches other servers.
    Reaches,
    /// It runs SQL or code given as text.
    Runs,
}

impl Risk {
    /// What the function does, to end the sentence "`name()` …".
    pub fn explain(self) -> &'static str {
        match self {
            Self::Writes => "changes state although it is called in a query",
            Self::Waits => "keeps a connection busy as long as it likes",
            Self::Reaches => "reads the database server's own files or settings, or reaches other servers",
            Self::Runs => "runs code that is given to it as text",
        }
    }
}

/// What is risky about calling this function (any case, without its schema), if it is known for it.
pub fn risk(name: &str) -> Option<Risk> {
    let name = name.to_ascii_lowercase();
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if WRITES.contains(&name.as_str())
        || starts(&["pg_advisory_", "pg_try_advisory_", "pg_replication_", "pg_logical_"])
    {
        return Some(Risk::Writes);
    }
    if WAITS.contains(&name.as_str()) {
        return Some(Risk::Waits);
    }
    if REACHES.contains(&name.as_str()) || starts(&["pg_read_", "pg_ls_", "dblink", "pg_stat_file", "lo_"]) {
        return Some(Risk::Reaches);
    }
    RUNS.contains(&name.as_str()).then_some(Risk::Runs)
}

const WRITES: [&str; 30] = [
    "nextval",
    "setval",
    "set_config",
    "setseed",
    "pg_notify",
    "pg_cancel_backend",
    "pg_terminate_backend",
    "pg_reload_conf",
    "pg_rotate_logfile",
    "pg_switch_wal",
    "pg_create_restore_point",
    "pg_promote",
    "pg_start_backup",
    "pg_stop_backup",
    "pg_backup_start",
    "pg_backup_stop",
    "pg_stat_reset",
    "pg_stat_reset_shared",
    "pg_export_snapshot",
    "pg_file_write",
    "pg_file_unlink",
    "pg_file_rename",
    "pg_wal_replay_pause",
    "pg_drop_replication_slot",
    "txid_current",
    "get_lock",
    "release_lock",
    "release_all_locks",
    "writefile",
    "zipfile",
];
const WAITS: [&str; 8] = [
    "pg_sleep",
    "pg_sleep_for",
    "pg_sleep_until",
    "sleep",
    "benchmark",
    "master_pos_wait",
    "source_pos_wait",
    "wait_for_executed_gtid_set",
];
const REACHES: [&str; 12] = [
    "load_file",
    "readfile",
    "fsdir",
    "current_setting",
    "pg_show_all_settings",
    "pg_current_logfile",
    "pg_hba_file_rules",
    "pg_execute_server_program",
    "http_get",
    "http_post",
    "postgres_fdw_get_connections",
    "edit",
];
const RUNS: [&str; 14] = [
    "load_extension",
    "query_to_xml",
    "query_to_xml_and_xmlschema",
    "query_to_xmlschema",
    "cursor_to_xml",
    "table_to_xml",
    "schema_to_xml",
    "database_to_xml",
    "ts_stat",
    "ts_rewrite",
    "crosstab",
    "sys_eval",
    "sys_exec",
    "eval",
];
