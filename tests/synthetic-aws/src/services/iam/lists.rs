//! The shape of all of IAM's lists, and the lists of the account itself.

use super::super::Answer;
use super::super::page::{self, Page};
use crate::server::Context;
use crate::wire::xml::Xml;
use crate::wire::{AwsError, Call};

/// A page of `items`, in the shape of all of IAM's lists.
pub(super) fn list<T>(
    context: &Context,
    call: &Call,
    name: &str,
    items: impl IntoIterator<Item = T>,
    each: impl FnMut(&mut Xml, T),
) -> Answer {
    let size = page::iam_size(call, context.pages.iam_list)?;
    let Page { items, next } = page::of(call, items, size)?;
    let mut x = Xml::new();
    x.flag("IsTruncated", next.is_some());
    x.list(name, items, each);
    x.maybe("Marker", next.as_deref());
    Ok(x.finish())
}

/// Whether a path is under the request's PathPrefix.
pub(super) fn under<'a>(call: &'a Call) -> impl Fn(&str) -> bool + 'a {
    let prefix = call.text("PathPrefix").unwrap_or("/");
    move |path| path.starts_with(prefix)
}

pub(super) fn no_such(message: String) -> AwsError {
    AwsError::new(404, "NoSuchEntity", message)
}

pub(super) fn aliases(context: &Context, call: &Call) -> Answer {
    list(context, call, "AccountAliases", &context.account.alias, |x, alias| x.raw_text(alias))
}

pub(super) fn server_certificates(context: &Context, call: &Call) -> Answer {
    let under = under(call);
    let certificates = context.account.iam.server_certificates.iter().filter(|c| under(&c.path));
    list(context, call, "ServerCertificateMetadataList", certificates, |x, c| {
        x.text("Path", &c.path);
        x.text("ServerCertificateName", &c.name);
        x.text("ServerCertificateId", &c.id);
        x.text("Arn", &c.arn);
        x.time("UploadDate", c.uploaded);
        x.time("Expiration", c.expires);
    })
}
