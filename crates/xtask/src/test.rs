//! `cargo xtask test`: private servers, every test, and nothing left behind.

use std::process::Command;

use anyhow::Result;

use crate::leash::{self, Rights};
use crate::packages::{self, Package};
use crate::postgres::Cluster;
use crate::process;
use crate::rabbit::Node;
use crate::tools::NEXTEST;
use crate::workspace::Workspace;

/// Runs the tests that `arguments` select for nextest, or all of them and the documentation's.
pub(crate) fn test(workspace: &Workspace, arguments: &[String]) -> Result<()> {
    packages::ensure(&[Package::Postgres, Package::Rabbit])?;
    let nextest = NEXTEST.ensure(workspace)?;
    let rights = Rights::unprivileged()?;
    leash::sweep(rights)?;

    // The servers start while the compiler works.
    let mut cluster = Cluster::start(rights)?;
    let mut node = Node::start(rights)?;
    // Programs and tests in one build: end-to-end tests start the `kontor` beside them, and nextest
    // alone would build it with other features, and so most of the tree twice.
    let build = ["build", "--locked", "--workspace", "--bins", "--tests"];
    process::run(&mut workspace.cargo(&build))?;
    process::step("wait for PostgreSQL and RabbitMQ", || {
        cluster.wait()?;
        node.wait()
    })?;

    let mut command = Command::new(nextest);
    command.args([
        "nextest",
        "run",
        "--locked",
        "--workspace",
        "--retries",
        "0",
    ]);
    command.args(arguments);
    workspace.isolate(&mut command);
    give_servers(&mut command, &cluster, &node);
    process::run(&mut command)?;
    if arguments.is_empty() {
        let mut command = workspace.cargo(&["test", "--locked", "--workspace", "--doc", "--quiet"]);
        give_servers(&mut command, &cluster, &node);
        process::run(&mut command)?;
    }
    Ok(())
}

/// Names the servers to tests.
fn give_servers(command: &mut Command, cluster: &Cluster, node: &Node) {
    command.env("KONTOR_TEST_DATABASE_URL", cluster.url("postgres"));
    command.env("KONTOR_TEST_AMQP_URL", node.url());
}
