//! The factory's own MCP server: every operation that has a tool name is a tool, and so is every tool of the servers that run.

mod beside;
mod choice;
mod fleet;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base::Strict;
use operations::access::USE;
use operations::deploy::Local;
use operations::operation::{Effect, Erased, Scope};
use operations::{Caller, Context as Asked, Progress};
use parking_lot::{Mutex, MutexGuard};
use protocol::service::{About, Boxed, Reply, Service, Tool, ToolAnnotations, ToolCall, ToolResult};
use protocol::{Binding, CacheScope, Changes, Context, Error, Json, Listing, Principal};
use serde_json::{Map, Value};
use tokio::sync::mpsc;

use super::{caller, decode};
use beside::Beside;
use choice::Choice;
use fleet::Fleet;

/// What a model should know before it uses the tools.
const INSTRUCTIONS: &str = "MCP Factory makes MCP servers from specs. To make one: read `get_spec_schema` or begin with \
`list_templates` and `get_template`, check with `validate_spec`, make it with `create_server`, test it with `test_server`, \
and use it at once with `call_tool {server, tool, arguments}`. `get_server` shows the tools that a server has. \
`deploy_server` runs it: its tools are then tools here too, named `SERVER__TOOL`; where many servers run, `search_capabilities` \
finds them and only `call_tool` calls them, or a URL with `?servers=NAME,NAME` lists the tools of some.";

/// Words of progress on their way to a caller; further ones are left out.
const PROGRESS_WAITING: usize = 32;
/// Lists that are kept for callers and their choices.
const LISTS_KEPT: usize = 64;

/// The factory's own MCP server.
pub(super) struct Platform {
    context: Asked,
    about: About,
    local: Arc<Local>,
    fleet: Mutex<Option<Arc<Fleet>>>,
    lists: Mutex<Lists>,
}

/// Lists that were made of one fleet.
#[derive(Default)]
struct Lists {
    generation: u64,
    made: HashMap<Key, Arc<Listing>>,
    /// Choices of which everything is there.
    there: HashSet<Key>,
}

/// What a client chose, the caller's scopes, and who they are under which policies.
type Key = (Choice, u8, String);

/// Every scope that decides what a caller sees.
const SCOPES: [Scope; 6] =
    [Scope::Open, Scope::ServersRead, Scope::ServersWrite, Scope::ServersCall, Scope::LogsRead, Scope::Admin];

impl Platform {
    pub(super) fn new(context: Asked, local: Arc<Local>) -> Self {
        let mut about = About::new("mcp-factory", env!("CARGO_PKG_VERSION"));
        about.title = Some("MCP Factory".to_owned());
        about.instructions = Some(INSTRUCTIONS.to_owned());
        about.capabilities.tools = true;
        about.capabilities.list_changed = true;
        Self { context, about, local, fleet: Mutex::default(), lists: Mutex::default() }
    }

    /// The query that chooses what `/mcp/groups/GROUP` shows.
    pub(super) fn query_of_group(group: &str) -> String {
        Choice::query_of_group(group)
    }

    /// The tools of the servers that run now.
    fn fleet(&self) -> Arc<Fleet> {
        let mut fleet = self.fleet.lock();
        match fleet.as_ref().filter(|known| known.is_of(&self.local)) {
            Some(known) => Arc::clone(known),
            None => Arc::clone(fleet.insert(Arc::new(Fleet::of(&self.local)))),
        }
    }

    /// Names the callers who see the same tools of servers, until a policy is changed.
    fn seen_by(&self, caller: &Caller) -> String {
        let version = self.context.policies.as_ref().map_or(0, |policies| policies.version());
        match caller.may(Scope::Admin) {
            true => String::new(),
            false => format!("{version} {} {}", caller.id(), caller.owner()),
        }
    }

