//! "Did you mean …": the nearest of a set of known names.

/// The candidate nearest to `name` by edit distance (insert, delete, replace, swap of neighbours,
/// each 1; case and `_`/`-` differences count nothing), or `None` when nothing is near: more than
/// a third of the name's length, rounded up, is not near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = fold(name);
    let limit = name.len().div_ceil(3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&name, &fold(candidate)), candidate))
        .filter(|(far, _)| *far <= limit)
        .min_by_key(|(far, _)| *far)
        .map(|(_, candidate)| candidate)
}

/// Names longer than this are compared by their first characters only: a limit on the work.
const LENGTH_MAX: usize = 64;

fn fold(name: &str) -> Vec<char> {
    name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).take(LENGTH_MAX).collect()
}

/// Optimal string alignment distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let width = b.len() + 1;
    let mut cells = vec![0; (a.len() + 1) * width];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            cells[i * width + j] = if i == 0 || j == 0 {
                i + j
            } else {
                let replace = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (cells[(i - 1) * width + j] + 1)
                    .min(cells[i * width + j - 1] + 1)
                    .min(cells[(i - 1) * width + j - 1] + replace);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(cells[(i - 2) * width + j - 2] + 1);
                }
                best
            };
        }
    }
    cells[a.len() * width + b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn finds_the_near_and_refuses_the_far() {
        let known = ["description", "parameters", "returns", "connection", "envVar"];
        assert_eq!(nearest("desciption", known), Some("description"));
        assert_eq!(nearest("paramters", known), Some("parameters"));
        assert_eq!(nearest("conection", known), Some("connection"));
        assert_eq!(nearest("env_var", known), Some("envVar"));
        assert_eq!(nearest("banana", known), None);
        assert_eq!(nearest("", known), None);
    }
}
