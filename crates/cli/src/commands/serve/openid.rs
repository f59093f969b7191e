//! The options of signing in at a provider of OpenID Connect.

use std::path::PathBuf;

use base::Secret;
use clap::Args;
use identity::accounts::Role;
use identity::openid::{Allow, Settings, authorities, issuer};
use operations::{Code, Environment, Error};

const ISSUER: &str = "MCP_FACTORY_OIDC_ISSUER";
const CLIENT: &str = "MCP_FACTORY_OIDC_CLIENT_ID";
const SECRET: &str = "MCP_FACTORY_OIDC_CLIENT_SECRET";
const SECRET_FILE: &str = "MCP_FACTORY_OIDC_CLIENT_SECRET_FILE";
const ALLOW: &str = "MCP_FACTORY_OIDC_ALLOW";
const ROLE: &str = "MCP_FACTORY_OIDC_ROLE";
const SCOPES: &str = "MCP_FACTORY_OIDC_SCOPES";
const NAME: &str = "MCP_FACTORY_OIDC_NAME";
const ONLY: &str = "MCP_FACTORY_OIDC_ONLY";
const CA_FILE: &str = "MCP_FACTORY_OIDC_CA_FILE";
/// Longest text of the button, characters.
const NAME_CHARS_MAX: usize = 60;

#[derive(Clone, Debug, Default, Args)]
#[command(
    next_help_heading = "Signing in by OpenID Connect; each is also a variable, MCP_FACTORY_OIDC_ISSUER and so on"
)]
pub(super) struct OpenIdArguments {
    /// Provider at which people sign in, as it calls itself; its secret for this client is MCP_FACTORY_OIDC_CLIENT_SECRET, or a file that MCP_FACTORY_OIDC_CLIENT_SECRET_FILE names; a public client has none
    #[arg(long, value_name = "URL")]
    oidc_issuer: Option<String>,
    /// What this control plane is called there
    // Providers make ids up, some of which begin as options do.
    #[arg(long, value_name = "ID", allow_hyphen_values = true)]
    oidc_client_id: Option<String>,
    /// Who is let in who has no account, by commas: `ann@example.com`, `*@example.com`, `group:NAME`; with `owner:`, `admin:` or `member:` before it in that role [default: nobody]
    #[arg(long, value_name = "LIST")]
    oidc_allow: Option<String>,
    /// Role of new accounts whose entry names none: `member` or `admin` [default: member]
    #[arg(long, value_name = "ROLE")]
    oidc_role: Option<String>,
    /// What is asked for [default: openid email profile]
    #[arg(long, value_name = "SCOPES")]
    oidc_scopes: Option<String>,
    /// What people know the provider as: the button says `Sign in with NAME`
    #[arg(long, value_name = "NAME")]
    oidc_name: Option<String>,
    /// Take no passwords, and nobody who signed in by one; links for the first account or a new password still let people in
    #[arg(long)]
    oidc_only: bool,
    /// PEM file of the certificate authorities that the provider's certificates are of [default: those of browsers]
    #[arg(long, value_name = "FILE")]
    oidc_ca_file: Option<PathBuf>,
}

impl OpenIdArguments {
    /// What the options and the variables say; nothing where no provider is named.
    pub(super) fn settings(&self, environment: &Environment) -> Result<Option<Settings>, Error> {
        let given = |option: &Option<String>, variable: &str| option.clone().or_else(|| environment.get(variable));
        let only = self.oidc_only || is_on(environment)?;
        let Some(named) = given(&self.oidc_issuer, ISSUER) else {
            return match self.first_beside(environment, only) {
                Some(option) => Err(unfit(format!("{option} is given, and no provider"))
                    .hint(format!("name the provider with --oidc-issuer or {ISSUER}"))),
                None => Ok(None),
            };
        };
        issuer(&named).map_err(|why| {
            unfit(format!("--oidc-issuer {named} {why}"))
                .hint("write it as the provider does, such as https://id.example.com/realms/staff")
        })?;
        let client = given(&self.oidc_client_id, CLIENT).ok_or_else(|| {
            unfit("a provider is named, and not what this control plane is called there".to_owned())
                .hint(format!("register a client at the provider, and name it with --oidc-client-id or {CLIENT}"))
        })?;
        let mut settings = Settings::new(&named, &client);
        settings.client_secret = secret(environment)?;
        settings.only = only;
        settings.ca_file = self.oidc_ca_file.clone().or_else(|| environment.get(CA_FILE).map(PathBuf::from));
        if let Some(file) = &settings.ca_file {
            authorities(file)
                .map_err(|why| unfit(format!("--oidc-ca-file: {why}")).hint("name a file of PEM certificates"))?;
        }
        let role = role(given(&self.oidc_role, ROLE).as_deref())?;
        let list = given(&self.oidc_allow, ALLOW).unwrap_or_default();
        settings.allow = Allow::parse(list.split(','), role).map_err(|entry| {
            unfit(format!("`{entry}` names nobody who could be let in, or somebody whom another entry gives another role"))
                .hint("write ann@example.com, *@example.com or group:NAME, each once; owner:ann@example.com for an owner, whom only an address names")
        })?;
        if let Some(scopes) = given(&self.oidc_scopes, SCOPES) {
            settings.scopes = asked_for(&scopes)?;
        }
        if let Some(name) = given(&self.oidc_name, NAME) {
            let is_short = name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
            let name = Some(name.trim().to_owned()).filter(|name| is_short && !name.is_empty());
            settings.name = name.ok_or_else(|| {
                unfit(format!("--oidc-name has no text of at most {NAME_CHARS_MAX} characters"))
                    .hint("write what people know the provider as, such as `Example Inc.`")
            })?;
        }
        Ok(Some(settings))
    }