    /// What a list for a caller's choice depends on.
    fn key(&self, caller: &Caller, choice: &Choice) -> Key {
        let scopes = SCOPES.iter().enumerate().filter(|(_, scope)| caller.may(**scope));
        let uses = matches!(caller, Caller::Remote(known) if known.scopes.allow(USE));
        let scopes = scopes.fold(u8::from(uses) << SCOPES.len(), |all, (nth, _)| all | 1 << nth);
        (choice.clone(), scopes, self.seen_by(caller))
    }

    /// What was made of the servers that run now.
    fn lists(&self) -> MutexGuard<'_, Lists> {
        let generation = self.local.generation();
        let mut lists = self.lists.lock();
        if lists.generation != generation || lists.made.len() >= LISTS_KEPT || lists.there.len() >= LISTS_KEPT {
            *lists = Lists { generation, ..Lists::default() };
        }
        lists
    }

    fn list(&self, caller: &Caller, choice: &Choice) -> Arc<Listing> {
        let key = self.key(caller, choice);
        let mut lists = self.lists();
        if let Some(known) = lists.made.get(&key) {
            return Arc::clone(known);
        }
        let own =
            operations::all::all().iter().filter(|one| !choice.without_platform && caller.may(one.declared().scope));
        let mut tools: Vec<Tool> = own.filter_map(|one| tool(*one)).collect();
        tools.extend(self.fleet().listed(choice, caller, self.context.policies.as_deref()));
        // The conversation itself changes what there is: what it has just made must be seen at once.
        let made = Arc::new(Listing::builder().tools(tools).scope(CacheScope::Private).ttl_ms(0).build());
        lists.made.insert(key, Arc::clone(&made));
        made
    }

    /// Does an operation.
    async fn operate(
        &self,
        cx: &Context,
        operation: &'static dyn Erased,
        call: ToolCall<'_>,
    ) -> Result<ToolResult, Error> {
        let mut fields = match call.arguments.map(|arguments| serde_json::from_str(arguments.get())) {
            None => Map::new(),
            Some(Ok(Strict(Value::Object(fields)))) => as_asked(operation, fields),
            Some(Err(error)) => return Err(Error::invalid_params(format!("the arguments cannot be read: {error}"))),
            Some(Ok(_)) => return Err(Error::invalid_params("the arguments are not a JSON object")),
        };
        let beside = match beside::take(operation, &mut fields) {
            Ok(beside) => beside,
            Err(error) => return Ok(beside::failed(&error)),
        };
        let request = uuid::Uuid::now_v7().simple().to_string();
        let mut asked = self.context.asked(caller::of(cx.principal()), request).from(cx.address());
        asked.cancel = cx.cancellation().child_token();
        let (tell, mut told) = mpsc::channel(PROGRESS_WAITING);
        if cx.wants_progress() {
            asked.progress = Some(Progress::new(move |done, total, message| {
                let _ = tell.try_send((done, total, message.to_owned()));
            }));
        }
        let input = Value::Object(fields);
        let mut work = match beside {
            Beside { tries: true, .. } => {
                let asked = asked.trying();
                Box::pin(async move { beside::answered(operation.run(&asked, input).await) })
                    as operations::operation::Boxed<'_, _>
            }
            // What was begun under a key is ended and kept, also when the caller goes away.
            Beside { key: Some(key), .. } => {
                let work = tokio::spawn(async move { beside::once(&asked, operation, &key, input).await });
                Box::pin(async move { work.await.unwrap_or_else(|_| ToolResult::error("the work did not end")) })
            }
            Beside { key: None, .. } => Box::pin(async move { beside::answered(operation.run(&asked, input).await) }),
        };
        let ended = loop {
            tokio::select! {
                biased;
                Some((done, total, message)) = told.recv() => cx.progress(done, total, Some(&message)),
                ended = &mut work => break ended,
            }
        };
        while let Ok((done, total, message)) = told.try_recv() {
            cx.progress(done, total, Some(&message));
        }
        Ok(ended)
    }
}

