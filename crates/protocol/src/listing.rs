//! The lists of a service, and their pages as bytes, serialised once per revision.

mod pages;
mod shapes;

use std::collections::HashMap;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::changes::Change;
use crate::error::Error;
use crate::headers::HeaderRule;
use crate::revision::Revision;
use crate::service::{CacheScope, Prompt, Resource, ResourceTemplate, TaskSupport, Tool};

/// Entries on a page unless set otherwise.
pub const DEFAULT_PAGE_SIZE: usize = 500;
/// How long clients may keep a list, in milliseconds, unless set otherwise.
pub const DEFAULT_TTL_MS: u64 = 60_000;

/// The four lists of a service at one moment.
#[derive(Debug)]
pub struct Listing {
    tools: Vec<Tool>,
    resources: Vec<Resource>,
    templates: Vec<ResourceTemplate>,
    prompts: Vec<Prompt>,
    by_name: HashMap<String, ToolFacts>,
    page_size: usize,
    ttl_ms: u64,
    scope: CacheScope,
    pages: [[OnceLock<Pages>; 5]; 4],
}

type Pages = Box<[Bytes]>;

/// Which of the four lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Tools,
    Resources,
    Templates,
    Prompts,
}

/// What the protocol itself must know of a tool to call it.
#[derive(Debug)]
pub(crate) struct ToolFacts {
    pub(crate) task: TaskSupport,
    /// Whether a task of it is called anew after a restart.
    pub(crate) resumes: bool,
    /// Arguments that must be repeated in `Mcp-Param-*` headers.
    pub(crate) headers: Box<[HeaderRule]>,
}

/// Collects the lists. See [`Listing::builder`].
#[derive(Debug)]
pub struct ListingBuilder(Listing);

impl Listing {
    /// Starts with empty lists.
    pub fn builder() -> ListingBuilder {
        ListingBuilder(Self {
            tools: Vec::new(),
            resources: Vec::new(),
            templates: Vec::new(),
            prompts: Vec::new(),
            by_name: HashMap::new(),
            page_size: DEFAULT_PAGE_SIZE,
            ttl_ms: DEFAULT_TTL_MS,
            scope: CacheScope::Public,
            pages: Default::default(),
        })
    }

    /// The part of it that somebody may see: some of the tools, and, if `whole`, everything else too.
    #[must_use]
    pub fn part(&self, keep: impl Fn(&str) -> bool, whole: bool) -> Self {
        let tools = self.tools.iter().filter(|tool| keep(&tool.name)).cloned().collect();
        let part = Self::builder().tools(tools);
        let mut part = match whole {
            true => part
                .resources(self.resources.clone())
                .templates(self.templates.clone())
                .prompts(self.prompts.clone())
                .build(),
            false => part.build(),
        };
        (part.page_size, part.ttl_ms, part.scope) = (self.page_size, self.ttl_ms, CacheScope::Private);
        part
    }

    /// The tools, in the order in which they are listed.
    pub fn tools(&self) -> &[Tool] {
        &self.tools
    }

    /// Which lists read differently from those of `earlier`.
    pub fn changes_since(&self, earlier: &Self) -> Vec<Change> {
        let differs = |kind| self.whole(kind) != earlier.whole(kind);
        let mut changes = Vec::new();
        if differs(Kind::Tools) {
            changes.push(Change::Tools);
        }
        if differs(Kind::Resources) || differs(Kind::Templates) {
            changes.push(Change::Resources);
        }
        if differs(Kind::Prompts) {
            changes.push(Change::Prompts);
        }
        changes
    }

