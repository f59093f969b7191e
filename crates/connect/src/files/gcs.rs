//! Buckets of Google Cloud Storage, by its JSON API.
//!
//! <https://cloud.google.com/storage/docs/json_api/v1>

mod keys;

use base::Secret;
use bytes::{Bytes, BytesMut};
use chrono::DateTime;
use serde::Deserialize;

use super::content::Span;
use super::remote::{Remote, What, put};
use super::{Content, Entry, EntryKind, Job, Limits, Listing, Mode, Path, Presign, Wanted, Write, fault, media};
use crate::egress::{Policy, Resolver, system_resolver};
use crate::http::{Api, Call, Credentials, Limits as HttpLimits, Method, Settings, StatusCode};
use crate::{Error, ErrorKind};
use keys::Account;

/// Where Google serves it.
const ENDPOINT: &str = "https://storage.googleapis.com";
/// Bytes beside the content that an answer may have.
const SLACK: usize = 64 * 1024;
/// Answers that are lists may have this many bytes.
const LIST_BYTES: usize = 8 << 20;
/// The parts of an object that are asked for.
const FIELDS: &str = "name,size,updated,timeCreated,generation,contentType";

/// A bucket of Google Cloud Storage.
#[derive(Clone)]
pub struct Gcs {
    /// The bucket.
    pub bucket: String,
    /// Where another server than Google's is, such as an emulator.
    pub endpoint: Option<Secret>,
    /// What every name begins with.
    pub prefix: String,
    /// The key file of a service account, JSON. None: the bucket is public.
    pub service_account: Option<Secret>,
    /// Where requests may go.
    pub policy: Policy,
    /// How names become addresses.
    pub resolver: Resolver,
}

impl Gcs {
    /// A public bucket.
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            endpoint: None,
            prefix: String::new(),
            service_account: None,
            policy: Policy::default(),
            resolver: system_resolver(),
        }
    }
}

/// A bucket that can be asked.
pub(super) struct Bucket {
    remote: Remote,
    bucket: String,
    endpoint: String,
    account: Option<Account>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Object {
    name: String,
    size: Option<String>,
    updated: Option<String>,
    time_created: Option<String>,
    generation: Option<serde_json::Value>,
    content_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    items: Vec<Object>,
    #[serde(default)]
    prefixes: Vec<String>,
    next_page_token: Option<String>,
}

impl Object {
    fn entry(&self, path: &str) -> Entry {
        let time = |text: &Option<String>| {
            text.as_ref().and_then(|text| DateTime::parse_from_rfc3339(text).ok()).map(|time| time.to_utc())
        };
        let mut entry = Entry::new(path, EntryKind::File);
        entry.size = self.size.as_ref().and_then(|size| size.parse().ok());
        entry.modified = time(&self.updated);
        entry.created = time(&self.time_created);
        entry.version = self.generation.as_ref().map(|number| number.to_string().trim_matches('"').to_owned());
        if let Some(kind) = self.content_type.as_ref().filter(|kind| *kind != media::UNKNOWN) {
            entry.media_type = Some(kind.clone());
        }
        entry
    }
}

impl Bucket {
    pub(super) fn open(name: &str, settings: Gcs, limits: &Limits) -> Result<Self, Error> {
        let config = |message: String| fault(name, ErrorKind::Config, "open", message);
        super::s3::check_bucket(&settings.bucket, true).map_err(config)?;
        let account = settings.service_account.as_ref().map(Account::parse).transpose().map_err(config)?;
        let endpoint = settings.endpoint.as_ref().map_or(ENDPOINT, Secret::expose).trim_end_matches('/').to_owned();
        let most = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX).saturating_add(SLACK);
        let api = Api::open(Settings {
            credentials: account.as_ref().map_or(Credentials::None, |account| Credentials::OAuth(account.oauth())),
            policy: settings.policy,
            resolver: settings.resolver,
            limits: HttpLimits {
                request_bytes: most(limits.write_bytes),
                answer_bytes: most(limits.read_bytes.max(limits.write_bytes)).max(LIST_BYTES),
                redirects: 0,
                ..HttpLimits::default()
            },
            unpack: false,
            ..Settings::new(name, Secret::new(endpoint.clone()))
        })?;
        let prefix = Remote::prefix(name, &settings.prefix)?;
        Ok(Self { remote: Remote { name: name.to_owned(), api, prefix }, bucket: settings.bucket, endpoint, account })
    }

