//! Formatting: idempotent, and the meaning stays.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spec::ParseOptions;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(once) = spec::fmt(text) else { return };
    assert_eq!(spec::fmt(&once).as_deref(), Ok(once.as_str()), "formatting twice changes nothing");
    let digest = |text: &str| {
        spec::parse_bytes("fuzz", text.as_bytes(), &ParseOptions::default()).spec.map(|spec| spec.digest())
    };
    assert_eq!(digest(text), digest(&once), "formatting changed the meaning");
});