    /// All pages of a list as the newest revision reads them.
    fn whole(&self, kind: Kind) -> Pages {
        pages::render(self, kind, Revision::LATEST, b"").into()
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&ToolFacts> {
        self.by_name.get(name)
    }

    /// That there is no such tool.
    pub(crate) fn no_tool(&self, name: &str) -> Error {
        Error::unknown("tool", name, self.tools.iter().map(|tool| tool.name.as_str()))
    }

    /// That there is no such prompt.
    pub(crate) fn no_prompt(&self, name: &str) -> Error {
        Error::unknown("prompt", name, self.prompts.iter().map(|prompt| prompt.name.as_str()))
    }

    pub(crate) fn has_prompt(&self, name: &str) -> bool {
        self.prompts.iter().any(|prompt| prompt.name == name)
    }

    /// The result object of a page without its closing brace and without the members that only new revisions have.
    /// `server_info` goes into `_meta` of modern pages.
    pub(crate) fn page(
        &self,
        kind: Kind,
        revision: Revision,
        cursor: Option<&str>,
        server_info: &[u8],
    ) -> Result<Bytes, Error> {
        let pages = self.pages[kind as usize][revision.index()]
            .get_or_init(|| pages::render(self, kind, revision, server_info).into());
        let index = match cursor {
            None => 0,
            Some(cursor) => {
                self.position(kind, cursor).ok_or_else(|| Error::invalid_params("Unknown or outdated cursor"))?
            }
        };
        pages.get(index).cloned().ok_or_else(|| Error::invalid_params("Unknown or outdated cursor"))
    }

    /// An opaque cursor: the page it leads to, and a check that ties it to the entries before it.
    fn cursor(&self, kind: Kind, page: usize) -> String {
        let page = u32::try_from(page).unwrap_or(u32::MAX);
        let mut bytes = page.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.fingerprint(kind)[..8]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn position(&self, kind: Kind, cursor: &str) -> Option<usize> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (page, check) = bytes.split_first_chunk::<4>()?;
        let page = usize::try_from(u32::from_be_bytes(*page)).ok()?;
        (page > 0 && check == &self.fingerprint(kind)[..8]).then_some(page)
    }

    /// Of the names in order: a cursor of another generation of the list is refused, not answered with a gap.
    fn fingerprint(&self, kind: Kind) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update([kind as u8]);
        hash.update(self.page_size.to_be_bytes());
        let mut each = |name: &str| {
            hash.update(name.as_bytes());
            hash.update([0]);
        };
        match kind {
            Kind::Tools => self.tools.iter().for_each(|tool| each(&tool.name)),
            Kind::Resources => self.resources.iter().for_each(|resource| each(&resource.uri)),
            Kind::Templates => self.templates.iter().for_each(|template| each(&template.uri_template)),
            Kind::Prompts => self.prompts.iter().for_each(|prompt| each(&prompt.name)),
        }
        hash.finalize().into()
    }
}

impl ListingBuilder {
    /// Sets the tools. Of several with one name the last is called.
    #[must_use]
    pub fn tools(mut self, tools: Vec<Tool>) -> Self {
        self.0.by_name = tools.iter().map(|tool| (tool.name.clone(), ToolFacts::of(tool))).collect();
        self.0.tools = tools;
        self
    }

    /// Sets the resources.
    #[must_use]
    pub fn resources(mut self, resources: Vec<Resource>) -> Self {
        self.0.resources = resources;
        self
    }

    /// Sets the resource templates.
    #[must_use]
    pub fn templates(mut self, templates: Vec<ResourceTemplate>) -> Self {
        self.0.templates = templates;
        self
    }

    /// Sets the prompts.
    #[must_use]
    pub fn prompts(mut self, prompts: Vec<Prompt>) -> Self {
        self.0.prompts = prompts;
        self
    }

    /// Entries on a page, at least one.
    #[must_use]
    pub fn page_size(mut self, entries: usize) -> Self {
        self.0.page_size = entries.max(1);
        self
    }

    /// How long clients may keep the lists, in milliseconds.
    #[must_use]
    pub fn ttl_ms(mut self, ttl_ms: u64) -> Self {
        self.0.ttl_ms = ttl_ms;
        self
    }

    /// Who may keep them.
    #[must_use]
    pub fn scope(mut self, scope: CacheScope) -> Self {
        self.0.scope = scope;
        self
    }

    /// The finished lists.
    pub fn build(self) -> Listing {
        self.0
    }
}

impl ToolFacts {
    fn of(tool: &Tool) -> Self {
        let schema: Value = serde_json::from_slice(tool.input_schema.as_bytes()).unwrap_or_default();
        Self { task: tool.task, resumes: tool.resumes, headers: HeaderRule::collect(&schema).into() }
    }
}
