//! One's own page: the keys that one has, a new one, and the end of one.

use http::Response;
use identity::oauth::Parameters;
use operations::all::{CreateKey, ListKeys, Nothing, RevokeKey};
use operations::clients::{Reach, snippets};
use operations::{Caller, Context, Error, keys};
use protocol::http::Body;

use super::page::{self, Key};
use super::{Known, People, failed};

impl People {
    /// Shows the page, after doing what a form of it says.
    pub(super) async fn own_page(&self, known: &Known, form: Option<&Parameters>) -> Response<Body> {
        let caller = Caller::Remote(known.principal.clone());
        let context = self.context.asked(caller, uuid::Uuid::now_v7().simple().to_string());
        let (mut new, mut wrong) = (None, None);
        match self.act(&context, form).await {
            Ok(made) => new = made,
            Err(error) => wrong = Some(error.message),
        }
        let listed = match operations::perform::<ListKeys>(&context, Nothing {}).await {
            Ok(listed) => listed,
            Err(error) => return failed(&error),
        };
        let own = |owner: &String| *owner == *known.principal.owner;
        let keys = listed
            .keys
            .into_iter()
            .filter(|key| own(&key.owner))
            .map(|key| Key { what: format!("{} ({}…)", key.name, key.start), id: key.id });
        let programs = listed
            .programs
            .into_iter()
            .filter(|program| own(&program.owner))
            .map(|program| Key { what: format!("{}, let in by you", program.name), id: program.id });
        let all: Vec<Key> = keys.chain(programs).collect();
        let new = new.as_ref().map(|(key, lines): &(String, String)| (key.as_str(), lines.as_str()));
        page::own(&known.name, &all, new, wrong.as_deref())
    }

    async fn act(&self, context: &Context, form: Option<&Parameters>) -> Result<Option<(String, String)>, Error> {
        let Some(form) = form else { return Ok(None) };
        if let Some(id) = form.get("revoke") {
            operations::perform::<RevokeKey>(context, keys::Revoke { id: id.to_owned() }).await?;
            return Ok(None);
        }
        let Some(name) = form.get("create") else { return Ok(None) };
        let input = keys::Create { name: name.to_owned(), ..keys::Create::default() };
        let made = operations::perform::<CreateKey>(context, input).await?;
        let header = Some(("Authorization".to_owned(), "Bearer "));
        let url = format!("{}/mcp", self.url());
        let lines: Vec<String> = snippets("mcp-factory", &Reach::Url { url, header })
            .into_iter()
            .map(|snippet| format!("{} ({}):\n{}", snippet.client, snippet.place, snippet.text))
            .collect();
        let lines = lines.join("\n\n").replace("<value>", &made.key);
        Ok(Some((made.key, lines)))
    }

    /// Where clients reach the control plane.
    fn url(&self) -> String {
        self.context.targets.as_ref().map(|targets| targets.url.clone()).unwrap_or_default()
    }
}
