//! Server-sent events, read to their end or to the event that says so (the HTML standard, section 9.2).

/// Which events of a stream make the answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Names of the events that are kept; all when empty. An event without a name is a `message`.
    pub keep: Vec<String>,
    /// The event of this name ends the stream.
    pub done_event: Option<String>,
    /// An event with this data, such as `[DONE]`, ends the stream. It is not kept.
    pub done_data: Option<String>,
    /// Most events that are kept.
    pub max: usize,
    /// Whether an event that the end of the stream cuts off before its empty line counts. The standard drops it. Where an event says that
    /// the stream is done, one that breaks off before gives what came of it.
    pub unfinished: bool,
}

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its name; `message` when the upstream gave none.
    pub event: String,
    /// Its lines of data.
    pub data: String,
    /// Its identifier.
    pub id: Option<String>,
}

/// Puts events together from bytes as they come.
pub(super) struct Collector<'a> {
    wanted: &'a Events,
    line: Vec<u8>,
    after_return: bool,
    started: bool,
    name: String,
    data: Option<String>,
    id: Option<String>,
    pub(super) found: Vec<Event>,
    pub(super) truncated: bool,
}

impl<'a> Collector<'a> {
    pub(super) fn new(wanted: &'a Events) -> Self {
        Self {
            wanted,
            line: Vec::new(),
            after_return: false,
            started: false,
            name: String::new(),
            data: None,
            id: None,
            found: Vec::new(),
            truncated: false,
        }
    }

    /// Whether a stream that breaks off gives what came of it.
    pub(super) fn takes_what_is_cut(&self) -> bool {
        self.wanted.unfinished && (self.wanted.done_event.is_some() || self.wanted.done_data.is_some())
    }

    /// Bytes of the event that is not complete yet.
    pub(super) fn held(&self) -> usize {
        self.line.len() + self.data.as_ref().map_or(0, String::len)
    }

    /// Takes further bytes; true when the answer is complete.
    pub(super) fn take(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            let ends = byte == b'\n' || byte == b'\r';
            let second = byte == b'\n' && std::mem::take(&mut self.after_return);
            self.after_return = byte == b'\r';
            if !ends {
                self.line.push(byte);
            } else if !second {
                let line = std::mem::take(&mut self.line);
                if self.end_of_line(&String::from_utf8_lossy(&line)) {
                    return true;
                }
            }
        }
        false
    }

    /// The stream has ended.
    pub(super) fn end(&mut self) {
        if self.wanted.unfinished {
            let line = std::mem::take(&mut self.line);
            if !line.is_empty() {
                self.end_of_line(&String::from_utf8_lossy(&line));
            }
            self.end_of_event();
        }
    }

    fn end_of_line(&mut self, line: &str) -> bool {
        let line = if std::mem::replace(&mut self.started, true) { line } else { line.trim_start_matches('\u{feff}') };
        if line.is_empty() {
            return self.end_of_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.name),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            _ => {}
        }
        false
    }

    fn end_of_event(&mut self) -> bool {
        let name = std::mem::take(&mut self.name);
        let name = if name.is_empty() { "message".to_owned() } else { name };
        let ends_by_name = self.wanted.done_event.as_ref() == Some(&name);
        let Some(data) = self.data.take() else { return ends_by_name };
        if self.wanted.done_data.as_ref() == Some(&data) {
            return true;
        }
        if self.wanted.keep.is_empty() || self.wanted.keep.contains(&name) {
            if self.found.len() == self.wanted.max {
                self.truncated = true;
                return true;
            }
            self.found.push(Event { event: name, data, id: self.id.clone() });
        }
        ends_by_name
    }
}
