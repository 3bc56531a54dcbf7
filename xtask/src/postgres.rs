//! A private PostgreSQL cluster for one run of the tests: in a temporary folder, on a Unix socket,
//! never as root, gone at the end.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, chown},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use crate::lint::sh;

/// A running cluster; stopped and removed when dropped.
pub(crate) struct Cluster {
    dir: PathBuf,
    bin: PathBuf,
    user: Option<Unprivileged>,
}

#[derive(Clone, Copy)]
struct Unprivileged {
    uid: u32,
    gid: u32,
}

impl Cluster {
    /// Installs PostgreSQL where there is none (Debian's package), makes a cluster and starts it.
    pub(crate) fn start() -> Result<Self> {
        let bin = match binaries() {
            Some(bin) => bin,
            None => {
                sh("apt-get", &["update", "-qq"])?;
                sh("apt-get", &["install", "-y", "-qq", "--no-install-recommends", "postgresql"])?;
                binaries().context("PostgreSQL was installed, but its server programs were not found")?
            }
        };
        let dir = std::env::temp_dir().join(format!("ai-admin-postgres-{}", std::process::id()));
        fs::create_dir_all(dir.join("socket"))?;
        let cluster = Self { user: unprivileged()?, bin, dir };
        if let Some(user) = cluster.user {
            for path in [cluster.dir.clone(), cluster.dir.join("socket")] {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
                chown(&path, Some(user.uid), Some(user.gid))?;
            }
        }
        let data = cluster.data();
        cluster.call("initdb", &["--no-sync", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--pgdata", &data])?;
        let options = format!("-c listen_addresses= -c unix_socket_directories={}/socket -c fsync=off -c max_connections=300", cluster.dir.display());
        let log = cluster.dir.join("log").display().to_string();
        cluster.call("pg_ctl", &["--wait", "--pgdata", &data, "--log", &log, "--options", &options, "start"])?;
        Ok(cluster)
    }

    /// Where sqlx reaches its `postgres` database.
    pub(crate) fn url(&self) -> String {
        let socket = self.dir.join("socket").display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{socket}/postgres")
    }

    fn data(&self) -> String {
        self.dir.join("data").display().to_string()
    }

    fn call(&self, program: &str, args: &[&str]) -> Result<()> {
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={}", user.uid), format!("--regid={}", user.gid), "--clear-groups".into()]).arg(self.bin.join(program));
                command
            }
            None => Command::new(self.bin.join(program)),
        };
        // pg_ctl leaves a server behind that would keep our pipes open: its words go to a file.
        let words = self.dir.join(format!("{program}.out"));
        let out = fs::File::create(&words)?;
        let status = command.args(args).current_dir(&self.dir).stdout(out.try_clone()?).stderr(out).status()?;
        ensure!(status.success(), "{program} failed:\n{}", fs::read_to_string(&words).unwrap_or_default());
        Ok(())
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if let Err(error) = self.call("pg_ctl", &["--pgdata", &self.data(), "--mode", "immediate", "stop"]) {
            eprintln!("{error}");
        }
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// The folder with `initdb` and `pg_ctl`: Debian's newest, else the one on the path.
fn binaries() -> Option<PathBuf> {
    let debian = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|version| version.path().join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    debian.chain(std::env::split_paths(&path)).find(|bin| bin.join("initdb").is_file() && bin.join("pg_ctl").is_file())
}

/// Whom to run the server as: PostgreSQL refuses root.
fn unprivileged() -> Result<Option<Unprivileged>> {
    let me = fs::metadata("/proc/self").map(|m| std::os::unix::fs::MetadataExt::uid(&m))?;
    if me != 0 {
        return Ok(None);
    }
    let users = fs::read_to_string(Path::new("/etc/passwd"))?;
    for name in ["postgres", "nobody"] {
        let Some(line) = users.lines().find(|line| line.split(':').next() == Some(name)) else { continue };
        let mut numbers = line.split(':').skip(2).map(str::parse);
        if let (Some(Ok(uid)), Some(Ok(gid))) = (numbers.next(), numbers.next()) {
            return Ok(Some(Unprivileged { uid, gid }));
        }
    }
    bail!("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")
}
