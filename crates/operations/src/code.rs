//! The codes of failed operations, and the one table that says what kind of failure each is.
//!
//! Problems in a user's text have codes of their own, `MF0101` and up, in the crates that find them.

/// What kind of failure: decides the exit code, and on other faces the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// It was tried and did not work.
    Failure,
    /// It was asked for in a way that cannot be understood.
    Usage,
    /// What was named does not exist.
    NotFound,
    /// A login or key is needed.
    NeedsLogin,
    /// Something else is there already.
    Conflict,
    /// A policy or a limit refuses it.
    Refused,
    /// Something outside did not do its part: a database, a network.
    Upstream,
    /// It took too long.
    TimedOut,
    /// The user stopped it.
    Interrupted,
}

impl Kind {
    /// Every kind with its exit code and its meaning: the table behind `help exit-codes`.
    pub const TABLE: [(Self, u8, &'static str); 9] = [
        (Self::Failure, 1, "it was tried and did not work: a spec with errors, a failed test, an unreadable file"),
        (Self::Usage, 2, "the command line cannot be understood, or asks for what this build does not have"),
        (Self::NotFound, 3, "what was named does not exist: a server, a version, a tool, a file"),
        (Self::NeedsLogin, 4, "a login or a key is needed"),
        (Self::Conflict, 5, "something else with that name exists already"),
        (Self::Refused, 6, "a policy or a limit refuses it"),
        (Self::Upstream, 7, "something outside did not do its part, such as a database that cannot be reached"),
        (Self::TimedOut, 8, "it took too long"),
        (Self::Interrupted, 130, "it was interrupted, for example with Ctrl-C"),
    ];

    /// The exit code of a command that failed so.
    pub fn exit_code(self) -> u8 {
        Self::TABLE.iter().find(|(kind, _, _)| *kind == self).map_or(1, |(_, code, _)| *code)
    }
}

/// Declares the codes with their kinds, titles and help pages.
macro_rules! codes {
    ($($name:ident $code:literal $kind:ident $title:literal $page:literal)*) => {
        /// The code of a failed operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The stable name, such as `MF1002`.
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $code),* } }

            /// What kind of failure it is.
            pub fn kind(self) -> Kind { match self { $(Self::$name => Kind::$kind),* } }

            /// What went wrong, in a few words.
            pub fn title(self) -> &'static str { match self { $(Self::$name => $title),* } }

            /// Why it happens and what to do, Markdown.
            pub fn page(self) -> &'static str { match self { $(Self::$name => $page),* } }
        }
    };
}

