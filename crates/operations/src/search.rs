//! Finds what servers can do: "who can search products".

use std::sync::Arc;
use std::time::Instant;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::index::capability::{Capability, Field};
use crate::index::{Hit, has_words};
use crate::pipeline::ms_since;
use crate::{Code, Context, Error};

/// Capabilities of one answer unless told otherwise.
const LIMIT: usize = 20;
/// Most capabilities of one answer.
pub const LIMIT_MAX: usize = 1_000;
/// The formats that OpenAPI adds to those of the draft.
const FORMATS: [&str; 5] = ["int32", "int64", "float", "double", "byte"];
/// Longest question, bytes.
pub const QUESTION_BYTES_MAX: usize = 1_000;

/// What is looked for.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Input {
    /// What it should do, in words: `who can search products`. Without it everything that fits is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Of this server alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Of this group of tools alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Only `tool`, `resource` or `prompt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Only what `reads`, what `changes` something, or what may `destroy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Parameters that it takes, by commas, each `NAME`, `NAME:TYPE` or `:TYPE`; a type is one of JSON Schema or a format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<String>,
    /// Properties that its answer has, written like `takes`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives: Option<String>,
    /// Uses a connection of this kind or name, such as `postgresql`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Most capabilities in the answer; 20 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: Option<usize>,
}

/// What kind of capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A tool.
    Tool,
    /// A resource.
    Resource,
    /// A prompt.
    Prompt,
}

/// What it does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing.
    Reads,
    /// It changes something.
    Changes,
    /// It may remove or overwrite.
    Destroys,
}

/// What was found, best first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Output {
    /// What was found.
    pub found: Vec<Found>,
    /// How many there are, those that are not shown too.
    pub total: usize,
    /// How long it took, milliseconds.
    pub elapsed_ms: f64,
}

/// A capability.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// What kind it is.
    pub kind: Kind,
    /// The server that has it.
    pub server: String,
    /// The version of the server.
    pub version: String,
    /// Its name.
    pub name: String,
    /// Its name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it does to the world.
    pub effect: Effect,
    /// What it takes: `query: string`, with `?` behind the name of what may be left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub takes: Vec<String>,
    /// The groups that it is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// Kinds of the connections that it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub connections: Vec<String>,
    /// How well it fits; to be compared within one answer.
    pub score: f64,
    /// Why it was found: the words of the question that it holds, and where.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matched: Vec<Matched>,
}

/// A word that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Matched {
    /// The word, without its ending.
    pub word: String,
    /// Where it stands.
    #[serde(rename = "in")]
    pub places: Vec<String>,
}

/// Finds capabilities of the current versions of all servers.
///
/// # Errors
/// The catalogue cannot be read; the question is too long, or a filter cannot be read.
pub async fn search(context: &Context, input: Input) -> Result<Output, Error> {
    let start = Instant::now();
    if input.q.as_ref().is_some_and(|question| question.len() > QUESTION_BYTES_MAX) {
        let what = format!("the question is longer than {QUESTION_BYTES_MAX} bytes");
        return Err(Error::new(Code::BadRequest, what).hint("ask in a few words"));
    }
    if let Some(question) = input.q.as_ref().filter(|asked| !asked.trim().is_empty() && !has_words(asked)) {
        return Err(Error::new(Code::BadRequest, format!("the question `{question}` has no word to look for"))
            .hint("say what it should do: `search products`; without a question everything is listed"));
    }
    let filter = Filter::of(&input)?;
    if let Some(server) = &input.server
        && !crate::access::is_seen(context, server).await
    {
        return Err(crate::error::none_to_see(server));
    }
    let limit = input.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    if !context.has_store() {
        return Ok(Output { found: Vec::new(), total: 0, elapsed_ms: ms_since(start) });
    }
    let sight = crate::access::sight(context).await?;
    // Documents and prompts are for those who see the whole server, as at its own address.
    let seen = move |one: &Capability| match one.kind {
        crate::index::capability::Kind::Tool => sight.has_tool(&one.server, &one.owner, &one.name, &one.groups),
        _ => sight.is_whole(&one.owner),
    };
    let index = Arc::clone(&context.index);
    let question = input.q.unwrap_or_default();
    let found = context
        .store(move |store| {
            index.refresh(store)?;
            let is_known = |kind: &str| index.has_field(&seen, |field| field.types.iter().any(|known| known == kind));
            let strange = filter.kinds().find(|(_, kind)| !types().any(|known| known == *kind) && !is_known(kind));
            if let Some((what, kind)) = strange {
                return Ok(Err(no_type(what, kind)));
            }
            Ok(Ok(index.find(&question, &seen, |one| filter.wants(one), limit)))
        })
        .await?;
    let (hits, total) = found?;
    Ok(Output { found: hits.into_iter().map(Found::from).collect(), total, elapsed_ms: ms_since(start) })
}

/// Reads the catalogue before the first question, which then is answered at once.
pub async fn warm(context: &Context) {
    if !context.has_store() {
        return;
    }
    let index = Arc::clone(&context.index);
    if let Err(error) = context.store(move |store| index.refresh(store)).await {
        tracing::warn!(%error, "the catalogue could not be read ahead; the first search reads it");
    }
}

/// What is wanted beside the words.
struct Filter {
    server: Option<String>,
    group: Option<String>,
    kind: Option<Kind>,
    effect: Option<Effect>,
    takes: Vec<Wanted>,
    gives: Vec<Wanted>,
    connection: Option<String>,
}

