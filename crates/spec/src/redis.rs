//! The commands of Redis that tools may use: what each does to the data, and why some are refused.

/// What a command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It changes nothing.
    Read,
    /// It changes data.
    Write,
    /// It runs a script at the server: changes data, and the script must be the author's own words.
    Script,
}

const READ: &[&str] = &[
    "BITCOUNT",
    "BITFIELD_RO",
    "BITPOS",
    "DBSIZE",
    "DUMP",
    "ECHO",
    "EXISTS",
    "EXPIRETIME",
    "GEODIST",
    "GEOHASH",
    "GEOPOS",
    "GEORADIUSBYMEMBER_RO",
    "GEORADIUS_RO",
    "GEOSEARCH",
    "GET",
    "GETBIT",
    "GETRANGE",
    "HEXISTS",
    "HGET",
    "HGETALL",
    "HKEYS",
    "HLEN",
    "HMGET",
    "HRANDFIELD",
    "HSCAN",
    "HSTRLEN",
    "HVALS",
    "INFO",
    "LCS",
    "LINDEX",
    "LLEN",
    "LOLWUT",
    "LPOS",
    "LRANGE",
    "MGET",
    "PEXPIRETIME",
    "PFCOUNT",
    "PING",
    "PTTL",
    "RANDOMKEY",
    "SCARD",
    "SCAN",
    "SDIFF",
    "SINTER",
    "SINTERCARD",
    "SISMEMBER",
    "SMEMBERS",
    "SMISMEMBER",
    "SORT_RO",
    "SRANDMEMBER",
    "SSCAN",
    "STRLEN",
    "SUBSTR",
    "SUNION",
    "TIME",
    "TTL",
    "TYPE",
    "XLEN",
    "XPENDING",
    "XRANGE",
    "XREAD",
    "XREVRANGE",
    "ZCARD",
    "ZCOUNT",
    "ZDIFF",
    "ZINTER",
    "ZINTERCARD",
    "ZLEXCOUNT",
    "ZMSCORE",
    "ZRANDMEMBER",
    "ZRANGE",
    "ZRANGEBYLEX",
    "ZRANGEBYSCORE",
    "ZRANK",
    "ZREVRANGE",
    "ZREVRANGEBYLEX",
    "ZREVRANGEBYSCORE",
    "ZREVRANK",
    "ZSCAN",
    "ZSCORE",
    "ZUNION",
    "JSON.ARRINDEX",
    "JSON.ARRLEN",
    "JSON.GET",
    "JSON.MGET",
    "JSON.OBJKEYS",
    "JSON.OBJLEN",
    "JSON.STRLEN",
    "JSON.TYPE",
    "FT.AGGREGATE",
    "FT.INFO",
    "FT.SEARCH",
    "TS.GET",
    "TS.INFO",
    "TS.MGET",
    "TS.MRANGE",
    "TS.RANGE",
    "TS.REVRANGE",
    "BF.EXISTS",
    "BF.MEXISTS",
    "CF.EXISTS",
    "CMS.QUERY",
    "TOPK.LIST",
    "TOPK.QUERY",
];

