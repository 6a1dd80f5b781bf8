use domain::{Classify as _, ClientId, ErrorKind, Sensitive};
use store::{NewClient, UnknownTenant};

use crate::world::World;

fn client(id: &str) -> ClientId {
    ClientId::try_new(id).expect("an id")
}

#[tokio::test]
async fn clients_are_administered_and_found() {
    let world = World::new().await;
    let acme = client("acme");
    let new = NewClient {
        id: acme.clone(),
        secret_hash: Sensitive::from("other"),
        scopes: Vec::new(),
    };
    let error = world.system.add_client(&new).await.expect_err("taken");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(world.system.client_exists(&acme).await.expect("asked"));
    let nobody = client("nobody");
    assert!(!world.system.client_exists(&nobody).await.expect("asked"));

    let scopes = vec!["banking".to_owned(), "webhooks".to_owned()];
    let hash = Sensitive::from("$argon2id$new");
    world
        .system
        .set_client_scopes(&acme, &scopes)
        .await
        .expect("set");
    world
        .system
        .set_client_secret_hash(&acme, &hash)
        .await
        .expect("set");
    let found = world.store.client(&acme).await.expect("read");
    let found = found.expect("there");
    assert_eq!((found.scopes, found.secret_hash), (scopes, hash.clone()));
    assert_eq!(world.store.client(&nobody).await.expect("read"), None);
    for error in [
        world.system.set_client_scopes(&nobody, &[]).await,
        world.system.set_client_secret_hash(&nobody, &hash).await,
    ] {
        let error = error.expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    let listed = world.system.list_clients().await.expect("listed");
    let listed: Vec<_> = listed
        .iter()
        .map(|client| (client.id.as_str(), client.tenants))
        .collect();
    assert_eq!(listed, [("acme", 1), ("other", 1)]);
}

#[tokio::test]
async fn equal_names_under_two_clients_are_two_tenants() {
    let world = World::new().await;
    assert_ne!(world.tenant, world.stranger);
    let again = world
        .store
        .tenant(&client("acme"), "acme", UnknownTenant::Refuse)
        .await;
    assert_eq!(again.expect("found"), world.tenant);
    for (name, client_id, unknown) in [
        ("acme-new", "acme", UnknownTenant::Refuse),
        ("acme-new", "nobody", UnknownTenant::Create),
    ] {
        let error = world
            .store
            .tenant(&client(client_id), name, unknown)
            .await
            .expect_err("unknown");
        assert_eq!(error.kind(), ErrorKind::NotFound, "{client_id}");
    }
}

#[tokio::test]
async fn a_tenant_that_is_made_twice_at_once_is_one() {
    let world = World::new().await;
    let acme = client("acme");
    let make = || world.store.tenant(&acme, "acme-new", UnknownTenant::Create);
    let (one, two, three) = tokio::join!(make(), make(), make());
    let one = one.expect("made");
    assert_eq!(two.expect("made"), one);
    assert_eq!(three.expect("made"), one);
}
