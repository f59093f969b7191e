//! Reading what the user named: files, standard input.

use std::io::Read as _;
use std::path::Path;

use operations::source::Format;
use operations::{Code, Error, SpecText, Subject};

/// Most bytes read of any file: one more than the largest spec, so that a larger one is reported
/// as too large and not silently cut.
const READ_BYTES_MAX: u64 = spec::limits::DOCUMENT_BYTES_MAX as u64 + 1;

/// Reads a spec from a file, or from standard input for `-`. Where there is no such file it may be a server that comes with the program.
pub(crate) fn read_spec(path: &Path) -> Result<SpecText, Error> {
    if path.as_os_str() == "-" {
        return SpecText::from_bytes("<stdin>", read(std::io::stdin().lock(), "standard input")?, None);
    }
    if let Some(own) = path.to_str().filter(|_| !path.exists()).and_then(operations::first_party::find) {
        return Ok(own.spec());
    }
    let format = path.extension().and_then(|extension| match extension.to_str()? {
        "json" => Some(Format::Json),
        "yaml" | "yml" => Some(Format::Yaml),
        _ => None,
    });
    let bytes = read_file(path).map_err(|error| match error.code {
        Code::FileNotFound => error.hint("`-` reads standard input"),
        _ => error,
    })?;
    SpecText::from_bytes(path.display().to_string(), bytes, format)
}

/// Reads a file up to the limit.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(Code::FileNotFound, format!("there is no file {name}")).hint(
            near_file(path).map_or_else(|| "check the path".to_owned(), |near| format!("did you mean `{near}`?")),
        ),
        _ => unreadable(&name, &error),
    })?;
    if file.metadata().is_ok_and(|data| data.is_dir()) {
        return Err(Error::new(Code::FileUnreadable, format!("{name} is a folder")).hint("name a file in it"));
    }
    read(file, &name)
}

fn read(from: impl std::io::Read, name: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    from.take(READ_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| unreadable(name, &error))?;
    Ok(bytes)
}

fn unreadable(name: &str, error: &std::io::Error) -> Error {
    Error::new(Code::FileUnreadable, format!("cannot read {name}: {error}"))
        .hint("check that it is a file and that you may read it")
}

/// A file in the same folder with a similar name.
fn near_file(path: &Path) -> Option<String> {
    const LOOKED_AT: usize = 500;
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let names: Vec<String> = std::fs::read_dir(folder)
        .ok()?
        .take(LOOKED_AT)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .collect();
    let near = base::nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(path.with_file_name(near).display().to_string())
}

/// What `NAME|FILE` names: a path or `-` is a file, anything else a server of the catalogue.
pub(crate) fn subject(word: &str, version: Option<String>) -> Result<Subject, Error> {
    let path = Path::new(word);
    let like_file = word == "-"
        || word.contains(['/', '\\'])
        || path.extension().is_some_and(|e| ["yaml", "yml", "json"].iter().any(|known| e.eq_ignore_ascii_case(known)));
    if !like_file {
        return Ok(Subject::Server { name: word.to_owned(), version });
    }
    if version.is_some() {
        return Err(Error::new(
            Code::Usage,
            format!("`--spec-version` is for servers of the catalogue, and {word} is a file"),
        )
        .hint("leave it out, or name a server"));
    }
    Ok(Subject::Spec { spec: read_spec(path)? })
}
