//! A certificate authority and a server certificate, so that TLS is tested for real.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::exec::Run;

/// The files.
#[derive(Clone, Debug)]
pub struct Certificates {
    /// Certificate of the authority, PEM.
    pub authority: PathBuf,
    /// Certificate of the servers, PEM, for `localhost` and 127.0.0.1.
    pub server: PathBuf,
    /// Key of the servers, PEM.
    pub key: PathBuf,
}

impl Certificates {
    /// The files of this folder, which need not exist.
    pub fn at(folder: &Path) -> Self {
        Self { authority: folder.join("ca.pem"), server: folder.join("server.pem"), key: folder.join("server.key") }
    }

    /// Copies certificate and key to where a server can read them as its own: servers refuse a key
    /// that others may read.
    pub fn copy_for(&self, account: super::account::Account, folder: &Path) -> Result<Self> {
        let copies = Self::at(folder);
        for (from, to) in
            [(&self.authority, &copies.authority), (&self.server, &copies.server), (&self.key, &copies.key)]
        {
            std::fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
            std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o600))?;
            account.give(to)?;
        }
        Ok(copies)
    }
}

/// Ten years: a work folder may live long.
const DAYS: &str = "3650";

/// Makes the files, unless they exist.
pub fn make(folder: &Path) -> Result<Certificates> {
    let files = Certificates::at(folder);
    if files.authority.exists() && files.server.exists() && files.key.exists() {
        return Ok(files);
    }
    std::fs::create_dir_all(folder)?;
    let openssl = || Run::new("openssl").folder(folder);
    let new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    openssl()
        .args(["req", "-x509", "-subj", "/CN=MCP Factory test authority", "-days", DAYS])
        .args(new_key)
        .args(["-keyout", "ca.key", "-out", "ca.pem"])
        .output()?;
    openssl()
        .args(["req", "-subj", "/CN=localhost"])
        .args(new_key)
        .args(["-keyout", "server.key", "-out", "server.csr"])
        .output()?;
    std::fs::write(
        folder.join("server.cnf"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:false\n",
    )?;
    openssl()
        .args(["x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"])
        .args(["-days", DAYS, "-extfile", "server.cnf", "-out", "server.pem"])
        .output()?;
    Ok(files)
}
