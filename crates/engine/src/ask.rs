//! What a tool asks the person behind its caller, before it does anything.

mod fields;
mod told;

use std::time::Duration;

use serde_json::{Map, Value, json};
use spec::expression::{Expression, Template};
use spec::model::Parameter;

use crate::actions::scope;
use crate::arguments;
use crate::context::CallContext;
use crate::errors;
use crate::limits::ASK_ROUNDS_MAX;
use crate::outcome::Failure;
use crate::person::{Answer, Form, Person, Question};
use crate::schema::Schema;
use crate::toolset::Tool;

type Attempt<T> = Result<T, Box<Failure>>;

/// The field of the form that asks for a yes.
const CONFIRM: &str = "confirm";

/// What a tool asks, compiled.
#[derive(Debug)]
pub(crate) struct Ask {
    fields: Vec<Field>,
    message: Option<Template>,
    confirm: Option<Template>,
    when: Option<Expression>,
    timeout: Duration,
    /// The arguments with what the person gives: those that only they may leave out are required here.
    whole: Schema,
}

/// A parameter that a person is asked for.
#[derive(Debug)]
struct Field {
    name: Box<str>,
    /// As a form shows it.
    schema: Value,
    default: Option<Value>,
    required: bool,
}

impl Ask {
    /// Compiles questions. `whole` is the schema of all arguments.
    ///
    /// # Errors
    /// What cannot be read, for the author.
    pub(crate) fn compile(ask: &spec::model::Ask, parameters: &[Parameter], whole: Value) -> Result<Self, String> {
        let template = |text: &Option<String>| text.as_deref().map(Template::parse).transpose();
        let unread = |fault| format!("its question cannot be read: {fault}");
        let field = |name: &String| {
            let parameter = parameters.iter().find(|one| one.name == *name && !one.is_hidden());
            let parameter =
                parameter.ok_or_else(|| format!("it asks for `{name}`, which is no parameter that callers give"))?;
            let schema = fields::of(parameter);
            let schema = schema.ok_or_else(|| format!("it asks for `{name}`, for which a form has no field"))?;
            let default = parameter.schema.default().cloned();
            Ok(Field { name: name.as_str().into(), schema, default, required: parameter.required })
        };
        Ok(Self {
            fields: ask.fields.iter().map(field).collect::<Result<_, String>>()?,
            message: template(&ask.message).map_err(unread)?,
            confirm: template(&ask.confirm).map_err(unread)?,
            when: ask.when.as_deref().map(Expression::bare).transpose().map_err(unread)?,
            timeout: Duration::from_millis(ask.timeout_ms),
            whole: Schema::new(&whole),
        })
    }

    /// The arguments with which the tool goes on.
    ///
    /// # Errors
    /// The person does not agree, cannot be asked, or gives what is not taken.
    pub(crate) async fn first(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        arguments: Map<String, Value>,
    ) -> Attempt<Map<String, Value>> {
        let arguments = self.filled(context, tool, arguments).await?;
        self.agreed(context, tool, &arguments).await?;
        Ok(arguments)
    }

    /// Asks for what is missing until it is there and good.
    async fn filled(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        arguments: Map<String, Value>,
    ) -> Attempt<Map<String, Value>> {
        let missing: Vec<&Field> = self.fields.iter().filter(|field| !arguments.contains_key(&*field.name)).collect();
        if missing.is_empty() {
            return Ok(arguments);
        }
        let form = Form::Fields(fields::form(&missing));
        let person = context.person.filter(|person| person.can(&form));
        let Some(person) = person else {
            let needed: Vec<&str> = missing.iter().filter(|field| field.required).map(|field| &*field.name).collect();
            if needed.is_empty() {
                return Ok(with_defaults(&missing, arguments));
            }
            return Err(told::missing(tool, &needed, &fields::form(&missing)));
        };
        let message = self.message(context, tool, &arguments, &missing)?;
        let mut problem: Option<Box<Failure>> = None;
        for _ in 0..ASK_ROUNDS_MAX {
            let message = match &problem {
                None => message.clone(),
                Some(failure) => format!("{}\n\n{message}", told::problems(failure)),
            };
            let question = self.question(context, message, form.clone());
            let given = self.answer(context, tool, person, question).await?;
            match self.with_given(tool, &missing, arguments.clone(), given) {
                Ok(whole) => return Ok(whole),
                Err(failure) => problem = Some(failure),
            }
        }
        Err(told::never_good(tool, problem.as_deref()))
    }

