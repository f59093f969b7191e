//! Texts become vectors.

use http::Method;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{DIMENSIONS_MAX, TEXT_BYTES_MAX, hash};
use crate::http::{Api, Body, Call, Settings};
use crate::{Error, ErrorKind};

/// Texts of one request.
const BATCH: usize = 96;
/// Bytes of an answer for one number of a vector, generously.
const NUMBER_BYTES: usize = 32;

/// What makes vectors of texts.
pub enum Embedder {
    /// [`hash::embed`], with so many numbers.
    Hash(usize),
    /// An API.
    Api(Box<ApiEmbedder>),
}

/// An API with `POST …/embeddings`, as OpenAI's and those of many servers of models.
pub struct ApiEmbedder {
    api: Api,
    model: String,
    dimensions: Option<usize>,
}

impl ApiEmbedder {
    /// Checks the settings: the base URL is what `/embeddings` is below. `dimensions` is asked of models that can give several.
    pub fn open(settings: Settings, model: impl Into<String>, dimensions: Option<usize>) -> Result<Self, Error> {
        Ok(Self { api: Api::open(settings)?, model: model.into(), dimensions })
    }

    async fn batch(
        &self,
        texts: &[&str],
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let mut body = json!({"model": self.model, "input": texts, "encoding_format": "float"});
        if let Some(dimensions) = self.dimensions {
            body["dimensions"] = dimensions.into();
        }
        let mut call = Call::new(Method::POST, "/embeddings");
        call.body = Body::Json(body.to_string().into());
        // The same texts give the same vectors.
        call.idempotent = Some(true);
        call.answer_bytes = Some(texts.len() * DIMENSIONS_MAX * NUMBER_BYTES);
        let reply = self.api.send(&call, deadline, cancel).await?;
        if !reply.status.is_success() {
            let said = serde_json::from_slice::<serde_json::Value>(&reply.body).unwrap_or_default();
            let said = said["error"]["message"].as_str().or(said["error"].as_str()).unwrap_or("no reason");
            let kind = match reply.status.as_u16() {
                401 | 403 => ErrorKind::Denied,
                400 | 413 | 422 => ErrorKind::Value,
                408 | 429 | 502..=504 => ErrorKind::Transient,
                _ => ErrorKind::Other,
            };
            let said: String = said.chars().take(500).collect();
            return Err(self.error(kind, format!("the API answered {}: {said}", reply.status)));
        }
        let answer: Answer = serde_json::from_slice(&reply.body)
            .map_err(|error| self.error(ErrorKind::Other, format!("the answer holds no vectors: {error}")))?;
        self.ordered(answer, texts.len())
    }

    /// The vectors in the order of the texts: the answer may have another one.
    fn ordered(&self, answer: Answer, count: usize) -> Result<Vec<Vec<f32>>, Error> {
        let mut vectors = vec![Vec::new(); count];
        let wrong = |why: &str| self.error(ErrorKind::Other, format!("the answer {why}"));
        for (nth, one) in answer.data.into_iter().enumerate() {
            let place = one.index.unwrap_or(nth);
            let slot = vectors.get_mut(place).ok_or_else(|| wrong("holds more vectors than there are texts"))?;
            if !one.embedding.iter().all(|number| number.is_finite()) {
                return Err(wrong("holds a vector with something that is no number"));
            }
            *slot = one.embedding;
        }
        if vectors.iter().any(Vec::is_empty) {
            return Err(wrong("holds fewer vectors than there are texts"));
        }
        Ok(vectors)
    }

    fn error(&self, kind: ErrorKind, message: String) -> Error {
        Error { attempted: "embed texts", ..self.api.error(kind, message) }
    }
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<One>,
}

#[derive(Deserialize)]
struct One {
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl Embedder {
    /// The vectors of texts, in their order. `connection` names the connection in errors.
    pub async fn embed(
        &self,
        connection: &str,
        texts: &[&str],
        deadline: Instant,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let refused = |kind, message: String| Error {
            kind,
            connection: connection.to_owned(),
            attempted: "embed texts",
            message,
            code: None,
            position: None,
            hint: None,
        };
        for text in texts {
            if text.len() > TEXT_BYTES_MAX {
                return Err(refused(ErrorKind::Limit, format!("a text is larger than {TEXT_BYTES_MAX} bytes")));
            }
            if text.trim().is_empty() {
                return Err(refused(ErrorKind::Value, "a text is empty".to_owned()));
            }
        }
        let mut vectors = Vec::with_capacity(texts.len());
        match self {
            Self::Hash(dimensions) => vectors.extend(texts.iter().map(|text| hash::embed(text, *dimensions))),
            Self::Api(api) => {
                for batch in texts.chunks(BATCH) {
                    vectors.extend(api.batch(batch, deadline, cancel).await?);
                }
            }
        }
        if vectors.iter().any(|vector| vector.iter().all(|number| *number == 0.0)) {
            return Err(refused(ErrorKind::Value, "a text holds no letter and no digit".to_owned()));
        }
        Ok(vectors)
    }
}
