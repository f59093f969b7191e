//! `hash-embedding`: vectors from the letters of a text, without a model and without anything to download.
//!
//! A text is cut into words and each word into runs of three to five letters. Every piece is hashed to a place of the vector and a
//! sign; short words count less than long ones, and a word that comes again less each
//! time; the whole has the length 1. The same text always gives the
//! same vector, on every machine.
//!
//! What it can do: texts with the same words, other forms of a word and misspelled words are near each other, in any language that
//! separates words. What it cannot do: it knows nothing of meaning. `car` is as far from `automobile` as from `tax`, a question is near its own words and not near
//! its answer, and negation changes nothing. For such needs use the embeddings of a model.

/// Its name.
pub const NAME: &str = "hash-embedding";
/// Numbers of a vector when nothing else is said.
pub const DIMENSIONS: usize = 384;

/// Shortest and longest run of letters.
const RUN: (usize, usize) = (3, 5);
/// Letters from which on a word counts in full.
const LONG: u16 = 8;
/// Weight of a whole word against one run.
const WORD: f32 = 0.7;

/// The vector of a text; all zeros when it has no letter and no digit.
pub fn embed(text: &str, dimensions: usize) -> Vec<f32> {
    let mut vector = vec![0.0_f32; dimensions.max(1)];
    let lower = text.to_lowercase();
    let mut seen = std::collections::HashMap::<&str, u16>::new();
    for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let times = seen.entry(word).or_default();
        *times = times.saturating_add(1);
        // The sum over n times is about the square root of n.
        let often = f32::from(*times).sqrt() - f32::from(*times - 1).sqrt();
        // The short words of most languages say little: the, of, in.
        let letters = u16::try_from(word.chars().count()).unwrap_or(LONG).min(LONG);
        let long = f32::from(letters) / f32::from(LONG);
        let weight = often * long * long.sqrt();
        add(&mut vector, word.as_bytes(), b'w', WORD * weight);
        let marked: Vec<char> = std::iter::once('^').chain(word.chars()).chain(std::iter::once('$')).collect();
        for length in RUN.0..=RUN.1 {
            let runs = marked.len().saturating_sub(length - 1);
            // A long word has more runs; it does not count more for it.
            let share = weight / f32::from(u16::try_from(runs.max(1)).unwrap_or(u16::MAX)).sqrt();
            for run in marked.windows(length) {
                let text: String = run.iter().collect();
                add(&mut vector, text.as_bytes(), b'r', share);
            }
        }
    }
    let length = vector.iter().map(|number| f64::from(*number).powi(2)).sum::<f64>().sqrt();
    if length > 0.0 {
        #[expect(clippy::cast_possible_truncation, reason = "a number from 0 to 1 is rounded")]
        vector.iter_mut().for_each(|number| *number = (f64::from(*number) / length) as f32);
    }
    vector
}

fn add(vector: &mut [f32], piece: &[u8], kind: u8, weight: f32) {
    let hash = mixed(piece, kind);
    let places = vector.len() as u64;
    let place = usize::try_from((hash >> 1) % places).unwrap_or_default();
    vector[place] += if hash & 1 == 0 { weight } else { -weight };
}

/// FNV-1a, and the finisher of `MurmurHash3`, so that all bits of the result depend on all bits of the piece.
fn mixed(piece: &[u8], kind: u8) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325_u64 ^ u64::from(kind);
    let mut hash = piece.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::{DIMENSIONS, embed};

    fn cosine(a: &str, b: &str) -> f32 {
        embed(a, DIMENSIONS).iter().zip(embed(b, DIMENSIONS)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn texts_with_the_same_words_are_near() {
        let note = "The quarterly invoice for running shoes was paid late";
        for (near, far) in [
            ("invoices for shoes", "a recipe for apple pie"),
            ("runing shoe invoce", "meeting with the architect"),
            ("PAID INVOICE, LATE!", "sunny weather tomorrow"),
        ] {
            assert!(
                cosine(note, near) > cosine(note, far) + 0.1,
                "{near}: {} {}",
                cosine(note, near),
                cosine(note, far)
            );
        }
        assert!((cosine(note, note) - 1.0).abs() < 1e-5);
        assert!(cosine("Straße in Köln", "straße köln") > 0.7);
        // Documented: it knows nothing of meaning.
        assert!(cosine("car", "automobile") < 0.2);
    }

    #[test]
    fn vectors_never_change() {
        let vector = embed("hello", 8);
        let again = embed("Hello!", 8);
        assert_eq!(vector, again);
        let places: Vec<_> = vector.iter().map(|number| (number * 1000.0).round()).collect();
        assert_eq!(places, PINNED);
        assert!(embed(" \n!?", 8).iter().all(|number| *number == 0.0));
        assert_eq!(embed("x", 0).len(), 1);
    }

    /// Stored vectors are compared with new ones: another result is a change that breaks what people have stored.
    const PINNED: [f32; 8] = [0.0, -210.0, 505.0, -271.0, 505.0, 235.0, 563.0, 0.0];
}
