//! Quotas: how much an owner may use.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much an owner may use. What is absent is as it is for the kind of owner, or for everybody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Quota {
    /// Servers. Members: 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<u64>,
    /// Calls of tools in a day (UTC). Members: 100,000; guests: 500.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls_per_day: Option<u64>,
    /// Bytes of the answers of tools in a day. Members: 10 GiB; guests: 50 MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes_per_day: Option<u64>,
    /// Jobs that wait or run. Members: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jobs: Option<u64>,
}

impl std::fmt::Display for Quota {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts = [
            ("servers", self.servers),
            ("calls of tools a day", self.calls_per_day),
            ("bytes of answers a day", self.bytes_per_day),
            ("jobs", self.jobs),
        ];
        for (at, (what, most)) in parts.iter().enumerate() {
            let between = if at == 0 { "" } else { ", " };
            match most {
                Some(most) => write!(f, "{between}{most} {what}")?,
                None => write!(f, "{between}any number of {what}")?,
            }
        }
        Ok(())
    }
}

impl Quota {
    /// What somebody with an account or a key may use.
    pub const MEMBERS: Self =
        Self { servers: Some(100), calls_per_day: Some(100_000), bytes_per_day: Some(10 << 30), jobs: Some(20) };
    /// What a guest, or an address, may use.
    pub const GUESTS: Self =
        Self { servers: Some(0), calls_per_day: Some(500), bytes_per_day: Some(50 << 20), jobs: Some(1) };
    /// Everything: for whoever runs the platform.
    pub const NONE: Self = Self { servers: None, calls_per_day: None, bytes_per_day: None, jobs: None };

    /// What this says, and where it says nothing what `usual` says.
    #[must_use]
    pub fn over(self, usual: Self) -> Self {
        Self {
            servers: self.servers.or(usual.servers),
            calls_per_day: self.calls_per_day.or(usual.calls_per_day),
            bytes_per_day: self.bytes_per_day.or(usual.bytes_per_day),
            jobs: self.jobs.or(usual.jobs),
        }
    }
}
