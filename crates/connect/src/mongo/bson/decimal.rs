//! Decimals of 128 bits (IEEE 754-2008, binary integer significand), as texts.

const BIAS: i32 = 6176;
const EXPONENT_MAX: i32 = 6111;
const EXPONENT_MIN: i32 = -6176;
const DIGITS_MAX: usize = 34;
/// The largest significand.
const LARGEST: u128 = 10_u128.pow(34) - 1;
/// Fewest digits before the exponent is written on its own.
const PLAIN_MIN: i32 = -6;

/// The text of a decimal, as the specification of MongoDB's drivers writes it.
pub(super) fn text(bytes: [u8; 16]) -> String {
    let bits = u128::from_le_bytes(bytes);
    let sign = if bits >> 127 == 1 { "-" } else { "" };
    let combination = (bits >> 122) & 0x1f;
    if combination == 0x1f {
        return "NaN".to_owned();
    }
    if combination == 0x1e {
        return format!("{sign}Infinity");
    }
    let (biased, significand) = if combination >> 3 == 3 {
        // A significand beyond the largest, which stands for zero.
        ((bits >> 111) & 0x3fff, 0)
    } else {
        ((bits >> 113) & 0x3fff, bits & ((1 << 113) - 1))
    };
    let significand = if significand > LARGEST { 0 } else { significand };
    let exponent = i32::try_from(biased).unwrap_or_default() - BIAS;
    let digits = significand.to_string();
    let count = i32::try_from(digits.len()).unwrap_or_default();
    let adjusted = exponent + count - 1;
    if exponent > 0 || adjusted < PLAIN_MIN {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        return format!("{sign}{first}{point}{rest}E{adjusted:+}");
    }
    if exponent == 0 {
        return format!("{sign}{digits}");
    }
    let fraction = usize::try_from(-exponent).unwrap_or_default();
    let padded = format!("{digits:0>width$}", width = fraction + 1);
    let (whole, fraction) = padded.split_at(padded.len() - fraction);
    format!("{sign}{whole}.{fraction}")
}

/// Reads a decimal; `None` when it is none or does not fit without rounding.
pub(super) fn parse(text: &str) -> Option<[u8; 16]> {
    let (negative, rest) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let sign = u128::from(negative) << 127;
    match rest.to_ascii_lowercase().as_str() {
        "nan" => return Some((0x1f_u128 << 122).to_le_bytes()),
        "inf" | "infinity" => return Some((sign | (0x1e_u128 << 122)).to_le_bytes()),
        _ => {}
    }
    let (mantissa, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (&rest[..at], rest[at + 1..].parse::<i32>().ok()?),
        None => (rest, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut exponent = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let mut digits = digits.trim_start_matches('0').to_owned();
    while (digits.len() > DIGITS_MAX || exponent < EXPONENT_MIN) && digits.ends_with('0') {
        digits.pop();
        exponent = exponent.checked_add(1)?;
    }
    if digits.is_empty() {
        exponent = exponent.clamp(EXPONENT_MIN, EXPONENT_MAX);
    }
    while exponent > EXPONENT_MAX && digits.len() < DIGITS_MAX {
        digits.push('0');
        exponent -= 1;
    }
    if digits.len() > DIGITS_MAX || !(EXPONENT_MIN..=EXPONENT_MAX).contains(&exponent) {
        return None;
    }
    let significand: u128 = if digits.is_empty() { 0 } else { digits.parse().ok()? };
    let biased = u128::try_from(exponent + BIAS).ok()?;
    Some((sign | (biased << 113) | significand).to_le_bytes())
}
