//! Commands that end by themselves.

use testkit::process::KontorCommand;

use super::run;

#[test]
fn a_wrong_configuration_is_explained_before_anything_opens() {
    let command = KontorCommand::new(["serve"])
        .env("KONTOR_LISTEN", "nowhere")
        .env("KONTOR_LISSEN", "127.0.0.1:1")
        .env("KONTOR_LOG__FORMAT", "xml")
        .env("DATABASE_URL", "postgres://app:geheim@db/kontor");
    let (code, output, errors) = run(&command);
    assert_eq!(code, Some(2), "{errors}");
    assert_eq!(output, "");
    for key in [
        "listen (from",
        "lissen (from",
        "log.format",
        "database_system_url",
    ] {
        assert!(errors.contains(key), "{key} in {errors}");
    }
    assert!(
        !errors.contains("geheim") && !errors.contains("backtrace"),
        "{errors}"
    );
}

#[test]
fn the_configuration_is_printed_without_secrets() {
    let command = KontorCommand::new(["config", "print"])
        .env("DATABASE_URL", "postgres://app:geheim@db/kontor")
        .env("KONTOR_WORKER__CONCURRENCY", "3");
    let (code, output, errors) = run(&command);
    assert_eq!(code, Some(0), "{errors}");
    assert!(output.contains("postgres://app:***@db/kontor"), "{output}");
    assert!(
        output.contains("concurrency = 3  # from KONTOR_WORKER__CONCURRENCY"),
        "{output}"
    );
    assert!(!output.contains("geheim"), "{output}");
}

#[test]
fn roles_need_database_and_broker() {
    for command in [
        KontorCommand::new(["work"]),
        KontorCommand::new(["serve", "--role", "gateway"]),
    ] {
        let (code, _, errors) = run(&command);
        assert_eq!(code, Some(2), "{errors}");
        for variable in ["DATABASE_URL", "KONTOR_DATABASE_SYSTEM_URL", "AMQP_URL"] {
            assert!(errors.contains(variable), "{variable} in {errors}");
        }
    }
    let (code, _, errors) = run(&KontorCommand::new(["migrate"]));
    assert_eq!(code, Some(2), "{errors}");
    assert!(errors.contains("KONTOR_DATABASE_OWNER_URL"), "{errors}");
}

#[test]
fn a_database_that_does_not_answer_has_an_exit_code_of_its_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let command = KontorCommand::new(["serve"])
        .data_dir(dir.path())
        .env("KONTOR_LISTEN", "127.0.0.1:0")
        .env("KONTOR_DATABASE__ACQUIRE_SECONDS_MAX", "1")
        .env("DATABASE_URL", "postgres://app:geheim@127.0.0.1:1/kontor")
        .env(
            "KONTOR_DATABASE_SYSTEM_URL",
            "postgres://relay:geheim@127.0.0.1:1/kontor",
        );
    let (code, _, errors) = run(&command);
    assert_eq!(code, Some(6), "{errors}");
    assert!(
        errors.contains("kontor: cannot use the database as the runtime role"),
        "{errors}"
    );
    assert!(!errors.contains("geheim"), "{errors}");
}
