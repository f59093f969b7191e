//! Calls, summed up.

use store::{DAYS_KEPT, HOURS_KEPT, UsagePeriod, UsageQuery, UsageRow};

use crate::world::both;

fn row(period: UsagePeriod, start: i64, tool: &str) -> UsageRow {
    UsageRow {
        period,
        start,
        server: "shop".to_owned(),
        version: "1.0.0".to_owned(),
        tool: tool.to_owned(),
        caller: "ada".to_owned(),
        calls: 2,
        errors: 1,
        bytes_in: 10,
        bytes_out: 100,
        micros: 1_000,
        slowest: if tool == "slow" { 900 } else { 600 },
        latency: vec![1],
    }
}

fn query(period: UsagePeriod, since: i64) -> UsageQuery {
    UsageQuery { period, since, server: None, version: None, tool: None, caller: None }
}

#[test]
fn sums_grow_and_old_ones_go() {
    both("sums_grow_and_old_ones_go", |place| {
        let store = place.open();
        let now = 2_000_000_000;
        let joined = |known: &[u8], more: &[u8]| [known, more].concat();
        let hour = |start| row(UsagePeriod::Hour, start, "find");
        store
            .add_usage(vec![hour(now), hour(now - HOURS_KEPT - 1), row(UsagePeriod::Day, now, "find")], now, joined)
            .unwrap();
        store.add_usage(vec![hour(now), row(UsagePeriod::Hour, now, "slow")], now, joined).unwrap();
        let found = store.usage(&query(UsagePeriod::Hour, 0), None).unwrap();
        let told: Vec<_> = found.iter().map(|row| (row.tool.as_str(), row.calls, row.errors, row.micros)).collect();
        assert_eq!(told, [("find", 4, 2, 2_000), ("slow", 2, 1, 1_000)]);
        assert_eq!((found[0].bytes_in, found[0].bytes_out, found[0].slowest), (20, 200, 600));
        assert_eq!(found[0].latency, [1, 1], "histograms are joined");
        let slow = UsageQuery { tool: Some("slow".to_owned()), ..query(UsagePeriod::Hour, 0) };
        assert_eq!(store.usage(&slow, None).unwrap().len(), 1);
        assert!(store.usage(&query(UsagePeriod::Hour, now + 1), None).unwrap().is_empty());

        assert_eq!(store.usage(&query(UsagePeriod::Day, 0), None).unwrap().len(), 1);
        store.add_usage(Vec::new(), now + DAYS_KEPT + 1, joined).unwrap();
        assert!(store.usage(&query(UsagePeriod::Day, 0), None).unwrap().is_empty());
    });
}
