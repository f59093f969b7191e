//! Buckets of S3 and of stores that speak its protocol.
//!
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/>

mod upload;
pub(super) mod xml;

use std::path::PathBuf;

use base::Secret;
use chrono::{DateTime, Utc};
use url::Url;

use super::content::Span;
use super::remote::{Remote, What, described};
use super::{Content, Entry, EntryKind, Job, Limits, Listing, Path, Presign, Wanted, fault, media};
use crate::egress::{Policy, Resolver, system_resolver};
use crate::http::{Api, Call, Credentials, Limits as HttpLimits, Method, Settings, SigV4, StatusCode};
use crate::{Error, ErrorKind};

/// Bytes beside the content that an answer may have.
const SLACK: usize = 64 * 1024;
/// Answers that are lists may have this many bytes: a thousand keys of a thousand bytes.
const LIST_BYTES: usize = 4 << 20;

/// A bucket of S3.
#[derive(Clone)]
pub struct S3 {
    /// The bucket.
    pub bucket: String,
    /// The region. Default of stores of one's own: `us-east-1`.
    pub region: String,
    /// Where another store than AWS is: `https://minio.example.com:9000`.
    pub endpoint: Option<Secret>,
    /// Whether the bucket is a part of the path rather than of the host.
    pub path_style: bool,
    /// What every key begins with.
    pub prefix: String,
    /// Identifier of the key and the key. None: the bucket is public.
    pub keys: Option<(String, Secret)>,
    /// The token of a temporary key.
    pub session_token: Option<Secret>,
    /// Where requests may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
    /// PEM file of the accepted certificate authorities.
    pub ca_file: Option<PathBuf>,
}

impl S3 {
    /// A public bucket of AWS.
    pub fn new(bucket: impl Into<String>, region: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            region: region.into(),
            endpoint: None,
            path_style: false,
            prefix: String::new(),
            keys: None,
            session_token: None,
            policy: Policy::default(),
            resolver: system_resolver(),
            ca_file: None,
        }
    }

    /// The URL that all keys are below.
    fn base(&self) -> Result<String, String> {
        let endpoint = match &self.endpoint {
            Some(endpoint) => endpoint.expose().trim_end_matches('/').to_owned(),
            None => format!("https://s3.{}.amazonaws.com", self.region),
        };
        if self.path_style {
            return Ok(format!("{endpoint}/{}", self.bucket));
        }
        let (scheme, rest) = endpoint.split_once("://").ok_or("the endpoint is no URL")?;
        Ok(format!("{scheme}://{}.{rest}", self.bucket))
    }
}

/// A bucket that can be asked.
pub(super) struct Bucket {
    remote: Remote,
    bucket: String,
    base: String,
    keys: Option<SigV4>,
}

impl Bucket {
    pub(super) fn open(name: &str, settings: S3, limits: &Limits) -> Result<Self, Error> {
        let config = |message: String| fault(name, ErrorKind::Config, "open", message);
        check_bucket(&settings.bucket, settings.path_style).map_err(config)?;
        let base = settings.base().map_err(config)?;
        let keys = settings.keys.as_ref().map(|(key_id, secret)| SigV4 {
            key_id: key_id.clone(),
            secret: secret.clone(),
            session_token: settings.session_token.clone(),
            region: settings.region.clone(),
            service: "s3".to_owned(),
        });
        let most = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let api = Api::open(Settings {
            credentials: keys.clone().map_or(Credentials::None, Credentials::SigV4),
            policy: settings.policy,
            resolver: settings.resolver,
            ca_file: settings.ca_file,
            limits: HttpLimits {
                request_bytes: upload::PART_BYTES,
                answer_bytes: most(limits.read_bytes.max(limits.write_bytes)).saturating_add(SLACK).max(LIST_BYTES),
                redirects: 0,
                ..HttpLimits::default()
            },
            unpack: false,
            ..Settings::new(name, Secret::new(base.clone()))
        })?;
        let prefix = Remote::prefix(name, &settings.prefix)?;
        Ok(Self { remote: Remote { name: name.to_owned(), api, prefix }, bucket: settings.bucket, base, keys })
    }

    pub(super) async fn list(&self, wanted: Wanted, job: &Job) -> Result<Listing, Error> {
        let what = What::new("list files", wanted.folder.as_str());
        let mut call = Call::new(Method::GET, "");
        let mut ask = |name: &str, value: &str| call.query.push((name.to_owned(), value.to_owned()));
        ask("list-type", "2");
        ask("prefix", &self.remote.folder(&wanted.folder));
        ask("max-keys", &wanted.limit.to_string());
        if !wanted.recursive {
            ask("delimiter", "/");
        }
        if let Some(cursor) = &wanted.cursor {
            ask("continuation-token", cursor);
        }
        let reply = self.remote.send(&what, &call, job).await?;
        let root = xml::parse(&reply.body).map_err(|why| self.remote.fault(&what, ErrorKind::Other, why))?;
        let mut listing = Listing::default();
        for object in root.all("Contents") {
            // The marker of a folder is no file, and what cannot be asked for is not told of.
            let key = object.text("Key");
            let Some(path) = self.remote.path(key).filter(|path| !key.ends_with('/') && wanted.takes(path)) else {
                continue;
            };
            let mut entry = Entry::new(path, EntryKind::File);
            entry.size = object.text("Size").parse().ok();
            entry.modified =
                DateTime::parse_from_rfc3339(object.text("LastModified")).ok().map(|at| at.with_timezone(&Utc));
            entry.version = Some(object.text("ETag").trim_matches('"').to_owned());
            listing.entries.push(entry);
        }
        for common in root.all("CommonPrefixes") {
            if let Some(path) = self.remote.path(common.text("Prefix")).filter(|path| wanted.takes(path)) {
                listing.entries.push(Entry::new(path, EntryKind::Folder));
            }
        }
        listing.entries.sort_by(|a, b| a.path.cmp(&b.path));
        if root.text("IsTruncated") == "true" {
            listing.next = Some(root.text("NextContinuationToken").to_owned());
        }
        Ok(listing)
    }

