//! Errors of the server and the driver in the words of [`crate::Error`].

use mysql_async::{DriverError, Error as Native, IoError, ServerError};

use crate::{Error, ErrorKind};

/// Where an error happened.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) connection: &'a str,
    pub(super) attempted: &'static str,
}

impl Place<'_> {
    /// An error of the connector's own making.
    pub(super) fn error(self, kind: ErrorKind, message: impl Into<String>, hint: &str) -> Error {
        Error::of(kind, self.connection, self.attempted, message, hint)
    }

    /// The statement ran too long.
    pub(super) fn timeout(self) -> Error {
        self.error(
            ErrorKind::Timeout,
            "the statement passed its time limit and was killed at the server",
            "ask for less (a filter, an index, a smaller page) or raise `timeoutMs`",
        )
    }

    /// The caller went away.
    pub(super) fn cancelled(self) -> Error {
        self.error(ErrorKind::Cancelled, "the call was cancelled and the statement killed at the server", "")
    }

    /// An error of the driver; `text` is the statement it is about.
    pub(super) fn native(self, error: &Native, text: &str) -> Error {
        match error {
            Native::Server(error) => self.server(error, text),
            Native::Driver(DriverError::NoClientSslFlagFromServer) => self.error(
                ErrorKind::Unreachable,
                "the server offers no TLS, and the connection demands it",
                "turn TLS on at the server, or set `tls: prefer`",
            ),
            Native::Io(IoError::Tls(error)) => self.error(
                ErrorKind::Unreachable,
                format!("TLS failed: {error}"),
                "check the certificate, `caFile` and the host name",
            ),
            Native::Io(IoError::Io(error)) => self.io(error.to_string()),
            Native::Driver(DriverError::ConnectionClosed) => self.io("the server closed the connection".to_owned()),
            // The driver's own text may quote the URL.
            Native::Url(_) => self.error(ErrorKind::Config, "the URL cannot be used", ""),
            other => self.error(ErrorKind::Other, other.to_string(), ""),
        }
    }

    fn io(self, message: String) -> Error {
        if self.attempted == "connect" {
            return self.error(ErrorKind::Unreachable, message, "check host and port, and that the server runs");
        }
        self.error(ErrorKind::Transient, message, "try again")
    }

    fn server(self, error: &ServerError, text: &str) -> Error {
        let (kind, hint) = kind(error.code);
        let position = position(error, text);
        Error {
            code: Some(format!("{}/{}", error.code, error.state)),
            position,
            ..self.error(kind, error.message.clone(), hint)
        }
    }
}

/// The kind of a server's error number (MySQL 8 and MariaDB agree on those below 1970, apart from
/// MariaDB's 1969).
fn kind(code: u16) -> (ErrorKind, &'static str) {
    match code {
        // Login, database, privileges.
        1044 | 1045 | 1049 | 1130 | 1698 | 1862 | 2059 | 4151 => {
            (ErrorKind::Unreachable, "check user, password, database and host in the URL")
        }
        1040 | 1203 | 1226 => (ErrorKind::Transient, "the server has too many connections; try again"),
        1142 | 1143 | 1227 | 1370 | 1410 | 1356 => (ErrorKind::Denied, "the database user lacks the privilege"),
        1290 | 1792 | 1836 | 3100 => (ErrorKind::Denied, "a tool that reads may only read"),
        // Killed, timed out.
        1969 | 3024 => (ErrorKind::Timeout, "ask for less, or raise `timeoutMs`"),
        1317 => (ErrorKind::Cancelled, ""),
        // Locks and broken connections.
        1205 | 1213 | 1053 | 1158..=1161 | 1927 | 2006 | 2013 | 3572 | 1637 | 1020 | 1615 => {
            (ErrorKind::Transient, "try again")
        }
        // Keys and checks.
        1022 | 1048 | 1062 | 1169 | 1216 | 1217 | 1364 | 1451 | 1452 | 1557 | 1586 | 1644 | 3819 | 4025 => {
            (ErrorKind::Constraint, "")
        }
        // Values.
        1292 => (
            ErrorKind::Value,
            "check the value against the column's type; times are in UTC and written without a zone (`2024-02-29 13:14:15`)",
        ),
        1210 | 1264 | 1265 | 1366 | 1367 | 1406 | 1411 | 1416 | 1426 | 1525 | 1690 | 3140..=3144 | 3156 | 4038 => {
            (ErrorKind::Value, "check the value against the column's type")
        }
        1153 | 1301 | 1038 | 1041 | 1037 => (ErrorKind::Limit, "ask for less at once"),
        // Texts: syntax, names, types, what cannot be prepared.
        1007
        | 1008
        | 1046
        | 1050..=1052
        | 1054..=1061
        | 1063..=1066
        | 1072
        | 1075
        | 1091
        | 1093
        | 1096
        | 1109..=1111
        | 1115
        | 1120
        | 1128
        | 1136
        | 1140
        | 1146
        | 1149
        | 1166
        | 1172
        | 1176
        | 1221
        | 1222
        | 1235
        | 1241
        | 1242
        | 1248
        | 1267
        | 1271
        | 1288
        | 1295
        | 1305
        | 1318
        | 1327
        | 1347
        | 1348
        | 1368
        | 1415
        | 1418
        | 1471
        | 1582
        | 1583
        | 1630
        | 1906
        | 3105
        | 4078 => (ErrorKind::Statement, ""),
        _ => (ErrorKind::Other, ""),
    }
}

/// Where in the text an error is, for the errors that quote it: `… near 'FRM t' at line 2`, or an
/// unknown name that the text has once.
fn position(error: &ServerError, text: &str) -> Option<usize> {
    let message = &error.message;
    match error.code {
        1064 => {
            let (_, rest) = message.split_once(" near '")?;
            let (near, line) = rest.rsplit_once("' at line ")?;
            let line: usize = line.trim().parse().ok()?;
            let start = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
            // At the end of the text nothing is quoted. The server counts the line where the quote ends up.
            if near.is_empty() {
                return Some(text.trim_end().len());
            }
            text.get(start..).and_then(|rest| rest.find(near)).map(|at| start + at).or_else(|| text.rfind(near))
        }
        1054 | 1146 | 1305 | 1052 => {
            let name = match message.split_once('\'') {
                Some((_, rest)) => rest.split_once('\'')?.0,
                // `FUNCTION shop.f does not exist`
                None => message.split(' ').nth(1)?,
            };
            let last = name.rsplit('.').next()?;
            let mut found = text.match_indices(last);
            let (at, _) = found.next()?;
            found.next().is_none().then_some(at)
        }
        _ => None,
    }
}
