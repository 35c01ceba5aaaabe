//! `init`: tries the key before the diff, so that a wrong one is known before anything is written.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::key::KeyChoice;
use crate::cli::InitArgs;
use crate::consent::{ClearedDestination, Consent, ConsentDecision, OutgoingRequest};
use crate::error::{Error, ErrorCode, Result};
use crate::net;
use crate::net::honeycomb::{
    KEY_HEADER, WhoamiAnswer, WhoamiFailure, ask_honeycomb_whoami, honeycomb_key_header,
};
use crate::otlp::whoami::Whoami;
use crate::plan::Note;
use crate::provider::key_shape::{self, DATASET_HEADER};
use crate::provider::{self, Destination};
use crate::secret::{KnownSecrets, Redactor};

/// The longest one region may take to answer.
const REGION_TIME_LIMIT: Duration = Duration::from_secs(10);

/// Asks the provider who owns the key; switches the destination to the region that knows it, unless a region was
/// named.
///
/// # Errors
/// `key-rejected` when no region knows the key.
pub(super) fn run(
    args: &InitArgs,
    destination: Destination,
    key: &KeyChoice,
    redactor: &Redactor,
) -> Result<(Destination, Option<Note>)> {
    if !destination.headers.iter().any(|header| header.name.eq_ignore_ascii_case(KEY_HEADER)) {
        return Ok((destination, None));
    }
    let cleared = match clear_trial(args, &destination, key, redactor)? {
        Ok(cleared) => cleared,
        Err(objection) => {
            let text = format!("the key was not tried: {}", objection.describe());
            return Ok((destination, Some(Note::warning(text))));
        }
    };
    let words = match try_key(&cleared, key)? {
        Ok(owner) => return Ok((with_dataset(&owner, destination)?, Some(key_owner_note(&owner)))),
        Err(WhoamiFailure::Unanswered(words)) => {
            let text = format!("the key could not be tried at {}: {words}", destination.endpoint);
            return Ok((destination, Some(Note::warning(text))));
        }
        Err(WhoamiFailure::Rejected(words)) => words,
    };
    let mut refused = vec![destination.endpoint.clone()];
    if args.provider.region.is_none() && args.provider.endpoint.is_none() {
        for region in other_regions(&destination) {
            let Ok(cleared) = clear_trial(args, &region, key, redactor)? else {
                continue;
            };
            match try_key(&cleared, key)? {
                Ok(owner) => {
                    return Ok((with_dataset(&owner, region)?, Some(key_owner_note(&owner))));
                }
                Err(WhoamiFailure::Rejected(_)) => refused.push(region.endpoint),
                Err(WhoamiFailure::Unanswered(_)) => {}
            }
        }
    }
    let error = key_rejected_everywhere(&destination, &refused, &words);
    Err(match key_shape::read_key(key.secret.expose()) {
        Err(mistake) => error.cause(mistake.message()).hint(mistake.hint()),
        Ok(_) => error,
    })
}

/// Refuses a Classic key without the dataset it needs: every trace would be refused.
fn with_dataset(owner: &Whoami, destination: Destination) -> Result<Destination> {
    let mut headers = destination.headers.iter();
    if !owner.is_classic() || headers.any(|header| header.name.eq_ignore_ascii_case(DATASET_HEADER))
    {
        return Ok(destination);
    }
    Err(Error::new(
        ErrorCode::SettingMissing,
        "this is a key of Honeycomb Classic, which needs the dataset that traces go to",
    )
    .hint("set it with `--set dataset=NAME`; the key of an environment needs none"))
}

/// Decides whether the key may go to the destination, without asking the user: `verify` asks when it sends.
fn clear_trial(
    args: &InitArgs,
    destination: &Destination,
    key: &KeyChoice,
    redactor: &Redactor,
) -> Result<ConsentDecision> {
    let base = Url::parse(&destination.endpoint).map_err(|error| {
        Error::new(
            ErrorCode::EndpointInvalid,
            format!("`{}` is not an address", destination.endpoint),
        )
        .cause(error)
    })?;
    let mut known = KnownSecrets::of(redactor);
    known.add(&key.variable, &key.secret);
    let outgoing = OutgoingRequest {
        headers: &[honeycomb_key_header(&key.secret)],
        supplied: std::slice::from_ref(&key.variable),
        ..OutgoingRequest::to(&base)
    };
    Ok(Consent::new(known, &args.trust_host).review(&outgoing))
}

fn try_key(to: &ClearedDestination, key: &KeyChoice) -> Result<WhoamiAnswer> {
    net::block_on(async {
        ask_honeycomb_whoami(to, &key.secret, Instant::now() + REGION_TIME_LIMIT).await
    })
}

/// Returns the provider's other regions.
fn other_regions(destination: &Destination) -> Vec<Destination> {
    let Some(provider) = provider::find_provider(&destination.provider) else {
        return Vec::new();
    };
    let regions = provider.regions.iter().filter(|region| region.endpoint != destination.endpoint);
    regions.map(|region| destination.in_region(region)).collect()
}

fn key_owner_note(owner: &Whoami) -> Note {
    let environment = if owner.is_classic() {
        "Honeycomb Classic".to_owned()
    } else {
        format!("environment {}", owner.environment)
    };
    Note::fact(format!("key: team {}, {environment}", owner.team))
}

/// Returns the error for a key that none of the endpoints in `refused` knows.
fn key_rejected_everywhere(destination: &Destination, refused: &[String], words: &str) -> Error {
    let title = &destination.title;
    let endpoint = refused.join(" and ");
    let (status, message) = words.split_once(": ").unwrap_or((words, words));
    let text = format!("{title} does not know this key ({status} from {endpoint})");
    let error = Error::new(ErrorCode::KeyRejected, text).cause(message);
    match (provider::find_provider(&destination.provider), &destination.ui) {
        (Some(provider), Some(pages)) => {
            error.hint(format!("create one at {pages}: {}", provider.keys))
        }
        (Some(provider), None) => error.hint(format!("create one in {title}: {}", provider.keys)),
        (None, _) => error.hint("`cruddur-ops key status` shows every place that holds a key"),
    }
}
