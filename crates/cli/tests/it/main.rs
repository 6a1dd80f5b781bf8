//! The real binary: its commands, its private database, and one upload from HTTP to webhook.

mod commands;
mod lifetime;
mod walk;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use testkit::process::{KontorCommand, KontorProcess, free_port};

/// A free address on the loopback.
fn free_address() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, free_port().expect("a port")))
}

/// `kontor serve` on a data directory, ready for requests.
fn serve(data_dir: &Path) -> (KontorProcess, SocketAddr) {
    let address = free_address();
    let command = KontorCommand::new(["serve"])
        .data_dir(data_dir)
        .listen(address);
    let mut process = command.spawn().expect("started");
    process.wait_ready(address).expect("ready");
    (process, address)
}

/// Runs a command to its end: exit code, standard output, standard error.
fn run(command: &KontorCommand) -> (Option<i32>, String, String) {
    let output = command.output().expect("started");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code(),
        text(&output.stdout),
        text(&output.stderr),
    )
}
