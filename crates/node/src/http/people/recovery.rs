//! `POST /api/accounts/{name}/recovery`: new recovery codes; all earlier ones are void.

use super::super::State;
use super::super::answer::Refusal;
use super::super::request::{Asked, Content};
use super::account::wrong_current;
use super::{actor, is_self, json, no_machine, read};
use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::json;
use std::sync::Arc;
use zeroize::Zeroizing;

/// What is sent: a code, as whoever holds a session need not hold the second factor.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Renew {
    code: Zeroizing<String>,
}

/// New recovery codes, shown this once.
pub(crate) async fn post(
    state: &Arc<State>,
    asked: &Asked,
    content: Content,
    name: String,
) -> Result<Response<Body>, Refusal> {
    let actor = actor(asked)?;
    no_machine(asked, &actor, &name)?;
    let Renew { code } = read(asked, content, r#"{"code":…}"#).await?;
    state
        .read(move |state| {
            // Nobody gets the codes of another: that is refused below.
            if is_self(&actor, &name) {
                state.accounts.confirm_code(&name, &code, state.sources.now()).map_err(wrong_current)?;
            }
            let codes = state.administration.renew_recovery_codes(&actor, &name)?;
            Ok(shown(&codes))
        })
        .await
}

/// The codes, this once.
pub(super) fn shown(codes: &[Zeroizing<String>]) -> Response<Body> {
    let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    json(StatusCode::OK, &json!({"recovery": codes}))
}