/// A name and a type; any when absent.
struct Wanted {
    name: Option<String>,
    kind: Option<String>,
}

impl Filter {
    fn of(input: &Input) -> Result<Self, Error> {
        Ok(Self {
            server: input.server.clone(),
            group: input.group.clone(),
            kind: input.kind,
            effect: input.effect,
            takes: wanted("takes", input.takes.as_deref())?,
            gives: wanted("gives", input.gives.as_deref())?,
            connection: input.connection.clone(),
        })
    }

    /// The types that are asked for, with where.
    fn kinds(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let takes = self.takes.iter().map(|wanted| ("takes", wanted));
        let all = takes.chain(self.gives.iter().map(|wanted| ("gives", wanted)));
        all.filter_map(|(what, wanted)| Some((what, wanted.kind.as_deref()?)))
    }

    fn wants(&self, one: &Capability) -> bool {
        let has = |fields: &[Field], wanted: &[Wanted]| wanted.iter().all(|wanted| wanted.is_among(fields));
        self.server.as_ref().is_none_or(|server| *server == one.server)
            && self.kind.is_none_or(|kind| kind == kind_of(one))
            && self.effect.is_none_or(|effect| does(one, effect))
            && self.group.as_ref().is_none_or(|group| one.groups.contains(group))
            && self
                .connection
                .as_ref()
                .is_none_or(|is| one.connections.iter().any(|(name, kind)| is == name || is == kind))
            && has(&one.takes, &self.takes)
            && has(&one.gives, &self.gives)
    }
}

impl Wanted {
    fn is_among(&self, fields: &[Field]) -> bool {
        fields.iter().any(|field| {
            let is_kind = |kind: &String| {
                // A whole number is a number.
                field.types.iter().any(|known| known == kind || (kind == "number" && known == "integer"))
            };
            self.name.as_ref().is_none_or(|name| field.name.eq_ignore_ascii_case(name))
                && self.kind.as_ref().is_none_or(is_kind)
        })
    }
}

/// How fields are asked for.
const FORM: &str =
    "write names by commas, each with its type if that matters, or a type alone: `query:string,limit,:date-time`";

/// The types that have a meaning everywhere.
fn types() -> impl Iterator<Item = &'static str> {
    spec::TYPES.into_iter().chain(spec::FORMATS).chain(FORMATS)
}

fn is_word(kind: &str) -> bool {
    let good = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !kind.is_empty() && kind.chars().all(good)
}

/// A type that no field has.
fn no_type(what: &str, kind: &str) -> Error {
    let mut error = Error::new(Code::BadRequest, format!("`{what}` asks for the type `{kind}`, which no field has"));
    if let Some(near) = base::nearest(kind, types()) {
        error = error.hint(format!("did you mean `:{near}`?"));
    }
    error
        .hint(FORM)
        .hint("types are string, number, integer, boolean, array, object and null, and the formats of JSON Schema")
}

fn wanted(what: &str, text: Option<&str>) -> Result<Vec<Wanted>, Error> {
    let parts = text.into_iter().flat_map(|text| text.split(',')).map(str::trim);
    parts
        .map(|part| {
            let (name, kind) =
                part.split_once(':').map_or((part, None), |(name, kind)| (name.trim(), Some(kind.trim())));
            if part.is_empty() || kind.is_some_and(|kind| !is_word(kind)) {
                let message = format!("`{what}` holds `{part}`, which names no field");
                return Err(Error::new(Code::BadRequest, message).hint(FORM));
            }
            Ok(Wanted { name: (!name.is_empty()).then(|| name.to_owned()), kind: kind.map(str::to_owned) })
        })
        .collect()
}

fn kind_of(one: &Capability) -> Kind {
    use crate::index::capability::Kind as Of;
    match one.kind {
        Of::Tool => Kind::Tool,
        Of::Resource => Kind::Resource,
        Of::Prompt => Kind::Prompt,
    }
}

fn does(one: &Capability, effect: Effect) -> bool {
    match effect {
        Effect::Reads => one.read_only,
        Effect::Changes => !one.read_only,
        Effect::Destroys => one.destructive,
    }
}

impl From<Hit> for Found {
    fn from(hit: Hit) -> Self {
        let of = hit.capability;
        let effect = match (of.read_only, of.destructive) {
            (true, _) => Effect::Reads,
            (false, false) => Effect::Changes,
            (false, true) => Effect::Destroys,
        };
        let mut connections: Vec<String> = of.connections.iter().map(|(_, kind)| (*kind).to_owned()).collect();
        connections.sort();
        connections.dedup();
        let matched = hit.matched.into_iter();
        Self {
            kind: kind_of(&of),
            effect,
            takes: of.takes.iter().map(told).collect(),
            connections,
            // Four digits are enough to compare, and the same on every machine.
            score: (f64::from(hit.score) * 1e4).round() / 1e4,
            matched: matched
                .map(|(word, places)| Matched { word, places: places.into_iter().map(str::to_owned).collect() })
                .collect(),
            server: of.server,
            version: of.version,
            name: of.name,
            title: of.title,
            description: of.description,
            groups: of.groups,
        }
    }
}

fn told(field: &Field) -> String {
    let mark = if field.required { "" } else { "?" };
    if field.types.is_empty() {
        return format!("{}{mark}", field.name);
    }
    format!("{}{mark}: {}", field.name, field.types.join("|"))
}
