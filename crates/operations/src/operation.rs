//! What the platform can do, declared once for every face: the REST route, the MCP tool, the command, the scope.

mod declared;
mod read;
mod run;
mod schema;

use std::future::Future;
use std::marker::PhantomData;
use std::sync::OnceLock;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::access::About;
use crate::{Context, Error};

use read::Reader;

pub use declared::{Answers, Declared, Effect, Method, Scope};
pub use run::{Audit, Audited, perform};

/// One thing that the platform can do.
pub trait Operation: Send + Sync + 'static {
    /// What it is asked.
    type Input: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// What it answers. A remote caller reads the answer back into this type and prints it as a local one does.
    type Output: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// How every face offers it.
    const DECLARED: Declared;

    /// Does it. Faces call [`perform`], which looks at scopes and deadlines first.
    ///
    /// # Errors
    /// Says what was attempted, what went wrong, and what to do.
    fn run(context: &Context, input: Self::Input) -> impl Future<Output = Result<Self::Output, Error>> + Send;

    /// Where the thing is that this made; `None` when it made nothing.
    fn made(_output: &Self::Output) -> Option<String> {
        None
    }

    /// A tag of the state that the answer shows; it is another one whenever that state is another one.
    fn tag(_output: &Self::Output) -> Option<String> {
        None
    }

    /// What the audit names: the server, key, account, policy or job that is changed, or the server that is called.
    fn subject(input: &Self::Input) -> Option<String> {
        Self::changes(input)
    }

    /// What the audit keeps of the input beside that, as an object: what somebody needs to know who asks later what was done.
    fn noted(_input: &Self::Input) -> Value {
        Value::Null
    }

    /// The server that this changes; none when it is only looked at what would be changed.
    fn changes(_input: &Self::Input) -> Option<String> {
        None
    }

    /// Looks at what can be looked at before it is begun as a job: what this refuses is refused at once, not by a job that fails.
    ///
    /// # Errors
    /// Those that doing it would have for this input whatever else is so.
    fn sound(_context: &Context, _input: &Self::Input) -> impl Future<Output = Result<(), Error>> + Send {
        std::future::ready(Ok(()))
    }

    /// What this is about. Whether the caller may is checked before it is done.
    fn about(input: &Self::Input) -> About {
        Self::changes(input).map_or(About::Nothing, About::Owned)
    }
}

/// What an operation answered, as JSON.
#[derive(Clone, Debug)]
pub struct Done {
    /// The output.
    pub output: Value,
    /// Where the thing is that this made.
    pub made: Option<String>,
    /// A tag of the state that the output shows.
    pub tag: Option<String>,
}

/// A future behind a pointer.
pub type Boxed<'a, T> = std::pin::Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// An operation whose types are JSON.
pub trait Erased: Send + Sync {
    /// How every face offers it.
    fn declared(&self) -> &'static Declared;

    /// JSON Schema of the input; its root is an object.
    fn input_schema(&self) -> Value;

    /// JSON Schema of the output; its root is an object.
    fn output_schema(&self) -> Value;

    /// Reads the input and looks whether it could be done for this caller. Nothing is done.
    fn check<'a>(&'a self, context: &'a Context, input: Value) -> Boxed<'a, Result<(), Error>>;

    /// Reads the input, does it, writes the output.
    fn run<'a>(&'a self, context: &'a Context, input: Value) -> Boxed<'a, Result<Done, Error>>;
}

/// The erased form of an operation. What reading an input needs is made once: it takes longer than most operations.
pub(crate) struct Face<O> {
    reader: OnceLock<Result<Reader, Error>>,
    operation: PhantomData<fn() -> O>,
}

impl<O> Face<O> {
    pub(crate) fn new() -> Self {
        Self { reader: OnceLock::new(), operation: PhantomData }
    }
}

impl<O: Operation> Face<O> {
    fn read(&self, input: Value) -> Result<O::Input, Error> {
        let reader = self.reader.get_or_init(|| Reader::new(O::DECLARED.name, &self.input_schema()));
        reader.as_ref().map_err(Clone::clone)?.read(input)
    }
}

impl<O: Operation> Erased for Face<O> {
    fn declared(&self) -> &'static Declared {
        const { &O::DECLARED }
    }

    fn input_schema(&self) -> Value {
        schema::of::<O::Input>(false)
    }

    fn output_schema(&self) -> Value {
        schema::of::<O::Output>(true)
    }

    fn check<'a>(&'a self, context: &'a Context, input: Value) -> Boxed<'a, Result<(), Error>> {
        Box::pin(async move {
            let input = self.read(input)?;
            crate::access::check(context, &O::about(&input)).await?;
            O::sound(context, &input).await
        })
    }

    fn run<'a>(&'a self, context: &'a Context, input: Value) -> Boxed<'a, Result<Done, Error>> {
        Box::pin(async move {
            let input = self.read(input)?;
            let output = perform::<O>(context, input).await?;
            Ok(Done { made: O::made(&output), tag: O::tag(&output), output: run::write::<O>(&output)? })
        })
    }
}
