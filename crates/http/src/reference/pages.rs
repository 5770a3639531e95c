//! `GET /docs`: what there is, with a search; `GET /docs/{family}`: the operations of a family in full.

use super::{
    kinds::Piece,
    model::{Family, Operation, Reference},
};
use crate::{App, openapi::Description, ui};
use askama::Template;
use axum::{
    Router,
    extract::Path,
    response::{Html, IntoResponse, Response},
    routing::get,
};
use serde::Deserialize;
use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

/// The reference, and each of its pages once somebody has asked for it.
#[derive(Debug)]
struct Pages {
    description: Arc<Description>,
    made: OnceLock<Made>,
}

#[derive(Debug)]
struct Made {
    reference: Reference,
    families: HashMap<String, String>,
}

/// The pages.
pub(crate) fn router(description: Arc<Description>) -> Router<Arc<App>> {
    let pages = Arc::new(Pages { description, made: OnceLock::new() });
    let (front, family) = (Arc::clone(&pages), pages);
    ui::guarded(
        Router::new()
            .route(
                "/docs",
                get(move |query: axum_extra::extract::Query<Search>| async move { front.front(&query.0) }),
            )
            .route("/docs/{family}", get(move |Path(slug): Path<String>| async move { family.family(&slug) }))
            .route("/assets/docs.css", get(|| async { ui::style(include_str!("../../assets/docs.css")) })),
    )
}

#[derive(Debug, Default, Deserialize)]
struct Search {
    #[serde(default)]
    q: String,
}

/// What there is, or what was found.
#[derive(Debug, Template)]
#[template(path = "docs.html")]
struct Front<'a> {
    version: &'static str,
    families: &'a [Family],
    here: &'static str,
    query: &'a str,
    found: Vec<(&'a str, &'a Operation)>,
}

/// A family.
#[derive(Debug, Template)]
#[template(path = "docs_family.html")]
struct FamilyPage<'a> {
    version: &'static str,
    families: &'a [Family],
    here: &'a str,
    query: &'static str,
    family: &'a Family,
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Pages {
    fn made(&self) -> &Made {
        self.made.get_or_init(|| {
            let reference = Reference::of(&self.description.document());
            let families = reference.families.iter().filter_map(|family| {
                let here = family.slug.as_str();
                let page =
                    FamilyPage { version: VERSION, families: &reference.families, here, query: "", family };
                Some((family.slug.clone(), page.render().ok()?))
            });
            let families = families.collect();
            Made { reference, families }
        })
    }

    fn front(&self, search: &Search) -> Response {
        let Made { reference, .. } = self.made();
        let query = search.q.trim();
        let found = if query.is_empty() { Vec::new() } else { reference.search(query) };
        let page = Front { version: VERSION, families: &reference.families, here: "", query, found };
        ui::show(&page)
    }

    fn family(&self, slug: &str) -> Response {
        match self.made().families.get(slug) {
            Some(page) => Html(page.clone()).into_response(),
            None => ui::nothing_here("There is no such part of the reference."),
        }
    }
}
