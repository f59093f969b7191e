//! Tools that change one row, found by its key.

use connect::catalogue::{Column, Kind};
use spec::model::Parameter;

use super::draft::Draft;
use super::field;
use super::filter::choices;
use super::qualify::qualify;
use super::verb::{Asked, Verb};
use super::words::{akin, split};
use super::write::{self, Answer, Bound};
use super::{Made, Refusal};
use crate::output::list;

/// What a parameter does to a column.
enum Set<'a> {
    /// The column becomes it.
    To(&'a Column),
    /// It is added to the column.
    Plus(&'a Column),
    /// It is taken from the column.
    Minus(&'a Column),
}

/// Plans an update by key.
pub(crate) fn plan<'a>(mut draft: Draft<'a>, asked: &Asked, parameters: Vec<Parameter>) -> Result<Made, Refusal> {
    let names: Vec<&str> = parameters.iter().map(|p| p.name.as_str()).collect();
    let qualifiers = qualify(&draft, asked, &names)?;
    draft.why.extend(qualifiers.why.iter().cloned());
    let operation = parameters.iter().find(|p| operations(p).is_some());
    let mut bound: Vec<Bound<'a, '_>> = Vec::new();
    let mut sets: Vec<(&Parameter, Set<'a>)> = Vec::new();
    for parameter in parameters.iter().filter(|p| operation.is_none_or(|operation| operation.name != p.name)) {
        match delta(parameter, asked, draft.table) {
            Some(set) => sets.push((parameter, set)),
            None => bound.push(write::bind(parameter, &mut draft)?),
        }
    }
    let key = write::key(&draft, &bound)?;
    for bound in bound.iter().filter(|bound| !key.iter().any(|k| k.parameter.name == bound.parameter.name)) {
        let Some(column) = bound.column else { continue };
        write::writable(&draft, column)?;
        sets.push((bound.parameter, Set::To(column)));
    }
    if sets.is_empty() {
        return Err(Refusal::new(format!("no parameter says what to change in table `{}`", draft.table.name)));
    }
    steps_are_clear(asked, &sets, operation, &draft)?;
    let kept = sets.iter().filter(|(p, set)| matches!(set, Set::To(_)) && !p.required && p.schema.default().is_none());
    let kept: Vec<&str> = kept.map(|(parameter, _)| parameter.name.as_str()).collect();
    if !kept.is_empty() {
        draft.why.push(format!("Left out, {} change nothing; they cannot set null.", list(&kept)));
    }
    let assignments: Vec<String> =
        sets.iter().map(|(parameter, set)| assignment(&mut draft, parameter, set, operation)).collect();
    let mut conditions: Vec<String> = key.iter().map(|bound| bound.equals(&draft)).collect();
    conditions.extend(qualifiers.conditions.iter().map(|condition| condition.write(&draft)));
    let table = crate::quote::table(draft.table, draft.dialect());
    let sql = format!("UPDATE {table}\nSET {}\nWHERE {}", assignments.join(", "), conditions.join(" AND "));
    let keys: Vec<&str> = key.iter().filter_map(|bound| bound.column).map(|column| column.name.as_str()).collect();
    draft.why.push(format!("The row is found by its key, {}; no other row is changed.", list(&keys)));
    let find: Vec<String> = key.iter().map(|bound| bound.equals(&draft)).collect();
    drop(bound);
    write::answer(draft, sql, &Answer::Found(find), parameters.clone())
}

/// `adjust_stock(quantity: 5)` may mean to 5 or by 5.
fn steps_are_clear(
    asked: &Asked,
    sets: &[(&Parameter, Set<'_>)],
    operation: Option<&Parameter>,
    draft: &Draft<'_>,
) -> Result<(), Refusal> {
    let unclear = sets.iter().find(|(_, set)| matches!(set, Set::To(column) if field::is_stock(column)));
    let description = split(draft.ask.tool.description.as_deref().unwrap_or_default());
    let says_to = description.iter().any(|word| matches!(word.as_str(), "set" | "overwrite" | "replace" | "to"));
    match unclear {
        Some((parameter, _)) if asked.word == "adjust" && operation.is_none() && !says_to => Err(Refusal::new(
            format!("`adjust` does not say whether `{}` is the new value or is added to the old one", parameter.name),
        )
        .help("name the parameter `quantity_change` to add it, or the tool `set_…` to write it")),
        _ => Ok(()),
    }
}

/// `quantity_change`, `delta`, and every number of `increase_…` and `decrease_…`.
fn delta<'a>(parameter: &Parameter, asked: &Asked, table: &'a connect::catalogue::Table) -> Option<Set<'a>> {
    const CHANGE: [&str; 7] = ["change", "delta", "adjustment", "diff", "difference", "increment", "by"];
    if !matches!(parameter.schema.kind(), Some("integer" | "number")) {
        return None;
    }
    let mut words = split(&parameter.name);
    let exact = field::own(&words, table);
    let told = words.iter().any(|word| CHANGE.contains(&word.as_str())) && !exact.is_some_and(|found| found.is_named());
    let steps = matches!(asked.verb, Verb::Increase | Verb::Decrease);
    if exact.is_some_and(|found| found.how == field::How::Key || table.primary_key.contains(&found.column.name))
        || !(told || steps)
    {
        return None;
    }
    words.retain(|word| !CHANGE.contains(&word.as_str()) && word != "amount");
    let numbers = |column: &&Column| matches!(column.kind, Kind::Integer | Kind::Bigint | Kind::Numeric | Kind::Float);
    let stock = || {
        let named = table.columns.iter().filter(numbers).find(|column| {
            let own = split(&column.name);
            asked.rest.iter().any(|word| own.iter().any(|own| akin(own, word)))
        });
        let mut counted = table.columns.iter().filter(|column| field::is_stock(column));
        named.filter(|column| !table.primary_key.contains(&column.name)).or_else(|| {
            let one = counted.next()?;
            counted.next().is_none().then_some(one)
        })
    };
    let column = if words.is_empty() {
        stock()
    } else {
        field::own(&words, table).map(|found| found.column).filter(numbers).or_else(stock)
    }?;
    Some(if asked.verb == Verb::Decrease { Set::Minus(column) } else { Set::Plus(column) })
}

/// The choices of an `operation` parameter with the arithmetic of each, when all are known.
fn operations(parameter: &Parameter) -> Option<Vec<(&str, char)>> {
    let choices = choices(parameter);
    let sign = |choice: &&str| match choice.to_ascii_lowercase().as_str() {
        "add" | "increase" | "increment" | "plus" | "in" | "receive" => Some('+'),
        "subtract" | "remove" | "decrease" | "decrement" | "minus" | "out" | "deduct" => Some('-'),
        "set" | "replace" | "overwrite" => Some('='),
        _ => None,
    };
    let known: Vec<(&str, char)> = choices.iter().filter_map(|choice| Some((*choice, sign(choice)?))).collect();
    (known.len() >= 2 && known.len() == choices.len()).then_some(known)
}

fn assignment(draft: &mut Draft<'_>, parameter: &Parameter, set: &Set<'_>, operation: Option<&Parameter>) -> String {
    let (Set::To(column) | Set::Plus(column) | Set::Minus(column)) = set;
    let quoted = draft.ident(&column.name);
    let name = &parameter.name;
    let old = if column.nullable { format!("COALESCE({quoted}, 0)") } else { quoted.clone() };
    let optional = !parameter.required && parameter.schema.default().is_none();
    let value = match set {
        Set::Plus(_) | Set::Minus(_) => {
            let sign = if matches!(set, Set::Plus(_)) { '+' } else { '-' };
            draft.why.push(format!(
                "`{name}` is {} `{}`.",
                if sign == '+' { "added to" } else { "taken from" },
                column.name
            ));
            format!("{old} {sign} {}", if optional { format!("COALESCE(:{name}, 0)") } else { format!(":{name}") })
        }
        Set::To(_) => {
            let number = matches!(column.kind, Kind::Integer | Kind::Bigint | Kind::Numeric | Kind::Float);
            if let Some((operation, choices)) = operation.and_then(|p| Some((p, operations(p)?))).filter(|_| number) {
                return format!("{quoted} = {}", stepped(draft, &old, name, operation, &choices));
            }
            if optional { format!("COALESCE(:{name}, {quoted})") } else { format!(":{name}") }
        }
    };
    format!("{quoted} = {value}")
}

/// `CASE :operation WHEN 'add' THEN quantity + :quantity …`.
fn stepped(draft: &mut Draft<'_>, old: &str, name: &str, operation: &Parameter, choices: &[(&str, char)]) -> String {
    draft.why.push(format!("`{}` says what `{name}` does to the old value.", operation.name));
    let dialect = draft.dialect();
    let arms = choices.iter().map(|(choice, sign)| {
        let value = if *sign == '=' { format!(":{name}") } else { format!("{old} {sign} :{name}") };
        format!("WHEN {} THEN {value}", crate::quote::text(choice, dialect))
    });
    let arms: Vec<String> = arms.collect();
    let otherwise = if operation.required { String::new() } else { format!(" ELSE :{name}") };
    format!("CASE :{} {}{otherwise} END", operation.name, arms.join(" "))
}
