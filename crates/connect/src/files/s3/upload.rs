//! Writing: whole, or in parts when there is much.

use bytes::{Bytes, BytesMut};

use super::super::content::Span;
use super::super::remote::{What, header, put};
use super::super::{Entry, Job, Mode, Path, Write};
use super::{Bucket, xml};
use crate::http::{Call, Method};
use crate::{Error, ErrorKind};

/// Larger files are written in parts of this size; S3 takes none below 5 MiB but the last.
pub(super) const PART_BYTES: usize = 8 << 20;

impl Bucket {
    pub(in crate::files) async fn write(
        &self,
        path: &Path,
        write: &Write,
        most: u64,
        job: &Job,
    ) -> Result<Entry, Error> {
        let mut what = What::new("write a file", path.as_str());
        let mut bytes = write.bytes.clone();
        let mut condition = write.if_version.as_ref().map(|version| ("if-match", format!("\"{version}\"")));
        let mut media_type = write.media_type.clone();
        match write.mode {
            Mode::Overwrite => {}
            Mode::Create => {
                what.new = true;
                condition = Some(("if-none-match", "*".to_owned()));
            }
            Mode::Append => {
                if let Some((before, entry)) = self.before(path, most, job).await? {
                    if write.if_version.is_some() && write.if_version != entry.version {
                        return Err(self.remote.changed(&what));
                    }
                    if before.len() as u64 + bytes.len() as u64 > most {
                        let message = format!("`{}` would have more than {most} bytes", path.as_str());
                        return Err(self.remote.fault(&what, ErrorKind::Limit, message));
                    }
                    let mut all = BytesMut::from(before.as_ref());
                    all.extend_from_slice(&bytes);
                    bytes = all.freeze();
                    condition = entry.version.map(|version| ("if-match", format!("\"{version}\"")));
                    media_type = media_type.or(entry.media_type);
                } else if write.if_version.is_none() {
                    // Made by somebody else meanwhile: that counts as changed.
                    condition = Some(("if-none-match", "*".to_owned()));
                }
            }
        }
        let media_type = Self::media_type(path, media_type.as_ref());
        let condition = condition.map(|(name, value)| (name.to_owned(), value));
        if bytes.len() <= PART_BYTES {
            let mut call = put(Method::PUT, self.object(path), bytes, &media_type);
            call.headers.extend(condition);
            self.remote.send(&what, &call, job).await?;
        } else {
            self.upload(&what, path, bytes, &media_type, condition, job).await?;
        }
        self.stat(path, job).await
    }

    /// What is there to be appended to.
    async fn before(&self, path: &Path, most: u64, job: &Job) -> Result<Option<(Bytes, Entry)>, Error> {
        let span = Span { offset: 0, most, whole: true, partial: false };
        match self.read(path, span, job).await {
            Ok(content) => Ok(Some((content.bytes, content.entry))),
            Err(error) if error.code.as_deref() == Some("not_found") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn upload(
        &self,
        what: &What<'_>,
        path: &Path,
        bytes: Bytes,
        media_type: &str,
        condition: Option<(String, String)>,
        job: &Job,
    ) -> Result<(), Error> {
        let mut begin = put(Method::POST, self.object(path), Bytes::new(), media_type);
        begin.query.push(("uploads".to_owned(), String::new()));
        let reply = self.remote.send(what, &begin, job).await?;
        let root = xml::parse(&reply.body).map_err(|why| self.remote.fault(what, ErrorKind::Other, why))?;
        let upload = root.text("UploadId").to_owned();
        let outcome = self.parts(what, path, &upload, bytes, condition, job).await;
        if outcome.is_err() {
            // Parts that are left cost their owner money. The caller may be gone, so this has a time of its own.
            let mut abort = Call::new(Method::DELETE, self.object(path));
            abort.query.push(("uploadId".to_owned(), upload));
            let deadline = tokio::time::Instant::now() + ABORT;
            let _ = self.remote.send(what, &abort, &Job { deadline, cancel: Default::default() }).await;
        }
        outcome
    }

    async fn parts(
        &self,
        what: &What<'_>,
        path: &Path,
        upload: &str,
        mut bytes: Bytes,
        condition: Option<(String, String)>,
        job: &Job,
    ) -> Result<(), Error> {
        let mut list = String::from("<CompleteMultipartUpload>");
        for number in 1.. {
            if bytes.is_empty() {
                break;
            }
            let part = bytes.split_to(bytes.len().min(PART_BYTES));
            let mut call = put(Method::PUT, self.object(path), part, super::media::UNKNOWN);
            call.query.push(("partNumber".to_owned(), number.to_string()));
            call.query.push(("uploadId".to_owned(), upload.to_owned()));
            let reply = self.remote.send(what, &call, job).await?;
            let tag = header(&reply.headers, "etag").unwrap_or_default();
            let tag = xml::escape(tag);
            list.push_str(&format!("<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"));
        }
        list.push_str("</CompleteMultipartUpload>");
        let mut end = put(Method::POST, self.object(path), list.into(), "application/xml");
        end.query.push(("uploadId".to_owned(), upload.to_owned()));
        end.headers.extend(condition);
        let reply = self.remote.send(what, &end, job).await?;
        let root = xml::parse(&reply.body).map_err(|why| self.remote.fault(what, ErrorKind::Other, why))?;
        if root.name == "Error" {
            let message = format!("the parts could not be joined: {}", root.text("Code"));
            return Err(self.remote.fault(what, ErrorKind::Transient, message));
        }
        Ok(())
    }
}

/// Longest time to take back an upload that failed.
const ABORT: std::time::Duration = std::time::Duration::from_secs(10);
