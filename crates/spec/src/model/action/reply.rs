//! Answers that the spec itself gives.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An answer that the spec itself gives, with values of the call where its templates say so. One of its keys; `content` may stand
/// beside `json`. A text is short for `text`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Reply {
    /// A text, a template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Any JSON value, a value template.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub json: Option<Value>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Media>,
    /// A sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Media>,
    /// A file in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ReplyFile>,
    /// A link to a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<ReplyLink>,
    /// Several of these, in their order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub content: Vec<ReplyItem>,
}

/// One item of an answer: one of its keys. A text is short for `text`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ReplyItem {
    /// A text, a template. What is absent or null is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// A picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<Media>,
    /// A sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<Media>,
    /// A file in place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<ReplyFile>,
    /// A link to a resource.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<ReplyLink>,
}

/// A picture or a sound. Without its data the item is left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Media {
    /// The bytes as Base64, a template.
    pub base64: String,
    /// The media type, such as `image/png`; a template.
    pub media_type: String,
}

/// A file in place: one of `text` and `base64`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplyFile {
    /// What it is called: a URI, a template.
    pub uri: String,
    /// The media type, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Its text, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its bytes as Base64, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base64: Option<String>,
}

/// A link to a resource.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReplyLink {
    /// Where it is: a URI, a template.
    pub uri: String,
    /// Its name, a template.
    pub name: String,
    /// The media type, a template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
}

impl Reply {
    /// Its one item, where it is no list and no JSON.
    pub fn item(&self) -> ReplyItem {
        ReplyItem {
            text: self.text.clone(),
            image: self.image.clone(),
            audio: self.audio.clone(),
            resource: self.resource.clone(),
            link: self.link.clone(),
        }
    }
}

impl ReplyItem {
    /// How many of its keys are given; one is right.
    pub fn keys(&self) -> usize {
        let given = [
            self.text.is_some(),
            self.image.is_some(),
            self.audio.is_some(),
            self.resource.is_some(),
            self.link.is_some(),
        ];
        given.into_iter().filter(|given| *given).count()
    }

    /// Its templates, with the path of each below the item.
    pub fn templates(&self) -> Vec<(&'static [&'static str], &str)> {
        let mut all: Vec<(&'static [&'static str], Option<&String>)> = vec![(&["text"], self.text.as_ref())];
        if let Some(image) = &self.image {
            all.extend([
                (&["image", "base64"] as &[_], Some(&image.base64)),
                (&["image", "mediaType"], Some(&image.media_type)),
            ]);
        }
        if let Some(audio) = &self.audio {
            all.extend([
                (&["audio", "base64"] as &[_], Some(&audio.base64)),
                (&["audio", "mediaType"], Some(&audio.media_type)),
            ]);
        }
        if let Some(file) = &self.resource {
            all.extend([
                (&["resource", "uri"] as &[_], Some(&file.uri)),
                (&["resource", "mediaType"], file.media_type.as_ref()),
                (&["resource", "text"], file.text.as_ref()),
                (&["resource", "base64"], file.base64.as_ref()),
            ]);
        }
        if let Some(link) = &self.link {
            all.extend([
                (&["link", "uri"] as &[_], Some(&link.uri)),
                (&["link", "name"], Some(&link.name)),
                (&["link", "mediaType"], link.media_type.as_ref()),
            ]);
        }
        all.into_iter().filter_map(|(path, text)| Some((path, text?.as_str()))).collect()
    }
}

/// `json: null` is a value, and not the lack of one.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}
