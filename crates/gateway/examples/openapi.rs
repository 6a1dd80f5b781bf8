//! Prints the OpenAPI document; `cargo xtask gen openapi` writes it to `docs/openapi.json`.

fn main() -> Result<(), serde_json::Error> {
    println!("{}", gateway::openapi_document().to_pretty_json()?);
    Ok(())
}
