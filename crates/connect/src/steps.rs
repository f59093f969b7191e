//! Limits of time that a server is told, in steps.
//!
//! A call has always used up a little of its time when its statement is sent. Told to the microsecond, every call would
//! have a limit of its own, and every call would first have to set it.

use std::time::Duration;

/// A server's limit is a multiple of this, and of the finer step when it is short.
const STEP: Duration = Duration::from_millis(100);
const STEP_FINE: Duration = Duration::from_millis(10);
/// From here on the coarse step is small enough.
const COARSE_FROM: Duration = Duration::from_secs(1);
/// The longest limit: what PostgreSQL takes, milliseconds in 31 bits.
const LIMIT_MAX: Duration = Duration::from_millis(i32::MAX as u64);

/// The next step that is not shorter. A call's own deadline is kept by the caller, who asks the server to cancel soon
/// after; so it does no harm that the server's limit is up to a step later.
pub(crate) fn in_steps(timeout: Duration) -> Duration {
    let step = if timeout < COARSE_FROM { STEP_FINE } else { STEP };
    let steps = timeout.as_nanos().div_ceil(step.as_nanos()).max(1);
    step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX)).min(LIMIT_MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LIMIT_MAX, STEP, in_steps};

    #[test]
    fn calls_of_one_tool_share_a_limit_that_is_never_shorter() {
        for (micros, wanted) in [
            (30_000_000, 30_000),
            (29_999_950, 30_000),
            (29_900_001, 30_000),
            (29_900_000, 29_900),
            (999_999, 1_000),
            (500_000, 500),
            (499_900, 500),
            (490_000, 490),
            (1, 10),
            (0, 10),
        ] {
            let timeout = Duration::from_micros(micros);
            let limit = in_steps(timeout);
            assert_eq!(limit, Duration::from_millis(wanted), "{timeout:?}");
            assert!(limit >= timeout && limit - timeout < STEP, "{timeout:?}");
            assert_eq!(in_steps(limit), limit, "{timeout:?}");
        }
        assert_eq!(in_steps(Duration::MAX), LIMIT_MAX);
    }
}
