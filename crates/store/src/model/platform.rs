//! What a control plane keeps beside the servers.

/// A job that is to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// A name that sorts by time.
    pub id: String,
    /// Name of the operation.
    pub operation: String,
    /// Who may see it.
    pub owner: String,
    /// Who asked, JSON.
    pub caller: String,
    /// The input, JSON.
    pub input: String,
}

/// A job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// A name that sorts by time.
    pub id: String,
    /// Name of the operation.
    pub operation: String,
    /// Who may see it.
    pub owner: String,
    /// Who asked, JSON.
    pub caller: String,
    /// The input, JSON.
    pub input: String,
    /// How far it is.
    pub state: JobState,
    /// The output, or the failure, JSON.
    pub result: Option<String>,
    /// When it was asked for, RFC 3339.
    pub created_at: String,
    /// When it began, RFC 3339.
    pub started_at: Option<String>,
    /// When it ended, RFC 3339.
    pub ended_at: Option<String>,
}

/// Which control plane does something, and until when it is believed to live.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Names the control plane; another one after each start.
    pub holder: String,
    /// Milliseconds since 1970.
    pub now: i64,
    /// Milliseconds since 1970.
    pub until: i64,
}

/// Something that was told of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEvent {
    /// Counts the events of the job, from 1.
    pub number: i64,
    /// When it was told, RFC 3339.
    pub time: String,
    /// What was told, JSON.
    pub event: String,
}

/// Declares an enum with the words that are stored for it.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$of:meta])* $variant:ident $word:literal),* $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant),* }

        impl $name {
            /// The word that is stored.
            pub fn as_str(self) -> &'static str { match self { $(Self::$variant => $word),* } }

            /// Only this crate writes the column, so the first word stands for what cannot be there.
            pub(crate) fn of_word(word: &str) -> Self {
                [$(Self::$variant),*].into_iter().find(|one| one.as_str() == word).unwrap_or([$(Self::$variant),*][0])
            }
        }
    };
}

words! {
    /// How far a job is.
    JobState {
        /// It waits.
        Queued "queued",
        /// It runs.
        Running "running",
        /// It ended well.
        Done "done",
        /// It failed.
        Failed "failed",
        /// Somebody stopped it.
        Cancelled "cancelled",
    }
}

words! {
    /// What is wanted of a deployed server.
    Wanted {
        /// It is to answer.
        Running "running",
        /// It is not to answer.
        Stopped "stopped",
    }
}

/// What became of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// It is new, or was given back: run the request, then keep its answer.
    Yours,
    /// The same request was begun by a control plane that is gone, and is not to be run twice.
    CutOff,
    /// The same request is running.
    Running,
    /// The same request was answered.
    Answered(Reply),
    /// It was used for another request.
    Other,
}

/// Who claims a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimant {
    /// The control plane, and for how long the claim holds unless it is kept.
    pub lease: Lease,
    /// Whether it is known that there is no other control plane.
    pub alone: bool,
    /// Whether the request may be run again when nobody knows how far it came.
    pub repeats: bool,
}

/// A kept answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, JSON.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
}

/// What is wanted of a deployed server, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// The server.
    pub name: String,
    /// Where it runs.
    pub target: String,
    /// The version that is wanted; whichever is current when absent.
    pub version: Option<String>,
    /// The version that was served before this one.
    pub previous: Option<String>,
    /// What is wanted.
    pub wanted: Wanted,
    /// Counts what was wanted.
    pub generation: i64,
    /// The newest generation that was acted on.
    pub seen: i64,
    /// What became of it: `starting`, `running`, `stopped`, `failed`.
    pub state: String,
    /// The version that answers, or answered last.
    pub serves: Option<String>,
    /// Why it is so.
    pub reason: Option<String>,
    /// When it was first deployed, RFC 3339.
    pub created_at: String,
    /// When something else was wanted, RFC 3339.
    pub changed_at: String,
    /// When its state was written, RFC 3339.
    pub seen_at: Option<String>,
    /// Another text whenever what is to run is another thing: another version, spec or plan.
    pub stamp: String,
    /// Whose the server is.
    pub owner: String,
}

/// What became of what was wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The generation that was acted on.
    pub generation: i64,
    /// What became of it.
    pub state: String,
    /// The version that answers now.
    pub serves: Option<String>,
    /// Why it is so.
    pub reason: Option<String>,
}
