//! What a tool runs, in a few words.

use plan::ActionPlan;
use serde_json::Value;
use spec::model::{Files, Mongo, Redis, Vector};

/// What an action runs, as it stands in the spec; `None` where the whole of it is told: SQL, and nothing.
pub(super) fn words(action: &ActionPlan) -> Option<String> {
    Some(match action {
        ActionPlan::Sql(_) | ActionPlan::NotImplemented { .. } => return None,
        ActionPlan::Http(on) => format!("{} {}", on.action.method, on.action.target()),
        ActionPlan::Redis(on) => redis(&on.action),
        ActionPlan::Mongo(on) => format!("{} in {}", mongo(&on.action), on.action.collection),
        ActionPlan::Graphql(on) => graphql(&on.action.operation),
        ActionPlan::Grpc(on) => on.action.method.clone(),
        ActionPlan::Files(on) => files(&on.action),
        ActionPlan::Send(_) => "a message to people".to_owned(),
        ActionPlan::Vector(on) => vector(&on.action).to_owned(),
        ActionPlan::Reply(_) => "a fixed reply".to_owned(),
        ActionPlan::Script(_) => "a script".to_owned(),
        ActionPlan::Call(call) => match &call.connection {
            Some(server) => format!("the tool {} of {server}", call.action.tool),
            None => format!("the tool {}", call.action.tool),
        },
        ActionPlan::Steps(steps) => {
            let names: Vec<&str> = steps.list.iter().map(|step| step.step.name.as_str()).collect();
            format!("steps: {}", names.join(", "))
        }
        ActionPlan::Command(command) => {
            sentence(std::iter::once(&Value::from(command.program.as_str())).chain(&command.args))
        }
    })
}

fn redis(action: &Redis) -> String {
    if let Some(command) = &action.command {
        return sentence(command);
    }
    match &action.scan {
        Some(scan) => format!("SCAN {}", scan.key.as_deref().or(scan.pattern.as_deref()).unwrap_or("*")),
        None => action.commands.iter().flatten().map(sentence).collect::<Vec<_>>().join("; "),
    }
}

fn mongo(action: &Mongo) -> &'static str {
    let all = [
        ("find", &action.find),
        ("aggregate", &action.aggregate),
        ("insert", &action.insert),
        ("update", &action.update),
        ("delete", &action.delete),
        ("count", &action.count),
        ("distinct", &action.distinct),
    ];
    all.iter().find(|(_, given)| given.is_some()).map_or("nothing", |(word, _)| word)
}

/// The head of an operation: `query Repository($owner: String!)`.
fn graphql(operation: &str) -> String {
    let head = operation.split('{').next().unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if head.is_empty() { "a GraphQL query".to_owned() } else { format!("GraphQL {head}") }
}

fn files(action: &Files) -> String {
    let at = |word: &str, path: Option<&str>| match path {
        Some(path) if !path.is_empty() => format!("{word} {path}"),
        _ => format!("{word} files"),
    };
    let Files { list, read, write, delete, stat, folder, .. } = action;
    let named = [
        ("delete", delete.as_ref().map(|one| one.path.as_str())),
        ("look at", stat.as_ref().map(|one| one.path.as_str())),
        ("make the folder", folder.as_ref().map(|one| one.path.as_str())),
        ("list", list.as_ref().map(|one| one.path.as_deref().unwrap_or_default())),
        ("read", read.as_ref().map(|one| one.path.as_deref().unwrap_or_default())),
    ];
    if let Some((word, path)) = named.into_iter().find(|(_, given)| given.is_some()) {
        return at(word, path);
    }
    let others = [
        ("write", write.is_some()),
        ("move", action.moved.is_some()),
        ("search", action.search.is_some()),
        ("show the tree of", action.tree.is_some()),
        ("edit", action.edit.is_some()),
        ("show the roots of", action.roots.is_some()),
        ("make links to", action.presign.is_some()),
    ];
    at(others.iter().find(|(_, given)| *given).map_or("use", |(word, _)| word), None)
}

fn vector(action: &Vector) -> &'static str {
    match (&action.store, &action.search) {
        (Some(_), _) => "store texts",
        (_, Some(_)) => "search texts",
        _ => "delete texts",
    }
}

/// Words with spaces between them; what is no text is shown as JSON.
fn sentence<'a>(words: impl IntoIterator<Item = &'a Value>) -> String {
    let word = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    words.into_iter().map(word).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use plan::{ActionPlan, CallPlan, On};
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::words;

    fn on<T: DeserializeOwned>(action: Value) -> On<T> {
        On { connection: "c".to_owned(), action: serde_json::from_value(action).unwrap() }
    }

    #[test]
    fn what_is_run_is_said_as_it_stands_in_the_spec() {
        let call = |connection: Option<&str>| {
            ActionPlan::Call(CallPlan {
                connection: connection.map(str::to_owned),
                action: serde_json::from_value(json!({"tool": "find"})).unwrap(),
                write: false,
            })
        };
        let redis = |action: Value| ActionPlan::Redis(Box::new(on(action)));
        let files = |action: Value| ActionPlan::Files(Box::new(on(action)));
        let graphql = |text: &str| ActionPlan::Graphql(on(json!({"operation": text})));
        let cases = [
            (ActionPlan::Http(Box::new(on(json!({"path": "/repos/{owner}"})))), "GET /repos/{owner}"),
            (ActionPlan::Http(Box::new(on(json!({"method": "POST", "url": "{+page}"})))), "POST {+page}"),
            (redis(json!({"command": ["GET", "user:{id}"]})), "GET user:{id}"),
            (redis(json!({"commands": [["INCR", "n"], ["EXPIRE", "n", 60]]})), "INCR n; EXPIRE n 60"),
            (redis(json!({"scan": {"match": "user:*"}})), "SCAN user:*"),
            (ActionPlan::Mongo(Box::new(on(json!({"collection": "shops", "find": {}})))), "find in shops"),
            (graphql("query Repo($name: String!) {\n repository { id } }"), "GraphQL query Repo($name: String!)"),
            (graphql("{ viewer { login } }"), "a GraphQL query"),
            (ActionPlan::Grpc(on(json!({"method": "shop.Shop/Find"}))), "shop.Shop/Find"),
            (files(json!({"read": {"path": "notes/{name}.md"}})), "read notes/{name}.md"),
            (files(json!({"list": {}})), "list files"),
            (files(json!({"delete": {"path": "{name}"}})), "delete {name}"),
            (ActionPlan::Vector(Box::new(on(json!({"search": {"text": "{q}"}})))), "search texts"),
            (ActionPlan::Send(Box::new(on(json!({"to": "ops@example.com", "text": "x"})))), "a message to people"),
            (call(None), "the tool find"),
            (call(Some("shop")), "the tool find of shop"),
            (
                ActionPlan::Command(Box::new(
                    serde_json::from_value(json!({"program": "git", "args": ["log", "{path}"]})).unwrap(),
                )),
                "git log {path}",
            ),
        ];
        for (action, wanted) in cases {
            assert_eq!(words(&action).as_deref(), Some(wanted));
        }
        assert_eq!(words(&ActionPlan::NotImplemented { reason: "x".to_owned() }), None);
    }
}
