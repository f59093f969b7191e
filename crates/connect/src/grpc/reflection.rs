//! Asks a server for its schema (server reflection, v1 and v1alpha, which differ by name alone).

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Bytes, BytesMut};
use prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Ended, Sent};
use super::status::Code;
use super::{FILES_MAX, SCHEMA_BYTES_MAX, Schema, frame};
use crate::http::Shown;
use crate::{Error, ErrorKind};

/// The names of the service, newest first.
const SERVICES: [&str; 2] = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
/// Most questions that follow one another.
const ROUNDS_MAX: usize = 64;

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(oneof = "Asked", tags = "3, 4, 7")]
    asked: Option<Asked>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Asked {
    #[prost(string, tag = "3")]
    File(String),
    #[prost(string, tag = "4")]
    Symbol(String),
    #[prost(string, tag = "7")]
    Services(String),
}

#[derive(Clone, PartialEq, prost::Message)]
struct Told {
    #[prost(message, tag = "4")]
    files: Option<Files>,
    #[prost(message, tag = "6")]
    services: Option<Services>,
    #[prost(message, tag = "7")]
    error: Option<Refusal>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Files {
    #[prost(bytes = "vec", repeated, tag = "1")]
    files: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Services {
    #[prost(message, repeated, tag = "1")]
    services: Vec<Service>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Service {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Refusal {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

impl Client {
    /// Asks the server for its schema.
    pub async fn reflect(&self, deadline: Instant, cancel: &CancellationToken) -> Result<Schema, Error> {
        let mut last = None;
        for service in SERVICES {
            match self.reflect_by(service, deadline, cancel).await {
                Ok(schema) => return Ok(schema),
                Err(Ended::Status(status)) if status.code == Code::UNIMPLEMENTED => last = Some(status),
                Err(ended) => return Err(self.failed(ended, None, &Shown::default())),
            }
        }
        let said = last.map(|status| status.message).unwrap_or_default();
        let mut error =
            self.error(ErrorKind::Other, format!("the server does not tell its schema by reflection: {said}"));
        error.hint = Some("give the `.proto` files or a descriptor set, or switch reflection on".to_owned());
        Err(error)
    }

    async fn reflect_by(&self, service: &str, deadline: Instant, cancel: &CancellationToken) -> Result<Schema, Ended> {
        let path = format!("/{service}/ServerReflectionInfo");
        let listed = self.ask(&path, &[Asked::Services("*".into())], deadline, cancel).await?;
        let names = listed.into_iter().filter_map(|told| told.services).flat_map(|told| told.services);
        let own = |name: &String| name.starts_with("grpc.reflection.");
        let mut questions: Vec<Asked> =
            names.map(|service| service.name).filter(|name| !own(name)).map(Asked::Symbol).collect();
        let mut files = BTreeMap::<String, FileDescriptorProto>::new();
        let mut asked = BTreeSet::new();
        let mut bytes = 0;
        for _ in 0..ROUNDS_MAX {
            if questions.is_empty() {
                let schema = Schema::from_files(files.into_values().collect());
                return schema.map_err(|why| Ended::Error(self.error(ErrorKind::Other, format!("its schema {why}"))));
            }
            for told in self.ask(&path, &questions, deadline, cancel).await? {
                if let Some(refusal) = told.error {
                    let text = format!("the server does not tell a part of its schema: {}", refusal.message);
                    return Err(Ended::Error(self.error(ErrorKind::Other, text)));
                }
                for file in told.files.into_iter().flat_map(|files| files.files) {
                    bytes += file.len();
                    let read = FileDescriptorProto::decode(file.as_slice());
                    let read =
                        read.map_err(|_| Ended::Error(self.error(ErrorKind::Other, "its schema cannot be read")))?;
                    files.insert(read.name().to_owned(), read);
                }
            }
            if files.len() > FILES_MAX || bytes > SCHEMA_BYTES_MAX {
                return Err(Ended::Error(self.error(ErrorKind::Limit, "the schema of the server is too large")));
            }
            let needed = files.values().flat_map(|file| file.dependency.iter());
            let missing: BTreeSet<_> = needed.filter(|name| !files.contains_key(*name)).cloned().collect();
            questions = missing.into_iter().filter(|name| asked.insert(name.clone())).map(Asked::File).collect();
        }
        Err(Ended::Error(self.error(ErrorKind::Limit, "the files of the schema follow one another without an end")))
    }

    /// Asks several questions in one call.
    async fn ask(
        &self,
        path: &str,
        questions: &[Asked],
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Vec<Told>, Ended> {
        let mut body = BytesMut::new();
        for asked in questions {
            let question = Question { asked: Some(asked.clone()) }.encode_to_vec();
            frame::write(&question, &mut body).map_err(|why| Ended::Error(self.error(ErrorKind::Limit, why)))?;
        }
        let mut told = Vec::new();
        let mut broken = false;
        let limits = super::Limits { message_bytes: SCHEMA_BYTES_MAX, messages: FILES_MAX, bytes: SCHEMA_BYTES_MAX };
        let mut take = |bytes: Bytes, _: &Shown| {
            Told::decode(bytes).map_or_else(|_| broken = true, |one| told.push(one));
            Ok(())
        };
        let sent = Sent { path, body: body.freeze(), metadata: &[], limits };
        self.exchange(sent, &mut Shown::default(), deadline, cancel, &mut take).await?;
        if broken {
            return Err(Ended::Error(self.error(ErrorKind::Other, "an answer about the schema cannot be read")));
        }
        Ok(told)
    }
}