    pub(super) async fn list(&self, wanted: Wanted, job: &Job) -> Result<Listing, Error> {
        let what = What::new("list files", wanted.folder.as_str());
        let mut call = Call::new(Method::GET, format!("/storage/v1/b/{}/o", self.bucket));
        let mut ask = |name: &str, value: &str| call.query.push((name.to_owned(), value.to_owned()));
        ask("prefix", &self.remote.folder(&wanted.folder));
        ask("maxResults", &wanted.limit.to_string());
        ask("fields", &format!("items({FIELDS}),prefixes,nextPageToken"));
        if !wanted.recursive {
            ask("delimiter", "/");
        }
        if let Some(cursor) = &wanted.cursor {
            ask("pageToken", cursor);
        }
        let reply = self.remote.send(&what, &call, job).await?;
        let page: Page = self.json(&what, &reply.body)?;
        let mut listing = Listing { entries: Vec::new(), next: page.next_page_token };
        for object in &page.items {
            let path = self.remote.path(&object.name).filter(|path| !object.name.ends_with('/') && wanted.takes(path));
            listing.entries.extend(path.map(|path| object.entry(&path)));
        }
        for prefix in &page.prefixes {
            let path = self.remote.path(prefix).filter(|path| wanted.takes(path));
            listing.entries.extend(path.map(|path| Entry::new(path, EntryKind::Folder)));
        }
        listing.entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(listing)
    }

    pub(super) async fn stat(&self, path: &Path, job: &Job) -> Result<Entry, Error> {
        let what = What::new("look at a file", path.as_str());
        if !path.is_root()
            && let Some(entry) = self.object(&what, path, job).await?
        {
            return Ok(entry);
        }
        let (folder, exclude) = (path.clone(), Vec::new());
        let wanted = Wanted { folder, recursive: true, glob: None, exclude, limit: 1, cursor: None };
        let inside = self.list(wanted, job).await?;
        if inside.entries.is_empty() && inside.next.is_none() && !path.is_root() {
            return Err(self.remote.missing(&what));
        }
        Ok(Entry::new(path.as_str(), EntryKind::Folder))
    }

