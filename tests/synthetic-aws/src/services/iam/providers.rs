//! Identity providers. Those of this server have no tags.

use super::super::Answer;
use super::principal::required;
use super::{lists, shapes};
use crate::account::iam::OidcProvider;
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

pub(super) fn saml(context: &Context, _: &Call) -> Answer {
    let mut x = Xml::new();
    x.list("SAMLProviderList", &context.account.iam.saml_providers, |x, p| {
        x.text("Arn", &p.arn);
        x.time("ValidUntil", p.valid_until);
        x.time("CreateDate", p.created);
    });
    Ok(x.finish())
}

pub(super) fn saml_tags(context: &Context, call: &Call) -> Answer {
    let arn = required(call, "SAMLProviderArn")?;
    if !context.account.iam.saml_providers.iter().any(|p| p.arn == arn) {
        return Err(lists::no_such(format!("SAML provider {arn} does not exist")));
    }
    lists::list(context, call, "Tags", &[], shapes::tag)
}

pub(super) fn oidc(context: &Context, _: &Call) -> Answer {
    let mut x = Xml::new();
    let providers = &context.account.iam.oidc_providers;
    x.list("OpenIDConnectProviderList", providers, |x, p| x.text("Arn", &p.arn));
    Ok(x.finish())
}

fn find<'a>(context: &'a Context, call: &Call) -> Result<&'a OidcProvider, AwsError> {
    let arn = required(call, "OpenIDConnectProviderArn")?;
    let mut providers = context.account.iam.oidc_providers.iter();
    providers
        .find(|p| p.arn == arn)
        .ok_or_else(|| lists::no_such(format!("OpenIDConnect Provider not found for arn {arn}")))
}

pub(super) fn oidc_provider(context: &Context, call: &Call) -> Answer {
    let provider = find(context, call)?;
    let mut x = Xml::new();
    // the URL comes without its scheme
    x.text("Url", &provider.url);
    x.list("ClientIDList", &provider.client_ids, |x, id| x.raw_text(id));
    x.list("ThumbprintList", &provider.thumbprints, |x, t| x.raw_text(t));
    x.time("CreateDate", provider.created);
    shapes::tags(&mut x, &[]);
    Ok(x.finish())
}

pub(super) fn oidc_tags(context: &Context, call: &Call) -> Answer {
    find(context, call)?;
    lists::list(context, call, "Tags", &[], shapes::tag)
}
