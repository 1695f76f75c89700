//! The rows of the route table, and the router that is made of them.

use axum::extract::DefaultBodyLimit;
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{self, MethodRouter};
use axum::{Router, http};
use microblog_config::ByteSize;

use crate::auth::guard::{Counted, Gate, Guard, admit};
use crate::edge::answer_in_time;
use crate::error::{ApiError, ErrorCode};
use crate::repeat::answer_again;
use crate::state::App;

/// What a request may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing, or next to nothing.
    Nothing,
    /// An object of this schema, in JSON.
    Json(&'static str),
    /// A file, in a form.
    Upload,
}

/// What it is answered with when all goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    /// Something that is not described.
    Anything,
    /// Nothing.
    Nothing,
    /// An object of this schema.
    One(StatusCode, &'static str),
    /// A page of a list of these.
    Page(&'static str),
}

/// One row of the table.
pub(crate) struct Route {
    pub(crate) method: http::Method,
    pub(crate) path: &'static str,
    pub(crate) guard: Guard,
    pub(crate) counted: Counted,
    pub(crate) takes: Takes,
    pub(crate) gives: Gives,
    pub(crate) query: &'static [&'static str],
    pub(crate) says: &'static str,
    /// The largest body, where it is less than that of others.
    pub(crate) at_most: ByteSize,
    /// The name of the function that answers.
    pub(crate) handler: &'static str,
    answer: MethodRouter<App>,
}

macro_rules! methods {
    ($($name:ident $method:ident $gives:expr),+ $(,)?) => {
        $(
            #[doc = concat!("A row for ", stringify!($method), ".")]
            pub(crate) fn $name<H, T>(path: &'static str, guard: Guard, handler: H) -> Route
            where
                H: Handler<T, App>,
                T: 'static,
            {
                Route {
                    method: http::Method::$method,
                    path,
                    guard,
                    counted: Counted::AsRequest,
                    takes: Takes::Nothing,
                    gives: $gives,
                    query: &[],
                    says: "",
                    at_most: ByteSize(u64::MAX),
                    handler: function_name::<H>(),
                    answer: routing::$name(handler),
                }
            }
        )+
    };
}

methods! {
    get GET Gives::Anything,
    post POST Gives::Nothing,
    put PUT Gives::Nothing,
    patch PATCH Gives::Nothing,
    delete DELETE Gives::Nothing,
}

fn function_name<H>() -> &'static str {
    let path = std::any::type_name::<H>();
    path.rsplit("::").next().unwrap_or(path)
}

impl Route {
    /// Probes must not be refused, and pages load many files.
    pub(crate) fn free(self) -> Self {
        Self { counted: Counted::Free, ..self }
    }

    /// It tries a password.
    pub(crate) fn log_in(self) -> Self {
        Self { counted: Counted::AsLogIn, ..self }
    }

    /// It asks for a build by hand.
    pub(crate) fn build(self) -> Self {
        Self { counted: Counted::AsBuild, ..self }
    }

    /// It takes an object of this schema.
    pub(crate) fn takes(self, schema: &'static str) -> Self {
        Self { takes: Takes::Json(schema), ..self }
    }

    /// It takes a file.
    pub(crate) fn takes_upload(self) -> Self {
        Self { takes: Takes::Upload, ..self }
    }

    /// No body of it is larger than this.
    pub(crate) fn at_most(self, at_most: ByteSize) -> Self {
        Self { at_most, ..self }
    }

    /// It takes these parameters.
    pub(crate) fn with(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }

    /// It is answered with an object of this schema.
    pub(crate) fn gives(self, schema: &'static str) -> Self {
        Self { gives: Gives::One(StatusCode::OK, schema), ..self }
    }

    /// It makes an object of this schema.
    pub(crate) fn made(self, schema: &'static str) -> Self {
        Self { gives: Gives::One(StatusCode::CREATED, schema), ..self }
    }

    /// It begins something that this schema describes.
    pub(crate) fn accepted(self, schema: &'static str) -> Self {
        Self { gives: Gives::One(StatusCode::ACCEPTED, schema), ..self }
    }

    /// It is answered with a page of a list.
    pub(crate) fn gives_page(self, schema: &'static str) -> Self {
        Self { gives: Gives::Page(schema), ..self }
    }

    /// What it does, in a few words.
    pub(crate) fn says(self, says: &'static str) -> Self {
        Self { says, ..self }
    }

    /// The answering function behind its limits and its gate.
    fn guarded(self, app: &App) -> MethodRouter<App> {
        let server = &app.server;
        let (bytes, time) = match self.takes {
            Takes::Upload => (server.max_upload.0, server.upload_timeout),
            Takes::Nothing | Takes::Json(_) => (server.max_body.0, server.request_timeout),
        };
        let bytes = bytes.min(self.at_most.0);
        let gate = Gate { app: App::clone(app), guard: self.guard, counted: self.counted };
        let answer = match self.takes {
            Takes::Upload => self.answer,
            Takes::Nothing | Takes::Json(_) => self.answer.route_layer(middleware::from_fn(answer_again)),
        };
        answer
            .route_layer(DefaultBodyLimit::max(usize::try_from(bytes).unwrap_or(usize::MAX)))
            .route_layer(middleware::from_fn_with_state(gate, admit))
            .route_layer(middleware::from_fn_with_state(time, answer_in_time))
    }
}

/// The router that the table describes.
pub(crate) fn router(table: Vec<Route>, app: &App) -> Router<App> {
    let add = |router: Router<App>, route: Route| router.route(route.path, route.guarded(app));
    table.into_iter().fold(Router::new(), add).fallback(unknown_address).method_not_allowed_fallback(wrong_method)
}

async fn unknown_address() -> ApiError {
    ApiError::new(ErrorCode::NotFound, "There is nothing at this address.")
}

async fn wrong_method() -> ApiError {
    ApiError::new(ErrorCode::MethodNotAllowed, "The header Allow lists the methods for this address.")
}
