//! A share of one processor for a server: what `docker run --cpus 0.5` gives to a container.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// The period in which a group may use its share, microseconds: short, so that waiting for the next one hardly shows.
const PERIOD_US: u64 = 10_000;

/// A control group with a quota; removed when dropped, when no process is in it any more.
pub struct Quota {
    folder: PathBuf,
}

impl Quota {
    /// Makes a group of this name and puts a process with all its threads into it.
    ///
    /// # Errors
    /// The machine has no control groups, or we may not make any.
    pub fn new(name: &str, share: f64, pid: u32) -> Result<Self> {
        let (first, second) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
        let quota = (PERIOD_US as f64 * share).round() as u64;
        let (parent, settings) = if first.join("cpu.cfs_quota_us").exists() || first.join("cgroup.procs").exists() {
            (first, vec![("cpu.cfs_period_us", PERIOD_US.to_string()), ("cpu.cfs_quota_us", quota.to_string())])
        } else if second.join("cgroup.controllers").exists() {
            write(&second.join("cgroup.subtree_control"), "+cpu")?;
            (second, vec![("cpu.max", format!("{quota} {PERIOD_US}"))])
        } else {
            bail!("no control groups at {}", second.display());
        };
        let folder = parent.join(name);
        fs::create_dir_all(&folder).with_context(|| format!("make {}", folder.display()))?;
        let group = Self { folder };
        for (file, value) in settings {
            write(&group.folder.join(file), &value)?;
        }
        write(&group.folder.join("cgroup.procs"), &pid.to_string())?;
        Ok(group)
    }
}

impl Drop for Quota {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.folder);
    }
}

fn write(file: &Path, value: &str) -> Result<()> {
    fs::write(file, value).with_context(|| format!("write {value} to {}", file.display()))
}
