//! The OpenAPI document, and the parameters and answers that many operations share.

use std::collections::BTreeMap;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ContentBuilder, OpenApi, Ref, RefOr, Required, Response, ResponseBuilder, Schema,
};
use utoipa::{IntoParams, IntoResponses, Modify, OpenApi as _};

/// The document's head; paths are collected from the handlers.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Kontor",
        version = "2020-06-16",
        description = "Bank data in; categories and their evidence out. Compatible with finoOS v2.\n\n\
            Every answer carries `X-Request-ID` (yours, if you sent one) and `API-Version`. Every \
            failure is `{\"type\", \"message\"}`. POST requests that write, and PUT where it \
            says so, accept an `Idempotency-Key`: the same key with the same request is done once, and a repeated \
            answer carries `Idempotency-Hit: true`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    tags(
        (name = "Authentication", description = "Access tokens by client credentials"),
        (name = "Users", description = "End users and their analyses"),
        (name = "Banking", description = "Accounts and transactions"),
        (name = "Categorization", description = "Tags of transactions"),
        (name = "Categories", description = "The tree of tags and what they stand for"),
        (name = "Webhooks", description = "Events, their deliveries and replays"),
        (name = "Operations", description = "For those who run the service"),
    ),
    components(schemas(wire::ErrorResponse)),
    modifiers(&Bearer)
)]
pub(crate) struct Head;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some(
                "The `access_token` of POST /api/auth, valid for 300 seconds.",
            ))
            .build();
        if let Some(components) = &mut document.components {
            components.add_security_scheme("bearer", SecurityScheme::Http(scheme));
        }
    }
}

/// The document of everything that is served.
pub fn document() -> OpenApi {
    crate::routes::documented().into_openapi()
}

/// The head without paths.
pub(crate) fn head() -> OpenApi {
    Head::openapi()
}

/// The header `TenantID`.
pub(crate) struct Tenant;

impl IntoParams for Tenant {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![optional_header(
            "TenantID",
            "The tenant; by default the one named like the client. Names other than that begin \
             with the client's identifier and a hyphen, and are created on first use.",
        )]
    }
}

/// The header `Idempotency-Key`.
pub(crate) struct IdempotencyKey;

impl IntoParams for IdempotencyKey {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![optional_header(
            "Idempotency-Key",
            "Names this write for 24 hours. The same key with the same request gets the first \
             answer again; with another request it is a conflict.",
        )]
    }
}

/// The header `If-None-Match`.
pub(crate) struct IfNoneMatch;

impl IntoParams for IfNoneMatch {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![optional_header(
            "If-None-Match",
            "The `ETag` of the edition that the caller has: 304 while it is current.",
        )]
    }
}

macro_rules! uuid_in_path {
    ($($(#[$doc:meta])* $type:ident: $name:literal, $description:literal;)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $type;

            impl IntoParams for $type {
                fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                    vec![uuid_in_path($name, $description)]
                }
            }
        )*
    };
}

uuid_in_path! {
    /// `{user-id}`
    UserInPath: "user-id", "The user's identifier";
    /// `{webhook-id}`
    WebhookInPath: "webhook-id", "The webhook's identifier";
    /// `{delivery-id}`
    DeliveryInPath: "delivery-id", "The delivery's identifier";
}

/// `{transaction-id}`, with the account that it may need.
pub(crate) struct OneTransaction;

impl IntoParams for OneTransaction {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            in_path(
                "transaction-id",
                "The transaction's identifier, percent-encoded",
                text(),
            ),
            optional(
                "accountId",
                ParameterIn::Query,
                "The account, where an identifier occurs in several; the first of them by default. \
                 Also `account-id`.",
                text(),
            ),
        ]
    }
}

/// `{type}`
pub(crate) struct TypeInPath;

impl IntoParams for TypeInPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let word = ObjectBuilder::new()
            .schema_type(Type::String)
            .enum_values(Some(["person", "company"]));
        vec![in_path("type", "The type of user", word.into())]
    }
}

/// `page` and `pageSize`.
pub(crate) struct Paging;

impl IntoParams for Paging {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let number = |name, description| {
            let number = ObjectBuilder::new()
                .schema_type(Type::Integer)
                .minimum(Some(1));
            optional(name, ParameterIn::Query, description, number.into())
        };
        vec![
            number("page", "Number of the page, from 1; 1 by default"),
            number(
                "pageSize",
                "Items a page, at most 1000; 10 by default. Also `page-size`.",
            ),
        ]
    }
}

/// `correlationID` in its spellings.
pub(crate) struct Correlation;

impl IntoParams for Correlation {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let description = "An analysis run. Also `correlation-id`, or the header \
                           `Finoos-Correlation-Id`.";
        vec![optional(
            "correlationID",
            ParameterIn::Query,
            description,
            uuid(),
        )]
    }
}

fn optional_header(name: &str, description: &str) -> Parameter {
    optional(name, ParameterIn::Header, description, text())
}

fn optional(name: &str, place: ParameterIn, description: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn uuid_in_path(name: &str, description: &str) -> Parameter {
    in_path(name, description, uuid())
}

fn in_path(name: &str, description: &str, schema: RefOr<Schema>) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema))
        .build()
}

fn text() -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).into()
}

fn uuid() -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .format(Some(SchemaFormat::Custom("uuid".to_owned())))
        .into()
}

macro_rules! failures {
    ($($(#[$doc:meta])* $type:ident: [$($status:literal),*];)*) => {
        $(
            $(#[$doc])*
            pub(crate) struct $type;

            impl IntoResponses for $type {
                fn responses() -> BTreeMap<String, RefOr<Response>> {
                    BTreeMap::from([$(($status.to_owned(), failure($status)),)*])
                }
            }
        )*
    };
}

failures! {
    /// Of operations without a token.
    PublicFailures: ["400", "401", "413", "415", "429", "500", "503"];
    /// Of operations on a tenant.
    TenantFailures: ["400", "401", "403", "429", "500", "503"];
    /// Of operations on something that may not be there.
    ItemFailures: ["400", "401", "403", "404", "429", "500", "503"];
    /// Of writes on a tenant.
    TenantWriteFailures: ["400", "401", "403", "409", "413", "415", "429", "500", "503"];
    /// Of writes on something that may not be there.
    ItemWriteFailures: ["400", "401", "403", "404", "409", "413", "415", "429", "500", "503"];
}

fn failure(status: &str) -> RefOr<Response> {
    let description = match status {
        "400" => "The request cannot be read or is not allowed as it is (`invalidInput`)",
        "401" => "The credentials or the access token are missing or not valid (`unauthorized`)",
        "403" => "A scope is missing, or the tenant belongs to someone else (`forbidden`)",
        "404" => "There is no such thing for this tenant, or not yet (`notFound`)",
        "409" => "It contradicts an earlier request or the present state (`conflict`)",
        "413" => "The body is too long, or holds too much (`invalidInput`)",
        "415" => "The body has another media type (`invalidInput`)",
        "429" => "Too many requests; try again after `Retry-After` (`tooManyRequests`)",
        "503" => "Not available at the moment; try again after `Retry-After` (`unavailable`)",
        _ => "A failure on this side (`internalServerError`)",
    };
    let error = Ref::from_schema_name("ErrorResponse");
    let content = ContentBuilder::new().schema(Some(error)).build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content);
    if matches!(status, "429" | "503") {
        let seconds = ObjectBuilder::new().schema_type(Type::Integer);
        let header = HeaderBuilder::new()
            .schema(seconds)
            .description(Some("Seconds"))
            .build();
        response = response.header("Retry-After", header);
    }
    response.build().into()
}
