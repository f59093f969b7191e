//! `CHECK (status IN ('new', 'paid'))` in a table's own text: SQLite's way to an enumerated type.

/// Columns with the texts that a check of exactly that form allows.
pub(super) fn enumerations(create_table: &str) -> Vec<(String, Vec<String>)> {
    let tokens = tokens(create_table);
    let mut out = Vec::new();
    for at in 0..tokens.len() {
        if let Some(found) = check_at(&tokens[at..]) {
            out.push(found);
        }
    }
    out
}

#[derive(Debug, PartialEq)]
enum Token {
    /// Bare word, or a quoted identifier.
    Word(String),
    /// Text in single quotes.
    Text(String),
    Sign(char),
}

impl Token {
    fn is(&self, keyword: &str) -> bool {
        matches!(self, Self::Word(word) if word.eq_ignore_ascii_case(keyword))
    }
}

/// `CHECK ( c IN ( 'a' , … ) )`, or with `c IS NULL OR` before it.
fn check_at(tokens: &[Token]) -> Option<(String, Vec<String>)> {
    let [check, Token::Sign('('), rest @ ..] = tokens else { return None };
    if !check.is("CHECK") {
        return None;
    }
    let rest = match rest {
        [Token::Word(_), is, null, or, rest @ ..] if is.is("IS") && null.is("NULL") && or.is("OR") => rest,
        _ => rest,
    };
    let [Token::Word(column), isin, Token::Sign('('), rest @ ..] = rest else { return None };
    if !isin.is("IN") {
        return None;
    }
    let end = rest.iter().position(|token| *token == Token::Sign(')'))?;
    if rest.get(end + 1) != Some(&Token::Sign(')')) {
        return None;
    }
    let mut values = Vec::new();
    for (at, token) in rest[..end].iter().enumerate() {
        match (at % 2, token) {
            (0, Token::Text(text)) => values.push(text.clone()),
            (1, Token::Sign(',')) => {}
            _ => return None,
        }
    }
    (!values.is_empty()).then(|| (column.clone(), values))
}

fn tokens(text: &str) -> Vec<Token> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = rest.trim_start();
        } else if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.split_once('\n').map_or("", |(_, after)| after);
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.split_once("*/").map_or("", |(_, after)| after);
        } else if let '\'' | '"' | '`' | '[' = first {
            let (inner, after) = quoted(&rest[1..], if first == '[' { ']' } else { first });
            out.push(if first == '\'' { Token::Text(inner) } else { Token::Word(inner) });
            rest = after;
        } else if first.is_alphanumeric() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            out.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        } else {
            out.push(Token::Sign(first));
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// The inside of a quoted text, doubled quotes undone, and what follows it.
fn quoted(mut rest: &str, quote: char) -> (String, &str) {
    let mut out = String::new();
    loop {
        let Some(end) = rest.find(quote) else {
            out.push_str(rest);
            return (out, "");
        };
        out.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(quote) {
            Some(after) if quote != ']' => {
                out.push(quote);
                rest = after;
            }
            _ => return (out, rest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::enumerations;

    #[test]
    fn checks_of_the_plain_form_are_enumerations() {
        let sql = "CREATE TABLE o (id INTEGER, -- CHECK (id IN ('no'))
            status TEXT NOT NULL CHECK (status IN ('new', 'it''s', 'paid')),
            \"the kind\" TEXT CHECK(\"the kind\" IS NULL OR \"the kind\" in('a')),
            n INTEGER CHECK (n IN (1, 2)), m TEXT CHECK (m IN ('a') OR n > 1), /* CHECK (m IN ('x')) */
            CONSTRAINT k CHECK ([kind] IN ('k')))";
        let found = enumerations(sql);
        let wanted = [("status", vec!["new", "it's", "paid"]), ("the kind", vec!["a"]), ("kind", vec!["k"])];
        assert_eq!(found.len(), wanted.len(), "{found:?}");
        for ((column, values), (name, texts)) in found.iter().zip(&wanted) {
            assert_eq!(
                (column.as_str(), values.iter().map(String::as_str).collect::<Vec<_>>()),
                (*name, texts.clone())
            );
        }
    }
}
