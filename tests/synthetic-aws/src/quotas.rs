//! Request quotas: token buckets, refilled in real time whatever the server's clock says.

use std::collections::HashMap;
use std::time::Instant;

/// How fast one API may be called.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The signing name of the service (`iam`, `cloudtrail`, ...).
    pub service: String,
    /// One operation, or `*` for each other operation of the service (each has its own bucket).
    pub operation: String,
    pub per_second: f64,
    pub burst: f64,
}

/// The limits that a server enforces; the first limit that fits a request decides.
/// One bucket per account, Region and operation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Quotas {
    pub limits: Vec<Limit>,
}

impl Quotas {
    /// Nothing is ever throttled.
    pub fn none() -> Self {
        Self::default()
    }

    /// AWS's limits where it publishes them, careful guesses elsewhere:
    /// [CloudTrail](https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html)
    /// allows 2 LookupEvents and 10 Get/Describe/List a second per account and Region,
    /// [Account Management](https://docs.aws.amazon.com/accounts/latest/reference/quotas.html)
    /// 5 ListRegions and 3 GetAccountInformation,
    /// [EC2](https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html) 20 (burst 100) of
    /// what it does not throttle otherwise. IAM's and Config's are not published: ten a
    /// second per API, for IAM with a burst of twenty.
    pub fn aws() -> Self {
        let limit = |service: &str, operation: &str, per_second: f64, burst: f64| Limit {
            service: service.to_owned(),
            operation: operation.to_owned(),
            per_second,
            burst,
        };
        Self {
            limits: vec![
                limit("cloudtrail", "LookupEvents", 2.0, 2.0),
                limit("cloudtrail", "*", 10.0, 10.0),
                limit("account", "ListRegions", 5.0, 5.0),
                limit("account", "*", 3.0, 3.0),
                limit("iam", "*", 10.0, 20.0),
                limit("config", "*", 10.0, 10.0),
                limit("ec2", "*", 20.0, 100.0),
            ],
        }
    }

    fn limit_of(&self, service: &str, operation: &str) -> Option<&Limit> {
        self.limits.iter().find(|l| l.service == service && (l.operation == "*" || l.operation == operation))
    }
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

/// The buckets in use.
pub(crate) struct Buckets {
    quotas: Quotas,
    buckets: HashMap<(String, String, String), Bucket>,
}

impl Buckets {
    pub(crate) fn new(quotas: Quotas) -> Self {
        Self { quotas, buckets: HashMap::new() }
    }

    /// Takes a token, or says that there is none. `now` is given so that tests need not wait.
    pub(crate) fn take(&mut self, service: &str, operation: &str, region: &str, now: Instant) -> bool {
        let Some(limit) = self.quotas.limit_of(service, operation) else {
            return true;
        };
        let key = (service.to_owned(), operation.to_owned(), region.to_owned());
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: limit.burst, filled: now });
        let elapsed = now.saturating_duration_since(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * limit.per_second).min(limit.burst);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn lookup_events_is_two_a_second_per_region() {
        let mut buckets = Buckets::new(Quotas::aws());
        let start = Instant::now();
        let mut take = |region: &str, ms: u64| {
            buckets.take("cloudtrail", "LookupEvents", region, start + Duration::from_millis(ms))
        };
        assert!(take("us-east-1", 0) && take("us-east-1", 0));
        assert!(!take("us-east-1", 0));
        assert!(take("eu-west-1", 0), "each Region has its own bucket");
        assert!(!take("us-east-1", 400));
        assert!(take("us-east-1", 500));
        assert!(!take("us-east-1", 510));
        // however long the pause, no more than the burst
        assert!(take("us-east-1", 60_000) && take("us-east-1", 60_000));
        assert!(!take("us-east-1", 60_000));
    }

    #[test]
    fn operations_of_a_service_do_not_share_a_bucket() {
        let mut buckets = Buckets::new(Quotas::aws());
        let now = Instant::now();
        for _ in 0..20 {
            assert!(buckets.take("iam", "ListRoles", "us-east-1", now));
        }
        assert!(!buckets.take("iam", "ListRoles", "us-east-1", now));
        assert!(buckets.take("iam", "ListUsers", "us-east-1", now));
        assert!(buckets.take("sts", "GetCallerIdentity", "us-east-1", now));
    }
}
