//! A fake of GitHub's REST API: one repository, `octo/hello`, with issues, files, commits and branches
//! (<https://docs.github.com/rest>).

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::HeaderMap;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::shared::{answer, bearer, digest, header, pairs, value};

/// What is in the repository.
#[derive(Default)]
struct Repository {
    issues: Vec<Value>,
    comments: Vec<(u64, Value)>,
    files: Vec<(String, Vec<u8>)>,
    commits: Vec<Value>,
    branches: Vec<(String, String)>,
}

type Shared = State<Arc<Mutex<Repository>>>;
type Place = Path<(String, String)>;

pub(crate) fn router() -> Router {
    let mut repository = Repository::default();
    repository.commit("README.md", b"# Hello\n".to_vec(), "First commit");
    repository.open("Greeting is missing", "It says nothing.", &["bug".into()]);
    let repo = Router::new()
        .route("/", get(async |Path((owner, name)): Place| answer(200, describe(&owner, &name))))
        .route("/issues", get(issues).post(open_issue))
        .route("/issues/{number}", get(issue).patch(change_issue))
        .route("/issues/{number}/comments", get(comments).post(comment))
        .route("/contents/{*path}", get(file).put(put_file))
        .route("/commits", get(commits))
        .route("/commits/{sha}", get(one_commit))
        .route("/branches", get(branches))
        .route("/git/ref/heads/{branch}", get(branch))
        .route("/git/refs", post(add_branch))
        .route("/forks", post(async |Path((_, name)): Place| answer(202, describe("me", &name))));
    Router::new()
        .route("/search/repositories", get(search_repositories))
        .route("/search/issues", get(search_issues))
        .nest("/repos/{owner}/{repo}", repo)
        .layer(from_fn(check))
        .with_state(Arc::new(Mutex::new(repository)))
}

/// Refuses what GitHub refuses before it looks at the path.
async fn check(request: Request, next: Next) -> Response {
    let headers = request.headers();
    if header(headers, "user-agent").is_empty() {
        return answer(403, json!({ "message": "Request forbidden by administrative rules." }));
    }
    if bearer(headers) != "github-token" {
        return answer(401, json!({ "message": "Bad credentials", "status": "401" }));
    }
    if !["", "2022-11-28"].contains(&header(headers, "x-github-api-version")) {
        return answer(400, json!({ "message": "This API version is not supported", "status": "400" }));
    }
    let path = request.uri().path().to_owned();
    if path.starts_with("/repos/") && !path.starts_with("/repos/octo/hello") {
        return not_found();
    }
    next.run(request).await
}

fn describe(owner: &str, name: &str) -> Value {
    json!({ "id": 1, "name": name, "full_name": format!("{owner}/{name}"), "private": false, "fork": owner != "octo",
            "default_branch": "main", "description": "A greeting", "stargazers_count": 42 })
}

fn not_found() -> Response {
    answer(404, json!({ "message": "Not Found", "status": "404" }))
}

fn invalid(field: &str) -> Response {
    let errors = json!([{ "resource": "Issue", "code": "missing_field", "field": field }]);
    answer(422, json!({ "message": "Validation Failed", "errors": errors, "status": "422" }))
}

impl Repository {
    fn open(&mut self, title: &str, body: &str, labels: &[Value]) -> Value {
        let number = self.issues.len() + 1;
        let labels: Vec<Value> = labels.iter().map(|name| json!({ "name": name })).collect();
        let issue = json!({ "number": number, "title": title, "body": body, "state": "open", "labels": labels,
            "user": { "login": "octo" }, "html_url": format!("https://github.com/octo/hello/issues/{number}") });
        self.issues.push(issue.clone());
        issue
    }

    fn commit(&mut self, path: &str, content: Vec<u8>, message: &str) -> Value {
        let sha = digest(&[message.as_bytes(), &content].concat());
        self.files.retain(|(known, _)| known != path);
        self.files.push((path.to_owned(), content));
        self.branches.retain(|(name, _)| name != "main");
        self.branches.insert(0, ("main".to_owned(), sha.clone()));
        let author = json!({ "name": "Octo", "date": "2026-01-01T00:00:00Z" });
        let commit = json!({ "sha": sha, "commit": { "message": message, "author": author } });
        self.commits.insert(0, commit.clone());
        commit
    }

