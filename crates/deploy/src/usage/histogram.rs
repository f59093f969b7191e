//! How long things took, in buckets whose width grows with the value, as in HdrHistogram: never wrong by more than a
//! sixteenth. Histograms can be merged without losing anything.

/// Buckets for each power of two, as a power of two.
const BITS: u32 = 4;
/// Buckets for each power of two.
const PER_POWER: u64 = 1 << BITS;
/// Largest value that has a bucket of its own; larger ones are counted there: nineteen hours in microseconds.
const LARGEST: u64 = (1 << 36) - 1;

/// How many values fell into each bucket. Holds only buckets with values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram(Vec<(u16, u64)>);

impl Histogram {
    /// Counts a value so many times.
    pub fn add(&mut self, value: u64, times: u64) {
        self.put(bucket(value), times);
    }

    /// Adds what another one counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, times) in &other.0 {
            self.put(*bucket, *times);
        }
    }

    /// Takes away what was merged.
    pub(super) fn part(&mut self, other: &Self) {
        for (bucket, times) in &mut self.0 {
            if let Ok(at) = other.0.binary_search_by_key(bucket, |(known, _)| *known) {
                *times = times.saturating_sub(other.0[at].1);
            }
        }
        self.0.retain(|(_, times)| *times > 0);
    }

    fn put(&mut self, bucket: u16, times: u64) {
        match self.0.binary_search_by_key(&bucket, |(known, _)| *known) {
            Ok(at) => self.0[at].1 += times,
            Err(at) => self.0.insert(at, (bucket, times)),
        }
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, times)| times).sum()
    }

    /// The value that this share of all values does not exceed, 0 when there are none.
    pub fn quantile(&self, share: f64) -> u64 {
        let wanted = ((self.count() as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (bucket, times) in &self.0 {
            seen += times;
            if seen >= wanted {
                return middle(*bucket);
            }
        }
        0
    }

    /// As it is kept: pairs of numbers, each in groups of seven bits, low ones first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * 3);
        let mut last = 0;
        for (bucket, times) in &self.0 {
            write(&mut bytes, u64::from(bucket - last));
            write(&mut bytes, *times);
            last = *bucket;
        }
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; `None` when it is something else.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (mut rest, mut found, mut last) = (bytes, Self::default(), 0u16);
        while !rest.is_empty() {
            last = last.checked_add(u16::try_from(read(&mut rest)?).ok()?)?;
            let times = read(&mut rest)?;
            found.put(last, times);
        }
        Some(found)
    }
}

fn bucket(value: u64) -> u16 {
    let value = value.min(LARGEST);
    if value < PER_POWER {
        return value as u16;
    }
    let power = 63 - value.leading_zeros();
    let within = (value >> (power - BITS)) & (PER_POWER - 1);
    (u64::from(power - BITS + 1) * PER_POWER + within) as u16
}

/// The middle of a bucket.
fn middle(bucket: u16) -> u64 {
    let bucket = u64::from(bucket);
    if bucket < PER_POWER {
        return bucket;
    }
    let shift = bucket / PER_POWER - 1;
    let low = (PER_POWER + bucket % PER_POWER) << shift;
    low + ((1 << shift) >> 1)
}

fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn read(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (first, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(first & 0x7f).checked_shl(shift)?;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn quantiles_are_right_to_a_sixteenth() {
        let mut histogram = Histogram::default();
        for value in 1..=10_000u64 {
            histogram.add(value, 1);
        }
        for (share, wanted) in [(0.01, 100.0), (0.5, 5_000.0), (0.9, 9_000.0), (0.99, 9_900.0), (1.0, 10_000.0)] {
            let found = histogram.quantile(share) as f64;
            assert!((found - wanted).abs() / wanted <= 1.0 / 16.0, "{share}: {found} for {wanted}");
        }
        assert_eq!(Histogram::default().quantile(0.5), 0);
    }

    #[test]
    fn merged_and_kept_histograms_are_the_same() {
        let (mut all, mut odd, mut even) = (Histogram::default(), Histogram::default(), Histogram::default());
        for value in (0..40).map(|n| 3u64.pow(n)).chain([0, 1, 15, 16, 17, u64::MAX]) {
            all.add(value, 300);
            if value % 2 == 0 { &mut even } else { &mut odd }.add(value, 300);
        }
        odd.merge(&even);
        assert_eq!(odd, all);
        assert_eq!(Histogram::of_bytes(&all.to_bytes()), Some(all));
        assert_eq!(Histogram::of_bytes(&[]), Some(Histogram::default()));
        for bad in [&[0x80][..], &[1], &[0xff; 12]] {
            assert_eq!(Histogram::of_bytes(bad), None, "{bad:?}");
        }
    }
}
