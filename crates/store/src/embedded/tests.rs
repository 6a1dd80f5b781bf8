//! The private cluster against the real server of this machine.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use domain::Sensitive;
use sqlx::{Connection as _, Executor as _, PgConnection, Row as _};

use super::account::ServerAccount;
use super::binaries::Binaries;
use super::layout::Layout;
use super::{
    EmbeddedError, PrivateCluster, PrivateClusterSettings, STOP_TIMEOUT, attach, leftover,
};

const DEADLINE: Duration = Duration::from_secs(20);

/// A data directory of its own, removed at the end.
struct DataDir(PathBuf);

impl DataDir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kontor-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn settings(&self) -> PrivateClusterSettings {
        PrivateClusterSettings {
            data_dir: self.0.clone(),
            bin_dir: None,
            unprivileged_user: None,
        }
    }

    fn layout(&self) -> Layout {
        Layout::new(&self.0).expect("a layout")
    }

    async fn start(&self) -> PrivateCluster {
        PrivateCluster::start(&self.settings())
            .await
            .expect("the cluster starts")
    }

    async fn refusal(&self) -> EmbeddedError {
        PrivateCluster::start(&self.settings())
            .await
            .expect_err("the cluster does not start")
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

async fn query_i32(url: &Sensitive<String>, query: &str) -> i32 {
    let mut connection = PgConnection::connect(url.as_str())
        .await
        .expect("a connection");
    let row = connection.fetch_one(query).await.expect("a row");
    row.get(0)
}

async fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::task::yield_now().await;
    }
}

