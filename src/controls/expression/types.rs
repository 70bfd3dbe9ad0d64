//! The check of an expression before it is ever evaluated: names, types, nesting.
//!
//! Types are inferred as far as they are certain; what is not certain passes here and is left to the cases.
//! `account` and `parameters` may only be read as `account.field` and `parameters.name`: to ask whether an
//! entry is there (`has`, `in`, `size`) would be to ask whether it was collected, and a gap is no answer.

use super::{ExpressionError, Names, suggest};
use crate::resource::{Field, schema};
use cel::Program;
use cel::common::ast::operators as op;
use cel::common::ast::{ComprehensionExpr, EntryExpr, Expr, IdedExpr, LiteralValue, SourceInfo};
use std::fmt;
use std::ops::Range;

/// The deepest nesting of brackets and the longest chain of operators that are read: evaluation recurses.
const DEEPEST_BRACKETS: usize = 16;
const DEEPEST: usize = 48;
/// The deepest nesting of `all`, `exists`, `map` ...: the time taken grows with the size of the lists to this power.
const DEEPEST_LOOPS: usize = 2;

/// Refuses what would overflow the parser's stack, before the parser sees it.
pub(super) fn refuse_deep_nesting(text: &str) -> Result<(), String> {
    let (mut depth, mut operators): (usize, usize) = (0, 0);
    for c in text.chars() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '+' | '-' | '*' | '/' | '%' | '!' | '<' | '>' | '=' | '?' | '.' | '&' | '|' => operators += 1,
            _ => {}
        }
        if depth > DEEPEST_BRACKETS {
            return Err(format!("brackets are nested deeper than {DEEPEST_BRACKETS}"));
        }
        if operators > 400 {
            return Err("the expression has more than 400 operators".to_owned());
        }
    }
    Ok(())
}

/// What the parser says, without its list of everything it would have taken.
pub(super) fn syntax_message(message: &str) -> String {
    let message = message.strip_prefix("Syntax error: ").unwrap_or(message);
    let message = message.split(" expecting ").next().unwrap_or(message).trim();
    if message.contains("'<EOF>'") { "it ends too early".to_owned() } else { message.to_owned() }
}

/// The parser's line and column (in characters, from 1) as bytes.
pub(super) fn place(text: &str, (line, column): (isize, isize)) -> Range<usize> {
    let skip = |n: isize| usize::try_from(n - 1).unwrap_or_default();
    let start: usize = text.split_inclusive('\n').take(skip(line)).map(str::len).sum();
    let rest = text.get(start..).unwrap_or_default();
    let start = start + rest.chars().take(skip(column)).map(char::len_utf8).sum::<usize>();
    start..(start + 1).min(text.len()).max(start)
}

/// A type, as far as it is certain.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Type {
    Any,
    Null,
    Bool,
    Int,
    Text,
    List(Box<Type>),
    Map,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Any => "any",
            Type::Null => "null",
            Type::Bool => "bool",
            Type::Int => "int",
            Type::Text => "text",
            Type::List(_) => "list",
            Type::Map => "map",
        })
    }
}

impl From<schema::Type> for Type {
    fn from(of: schema::Type) -> Self {
        match of {
            schema::Type::Bool => Type::Bool,
            schema::Type::Int => Type::Int,
            schema::Type::Text => Type::Text,
            schema::Type::Texts => Type::List(Box::new(Type::Text)),
            schema::Type::Map => Type::Map,
        }
    }
}

impl Type {
    /// Whether a value of this type can be of the other: an unknown type can be any.
    fn fits(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::List(a), Type::List(b)) => a.fits(b),
            _ => self == other,
        }
    }
}

struct Checker<'a> {
    names: Names<'a>,
    text: &'a str,
    source_info: &'a SourceInfo,
    errors: Vec<ExpressionError>,
    /// Variables of the loops around, innermost last.
    locals: Vec<(&'a str, Type)>,
    loops: usize,
}

/// Everything that is wrong with an expression that can be parsed.
pub(super) fn check(program: &Program, text: &str, names: Names<'_>) -> Result<(), Vec<ExpressionError>> {
    let source_info = program.source_info();
    let mut checker = Checker { names, text, source_info, errors: Vec::new(), locals: Vec::new(), loops: 0 };
    let of = checker.infer(program.expression(), 0);
    if !of.fits(&Type::Bool) && checker.errors.is_empty() {
        checker.error_at(0..text.len(), format!("the expression gives {of}; it must be true or false"), None);
    }
    if checker.errors.is_empty() { Ok(()) } else { Err(checker.errors) }
}

