//! Problem documents (RFC 9457): the one place where failures become statuses.

use base::Diagnostic;
use http::header::RETRY_AFTER;
use http::{HeaderValue, Response, StatusCode};
use operations::{Code, Error, code::Kind};
use protocol::http::Body;
use serde_json::{Value, json};

use super::answer;

/// The status of a failure.
pub(super) fn status(code: Code) -> StatusCode {
    match code {
        Code::BadMethod => StatusCode::METHOD_NOT_ALLOWED,
        Code::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Precondition => StatusCode::PRECONDITION_FAILED,
        Code::KeyReused | Code::NoIntake | Code::NotBuilt | Code::ReservedName => StatusCode::UNPROCESSABLE_ENTITY,
        Code::CutOff => StatusCode::CONFLICT,
        Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Code::CatalogueBusy | Code::CatalogueAway => StatusCode::SERVICE_UNAVAILABLE,
        Code::CatalogueFull => StatusCode::INSUFFICIENT_STORAGE,
        Code::Catalogue | Code::CannotWrite | Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        other => match other.kind() {
            Kind::Failure => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Usage => StatusCode::BAD_REQUEST,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::NeedsLogin => StatusCode::UNAUTHORIZED,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::Refused => StatusCode::FORBIDDEN,
            Kind::Upstream => StatusCode::BAD_GATEWAY,
            Kind::TimedOut => StatusCode::GATEWAY_TIMEOUT,
            Kind::Interrupted => StatusCode::SERVICE_UNAVAILABLE,
        },
    }
}

/// The answer for a failure. `sent` is the text of the spec that the caller sent: it is not sent back.
pub(super) fn of(error: &Error, request: &str, sent: Option<&str>) -> Response<Body> {
    with(status(error.code), error, request, sent)
}

/// The same with a status that says more of a request than its code does.
pub(super) fn with(status: StatusCode, error: &Error, request: &str, sent: Option<&str>) -> Response<Body> {
    let mut body = json!({
        "type": format!("/docs/codes/{}", error.code.as_str()),
        "title": error.code.title(),
        "status": status.as_u16(),
        "detail": error.message,
        "code": error.code.as_str(),
        "kind": error.kind(),
        "exitCode": error.kind().exit_code(),
        "hints": error.hints,
        "requestId": request,
    });
    if !error.diagnostics.is_empty() {
        body["errors"] = error.diagnostics.iter().map(place).collect();
        body["diagnostics"] = json!(error.diagnostics);
    }
    if let Some(text) = error.text.as_ref().filter(|text| sent != Some(text.text.as_str())) {
        body["source"] = json!(text);
    }
    let mut answer = answer::of(status, "application/problem+json", format!("{body}\n"));
    if status == StatusCode::SERVICE_UNAVAILABLE || error.code == Code::KeyInUse {
        answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    answer
}

/// A problem in the caller's text: what, where, and how to mend it.
fn place(diagnostic: &Diagnostic) -> Value {
    let mut place = json!({
        "code": diagnostic.code,
        "severity": diagnostic.severity,
        "detail": diagnostic.message,
        "pointer": format!("#{}", diagnostic.path),
    });
    if let Some(span) = diagnostic.span {
        place["line"] = span.line.into();
        place["column"] = span.column.into();
    }
    if !diagnostic.help.is_empty() {
        place["help"] = json!(diagnostic.help);
    }
    place
}

#[cfg(test)]
mod tests {
    use operations::Code;

    #[test]
    fn every_code_has_a_status_of_a_failure() {
        for code in Code::ALL {
            let status = super::status(*code);
            assert!(status.is_client_error() || status.is_server_error(), "{code:?} {status}");
        }
    }
}
