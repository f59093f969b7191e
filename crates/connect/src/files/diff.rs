//! What changed between two texts, line by line, in the unified form that `diff -u` and Git print.

use std::collections::HashMap;
use std::fmt::Write as _;

/// Lines without a change that are shown around one.
const CONTEXT: usize = 3;
/// Most lines taken away and put in that are looked for one by one. Beyond it all that lies between the first and the last
/// change counts as changed: a longer answer, not a wrong one.
const CHANGES_MAX: usize = 1000;

/// A line of the answer: what happened to it, and its text.
type Marked<'a> = (char, &'a str);

/// The difference; empty when there is none.
pub(super) fn unified(path: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let old: Vec<&str> = before.split_inclusive('\n').collect();
    let new: Vec<&str> = after.split_inclusive('\n').collect();
    let lines = marked(&old, &new);
    let mut out = format!("--- {path}\n+++ {path}\n");
    let changed: Vec<usize> = (0..lines.len()).filter(|at| lines[*at].0 != ' ').collect();
    let mut next = 0;
    while next < changed.len() {
        let mut last = next;
        while last + 1 < changed.len() && changed[last + 1] - changed[last] <= 2 * CONTEXT {
            last += 1;
        }
        let from = changed[next].saturating_sub(CONTEXT);
        let to = (changed[last] + CONTEXT + 1).min(lines.len());
        hunk(&mut out, &lines, from, to);
        next = last + 1;
    }
    out
}

