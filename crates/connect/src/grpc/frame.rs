//! Messages on the wire: a flag, a length, and so many bytes.

use std::io::Read as _;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// Bytes before each message.
const HEAD: usize = 5;

/// Adds a message as it is sent.
pub(super) fn write(message: &[u8], out: &mut BytesMut) -> Result<(), String> {
    let length = u32::try_from(message.len()).map_err(|_| "the message is larger than 4 GiB".to_owned())?;
    out.reserve(HEAD + message.len());
    out.put_u8(0);
    out.put_u32(length);
    out.put_slice(message);
    Ok(())
}

/// Cuts what is received into messages.
pub(super) struct Reader {
    buffer: BytesMut,
    gzip: bool,
    most: usize,
}

/// Why what is received cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// A message is larger than the limit, unpacked.
    TooLarge,
    /// The bytes are not those of messages.
    Broken(&'static str),
}

impl Reader {
    /// `gzip` says that messages may be packed.
    pub(super) fn new(gzip: bool, most: usize) -> Self {
        Self { buffer: BytesMut::new(), gzip, most }
    }

    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next message, when all of it is there. A message that is too large is refused by its length.
    pub(super) fn next(&mut self) -> Result<Option<Bytes>, Fault> {
        let Some(mut head) = self.buffer.get(..HEAD) else { return Ok(None) };
        let (flag, length) = (head.get_u8(), usize::try_from(head.get_u32()).unwrap_or(usize::MAX));
        if length > self.most {
            return Err(Fault::TooLarge);
        }
        if self.buffer.len() < HEAD + length {
            return Ok(None);
        }
        self.buffer.advance(HEAD);
        let message = self.buffer.split_to(length).freeze();
        match (flag, self.gzip) {
            (0, _) => Ok(Some(message)),
            (1, true) => self.unpack(&message).map(Some),
            (1, false) => Err(Fault::Broken("a message is packed, and the answer does not say how")),
            _ => Err(Fault::Broken("a message begins with an unknown flag")),
        }
    }

    /// Whether bytes are left over.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    fn unpack(&self, packed: &[u8]) -> Result<Bytes, Fault> {
        let mut out = Vec::new();
        let most = u64::try_from(self.most).unwrap_or(u64::MAX).saturating_add(1);
        let read = flate2::read::MultiGzDecoder::new(packed).take(most).read_to_end(&mut out);
        read.map_err(|_| Fault::Broken("a message is not packed by gzip"))?;
        if out.len() > self.most { Err(Fault::TooLarge) } else { Ok(out.into()) }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use bytes::BytesMut;

    use super::{Fault, Reader, write};

    fn gzip(plain: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(plain).expect("memory");
        encoder.finish().expect("memory")
    }

    fn packed(flag: u8, bytes: &[u8]) -> Vec<u8> {
        let length = u32::try_from(bytes.len()).expect("a small message").to_be_bytes();
        [&[flag], &length[..], bytes].concat()
    }

    #[test]
    fn messages_come_in_any_pieces() {
        let mut all = BytesMut::new();
        write(b"first", &mut all).expect("it fits");
        write(b"", &mut all).expect("it fits");
        all.extend_from_slice(&packed(1, &gzip(b"third")));
        for size in 1..all.len() {
            let mut reader = Reader::new(true, 100);
            let mut found = Vec::new();
            for piece in all.chunks(size) {
                reader.add(piece);
                while let Some(message) = reader.next().expect("good bytes") {
                    found.push(message);
                }
            }
            assert_eq!(found, ["first", "", "third"]);
            assert!(reader.is_empty());
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        let bomb = gzip(&vec![0; 10 << 20]);
        let cut = gzip(b"hello world")[..12].to_vec();
        for (bytes, gzip, fault) in [
            (packed(0, &[0; 20_001]), true, Fault::TooLarge),
            (vec![0, 255, 255, 255, 255], true, Fault::TooLarge),
            (packed(1, &bomb), true, Fault::TooLarge),
            (packed(1, &cut), true, Fault::Broken("a message is not packed by gzip")),
            (packed(1, b"x"), false, Fault::Broken("a message is packed, and the answer does not say how")),
            (packed(2, b"x"), true, Fault::Broken("a message begins with an unknown flag")),
        ] {
            let mut reader = Reader::new(gzip, 20_000);
            reader.add(&bytes);
            assert_eq!(reader.next(), Err(fault));
        }
        let mut reader = Reader::new(true, 20_000);
        reader.add(&packed(0, b"half")[..7]);
        assert_eq!(reader.next(), Ok(None));
        assert!(!reader.is_empty());
    }
}
