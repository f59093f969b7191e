//! Every code of a diagnostic of this crate, with its help page.

/// A code and what it stands for.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// The code, `MF0107`.
    pub code: &'static str,
    /// What is wrong, a few words.
    pub title: &'static str,
    /// Whether it is a warning: an error only with `strict`.
    pub warning: bool,
    /// The help page, Markdown.
    pub page: &'static str,
}

macro_rules! codes {
    ($($name:ident $code:literal $severity:ident $title:literal;)*) => {
        $(#[doc = $title] pub(crate) const $name: &str = $code;)*

        static CODES: &[CodeInfo] = &[
            $(CodeInfo {
                code: $code,
                title: $title,
                warning: matches!(stringify!($severity).as_bytes(), b"warning"),
                page: include_str!(concat!("codes/", $code, ".md")),
            },)*
        ];
    };
}

codes! {
    BAD_YAML "MF0101" error "The text is not YAML";
    BAD_JSON "MF0102" error "The text is not JSON";
    NOT_UTF8 "MF0103" error "The file is not UTF-8 text";
    DOCUMENT_TOO_LARGE "MF0104" error "The document is too large";
    TOO_DEEP "MF0105" error "The document is nested too deeply";
    TOO_MANY_NODES "MF0106" error "The document holds too many values";
    DUPLICATE_KEY "MF0107" error "A key is written twice";
    SEVERAL_DOCUMENTS "MF0108" error "The file holds several YAML documents";
    BAD_NUMBER "MF0109" error "A number cannot be kept exactly";
    EMPTY_DOCUMENT "MF0110" error "The document is empty";
    YAML_FEATURE "MF0111" error "A YAML feature that specs do not use";
    HIDDEN_CHARACTER "MF0112" error "A text holds a hidden character";

    WRONG_TYPE "MF0201" error "A value has the wrong type";
    UNKNOWN_KEY "MF0202" error "A key is not known";
    MISSING_KEY "MF0203" error "A key is missing";
    UNKNOWN_WORD "MF0204" error "A word is not one of those allowed";
    SAME_KEY "MF0205" error "Two keys mean the same";
    NOTHING_OFFERED "MF0206" error "The spec offers nothing";
    TOO_LONG "MF0207" error "A text or a list is too long";
    EMPTY_TEXT "MF0208" error "A text or a list is empty";

    SERVER_NAME "MF0301" error "The server's name is not kebab-case";
    RESERVED_NAME "MF0302" error "The server's name is reserved";
    TOOL_NAME "MF0303" error "A tool's name has characters that clients refuse";
    VERSION "MF0304" error "The version is not a semantic version";
    SHORT_VERSION "MF0305" warning "The version is not written in full";
    DUPLICATE_NAME "MF0306" error "A name is used twice";
    SIMILAR_NAME "MF0307" warning "Two names differ only in case";
    UNKNOWN_CONNECTION "MF0308" error "A connection is not declared";
    UNKNOWN_TOOL "MF0309" error "A tool is not declared";
    OTHER_NAME "MF0310" error "A name has characters that are not allowed";
    RESOURCE_URI "MF0311" error "A resource's URI is not valid";
    RESOURCE_VARIABLES "MF0312" error "A resource's template and its tool do not fit";
    RESOURCE_SOURCE "MF0313" error "A resource needs exactly one source";
    PROMPT_PLACEHOLDER "MF0314" error "A prompt uses an argument that it does not declare";
    PROMPT_UNUSED "MF0315" warning "A prompt's argument is never used";
    ICON "MF0316" error "An icon's address is not allowed";
    UNUSED_CONNECTION "MF0317" warning "A connection is never used";
    WIDE_NAME "MF0318" warning "A parameter's name has letters that some clients refuse";
    MEDIA_TYPE "MF0319" error "A media type is not valid";

    OUT_OF_RANGE "MF0401" error "A number is out of range";
    TYPE_WORD "MF0402" error "A type is not known";
    MISSPELT_KEYWORD "MF0403" error "A schema keyword is misspelt";
    UNKNOWN_KEYWORD "MF0404" warning "A schema keyword is not known";
    BAD_DEFAULT "MF0405" error "A default is not allowed by its own schema";
    BAD_ENUM "MF0406" error "An enum is empty, repeats itself or has the wrong type";
    BOUNDS "MF0407" error "A schema's bounds exclude every value";
    PATTERN "MF0408" error "A pattern is not a regular expression";
    KEYWORD_SHAPE "MF0409" error "A schema keyword has the wrong kind of value";
    REFERENCE "MF0410" error "A schema refers to another schema";
    REQUIRED_DEFAULT "MF0411" error "A required parameter has a default";
    REQUIRED_UNDECLARED "MF0412" error "A required property is not declared";
    KEYWORD_UNUSED "MF0413" warning "A schema keyword does nothing for its type";
    BAD_EXAMPLE "MF0414" warning "An example is not allowed by its own schema";

    TWO_ACTIONS "MF0501" error "A tool has two actions";
    ACTION_CONNECTION "MF0503" error "An action needs a connection";
    IDLE_CONNECTION "MF0504" warning "An action does not use the tool's connection";
    BAD_SQL "MF0505" error "The SQL cannot be read";
    SEVERAL_STATEMENTS "MF0506" error "One text holds several SQL statements";
    UNDECLARED_PARAMETER "MF0507" error "The SQL uses a parameter that is not declared";
    UNUSED_PARAMETER "MF0508" warning "A parameter is never used";
    WRITE_NOT_ALLOWED "MF0509" error "The SQL changes data without `write: true`";
    DDL "MF0510" error "The SQL is not a query or a change of rows";
    RISKY_SQL "MF0511" warning "The SQL is risky";
    PAGES "MF0512" error "Pages do not fit the action";
    BATCH "MF0513" error "The batch does not fit the parameters";
    RESULT "MF0514" error "The result does not fit the statements";
    ANNOTATIONS "MF0515" error "An annotation contradicts the action";
    REPLY "MF0516" error "A reply is not usable";
    NEEDLESS_WRITE "MF0517" warning "`write: true` on statements that only read";
    SCRIPT_NAME "MF0518" error "A script cannot reach a connection of this name";
    TEMPLATE "MF0519" error "A template cannot be read";
    TEMPLATE_NAME "MF0520" error "A template uses a name that is not there";
    ACTION_KIND "MF0521" error "An action cannot run on its connection";
    HTTP_PATH "MF0522" error "The path of a request is not usable";
    HTTP "MF0523" error "A request is not usable";
    SCRIPT_USES "MF0524" warning "A script uses what it does not have";
    GRPC "MF0525" error "A gRPC call is not usable";
    GRAPHQL "MF0526" error "A GraphQL operation is not usable";
    REDIS "MF0530" error "A Redis command is not usable";
    REDIS_WRITE "MF0531" warning "`write: true` on Redis commands that only read";
    MONGO "MF0532" error "A MongoDB operation is not usable";
    FILES "MF0533" error "An action on files is not usable";
    SEND "MF0534" error "A message is not usable";
    VECTOR "MF0535" error "Texts with vectors are not usable";
    CALL "MF0537" error "A call of a tool is not usable";
    CALL_CYCLE "MF0538" error "Tools call each other in a circle";
    STEPS "MF0539" error "Steps are not usable";
    STEP_NAME "MF0540" error "A step is not there, or not done yet";
    COMMAND "MF0541" error "A command is not usable";
    COMMAND_SHELL "MF0542" error "A caller's value goes into a shell";
    ASK "MF0543" error "A question to a person is not usable";
    SHAPE "MF0547" error "The shape of a result is not usable";
    PARAMETER_SOURCE "MF0548" error "A parameter's value comes from nowhere or from two places";
    GROUP "MF0549" error "A group is not usable";
    ASK_FIELD "MF0550" error "A form has no field for a parameter";
    ASK_SECRET "MF0551" warning "A form asks a person for a secret";
    ASK_NOBODY "MF0552" warning "A question is asked where nobody can answer";
    HOSTS "MF0555" error "A host that requests may go to is not usable";
    WHOLE_URL "MF0556" error "A whole URL does not fit its connection";
    FETCH_IDLE "MF0557" warning "A script may fetch and never does";
    PROMPT_TOOL "MF0558" error "A prompt and its tool do not fit";
    SCRIPT_SOURCE "MF0565" error "A script has no code, or two";
    SCRIPT_MODULE "MF0566" error "There is no such module";
    MODULE "MF0567" warning "No script uses a module";

    CONNECTION_SOURCE "MF0601" error "A connection needs exactly one of envVar and url";
    ENV_VAR "MF0602" error "The name of an environment variable is not valid";
    CONNECTION_URL "MF0603" error "A connection's URL does not fit its type";
    URL_CREDENTIALS "MF0604" error "A URL holds credentials";
    SECRET "MF0605" error "A value looks like a secret";
    TLS "MF0606" warning "A TLS setting has no effect";
    SECRET_REFERENCE "MF0607" error "A `${…}` reference is not valid";
    AUTH "MF0608" error "The settings of auth are not valid";
    SECRET_PLACE "MF0609" error "A secret needs exactly one place";
    CREDENTIALS "MF0610" error "The credentials of a connection are not usable";
    OTHER_SETTING "MF0611" error "A setting belongs to another type of connection";
    ACT_AS "MF0612" error "Calls cannot act for their caller like this";

    CRON "MF0701" error "A schedule is not a cron expression";
    TIME_ZONE "MF0702" error "A time zone is not known";
    WEBHOOK_PATH "MF0703" error "A webhook's path is not allowed";
    FILE_PATH "MF0704" error "A watched path or pattern is not allowed";
    TRIGGER_TOOL "MF0705" warning "A trigger calls a tool that is not declared";
    DATABASE_TRIGGER "MF0706" error "A database trigger does not fit its connection";
    TRIGGER_ARGUMENTS "MF0707" error "A trigger's arguments do not fit its tool";
    QUEUE "MF0708" error "A queue's name is not valid";
}

/// The codes, in order.
pub fn codes() -> &'static [CodeInfo] {
    CODES
}

/// The help page of a code, Markdown; the code is taken in any case.
pub fn explain(code: &str) -> Option<&'static str> {
    CODES.iter().find(|info| info.code.eq_ignore_ascii_case(code)).map(|info| info.page)
}
