//! The compiled toolset: validate, limit, run, paginate, mask, measure. Knows no transport and no catalogue of servers.