/// Arguments with numbers and truth values that came as texts, which models write now and then, as a query has them.
fn as_asked(operation: &dyn Erased, mut fields: Map<String, Value>) -> Map<String, Value> {
    if fields.values().any(Value::is_string) {
        let schema = beside::schema(operation);
        for (name, value) in &mut fields {
            let wanted = &schema["properties"][name.as_str()];
            let takes_text = match &wanted["type"] {
                Value::Array(kinds) => kinds.iter().any(|kind| kind == "string"),
                Value::String(kind) => kind == "string",
                _ => true,
            };
            if let (Value::String(text), false) = (&*value, takes_text) {
                *value = decode::typed(wanted, text);
            }
        }
    }
    fields
}

fn tool(operation: &dyn Erased) -> Option<Tool> {
    let declared = operation.declared();
    let mut tool = Tool::new(declared.tool?, Json::to(&beside::schema(operation))).describe(declared.description);
    tool.title = Some(declared.title.to_owned());
    tool.output_schema = Some(Json::to(&operation.output_schema()));
    let (read_only, destructive, idempotent) = match declared.effect {
        Effect::Reads => (true, false, true),
        Effect::Changes { destroys, idempotent } => (false, destroys, idempotent),
    };
    tool.annotations = ToolAnnotations {
        read_only: Some(read_only),
        destructive: Some(destructive),
        idempotent: Some(idempotent),
        open_world: Some(declared.tool == Some("call_tool")),
    };
    Some(tool)
}

impl Service for Platform {
    fn about(&self) -> &About {
        &self.about
    }

    fn listing(&self, principal: Option<&Principal>) -> Arc<Listing> {
        self.list(&caller::of(principal), &Choice::default())
    }

    fn bind(&self, query: &str) -> Result<Option<Binding>, String> {
        let choice = Choice::parse(query)?;
        Ok((choice != Choice::default()).then(|| Arc::new(choice) as Binding))
    }

    fn is_there<'a>(&'a self, principal: Option<&'a Principal>, binding: &'a Binding) -> Boxed<'a, Result<(), String>> {
        Box::pin(async move {
            let Some(choice) = binding.downcast_ref::<Choice>() else { return Ok(()) };
            let caller = caller::of(principal);
            let key = self.key(&caller, choice);
            if self.lists().there.contains(&key) {
                return Ok(());
            }
            let fleet = self.fleet();
            let (servers, groups) = fleet.seen(&caller, self.context.policies.as_deref());
            let mut all_run = true;
            for name in choice.servers.iter().filter(|name| !servers.contains(name.as_str())) {
                // What does not run at the moment lists nothing until it does.
                let asked = self.context.asked(caller.clone(), "");
                if !operations::access::is_seen(&asked, name).await {
                    return Err(choice::nothing("server", name, &servers));
                }
                all_run = false;
            }
            match choice.groups.iter().find(|group| !groups.contains(group.as_str())) {
                Some(group) if all_run => Err(choice::nothing("group", group, &groups)),
                _ => {
                    self.lists().there.insert(key);
                    Ok(())
                }
            }
        })
    }

    fn listing_bound(&self, principal: Option<&Principal>, binding: &Binding) -> Arc<Listing> {
        match binding.downcast_ref() {
            Some(choice) => self.list(&caller::of(principal), choice),
            None => self.listing(principal),
        }
    }

    fn call_tool<'a>(&'a self, cx: &'a Context, call: ToolCall<'a>) -> Boxed<'a, Result<Reply<ToolResult>, Error>> {
        Box::pin(async move {
            let found = operations::all::all().iter().find(|one| one.declared().tool == Some(call.name));
            if let Some(operation) = found {
                return self.operate(cx, *operation, call).await.map(Reply::Done);
            }
            let (fleet, caller) = (self.fleet(), caller::of(cx.principal()));
            let Some((service, tool)) = fleet.find(call.name, &caller, self.context.policies.as_deref()) else {
                let what = format!("Unknown tool: {}; `tools/list` names those that there are", call.name);
                return Err(Error::invalid_params(what));
            };
            service.call_tool(cx, ToolCall { name: tool, ..call }).await
        })
    }

    fn changes(&self) -> Option<&Changes> {
        Some(self.local.changes())
    }
}
