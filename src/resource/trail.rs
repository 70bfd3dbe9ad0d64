//! CloudTrail trails.
//!
//! A multi-Region trail shows itself in every Region; it is one row. Its status and selectors are told by its home
//! Region (<https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html>).

use super::build::{Fact, Row, Source, population};
use super::input::Input;
use super::{Kind, Population};
use crate::evidence::cloudtrail::{
    AdvancedEventSelector, DescribeTrails, EventSelector, EventSelectors, Trail, TrailStatus,
};
use crate::evidence::selectors::{has_category, management_events};
use crate::evidence::{CallId, Operation, Timestamp};
use crate::finding::Pointer;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The oldest latest delivery of a trail that is said to deliver. CloudTrail delivers every few minutes while
/// there are events, and an account that is in use has some every day.
const DELIVERY_HOURS: i64 = 24;

/// A trail, the source that tells it best, and all places that show it.
struct Seen<'a> {
    trail: &'a Trail,
    at_home: bool,
    source: usize,
    places: Vec<Pointer>,
}

/// All trails.
pub(super) fn trails(input: &Input<'_>) -> Population {
    let sources: Vec<(&str, Source<'_, DescribeTrails>)> =
        input.regions.names.iter().map(|region| (*region, Source::regional(input.evidence, region))).collect();
    let mut by_id: BTreeMap<String, Seen<'_>> = BTreeMap::new();
    for (number, (region, source)) in sources.iter().enumerate() {
        for (at, trail) in source.arrived().map_or(&[][..], |told| &told.trail_list).iter().enumerate() {
            let id = trail.trail_arn.clone().unwrap_or_else(|| format!("trail without ARN in {region}, number {at}"));
            let at_home = trail.home_region.as_deref() == Some(region);
            let place = source.at(format!("/trailList/{at}"));
            let seen = by_id.entry(id).or_insert_with(|| Seen { trail, at_home, source: number, places: Vec::new() });
            seen.places.push(place);
            if at_home && !seen.at_home {
                (seen.trail, seen.at_home, seen.source) = (trail, true, number);
            }
        }
    }
    let rows = by_id.iter().filter_map(|(id, seen)| {
        let (region, source) = sources.get(seen.source)?;
        Some(row(input, id, seen, region, source))
    });
    let rows = rows.collect();
    let gaps = sources.iter().filter_map(|(_, source)| source.gap().cloned());
    let documents = sources.iter().filter_map(|(_, source)| source.document());
    population(Kind::Trail, rows, gaps.chain(input.regions.gap()), documents.chain(input.regions.source.document()))
}

fn row(input: &Input<'_>, id: &str, seen: &Seen<'_>, region: &str, source: &Source<'_, DescribeTrails>) -> Row {
    let trail = seen.trail;
    let home = trail.home_region.as_deref();
    let mut row = Row::new(Kind::Trail, id, trail.name.as_deref(), Some(home.unwrap_or(region)));
    for place in &seen.places {
        row.seen(Operation::CloudTrailDescribeTrails, place.clone());
    }
    row.set("name", source.told(trail.name.as_deref(), "the trail's name"));
    row.set("arn", source.told(trail.trail_arn.as_deref(), "the trail's ARN"));
    row.set("home_region", source.told(home, "the trail's home Region"));
    row.set("multi_region", source.told(trail.is_multi_region_trail, "whether it records all Regions"));
    row.set("organization", source.told(trail.is_organization_trail, "whether it is the organisation's"));
    row.set("global_events", source.told(trail.include_global_service_events, "whether global services are included"));
    row.set("log_file_validation", source.told(trail.log_file_validation_enabled, "whether log files are validated"));
    row.known("kms_key", filled(&trail.kms_key_id));
    row.known("s3_bucket", filled(&trail.s3_bucket_name));
    row.known("s3_prefix", filled(&trail.s3_key_prefix));
    row.known("log_group", filled(&trail.cloud_watch_logs_log_group_arn));
    row.set("insights", source.told(trail.has_insight_selectors, "whether it looks for unusual activity"));

    let about = |operation| CallId::regional(operation, home.unwrap_or(region)).about(id);
    let status = Source::<TrailStatus>::of(input.evidence, about(Operation::CloudTrailGetTrailStatus));
    row.seen_in(&status);
    let told = status.whole();
    let logging = told.clone().and_then(|told| status.told(told.is_logging, "whether the trail is logging"));
    let error = told.clone().map(|told| filled(&told.latest_delivery_error));
    let since = told.and_then(|told| {
        let time = told.latest_delivery_time;
        time.map(|time| status.hours(time, input.as_of(), "the last delivery")).transpose()
    });
    row.set("delivering", delivering(&logging, &error, &since));
    row.set("logged_whole_period", logged_whole_period(input, &status, &logging));
    let recent = |time: Option<Timestamp>, error: &Option<String>| {
        let since = time.map(|time| status.hours(time, input.as_of(), "the last delivery")).transpose()?;
        Ok(filled(error).is_none() && since.is_some_and(|hours| hours <= DELIVERY_HOURS))
    };
    let digest = |told: &TrailStatus| recent(told.latest_digest_delivery_time, &told.latest_digest_delivery_error);
    row.set(
        "digest_delivering",
        source.told(trail.log_file_validation_enabled, "whether log files are validated").and_then(|on| match on {
            true => status.whole().and_then(digest),
            false => Ok(false),
        }),
    );
    let logs = |told: &TrailStatus| {
        recent(told.latest_cloud_watch_logs_delivery_time, &told.latest_cloud_watch_logs_delivery_error)
    };
    row.set(
        "log_group_delivering",
        match filled(&trail.cloud_watch_logs_log_group_arn) {
            Some(_) => status.whole().and_then(logs),
            None => Ok(false),
        },
    );
    row.set("logging", logging);
    row.set("delivery_error", error);
    row.set("delivered_hours", since);

    let selectors = Source::<EventSelectors>::of(input.evidence, about(Operation::CloudTrailGetEventSelectors));
    row.seen_in(&selectors);
    let told = selectors.whole().and_then(|told| {
        let basic = told.event_selectors.as_deref().unwrap_or_default();
        let advanced = told.advanced_event_selectors.as_deref().unwrap_or_default();
        // A trail always has selectors: those by default are listed like others.
        match basic.is_empty() && advanced.is_empty() {
            true => Err(selectors.unknown("the answer lists no selectors, not even those that a trail has by default")),
            false => Ok((basic, advanced)),
        }
    });
    row.set("management_events", told.clone().map(|(basic, advanced)| management_events(basic, advanced)));
    row.set("data_events", told.map(|(basic, advanced)| data_events(basic, advanced)));
    row
}

fn delivering(logging: &Fact<bool>, error: &Fact<Option<String>>, since: &Fact<Option<i64>>) -> Fact<bool> {
    let logging = logging.as_ref().map_err(Arc::clone)?;
    let error = error.as_ref().map_err(Arc::clone)?;
    let since = since.as_ref().map_err(Arc::clone)?;
    Ok(*logging && error.is_none() && since.is_some_and(|hours| hours <= DELIVERY_HOURS))
}

/// A trail that was stopped and started again tells both times, the last of each.
fn logged_whole_period(input: &Input<'_>, status: &Source<'_, TrailStatus>, logging: &Fact<bool>) -> Fact<bool> {
    if !logging.clone()? {
        return Ok(false);
    }
    let told = status.whole()?;
    let from = input.evidence.run.period.from;
    let started = status.told(told.start_logging_time, "since when it is logging")?;
    Ok(started <= from && told.stop_logging_time.is_none_or(|stopped| stopped < from))
}

fn filled(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

fn data_events(basic: &[EventSelector], advanced: &[AdvancedEventSelector]) -> bool {
    // A kind of resource without values records nothing.
    basic.iter().flat_map(|selector| &selector.data_resources).any(|resource| !resource.values.is_empty())
        || advanced.iter().any(|selector| has_category(selector, "Data"))
}
