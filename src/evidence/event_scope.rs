//! Which events a run asks for, and where they come from.

use serde::{Deserialize, Serialize};

/// Which events a run was asked for, and where they come from. The default is the whole event history.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EventScope {
    /// Where the events come from.
    pub source: EventSource,
    /// Which kind of events.
    pub kind: EventKind,
    /// The names of the events that were asked for; empty for all.
    pub names: Vec<String>,
    /// The resources whose events were asked for, as LookupEvents names them; empty for all.
    pub resources: Vec<String>,
}

/// Where events come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventSource {
    /// CloudTrail's event history: LookupEvents.
    #[default]
    EventHistory,
    /// The log files that a trail delivered, copied from its bucket.
    TrailLogs,
}

impl EventSource {
    /// The source in the manifest's words.
    pub fn word(self) -> &'static str {
        match self {
            EventSource::EventHistory => "event-history",
            EventSource::TrailLogs => "trail-logs",
        }
    }
}

/// Which kind of events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventKind {
    /// All.
    #[default]
    All,
    /// Those that change something, by CloudTrail's own `readOnly`.
    Write,
    /// None: no events are asked for.
    None,
}

impl EventScope {
    /// Whether nothing was said, and everything is asked for.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What the user's filters leave, in words; `None` if they leave everything.
    pub fn restriction(&self) -> Option<String> {
        let mut words = Vec::new();
        match self.kind {
            EventKind::None => return Some("no events (--events none)".to_owned()),
            EventKind::Write => words.push("that change something (--events write)".to_owned()),
            EventKind::All => {}
        }
        if !self.names.is_empty() {
            words.push(format!("of the names {} (--event-name)", self.names.join(", ")));
        }
        if !self.resources.is_empty() {
            words.push(format!("about the resources {} (--resource)", self.resources.join(", ")));
        }
        (!words.is_empty()).then(|| format!("only events {}", words.join(", ")))
    }

    /// Whether an event is among those asked for, by its name and whether it only reads. An event that does not say
    /// whether it reads is kept: it may have changed something.
    pub fn takes(&self, name: Option<&str>, read_only: Option<bool>) -> bool {
        let kind = match self.kind {
            EventKind::All => true,
            EventKind::Write => read_only != Some(true),
            EventKind::None => false,
        };
        kind && (self.names.is_empty() || name.is_some_and(|name| self.names.iter().any(|wanted| wanted == name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_must_be_of_a_kind_and_a_name_that_were_asked_for() {
        let all = EventScope::default();
        assert!(all.takes(None, None) && all.restriction().is_none() && all.is_default());
        let writes = EventScope { kind: EventKind::Write, ..EventScope::default() };
        assert!(writes.takes(None, None) && writes.takes(Some("StopLogging"), Some(false)));
        assert!(!writes.takes(Some("ListRoles"), Some(true)));
        let named = EventScope { names: vec!["StopLogging".to_owned()], ..writes.clone() };
        assert!(named.takes(Some("StopLogging"), Some(false)));
        assert!(!named.takes(Some("StopLogging"), Some(true)) && !named.takes(None, Some(false)));
        let words = named.restriction().unwrap();
        assert!(words.contains("--events write") && words.contains("StopLogging (--event-name)"), "{words}");
        assert!(!EventScope { kind: EventKind::None, ..all }.takes(Some("x"), None));
    }
}
