//! A group of a server, served alone.

use std::sync::Arc;

use protocol::{
    About, Binding, Boxed, Changes, Completing, Completion, Context, Error, Listing, Principal, PromptCall,
    PromptResult, ReadResult, Reference, Reply, Service, ToolCall, ToolResult,
};

use super::{Hosted, views};

/// A group of a server: its tools, the resources and prompts behind which they or no tools stand. What it
/// shows follows the server when its toolset is replaced.
#[derive(Debug)]
pub struct GroupService {
    hosted: Arc<Hosted>,
    name: Box<str>,
    about: About,
}

impl Hosted {
    /// The names of the groups, declared ones first.
    pub fn groups(&self) -> Vec<String> {
        self.toolset().groups().iter().map(|group| group.name.clone()).collect()
    }

    /// The group of this name, to be served alone.
    pub fn group(self: &Arc<Self>, name: &str) -> Option<GroupService> {
        let toolset = self.toolset();
        let group = toolset.group(name)?;
        let mut about = self.about.clone();
        about.title = group.title.clone().or(about.title);
        about.description = group.description.clone().or(about.description);
        Some(GroupService { hosted: Arc::clone(self), name: name.into(), about })
    }
}

impl GroupService {
    fn has_tool(&self, tool: &str) -> bool {
        let toolset = self.hosted.toolset();
        toolset.group(&self.name).is_some_and(|group| toolset.is_in(group, tool))
    }

    /// Whether a URI is one of a resource that the group shows, or of none at all.
    fn may_read(&self, uri: &str) -> bool {
        let toolset = self.hosted.toolset();
        let Some(group) = toolset.group(&self.name) else { return false };
        toolset.resource(uri).is_none_or(|resource| views::shows(&toolset, group, resource))
    }
}

impl Service for GroupService {
    fn about(&self) -> &About {
        &self.about
    }

    fn caller_kept(&self, principal: &Principal) -> Option<String> {
        self.hosted.caller_kept(principal)
    }

    fn caller_again(&self, id: &Arc<str>, kept: Option<&str>) -> Option<Principal> {
        self.hosted.caller_again(id, kept)
    }

    fn listing(&self, _principal: Option<&Principal>) -> Arc<Listing> {
        self.hosted.current().view(Some(&self.name), None)
    }

    fn bind(&self, query: &str) -> Result<Option<Binding>, String> {
        self.hosted.bind(query)
    }

    fn listing_bound(&self, _principal: Option<&Principal>, binding: &Binding) -> Arc<Listing> {
        self.hosted.current().view(Some(&self.name), binding.downcast_ref())
    }

    fn call_tool<'a>(
        &'a self,
        context: &'a Context,
        call: ToolCall<'a>,
    ) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        if !self.has_tool(call.name) {
            let message = format!("Unknown tool: `{}` is not in the group `{}`", call.name, self.name);
            return Box::pin(async move { Err(Error::invalid_params(message)) });
        }
        self.hosted.call_tool(context, call)
    }

    fn read_resource<'a>(&'a self, context: &'a Context, uri: &'a str) -> Boxed<'a, Result<Reply<ReadResult>, Error>> {
        if !self.may_read(uri) {
            return Box::pin(async move { Err(Error::resource_not_found(uri)) });
        }
        self.hosted.read_resource(context, uri)
    }

    fn get_prompt<'a>(
        &'a self,
        context: &'a Context,
        call: PromptCall<'a>,
    ) -> Boxed<'a, Result<Reply<PromptResult>, Error>> {
        let toolset = self.hosted.toolset();
        let hidden =
            toolset.prompts().iter().find(|prompt| prompt.name == call.name).is_some_and(|prompt| {
                toolset.group(&self.name).is_none_or(|group| !toolset.is_prompt_in(group, prompt))
            });
        if hidden {
            let message = format!("Unknown prompt: `{}` is not in the group `{}`", call.name, self.name);
            return Box::pin(async move { Err(Error::invalid_params(message)) });
        }
        self.hosted.get_prompt(context, call)
    }

    fn complete<'a>(&'a self, context: &'a Context, ask: Completing<'a>) -> Boxed<'a, Result<Completion, Error>> {
        if let Reference::Resource(template) = ask.reference
            && !self.may_read(template)
        {
            let message = format!("Unknown resource template: {template}");
            return Box::pin(async move { Err(Error::invalid_params(message)) });
        }
        self.hosted.complete(context, ask)
    }

    fn changes(&self) -> Option<&Changes> {
        self.hosted.changes()
    }
}