    fn find(&self, number: u64) -> Option<usize> {
        self.issues.iter().position(|issue| issue["number"] == number)
    }
}

/// A page of a list, with a `Link` header to the next one.
fn page(list: Vec<Value>, headers: &HeaderMap, path: &str, query: &[(String, String)]) -> Response {
    let number = |name, default| value(query, name).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (size, page): (usize, usize) = (number("per_page", 30).clamp(1, 100), number("page", 1).max(1));
    let more = list.len() > size * page;
    let items: Vec<Value> = list.into_iter().skip(size * (page - 1)).take(size).collect();
    let host = header(headers, "host");
    let link = format!("<http://{host}/github{path}?per_page={size}&page={}>; rel=\"next\"", page + 1);
    let body = axum::Json(Value::from(items));
    if more { ([("link", link)], body).into_response() } else { body.into_response() }
}

async fn search_repositories(RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.as_deref().unwrap_or_default());
    let Some(words) = value(&query, "q") else { return invalid("q") };
    let items = if "hello".contains(words) { vec![describe("octo", "hello")] } else { Vec::new() };
    answer(200, json!({ "total_count": items.len(), "incomplete_results": false, "items": items }))
}

async fn search_issues(State(state): Shared, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.as_deref().unwrap_or_default());
    let Some(words) = value(&query, "q") else { return invalid("q") };
    let state = state.lock();
    let fits = |issue: &&Value| issue["title"].as_str().is_some_and(|title| title.contains(words));
    let items: Vec<&Value> = state.issues.iter().filter(fits).collect();
    answer(200, json!({ "total_count": items.len(), "incomplete_results": false, "items": items }))
}

async fn issues(State(state): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.as_deref().unwrap_or_default());
    let wanted = value(&query, "state").unwrap_or("open");
    let state = state.lock();
    let fits = |issue: &&Value| wanted == "all" || issue["state"] == wanted;
    let found = state.issues.iter().rev().filter(fits).cloned().collect();
    page(found, &headers, "/repos/octo/hello/issues", &query)
}

async fn open_issue(State(state): Shared, body: Bytes) -> Response {
    let Ok(given) = serde_json::from_slice::<Value>(&body) else {
        return answer(400, json!({ "message": "Problems parsing JSON" }));
    };
    let Some(title) = given["title"].as_str().filter(|title| !title.is_empty()) else { return invalid("title") };
    let labels = given["labels"].as_array().cloned().unwrap_or_default();
    let mut state = state.lock();
    answer(201, state.open(title, given["body"].as_str().unwrap_or_default(), &labels))
}

async fn issue(State(state): Shared, Path((_, _, number)): Path<(String, String, u64)>) -> Response {
    let state = state.lock();
    state.find(number).map_or_else(not_found, |at| answer(200, state.issues[at].clone()))
}

async fn change_issue(
    State(state): Shared,
    Path((_, _, number)): Path<(String, String, u64)>,
    axum::Json(given): axum::Json<Value>,
) -> Response {
    let mut state = state.lock();
    let Some(at) = state.find(number) else { return not_found() };
    for name in ["title", "body", "state"] {
        if let Some(value) = given.get(name) {
            state.issues[at][name] = value.clone();
        }
    }
    answer(200, state.issues[at].clone())
}

async fn comments(State(state): Shared, Path((_, _, number)): Path<(String, String, u64)>) -> Response {
    let state = state.lock();
    let found: Vec<&Value> = state.comments.iter().filter(|(of, _)| *of == number).map(|(_, one)| one).collect();
    answer(200, json!(found))
}

