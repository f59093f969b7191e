//! Redeeming a code (OpenID Connect Core, section 3.1.3; RFC 7636).

use base::Secret;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use connect::http::{Body, Method};

use super::failure::quoted;
use super::provider::{ANSWER_BYTES_MAX, Metadata};
use super::said;
use super::{Failure, Kind, OpenId};

/// What a code gave.
pub(super) struct Tokens {
    pub(super) id: Secret,
    pub(super) access: Option<Secret>,
}

impl OpenId {
    /// Redeems a code.
    pub(super) async fn redeem(
        &self,
        metadata: &Metadata,
        code: &str,
        verifier: &str,
        redirect: &str,
    ) -> Result<Tokens, Failure> {
        let mut form = vec![
            ("grant_type".to_owned(), "authorization_code".to_owned()),
            ("code".to_owned(), code.to_owned()),
            ("redirect_uri".to_owned(), redirect.to_owned()),
            ("code_verifier".to_owned(), verifier.to_owned()),
        ];
        let header = self.proof(metadata, &mut form)?;
        let asked = self.provider.fetch.ask(
            "the tokens",
            &metadata.token,
            Method::POST,
            Body::Form(form),
            ANSWER_BYTES_MAX,
            header.as_ref(),
        );
        let fetched = asked.await.map_err(|why| Failure::new(Kind::Provider, why))?;
        let text = |name: &str| fetched.value[name].as_str();
        if fetched.status != 200 {
            let mut secrets = vec![code.to_owned(), verifier.to_owned()];
            secrets.extend(header.iter().map(|header| header.expose().replacen("Basic ", "", 1)));
            if let Some(secret) = &self.settings.client_secret {
                let pair = format!("{}:{}", self.settings.client_id, secret.expose());
                secrets.extend([secret.expose().to_owned(), STANDARD.encode(pair)]);
            }
            let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
            let reason = text("error_description").or_else(|| text("error")).unwrap_or("no reason");
            let said = said::without(&secrets, reason);
            return Err(Failure::new(
                Kind::Code,
                format!("the token endpoint answers with status {}: {said}", fetched.status),
            ));
        }
        let is_bearer = text("token_type").is_some_and(|kind| kind.eq_ignore_ascii_case("bearer"));
        let access = text("access_token").filter(|token| is_bearer && is_token(token)).map(Secret::new);
        let none =
            || Failure::new(Kind::Code, "the token endpoint answers without an ID token; is `openid` asked for?");
        Ok(Tokens { id: Secret::new(text("id_token").ok_or_else(none)?), access })
    }

    /// Proves who we are, in a way that the provider takes.
    fn proof(&self, metadata: &Metadata, form: &mut Vec<(String, String)>) -> Result<Option<Secret>, Failure> {
        let takes = |method: &str| metadata.methods.iter().any(|one| one == method);
        let id = &self.settings.client_id;
        match &self.settings.client_secret {
            Some(secret) if takes("client_secret_basic") => return Ok(Some(basic(id, secret.expose()))),
            Some(secret) if takes("client_secret_post") => {
                form.push(("client_secret".to_owned(), secret.expose().to_owned()));
            }
            Some(_) => {
                let known = quoted(&metadata.methods.join(", "));
                return Err(Failure::new(
                    Kind::Provider,
                    format!("the provider takes a secret in no way that is known: {known}"),
                ));
            }
            None => {}
        }
        form.push(("client_id".to_owned(), id.clone()));
        Ok(None)
    }
}

/// Both parts are encoded before (RFC 6749, section 2.3.1).
fn basic(id: &str, secret: &str) -> Secret {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = format!("{}:{}", encode(id), encode(secret));
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

/// Whether a text can stand in a header.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}
