//! Words of names and descriptions.

/// The words of a name, lower case: split at `_`, `-`, spaces, dots, digits' borders and capital letters.
pub(crate) fn split(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let chars: Vec<char> = name.chars().collect();
    for (at, &c) in chars.iter().enumerate() {
        if !c.is_alphanumeric() {
            flush(&mut word, &mut words);
            continue;
        }
        let lower_before = at > 0 && (chars[at - 1].is_lowercase() || chars[at - 1].is_numeric());
        let acronym_ends =
            at > 0 && chars[at - 1].is_uppercase() && chars.get(at + 1).is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (lower_before || acronym_ends) {
            flush(&mut word, &mut words);
        }
        c.to_lowercase().for_each(|c| fold(c, &mut word));
    }
    flush(&mut word, &mut words);
    words
}

/// Letters with marks as tools' names, which have none, write them: `straße` is `strasse`, `größe` is `groesse`.
fn fold(c: char, out: &mut String) {
    let plain = match c {
        'ä' | 'æ' => "ae",
        'ö' | 'œ' => "oe",
        'ü' => "ue",
        'ß' => "ss",
        'à' | 'á' | 'â' | 'ã' | 'å' | 'ą' => "a",
        'ç' | 'ć' | 'č' => "c",
        'è' | 'é' | 'ê' | 'ë' | 'ę' | 'ě' => "e",
        'ì' | 'í' | 'î' | 'ï' => "i",
        'ł' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò' | 'ó' | 'ô' | 'õ' | 'ø' => "o",
        'ś' | 'š' => "s",
        'ù' | 'ú' | 'û' | 'ů' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        c => return out.push(c),
    };
    out.push_str(plain);
}

fn flush(word: &mut String, words: &mut Vec<String>) {
    if !word.is_empty() {
        words.push(std::mem::take(word));
    }
}

/// The forms that a word may have in the singular, itself among them.
fn stems(word: &str) -> Vec<String> {
    let mut out = vec![word.to_owned()];
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        out.push((*one).to_owned());
        return out;
    }
    if word.len() < 3 || word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") {
        return out;
    }
    if let Some(stem) = word.strip_suffix("ies") {
        out.push(format!("{stem}y"));
    }
    if let Some(stem) = word.strip_suffix("ves") {
        out.push(format!("{stem}f"));
        out.push(format!("{stem}fe"));
    }
    if let Some(stem) = word.strip_suffix("es") {
        out.push(stem.to_owned());
    }
    if let Some(stem) = word.strip_suffix('s') {
        out.push(stem.to_owned());
    }
    out
}

const IRREGULAR: [(&str, &str); 16] = [
    ("people", "person"),
    ("persons", "person"),
    ("children", "child"),
    ("men", "man"),
    ("women", "woman"),
    ("mice", "mouse"),
    ("feet", "foot"),
    ("teeth", "tooth"),
    ("geese", "goose"),
    ("indices", "index"),
    ("matrices", "matrix"),
    ("vertices", "vertex"),
    ("analyses", "analysis"),
    ("criteria", "criterion"),
    ("media", "medium"),
    ("news", "news"),
];

/// Whether two words are the same but for singular and plural.
pub(crate) fn same(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let (a, b) = (stems(a), stems(b));
    a.iter().any(|stem| b.contains(stem))
}

/// Words that people use for the same thing. Small on purpose: a wrong guess is worse than none.
const SYNONYMS: [&[&str]; 25] = [
    &["product", "item", "good", "merchandise"],
    &["product", "article"],
    &["post", "article", "entry"],
    &["customer", "client", "buyer"],
    &["stock", "inventory", "quantity"],
    &["quantity", "qty", "units"],
    &["user", "account", "member"],
    &["employee", "staff", "worker"],
    &["employee", "person"],
    &["order", "purchase"],
    &["ticket", "issue", "case"],
    &["author", "writer"],
    &["supplier", "vendor"],
    &["department", "dept"],
    &["reading", "measurement", "sample"],
    &["loan", "lending", "borrowing"],
    &["reader", "borrower", "patron"],
    &["email", "mail"],
    &["telephone", "phone"],
    &["body", "content", "text"],
    &["name", "title"],
    &["category", "kind", "type"],
    &["movie", "film"],
    &["cost", "price"],
    &["status", "state"],
];

/// Whether two words mean the same.
pub(crate) fn akin(a: &str, b: &str) -> bool {
    same(a, b) || SYNONYMS.iter().any(|group| group.iter().any(|w| same(w, a)) && group.iter().any(|w| same(w, b)))
}

/// Whether two lists have the same words in the same order, but for singular and plural.
pub(crate) fn same_all(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

/// Words that carry no meaning of their own in a tool's name.
const FILLERS: [&str; 53] = [
    "a",
    "an",
    "the",
    "of",
    "for",
    "from",
    "in",
    "on",
    "at",
    "by",
    "with",
    "and",
    "or",
    "to",
    "all",
    "any",
    "my",
    "our",
    "its",
    "their",
    "this",
    "that",
    "given",
    "one",
    "single",
    "many",
    "multiple",
    "specific",
    "matching",
    "detail",
    "details",
    "info",
    "information",
    "record",
    "records",
    "row",
    "rows",
    "entry",
    "entries",
    "data",
    "list",
    "result",
    "results",
    "level",
    "levels",
    "id",
    "ids",
    "key",
    "table",
    "db",
    "database",
    "using",
    "via",
];

/// Whether a word of a tool's name needs no explanation.
pub(crate) fn is_filler(word: &str) -> bool {
    FILLERS.contains(&word) || word.chars().all(char::is_numeric)
}
