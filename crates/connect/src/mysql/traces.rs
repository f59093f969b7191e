//! Names behind which stored functions or triggers run, which can leave settings, variables,
//! temporary tables and locks in a session that a later call would meet.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mysql_async::Error;
use mysql_async::prelude::Queryable;
use parking_lot::Mutex;

use super::guard::Verdict;
use super::session::Session;

/// How long the list is believed. Names are made by who owns the database, not by who calls tools.
const AGE_MAX: Duration = Duration::from_secs(60);

/// Who may run a function sees its name.
const FUNCTIONS: &str = "SELECT ROUTINE_NAME FROM information_schema.ROUTINES
    WHERE ROUTINE_TYPE = 'FUNCTION' AND ROUTINE_SCHEMA NOT IN ('mysql', 'sys')";
const TRIGGERS: &str = "SELECT DISTINCT EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS
    WHERE TRIGGER_SCHEMA NOT IN ('mysql', 'sys')";
/// The definition is empty for those who may not see it.
const VIEWS: &str = "SELECT TABLE_NAME, LOWER(VIEW_DEFINITION) FROM information_schema.VIEWS
    WHERE TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema')";

/// The names at one server, in lower case.
#[derive(Debug, Default)]
pub(super) struct Suspects(Mutex<Option<(Instant, Arc<HashSet<String>>)>>);

impl Suspects {
    /// Whether a statement may leave something in its session.
    pub(super) async fn traces(&self, session: &mut Session, verdict: &Verdict) -> Result<bool, Error> {
        if verdict.traces {
            return Ok(true);
        }
        let known = self.get(session).await?;
        Ok(!known.is_empty() && verdict.names.iter().any(|name| known.contains(name)))
    }

    async fn get(&self, session: &mut Session) -> Result<Arc<HashSet<String>>, Error> {
        if let Some((since, known)) = &*self.0.lock()
            && since.elapsed() < AGE_MAX
        {
            return Ok(Arc::clone(known));
        }
        session.without_row_limit().await?;
        let mut known: HashSet<String> = HashSet::new();
        for query in [FUNCTIONS, TRIGGERS] {
            let names: Vec<String> = session.conn.query(query).await?;
            known.extend(names.iter().map(|name| name.to_lowercase()));
        }
        let views: Vec<(String, Option<String>)> = session.conn.query(VIEWS).await?;
        let views = views.into_iter().map(|(name, text)| (name.to_lowercase(), text.unwrap_or_default())).collect();
        add_views(&mut known, views);
        let known = Arc::new(known);
        *self.0.lock() = Some((Instant::now(), Arc::clone(&known)));
        Ok(known)
    }
}

/// Adds views that call a stored function, cannot be seen, or read from one of those. A stored view
/// quotes names; a call of a stored function is the only thing that has a quoted name before a parenthesis.
fn add_views(known: &mut HashSet<String>, mut views: Vec<(String, String)>) {
    let mut through = Vec::new();
    loop {
        let before = through.len();
        views.retain(|(name, text)| {
            let found = text.is_empty()
                || text.contains("`(")
                || through.iter().any(|other: &String| text.contains(&format!("`{}`", other.replace('`', "``"))));
            if found {
                through.push(name.clone());
            }
            !found
        });
        if through.len() == before {
            break;
        }
    }
    known.extend(through);
}

#[cfg(test)]
mod tests {
    use super::add_views;

    #[test]
    fn views_over_functions_are_found_through_other_views() {
        let views = [
            ("outer", "select `middle`.`x` from `d`.`middle`"),
            ("middle", "select 1 from `d`.`inner` where (1 = 1)"),
            ("inner", "select `d`.`f`(1) as `x`"),
            ("hidden", ""),
            ("fine", "select count(`t`.`x`) from `d`.`t`"),
        ];
        let mut known = Default::default();
        add_views(&mut known, views.map(|(name, text)| (name.to_owned(), text.to_owned())).to_vec());
        let mut known: Vec<_> = known.into_iter().collect();
        known.sort();
        assert_eq!(known, ["hidden", "inner", "middle", "outer"]);
    }
}
