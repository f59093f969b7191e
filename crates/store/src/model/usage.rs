//! Calls of tools, summed up.

/// What is summed up together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsagePeriod {
    /// The calls of an hour.
    Hour,
    /// The calls of a day, UTC.
    Day,
}

impl UsagePeriod {
    /// The word that is stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// How long it is, seconds.
    pub fn seconds(self) -> i64 {
        match self {
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

/// The calls of a tool of a version by a caller within an hour or a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageRow {
    /// Hour or day.
    pub period: UsagePeriod,
    /// When it begins, seconds since 1970.
    pub start: i64,
    /// The server.
    pub server: String,
    /// The version that answered.
    pub version: String,
    /// The tool.
    pub tool: String,
    /// Who called.
    pub caller: String,
    /// Calls.
    pub calls: i64,
    /// Calls that failed.
    pub errors: i64,
    /// Bytes of arguments.
    pub bytes_in: i64,
    /// Bytes of answers.
    pub bytes_out: i64,
    /// Microseconds of all calls together.
    pub micros: i64,
    /// Microseconds of the slowest call.
    pub slowest: i64,
    /// How long calls took: a histogram, as the caller writes it.
    pub latency: Vec<u8>,
}

/// Which sums.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    /// Hours or days.
    pub period: UsagePeriod,
    /// Not before, seconds since 1970.
    pub since: i64,
    /// Of this server.
    pub server: Option<String>,
    /// Of this version.
    pub version: Option<String>,
    /// Of this tool.
    pub tool: Option<String>,
    /// Of this caller.
    pub caller: Option<String>,
}
