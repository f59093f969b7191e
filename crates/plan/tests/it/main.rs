//! The plan crate's boundary: specs and catalogues in, plans out; and the SQL run on real engines.

mod catalogue;
mod golden;
mod run;
mod world;
