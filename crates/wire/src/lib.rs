//! The API's request and response shapes, scopes and event names; serde only.
