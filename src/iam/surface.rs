//! The set of actions that a principal is left with, as patterns: what its layers allow, less what is
//! denied there.
//!
//! The set errs on the wide side: a Deny that hangs on a condition, or is for some of the resources only, is
//! not taken off. So *no write action is in it* is certain.

use super::condition;
use super::context::Context;
use super::decision::StatementRef;
use super::glob::{self, Tok};
use super::layers::{Layer, LayerKind, Layers, Located};
use super::policy::Effect;
use super::principal::Principal;
use super::truth::Truth;

/// More pieces than this are not worked out; the question is then unknown.
const MAX_PIECES: usize = 4096;

/// The effective actions of a principal.
#[derive(Clone, Debug)]
pub struct Surface {
    pub(crate) pieces: Vec<Piece>,
}

/// Actions that match all of some patterns and none of others, as one statement grants them.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// In lower case.
    pub all_of: Vec<Text>,
    /// In lower case.
    pub except: Vec<Text>,
    /// The resources of the granting statement, as written.
    pub resources: Vec<String>,
    /// The statement is on every resource and has no condition that is not certain.
    pub plain: bool,
    pub statement: StatementRef,
}

/// A pattern with its tokens.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub text: String,
    tokens: Vec<Tok>,
}

impl Text {
    fn new(pattern: &str) -> Self {
        let text = pattern.to_ascii_lowercase();
        let tokens = glob::tokens(&text);
        Self { text, tokens }
    }

    pub(crate) fn covers(&self, other: &Self) -> bool {
        glob::covers(&self.tokens, &other.tokens)
    }

    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        glob::overlaps(&self.tokens, &other.tokens)
    }
}

impl Surface {
    /// What a principal may do in a context.
    ///
    /// # Errors
    ///
    /// With the reason, if a document cannot be read or the set is too large to be worked out.
    pub fn of(principal: &Principal, context: &Context) -> Result<Self, String> {
        let layers = Layers::of(principal);
        if let Some(gap) = layers.gap() {
            return Err(gap.to_owned());
        }
        Self::of_layers(&layers, &principal.context().overlaid(context))
    }

    pub(crate) fn of_layers(layers: &Layers<'_>, context: &Context) -> Result<Self, String> {
        let mut pieces = Vec::new();
        for layer in &layers.layers {
            if layer.kind == LayerKind::Identity {
                pieces = grants(layer, context);
            }
        }
        for layer in &layers.layers {
            if layer.kind == LayerKind::Identity {
                continue;
            }
            let limits = grants(layer, context);
            pieces = product(&pieces, &limits)?;
        }
        for located in layers.statements() {
            if !denies(&located, context) {
                continue;
            }
            if !located.on_everything() {
                spare_nothing_of(&mut pieces, &located);
                pieces.retain(|piece| !piece.is_empty());
                continue;
            }
            let actions = &located.statement.actions;
            let denied: Vec<Text> = actions.patterns.iter().map(|p| Text::new(p)).collect();
            if actions.negated {
                let spared: Vec<Piece> = denied
                    .into_iter()
                    .map(|pattern| Piece {
                        all_of: vec![pattern],
                        except: Vec::new(),
                        resources: Vec::new(),
                        plain: true,
                        statement: located.reference(),
                    })
                    .collect();
                pieces = product(&pieces, &spared)?;
            } else {
                for piece in &mut pieces {
                    let near = denied.iter().filter(|denied| piece.all_of.iter().all(|mine| mine.overlaps(denied)));
                    piece.except.extend(near.cloned());
                }
            }
            pieces.retain(|piece| !piece.is_empty());
        }
        pieces.retain(|piece| !piece.is_empty());
        Ok(Self { pieces })
    }

    /// The patterns, as text: `s3:get* (except s3:getobject)`.
    #[must_use]
    pub fn patterns(&self) -> Vec<String> {
        let mut all: Vec<_> = self.pieces.iter().map(Piece::to_text).collect();
        all.sort();
        all.dedup();
        all
    }

    /// True if nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }
}

