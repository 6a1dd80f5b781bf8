//! The five steps of the README work as they stand: the blocks are taken from the page and pasted
//! into a shell; only the ports are this test's own.

use std::path::Path;
use std::process::Command;

use testkit::process::free_port;

use crate::world::World;

/// The shell blocks of the page, in order.
fn blocks(page: &str) -> String {
    let mut script = String::new();
    let mut inside = false;
    for line in page.lines() {
        match (inside, line) {
            (false, "```bash") => inside = true,
            (true, "```") => inside = false,
            (true, line) => {
                script.push_str(line);
                script.push('\n');
            }
            (false, _) => {}
        }
    }
    script
}

#[test]
fn the_quickstart_works_as_it_stands() {
    let world = World::embedded().expect("kontor serve");
    paste(&world, |script| script);
    world.stop().expect("stopped");
}

#[tokio::test]
async fn the_quickstart_works_with_servers_of_one_s_own() {
    let world = World::distributed().await.expect("gateway and workers");
    world.add_client("acme").expect("a client");
    let secret = world.secret_of("acme").expect("its secret");
    paste(&world, |script| {
        script
            .replace(
                "client_secret=demo-secret",
                &format!("client_secret={secret}"),
            )
            .replace("client_id=demo", "client_id=acme")
    });
    world.stop().expect("stopped");
}

/// Pastes the page's blocks into a shell and checks what a reader is promised.
fn paste(world: &World, credentials: impl Fn(String) -> String) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let page = std::fs::read_to_string(root.join("README.md")).expect("the page");
    let receiver = free_port().expect("a port");
    let script = blocks(&page)
        .replace("http://127.0.0.1:8080", &world.base())
        .replace("8099", &receiver.to_string());
    let script = credentials(script);
    assert!(script.contains(&world.base()), "the page names the address");
    let output = Command::new("timeout")
        .args(["60", "bash", "-c", &script])
        .current_dir(&root)
        .output()
        .expect("bash");
    let (said, complained) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    let told = format!("{said}\n{complained}");
    assert!(output.status.success(), "{told}");
    for expected in [
        "token of",
        ": 200",
        "Regular salary",
        "categorization of user",
        "signature valid",
    ] {
        assert!(said.contains(expected), "{expected} in {told}");
    }
    assert!(!complained.contains("Traceback"), "{told}");
}
