//! Answers that were taken: none is taken twice.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// Answers that are remembered. Beyond it the one that ends first is forgotten, and nobody is kept out: a provider redeems no
/// code twice either.
const ANSWERED_MAX: usize = 20_000;

/// The answers that were taken and whose time is not over, by their end.
#[derive(Debug, Default)]
pub(super) struct Answered(Mutex<BTreeSet<(i64, String)>>);

impl Answered {
    /// Takes the answer of the sign-in of this state, which ends then; `false` when it was taken before.
    pub(super) fn take(&self, state: &str, end: i64, now: i64) -> bool {
        let mut taken = self.0.lock();
        while taken.first().is_some_and(|(end, _)| *end <= now) {
            taken.pop_first();
        }
        let one = (end, state.to_owned());
        if taken.contains(&one) {
            return false;
        }
        if taken.len() >= ANSWERED_MAX {
            taken.pop_first();
        }
        taken.insert(one)
    }
}

#[cfg(test)]
mod tests {
    use super::{ANSWERED_MAX, Answered};

    #[test]
    fn none_is_taken_twice_and_however_many_there_are_another_is_taken() {
        let answered = Answered::default();
        assert!(answered.take("first", 10, 0) && !answered.take("first", 10, 9));
        for number in 0..ANSWERED_MAX {
            assert!(answered.take(&format!("many {number}"), 20, 0));
        }
        assert!(answered.take("mine", 20, 0) && !answered.take("mine", 20, 0));
        assert_eq!(answered.0.lock().len(), ANSWERED_MAX);
        assert!(answered.take("later", 40, 30));
        assert_eq!(answered.0.lock().len(), 1, "what is over is forgotten");
    }
}