const WRITE: &[&str] = &[
    "APPEND",
    "BITFIELD",
    "BITOP",
    "BLMOVE",
    "BLMPOP",
    "BLPOP",
    "BRPOP",
    "BRPOPLPUSH",
    "BZMPOP",
    "BZPOPMAX",
    "BZPOPMIN",
    "COPY",
    "DECR",
    "DECRBY",
    "DEL",
    "EXPIRE",
    "EXPIREAT",
    "GEOADD",
    "GEORADIUS",
    "GEORADIUSBYMEMBER",
    "GEOSEARCHSTORE",
    "GETDEL",
    "GETEX",
    "GETSET",
    "HDEL",
    "HEXPIRE",
    "HGETDEL",
    "HGETEX",
    "HINCRBY",
    "HINCRBYFLOAT",
    "HMSET",
    "HPERSIST",
    "HSET",
    "HSETEX",
    "HSETNX",
    "INCR",
    "INCRBY",
    "INCRBYFLOAT",
    "LINSERT",
    "LMOVE",
    "LMPOP",
    "LPOP",
    "LPUSH",
    "LPUSHX",
    "LREM",
    "LSET",
    "LTRIM",
    "MSET",
    "MSETNX",
    "PERSIST",
    "PEXPIRE",
    "PEXPIREAT",
    "PFADD",
    "PFMERGE",
    "PSETEX",
    "PUBLISH",
    "RENAME",
    "RENAMENX",
    "RPOP",
    "RPOPLPUSH",
    "RPUSH",
    "RPUSHX",
    "SADD",
    "SDIFFSTORE",
    "SET",
    "SETBIT",
    "SETEX",
    "SETNX",
    "SETRANGE",
    "SINTERSTORE",
    "SMOVE",
    "SORT",
    "SPOP",
    "SPUBLISH",
    "SREM",
    "SUNIONSTORE",
    "TOUCH",
    "UNLINK",
    "XACK",
    "XADD",
    "XAUTOCLAIM",
    "XCLAIM",
    "XDEL",
    "XREADGROUP",
    "XTRIM",
    "ZADD",
    "ZDIFFSTORE",
    "ZINCRBY",
    "ZINTERSTORE",
    "ZMPOP",
    "ZPOPMAX",
    "ZPOPMIN",
    "ZRANGESTORE",
    "ZREM",
    "ZREMRANGEBYLEX",
    "ZREMRANGEBYRANK",
    "ZREMRANGEBYSCORE",
    "ZUNIONSTORE",
    "JSON.ARRAPPEND",
    "JSON.ARRINSERT",
    "JSON.ARRPOP",
    "JSON.ARRTRIM",
    "JSON.CLEAR",
    "JSON.DEL",
    "JSON.MERGE",
    "JSON.MSET",
    "JSON.NUMINCRBY",
    "JSON.SET",
    "JSON.STRAPPEND",
    "JSON.TOGGLE",
    "TS.ADD",
    "TS.DEL",
    "TS.INCRBY",
    "TS.DECRBY",
    "TS.MADD",
    "BF.ADD",
    "BF.MADD",
    "CF.ADD",
    "CF.DEL",
    "CMS.INCRBY",
    "TOPK.ADD",
];

const SCRIPT: &[&str] = &["EVAL", "EVALSHA", "EVALSHA_RO", "EVAL_RO", "FCALL", "FCALL_RO"];

/// Commands whose second word says what they do.
const OF_TWO: &[(&str, &str, Class)] = &[
    ("MEMORY", "USAGE", Class::Read),
    ("OBJECT", "ENCODING", Class::Read),
    ("OBJECT", "FREQ", Class::Read),
    ("OBJECT", "IDLETIME", Class::Read),
    ("OBJECT", "REFCOUNT", Class::Read),
    ("PUBSUB", "CHANNELS", Class::Read),
    ("PUBSUB", "NUMSUB", Class::Read),
    ("XGROUP", "CREATE", Class::Write),
    ("XGROUP", "CREATECONSUMER", Class::Write),
    ("XGROUP", "DELCONSUMER", Class::Write),
    ("XGROUP", "DESTROY", Class::Write),
    ("XGROUP", "SETID", Class::Write),
    ("XINFO", "CONSUMERS", Class::Read),
    ("XINFO", "GROUPS", Class::Read),
    ("XINFO", "STREAM", Class::Read),
];

/// Commands that no tool may use, and why.
const REFUSED: &[(&[&str], &str)] = &[
    (&["KEYS"], "it stops the server while it looks at every key; use `scan`"),
    (&["FLUSHALL", "FLUSHDB", "SWAPDB"], "it deletes or exchanges everything"),
    (
        &["ACL", "CONFIG", "DEBUG", "MODULE", "SCRIPT", "FUNCTION", "LATENCY", "SLOWLOG", "COMMAND", "CLUSTER"],
        "it is for the server's administrators",
    ),
    (
        &[
            "SHUTDOWN",
            "SAVE",
            "BGSAVE",
            "BGREWRITEAOF",
            "FAILOVER",
            "REPLICAOF",
            "SLAVEOF",
            "LASTSAVE",
            "ROLE",
            "WAIT",
            "WAITAOF",
        ],
        "it is for the server's administrators",
    ),
    (&["MIGRATE", "RESTORE", "RESTORE-ASKING"], "it moves data between servers"),
    (
        &[
            "SUBSCRIBE",
            "PSUBSCRIBE",
            "SSUBSCRIBE",
            "UNSUBSCRIBE",
            "PUNSUBSCRIBE",
            "SUNSUBSCRIBE",
            "MONITOR",
            "SYNC",
            "PSYNC",
        ],
        "it turns the connection into a stream without an end; `XREAD` with `BLOCK` waits for new entries",
    ),
    (
        &["AUTH", "HELLO", "SELECT", "CLIENT", "RESET", "QUIT", "ASKING", "READONLY", "READWRITE"],
        "it changes the connection, which is shared by all calls; its URL has login and database",
    ),
    (
        &["MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"],
        "write `atomic: true`, which puts all commands into one transaction",
    ),
];