/// What a layer's Allow statements may grant in the context.
fn grants(layer: &Layer<'_>, context: &Context) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for located in &layer.statements {
        if located.statement.effect != Effect::Allow {
            continue;
        }
        let holds = condition::all_hold(&located.statement.conditions, context);
        if holds.is_false() {
            continue;
        }
        let plain = holds.is_true() && located.on_everything();
        let resources = written_resources(located);
        let actions = &located.statement.actions;
        let piece = |all_of: Text, except: Vec<Text>| Piece {
            all_of: vec![all_of],
            except,
            resources: resources.clone(),
            plain,
            statement: located.reference(),
        };
        if actions.negated {
            let except = actions.patterns.iter().map(|p| Text::new(p)).collect();
            pieces.push(piece(Text::new("*"), except));
        } else {
            pieces.extend(actions.patterns.iter().map(|p| piece(Text::new(p), Vec::new())));
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn written_resources(located: &Located<'_>) -> Vec<String> {
    match &located.statement.resources {
        None => Vec::new(),
        Some(resources) => {
            let mark = if resources.negated { "not " } else { "" };
            let patterns = resources.patterns.iter();
            patterns.map(|pattern| format!("{mark}{}", pattern.text)).collect()
        }
    }
}

/// A Deny whose conditions certainly hold.
fn denies(located: &Located<'_>, context: &Context) -> bool {
    located.statement.effect == Effect::Deny
        && condition::all_hold(&located.statement.conditions, context) == Truth::True
}

/// Takes the actions of a Deny off those pieces of which it names all resources.
fn spare_nothing_of(pieces: &mut [Piece], located: &Located<'_>) {
    let statement = located.statement;
    let Some(resources) = statement.resources.as_ref().filter(|resources| !resources.negated) else { return };
    if statement.actions.negated || resources.patterns.iter().any(|pattern| pattern.variables) {
        return;
    }
    let named: Vec<Vec<Tok>> = resources.patterns.iter().map(|pattern| glob::tokens(&pattern.text)).collect();
    let denied: Vec<Text> = statement.actions.patterns.iter().map(|p| Text::new(p)).collect();
    for piece in pieces {
        let all = piece.resources.iter().all(|resource| {
            let granted = glob::tokens(resource);
            // A variable stands for a text that is not there to be compared, and `not` for all but what follows.
            !resource.contains("${") && named.iter().any(|wide| glob::covers(wide, &granted))
        });
        if all && !piece.resources.is_empty() {
            let near = denied.iter().filter(|denied| piece.all_of.iter().all(|mine| mine.overlaps(denied)));
            piece.except.extend(near.cloned());
        }
    }
}

fn product(left: &[Piece], right: &[Piece]) -> Result<Vec<Piece>, String> {
    let mut both = Vec::new();
    for a in left {
        for b in right {
            let Some(piece) = a.intersect(b) else {
                continue;
            };
            both.push(piece);
            if both.len() > MAX_PIECES {
                return Err(format!("more than {MAX_PIECES} combinations of statements"));
            }
        }
    }
    Ok(both)
}

impl Piece {
    fn intersect(&self, other: &Self) -> Option<Self> {
        let mut all_of = self.all_of.clone();
        for theirs in &other.all_of {
            if all_of.iter().any(|mine| !mine.overlaps(theirs)) {
                return None;
            }
            if all_of.iter().any(|mine| theirs.covers(mine)) {
                continue;
            }
            all_of.retain(|mine| !mine.covers(theirs));
            all_of.push(theirs.clone());
        }
        let piece = Self {
            all_of,
            except: self.except.iter().chain(&other.except).cloned().collect(),
            resources: self.resources.clone(),
            plain: self.plain && other.plain,
            statement: self.statement.clone(),
        };
        (!piece.is_empty()).then_some(piece)
    }

    fn is_empty(&self) -> bool {
        self.except.iter().any(|except| self.all_of.iter().any(|mine| except.covers(mine)))
    }

    /// Does an action, in lower case, belong to the piece?
    pub(crate) fn has(&self, action: &str) -> bool {
        let among = |texts: &[Text]| texts.iter().filter(|text| glob::matches_tokens(&text.tokens, action)).count();
        among(&self.all_of) == self.all_of.len() && among(&self.except) == 0
    }

    /// Does every action of the other belong to this one?
    fn includes(&self, other: &Self) -> bool {
        self.all_of.iter().all(|mine| other.all_of.iter().any(|theirs| mine.covers(theirs)))
            && self.except.iter().all(|except| {
                other.except.iter().any(|theirs| theirs.covers(except))
                    || other.all_of.iter().any(|theirs| !theirs.overlaps(except))
            })
    }

    /// Is what the other grants granted here, on the same resources or more?
    pub(crate) fn grants_all_of(&self, other: &Self) -> bool {
        let wide = self.plain
            || !other.plain
                && self.statement.effect == other.statement.effect
                && other.resources.iter().all(|resource| self.resources.contains(resource));
        wide && self.includes(other)
    }

    pub(crate) fn to_text(&self) -> String {
        let names = |texts: &[Text]| {
            let names: Vec<_> = texts.iter().map(|text| text.text.as_str()).collect();
            names.join(" and ")
        };
        if self.except.is_empty() {
            names(&self.all_of)
        } else {
            format!("{} (except {})", names(&self.all_of), names(&self.except))
        }
    }

    /// The pattern that says most about the piece: the longest.
    pub(crate) fn main(&self) -> &str {
        let longest = self.all_of.iter().max_by_key(|text| text.text.len());
        longest.map_or("*", |text| text.text.as_str())
    }
}
