//! An inverted index held in memory, ranked by BM25. What comes and goes leaves the same ranking as an index that was made
//! anew.

use std::collections::HashMap;

use base::nearest;

/// How soon more of the same word stops to count (Okapi BM25).
const K1: f32 = 1.2;
/// How much long texts count less (Okapi BM25).
const B: f32 = 0.6;
/// Most words of a question that count.
pub(super) const WORDS_MAX: usize = 32;
/// Most words that stand for a word that nothing holds.
const EXPANDED_MAX: usize = 32;
/// How much a word counts that begins as the one that was asked for.
const BEGINS: f32 = 0.7;
/// How much a word counts that is spelled nearly as the one that was asked for.
const NEARLY: f32 = 0.5;
/// Share of dead entries from which the index is made anew.
const DEAD_SHARE: usize = 2;
/// Dead entries that are always borne.
const DEAD_MIN: usize = 1_000;

/// A word of a text with how much it counts and the fields that it stands in, a bit each.
#[derive(Clone, Debug)]
pub(super) struct Weighted {
    pub(super) word: String,
    pub(super) weight: f32,
    pub(super) fields: u16,
}

#[derive(Clone, Copy, Debug)]
struct Posting {
    entry: u32,
    weight: f32,
    fields: u16,
}

#[derive(Debug, Default)]
struct List {
    postings: Vec<Posting>,
}

/// The entries that somebody sees. Words are counted in them alone, so that what others have changes neither the order of what is
/// found nor which words there are.
#[derive(Debug)]
pub(super) struct Among {
    seen: Vec<bool>,
    count: usize,
    length: f64,
}

impl Among {
    /// Whether an entry is seen.
    pub(super) fn has(&self, entry: usize) -> bool {
        self.seen[entry]
    }
}

#[derive(Debug)]
struct Entry {
    live: bool,
    length: f32,
    words: Vec<u32>,
}

/// The index. Entries are numbered in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Inverted {
    words: HashMap<String, u32>,
    lists: Vec<List>,
    entries: Vec<Entry>,
    live: usize,
}

/// A word of a question, and the words of the index that stand for it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) word: String,
    lists: Vec<(u32, f32)>,
}

/// What a question scored: a number for each entry, and the words that it holds, a bit each.
#[derive(Debug)]
pub(super) struct Scores {
    pub(super) score: Vec<f32>,
    pub(super) words: Vec<u32>,
}

impl Inverted {
    /// Adds an entry and gives its number.
    pub(super) fn add(&mut self, words: Vec<Weighted>) -> u32 {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let mut entry = Entry { live: true, length: 0.0, words: Vec::with_capacity(words.len()) };
        for Weighted { word, weight, fields } in words {
            let next = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
            let list = *self.words.entry(word).or_insert(next);
            if list == next {
                self.lists.push(List::default());
            }
            let of = &mut self.lists[list as usize];
            of.postings.push(Posting { entry: number, weight, fields });
            entry.length += weight;
            entry.words.push(list);
        }
        self.live += 1;
        self.entries.push(entry);
        number
    }

    /// Takes an entry out.
    pub(super) fn remove(&mut self, number: u32) {
        let entry = &mut self.entries[number as usize];
        if !std::mem::take(&mut entry.live) {
            return;
        }
        self.live -= 1;
    }

    /// The entries that `sees` says of.
    pub(super) fn among(&self, sees: impl Fn(usize) -> bool) -> Among {
        let mut among = Among { seen: Vec::with_capacity(self.entries.len()), count: 0, length: 0.0 };
        for (number, entry) in self.entries.iter().enumerate() {
            let seen = entry.live && sees(number);
            among.seen.push(seen);
            if seen {
                among.count += 1;
                among.length += f64::from(entry.length);
            }
        }
        among
    }

    /// Whether so much went that the index should be made anew.
    pub(super) fn is_worn(&self) -> bool {
        let dead = self.entries.len() - self.live;
        dead > DEAD_MIN && dead > self.entries.len() / DEAD_SHARE
    }

