//! Arbitrary SQL: the scanner and the checker do not panic, and what has no parameter is unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use spec::sql::{Dialect, Template, check};

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for dialect in [Dialect::Postgresql, Dialect::Mysql, Dialect::Sqlite] {
        if let Ok(template) = Template::parse(text, dialect) {
            let (native, order) = template.native(dialect);
            if order.is_empty() {
                assert_eq!(native, text);
            }
        }
        let _ = check(text, dialect);
    }
});
