//! From versions to an archive and back.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read as _, Write as _};

use base::{Diagnostic, Digest};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use spec::Spec;
use store::{Format, Release, Version};

use super::tar;
use crate::{Code, Error, SpecText};

/// Version of the archive.
const FORMAT: u32 = 1;
/// Largest archive, unpacked, bytes.
pub const ARCHIVE_BYTES_MAX: u64 = 64 << 20;
/// Name of the manifest in the archive.
const MANIFEST: &str = "manifest.json";

/// What is in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Version of the archive.
    pub format: u32,
    /// The program that wrote it.
    pub program: String,
    /// When it was written, RFC 3339.
    pub made_at: String,
    /// The versions, in the order in which they are to be stored.
    pub versions: Vec<Packed>,
    /// SHA-256 of every other file.
    pub files: BTreeMap<String, String>,
}

/// A version in an archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Packed {
    /// Name of the server.
    pub name: String,
    /// The version.
    pub version: String,
    /// Digest of the canonical form.
    pub digest: String,
    /// Folder of its files.
    pub folder: String,
    /// `yaml` or `json`: how the spec was written.
    pub format: String,
    /// Whether it was made in development mode.
    pub dev: bool,
    /// Whether it is the current version of its server.
    pub current: bool,
    /// The template that its server was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
}

impl Packed {
    fn file(&self, what: &str) -> String {
        let ending = if what == "spec" { self.format.as_str() } else { "json" };
        format!("{}/{what}.{ending}", self.folder)
    }
}

/// An archive that cannot be used.
pub(super) fn bad(why: impl std::fmt::Display) -> Error {
    Error::new(Code::BadArchive, format!("the archive cannot be used: {why}"))
        .hint("use a file that `mcp-factory export` wrote, unchanged")
}

/// Packs versions.
pub(super) fn pack(versions: &[Version]) -> Result<(Manifest, Vec<u8>), Error> {
    let mut manifest = Manifest {
        format: FORMAT,
        program: format!("mcp-factory {}", env!("CARGO_PKG_VERSION")),
        made_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        versions: Vec::new(),
        files: BTreeMap::new(),
    };
    let mut files = Vec::new();
    for (number, version) in (1..).zip(versions) {
        let release = &version.release;
        let packed = Packed {
            name: release.name.clone(),
            version: release.version.clone(),
            digest: release.digest.as_str().to_owned(),
            folder: format!("servers/{}/{number:05}", release.name),
            format: release.format.as_str().to_owned(),
            dev: release.dev,
            current: version.current,
            template: release.template.clone(),
        };
        for (what, text) in [("spec", &release.source), ("canonical", &release.canonical), ("plan", &release.plan)] {
            let name = packed.file(what);
            manifest.files.insert(name.clone(), Digest::of(text.as_bytes()).as_str().to_owned());
            files.push((name, text.as_bytes().to_vec()));
        }
        manifest.versions.push(packed);
    }
    let text = serde_json::to_vec_pretty(&manifest)
        .map_err(|error| Error::new(Code::Internal, format!("the manifest cannot be written: {error}")))?;
    files.insert(0, (MANIFEST.to_owned(), text));
    let plain = tar::write(&files);
    if plain.len() as u64 > ARCHIVE_BYTES_MAX {
        let what = format!("the archive would be larger than {} MiB", ARCHIVE_BYTES_MAX >> 20);
        return Err(Error::new(Code::TooLarge, what).hint("export servers one by one, or use `mcp-factory backup`"));
    }
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    let written = out.write_all(&plain).and_then(|()| out.finish());
    let bytes =
        written.map_err(|error| Error::new(Code::Internal, format!("the archive cannot be packed: {error}")))?;
    Ok((manifest, bytes))
}

