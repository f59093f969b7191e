//! Whom a call acts as at a database, from what is known of its caller.

use connect::Acting;
use serde_json::{Map, Value};
use spec::expression::{Fault, Scope, Template};
use spec::model;

use crate::context::CallContext;

/// What a connection says of acting for its callers, compiled.
#[derive(Debug)]
pub(crate) struct ActAs {
    connection: Box<str>,
    role: Option<Template>,
    roles: Vec<String>,
    settings: Vec<(String, Template)>,
}

impl ActAs {
    pub(crate) fn compile(connection: &str, declared: &model::ActAs) -> Result<Self, Fault> {
        let settings = declared.settings.iter().map(|(name, value)| Ok((name.clone(), Template::parse(value)?)));
        Ok(Self {
            connection: connection.into(),
            role: declared.role.as_deref().map(Template::parse).transpose()?,
            roles: declared.roles.clone(),
            settings: settings.collect::<Result<_, Fault>>()?,
        })
    }

    /// Whom this caller acts as.
    ///
    /// # Errors
    /// Why this caller cannot act: it is not known, or has no role that it may have.
    pub(crate) fn of(&self, context: &CallContext<'_>) -> Result<Acting, String> {
        let Some(caller) = context.known() else {
            return Err(format!(
                "`{}` acts for its callers, and who calls is not known here: a key or a token tells, over HTTP",
                self.connection
            ));
        };
        let scope = Scope::new().with("caller", &Value::Object(Map::clone(caller)));
        let text = |what: &str, template: &Template| match template.text(&scope) {
            Ok(Some(text)) => Ok(text),
            Ok(None) | Err(_) => {
                Err(format!("`{}` acts for its callers, and nothing is known of you for {what}", self.connection))
            }
        };
        let role = self.role.as_ref().map(|role| text("the role", role)).transpose()?;
        if let Some(role) = role.as_ref().filter(|role| !self.roles.is_empty() && !self.roles.contains(role)) {
            return Err(format!(
                "you would act as `{}`, which is none of the roles of `{}`",
                crate::toolset::shown(role),
                self.connection
            ));
        }
        let settings = self.settings.iter();
        let settings = settings.map(|(name, value)| Ok((name.clone(), text(&format!("the setting `{name}`"), value)?)));
        Ok(Acting { role, settings: settings.collect::<Result<_, String>>()? })
    }
}
