//! The HTTP API: authentication, tenancy, routes, errors, OpenAPI.
