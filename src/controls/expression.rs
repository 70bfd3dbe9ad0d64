//! Expressions: the Common Expression Language over the fields of one resource.
//!
//! The only module that names the `cel` crate. An expression is checked when it is loaded: its syntax, its
//! names, its types and its size. It is evaluated over known fields only: what was not collected is not there,
//! so that no expression can take it for an answer. CEL's `&&` and `||` let a known side decide
//! (`false && unknown` is false), which is right in three-valued logic; that a pass also needs every field to
//! be known is for [`super::check::Check::judge`] to see to.

#[cfg(test)]
mod tests;
mod types;

use super::error::suggest;
use super::parameter::Parameter;
use crate::resource::{Field, Kind, Value};
use cel::common::value::Val;
use cel::{Context, Env, Program};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// The longest expression, in bytes.
const LONGEST: usize = 2048;

/// An expression over a resource's fields.
#[derive(Debug)]
pub struct Expression {
    /// The text in the file.
    pub text: String,
    /// The fields that it reads.
    pub fields: Vec<&'static Field>,
    /// The fields of the account that it reads, as `account.field`.
    pub account_fields: Vec<&'static Field>,
    /// The parameters that it reads.
    pub parameters: Vec<String>,
    program: Program,
}

/// What is wrong with an expression, and where in its text, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpressionError {
    /// The place.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The names that an expression may use.
#[derive(Clone, Copy, Debug)]
pub struct Names<'a> {
    /// The kind whose fields are the variables.
    pub kind: Kind,
    /// What follows `parameters.`.
    pub parameters: &'a BTreeMap<String, Parameter>,
}

impl<'a> Names<'a> {
    /// A field of the resource.
    pub fn field(self, name: &str) -> Result<&'static Field, String> {
        self.kind.field(name).ok_or_else(|| {
            let known = self.kind.schema().fields.iter().map(|field| field.name);
            let known: Vec<&str> = known.chain(["account", "parameters", "as_of"]).collect();
            let kind = self.kind.id();
            suggest(name, known)
                .unwrap_or_else(|| format!("`auditpack controls fields {kind}` lists the fields of {kind}"))
        })
    }

    /// A field of the account.
    pub fn account_field(self, name: &str) -> Result<&'static Field, String> {
        Names { kind: Kind::Account, ..self }.field(name)
    }

    /// A parameter.
    pub fn parameter(self, name: &str) -> Result<&'a Parameter, String> {
        self.parameters.get(name).ok_or_else(|| {
            suggest(name, self.parameters.keys().map(String::as_str))
                .unwrap_or_else(|| "parameters are declared in controls/parameters.yaml".to_owned())
        })
    }
}

fn environment() -> Arc<Env> {
    static ENVIRONMENT: OnceLock<Arc<Env>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| Arc::new(Env::stdlib())).clone()
}

impl Expression {
    /// Reads an expression, or says everything that is wrong with it.
    pub fn parse(text: &str, names: Names<'_>) -> Result<Expression, Vec<ExpressionError>> {
        let error = |message: &str, help: &str| {
            vec![ExpressionError { span: 0..text.len(), message: message.to_owned(), help: Some(help.to_owned()) }]
        };
        if text.len() > LONGEST {
            return Err(error("the expression is longer than 2048 bytes", "split the check into several"));
        }
        types::refuse_deep_nesting(text).map_err(|message| error(&message, "split the check into several"))?;
        let program = environment().compile(text).map_err(|errors| {
            let errors = errors.errors.into_iter().map(|e| ExpressionError {
                span: types::place(text, e.pos),
                message: format!("not a CEL expression: {}", types::syntax_message(&e.msg)),
                help: None,
            });
            errors.collect::<Vec<_>>()
        })?;
        types::check(&program, text, names)?;
        let read = types::reads(program.expression(), names);
        Ok(Expression {
            text: text.to_owned(),
            fields: read.fields,
            account_fields: read.account_fields,
            parameters: read.parameters,
            program,
        })
    }

    /// The answer, or why there is none: a variable is not known, or an operation failed.
    pub fn evaluate(&self, row: &Row<'_>) -> Result<bool, String> {
        match self.program.execute(&row.context) {
            Ok(cel::Value::Bool(answer)) => Ok(answer),
            Ok(other) => Err(format!("`{}` gives {other:?}, not true or false", self.text)),
            Err(e) => Err(e.to_string()),
        }
    }
}

/// The variables that are the same for all resources: `account`, `parameters` and `as_of`. Made once.
pub struct Surroundings {
    context: Context<'static, 'static>,
}

impl Surroundings {
    /// `account` holds the known fields of the account only.
    pub fn new<'v>(
        account: impl IntoIterator<Item = (&'v str, &'v Value)>,
        parameters: &BTreeMap<String, Value>,
        as_of: &str,
    ) -> Self {
        let mut context = Context::with_env(environment());
        let map = |entries: &mut dyn Iterator<Item = (&'v str, &'v Value)>| -> cel::Value {
            entries.map(|(name, value)| (name.to_owned(), cel_value(value))).collect::<BTreeMap<_, _>>().into_cel()
        };
        add(&mut context, "account", map(&mut account.into_iter()));
        let parameters: BTreeMap<String, cel::Value> =
            parameters.iter().map(|(name, value)| (name.clone(), cel_value(value))).collect();
        add(&mut context, "parameters", parameters.into_cel());
        add(&mut context, "as_of", cel::Value::from(as_of));
        Self { context }
    }

    /// The variables of one resource: its known fields. Made once for all checks of the resource.
    pub fn row<'a, 'v>(&'a self, fields: impl IntoIterator<Item = (&'v str, &'v Value)>) -> Row<'a> {
        let mut context = self.context.new_inner_scope();
        for (name, value) in fields {
            add(&mut context, name, cel_value(value));
        }
        Row { context }
    }
}

/// The variables of one resource.
pub struct Row<'a> {
    context: Context<'a, 'static>,
}

fn add(context: &mut Context<'_, 'static>, name: &str, value: cel::Value) {
    // Values of our own making are plain data, all of which convert.
    if let Ok(value) = TryInto::<Box<dyn Val>>::try_into(value) {
        context.add_variable_as_val(name, value);
    }
}

trait IntoCel {
    fn into_cel(self) -> cel::Value;
}

impl IntoCel for BTreeMap<String, cel::Value> {
    fn into_cel(self) -> cel::Value {
        self.into_iter().collect::<std::collections::HashMap<_, _>>().into()
    }
}

fn cel_value(value: &Value) -> cel::Value {
    match value {
        Value::Null => cel::Value::Null,
        Value::Bool(b) => cel::Value::Bool(*b),
        Value::Int(n) => cel::Value::Int(*n),
        Value::Text(text) => cel::Value::from(text.as_str()),
        Value::List(items) => cel::Value::List(Arc::new(items.iter().map(cel_value).collect())),
        Value::Map(map) => map.iter().map(|(k, v)| (k.clone(), cel_value(v))).collect::<BTreeMap<_, _>>().into_cel(),
    }
}

impl std::fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Surroundings")
    }
}

impl std::fmt::Debug for Row<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Row")
    }
}