async fn comment(
    State(state): Shared,
    Path((_, _, number)): Path<(String, String, u64)>,
    axum::Json(given): axum::Json<Value>,
) -> Response {
    let mut state = state.lock();
    let Some(text) = given["body"].as_str() else { return invalid("body") };
    if state.find(number).is_none() {
        return not_found();
    }
    let comment = json!({ "id": state.comments.len() + 1, "body": text, "user": { "login": "octo" } });
    state.comments.push((number, comment.clone()));
    answer(201, comment)
}

async fn file(
    State(state): Shared,
    headers: HeaderMap,
    Path((_, _, path)): Path<(String, String, String)>,
) -> Response {
    let state = state.lock();
    let Some((_, content)) = state.files.iter().find(|(known, _)| *known == path) else { return not_found() };
    if header(&headers, "accept").contains("raw") {
        return ([("content-type", "application/vnd.github.raw+json; charset=utf-8")], content.clone()).into_response();
    }
    answer(
        200,
        json!({ "type": "file", "path": path, "size": content.len(), "sha": digest(content),
        "encoding": "base64", "content": STANDARD.encode(content) }),
    )
}

async fn put_file(
    State(state): Shared,
    Path((_, _, path)): Path<(String, String, String)>,
    axum::Json(given): axum::Json<Value>,
) -> Response {
    let mut state = state.lock();
    let Some(message) = given["message"].as_str() else { return invalid("message") };
    let Some(content) = given["content"].as_str().and_then(|coded| STANDARD.decode(coded).ok()) else {
        return answer(422, json!({ "message": "content is not valid Base64", "status": "422" }));
    };
    let known = state.files.iter().find(|(known, _)| *known == path).map(|(_, old)| digest(old));
    if let Some(sha) = &known
        && given["sha"] != **sha
    {
        let said = if given["sha"].is_null() { "\"sha\" wasn't supplied." } else { "sha does not match" };
        return answer(if given["sha"].is_null() { 422 } else { 409 }, json!({ "message": said }));
    }
    let sha = digest(&content);
    let commit = state.commit(&path, content, message);
    answer(
        if known.is_some() { 200 } else { 201 },
        json!({ "content": { "path": path, "sha": sha }, "commit": commit }),
    )
}

async fn commits(State(state): Shared, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    let query = pairs(query.as_deref().unwrap_or_default());
    let found = state.lock().commits.clone();
    page(found, &headers, "/repos/octo/hello/commits", &query)
}

async fn one_commit(State(state): Shared, Path((_, _, sha)): Path<(String, String, String)>) -> Response {
    let state = state.lock();
    let found = state.commits.iter().find(|commit| commit["sha"].as_str().is_some_and(|known| known.starts_with(&sha)));
    found.map_or_else(not_found, |commit| answer(200, commit.clone()))
}

async fn branches(State(state): Shared) -> Response {
    let state = state.lock();
    let each = state.branches.iter().map(|(name, sha)| json!({ "name": name, "commit": { "sha": sha } }));
    answer(200, each.collect())
}

async fn branch(State(state): Shared, Path((_, _, name)): Path<(String, String, String)>) -> Response {
    let state = state.lock();
    let found = state.branches.iter().find(|(known, _)| *known == name);
    let of = |sha: &str| json!({ "ref": format!("refs/heads/{name}"), "object": { "type": "commit", "sha": sha } });
    found.map_or_else(not_found, |(_, sha)| answer(200, of(sha)))
}

async fn add_branch(State(state): Shared, axum::Json(given): axum::Json<Value>) -> Response {
    let mut state = state.lock();
    let name = given["ref"].as_str().and_then(|text| text.strip_prefix("refs/heads/")).unwrap_or_default().to_owned();
    let sha = given["sha"].as_str().unwrap_or_default().to_owned();
    if name.is_empty() || state.branches.iter().any(|(known, _)| *known == name) {
        return answer(422, json!({ "message": "Reference already exists", "status": "422" }));
    }
    if !state.commits.iter().any(|commit| commit["sha"] == *sha) {
        return answer(422, json!({ "message": "Object does not exist", "status": "422" }));
    }
    state.branches.push((name.clone(), sha.clone()));
    answer(201, json!({ "ref": format!("refs/heads/{name}"), "object": { "type": "commit", "sha": sha } }))
}
