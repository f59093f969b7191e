//! From texts to the words that are looked for.

/// Longest word that is kept, bytes; longer ones are data.
const WORD_BYTES_MAX: usize = 40;
/// Words that say nothing about what a tool does. In order.
const EMPTY: [&str; 47] = [
    "a", "all", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "has", "have",
    "how", "i", "if", "in", "is", "it", "its", "me", "my", "of", "on", "or", "our", "that", "the", "their", "there",
    "these", "this", "to", "tool", "tools", "we", "what", "when", "which", "who", "will", "with", "you",
];

/// The words of a text, in order: `searchProducts`, `search_products` and "searching products" are the same two.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut lower_before = false;
    for character in text.chars() {
        if !character.is_alphanumeric() {
            take(&mut word, &mut found);
            lower_before = false;
            continue;
        }
        if character.is_uppercase() && lower_before {
            take(&mut word, &mut found);
        }
        lower_before = character.is_lowercase() || character.is_ascii_digit();
        word.extend(character.to_lowercase());
    }
    take(&mut word, &mut found);
    found
}

fn take(word: &mut String, found: &mut Vec<String>) {
    if !word.is_empty() && word.len() <= WORD_BYTES_MAX && EMPTY.binary_search(&word.as_str()).is_err() {
        found.push(stem(word));
    }
    word.clear();
}

/// The part of an English word that its forms share. Other words stay as they are.
fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    if !word.is_ascii() || word.len() <= 3 {
        return stem;
    }
    let long = |rest: &str| rest.len() >= 3 && rest.contains(['a', 'e', 'i', 'o', 'u', 'y']);
    if let Some(rest) = word.strip_suffix("ies").filter(|rest| rest.len() >= 2) {
        stem = format!("{rest}y");
    } else if ["sses", "xes", "ches", "shes"].iter().any(|end| word.ends_with(end)) {
        stem.truncate(word.len() - 2);
    } else if word.ends_with('s') && !["ss", "us", "is"].iter().any(|end| word.ends_with(end)) {
        stem.truncate(word.len() - 1);
    } else if let Some(rest) = ["ing", "ed"].iter().find_map(|end| word.strip_suffix(end)).filter(|rest| long(rest)) {
        stem = undoubled(rest).to_owned();
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

/// `getting` is of `get`, and `selling` of `sell`.
fn undoubled(rest: &str) -> &str {
    let bytes = rest.as_bytes();
    match bytes {
        [.., a, b] if a == b && !b"aeioulsz".contains(b) => &rest[..rest.len() - 1],
        _ => rest,
    }
}

#[cfg(test)]
mod tests {
    use super::{EMPTY, words};

    #[test]
    fn forms_of_a_word_are_one_word() {
        let cases = [
            ("who can search products", &["search", "product"][..]),
            ("searchProducts", &["search", "product"]),
            ("search_products", &["search", "product"]),
            ("Searching the product.", &["search", "product"]),
            ("HTTPServer2 getUserByID", &["httpserver2", "get", "user", "id"]),
            ("categories category", &["category", "category"]),
            ("create creating created creates", &["creat", "creat", "creat", "creat"]),
            ("prices pricing price", &["pric", "pric", "pric"]),
            ("getting selling boxes address status", &["get", "sell", "box", "address", "status"]),
            ("string thing", &["string", "thing"]),
            ("Größe ändern 商品", &["größe", "ändern", "商品"]),
            ("the of a", &[]),
        ];
        for (text, wanted) in cases {
            assert_eq!(words(text), wanted, "{text}");
        }
        assert!(words(&"x".repeat(100)).is_empty());
    }

    #[test]
    fn empty_words_are_in_order() {
        assert!(EMPTY.is_sorted());
    }
}
