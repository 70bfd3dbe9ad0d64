//! Pacing: one limiter for each Region (or the global services) and family of operations, just under AWS's limit
//! where AWS publishes one, adaptive where it does not.
//!
//! LookupEvents: two a second for an account and Region; other reads of CloudTrail: ten a second for each
//! operation (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>). IAM and
//! AWS Config publish no rate; they start at a rate that practice has shown to be safe, grow while AWS does not
//! object, shrink when it does, and come near that rate again with care only.

use crate::evidence::{CallId, Operation, Service};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often a family of operations may be called.
#[derive(Clone, Copy, Debug)]
struct Limit {
    /// Calls a second at the start.
    start: f64,
    /// Calls a second at most.
    most: f64,
    /// Calls that may be made at once after a pause.
    burst: f64,
}

fn limit(operation: Operation) -> Limit {
    match (operation.service(), operation) {
        (_, Operation::CloudTrailLookupEvents) => Limit { start: 1.96, most: 1.96, burst: 1.0 },
        (Service::CloudTrail, _) => Limit { start: 8.0, most: 8.0, burst: 2.0 },
        (Service::Account, _) => Limit { start: 3.0, most: 3.0, burst: 1.0 },
        (Service::Iam | Service::Sts, _) => Limit { start: 5.0, most: 20.0, burst: 5.0 },
        (Service::Config, _) => Limit { start: 5.0, most: 20.0, burst: 5.0 },
    }
}

/// The slowest that a limiter goes.
const LEAST: f64 = 0.2;
/// How much faster a limiter goes with each answer, in calls a second.
const STEP: f64 = 0.5;
/// The same near the rate to which AWS objected before.
const SMALL_STEP: f64 = 0.005;
/// From which part of that rate on.
const NEAR: f64 = 0.6;

#[derive(Debug)]
struct Bucket {
    limit: Limit,
    rate: f64,
    /// The rate to which AWS objected.
    objected: Option<f64>,
    tokens: f64,
    filled: Instant,
}

impl Bucket {
    /// Takes a token, on credit if need be, and says how long to wait for it.
    fn take(&mut self, now: Instant) -> Duration {
        let earned = now.saturating_duration_since(self.filled).as_secs_f64() * self.rate;
        self.tokens = (self.tokens + earned).min(self.limit.burst) - 1.0;
        self.filled = now;
        Duration::from_secs_f64((-self.tokens / self.rate).max(0.0))
    }
}

/// The rate of an endpoint that has no limits.
const UNLIMITED: Limit = Limit { start: 1e6, most: 1e6, burst: 1e6 };

/// All limiters of one account.
#[derive(Debug, Default)]
pub struct Pace {
    unlimited: bool,
    buckets: Mutex<HashMap<(Option<String>, Operation), Bucket>>,
}

impl Pace {
    /// Limiters for AWS, or, for an emulator that enforces no quotas, none.
    pub fn new(unlimited: bool) -> Self {
        Self { unlimited, ..Self::default() }
    }

    /// Waits until the call may be sent.
    pub async fn wait(&self, call: &CallId) {
        let delay = self.with(call, |bucket| bucket.take(Instant::now()));
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
    }

    /// AWS answered: what has no published limit may go a little faster, with care where AWS objected before.
    pub fn answered(&self, call: &CallId) {
        self.with(call, |bucket| {
            let near = bucket.objected.is_some_and(|rate| bucket.rate > rate * NEAR);
            bucket.rate = (bucket.rate + if near { SMALL_STEP } else { STEP }).min(bucket.limit.most);
        });
    }

    /// AWS objected: go slower, and spend what was saved up.
    pub fn throttled(&self, call: &CallId) {
        self.with(call, |bucket| {
            // Of several objections in a row, to calls in flight, only the first is to that rate.
            let least = bucket.objected.map_or(0.0, |rate| rate * 0.9);
            bucket.objected = Some(bucket.rate.max(least));
            bucket.rate = (bucket.rate * 0.7).max(LEAST);
            bucket.tokens = bucket.tokens.min(0.0);
        });
    }

    fn with<T>(&self, call: &CallId, act: impl FnOnce(&mut Bucket) -> T) -> T {
        // A bucket holds numbers only; whatever a panic interrupted, they still limit.
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        act(buckets.entry((call.region.clone(), call.operation)).or_insert_with(|| {
            let limit = if self.unlimited { UNLIMITED } else { limit(call.operation) };
            Bucket { limit, rate: limit.start, objected: None, tokens: limit.burst, filled: Instant::now() }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn lookups_of_one_region_stay_under_two_a_second_and_regions_do_not_wait_for_each_other() {
        let pace = Pace::default();
        let started = Instant::now();
        for _ in 0..41 {
            pace.wait(&CallId::regional(Operation::CloudTrailLookupEvents, "eu-west-1")).await;
        }
        let one = started.elapsed().as_secs_f64();
        assert!((20.0..21.0).contains(&one), "{one}");
        pace.wait(&CallId::regional(Operation::CloudTrailLookupEvents, "us-east-1")).await;
        assert!(started.elapsed().as_secs_f64() - one < 0.01);
    }

    /// A limit that nobody knows is found with few objections, and then used.
    #[tokio::test(start_paused = true)]
    async fn a_limit_is_found_with_a_handful_of_objections() {
        let pace = Pace::default();
        let call = CallId::regional(Operation::ConfigGetResourceConfigHistory, "us-east-1");
        let started = Instant::now();
        // As AWS limits: ten calls a second, and ten at once after a pause.
        let (mut tokens, mut filled, mut objections) = (10.0_f64, started, 0);
        for _ in 0..1000 {
            pace.wait(&call).await;
            tokens = (tokens + filled.elapsed().as_secs_f64() * 10.0).min(10.0);
            filled = Instant::now();
            if tokens < 1.0 {
                objections += 1;
                pace.throttled(&call);
            } else {
                tokens -= 1.0;
                pace.answered(&call);
            }
        }
        let seconds = started.elapsed().as_secs_f64();
        assert!(objections <= 5, "{objections}");
        assert!(seconds < 130.0, "{seconds} for what cannot take less than 99");
    }

    #[tokio::test(start_paused = true)]
    async fn throttling_slows_down_and_answers_speed_up_again() {
        let pace = Pace::default();
        let call = CallId::global(Operation::IamListRoles);
        let rate = |pace: &Pace| pace.with(&call, |bucket| bucket.rate);
        assert!((rate(&pace) - 5.0).abs() < 1e-9);
        pace.throttled(&call);
        let slow = rate(&pace);
        assert!(slow < 5.0);
        pace.answered(&call);
        assert!(rate(&pace) > slow);
        for _ in 0..100 {
            pace.throttled(&call);
        }
        assert!((rate(&pace) - LEAST).abs() < 1e-9);
    }
}