impl<'a> Checker<'a> {
    fn error_at(&mut self, span: Range<usize>, message: String, help: Option<String>) {
        if !self.errors.iter().any(|e| e.message == message && e.span == span) && self.errors.len() < 20 {
            self.errors.push(ExpressionError { span, message, help });
        }
    }

    fn error(&mut self, id: u64, message: String, help: Option<String>) {
        self.error_at(self.span(id), message, help);
    }

    fn span(&self, id: u64) -> Range<usize> {
        // In bytes, the last one included. An operator's place is the operator itself.
        let boundary = |mut at: usize| {
            while at < self.text.len() && !self.text.is_char_boundary(at) {
                at += 1;
            }
            at.min(self.text.len())
        };
        let span = self.source_info.offset_for(id);
        let span = span.map(|(start, stop)| boundary(start as usize)..boundary((stop as usize).saturating_add(1)));
        span.filter(|span| span.start < span.end).unwrap_or(0..self.text.len())
    }

    /// The place of a name after a dot, where the parser gives that of the dot.
    fn span_of_member(&self, id: u64, name: &str) -> Range<usize> {
        let dot = self.span(id);
        let after = self.text.get(dot.end..).unwrap_or_default();
        match after.find(name) {
            Some(at) if after.get(..at).is_some_and(|between| between.trim().is_empty()) => {
                dot.end + at..dot.end + at + name.len()
            }
            _ => dot,
        }
    }

    fn infer(&mut self, node: &'a IdedExpr, depth: usize) -> Type {
        if depth > DEEPEST {
            self.error(node.id, format!("the expression is nested deeper than {DEEPEST}"), None);
            return Type::Any;
        }
        let next = depth + 1;
        match &node.expr {
            Expr::Unspecified => {
                self.error(node.id, "the expression is not complete".to_owned(), None);
                Type::Any
            }
            Expr::Literal(literal) => self.literal(node.id, literal),
            Expr::Ident(name) => self.variable(node.id, name),
            Expr::Select(select) => {
                if let Expr::Ident(root) = &select.operand.expr
                    && self.local(root).is_none()
                    && (root == "account" || root == "parameters")
                {
                    if select.test {
                        let help = format!(
                            "write `{root}.{}`: a value that is not known makes the check unknown",
                            select.field
                        );
                        self.error(node.id, format!("has() cannot be asked of `{root}`"), Some(help));
                    }
                    return self.surrounding(node.id, root, &select.field);
                }
                match self.infer(&select.operand, next) {
                    Type::Map | Type::Any if select.test => Type::Bool,
                    Type::Map => Type::Text,
                    Type::Any => Type::Any,
                    of => {
                        self.error(node.id, format!("`.{}` cannot be read from {of}", select.field), None);
                        Type::Any
                    }
                }
            }
            Expr::List(list) => {
                let mut items = Type::Any;
                for (i, element) in list.elements.iter().enumerate() {
                    let of = self.infer(element, next);
                    items = if i == 0 || items == of { of } else { Type::Any };
                }
                Type::List(Box::new(items))
            }
            Expr::Map(map) => {
                for entry in &map.entries {
                    if let EntryExpr::MapEntry(entry) = &entry.expr {
                        self.infer(&entry.key, next);
                        self.infer(&entry.value, next);
                    }
                }
                Type::Any
            }
            Expr::Struct(of) => {
                self.error(node.id, format!("there are no messages such as `{}` here", of.type_name), None);
                Type::Any
            }
            Expr::Comprehension(comprehension) => self.comprehension(node.id, comprehension, next),
            Expr::Call(call) => {
                let target = call.target.as_ref().map(|target| self.infer(target, next));
                let args: Vec<Type> = call.args.iter().map(|arg| self.infer(arg, next)).collect();
                self.call(node.id, &call.func_name, target, &args)
            }
        }
    }

    fn literal(&mut self, id: u64, literal: &LiteralValue) -> Type {
        match literal {
            LiteralValue::Boolean(_) => Type::Bool,
            LiteralValue::Int(_) => Type::Int,
            LiteralValue::String(_) => Type::Text,
            LiteralValue::Null => Type::Null,
            LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::UInt(_) => {
                let help = Some("fields are bool, int, text, lists and maps of text".to_owned());
                self.error(id, "no field has such a value".to_owned(), help);
                Type::Any
            }
        }
    }

    fn local(&self, name: &str) -> Option<&Type> {
        self.locals.iter().rev().find(|(local, _)| *local == name).map(|(_, of)| of)
    }

