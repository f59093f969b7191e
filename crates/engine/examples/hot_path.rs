//! Calls a fixed tool many times, for counting instructions of the engine's own path:
//! `valgrind --tool=callgrind target/release/examples/hot_path 10000`.

use std::time::Instant;

use base::Source;
use engine::{CallContext, Toolset};
use plan::Reality;
use serde_json::value::RawValue;
use tokio_util::sync::CancellationToken;

const SPEC: &str = "
name: hot-path
tools:
  - name: greet
    description: Greets somebody.
    parameters:
      name: {type: string, required: true, maxLength: 100}
      times: {type: integer, minimum: 1, maximum: 10, default: 1}
    reply: {text: hello}
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let calls: u32 = std::env::args().nth(1).map_or(Ok(100_000), |text| text.parse())?;
    let parsed = spec::parse(Source { name: "hot_path", text: SPEC }, &spec::ParseOptions::default());
    let spec = parsed.spec.ok_or("the spec is wrong")?;
    let (plan, _) = plan::make(&spec, &Reality::default(), None);
    let toolset =
        Toolset::compile(&spec, &plan, engine::Connections::default()).map_err(|problems| format!("{problems:?}"))?;
    let cancel = CancellationToken::new();
    let context = CallContext::new(&cancel);
    let arguments = RawValue::from_string(r#"{"name":"Ann","times":3}"#.to_owned())?;
    let began = Instant::now();
    for _ in 0..calls {
        let outcome = toolset.call(&context, "greet", Some(&arguments)).await?;
        if outcome.is_error() {
            return Err(outcome.text().into());
        }
    }
    let each = began.elapsed() / calls.max(1);
    println!("{calls} calls, {each:?} each");
    Ok(())
}
