//! The declaration of an operation.

use std::time::Duration;

/// The method of a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Reads.
    Get,
    /// Changes, or reads with a body.
    Post,
    /// Removes.
    Delete,
}

impl Method {
    /// As it is written in a request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

/// What a caller must be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Nothing: everybody may.
    Open,
    /// See servers, plans and templates.
    ServersRead,
    /// Make, change, deploy and remove servers.
    ServersWrite,
    /// Call tools.
    ServersCall,
    /// Read what was called.
    LogsRead,
    /// Make, see and revoke one's own API keys.
    Keys,
    /// Run the platform.
    Admin,
}

impl Scope {
    /// As it is written in keys and tokens.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "",
            Self::ServersRead => "servers:read",
            Self::ServersWrite => "servers:write",
            Self::ServersCall => "servers:call",
            Self::LogsRead => "logs:read",
            Self::Keys => "keys",
            Self::Admin => "admin",
        }
    }
}

/// What an operation does to the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    Reads,
    /// It changes something.
    Changes {
        /// It may remove or overwrite.
        destroys: bool,
        /// Doing it twice equals doing it once.
        idempotent: bool,
    },
}

/// What a route answers when all went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answers {
    /// 200 with the output.
    Output,
    /// 201 when something was made, else 200.
    Made,
}

/// How every face offers an operation.
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    /// `server.create`: in logs, metrics and the audit, and the `operationId` of its route.
    pub name: &'static str,
    /// The name for people, a few words.
    pub title: &'static str,
    /// What it does, for people and models.
    pub description: &'static str,
    /// Method of the route.
    pub method: Method,
    /// Path of the route. Placeholders in braces are fields of the input; the other fields are the query of GET and
    /// DELETE and the JSON body of POST.
    pub path: &'static str,
    /// What the route answers.
    pub answers: Answers,
    /// What the caller must be allowed to do.
    pub scope: Scope,
    /// What it does to the world.
    pub effect: Effect,
    /// Name of the MCP tool; `None` when agents have no use for it.
    pub tool: Option<&'static str>,
    /// The command that does it.
    pub command: Option<&'static str>,
    /// Whether the answer holds a secret: it is kept nowhere, also not for a request that is sent again.
    pub secret: bool,
    /// Longest run.
    pub deadline: Duration,
    /// Whether it may be asked to run as a job.
    pub job: bool,
    /// Whether it may be tried: then everything that it changes is in the catalogue.
    pub tries: bool,
    /// Whether it changes a server, of whose tag a precondition speaks.
    pub tagged: bool,
}

impl Declared {
    /// A declaration that reads: `GET path`, for callers who may see servers, as a tool of this name.
    pub const fn reads(name: &'static str, path: &'static str, tool: Option<&'static str>) -> Self {
        Self {
            name,
            title: "",
            description: "",
            method: Method::Get,
            path,
            answers: Answers::Output,
            scope: Scope::ServersRead,
            effect: Effect::Reads,
            tool,
            command: None,
            secret: false,
            deadline: Duration::from_secs(30),
            job: false,
            tries: false,
            tagged: false,
        }
    }

    /// A declaration that changes something: `POST path`.
    pub const fn changes(name: &'static str, path: &'static str, tool: Option<&'static str>) -> Self {
        Self {
            method: Method::Post,
            scope: Scope::ServersWrite,
            effect: Effect::Changes { destroys: false, idempotent: true },
            deadline: Duration::from_secs(300),
            ..Self::reads(name, path, tool)
        }
    }

    /// Says what it is.
    #[must_use]
    pub const fn told(mut self, title: &'static str, description: &'static str) -> Self {
        self.title = title;
        self.description = description;
        self
    }

    /// Says that it may be tried.
    #[must_use]
    pub const fn may_be_tried(mut self) -> Self {
        self.tries = true;
        self
    }

    /// Says that it changes a server.
    #[must_use]
    pub const fn of_a_server(mut self) -> Self {
        self.tagged = true;
        self
    }

    /// Names of the placeholders of the path.
    pub fn placeholders(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
