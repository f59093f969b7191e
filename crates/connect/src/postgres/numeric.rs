//! `numeric` from its wire form.

use super::decode::Malformed;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xC000;
const INFINITY: u16 = 0xD000;
const NEGATIVE_INFINITY: u16 = 0xF000;

/// Appends the decimal text, all digits kept. The wire form is four 16-bit numbers (count of digits, weight of the first,
/// sign, decimal places) and then digits of base 10,000 (`numeric_send` in PostgreSQL's `numeric.c`).
pub(super) fn text(bytes: &[u8], out: &mut String) -> Result<(), Malformed> {
    let word = |at: usize| -> Result<u16, Malformed> {
        let pair = bytes.get(at * 2..at * 2 + 2).ok_or(Malformed)?;
        Ok(u16::from_be_bytes([pair[0], pair[1]]))
    };
    let count = usize::from(word(0)?);
    let weight = i32::from(word(1)?.cast_signed());
    let places = usize::from(word(3)?);
    match word(2)? {
        NAN => return word_only(out, "NaN"),
        INFINITY => return word_only(out, "Infinity"),
        NEGATIVE_INFINITY => return word_only(out, "-Infinity"),
        NEGATIVE => out.push('-'),
        _ => {}
    }
    // The group of four digits at this power of 10,000; groups that were not sent are zero.
    let group = |power: i32| -> Result<u16, Malformed> {
        match usize::try_from(weight - power) {
            Ok(at) if at < count => word(4 + at),
            _ => Ok(0),
        }
    };
    if weight < 0 {
        out.push('0');
    } else {
        out.push_str(itoa::Buffer::new().format(group(weight)?));
        for power in (0..weight).rev() {
            push_group(out, group(power)?, 4);
        }
    }
    if places > 0 {
        out.push('.');
        let mut left = places;
        let mut power = -1;
        while left > 0 {
            let shown = left.min(4);
            push_group(out, group(power)?, shown);
            left -= shown;
            power -= 1;
        }
    }
    Ok(())
}

fn word_only(out: &mut String, word: &str) -> Result<(), Malformed> {
    out.push_str(word);
    Ok(())
}

/// The first `shown` of four digits.
fn push_group(out: &mut String, group: u16, shown: usize) {
    let mut divisor = 1000;
    for _ in 0..shown {
        out.push(char::from(b'0' + ((group / divisor) % 10) as u8));
        divisor /= 10;
    }
}

#[cfg(test)]
mod tests {
    fn text(words: &[u16]) -> String {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        let mut out = String::new();
        super::text(&bytes, &mut out).expect("well formed");
        out
    }

    #[test]
    fn digits_are_kept() {
        assert_eq!(text(&[0, 0, 0, 0]), "0");
        assert_eq!(text(&[0, 0, 0, 2]), "0.00");
        assert_eq!(text(&[2, 0, 0, 2, 12, 5000]), "12.50");
        assert_eq!(text(&[1, (-1i16).cast_unsigned(), 0x4000, 4, 1]), "-0.0001");
        assert_eq!(text(&[1, 1, 0, 0, 1]), "10000");
        assert_eq!(text(&[1, (-2i16).cast_unsigned(), 0, 6, 1200]), "0.000012");
        assert_eq!(text(&[0, 0, 0xC000, 0]), "NaN");
        assert!(super::text(&[0, 1], &mut String::new()).is_err());
    }
}