codes! {
    InvalidSpec "MF1001" Failure "The spec has errors"
        "The document could be read but not used. Every problem that was found is listed with its own code, place and remedy; `mcp-factory explain CODE` says more about each. With `--strict`, warnings count as errors."
    NoServer "MF1002" NotFound "There is no server of this name"
        "The catalogue of this home folder has no such server. `mcp-factory list` shows what there is. Another home folder can be chosen with `--home` or `MCP_FACTORY_HOME`."
    NoVersion "MF1003" NotFound "The server has no such version"
        "Versions are kept side by side; `mcp-factory status NAME` lists them."
    NoTool "MF1004" NotFound "The server has no such tool"
        "`mcp-factory status NAME` lists the tools of a server."
    VersionConflict "MF1005" Conflict "This version exists with another content"
        "A version does not change after it was made, so that what runs under a version is known. Raise `version` in the spec, or replace what is stored with `--force`. Formatting and comments do not count: only the meaning of the document does."
    FileNotFound "MF1006" NotFound "The file does not exist"
        "Check the path. `-` reads standard input."
    FileUnreadable "MF1007" Failure "The file cannot be read"
        "It exists but cannot be read: check its permissions, and that it is a file and not a folder."
    Catalogue "MF1008" Failure "The catalogue cannot be used"
        "The catalogue is one SQLite file, `catalogue.db`, in the home folder. `mcp-factory doctor` checks the folder and the file. A damaged file can be restored from a copy; servers can always be made again from their specs."
    Upstream "MF1009" Upstream "A database cannot be used"
        "A connection of the server could not be opened or did not answer. `mcp-factory status NAME` tries each connection and says what the database answered. Check the variable that holds its URL, that the database runs, and that this machine reaches it."
    BadArguments "MF1010" Usage "The arguments of the tool are not a JSON object"
        "A tool takes one JSON object. In a shell, put it into single quotes: `mcp-test shop search_products '{\"query\": \"laptop\"}'`."
    ToolFailed "MF1011" Failure "The tool answered with an error"
        "The call reached the tool, and the tool answered with `isError`. Its text says what to send instead, or what went wrong."
    Usage "MF1012" Usage "The command line cannot be understood"
        "Every command explains itself with `--help`, examples first."
    NotBuilt "MF1013" Usage "This build does not have that"
        "The option belongs to a part of MCP Factory that this build does not contain."
    Exposed "MF1014" Refused "Refused: everybody who reaches this machine could call the server"
        "The server was to listen on an address that other machines can reach, and its spec has no `auth`. Add `auth: {type: api_key}` or `auth: {type: bearer}` to the spec, listen on `127.0.0.1`, or say `--allow-unauthenticated` if something in front of the server checks its callers."
    TimedOut "MF1015" TimedOut "It took too long"
        "A limit in time passed before the work was done."
    Interrupted "MF1016" Interrupted "Interrupted"
        "The work was stopped by Ctrl-C or a signal. What was acknowledged before is kept; the rest did not happen."
    NeedsConfirmation "MF1017" Usage "This needs a confirmation"
        "The command destroys something and nobody can be asked: standard input is no terminal, or `--no-input` was given. Say `--yes` to confirm."
    Address "MF1018" Failure "The address cannot be listened on"
        "Another process has the port, or the address does not belong to this machine. Choose another `--port`; `--port 0` takes a free one and prints it."
    BadPlan "MF1019" Failure "The plan cannot be used"
        "The document is no plan of this server: it does not parse, or names tools, connections or parameters that the spec does not have. `mcp-factory plan NAME --output json` prints the stored plan; edit that and give it back with `--import`."
    NoCode "MF1020" NotFound "There is no such code"
        "`mcp-factory explain` without a code lists all of them."
    MissingKey "MF1021" Refused "The key that callers must show is not set"
        "The spec asks callers for a key, and the environment variable that holds the accepted key is not set. The server does not start without it: it could let nobody in. Set the variable, or name another one with `auth.envVar`."
    TestsFailed "MF1022" Failure "Some tests failed"
        "At least one call did not behave as it must. The table says which tool, which case and why."
    Unhealthy "MF1023" Failure "Something is not as it should be"
        "At least one check failed. Each failed check names its remedy."
    NotFormatted "MF1024" Failure "The file is not formatted"
        "`mcp-factory fmt --write FILE` formats it. Comments are kept, and the meaning (the digest) does not change."
    CatalogueBusy "MF1025" TimedOut "Another process is writing to the catalogue"
        "Writers wait for each other for five seconds. Try again; if it stays so, look for a process that holds `catalogue.db` open."
    CannotWrite "MF1026" Failure "The file cannot be written"
        "Check the folder, its permissions and the free space of the disk."
    BadEnvFile "MF1027" Usage "The environment file cannot be understood"
        "An environment file has one `NAME=value` a line; empty lines and lines that begin with `#` are skipped, and a value may be put into quotes."
    BadCursor "MF1028" Usage "The cursor is not one of this list"
        "Pass the `nextCursor` of the page before, unchanged, or leave it out to begin at the start."
    Internal "MF1099" Failure "A fault in MCP Factory itself"
        "This should not happen. Please report it with the message and the command."
}
