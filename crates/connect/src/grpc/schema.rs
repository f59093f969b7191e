//! What a server offers: services, methods, messages.

mod json;

use prost::Message as _;
use prost_reflect::prost_types::method_options::IdempotencyLevel;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use prost_reflect::{DescriptorPool, FileDescriptor, MessageDescriptor, MethodDescriptor};
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use serde_json::Value;

use super::{FILES_MAX, SCHEMA_BYTES_MAX};

/// Most names that an error lists.
const NAMES_MAX: usize = 20;

/// The schema of a server.
#[derive(Clone, Debug)]
pub struct Schema {
    pub(super) pool: DescriptorPool,
}

/// Texts by their names, as `import` names them.
struct Texts(Vec<(String, String)>);

impl FileResolver for Texts {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match self.0.iter().find(|(own, _)| own == name) {
            Some((_, text)) => File::from_source(name, text),
            None => Err(protox::Error::file_not_found(name)),
        }
    }
}

impl Schema {
    /// Reads `.proto` texts, each with the name by which others import it. The files of protobuf itself need not be given.
    pub fn from_protos(files: &[(&str, &str)]) -> Result<Self, String> {
        if files.len() > FILES_MAX || files.iter().map(|(_, text)| text.len()).sum::<usize>() > SCHEMA_BYTES_MAX {
            return Err(format!("is larger than {FILES_MAX} files or {SCHEMA_BYTES_MAX} bytes"));
        }
        let texts = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        let mut resolver = ChainFileResolver::new();
        resolver.add(Texts(texts));
        resolver.add(GoogleFileResolver::new());
        let mut compiler = protox::Compiler::with_file_resolver(resolver);
        compiler.include_imports(true).include_source_info(true);
        for (name, _) in files {
            compiler.open_file(name).map_err(|error| told(&error))?;
        }
        Ok(Self { pool: compiler.descriptor_pool() })
    }

    /// Reads a descriptor set, as `protoc --include_imports --descriptor_set_out` writes it.
    pub fn from_descriptor_set(bytes: &[u8]) -> Result<Self, String> {
        if bytes.len() > SCHEMA_BYTES_MAX {
            return Err(format!("is larger than {SCHEMA_BYTES_MAX} bytes"));
        }
        let set = FileDescriptorSet::decode(bytes).map_err(|error| format!("is no descriptor set: {error}"))?;
        Self::from_files(set.file)
    }

    /// Puts files together, in any order; those of protobuf itself may be missing.
    pub(super) fn from_files(mut files: Vec<FileDescriptorProto>) -> Result<Self, String> {
        if files.len() > FILES_MAX {
            return Err(format!("has more than {FILES_MAX} files"));
        }
        let mut nth = 0;
        while let Some(file) = files.get(nth) {
            nth += 1;
            for name in file.dependency.clone() {
                let is_known = files.iter().any(|file| file.name() == name);
                if let Some(file) = GoogleFileResolver::new().open_file(&name).ok().filter(|_| !is_known) {
                    files.push(file.file_descriptor_proto().clone());
                }
            }
        }
        let mut pool = DescriptorPool::new();
        pool.add_file_descriptor_protos(files).map_err(|error| format!("is not complete: {error}"))?;
        Ok(Self { pool })
    }

    /// The names of the services: `shop.v1.Orders`.
    pub fn services(&self) -> Vec<String> {
        self.pool.services().map(|service| service.full_name().to_owned()).collect()
    }

    /// The methods of all services, by path: `shop.v1.Orders/GetOrder`.
    pub fn methods(&self) -> Vec<String> {
        self.all().map(|method| path(&method)).collect()
    }

