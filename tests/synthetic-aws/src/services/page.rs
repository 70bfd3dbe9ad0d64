//! Paging, the same for all lists.

use crate::wire::token::{self, Position};
use crate::wire::{AwsError, Call};

/// One page of a list and the token for the next.
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    pub(super) next: Option<String>,
}

/// Where the request's token points to, or the start.
pub(super) fn position(call: &Call) -> Result<Position, AwsError> {
    match call.page_token() {
        None => Ok(Position::START),
        Some(text) => token::decode(call.scope(), text).ok_or_else(|| AwsError::invalid_token(call)),
    }
}

/// Takes at most `size` of the items that the token leaves; `size` 0 counts as 1.
pub(super) fn of<T>(call: &Call, items: impl IntoIterator<Item = T>, size: usize) -> Result<Page<T>, AwsError> {
    let at = position(call)?;
    let size = if call.empty_page { 0 } else { size.max(1) };
    let mut rest = items.into_iter().skip(at.item as usize).peekable();
    let items: Vec<T> = rest.by_ref().take(size).collect();
    let more = rest.peek().is_some() || call.empty_page;
    let next = follows(call, at, more, size, items.len()).map(|next| token::encode(call.scope(), next));
    Ok(Page { items, next })
}

/// Where a list goes on after a page of so many items.
pub(super) fn follows(call: &Call, at: Position, more: bool, size: usize, items: usize) -> Option<Position> {
    if call.last_page {
        return None;
    }
    let second = Position { item: size as u64, page: 1 };
    let back = (call.loop_pages && at.page > 0).then_some(second);
    if more { Some(Position { item: at.item + items as u64, page: at.page + 1 }) } else { back }
}

/// The page size: what the caller asks for (between 1 and `most`, else an error named as in the
/// service), at most what the server gives.
pub(super) fn size(
    call: &Call,
    name: &str,
    default: usize,
    most: i64,
    cap: usize,
    error: &str,
) -> Result<usize, AwsError> {
    match call.integer(name) {
        None => Ok(default.min(cap)),
        // Config: "if you specify 0, the default is used"
        Some(0) if call.service == "config" => Ok(default.min(cap)),
        Some(n) if (1..=most).contains(&n) => Ok((n as usize).min(cap)),
        Some(n) => Err(AwsError::new(
            400,
            error,
            format!(
                "Value '{n}' at '{name}' failed to satisfy constraint: Member must have value between 1 and {most}"
            ),
        )),
    }
}

/// The page size of an IAM list: MaxItems, default 100, at most 1000.
pub(super) fn iam_size(call: &Call, cap: usize) -> Result<usize, AwsError> {
    size(call, "MaxItems", 100, 1000, cap, "ValidationError")
}