/// What a command does, by its first words, which must be written out.
///
/// # Errors
/// Why no tool may use it, a sentence.
pub fn class<W: AsRef<str>>(words: &[W]) -> Result<Class, String> {
    let word = |nth: usize| words.get(nth).map(|word| word.as_ref().to_ascii_uppercase()).unwrap_or_default();
    let (first, second) = (word(0), word(1));
    let has = |list: &[&str]| list.contains(&first.as_str());
    if has(READ) {
        return Ok(Class::Read);
    }
    if has(WRITE) {
        return Ok(Class::Write);
    }
    if has(SCRIPT) {
        return Ok(Class::Script);
    }
    if OF_TWO.iter().any(|(known, ..)| *known == first) {
        let found = OF_TWO.iter().find(|(known, two, _)| (*known, *two) == (&*first, &*second));
        let words =
            || OF_TWO.iter().filter(|(known, ..)| *known == first).map(|(_, two, _)| format!("`{first} {two}`"));
        return found
            .map(|(.., class)| *class)
            .ok_or_else(|| format!("of `{first}` only {} can be used", words().collect::<Vec<_>>().join(", ")));
    }
    if let Some((_, why)) = REFUSED.iter().find(|(names, _)| names.contains(&first.as_str())) {
        return Err(format!("`{first}` cannot be used: {why}"));
    }
    let known = READ.iter().chain(WRITE).copied();
    let near = base::nearest(&first, known).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
    Err(format!("`{first}` is not among the commands that tools can use{near}"))
}

/// The place of the word that says how long a command may wait, and how many milliseconds a unit of it has.
pub fn wait_of<W: AsRef<[u8]>>(words: &[W]) -> Option<(usize, u64)> {
    let is =
        |nth: usize, text: &str| words.get(nth).is_some_and(|word| word.as_ref().eq_ignore_ascii_case(text.as_bytes()));
    let last = words.len().checked_sub(1).filter(|last| *last > 1)?;
    if is(0, "XREAD") || is(0, "XREADGROUP") {
        let end = (1..words.len()).find(|at| is(*at, "STREAMS"))?;
        return (1..end).find(|at| is(*at, "BLOCK")).map(|at| (at + 1, 1)).filter(|(at, _)| *at < end);
    }
    if is(0, "BLMPOP") || is(0, "BZMPOP") {
        return Some((1, 1000));
    }
    let blocking = ["BLPOP", "BRPOP", "BRPOPLPUSH", "BLMOVE", "BZPOPMIN", "BZPOPMAX"];
    blocking.iter().any(|name| is(0, name)).then_some((last, 1000))
}

#[cfg(test)]
mod tests {
    use super::{Class, READ, REFUSED, SCRIPT, WRITE, class, wait_of};

    #[test]
    fn every_command_has_one_class() {
        let refused = REFUSED.iter().flat_map(|(names, _)| names.iter());
        let mut all: Vec<&str> = READ.iter().chain(WRITE).chain(SCRIPT).chain(refused).copied().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn commands_are_known_by_their_first_words() {
        assert_eq!(class(&["get", "k"]), Ok(Class::Read));
        assert_eq!(class(&["Set", "k", "v"]), Ok(Class::Write));
        assert_eq!(class(&["EVAL", "return 1"]), Ok(Class::Script));
        assert_eq!(class(&["XINFO", "stream", "s"]), Ok(Class::Read));
        for (words, part) in [
            (&["KEYS", "*"] as &[&str], "use `scan`"),
            (&["flushall"], "deletes"),
            (&["CONFIG", "GET", "requirepass"], "administrators"),
            (&["XINFO", "HELP"], "only `XINFO CONSUMERS`"),
            (&["OBJECT"], "`OBJECT ENCODING`"),
            (&["GETT"], "did you mean `GET`"),
            (&[""], "not among"),
            (&["SUBSCRIBE", "c"], "without an end"),
            (&["MULTI"], "atomic: true"),
        ] {
            let why = class(words).expect_err("refused");
            assert!(why.contains(part), "{words:?}: {why}");
        }
    }

    #[test]
    fn the_place_of_a_wait_is_found() {
        assert_eq!(wait_of(&["BLPOP", "a", "b", "0"]), Some((3, 1000)));
        assert_eq!(wait_of(&["XREAD", "COUNT", "1", "BLOCK", "5", "STREAMS", "block", "0"]), Some((4, 1)));
        assert_eq!(wait_of(&["XREAD", "STREAMS", "BLOCK", "0"]), None);
        assert_eq!(wait_of(&["GET", "k", "x"]), None);
        assert_eq!(wait_of(&["BLPOP"]), None);
    }
}