    /// The arguments with what the person gave, if all of that is good.
    fn with_given(
        &self,
        tool: &Tool,
        missing: &[&Field],
        mut arguments: Map<String, Value>,
        given: Map<String, Value>,
    ) -> Attempt<Map<String, Value>> {
        if let Some(name) = given.keys().find(|name| !missing.iter().any(|field| *field.name == ***name)) {
            return Err(told::not_asked(tool, name));
        }
        arguments.extend(given);
        arguments::again(tool, &self.whole, with_defaults(missing, arguments))
    }

    /// Whether the person says yes, where that is needed.
    async fn agreed(&self, context: &CallContext<'_>, tool: &Tool, arguments: &Map<String, Value>) -> Attempt<()> {
        let Some(confirm) = &self.confirm else { return Ok(()) };
        let known = scope(context, arguments);
        if let Some(when) = &self.when {
            let is_true = when.is_true(&known).map_err(|fault| errors::template(tool, "ask/when", &fault))?;
            if !is_true {
                return Ok(());
            }
        }
        let message = confirm.text(&known).map_err(|fault| errors::template(tool, "ask/confirm", &fault))?;
        let message = message.unwrap_or_default();
        let yes = json!({ "type": "boolean", "title": "Yes, do it" });
        let form = Form::Fields(json!({ "type": "object", "properties": { CONFIRM: yes }, "required": [CONFIRM] }));
        let Some(person) = context.person.filter(|person| person.can(&form)) else {
            return Err(told::no_yes(tool, &message));
        };
        let question = self.question(context, message, form);
        let given = self.answer(context, tool, person, question).await?;
        if given.get(CONFIRM) == Some(&Value::Bool(true)) { Ok(()) } else { Err(told::declined(tool)) }
    }

    fn message(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        arguments: &Map<String, Value>,
        missing: &[&Field],
    ) -> Attempt<String> {
        let Some(message) = &self.message else { return Ok(told::what_for(tool, missing.len())) };
        let text = message.text(&scope(context, arguments));
        Ok(text.map_err(|fault| errors::template(tool, "ask/message", &fault))?.unwrap_or_default())
    }

    fn question(&self, context: &CallContext<'_>, message: String, form: Form) -> Question {
        Question { message, form, is_first: context.is_first(), timeout: self.timeout }
    }

    async fn answer(
        &self,
        context: &CallContext<'_>,
        tool: &Tool,
        person: &Person<'_>,
        question: Question,
    ) -> Attempt<Map<String, Value>> {
        match person.ask(question, context.cancel, context.held).await {
            Some(Answer::Accepted(given)) => Ok(given),
            Some(Answer::Declined) => Err(told::declined(tool)),
            Some(Answer::Cancelled) => Err(told::closed(tool)),
            Some(Answer::Late) => Err(told::late(tool, self.timeout)),
            Some(Answer::Unasked(why)) => Err(told::unasked(tool, &why)),
            None => Err(errors::cancelled(tool)),
        }
    }
}

fn with_defaults(missing: &[&Field], mut arguments: Map<String, Value>) -> Map<String, Value> {
    for field in missing {
        if let Some(default) = field.default.as_ref().filter(|_| !arguments.contains_key(&*field.name)) {
            arguments.insert(field.name.to_string(), default.clone());
        }
    }
    arguments
}