fn hunk(out: &mut String, lines: &[Marked<'_>], from: usize, to: usize) {
    let count = |range: &[Marked<'_>], without: char| range.iter().filter(|line| line.0 != without).count();
    let place = |without: char| {
        let (before, here) = (count(&lines[..from], without), count(&lines[from..to], without));
        // An empty range is named by the line before it.
        let start = if here == 0 { before } else { before + 1 };
        if here == 1 { start.to_string() } else { format!("{start},{here}") }
    };
    let _ = writeln!(out, "@@ -{} +{} @@", place('+'), place('-'));
    for (mark, line) in &lines[from..to] {
        out.push(*mark);
        out.push_str(line);
        if !line.ends_with('\n') {
            out.push_str("\n\\ No newline at end of file\n");
        }
    }
}

fn marked<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Marked<'a>> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let (gone, put) = changes(old_middle, new_middle);
    let mut lines: Vec<Marked<'a>> = old[..start].iter().map(|line| (' ', *line)).collect();
    let (mut at, mut to) = (0, 0);
    while at < gone.len() || to < put.len() {
        if gone.get(at) == Some(&true) {
            lines.push(('-', old_middle[at]));
            at += 1;
        } else if put.get(to) == Some(&true) {
            lines.push(('+', new_middle[to]));
            to += 1;
        } else {
            lines.push((' ', old_middle[at]));
            at += 1;
            to += 1;
        }
    }
    lines.extend(old[old.len() - end..].iter().map(|line| (' ', *line)));
    lines
}

/// Which lines are gone, and which are new.
fn changes(old: &[&str], new: &[&str]) -> (Vec<bool>, Vec<bool>) {
    let mut numbers: HashMap<&str, usize> = HashMap::new();
    let mut number = |line| {
        let next = numbers.len();
        *numbers.entry(line).or_insert(next)
    };
    let a: Vec<usize> = old.iter().map(|line| number(*line)).collect();
    let b: Vec<usize> = new.iter().map(|line| number(*line)).collect();
    let Some(steps) = shortest(&a, &b) else { return (vec![true; a.len()], vec![true; b.len()]) };
    let (mut gone, mut put) = (vec![false; a.len()], vec![false; b.len()]);
    for step in steps {
        match step {
            Step::Gone(at) => gone[at] = true,
            Step::Put(at) => put[at] = true,
        }
    }
    (gone, put)
}

enum Step {
    Gone(usize),
    Put(usize),
}

/// The fewest steps from one to the other (Myers, "An O(ND) difference algorithm and its variations", 1986); nothing when
/// there are too many.
fn shortest(a: &[usize], b: &[usize]) -> Option<Vec<Step>> {
    let most = (a.len() + b.len()).min(CHANGES_MAX);
    // How far one comes on each diagonal; diagonal `k` is at `k + most + 1`.
    let mut reach = vec![0_usize; 2 * most + 3];
    let mut rounds: Vec<Vec<usize>> = Vec::new();
    for round in 0..=most {
        // Only these diagonals are looked at again on the way back.
        rounds.push(reach[most - round..=most + round + 2].to_vec());
        for nth in (0..=2 * round).step_by(2) {
            let at = most + 1 + nth - round;
            let down = nth == 0 || (nth != 2 * round && reach[at - 1] < reach[at + 1]);
            let mut x = if down { reach[at + 1] } else { reach[at - 1] + 1 };
            // `x - k`; a diagonal that lies outside gives nothing.
            let Some(mut y) = (x + most + 1).checked_sub(at) else { continue };
            while x < a.len() && y < b.len() && a[x] == b[y] {
                x += 1;
                y += 1;
            }
            reach[at] = x;
            if x >= a.len() && y >= b.len() {
                return Some(back(&rounds, a.len(), b.len()));
            }
        }
    }
    None
}

fn back(rounds: &[Vec<usize>], mut x: usize, mut y: usize) -> Vec<Step> {
    let mut steps = Vec::new();
    for (round, reach) in rounds.iter().enumerate().skip(1).rev() {
        // The middle of a round's window is diagonal 0.
        let at = x + round + 1 - y;
        let down = at == 1 || (at != 2 * round + 1 && reach[at - 1] < reach[at + 1]);
        if down {
            x = reach[at + 1];
            y = x + round + 1 - (at + 1);
            steps.push(Step::Put(y));
        } else {
            x = reach[at - 1];
            y = x + round + 1 - (at - 1);
            steps.push(Step::Gone(x));
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::{changes, unified};

    #[test]
    fn a_change_is_shown_with_what_is_around_it() {
        let before: String = (1..=20).map(|n| format!("line {n}\n")).collect();
        let after = before.replace("line 5\n", "line five\nand more\n").replace("line 19\n", "");
        let wanted = "--- a.txt\n+++ a.txt\n@@ -2,7 +2,8 @@\n line 2\n line 3\n line 4\n-line 5\n+line five\n+and more\n \
                      line 6\n line 7\n line 8\n@@ -16,5 +17,4 @@\n line 16\n line 17\n line 18\n-line 19\n line 20\n";
        assert_eq!(unified("a.txt", &before, &after), wanted);
        assert_eq!(unified("a", "x\n", "x\n"), "");
        assert_eq!(unified("a", "", "x\n"), "--- a\n+++ a\n@@ -0,0 +1 @@\n+x\n");
        assert_eq!(unified("a", "x", ""), "--- a\n+++ a\n@@ -1 +0,0 @@\n-x\n\\ No newline at end of file\n");
    }

    /// Whatever the texts, taking away and putting in leads from one to the other.
    #[test]
    fn changes_lead_from_one_to_the_other() {
        let mut seed = 7_u32;
        let mut next = |below: u32| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 16) % below
        };
        for _ in 0..2000 {
            let mut text = |most| (0..next(most)).map(|_| ["a", "b", "c"][next(3) as usize]).collect::<Vec<_>>();
            let (old, new) = (text(12), text(12));
            let (gone, put) = changes(&old, &new);
            let kept = |lines: &[&'static str], out: &[bool]| {
                lines.iter().zip(out).filter(|(_, out)| !**out).map(|(line, _)| *line).collect::<Vec<_>>()
            };
            assert_eq!(kept(&old, &gone), kept(&new, &put), "{old:?} {new:?}");
            let count = gone.iter().chain(&put).filter(|changed| **changed).count();
            assert_eq!(count, old.len() + new.len() - 2 * longest(&old, &new), "{old:?} {new:?}");
        }
    }

    /// The length of the longest common subsequence, the plain way.
    fn longest(a: &[&str], b: &[&str]) -> usize {
        let mut table = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..a.len() {
            for j in 0..b.len() {
                table[i + 1][j + 1] = if a[i] == b[j] { table[i][j] + 1 } else { table[i][j + 1].max(table[i + 1][j]) };
            }
        }
        table[a.len()][b.len()]
    }
}
