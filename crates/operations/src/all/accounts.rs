//! Accounts of people.

use super::Nothing;
use crate::operation::{Answers, Declared, Effect, Method, Operation, Scope};
use crate::{Context, Error, accounts};

/// Makes an account.
pub struct CreateAccount;

impl Operation for CreateAccount {
    type Input = accounts::Create;
    type Output = accounts::Invited;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        answers: Answers::Made,
        effect: Effect::Changes { destroys: false, idempotent: false },
        secret: true,
        command: Some("accounts"),
        ..Declared::changes("account.create", "/api/accounts", None).told(
            "Make an account",
            "Makes an account for a person, and a link by which they choose a password. The link is shown this once.",
        ).may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        accounts::create(context, input).await
    }

    fn made(output: &Self::Output) -> Option<String> {
        Some(format!("/api/accounts/{}", output.account.name))
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}

/// Lists accounts.
pub struct ListAccounts;

impl Operation for ListAccounts {
    type Input = Nothing;
    type Output = accounts::Listed;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        ..Declared::reads("account.list", "/api/accounts", None)
            .told("List the accounts", "Lists the accounts of people, by name.")
    };

    async fn run(context: &Context, _: Nothing) -> Result<Self::Output, Error> {
        accounts::list(context).await
    }
}

/// Removes an account.
pub struct RemoveAccount;

impl Operation for RemoveAccount {
    type Input = accounts::Named;
    type Output = accounts::Removed;
    const DECLARED: Declared = Declared {
        method: Method::Delete,
        scope: Scope::Admin,
        effect: Effect::Changes { destroys: true, idempotent: false },
        ..Declared::changes("account.remove", "/api/accounts/{name}", None)
            .told(
                "Remove an account",
                "Removes the account of a person with its keys, and ends what it let programs do. Its servers stay.",
            )
            .may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        accounts::remove(context, input).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}

/// Makes a link for another password.
pub struct ResetPassword;

impl Operation for ResetPassword {
    type Input = accounts::Named;
    type Output = accounts::Invited;
    const DECLARED: Declared = Declared {
        scope: Scope::Admin,
        effect: Effect::Changes { destroys: false, idempotent: false },
        secret: true,
        ..Declared::changes("account.reset", "/api/accounts/{name}/password", None).told(
            "Make a link for another password",
            "Makes a link by which the person of an account chooses another password. It is shown this once; the old password has force until then.",
        ).may_be_tried()
    };

    async fn run(context: &Context, input: Self::Input) -> Result<Self::Output, Error> {
        accounts::reset(context, input).await
    }

    fn subject(input: &Self::Input) -> Option<String> {
        Some(input.name.clone())
    }
}