    pub(super) async fn stat(&self, path: &Path, job: &Job) -> Result<Entry, Error> {
        let what = What::new("look at a file", path.as_str());
        if !path.is_root() {
            match self.remote.send(&what, &Call::new(Method::HEAD, self.object(path)), job).await {
                Ok(reply) => return Ok(described(path.as_str(), &reply.headers)),
                Err(error) if error.code.as_deref() == Some("not_found") => {}
                Err(error) => return Err(error),
            }
        }
        let wanted =
            Wanted { folder: path.clone(), recursive: true, glob: None, exclude: Vec::new(), limit: 1, cursor: None };
        let inside = self.list(wanted, job).await?;
        if inside.entries.is_empty() && inside.next.is_none() && !path.is_root() {
            return Err(self.remote.missing(&what));
        }
        Ok(Entry::new(path.as_str(), EntryKind::Folder))
    }

    pub(super) async fn read(&self, path: &Path, span: Span, job: &Job) -> Result<Content, Error> {
        let what = What::new("read a file", path.as_str());
        let mut call = Call::new(Method::GET, self.object(path));
        let last = if span.whole { span.last().saturating_add(1) } else { span.last() };
        call.headers.push(("range".to_owned(), format!("bytes={}-{last}", span.offset)));
        let reply = self.remote.try_send(&what, &call, job).await?;
        if reply.status == StatusCode::RANGE_NOT_SATISFIABLE || span.most == 0 {
            // An empty file has no first byte, and one may ask beyond the end.
            return Ok(self.remote.nothing(self.stat(path, job).await?, span));
        }
        let reply = if reply.status.is_success() { reply } else { self.remote.send(&what, &call, job).await? };
        let entry = described(path.as_str(), &reply.headers);
        self.remote.content(&what, reply, span, entry)
    }

    pub(super) async fn delete(&self, path: &Path, job: &Job) -> Result<(), Error> {
        let what = What::new("delete a file", path.as_str());
        self.remote.send(&what, &Call::new(Method::HEAD, self.object(path)), job).await?;
        self.remote.send(&what, &Call::new(Method::DELETE, self.object(path)), job).await.map(drop)
    }

    pub(super) async fn rename(&self, from: &Path, to: &Path, overwrite: bool, job: &Job) -> Result<Entry, Error> {
        let what = What::new("move a file", from.as_str());
        if !overwrite {
            let there = self.remote.try_send(&what, &Call::new(Method::HEAD, self.object(to)), job).await?;
            if there.status.is_success() {
                return Err(self.remote.exists(&What::new("move a file", to.as_str())));
            }
        }
        let source = crate::percent::encode(format!("{}/{}", self.bucket, self.remote.key(from)).as_bytes(), b"/");
        let mut copy = Call::new(Method::PUT, self.object(to));
        copy.headers.push(("x-amz-copy-source".to_owned(), format!("/{source}")));
        let reply = self.remote.send(&what, &copy, job).await?;
        // A copy may fail after its answer has begun with 200.
        let root = xml::parse(&reply.body).map_err(|why| self.remote.fault(&what, ErrorKind::Other, why))?;
        if root.name == "Error" {
            return Err(self.remote.fault(
                &what,
                ErrorKind::Transient,
                format!("the copy failed: {}", root.text("Code")),
            ));
        }
        self.remote.send(&what, &Call::new(Method::DELETE, self.object(from)), job).await?;
        self.stat(to, job).await
    }

    pub(super) fn presign(&self, path: &Path, wanted: &Presign) -> Result<String, Error> {
        let what = What::new("presign a URL", path.as_str());
        let keys = self
            .keys
            .as_ref()
            .ok_or_else(|| self.remote.fault(&what, ErrorKind::Config, "the connection has no key to sign with"))?;
        let other = |why: String| self.remote.fault(&what, ErrorKind::Other, why);
        let mut url =
            Url::parse(&format!("{}{}", self.base, self.object(path))).map_err(|error| other(error.to_string()))?;
        let method = if wanted.write { "PUT" } else { "GET" };
        keys.presign(Utc::now(), method, &mut url, wanted.expires).map_err(other)?;
        Ok(url.into())
    }

    /// The path of an object below the base URL.
    fn object(&self, path: &Path) -> String {
        format!("/{}", crate::percent::encode(self.remote.key(path).as_bytes(), b"/"))
    }

    fn media_type(path: &Path, given: Option<&String>) -> String {
        given.cloned().unwrap_or_else(|| media::of(path.as_str()).to_owned())
    }
}

/// A name of a bucket, so that nothing in it changes where a request goes.
pub(super) fn check_bucket(name: &str, path_style: bool) -> Result<(), String> {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b));
    let ends = name.bytes().next().zip(name.bytes().last());
    let ends = ends.is_some_and(|(a, b)| a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric());
    if !plain || !ends || !(3..=222).contains(&name.len()) || name.contains("..") {
        return Err(format!("`{}` is no name of a bucket", name.escape_debug()));
    }
    if !path_style && name.contains('_') {
        return Err(format!("the bucket `{name}` cannot be part of a host's name; use the path style"));
    }
    Ok(())
}
