//! A user authorises a server to act for them at an API.

use base::Diagnostic;
use host::Authorization;

use crate::pipeline;
use crate::{Code, Context, Error, Subject};

/// Whose authorisation, and for what.
#[derive(Clone, Debug)]
pub struct Input {
    /// A server of the catalogue, or a spec.
    pub subject: Subject,
    /// The connection.
    pub connection: String,
    /// Who authorises, as the server knows its callers: `caller.subject`.
    pub user: String,
    /// Where the code comes to.
    pub redirect: String,
}

/// An authorisation on its way.
#[derive(Debug)]
pub struct Asked {
    /// Name of the server.
    pub server: String,
    /// The page that the user has to open.
    pub url: String,
    /// What comes back with the code.
    pub state: String,
    authorization: Authorization,
}

/// Prepares an authorisation.
///
/// # Errors
/// There is no such connection, it takes none, or is not complete.
pub async fn begin(context: &Context, input: &Input) -> Result<Asked, Error> {
    let loaded = pipeline::load(context, &input.subject, false).await?;
    if !loaded.spec.connections.iter().any(|known| known.name() == input.connection) {
        let what = format!("`{}` has no connection `{}`", loaded.spec.name, input.connection);
        return Err(Error::new(Code::NoConnection, what).hint(host::take_users(&loaded.spec)));
    }
    let environment = context.environment.clone();
    let (managed, _) = host::managed(&loaded.spec, &|name: &str| environment.get(name)).await;
    let lookup = move |name: &str| managed.get(name).cloned().or_else(|| environment.get(name));
    let tokens = pipeline::tokens(context);
    let asked = host::authorize(&loaded.spec, &input.connection, &input.user, &input.redirect, &lookup, &tokens);
    let authorization = asked.map_err(refused)?;
    Ok(Asked {
        server: loaded.spec.name.clone(),
        url: authorization.url.clone(),
        state: authorization.state.clone(),
        authorization,
    })
}

impl Asked {
    /// Turns the code that came back into tokens, which are kept in the home folder.
    ///
    /// # Errors
    /// There are none.
    pub async fn finish(self, code: &str) -> Result<(), Error> {
        self.authorization.finish(code).await.map_err(refused)
    }
}

fn refused(problem: Diagnostic) -> Error {
    problem.help.into_iter().fold(Error::new(Code::Upstream, problem.message), Error::hint)
}
