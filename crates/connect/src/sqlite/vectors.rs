//! Functions of SQL for vectors: `vector_blob(text)` makes what is stored of `[1.0, 2.0]`, `vector_distance_cosine(blob, text)`,
//! `vector_distance_l2` and `vector_distance_ip` compare.

use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Error, Result};

/// Adds the functions to a connection. They depend on their arguments alone and reach nothing.
pub(super) fn add(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("vector_blob", 1, flags, |context| {
        let text: String = context.get(0)?;
        let vector = parse(&text)?;
        Ok(vector.iter().flat_map(|number| number.to_le_bytes()).collect::<Vec<u8>>())
    })?;
    for (name, distance) in [
        ("vector_distance_cosine", cosine as fn(Sums) -> f64),
        ("vector_distance_l2", |sums| sums.difference.sqrt()),
        ("vector_distance_ip", |sums| -sums.product),
    ] {
        connection.create_scalar_function(name, 2, flags, move |context| Ok(distance(sums(context)?)))?;
    }
    Ok(())
}

/// What the distances are made of.
#[derive(Clone, Copy, Default)]
struct Sums {
    product: f64,
    stored: f64,
    given: f64,
    difference: f64,
}

fn cosine(sums: Sums) -> f64 {
    let lengths = (sums.stored * sums.given).sqrt();
    // A vector of zeros has no direction: it is as far as one at a right angle.
    if lengths > 0.0 { 1.0 - (sums.product / lengths).clamp(-1.0, 1.0) } else { 1.0 }
}

fn sums(context: &Context<'_>) -> Result<Sums> {
    // The vector that is looked for is read once for all rows.
    let given: Arc<Vec<f32>> = context.get_or_create_aux(1, |value| -> Result<_> {
        let text = value.as_str().map_err(|_| fault("the second vector is no text"))?;
        parse(text)
    })?;
    let stored =
        context.get_raw(0).as_blob().map_err(|_| fault("the first vector is no blob; make it by vector_blob"))?;
    if stored.len() != given.len() * size_of::<f32>() {
        let (stored, given) = (stored.len() / size_of::<f32>(), given.len());
        return Err(fault(&format!("the vectors have {stored} and {given} numbers")));
    }
    let mut sums = Sums::default();
    for (bytes, given) in stored.as_chunks::<4>().0.iter().zip(given.iter()) {
        let (stored, given) = (f64::from(f32::from_le_bytes(*bytes)), f64::from(*given));
        sums.product += stored * given;
        sums.stored += stored * stored;
        sums.given += given * given;
        sums.difference += (stored - given) * (stored - given);
    }
    Ok(sums)
}

fn parse(text: &str) -> Result<Vec<f32>> {
    // Read with double precision, so that a number which is too large for a float is told from what is no number.
    let numbers: Vec<f64> = serde_json::from_str(text).map_err(|_| fault("a vector is written `[1.0, 2.0]`"))?;
    #[expect(clippy::cast_possible_truncation, reason = "what becomes infinite is refused below")]
    let vector: Vec<f32> = numbers.into_iter().map(|number| number as f32).collect();
    if vector.iter().all(|number| number.is_finite()) {
        Ok(vector)
    } else {
        Err(fault("a vector holds numbers that are too large"))
    }
}

fn fault(message: &str) -> Error {
    Error::UserFunctionError(message.into())
}
