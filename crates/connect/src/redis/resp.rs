//! The protocol of Redis, versions 2 and 3: <https://redis.io/docs/latest/develop/reference/protocol-spec/>.

use bytes::{Buf as _, Bytes, BytesMut};

/// Deepest nesting of an answer.
const DEPTH_MAX: usize = 64;
/// Longest line: an inline answer, an error, a length.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// What a server says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reply {
    Null,
    /// A status such as `OK`.
    Simple(Bytes),
    Bulk(Bytes),
    Int(i64),
    Double(f64),
    Bool(bool),
    /// An integer of any size, as digits.
    Big(Bytes),
    Error(Bytes),
    List(Vec<Reply>),
    Map(Vec<(Reply, Reply)>),
}

/// Writes a command: each word as a bulk string.
pub(super) fn write(words: &[Bytes], out: &mut BytesMut) {
    let number = |out: &mut BytesMut, sign: u8, number: usize| {
        out.extend_from_slice(&[sign]);
        out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
        out.extend_from_slice(b"\r\n");
    };
    number(out, b'*', words.len());
    for word in words {
        number(out, b'$', word.len());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Why bytes are no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) String);

/// Looks for the end of an answer as bytes come in, without reading any twice: a server that sends one byte at a time costs
/// no more than one that sends all at once.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    at: usize,
    /// How many answers are missing at each level.
    open: Vec<usize>,
    /// An attribute's content comes before the answer that it belongs to.
    begun: bool,
}

impl Scanner {
    /// The length of the first answer in `bytes`, once it is whole.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Result<Option<usize>, Malformed> {
        if !self.begun {
            *self = Self { at: 0, open: vec![1], begun: true };
        }
        loop {
            while self.open.last() == Some(&0) {
                self.open.pop();
            }
            let Some(missing) = self.open.last_mut() else {
                self.begun = false;
                return Ok(Some(self.at));
            };
            let Some((kind, line, after)) = line(bytes, self.at)? else { return Ok(None) };
            let mut end = after;
            let mut inner = 0;
            let mut counts = 1;
            match kind {
                b'$' | b'=' | b'!' => {
                    if let Some(length) = length(line)? {
                        end = after.saturating_add(length).saturating_add(2);
                        if end > bytes.len() {
                            return Ok(None);
                        }
                    }
                }
                b'*' | b'~' | b'>' => inner = length(line)?.unwrap_or(0),
                b'%' => inner = length(line)?.unwrap_or(0).saturating_mul(2),
                b'|' => (inner, counts) = (length(line)?.unwrap_or(0).saturating_mul(2), 0),
                b'+' | b'-' | b':' | b'_' | b'#' | b',' | b'(' => {}
                other => return Err(Malformed(format!("an answer begins with the byte {other:#04x}"))),
            }
            *missing -= counts;
            self.at = end;
            if inner > 0 {
                self.open.push(inner);
                if self.open.len() > DEPTH_MAX {
                    return Err(Malformed(format!("an answer is nested deeper than {DEPTH_MAX} levels")));
                }
            }
        }
    }
}

/// A line's first byte, its rest, and where the next one begins.
type Line<'a> = (u8, &'a [u8], usize);

fn line(bytes: &[u8], at: usize) -> Result<Option<Line<'_>>, Malformed> {
    let rest = bytes.get(at..).unwrap_or_default();
    let head = &rest[..rest.len().min(LINE_BYTES_MAX)];
    match memchr::memchr(b'\n', head) {
        Some(end) if end >= 2 && head[end - 1] == b'\r' => Ok(Some((head[0], &head[1..end - 1], at + end + 1))),
        Some(_) => Err(Malformed("a line of an answer does not end as the protocol says".to_owned())),
        None if head.len() == LINE_BYTES_MAX => {
            Err(Malformed(format!("a line of an answer is longer than {LINE_BYTES_MAX} bytes")))
        }
        None => Ok(None),
    }
}

/// A length; -1 stands for no value.
fn length(line: &[u8]) -> Result<Option<usize>, Malformed> {
    match int(line)? {
        -1 => Ok(None),
        length => usize::try_from(length).map(Some).map_err(|_| Malformed(format!("{length} is no length"))),
    }
}

fn int(line: &[u8]) -> Result<i64, Malformed> {
    let text = std::str::from_utf8(line).ok();
    let number = text.and_then(|text| text.parse().ok());
    number.ok_or_else(|| Malformed(format!("`{}` is no integer", String::from_utf8_lossy(line))))
}

