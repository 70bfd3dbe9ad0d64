//! What a package is sealed with: a key that signs it, an authority that stamps it.

use super::CommandError;
use super::arguments::SealArgs;
use super::custody::without_password;
use super::source::runtime;
use crate::collect::{Post, post};
use crate::package::timestamp::{ANSWER_TYPE, LARGEST_ANSWER, REQUEST_TYPE, Request};
use crate::package::{Seals, SigningKey};
use std::path::Path;

/// What seals packages of this run.
#[derive(Debug, Default)]
pub(super) struct Sealing {
    key: Option<SigningKey>,
    authority: Option<String>,
}

impl Sealing {
    /// Reads the key, and looks at the address, before hours of collection rather than after.
    pub fn load(args: &SealArgs) -> Result<Self, CommandError> {
        let key = args.sign.as_deref().map(signing_key).transpose()?;
        if let Some(url) = &args.timestamp_url {
            let host = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
            let is_address = host.is_some_and(|host| !host.is_empty() && !host.starts_with('/'))
                && url.bytes().all(|c| c.is_ascii_graphic());
            if !is_address {
                let text = format!(
                    "`{}` is no address of a time stamp authority: http://... or https://...",
                    url.escape_debug()
                );
                return Err(CommandError::usage(text));
            }
        }
        Ok(Self { key, authority: args.timestamp_url.clone() })
    }

    /// The seals of one package. The authority is asked when everything else is written; without its answer there is no
    /// package.
    pub fn seals(&self) -> Seals<'_> {
        let stamp = self.authority.as_deref().map(|url| {
            let stamp: crate::package::Stamp<'_> = Box::new(|stamped| stamp(url, stamped));
            (without_password(url), stamp)
        });
        Seals::new(self.key.as_ref(), stamp)
    }
}

fn stamp(url: &str, stamped: &[u8]) -> Result<Vec<u8>, String> {
    let ask = || {
        let request = Request::over(stamped)?;
        let question =
            Post { url, content_type: REQUEST_TYPE, accept: ANSWER_TYPE, body: request.der(), most: LARGEST_ANSWER };
        let answer = runtime().map_err(|e| e.to_string())?.block_on(post(&question))?;
        request.accept(&answer).map_err(|e| format!("its answer {e}"))?;
        Ok(answer)
    };
    ask().map_err(|reason: String| {
        format!(
            "no time stamp from {}: {reason}; try again, name another authority, or leave out --timestamp-url",
            without_password(url)
        )
    })
}

fn signing_key(path: &Path) -> Result<SigningKey, CommandError> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| CommandError::usage(format!("cannot read the key {}: {e}", path.display())))?;
    SigningKey::from_pem(&text)
        .map_err(|reason| CommandError::usage(format!("cannot sign with {}: {reason}", path.display())))
}
