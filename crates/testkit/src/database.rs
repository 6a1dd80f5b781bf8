//! A database of its own for each test, as a copy of a migrated template.

use std::env;
use std::sync::Arc;

use anyhow::{Context, Result};
use domain::{Clock, IdSource, Sensitive, SystemClock, SystemIds};
use store::cluster::{self, Cluster, RoleRight};
use store::migrate::{self, LoginRole};
use store::vault::{KEY_BYTES, Vault, VaultKey};
use store::{PoolSettings, Store, SystemStore};

/// Names the server: the address of a superuser.
pub const DATABASE_URL_VARIABLE: &str = "KONTOR_TEST_DATABASE_URL";

const DEFAULT_URL: &str = "postgres://postgres@127.0.0.1:5433/postgres";

/// One process at a time makes the template.
const TEMPLATE_LOCK: i64 = 0x7465_6d70_6c61;

/// Connections that one test's store may open; tests run side by side on one small server.
const CONNECTIONS_MAX: u32 = 5;

/// A migrated, empty database; dropping it deletes it.
///
/// Its owner is no superuser, so that row-level security holds for everybody in it but the
/// administrator.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    admin_url: Sensitive<String>,
    owner_url: Sensitive<String>,
    runtime_url: Sensitive<String>,
    system_url: Sensitive<String>,
}

impl TestDatabase {
    /// Makes a database on the server that `KONTOR_TEST_DATABASE_URL` names.
    ///
    /// # Errors
    /// The server does not answer, or its role is no superuser.
    pub async fn create() -> Result<Self> {
        let url = env::var(DATABASE_URL_VARIABLE).unwrap_or_else(|_| DEFAULT_URL.to_owned());
        Self::create_on(&Sensitive::new(url)).await
    }

    /// Makes a database on the server to which a superuser's address leads.
    ///
    /// # Errors
    /// As [`TestDatabase::create`].
    pub async fn create_on(admin_url: &Sensitive<String>) -> Result<Self> {
        let mut server = Cluster::connect(admin_url).await.with_context(|| {
            format!("no PostgreSQL for tests; start one and set {DATABASE_URL_VARIABLE}")
        })?;
        let template = ensure_template(&mut server, admin_url).await?;
        let name = format!("kontor_test_{}", SystemIds.uuid().simple());
        let (owner, runtime, system) = (owner_role(), runtime_role(), system_role());
        server.copy_database(&name, &template, &owner.name).await?;
        server.close().await?;
        Ok(Self {
            admin_url: cluster::database_address(admin_url, &name)?,
            owner_url: cluster::address(admin_url, &owner, &name)?,
            runtime_url: cluster::address(admin_url, &runtime, &name)?,
            system_url: cluster::address(admin_url, &system, &name)?,
            name,
        })
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The address of a superuser, whom row-level security hides nothing from.
    pub fn admin_url(&self) -> &Sensitive<String> {
        &self.admin_url
    }

    /// The address of the owner, who migrates.
    pub fn owner_url(&self) -> &Sensitive<String> {
        &self.owner_url
    }

    /// The address of the runtime role.
    pub fn runtime_url(&self) -> &Sensitive<String> {
        &self.runtime_url
    }

    /// The address of the system role.
    pub fn system_url(&self) -> &Sensitive<String> {
        &self.system_url
    }

    /// Connects as the runtime role, with the machine's clock.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn store(&self) -> Result<Store> {
        self.store_at(Arc::new(SystemClock)).await
    }

    /// Connects as the runtime role, with a clock of the test's.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn store_at(&self, clock: Arc<dyn Clock>) -> Result<Store> {
        let settings = settings(&self.runtime_url);
        Ok(Store::connect(&settings, vault()?, clock, Arc::new(SystemIds)).await?)
    }

    /// Connects as the system role, with the machine's clock.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn system(&self) -> Result<SystemStore> {
        self.system_at(Arc::new(SystemClock)).await
    }

    /// Connects as the system role, with a clock of the test's.
    ///
    /// # Errors
    /// The server does not answer.
    pub async fn system_at(&self, clock: Arc<dyn Clock>) -> Result<SystemStore> {
        let settings = settings(&self.system_url);
        Ok(SystemStore::connect(&settings, vault()?, clock, Arc::new(SystemIds)).await?)
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (url, name) = (self.admin_url.clone(), self.name.clone());
        // A thread with a runtime of its own: dropping happens in and outside of runtimes.
        let dropped = std::thread::spawn(move || drop_database(&url, &name)).join();
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("test database {} could not be deleted", self.name);
        }
    }
}

/// The vault of every test: fixed, so that several stores of one test understand each other.
///
/// # Errors
/// Never; the key is there.
pub fn vault() -> Result<Vault> {
    Ok(Vault::try_new(vec![VaultKey::new([7; KEY_BYTES])])?)
}

fn drop_database(url: &Sensitive<String>, name: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // A database cannot be dropped from within.
        let url = cluster::database_address(url, "postgres")?;
        let mut server = Cluster::connect(&url).await?;
        server.drop_database(name).await?;
        server.close().await?;
        Ok(())
    })
}

fn settings(url: &Sensitive<String>) -> PoolSettings {
    PoolSettings {
        max_connections: CONNECTIONS_MAX,
        ..PoolSettings::new(url.as_str())
    }
}

fn role(name: &str) -> LoginRole {
    LoginRole {
        name: name.to_owned(),
        password: Some(Sensitive::from("kontor-test")),
    }
}

fn owner_role() -> LoginRole {
    role("kontor_test_owner")
}

fn runtime_role() -> LoginRole {
    role("kontor_test_runtime")
}

fn system_role() -> LoginRole {
    role("kontor_test_system")
}

/// The name of a migrated database to copy, made by whoever comes first.
async fn ensure_template(server: &mut Cluster, admin_url: &Sensitive<String>) -> Result<String> {
    let name = format!("kontor_template_{}", migrate::fingerprint());
    if server.database_exists(&name).await? {
        return Ok(name);
    }
    server.lock(TEMPLATE_LOCK).await?;
    let made = if server.database_exists(&name).await? {
        Ok(())
    } else {
        make_template(server, admin_url, &name).await
    };
    server.unlock(TEMPLATE_LOCK).await?;
    made.map(|()| name)
}

async fn make_template(
    server: &mut Cluster,
    admin_url: &Sensitive<String>,
    name: &str,
) -> Result<()> {
    let (owner, runtime, system) = (owner_role(), runtime_role(), system_role());
    server
        .ensure_login(&owner, &[RoleRight::CreateRole])
        .await?;
    server.ensure_service_roles(&runtime, &system).await?;
    // Under another name until it is whole, so that a crash leaves no half template.
    let building = format!("{name}_building");
    server.drop_database(&building).await?;
    server.create_database(&building, &owner.name).await?;
    let owner_url = cluster::address(admin_url, &owner, &building)?;
    migrate::migrate(&owner_url, &runtime, &system).await?;
    server.rename_database(&building, name).await?;
    Ok(())
}
