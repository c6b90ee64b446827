//! `GET /taxii2/` (TAXII 2.1 §4.1).

use super::super::State;
use super::super::answer::{self, Refusal};
use super::super::request::Asked;
use super::api_root;
use axum::body::Body;
use http::{Response, StatusCode};
use taxii::resource::Discovery;

/// What this server is and where its API root is.
pub(in super::super) fn get(state: &State, asked: &Asked) -> Result<Response<Body>, Refusal> {
    api_root::known_here(state, asked)?;
    let taxii = &state.config.taxii;
    let root = match state.config.server.public_url.trim_end_matches('/') {
        "" => format!("/{}/", taxii.api_root),
        public => format!("{public}/{}/", taxii.api_root),
    };
    let said = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    Ok(answer::json(
        StatusCode::OK,
        &Discovery {
            title: taxii.title.clone(),
            description: said(&taxii.description),
            contact: said(&taxii.contact),
            default: Some(root.clone()),
            api_roots: vec![root],
        },
    ))
}
