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
    ($($name:ident $code:literal $kind:ident $title:literal;)*) => {
        /// The code of a failed operation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $title] $name),* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code of this stable name.
            pub fn parse(name: &str) -> Option<Self> { Self::ALL.iter().copied().find(|code| code.as_str() == name) }

            /// The stable name, such as `MF1002`.
            pub fn as_str(self) -> &'static str { match self { $(Self::$name => $code),* } }

            /// What kind of failure it is.
            pub fn kind(self) -> Kind { match self { $(Self::$name => Kind::$kind),* } }

            /// What went wrong, in a few words.
            pub fn title(self) -> &'static str { match self { $(Self::$name => $title),* } }

            /// Why it happens and what to do, Markdown.
            pub fn page(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("code/", $code, ".md"))),* }
            }
        }
    };
}

codes! {
    InvalidSpec "MF1001" Failure "The spec has errors";
    NoServer "MF1002" NotFound "There is no server of this name";
    NoVersion "MF1003" NotFound "The server has no such version";
    NoTool "MF1004" NotFound "The server has no such tool";
    VersionConflict "MF1005" Conflict "This version exists with another content";
    FileNotFound "MF1006" NotFound "The file does not exist";
    FileUnreadable "MF1007" Failure "The file cannot be read";
    Catalogue "MF1008" Failure "The catalogue cannot be used";
    Upstream "MF1009" Upstream "A database cannot be used";
    BadArguments "MF1010" Usage "The arguments of the tool are not a JSON object";
    ToolFailed "MF1011" Failure "The tool answered with an error";
    Usage "MF1012" Usage "The command line cannot be understood";
    NotBuilt "MF1013" Usage "This build does not have that";
    Exposed "MF1014" Refused "Refused: everybody who reaches this machine could call the server";
    TimedOut "MF1015" TimedOut "It took too long";
    Interrupted "MF1016" Interrupted "Interrupted";
    NeedsConfirmation "MF1017" Usage "This needs a confirmation";
    Address "MF1018" Failure "The address cannot be listened on";
    BadPlan "MF1019" Failure "The plan cannot be used";
    NoCode "MF1020" NotFound "There is no such code";
    MissingKey "MF1021" Refused "The key that callers must show is not set";
    TestsFailed "MF1022" Failure "Some tests failed";
    Unhealthy "MF1023" Failure "Something is not as it should be";
    NotFormatted "MF1024" Failure "The file is not formatted";
    CatalogueBusy "MF1025" TimedOut "Another process is writing to the catalogue";
    CannotWrite "MF1026" Failure "The file cannot be written";
    BadEnvFile "MF1027" Usage "The environment file cannot be understood";
    BadCursor "MF1028" Usage "The cursor is not one of this list";
    Forbidden "MF1029" Refused "The caller may not do that";
    BadRequest "MF1030" Usage "The request cannot be understood";
    NoPath "MF1031" NotFound "There is nothing at this path";
    BadMethod "MF1032" Usage "The path does not take this method";
    NotAcceptable "MF1033" Usage "The answer cannot be given in a form that the caller accepts";
    TooLarge "MF1034" Refused "The request is too large";
    MediaType "MF1035" Usage "The request's body is of a type that is not taken";
    KeyReused "MF1036" Usage "The Idempotency-Key was used for another request";
    KeyInUse "MF1037" Conflict "A request with this Idempotency-Key is still running";
    Precondition "MF1038" Conflict "The server is not in the state that the request names";
    NoJob "MF1039" NotFound "There is no such job";
    NoIntake "MF1040" Usage "No intake of natural language is configured";
    ReservedName "MF1041" Refused "The control plane reserves this name";
    ControlPlane "MF1042" Upstream "The control plane cannot be used";
    NoTemplate "MF1043" NotFound "There is no such template";
    NeedsKey "MF1044" NeedsLogin "A key is needed";
    OAuthSettings "MF1045" Usage "The settings of the authorization server do not fit";
    Passphrase "MF1046" Refused "The owner's passphrase cannot be used";
    NoKey "MF1047" NotFound "There is no such key";
    BadKey "MF1048" Usage "The key cannot be made";
    BadCallers "MF1049" Usage "The callers that are to be let in cannot be understood";
    TooMany "MF1050" Refused "The caller comes too often";
    Taken "MF1051" Conflict "The name is taken";
    BadAccount "MF1052" Usage "The account cannot be made or changed";
    NoAccount "MF1053" NotFound "There is no such account";
    Quota "MF1054" Refused "A quota is used up";
    BadPolicy "MF1055" Usage "The policy cannot be set";
    NoPolicy "MF1056" NotFound "There is no such policy";
    NoConnection "MF1057" NotFound "The server has no such connection";
    NotDeployed "MF1060" NotFound "The server is not deployed";
    NothingBefore "MF1061" Conflict "There is no version to go back to";
    NoTarget "MF1062" Usage "There is no such target";
    NoControlPlane "MF1063" Failure "No control plane runs";
    Shim "MF1070" Failure "The shim cannot begin";
    InUse "MF1080" Conflict "Other servers use this one";
    CatalogueFull "MF1125" Failure "The disk of the catalogue is full";
    Reference "MF1127" Refused "The spec names something of the machine that its caller may not use";
    CatalogueAway "MF1126" Upstream "The database of the catalogue does not answer, or is gone";
    ClientFile "MF1095" Failure "The configuration of a client cannot be changed";
    EntryTaken "MF1096" Conflict "The client has another entry of this name";
    ImportConflict "MF1081" Conflict "What is imported conflicts with what is stored";
    BadArchive "MF1082" Failure "The archive or backup cannot be used";
    NotEmpty "MF1083" Conflict "Something is there already";
    HomeHeld "MF1084" Conflict "A control plane holds the home folder";
    SignIn "MF1100" NeedsLogin "There is no sign-in at the server";
    OpenIdSettings "MF1101" Usage "The settings of OpenID Connect do not fit";
    OpenIdProvider "MF1102" Upstream "The provider of OpenID Connect cannot be used";
    OpenIdAnswer "MF1103" Refused "The answer belongs to no sign-in that this browser began";
    OpenIdDeclined "MF1104" Refused "The provider of OpenID Connect said no";
    OpenIdCode "MF1105" Upstream "The provider of OpenID Connect took its code back";
    OpenIdToken "MF1106" Refused "What the provider says of the person cannot be believed";
    OpenIdStranger "MF1107" Refused "Nobody let this person in";
    OpenIdTaken "MF1108" Conflict "The account of this address is not this person's";
    OpenIdOnly "MF1109" Refused "Passwords are not taken here";
    CutOff "MF1097" Failure "The work was cut off";
    Internal "MF1099" Failure "A fault in MCP Factory itself";
}