    /// What is known of an object, if it is there.
    async fn object(&self, what: &What<'_>, path: &Path, job: &Job) -> Result<Option<Entry>, Error> {
        let mut call = Call::new(Method::GET, self.url(path));
        call.query.push(("fields".to_owned(), FIELDS.to_owned()));
        match self.remote.send(what, &call, job).await {
            Ok(reply) => self.json::<Object>(what, &reply.body).map(|object| Some(object.entry(path.as_str()))),
            Err(error) if error.code.as_deref() == Some("not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn read(&self, path: &Path, span: Span, job: &Job) -> Result<Content, Error> {
        let what = What::new("read a file", path.as_str());
        let Some(entry) = self.object(&what, path, job).await? else { return Err(self.remote.missing(&what)) };
        span.check(&self.remote.name, path.as_str(), entry.size.unwrap_or(0))?;
        if span.most == 0 || entry.size.is_some_and(|size| size <= span.offset) {
            return Ok(self.remote.nothing(entry, span));
        }
        let mut call = Call::new(Method::GET, self.url(path));
        call.query.push(("alt".to_owned(), "media".to_owned()));
        if let Some(version) = &entry.version {
            call.query.push(("generation".to_owned(), version.clone()));
        }
        if span.partial {
            call.headers.push(("range".to_owned(), format!("bytes={}-{}", span.offset, span.last())));
        }
        let reply = self.remote.try_send(&what, &call, job).await?;
        if reply.status == StatusCode::RANGE_NOT_SATISFIABLE {
            return Ok(self.remote.nothing(entry, span));
        }
        let reply = if reply.status.is_success() { reply } else { self.remote.send(&what, &call, job).await? };
        self.remote.content(&what, reply, span, entry)
    }

    pub(super) async fn write(&self, path: &Path, write: &Write, most: u64, job: &Job) -> Result<Entry, Error> {
        let mut what = What::new("write a file", path.as_str());
        let mut bytes = write.bytes.clone();
        let mut generation = write.if_version.clone();
        match write.mode {
            Mode::Overwrite => {}
            Mode::Create => {
                what.new = true;
                generation = Some("0".to_owned());
            }
            Mode::Append => {
                let span = Span { offset: 0, most, whole: true, partial: false };
                match self.read(path, span, job).await {
                    Ok(before) if generation.is_some() && generation != before.entry.version => {
                        return Err(self.remote.changed(&what));
                    }
                    Ok(before) => {
                        let mut all = BytesMut::from(before.bytes.as_ref());
                        all.extend_from_slice(&bytes);
                        bytes = all.freeze();
                        generation = before.entry.version;
                    }
                    Err(error) if error.code.as_deref() == Some("not_found") => {
                        generation = generation.or_else(|| Some("0".to_owned()));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        if bytes.len() as u64 > most {
            let message = format!("`{}` would have more than {most} bytes", path.as_str());
            return Err(self.remote.fault(&what, ErrorKind::Limit, message));
        }
        let media_type = write.media_type.clone().unwrap_or_else(|| media::of(path.as_str()).to_owned());
        let about = serde_json::json!({"name": self.remote.key(path), "contentType": media_type});
        let (bytes, kind) = related(&about.to_string(), &media_type, &bytes);
        let mut call = put(Method::POST, format!("/upload/storage/v1/b/{}/o", self.bucket), bytes, &kind);
        call.query.push(("uploadType".to_owned(), "multipart".to_owned()));
        call.query.extend(generation.map(|number| ("ifGenerationMatch".to_owned(), number)));
        let reply = self.remote.send(&what, &call, job).await?;
        Ok(self.json::<Object>(&what, &reply.body)?.entry(path.as_str()))
    }

    pub(super) async fn delete(&self, path: &Path, job: &Job) -> Result<(), Error> {
        let what = What::new("delete a file", path.as_str());
        self.remote.send(&what, &Call::new(Method::DELETE, self.url(path)), job).await.map(drop)
    }

    pub(super) async fn rename(&self, from: &Path, to: &Path, overwrite: bool, job: &Job) -> Result<Entry, Error> {
        let mut what = What::new("move a file", from.as_str());
        if !overwrite && self.object(&what, to, job).await?.is_some() {
            return Err(self.remote.exists(&What::new("move a file", to.as_str())));
        }
        let target = crate::percent::encode(self.remote.key(to).as_bytes(), b"");
        let mut copy = Call::new(Method::POST, format!("{}/rewriteTo/b/{}/o/{target}", self.url(from), self.bucket));
        if !overwrite {
            copy.query.push(("ifGenerationMatch".to_owned(), "0".to_owned()));
        }
        what.new = !overwrite;
        // A large object is copied in several requests.
        loop {
            let reply = self.remote.send(&what, &copy, job).await?;
            let answer: serde_json::Value = self.json(&what, &reply.body)?;
            match answer["rewriteToken"].as_str() {
                Some(token) if answer["done"] != true => {
                    copy.query.retain(|(name, _)| name != "rewriteToken");
                    copy.query.push(("rewriteToken".to_owned(), token.to_owned()));
                }
                _ => break,
            }
        }
        self.remote.send(&what, &Call::new(Method::DELETE, self.url(from)), job).await?;
        self.stat(to, job).await
    }

    pub(super) fn presign(&self, path: &Path, wanted: &Presign) -> Result<String, Error> {
        let what = What::new("presign a URL", path.as_str());
        let account = self.account.as_ref().ok_or_else(|| {
            self.remote.fault(&what, ErrorKind::Config, "the connection has no service account to sign with")
        })?;
        let key = crate::percent::encode(self.remote.key(path).as_bytes(), b"/");
        let method = if wanted.write { "PUT" } else { "GET" };
        account
            .presign(chrono::Utc::now(), method, &self.endpoint, &format!("/{}/{key}", self.bucket), wanted.expires)
            .map_err(|why| self.remote.fault(&what, ErrorKind::Other, why))
    }

    fn url(&self, path: &Path) -> String {
        let name = crate::percent::encode(self.remote.key(path).as_bytes(), b"");
        format!("/storage/v1/b/{}/o/{name}", self.bucket)
    }

    fn json<T: serde::de::DeserializeOwned>(&self, what: &What<'_>, body: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(body).map_err(|error| {
            self.remote.fault(what, ErrorKind::Other, format!("the store's answer cannot be read: {error}"))
        })
    }
}

/// What is known of an object and its bytes in one body (`multipart/related`, RFC 2387), and the media type of that.
fn related(about: &str, media_type: &str, bytes: &[u8]) -> (Bytes, String) {
    let boundary = format!("part-{}", uuid::Uuid::new_v4().simple());
    // A media type comes from a caller: without its line breaks it can be nothing else.
    let media_type: String = media_type.chars().filter(|c| !c.is_control()).collect();
    let mut out = BytesMut::with_capacity(bytes.len() + 512);
    let head = "Content-Type: application/json; charset=UTF-8";
    out.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n{about}\r\n").as_bytes());
    out.extend_from_slice(format!("--{boundary}\r\nContent-Type: {media_type}\r\n\r\n").as_bytes());
    out.extend_from_slice(bytes);
    out.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    (out.freeze(), format!("multipart/related; boundary={boundary}"))
}
