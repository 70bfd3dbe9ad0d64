//! How a collection goes, on standard error: lines that move on a terminal, plain lines elsewhere.

use crate::collect::{Progress, STOPPED};
use crate::evidence::{CallId, Operation};
use crate::report::words::{count, number};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// AWS's limit in one Region: two pages of fifty events.
const EVENTS_A_SECOND: f64 = 100.0;
/// How often a plain line is printed about a call that takes long.
const PLAIN_EVERY: Duration = Duration::from_secs(15);

/// Shows progress on standard error.
#[derive(Debug)]
pub(super) struct Terminal {
    /// None where standard error is no terminal.
    bars: Option<MultiProgress>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// One line for the small calls.
    overview: Option<ProgressBar>,
    ended: u64,
    /// The small calls that are under way, the last one started last.
    running: Vec<CallId>,
    /// One line for each Region's events.
    events: BTreeMap<CallId, Events>,
}

#[derive(Debug)]
struct Events {
    bar: Option<ProgressBar>,
    started: Instant,
    told: Instant,
    pages: u64,
    events: u64,
    /// The part of the period that was read, from 0 to 1.
    done: f64,
    /// Whether it was said how long it is likely to take.
    estimated: bool,
}

impl Terminal {
    /// Progress for this process's standard error.
    pub fn new() -> Self {
        let lively = std::io::stderr().is_terminal() && std::env::var_os("CI").is_none();
        let bars = lively.then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()));
        Self { bars, state: Mutex::default() }
    }

    /// Removes the lines that move.
    pub fn finish(&self) {
        if let Some(bars) = &self.bars {
            // A terminal that cannot be cleared keeps its last lines.
            let _ = bars.clear();
        }
    }

    fn say(&self, text: &str) {
        match &self.bars {
            Some(bars) => {
                let _ = bars.println(text);
            }
            None => {
                // Progress that nobody can read is no reason to stop.
                let _ = writeln!(std::io::stderr().lock(), "{text}");
            }
        }
    }

    fn bar(&self) -> Option<ProgressBar> {
        let bar = self.bars.as_ref()?.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(120));
        Some(bar)
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        // Counts for display only.
        act(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// What the line for the small calls says.
    fn overview_line(&self) -> String {
        let done = count(self.ended, "call done", "calls done");
        match self.running.last() {
            Some(call) => format!("{done}; now {call}"),
            None => done,
        }
    }

    fn show_overview(&self) {
        if let Some(bar) = &self.overview {
            bar.set_message(self.overview_line());
        }
    }
}

fn is_events(call: &CallId) -> bool {
    call.operation == Operation::CloudTrailLookupEvents
}

fn region(call: &CallId) -> &str {
    call.region.as_deref().unwrap_or("the account")
}

fn events_line(call: &CallId, events: &Events) -> String {
    let seconds = events.started.elapsed().as_secs_f64().max(0.001);
    let rate = (events.events as f64 * 60.0 / seconds) as u64;
    let mut line = format!(
        "events in {}: {} events in {} pages, {} a minute",
        region(call),
        number(events.events),
        number(events.pages),
        number(rate)
    );
    if events.done > 0.0 && events.done < 1.0 {
        line.push_str(&format!(", {:.0} % of the period", events.done * 100.0));
        // The first pages say little of how busy the rest is.
        if events.pages >= 10 {
            line.push_str(&format!(", about {} left", duration(seconds / events.done - seconds)));
        }
    }
    line
}

/// A length of time in words: `40 s`, `17 min`, `2 h 10 min`.
fn duration(seconds: f64) -> String {
    let minutes = (seconds / 60.0).round() as u64;
    match minutes {
        0 | 1 => format!("{seconds:.0} s"),
        2..60 => format!("{minutes} min"),
        _ => format!("{} h {} min", number(minutes / 60), minutes % 60),
    }
}

impl Progress for Terminal {
    fn started(&self, call: &CallId) {
        if is_events(call) {
            let bar = self.bar();
            if let Some(bar) = &bar {
                bar.set_message(format!("events in {}: asking", region(call)));
            }
            let now = Instant::now();
            let events = Events { bar, started: now, told: now, pages: 0, events: 0, done: 0.0, estimated: false };
            self.with(|state| state.events.insert(call.clone(), events));
        } else {
            self.with(|state| {
                state.overview.get_or_insert_with(|| self.bar().unwrap_or_else(ProgressBar::hidden));
                state.running.push(call.clone());
                state.show_overview();
            });
        }
    }

    fn page(&self, call: &CallId, items: usize) {
        if !is_events(call) {
            return;
        }
        let line = self.with(|state| {
            let events = state.events.get_mut(call)?;
            events.pages += 1;
            events.events += items as u64;
            let line = events_line(call, events);
            match &events.bar {
                Some(bar) => bar.set_message(line),
                None if events.told.elapsed() >= PLAIN_EVERY => {
                    events.told = Instant::now();
                    return Some(line);
                }
                None => {}
            }
            None
        });
        if let Some(line) = line {
            self.say(&line);
        }
    }

    fn advanced(&self, call: &CallId, done: f64) {
        self.with(|state| {
            if let Some(events) = state.events.get_mut(call) {
                events.done = done;
            }
        });
    }

    fn estimate(&self, call: &CallId, left: u64) {
        let line = self.with(|state| {
            let events = state.events.get_mut(call)?;
            // Nobody needs to be told of seconds.
            let seconds = left as f64 / EVENTS_A_SECOND;
            let worth = !std::mem::replace(&mut events.estimated, true) && seconds >= 30.0;
            worth.then(|| {
                format!(
                    "events in {}: about {} to come, {} at AWS's limit",
                    region(call),
                    number(left),
                    duration(seconds)
                )
            })
        });
        if let Some(line) = line {
            self.say(&line);
        }
    }

    fn retrying(&self, call: &CallId, reason: &str, pause: Duration) {
        if pause >= Duration::from_secs(2) {
            self.say(&format!("{call}: {reason}; trying again in {} s", pause.as_secs()));
        }
    }

    fn ended(&self, call: &CallId, outcome: &str) {
        let bar = self.with(|state| {
            state.ended += 1;
            state.running.retain(|running| running != call);
            state.show_overview();
            state.events.remove(call)
        });
        if let Some(events) = bar {
            let line = events_line(call, &events);
            if let (Some(bar), Some(bars)) = (&events.bar, &self.bars) {
                bar.finish_and_clear();
                bars.remove(bar);
            }
            self.say(&format!("{line}, {outcome}"));
        } else if !["collected", "absent", STOPPED].contains(&outcome) {
            self.say(&format!("{call}: {outcome}"));
        }
    }

    fn note(&self, text: &str) {
        self.say(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overview_tells_what_is_under_way_and_nothing_that_has_ended() {
        let terminal = Terminal { bars: None, state: Mutex::default() };
        let line = || terminal.with(|state| state.overview_line());
        let (roles, report) =
            (CallId::global(Operation::IamListRoles), CallId::global(Operation::IamGetCredentialReport));
        terminal.started(&roles);
        terminal.started(&report);
        assert_eq!(line(), "0 calls done; now iam:GetCredentialReport");
        terminal.ended(&report, "collected");
        assert_eq!(line(), "1 call done; now iam:ListRoles");
        terminal.ended(&roles, "collected");
        assert_eq!(line(), "2 calls done");
    }

    #[test]
    fn times_are_told_as_a_person_would() {
        assert_eq!(duration(40.2), "40 s");
        assert_eq!(duration(89.0), "89 s");
        assert_eq!(duration(1000.0), "17 min");
        assert_eq!(duration(7800.0), "2 h 10 min");
    }
}