    /// The same without what is gone; what stays moves up in its order.
    pub(super) fn renewed(self) -> Self {
        let mut texts = vec![String::new(); self.lists.len()];
        for (word, list) in self.words {
            texts[list as usize] = word;
        }
        let mut words: Vec<Vec<Weighted>> =
            self.entries.iter().map(|entry| Vec::with_capacity(entry.words.len())).collect();
        for (list, word) in self.lists.iter().zip(texts) {
            for posting in &list.postings {
                let of = &mut words[posting.entry as usize];
                of.push(Weighted { word: word.clone(), weight: posting.weight, fields: posting.fields });
            }
        }
        let mut renewed = Self::default();
        for (entry, words) in self.entries.iter().zip(words) {
            if entry.live {
                renewed.add(words);
            }
        }
        renewed
    }

    /// The lists behind the words of a question. A word that nothing holds is stood for by those that begin with it, or
    /// else by the one that is spelled most like it.
    pub(super) fn asked(&self, words: &[String], among: &Among) -> Vec<Asked> {
        let mut asked: Vec<Asked> = Vec::new();
        for word in words {
            if asked.len() == WORDS_MAX || asked.iter().any(|known| known.word == *word) {
                continue;
            }
            asked.push(Asked { lists: self.lists_of(word, among), word: word.clone() });
        }
        asked
    }

    fn lists_of(&self, word: &str, among: &Among) -> Vec<(u32, f32)> {
        let live = |list: &u32| {
            let mut postings = self.lists[*list as usize].postings.iter();
            postings.any(|posting| among.has(posting.entry as usize))
        };
        if let Some(list) = self.words.get(word).filter(|list| live(list)) {
            return vec![(*list, 1.0)];
        }
        let mut begin: Vec<(&String, u32)> = self
            .words
            .iter()
            .filter(|(known, list)| word.len() >= 2 && known.starts_with(word) && live(list))
            .map(|(known, list)| (known, *list))
            .collect();
        begin.sort_unstable();
        if !begin.is_empty() {
            return begin.into_iter().take(EXPANDED_MAX).map(|(_, list)| (list, BEGINS)).collect();
        }
        let mut known: Vec<&str> =
            self.words.iter().filter(|(_, list)| live(list)).map(|(known, _)| known.as_str()).collect();
        known.sort_unstable();
        let near = nearest(word, known).and_then(|near| self.words.get(near));
        near.map(|list| (*list, NEARLY)).into_iter().collect()
    }

    /// Scores every entry that is seen.
    pub(super) fn score(&self, asked: &[Asked], among: &Among) -> Scores {
        let mut scores = Scores { score: vec![0.0; self.entries.len()], words: vec![0; self.entries.len()] };
        let mean = (among.length / among.count.max(1) as f64) as f32;
        for (bit, word) in asked.iter().enumerate() {
            for (list, factor) in &word.lists {
                let list = &self.lists[*list as usize];
                let seen = || list.postings.iter().filter(|posting| among.has(posting.entry as usize));
                let (all, with) = (among.count as f32, seen().count() as f32);
                let rarity = (1.0 + (all - with + 0.5) / (with + 0.5)).ln() * factor;
                for posting in seen() {
                    let entry = &self.entries[posting.entry as usize];
                    let bound = K1 * (1.0 - B + B * entry.length / mean);
                    let at = posting.entry as usize;
                    scores.score[at] += rarity * posting.weight * (K1 + 1.0) / (posting.weight + bound);
                    scores.words[at] |= 1 << bit;
                }
            }
        }
        scores
    }

    /// The fields of an entry that hold a word of a question, a bit each.
    pub(super) fn fields(&self, asked: &Asked, entry: u32) -> u16 {
        asked.lists.iter().fold(0, |fields, (list, _)| {
            let postings = &self.lists[*list as usize].postings;
            match postings.binary_search_by_key(&entry, |posting| posting.entry) {
                Ok(at) => fields | postings[at].fields,
                Err(_) => fields,
            }
        })
    }
}