    fn variable(&mut self, id: u64, name: &str) -> Type {
        if let Some(of) = self.local(name) {
            return of.clone();
        }
        match name {
            "as_of" => Type::Text,
            "account" | "parameters" => {
                let help = format!("write `{name}.` and a name");
                self.error(id, format!("`{name}` cannot be used as a whole"), Some(help));
                Type::Any
            }
            _ => match self.names.field(name) {
                Ok(field) => field.kind.into(),
                Err(help) => {
                    self.error(id, format!("{} has no field `{name}`", self.names.kind.id()), Some(help));
                    Type::Any
                }
            },
        }
    }

    fn surrounding(&mut self, id: u64, root: &str, name: &str) -> Type {
        let found = if root == "account" {
            self.names.account_field(name).map(|field| field.kind.into())
        } else {
            self.names.parameter(name).map(|_| Type::Int)
        };
        found.unwrap_or_else(|help| {
            let message = if root == "account" {
                format!("account has no field `{name}`")
            } else {
                format!("there is no parameter `{name}`")
            };
            self.error_at(self.span_of_member(id, name), message, Some(help));
            Type::Any
        })
    }

    fn comprehension(&mut self, id: u64, of: &'a ComprehensionExpr, depth: usize) -> Type {
        let range = self.infer(&of.iter_range, depth);
        let items = match range.clone() {
            Type::List(items) => *items,
            Type::Map => Type::Text,
            Type::Any => Type::Any,
            other => {
                self.error(id, format!("all, exists, map and filter are for lists and maps, not {other}"), None);
                Type::Any
            }
        };
        self.loops += 1;
        if self.loops > DEEPEST_LOOPS {
            self.error(id, format!("all, exists, map and filter are nested deeper than {DEEPEST_LOOPS}"), None);
        }
        let initial = self.infer(&of.accu_init, depth);
        if range == Type::Map && matches!(initial, Type::List(_)) {
            // A map's keys come in no order, and the same evidence must give the same findings.
            self.error(id, "map and filter are for lists, not maps".to_owned(), None);
        }
        let before = self.locals.len();
        // `map` and `filter` start from an empty list, which fits any.
        self.locals.push((&of.accu_var, initial));
        self.locals.push((&of.iter_var, items));
        if let Some(second) = &of.iter_var2 {
            self.locals.push((second, Type::Any));
        }
        self.infer(&of.loop_cond, depth);
        let step = self.infer(&of.loop_step, depth);
        self.locals.truncate(before);
        self.locals.push((&of.accu_var, step));
        let result = self.infer(&of.result, depth);
        self.locals.truncate(before);
        self.loops -= 1;
        result
    }

    fn call(&mut self, id: u64, name: &str, target: Option<Type>, args: &[Type]) -> Type {
        use Type::{Any, Bool, Int, List, Map, Null, Text};
        let bad = |checker: &mut Self, what: &str| {
            let found: Vec<String> = target.iter().chain(args).map(Type::to_string).collect();
            checker.error(id, format!("{} is not for {}", what, found.join(" and ")), None);
        };
        let all = |of: &Type| args.iter().all(|arg| arg.fits(of));
        let word = spelling(name);
        match (name, target.as_ref(), args) {
            (op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE, None, [_])
            | (op::LOGICAL_AND | op::LOGICAL_OR, None, [_, _]) => {
                if !all(&Bool) {
                    bad(self, &word);
                }
                Bool
            }
            (op::CONDITIONAL, None, [condition, yes, no]) => {
                if !condition.fits(&Bool) {
                    bad(self, &word);
                }
                if yes == no { yes.clone() } else { Any }
            }
            (op::EQUALS | op::NOT_EQUALS, None, [a, b]) => {
                // Anything may be compared with null, which is how a field is asked for its absence.
                if !a.fits(b) && *a != Null && *b != Null {
                    bad(self, &word);
                }
                Bool
            }
            (op::LESS | op::LESS_EQUALS | op::GREATER | op::GREATER_EQUALS, None, [_, _]) => {
                if !(all(&Int) || all(&Text)) {
                    bad(self, &word);
                }
                Bool
            }
            (op::ADD, None, [a, b]) => match (a, b) {
                (Any, other) | (other, Any) => other.clone(),
                (Int, Int) => Int,
                (Text, Text) => Text,
                (List(a), List(b)) => List(Box::new(if a == b || **a == Any { (**b).clone() } else { Any })),
                _ => {
                    bad(self, &word);
                    Any
                }
            },
            (op::SUBSTRACT | op::MULTIPLY | op::DIVIDE | op::MODULO, None, [_, _]) | (op::NEGATE, None, [_]) => {
                if !all(&Int) {
                    bad(self, &word);
                }
                Int
            }
            (op::IN, None, [item, list]) => {
                let fits = match list {
                    List(items) => item.fits(items) || *item == Null,
                    Map => item.fits(&Text),
                    Any => true,
                    _ => false,
                };
                if !fits {
                    bad(self, &word);
                }
                Bool
            }
            (op::INDEX, None, [list, at]) => match list {
                List(items) if at.fits(&Int) => (**items).clone(),
                Map if at.fits(&Text) => Text,
                Any => Any,
                _ => {
                    bad(self, &word);
                    Any
                }
            },
            ("size", None, [of]) | ("size", Some(of), []) => {
                if !matches!(of, Text | List(_) | Map | Any) {
                    bad(self, &word);
                }
                Int
            }
            ("contains" | "startsWith" | "endsWith" | "matches", Some(of), [arg]) => {
                if !(of.fits(&Text) && arg.fits(&Text)) {
                    bad(self, &word);
                }
                Bool
            }
            ("int", None, [of]) => {
                if !matches!(of, Text | Int | Any) {
                    bad(self, &word);
                }
                Int
            }
            ("string", None, [of]) => {
                if !matches!(of, Text | Int | Bool | Any) {
                    bad(self, &word);
                }
                Text
            }
            _ => {
                let functions = [
                    "size",
                    "contains",
                    "startsWith",
                    "endsWith",
                    "matches",
                    "int",
                    "string",
                    "all",
                    "exists",
                    "exists_one",
                    "map",
                    "filter",
                    "has",
                ];
                let help = suggest(name, functions);
                let known = functions.contains(&name);
                let message = if known {
                    format!("{word} does not take these arguments")
                } else {
                    format!("there is no function {word}")
                };
                self.error(id, message, if known { None } else { help });
                Any
            }
        }
    }
}

