//! Filters and tests that do not exist. The engine finds them when it comes to them; here they are looked for before anything
//! runs, in branches that are seldom taken too.

use std::ops::Range;

use minijinja::ErrorKind;

use super::{ENVIRONMENT, Fault};

/// Looks through an expression.
pub(super) fn in_expression(text: &str) -> Result<(), Fault> {
    Scan { text, at: 0 }.expression("").map(drop)
}

/// Looks through the expressions of a template.
pub(super) fn in_template(text: &str) -> Result<(), Fault> {
    let mut scan = Scan { text, at: 0 };
    while let Some(found) = text[scan.at..].find('{') {
        scan.at += found;
        let rest = &text[scan.at..];
        let raw = |mark: &str| {
            rest.strip_prefix("{%").is_some_and(|rest| rest.trim_start_matches(['-', '+', ' ']).starts_with(mark))
        };
        if rest.starts_with("{#") {
            scan.at += rest.find("#}").map_or(rest.len(), |end| end + 2);
        } else if raw("raw") {
            scan.at += rest.find("endraw").map_or(rest.len(), |end| end + "endraw".len());
        } else if rest.starts_with("{{") || rest.starts_with("{%") {
            scan.at += 2;
            scan.expression(if rest.starts_with("{{") { "}}" } else { "%}" })?;
        } else {
            scan.at += 1;
        }
    }
    Ok(())
}

struct Scan<'a> {
    text: &'a str,
    at: usize,
}

impl Scan<'_> {
    /// Goes behind the end of an expression; without an end to that of the text.
    fn expression(&mut self, end: &str) -> Result<(), Fault> {
        let mut member = false;
        while let Some(c) = self.text[self.at..].chars().next() {
            if !end.is_empty() && self.text[self.at..].starts_with(end) {
                self.at += end.len();
                return Ok(());
            }
            if c == '"' || c == '\'' {
                self.string(c);
            } else if c.is_alphanumeric() || c == '_' {
                let word = self.word();
                if &self.text[word] == "is" && !member {
                    self.test()?;
                }
            } else {
                self.at += c.len_utf8();
                if c == '|' {
                    self.spaces();
                    let word = self.word();
                    self.known(word, ErrorKind::UnknownFilter, "filter", |name| format!("none|{name}"))?;
                }
            }
            member = c == '.';
        }
        Ok(())
    }

    fn test(&mut self) -> Result<(), Fault> {
        self.spaces();
        let mut word = self.word();
        if &self.text[word.clone()] == "not" {
            self.spaces();
            word = self.word();
        }
        self.known(word, ErrorKind::UnknownTest, "test", |name| format!("none is {name}"))
    }

    /// Asks the engine, which knows its own words.
    fn known(
        &self,
        word: Range<usize>,
        unknown: ErrorKind,
        what: &str,
        question: impl Fn(&str) -> String,
    ) -> Result<(), Fault> {
        let name = &self.text[word.clone()];
        let asked = ENVIRONMENT.compile_expression_owned(question(name));
        let answer = asked.and_then(|expression| expression.eval(()));
        match answer {
            Err(error) if !name.is_empty() && error.kind() == unknown => {
                Err(Fault { message: format!("there is no {what} `{name}`"), offset: Some(word.start) })
            }
            _ => Ok(()),
        }
    }

    fn word(&mut self) -> Range<usize> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += length;
        self.at - length..self.at
    }

    fn spaces(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn string(&mut self, quote: char) {
        self.at += 1;
        while let Some(c) = self.text[self.at..].chars().next() {
            self.at += c.len_utf8();
            if c == quote {
                return;
            }
            if c == '\\' {
                self.at += self.text[self.at..].chars().next().map_or(0, char::len_utf8);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Expression, Template};

    #[test]
    fn words_that_do_not_exist_are_found() {
        for (text, offset) in [
            ("{{ args.a | b64 }}", 12),
            ("{{ args.a|upper | nothing(1) }}", 18),
            ("x {% if false %}{{ 1|nope }}{% endif %}", 21),
            ("{% if args.a is nothing %}{% endif %}", 16),
            ("{{ args.a is not nothing }}", 17),
            ("{# {{ 1|no }} #}{{ '}} | no' ~ 2|no }}", 33),
        ] {
            let fault = Template::parse(text).unwrap_err();
            assert_eq!(fault.offset, Some(offset), "{text}: {fault}");
            assert!(fault.message.starts_with("there is no "), "{fault}");
        }
        assert!(Expression::bare("{{ 1 | no }}").is_err() && Expression::parse("a is no").is_err());
    }

    #[test]
    fn those_that_exist_are_not() {
        for text in [
            "{{ args.is | default('|no is no') }}",
            "{{ args.a is defined and args.b is not none and args.c is in([1]) }}",
            "{{ {'is': 1}.is | tojson }} | no {{ \"\\\"|no\" }}",
            "{% raw %}{{ 1 | no }}{% endraw %}{# | no #}{ | no }",
            "{{ args.l | map(attribute='x') | join(', ') | upper | b64encode | b64decode }}",
        ] {
            assert!(Template::parse(text).is_ok(), "{text}: {:?}", Template::parse(text));
        }
    }
}
