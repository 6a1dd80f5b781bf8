//! A private PostgreSQL cluster for tests and for the SQL cache.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::leash::{self, Folder, Rights, Server, StopSignal};
use crate::process;

/// The oldest server that understands the migrations (SQL-standard function bodies).
const MAJOR_VERSION_MIN: u32 = 14;

/// Every test process holds a few pools, and nextest runs several at once.
const CONNECTIONS_MAX: u32 = 300;

/// Where packages put server binaries that they do not put into the path.
const INSTALLED: [&str; 4] = [
    "/usr/lib/postgresql",
    "/usr/local/lib/postgresql",
    "/opt/homebrew/opt",
    "/usr/local/opt",
];

/// Finds the folder of the newest installed server binaries.
pub(crate) fn find_binaries() -> Option<PathBuf> {
    let installed = INSTALLED
        .iter()
        .flat_map(|parent| versions_in(Path::new(parent)));
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).filter_map(|folder| {
        let real = fs::canonicalize(folder.join("initdb")).ok()?;
        let binaries = real.parent()?.to_owned();
        Some((version_of(&binaries)?, binaries))
    });
    installed
        .chain(in_path)
        .filter(|(version, _)| *version >= MAJOR_VERSION_MIN)
        .max()
        .map(|(_, binaries)| binaries)
}

/// Server binaries below a packager's folder, with their major version.
fn versions_in(parent: &Path) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let binaries = entry.ok()?.path().join("bin");
            Some((version_of(&binaries)?, binaries))
        })
        .collect()
}

/// The major version of complete server binaries.
fn version_of(binaries: &Path) -> Option<u32> {
    let needed = ["initdb", "postgres", "psql"];
    if !needed.iter().all(|name| binaries.join(name).is_file()) {
        return None;
    }
    let printed = process::output(Command::new(binaries.join("postgres")).arg("--version")).ok()?;
    parse_version(&printed)
}

/// Reads `postgres (PostgreSQL) 15.20 (Debian …)`.
fn parse_version(printed: &str) -> Option<u32> {
    let version = printed.split_whitespace().nth(2)?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// A running private cluster; dropping it stops and deletes it.
pub(crate) struct Cluster {
    server: Server,
    folder: PathBuf,
    binaries: PathBuf,
    port: u16,
    password: String,
}

impl Cluster {
    /// Creates a cluster and starts its server, without waiting for it.
    pub(crate) fn start(rights: Rights) -> Result<Self> {
        let binaries = find_binaries().context("no PostgreSQL server binaries found")?;
        let folder = Folder::create("postgres", rights)?;
        let password = leash::random_password()?;
        let password_file = folder.write("password", &password)?;
        let data = folder.path().join("data");

        // md5 and not scram: the password is random and lives as long as the tests, which connect
        // thousands of times and should not derive keys for seconds. It keeps other users of the
        // machine from a superuser's session.
        let mut initdb = folder.command(binaries.join("initdb"));
        initdb.args([
            "--username=postgres",
            "--auth=md5",
            "--encoding=UTF8",
            "--no-sync",
        ]);
        initdb.arg("--locale=C").arg("--pwfile").arg(&password_file);
        initdb.arg("--pgdata").arg(&data);
        process::output(&mut initdb).context("cannot create a database cluster")?;

        let port = leash::free_port()?;
        let mut postgres = Command::new(binaries.join("postgres"));
        postgres
            .arg("-D")
            .arg(&data)
            .args(["-p", &port.to_string()]);
        for setting in settings() {
            postgres.args(["-c", &setting]);
        }
        let server = Server::start("PostgreSQL", &postgres, &folder, StopSignal::Quit)?;
        Ok(Self {
            server,
            folder: folder.path().to_owned(),
            binaries,
            port,
            password,
        })
    }

    /// Waits until the server accepts connections.
    pub(crate) fn wait(&mut self) -> Result<()> {
        let status = self.folder.join("data/postmaster.pid");
        // The last line of the server's own status file.
        self.server.wait_until(|| {
            fs::read_to_string(&status).is_ok_and(|text| text.trim_end().ends_with("ready"))
        })
    }

    /// A superuser's address of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        format!(
            "postgres://postgres:{}@127.0.0.1:{}/{database}",
            self.password, self.port
        )
    }

    /// Runs `psql` on a database; the first error ends it.
    pub(crate) fn psql(&self, database: &str, arguments: &[&str]) -> Result<()> {
        let mut psql = Command::new(self.binaries.join("psql"));
        psql.args([
            "--no-psqlrc",
            "--quiet",
            "--set=ON_ERROR_STOP=1",
            "--host=127.0.0.1",
        ]);
        psql.args(["--username=postgres", &format!("--port={}", self.port)]);
        psql.arg(format!("--dbname={database}")).args(arguments);
        psql.env("PGPASSWORD", &self.password);
        process::output(&mut psql).map(drop)
    }
}

/// Settings of a server whose data nobody will miss.
fn settings() -> [String; 9] {
    [
        format!("max_connections={CONNECTIONS_MAX}"),
        "listen_addresses=127.0.0.1".to_owned(),
        "unix_socket_directories=".to_owned(),
        "fsync=off".to_owned(),
        "synchronous_commit=off".to_owned(),
        "full_page_writes=off".to_owned(),
        "wal_level=minimal".to_owned(),
        "max_wal_senders=0".to_owned(),
        "shared_buffers=256MB".to_owned(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_server_prints() {
        let cases = [
            (
                "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18beta1\n", Some(18)),
            ("postgres (PostgreSQL)\n", None),
            ("", None),
        ];
        for (printed, expected) in cases {
            assert_eq!(parse_version(printed), expected, "{printed:?}");
        }
    }

    #[test]
    fn a_cluster_answers_and_disappears() {
        let mut cluster = Cluster::start(Rights::unprivileged().unwrap()).unwrap();
        cluster.wait().unwrap();
        cluster
            .psql("postgres", &["--command", "create database seen"])
            .unwrap();
        let error = cluster
            .psql("seen", &["--command", "select 1 / 0"])
            .unwrap_err();
        assert!(
            format!("{error:#}").contains("division by zero"),
            "{error:#}"
        );
        let (folder, port) = (cluster.folder.clone(), cluster.port);
        drop(cluster);
        assert!(!folder.exists());
        assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
    }

    #[test]
    fn a_folder_without_binaries_has_no_version() {
        assert_eq!(version_of(Path::new("/")), None);
        assert!(versions_in(Path::new("/nowhere")).is_empty());
    }
}