    /// A method by its name alone when that is enough, or with its service: `GetOrder`, `Orders/GetOrder`, `shop.v1.Orders/GetOrder`;
    /// a dot does as well as the slash.
    pub fn method(&self, name: &str) -> Result<Method, String> {
        let wanted = name.trim_start_matches('/').replace('/', ".");
        let fits = |method: &MethodDescriptor| {
            let full = method.full_name();
            full.strip_suffix(wanted.as_str()).is_some_and(|before| before.is_empty() || before.ends_with('.'))
        };
        let found: Vec<_> = self.all().filter(fits).collect();
        let listed = |methods: &[String]| {
            let more = if methods.len() > NAMES_MAX { ", …" } else { "" };
            methods.iter().take(NAMES_MAX).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ") + more
        };
        match found.as_slice() {
            [] if self.pool.services().len() == 0 => Err("the schema has no services".to_owned()),
            [] => Err(format!("there is no method `{name}`; there are {}", listed(&self.methods()))),
            [only] if only.is_client_streaming() => {
                Err(format!("`{}` takes a stream of messages; a tool has one to give", path(only)))
            }
            [only] => Ok(Method { inner: only.clone(), schema: self.clone() }),
            several => {
                let several: Vec<_> = several.iter().map(path).collect();
                Err(format!("`{name}` is the name of several methods: {}", listed(&several)))
            }
        }
    }

    fn all(&self) -> impl Iterator<Item = MethodDescriptor> + '_ {
        self.pool.services().flat_map(|service| service.methods().collect::<Vec<_>>())
    }
}

/// A method that can be called.
#[derive(Clone, Debug)]
pub struct Method {
    inner: MethodDescriptor,
    schema: Schema,
}

impl Method {
    /// Where it is called: `/shop.v1.Orders/GetOrder`.
    pub fn path(&self) -> String {
        format!("/{}", path(&self.inner))
    }

    /// Whether it answers with a stream of messages.
    pub fn is_streaming(&self) -> bool {
        self.inner.is_server_streaming()
    }

    /// Whether its schema says that calling it twice is as good as once.
    pub fn is_idempotent(&self) -> bool {
        self.idempotency() != IdempotencyLevel::IdempotencyUnknown
    }

    /// Whether its schema says that it changes nothing.
    pub fn is_read_only(&self) -> bool {
        self.idempotency() == IdempotencyLevel::NoSideEffects
    }

    /// What its `.proto` text says of it.
    pub fn description(&self) -> Option<String> {
        comment(&self.inner.parent_service().parent_file(), self.inner.path())
    }

    /// JSON Schema of the message that it takes.
    pub fn parameters(&self) -> Value {
        json::input(&self.inner.input())
    }

    /// JSON Schema of the message that it gives, or of each message of its stream.
    pub fn output_schema(&self) -> Value {
        json::output(&self.inner.output())
    }

    pub(super) fn input(&self) -> MessageDescriptor {
        self.inner.input()
    }

    pub(super) fn output(&self) -> MessageDescriptor {
        self.inner.output()
    }

    pub(super) fn schema(&self) -> &Schema {
        &self.schema
    }

    fn idempotency(&self) -> IdempotencyLevel {
        let options = self.inner.method_descriptor_proto().options.as_ref();
        options.map_or(IdempotencyLevel::IdempotencyUnknown, |options| options.idempotency_level())
    }
}

fn path(method: &MethodDescriptor) -> String {
    format!("{}/{}", method.parent_service().full_name(), method.name())
}

/// What stands above a declaration in its file.
pub(super) fn comment(file: &FileDescriptor, path: &[i32]) -> Option<String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let place = info.location.iter().find(|place| place.path == path)?;
    let text = place.leading_comments().trim();
    let text = if text.is_empty() { place.trailing_comments().trim() } else { text };
    let words = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    (!words.is_empty()).then_some(words)
}

/// Says what is wrong with a text, and where.
fn told(error: &protox::Error) -> String {
    match error.file() {
        Some(file) if !error.is_file_not_found() => format!("is not valid: `{file}`: {error}"),
        _ => format!("is not complete: {error}"),
    }
}
