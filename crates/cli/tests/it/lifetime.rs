//! Starting, sharing, killing and stopping a service with its private database.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use testkit::process::{KontorCommand, is_ready};

use super::{free_address, run, serve};

/// What the service promises for stopping.
const STOP_PROMISE: Duration = Duration::from_secs(20);

fn client_list(data_dir: &Path) -> (Option<i32>, String, String) {
    run(&KontorCommand::new(["client", "list"]).data_dir(data_dir))
}

#[test]
fn a_service_starts_stops_and_starts_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut process, address) = serve(dir.path());
    let printed = process.stdout();
    assert!(printed.contains("demo, secret demo-secret"), "{printed}");
    let last = printed.lines().last().unwrap_or_default();
    assert!(
        last.contains(&format!("http://{address}/api/docs")) && last.contains("curl"),
        "{last}"
    );

    // The directory is taken, and so is the address.
    let beside = KontorCommand::new(["serve"])
        .data_dir(dir.path())
        .listen(free_address());
    let (code, _, errors) = run(&beside);
    assert_eq!(code, Some(5), "{errors}");
    assert!(
        errors.contains(&format!("(process {})", process.id())),
        "{errors}"
    );
    let elsewhere = tempfile::tempdir().expect("a directory");
    let same = KontorCommand::new(["serve"])
        .data_dir(elsewhere.path())
        .listen(address);
    let (code, _, errors) = run(&same);
    assert_eq!(code, Some(6), "{errors}");
    assert!(errors.contains("KONTOR_LISTEN"), "{errors}");

    // Operator commands work beside the running service.
    let add = KontorCommand::new(["client", "add", "acme", "--scopes", "banking"]);
    let (code, output, errors) = run(&add.clone().data_dir(dir.path()));
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.contains("client_secret: "), "{output}");
    let (code, _, errors) = run(&add.data_dir(dir.path()));
    assert_eq!(code, Some(5), "{errors}");

    let (status, took) = process.terminate().expect("stopped");
    assert_eq!(status.code(), Some(0), "{}", process.stderr());
    assert!(took < STOP_PROMISE, "{took:?}");
    assert!(!dir.path().join("postgres/data/postmaster.pid").exists());

    // They work as well when nothing runs, and the second start keeps what was there.
    let (code, output, errors) = client_list(dir.path());
    assert_eq!(code, Some(0), "{errors}");
    assert!(
        output.contains("acme\t") && output.contains("demo\t"),
        "{output}"
    );
    let (mut again, _) = serve(dir.path());
    again.terminate().expect("stopped");
}

#[test]
fn a_killed_service_takes_its_database_with_it_and_starts_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (mut process, address) = serve(dir.path());
    process.kill9().expect("killed");
    assert!(!is_ready(address));
    let (mut again, _) = serve(dir.path());
    let (status, _) = again.terminate().expect("stopped");
    assert_eq!(status.code(), Some(0), "{}", again.stderr());
}

#[test]
fn the_known_secret_is_never_open_to_the_network() {
    let dir = tempfile::tempdir().expect("a directory");
    let public: SocketAddr = "0.0.0.0:0".parse().expect("an address");
    let public = KontorCommand::new(["serve"])
        .data_dir(dir.path())
        .listen(public);
    let (code, _, errors) = run(&public);
    assert_eq!(code, Some(5), "{errors}");
    assert!(
        errors.contains("kontor client rotate-secret demo"),
        "{errors}"
    );

    // With the demo client there, it is refused until its secret is another one.
    let (mut process, _) = serve(dir.path());
    process.terminate().expect("stopped");
    assert_eq!(run(&public).0, Some(5));
    let rotate = KontorCommand::new(["client", "rotate-secret", "demo"]).data_dir(dir.path());
    let (code, output, errors) = run(&rotate);
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.contains("client_secret: "), "{output}");
    let mut process = public.spawn().expect("started");
    process.wait_logged("listening").expect("listens");
    let printed = process.stdout();
    assert!(!printed.contains("demo-secret"), "{printed}");
    process.terminate().expect("stopped");
}
