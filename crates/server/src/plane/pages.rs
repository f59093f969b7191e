//! What a control plane that knows its callers answers to browsers, and to programs that want to be let in.

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Request, Response};
use hyper::body::Incoming;
use operations::Context;
use protocol::http::{Body, Guard, Peer};

use super::door::Admission;
use crate::accounts::People;
use crate::oauth::Routes;

/// Pages of people, and the authorization server.
pub(super) struct Pages {
    people: People,
    programs: Routes,
}

impl Pages {
    pub(super) fn new(admission: Admission, context: &Context, guard: &Arc<Guard>) -> Self {
        let Admission { accounts, openid, oauth, .. } = admission;
        Self {
            people: People {
                accounts: accounts.clone(),
                openid,
                context: context.clone(),
                guard: Arc::clone(guard),
                public_origin: oauth.authority.settings().public_origin.clone(),
                proxies: oauth.proxies.clone(),
            },
            programs: Routes::new(oauth, Arc::clone(guard), Some(accounts)),
        }
    }

    /// Whether a path is one of these. They look at hosts and origins in their own way.
    pub(super) fn has(&self, path: &str) -> bool {
        People::has(path) || self.programs.has(path)
    }

    /// How a program is told which scope its token lacks for what a request asks.
    pub(super) fn insufficient(&self, head: &Parts, scope: &str) -> Option<HeaderValue> {
        self.programs.insufficient(head, scope)
    }

    pub(super) async fn answer(&self, request: Request<Incoming>, peer: Peer, id: &str) -> Response<Body> {
        match People::has(request.uri().path()) {
            true => self.people.answer(request, &peer, id).await,
            false => self.programs.answer(request, peer).await,
        }
    }
}