    /// The first option that is given beside the provider.
    fn first_beside(&self, environment: &Environment, only: bool) -> Option<&'static str> {
        let set = |variable: &str| environment.get(variable).is_some();
        let options = [
            ("--oidc-client-id", self.oidc_client_id.is_some() || set(CLIENT)),
            ("--oidc-allow", self.oidc_allow.is_some() || set(ALLOW)),
            ("--oidc-role", self.oidc_role.is_some() || set(ROLE)),
            ("--oidc-scopes", self.oidc_scopes.is_some() || set(SCOPES)),
            ("--oidc-name", self.oidc_name.is_some() || set(NAME)),
            ("--oidc-only", only),
            ("--oidc-ca-file", self.oidc_ca_file.is_some() || set(CA_FILE)),
            (SECRET, set(SECRET)),
            (SECRET_FILE, set(SECRET_FILE)),
        ];
        options.into_iter().find_map(|(option, is_there)| is_there.then_some(option))
    }
}

fn unfit(what: String) -> Error {
    Error::new(Code::OpenIdSettings, what)
}

fn is_on(environment: &Environment) -> Result<bool, Error> {
    match environment.get(ONLY).as_deref() {
        None | Some("false" | "0") => Ok(false),
        Some("true" | "1") => Ok(true),
        Some(_) => {
            Err(unfit(format!("{ONLY} is neither true nor false")).hint(format!("set {ONLY}=true, or unset it")))
        }
    }
}

fn role(word: Option<&str>) -> Result<Role, Error> {
    let Some(word) = word else { return Ok(Role::Member) };
    Role::of_word(word).filter(|role| *role != Role::Owner).ok_or_else(|| {
        unfit(format!("--oidc-role {word} is no role that new accounts get"))
            .hint("write member or admin; an owner is named in --oidc-allow: owner:ann@example.com")
    })
}

fn asked_for(scopes: &str) -> Result<String, Error> {
    let words: Vec<&str> = scopes.split_ascii_whitespace().collect();
    let plain = words.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_graphic()));
    match plain && words.contains(&"openid") {
        true => Ok(words.join(" ")),
        false => Err(unfit(format!("--oidc-scopes `{}` cannot be asked for", scopes.escape_debug()))
            .hint("separate scopes by spaces; `openid` is always one of them")),
    }
}

/// The secret, from its variable, or from the file that the other one names.
fn secret(environment: &Environment) -> Result<Option<Secret>, Error> {
    let (text, from) = match (environment.get(SECRET), environment.get(SECRET_FILE)) {
        (Some(text), _) => (text, SECRET.to_owned()),
        (None, Some(path)) => {
            let text = std::fs::read_to_string(&path).map_err(|error| {
                unfit(format!("the file {path} that {SECRET_FILE} names cannot be read: {error}"))
                    .hint("make it readable for this user, or set the variable itself")
            })?;
            (text, format!("the file {path} that {SECRET_FILE} names"))
        }
        (None, None) => return Ok(None),
    };
    let text = text.trim_end_matches(['\r', '\n']);
    match text.is_empty() {
        true => Err(unfit(format!("{from} holds no secret"))
            .hint("write the client's secret into it; a public client names none")),
        false => Ok(Some(Secret::new(text))),
    }
}
