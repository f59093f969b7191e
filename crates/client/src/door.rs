//! Requests with the token of a sign-in.

use std::sync::Arc;

use base::Secret;
use connect::Error;
use connect::http::{Api, Call, Live};
use tokio::time::Instant;

use crate::limits::TOKENS_MAX;
use crate::oauth::Login;

/// A way to an origin, with a sign-in where there is one.
pub(crate) struct Door {
    api: Api,
    login: Option<Arc<Login>>,
}

impl Door {
    pub(crate) fn new(api: Api, login: Option<Arc<Login>>) -> Self {
        Self { api, login }
    }

    /// The origin behind it.
    pub(crate) fn origin(&self) -> String {
        self.api.origin()
    }

    /// Sends a request; where it is refused for its token, it is sent again with another one.
    pub(crate) async fn live(&self, call: &Call, deadline: Instant) -> Result<Live, Error> {
        match &self.login {
            None => self.api.live(call, deadline).await,
            Some(login) => Box::pin(self.signed_in(login, call, deadline)).await,
        }
    }

    async fn signed_in(&self, login: &Arc<Login>, call: &Call, deadline: Instant) -> Result<Live, Error> {
        let mut token = login.token().await?;
        let mut was_asked = false;
        for _ in 0..TOKENS_MAX {
            let answer = self.sent(call, token.as_ref(), deadline).await?;
            let status = answer.status.as_u16();
            // Who has just agreed is not asked again for the same.
            if !matches!(status, 401 | 403) || (status == 401 && was_asked) {
                return Ok(answer);
            }
            let challenges: Vec<String> = answer.all("www-authenticate").map(str::to_owned).collect();
            let challenges = challenges.iter().map(String::as_str);
            let Some(renewed) = login.challenged(status, challenges, token.as_ref()).await? else { return Ok(answer) };
            was_asked |= renewed.was_asked;
            token = Some(renewed.token);
        }
        self.sent(call, token.as_ref(), deadline).await
    }

    async fn sent(&self, call: &Call, token: Option<&Secret>, deadline: Instant) -> Result<Live, Error> {
        let Some(token) = token else { return self.api.live(call, deadline).await };
        let mut call = call.clone();
        bearer(&mut call, token.expose());
        self.api.live(&call, deadline).await
    }
}

/// Shows a token with a request; what comes back does not hold it.
pub(crate) fn bearer(call: &mut Call, token: &str) {
    call.headers.push(("authorization".to_owned(), format!("Bearer {token}")));
    call.subject = Some(Secret::new(token));
}