/// Reads an archive and looks at every digest.
pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<Release>, Error> {
    let mut plain = Vec::new();
    let read = GzDecoder::new(bytes).take(ARCHIVE_BYTES_MAX + 1).read_to_end(&mut plain);
    read.map_err(|error| bad(format!("it is not compressed as it should be: {error}")))?;
    if plain.len() as u64 > ARCHIVE_BYTES_MAX {
        return Err(bad(format!("it is larger than {} MiB", ARCHIVE_BYTES_MAX >> 20)));
    }
    let mut files: HashMap<String, Vec<u8>> = tar::read(&plain).map_err(bad)?.into_iter().collect();
    let manifest = files.remove(MANIFEST).ok_or_else(|| bad("it has no manifest"))?;
    let manifest: Manifest =
        serde_json::from_slice(&manifest).map_err(|error| bad(format!("its manifest cannot be read: {error}")))?;
    if manifest.format != FORMAT {
        return Err(bad(format!("it has format {}, and this program knows format {FORMAT}", manifest.format)));
    }
    let mut texts = HashMap::new();
    for (name, digest) in &manifest.files {
        let bytes = files.remove(name).ok_or_else(|| bad(format!("`{name}` is missing")))?;
        if Digest::of(&bytes).as_str() != digest {
            return Err(bad(format!("`{name}` was changed")));
        }
        let text = String::from_utf8(bytes).map_err(|_| bad(format!("`{name}` is no text")))?;
        texts.insert(name.clone(), text);
    }
    if let Some(name) = files.keys().min() {
        return Err(bad(format!("`{name}` is not in its manifest")));
    }
    manifest.versions.iter().map(|packed| release(packed, &mut texts)).collect()
}

fn release(packed: &Packed, texts: &mut HashMap<String, String>) -> Result<Release, Error> {
    let mut text = |what: &str| {
        let name = packed.file(what);
        texts.remove(&name).ok_or_else(|| bad(format!("`{name}` is missing")))
    };
    let (source, canonical, plan) = (text("spec")?, text("canonical")?, text("plan")?);
    let place = || format!("version {} of `{}`", packed.version, packed.name);
    let format = if packed.format == Format::Json.as_str() { Format::Json } else { Format::Yaml };
    let spec: Spec =
        serde_json::from_str(&canonical).map_err(|error| bad(format!("{} cannot be read: {error}", place())))?;
    let digest = spec.digest();
    if spec.name != packed.name || spec.version != packed.version || digest.as_str() != packed.digest {
        return Err(bad(format!("{} is not what its manifest says", place())));
    }
    let spec = written(packed, &source, format).map_err(|why| bad(format!("{}: {why}", place())))?;
    if spec.digest() != digest {
        let what = format!("the spec of {} as it was written says something else than its canonical form", place());
        return Err(bad(what));
    }
    let known: ::plan::Plan =
        serde_json::from_str(&plan).map_err(|error| bad(format!("the plan of {} cannot be read: {error}", place())))?;
    if let Some(why) = fault(&spec, &known, packed.dev) {
        return Err(bad(format!("the plan of {} does not fit its spec: {why}", place())));
    }
    let transport = serde_json::to_value(spec.transport).ok().and_then(|word| word.as_str().map(str::to_owned));
    Ok(Release {
        name: spec.name.clone(),
        version: spec.version.clone(),
        digest,
        title: spec.title.clone(),
        description: spec.description.clone(),
        transport: transport.unwrap_or_default(),
        tools: spec.tools.len(),
        source,
        format,
        canonical: spec.canonical_json(),
        plan,
        dev: packed.dev,
        template: packed.template.clone(),
    })
}

/// The spec as it was written, read and checked as `create` does.
fn written(packed: &Packed, source: &str, format: Format) -> Result<Spec, String> {
    let format = match format {
        Format::Json => crate::source::Format::Json,
        Format::Yaml => crate::source::Format::Yaml,
    };
    let text = SpecText { name: packed.file("spec"), text: source.to_owned(), format: Some(format) };
    text.parse(false).map(|parsed| parsed.spec).map_err(|error| told(&error.message, &error.diagnostics))
}

/// What keeps a plan from being run for a spec. No connection is opened: what this machine lacks counts for nothing.
fn fault(spec: &Spec, plan: &::plan::Plan, dev: bool) -> Option<String> {
    let nothing = |_: &str| None;
    let faults = match host::toolset(spec, plan, host::open_with(spec, &nothing, dev, None)) {
        Ok(toolset) => toolset.check(),
        Err(faults) => faults,
    };
    faults.iter().any(Diagnostic::is_error).then(|| told("it cannot be compiled", &faults))
}

/// What went wrong, with the first problem.
fn told(what: &str, diagnostics: &[Diagnostic]) -> String {
    match diagnostics.iter().find(|one| one.is_error()).or(diagnostics.first()) {
        Some(first) => format!("{what}: {}: {}", first.code, first.message),
        None => what.to_owned(),
    }
}
