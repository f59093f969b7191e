//! Servers as child processes: started on a core, waited for, measured, killed.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::quota::Quota;

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    quota: Option<Quota>,
    /// Its port on 127.0.0.1.
    pub port: u16,
}

/// A port that was free a moment ago.
pub fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Lets this process and its children have so many handles.
pub fn allow_handles(count: u64) -> Result<()> {
    let limit = libc::rlimit { rlim_cur: count, rlim_max: count };
    // SAFETY: plain system call on an initialised structure.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) } != 0 {
        bail!("cannot have {count} handles: {}", std::io::Error::last_os_error());
    }
    Ok(())
}

/// Puts this process on one core.
pub fn pin_self(core: usize) {
    pin(0, core);
}

fn pin(pid: i32, core: usize) {
    // SAFETY: plain system call on a zeroed, correctly sized set.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(pid, std::mem::size_of::<libc::cpu_set_t>(), &set);
    }
}

impl Server {
    /// Starts `command` on core 0 and waits until something listens on `port`.
    pub async fn start(command: Command, port: u16) -> Result<Self> {
        Self::on(0, command, port).await
    }

    /// The same on the core of this process, for what is no part of what is measured.
    pub async fn beside(command: Command, port: u16) -> Result<Self> {
        Self::on(1, command, port).await
    }

    async fn on(core: usize, mut command: Command, port: u16) -> Result<Self> {
        let shown = format!("{command:?}");
        let log = std::env::temp_dir().join(format!("mcp-factory-bench-{port}.log"));
        let file = std::fs::File::create(&log)?;
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        // `taskset` would be one more program to have: the child inherits the affinity of this thread.
        pin(0, core);
        let child = command.spawn();
        pin(0, 1);
        let mut server = Self { child: child.with_context(|| format!("start {shown}"))?, quota: None, port };
        let deadline = Instant::now() + Duration::from_secs(60);
        while Instant::now() < deadline {
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("{shown} ended with {status}: {}", std::fs::read_to_string(&log).unwrap_or_default());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        bail!("{shown} does not listen on {port}: {}", std::fs::read_to_string(&log).unwrap_or_default())
    }

    /// From now on it gets this share of one processor and no more.
    pub fn confine(&mut self, share: f64) -> Result<()> {
        let pid = self.child.id();
        self.quota = Some(Quota::new(&format!("mcp-factory-bench-{pid}"), share, pid)?);
        Ok(())
    }

    /// User and system time so far of the process and its children that still run, seconds.
    pub fn cpu(&self) -> f64 {
        family(self.child.id()).into_iter().map(cpu).sum()
    }

    /// Resident memory of the process and its children, MB.
    pub fn rss_mb(&self) -> f64 {
        family(self.child.id()).into_iter().map(rss_mb).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for pid in family(self.child.id()).into_iter().skip(1) {
            // SAFETY: plain system call.
            unsafe { libc::kill(pid as i32, libc::SIGKILL) };
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process and all its descendants.
fn family(pid: u32) -> Vec<u32> {
    let mut all = vec![pid];
    let mut next = 0;
    while next < all.len() {
        let path = format!("/proc/{0}/task/{0}/children", all[next]);
        let children = std::fs::read_to_string(path).unwrap_or_default();
        all.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        next += 1;
    }
    all
}

fn cpu(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    [11, 12].iter().filter_map(|n| fields.get(*n)?.parse::<f64>().ok()).sum::<f64>() / ticks()
}

/// User and system time so far of this process, seconds.
pub fn own_cpu() -> f64 {
    cpu(std::process::id())
}

/// Time so far that all processors together were not idle, seconds (proc(5), `/proc/stat`).
pub fn busy() -> f64 {
    let stat = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let numbers: Vec<f64> =
        stat.lines().next().unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok()).collect();
    // user, nice, system, then idle and iowait, then irq, softirq, steal; guest time is in user time.
    [0, 1, 2, 5, 6, 7].iter().filter_map(|n| numbers.get(*n)).sum::<f64>() / ticks()
}

/// Processors of the machine.
pub fn processors() -> f64 {
    // SAFETY: plain system call.
    (unsafe { libc::sysconf(libc::_SC_NPROCESSORS_ONLN) }).max(1) as f64
}

fn ticks() -> f64 {
    // SAFETY: plain system call.
    unsafe { libc::sysconf(libc::_SC_CLK_TCK) as f64 }
}

/// Resident memory of one process, MB.
pub fn rss_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
