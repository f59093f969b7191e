//! Plain files in a tar archive (POSIX.1-1988, `ustar`).

const BLOCK: usize = 512;

/// Writes files with their names.
pub(super) fn write(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut head = [0u8; BLOCK];
        let mut put = |at: usize, text: &[u8]| head[at..at + text.len()].copy_from_slice(text);
        put(0, &name.as_bytes()[..name.len().min(100)]);
        put(100, b"0000644\0");
        put(108, b"0000000\0");
        put(116, b"0000000\0");
        put(124, format!("{:011o}\0", bytes.len()).as_bytes());
        put(136, b"00000000000\0");
        put(148, b"        ");
        put(156, b"0");
        put(257, b"ustar\x0000");
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(head);
        out.extend(bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

/// Reads files with their names. Anything but plain files is refused.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, String> {
    let mut files = Vec::new();
    let mut rest = bytes;
    while let Some((head, after)) = rest.split_at_checked(BLOCK) {
        if head.iter().all(|byte| *byte == 0) {
            return Ok(files);
        }
        let text = |range: std::ops::Range<usize>| {
            let field = head[range].split(|byte| *byte == 0).next().unwrap_or_default();
            std::str::from_utf8(field).map(str::trim).map_err(|_| "a name in it is no text".to_owned())
        };
        let number = |range| usize::from_str_radix(text(range)?, 8).map_err(|_| "a head in it is damaged".to_owned());
        let sum: usize = head
            .iter()
            .enumerate()
            .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { usize::from(*byte) })
            .sum();
        if number(148..156)? != sum {
            return Err("a head in it is damaged".to_owned());
        }
        let (name, size) = (text(0..100)?.to_owned(), number(124..136)?);
        if !matches!(head[156], b'0' | 0) {
            return Err(format!("`{name}` is not a plain file"));
        }
        let content = after.get(..size).ok_or("it was cut off")?;
        files.push((name, content.to_vec()));
        rest = after.get(size.next_multiple_of(BLOCK)..).ok_or("it was cut off")?;
    }
    Err("it was cut off".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn files_come_back_and_damage_is_found() {
        let files: Vec<(String, Vec<u8>)> = (0..5).map(|n| (format!("a/{n}.json"), vec![b'x'; n * 300])).collect();
        let packed = write(&files);
        assert_eq!(read(&packed).unwrap(), files);
        assert!(read(&packed[..packed.len() - 1024 - 512]).is_err());
        for at in [0, 100, 124, 150] {
            let mut damaged = packed.clone();
            damaged[at] ^= 1;
            assert!(read(&damaged).is_err(), "{at}");
        }
        assert!(read(b"").is_err());
    }
}