/// Reads one answer that [`Scanner`] found whole. What a server pushes on its own is left out.
pub(super) fn read(whole: &mut Bytes) -> Result<Reply, Malformed> {
    let Some((kind, line, after)) = line(whole, 0)? else {
        return Err(Malformed("an answer ends too early".to_owned()));
    };
    let line = whole.slice_ref(line);
    whole.advance(after);
    let reply = match kind {
        b'+' => Reply::Simple(line),
        b'-' => Reply::Error(line),
        b':' => Reply::Int(int(&line)?),
        b'_' => Reply::Null,
        b'#' => Reply::Bool(&line[..] == b"t"),
        b',' => Reply::Double(double(&line)?),
        b'(' => Reply::Big(line),
        b'$' | b'=' | b'!' => match length(&line)? {
            None => Reply::Null,
            Some(length) if whole.len() >= length + 2 => {
                let mut bulk = whole.split_to(length);
                whole.advance(2);
                if kind == b'=' {
                    // `txt:` stands before a verbatim text.
                    bulk.advance(bulk.len().min(4));
                }
                if kind == b'!' { Reply::Error(bulk) } else { Reply::Bulk(bulk) }
            }
            Some(_) => return Err(Malformed("an answer ends too early".to_owned())),
        },
        b'*' | b'~' | b'>' => match length(&line)? {
            None => Reply::Null,
            Some(length) => Reply::List((0..length).map(|_| read(whole)).collect::<Result<_, _>>()?),
        },
        b'%' => {
            let pairs = (0..length(&line)?.unwrap_or(0)).map(|_| Ok((read(whole)?, read(whole)?)));
            Reply::Map(pairs.collect::<Result<_, _>>()?)
        }
        b'|' => {
            for _ in 0..length(&line)?.unwrap_or(0).saturating_mul(2) {
                read(whole)?;
            }
            read(whole)?
        }
        other => return Err(Malformed(format!("an answer begins with the byte {other:#04x}"))),
    };
    Ok(reply)
}

fn double(line: &[u8]) -> Result<f64, Malformed> {
    let text = String::from_utf8_lossy(line);
    text.parse().map_err(|_| Malformed(format!("`{text}` is no number")))
}

#[cfg(test)]
mod tests {
    use bytes::{Bytes, BytesMut};
    use proptest::prelude::*;

    use super::{Reply, Scanner, read, write};

    fn whole(text: &[u8]) -> Result<Reply, super::Malformed> {
        let mut bytes = Bytes::copy_from_slice(text);
        let reply = read(&mut bytes)?;
        assert!(bytes.is_empty(), "nothing is left");
        Ok(reply)
    }

    #[test]
    fn every_kind_of_answer_is_read_whatever_the_pieces() {
        let bulk = |text: &'static str| Reply::Bulk(Bytes::from_static(text.as_bytes()));
        let cases: [(&str, Reply); 14] = [
            ("+OK\r\n", Reply::Simple(Bytes::from_static(b"OK"))),
            ("-ERR no\r\n", Reply::Error(Bytes::from_static(b"ERR no"))),
            (":-42\r\n", Reply::Int(-42)),
            ("$3\r\na\r\n\r\n", bulk("a\r\n")),
            ("$-1\r\n", Reply::Null),
            ("*-1\r\n", Reply::Null),
            ("_\r\n", Reply::Null),
            ("#t\r\n", Reply::Bool(true)),
            (",1.5\r\n", Reply::Double(1.5)),
            ("(123456789012345678901\r\n", Reply::Big(Bytes::from_static(b"123456789012345678901"))),
            ("=6\r\ntxt:hi\r\n", bulk("hi")),
            ("*2\r\n:1\r\n*1\r\n$1\r\na\r\n", Reply::List(vec![Reply::Int(1), Reply::List(vec![bulk("a")])])),
            ("%1\r\n$1\r\nk\r\n*0\r\n", Reply::Map(vec![(bulk("k"), Reply::List(Vec::new()))])),
            ("|1\r\n+a\r\n:1\r\n~1\r\n:7\r\n", Reply::List(vec![Reply::Int(7)])),
        ];
        for (text, expected) in cases {
            let mut scanner = Scanner::default();
            for end in 0..text.len() {
                assert_eq!(scanner.scan(&text.as_bytes()[..end]), Ok(None), "{text:?} up to {end}");
            }
            assert_eq!(scanner.scan(text.as_bytes()), Ok(Some(text.len())), "{text:?}");
            assert_eq!(whole(text.as_bytes()), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        let deep = "*1\r\n".repeat(100);
        for text in ["HTTP/1.1 400 Bad Request\r\n", "$x\r\n", "*-7\r\n", ":1\n", deep.as_str()] {
            assert!(Scanner::default().scan(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_written_command_is_a_list_of_its_words(words in proptest::collection::vec(any::<Vec<u8>>(), 1..8)) {
            let words: Vec<Bytes> = words.into_iter().map(Bytes::from).collect();
            let mut out = BytesMut::new();
            write(&words, &mut out);
            let expected = Reply::List(words.into_iter().map(Reply::Bulk).collect());
            prop_assert_eq!(Scanner::default().scan(&out), Ok(Some(out.len())));
            prop_assert_eq!(whole(&out), Ok(expected));
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            if let Ok(Some(end)) = Scanner::default().scan(&bytes) {
                let _ = read(&mut Bytes::copy_from_slice(&bytes[..end]));
            }
        }
    }
}
