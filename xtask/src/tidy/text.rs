//! Rules about the text of a file.

/// Lines of Rust above which a file says why it is that long.
const LONG: usize = 500;
/// How that reason begins.
const REASON: &str = "// Long because";
/// Lines at the top where the reason is looked for.
const TOP: usize = 40;

/// Marks of something unfinished. They are put together here so that this file does not bear them.
const UNFINISHED: [&str; 5] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X:"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
];

/// Folders of particular machines.
const MACHINE: [&str; 5] = [
    concat!("/wo", "rk/"),
    concat!("/fa", "rm/"),
    concat!("/ro", "ot/"),
    concat!("/tmp/", "board"),
    concat!("/tmp/", "t/"),
];

/// Hosts of package registries: the machine's configuration says which ones are used.
const REGISTRIES: [&str; 7] = [
    concat!("registry.", "npmjs.org"),
    concat!("registry.", "yarnpkg.com"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi.", "org/simple"),
    concat!("index.", "crates.io"),
    concat!("static.", "crates.io"),
    concat!("deb.", "debian.org"),
];

/// Faults of any text.
pub fn any(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in lines(text) {
        if let Some(mark) = UNFINISHED.iter().find(|mark| contains_word(line, mark)) {
            faults.push(format!(":{number}: `{mark}` marks something unfinished"));
        }
        if let Some(folder) = MACHINE.iter().find(|folder| names_folder(line, folder)) {
            faults.push(format!(":{number}: `{folder}` is a folder of a particular machine"));
        }
        if let Some(host) = REGISTRIES.iter().find(|host| line.contains(**host)) {
            faults.push(format!(":{number}: `{host}` is a registry's host; the machine's configuration names it"));
        }
    }
    faults
}

/// Faults of Rust text.
pub fn rust(text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let length = text.lines().count();
    if length > LONG && !text.lines().take(TOP).any(|line| line.trim_start().starts_with(REASON)) {
        faults.push(format!(": {length} lines; split it, or say `{REASON} …` near the top"));
    }
    for (number, line) in lines(text) {
        if line.trim_start().starts_with(concat!("#[", "ignore")) {
            faults.push(format!(":{number}: an ignored test; let it run, or remove it"));
        }
    }
    faults
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| (index + 1, line))
}

/// Whether the mark stands in the line and is not a part of a longer word.
fn contains_word(line: &str, mark: &str) -> bool {
    line.match_indices(mark).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        let after = line[start + mark.len()..].chars().next();
        let in_word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        // A mark that ends in punctuation may be followed by anything.
        !in_word(before) && (mark.ends_with(|c: char| !c.is_alphanumeric()) || !in_word(after))
    })
}

/// Whether the folder stands at the beginning of a path.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(start, _)| {
        let before = line[..start].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '}' | '/' | '$' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::{MACHINE, REASON, UNFINISHED, any, rust};

    #[test]
    fn marks_count_as_words() {
        let mark = UNFINISHED[0];
        assert_eq!(any(&format!("// {mark}: more\n")).len(), 1);
        assert_eq!(any(&format!("let MAS{mark}S = 1;\n")).len(), 0);
    }

    #[test]
    fn folders_count_at_the_beginning_of_paths() {
        let folder = MACHINE[0];
        assert_eq!(any(&format!("see {folder}x")).len(), 1);
        assert_eq!(any(&format!("see target{folder}x")).len(), 0);
    }

    #[test]
    fn long_files_need_a_reason() {
        let long = "x\n".repeat(501);
        assert_eq!(rust(&long).len(), 1);
        assert_eq!(rust(&format!("{REASON} it is a table.\n{long}")).len(), 0);
    }
}