/// An operator as it is written, a function with brackets.
fn spelling(name: &str) -> String {
    match name {
        op::IN => "`in`".to_owned(),
        op::INDEX => "`[]`".to_owned(),
        op::CONDITIONAL => "`?:`".to_owned(),
        _ if name.contains('_') && !name.starts_with(char::is_alphabetic) => format!("`{}`", name.replace('_', "")),
        _ => format!("`{name}()`"),
    }
}

/// What an expression reads.
#[derive(Debug, Default)]
pub(super) struct Reads {
    pub(super) fields: Vec<&'static Field>,
    pub(super) account_fields: Vec<&'static Field>,
    pub(super) parameters: Vec<String>,
}

/// What a checked expression reads, each once, sorted by name.
pub(super) fn reads(expression: &IdedExpr, names: Names<'_>) -> Reads {
    let mut reads = Reads::default();
    walk(expression, names, &mut Vec::new(), &mut reads);
    for fields in [&mut reads.fields, &mut reads.account_fields] {
        fields.sort_by_key(|field| field.name);
        fields.dedup_by_key(|field| field.name);
    }
    reads.parameters.sort();
    reads.parameters.dedup();
    reads
}

fn walk<'e>(node: &'e IdedExpr, names: Names<'_>, locals: &mut Vec<&'e str>, reads: &mut Reads) {
    match &node.expr {
        Expr::Unspecified | Expr::Literal(_) => {}
        Expr::Ident(name) => {
            if !locals.contains(&name.as_str()) {
                reads.fields.extend(names.field(name).ok());
            }
        }
        Expr::Select(select) => match &select.operand.expr {
            Expr::Ident(root) if root == "account" && !locals.contains(&root.as_str()) => {
                reads.account_fields.extend(names.account_field(&select.field).ok());
            }
            Expr::Ident(root) if root == "parameters" && !locals.contains(&root.as_str()) => {
                reads.parameters.push(select.field.clone());
            }
            _ => walk(&select.operand, names, locals, reads),
        },
        Expr::List(list) => list.elements.iter().for_each(|element| walk(element, names, locals, reads)),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    walk(&entry.key, names, locals, reads);
                    walk(&entry.value, names, locals, reads);
                }
            }
        }
        Expr::Struct(_) => {} // refused by the check
        Expr::Call(call) => {
            call.target.iter().for_each(|target| walk(target, names, locals, reads));
            call.args.iter().for_each(|arg| walk(arg, names, locals, reads));
        }
        Expr::Comprehension(of) => {
            walk(&of.iter_range, names, locals, reads);
            walk(&of.accu_init, names, locals, reads);
            let before = locals.len();
            locals.extend([of.accu_var.as_str(), of.iter_var.as_str()]);
            locals.extend(of.iter_var2.as_deref());
            for part in [&of.loop_cond, &of.loop_step, &of.result] {
                walk(part, names, locals, reads);
            }
            locals.truncate(before);
        }
    }
}