fn kill_nine(process: u32) {
    let status = Command::new("kill")
        .args(["-9", &process.to_string()])
        .status();
    assert!(status.expect("kill runs").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn data_survive_a_restart_and_the_owner_is_no_superuser() {
    let dir = DataDir::new("restart");
    let cluster = dir.start().await;
    let owner = cluster.urls().owner;
    let mut connection = PgConnection::connect(owner.as_str())
        .await
        .expect("a connection");
    connection
        .execute("create table kept as select 7 as number")
        .await
        .expect("a table");
    connection
        .execute("create role made_here login")
        .await
        .expect("a role");
    let superuser = "select rolsuper::int from pg_roles where rolname = current_user";
    assert_eq!(query_i32(&owner, superuser).await, 0);
    // An open transaction must not keep the server from ending.
    connection.execute("begin").await.expect("a transaction");
    cluster.stop(STOP_TIMEOUT).await.expect("the cluster stops");

    let again = dir.start().await;
    assert_eq!(again.urls(), attach(&dir.settings()).expect("the URLs"));
    assert_eq!(
        query_i32(&again.urls().owner, "select number from kept").await,
        7
    );
    again.stop(STOP_TIMEOUT).await.expect("the cluster stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_kontor_is_refused_while_the_first_runs() {
    let dir = DataDir::new("second");
    let first = dir.start().await;
    let refused = dir.refusal().await;
    assert!(
        matches!(refused, EmbeddedError::InUse { holder: Some(id), .. } if id == std::process::id()),
        "{refused:?}"
    );
    assert_eq!(query_i32(&first.urls().owner, "select 1").await, 1);
    first.stop(STOP_TIMEOUT).await.expect("the cluster stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_ends_when_nobody_holds_it() {
    let dir = DataDir::new("dropped");
    let cluster = dir.start().await;
    let process_file = dir.layout().process_file();
    assert!(process_file.exists());
    // Dropping closes the pipe, as the kernel does when a process is killed.
    drop(cluster);
    wait_until("the server has ended", || !process_file.exists()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_noticed_and_the_next_start_recovers() {
    let dir = DataDir::new("killed");
    let mut cluster = dir.start().await;
    let process = leftover::recorded_process(&dir.layout()).expect("a process id");
    kill_nine(process);
    let death = tokio::time::timeout(DEADLINE, cluster.died())
        .await
        .expect("in time");
    assert!(death.to_string().contains("killed by signal 9"), "{death}");
    drop(cluster);

    let again = dir.start().await;
    assert_eq!(query_i32(&again.urls().owner, "select 1").await, 1);
    again.stop(STOP_TIMEOUT).await.expect("the cluster stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_was_left_running_is_stopped_first() {
    let dir = DataDir::new("leftover");
    dir.start()
        .await
        .stop(STOP_TIMEOUT)
        .await
        .expect("the cluster stops");
    let layout = dir.layout();
    let account = ServerAccount::choose(None).expect("an account");
    let binaries = Binaries::find(None, None, &layout).expect("binaries");
    let sockets = format!("-c listen_addresses= -k {}", layout.socket_dir().display());
    let started = account
        .command(binaries.program("pg_ctl"), &layout.server_dir())
        .args(["start", "--silent", "--wait", "--pgdata"])
        .arg(layout.cluster())
        .arg("--log")
        .arg(layout.server_dir().join("other.log"))
        .args(["--options", &sockets])
        .status();
    assert!(started.expect("pg_ctl runs").success());
    let left = leftover::recorded_process(&layout).expect("a process id");

    let cluster = dir.start().await;
    let process = leftover::recorded_process(&layout).expect("a process id");
    assert_ne!(process, left);
    assert_eq!(query_i32(&cluster.urls().owner, "select 1").await, 1);
    cluster.stop(STOP_TIMEOUT).await.expect("the cluster stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_file_that_names_a_stranger_does_not_matter() {
    let dir = DataDir::new("stale");
    dir.start()
        .await
        .stop(STOP_TIMEOUT)
        .await
        .expect("the cluster stops");
    // After a restart of the machine the recorded id may belong to anything, here to this test.
    let stale = format!("{}\n/elsewhere\n", std::process::id());
    fs::write(dir.layout().process_file(), stale).expect("written");
    let cluster = dir.start().await;
    assert_eq!(query_i32(&cluster.urls().owner, "select 1").await, 1);
    cluster.stop(STOP_TIMEOUT).await.expect("the cluster stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_cannot_be_entered_is_explained() {
    let dir = DataDir::new("refused");
    dir.start()
        .await
        .stop(STOP_TIMEOUT)
        .await
        .expect("the cluster stops");
    let layout = dir.layout();

    let passwords = fs::read(layout.passwords_file()).expect("readable");
    fs::remove_file(layout.passwords_file()).expect("removed");
    assert!(matches!(
        dir.refusal().await,
        EmbeddedError::PasswordsMissing { .. }
    ));
    fs::write(layout.passwords_file(), b"{}").expect("written");
    assert!(matches!(
        dir.refusal().await,
        EmbeddedError::PasswordsUnreadable { .. }
    ));
    fs::write(layout.passwords_file(), passwords).expect("written");

    let version = layout.cluster().join("PG_VERSION");
    fs::write(&version, "9\n").expect("written");
    let refused = dir.refusal().await;
    assert!(
        matches!(
            refused,
            EmbeddedError::OtherMajorVersion { created_by: 9, .. }
        ),
        "{refused:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_s_directory_is_refused() {
    if !matches!(ServerAccount::choose(None), Ok(ServerAccount::Other { .. })) {
        // Only root can make a directory that belongs to somebody else.
        return;
    }
    let dir = DataDir::new("foreign");
    let server_dir = dir.layout().server_dir();
    fs::create_dir_all(&server_dir).expect("created");
    std::os::unix::fs::chown(&server_dir, Some(54_321), None).expect("given away");
    // Somebody else's files stand there, so Kontor's start must not change permissions either.
    let refused = dir.refusal().await;
    let explained = matches!(
        refused,
        EmbeddedError::ForeignOwner { owner: 54_321, .. } | EmbeddedError::Unreachable { .. }
    );
    assert!(explained, "{refused:?}");
}

#[test]
fn missing_binaries_are_explained() {
    let dir = DataDir::new("binaries");
    let missing = Path::new("/nonexistent/bin");
    let refused = Binaries::find(Some(missing), None, &dir.layout());
    assert!(matches!(
        refused,
        Err(EmbeddedError::BinariesIncomplete { .. })
    ));
}
