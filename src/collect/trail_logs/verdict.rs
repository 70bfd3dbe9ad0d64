//! Sums the rows up: per chain, and as a whole.

use std::collections::{BTreeMap, BTreeSet};

use super::coverage::{ChainId, Cover};
use super::table::{ChainSummary, Counts, Interval, Kind, Row, Status, Verdict};
use super::{ExpectedChain, Options, Problem};

/// Account, Region and trail; the trail is empty for logs that no digest lists.
type Group = (String, String, Option<String>);

/// How many gaps of one chain are told one by one.
const MAX_GAPS: usize = 20;

#[derive(Default)]
struct Tally<'r> {
    digests: Counts,
    logs: Counts,
    out_of_scope: u64,
    /// For each kind and status in scope: how many, and the first.
    examples: BTreeMap<(Kind, Status), (u64, Option<&'r Row>)>,
}

/// The verdict, its reasons, and the summary of each chain.
pub(super) fn verdict(
    options: &Options<'_>,
    rows: &[Row],
    homes: &BTreeMap<(String, String, String), String>,
    mut covers: BTreeMap<ChainId, Cover>,
    problems: &[Problem],
) -> (Verdict, Vec<String>, Vec<ChainSummary>) {
    let mut tallies: BTreeMap<Group, Tally<'_>> = BTreeMap::new();
    for row in rows {
        let group = (row.account.to_string(), row.region.to_string(), row.trail.as_deref().map(str::to_owned));
        tallies.entry(group).or_default().count(row);
    }
    // Two trails of one name can have different home Regions.
    let mut known_homes: BTreeMap<Group, BTreeSet<String>> = BTreeMap::new();
    for id in covers.keys() {
        let group = (id.account.clone(), id.region.clone(), Some(id.trail.clone()));
        known_homes.entry(group).or_default().insert(id.home_region.clone());
    }
    for ((account, region, trail), home) in homes {
        let group = (account.clone(), region.clone(), Some(trail.clone()));
        known_homes.entry(group).or_default().insert(home.clone());
    }
    let mut chains = Vec::new();
    for (group, tally) in tallies {
        let homes_here: Vec<Option<String>> = match known_homes.remove(&group) {
            Some(homes) => homes.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let (account, region, trail) = group;
        for home_region in homes_here {
            let id = trail.clone().zip(home_region.clone()).map(|(trail, home_region)| ChainId {
                account: account.clone(),
                region: region.clone(),
                trail,
                home_region,
            });
            let is_asked_for = (options.trails.is_empty() || trail.as_ref().is_none_or(|t| options.trails.contains(t)))
                && (options.accounts.is_empty() || account.is_empty() || options.accounts.contains(&account));
            let has_rows = tally.digests != Counts::default() || tally.logs != Counts::default();
            // A chain that was asked for must cover the period, even if all of its files lie outside.
            if !(has_rows || is_asked_for && trail.is_some()) {
                continue;
            }
            let cover = id.and_then(|id| covers.remove(&id));
            chains.push(tally.summary(&account, &region, trail.as_deref(), home_region, cover));
        }
    }
    let reasons = reasons(options, &chains, problems);
    let worst = chains.iter().map(|c| c.verdict).max().unwrap_or(Verdict::NotProven);
    let verdict = if reasons.is_empty() { worst } else { worst.max(Verdict::NotProven) };
    (verdict, reasons, chains)
}

impl<'r> Tally<'r> {
    fn count(&mut self, row: &'r Row) {
        if !row.in_scope {
            self.out_of_scope += 1;
            return;
        }
        match row.kind {
            Kind::Digest => self.digests.count(row.status),
            Kind::Log => self.logs.count(row.status),
        }
        let (count, first) = self.examples.entry((row.kind, row.status)).or_default();
        *count += 1;
        first.get_or_insert(row);
    }

    fn summary(
        &self,
        account: &str,
        region: &str,
        trail: Option<&str>,
        home_region: Option<String>,
        cover: Option<Cover>,
    ) -> ChainSummary {
        let mut verdict = Verdict::Proven;
        let mut reasons = Vec::new();
        for (&(kind, status), &(count, first)) in &self.examples {
            verdict = verdict.max(match status {
                Status::Valid => continue,
                Status::Invalid | Status::Missing => Verdict::Invalid,
                Status::NotProven | Status::NotCovered => Verdict::NotProven,
            });
            let Some(first) = first else { continue };
            let kind = match kind {
                Kind::Digest => "digest",
                Kind::Log => "log",
            };
            let more = if count > 1 { format!(" (and {} more)", count - 1) } else { String::new() };
            reasons.push(format!("{kind} {status}: {}: {}{more}", first.path, first.reason));
        }
        let Cover { proven, gaps } = cover.unwrap_or_default();
        let period_is_proven = !proven.is_empty() && gaps.is_empty();
        if trail.is_some() && !period_is_proven {
            verdict = verdict.max(Verdict::NotProven);
            if gaps.is_empty() {
                reasons.push("no digest of this chain is proven".to_owned());
            }
            let more = gaps.len().saturating_sub(MAX_GAPS);
            reasons.extend(gaps.into_iter().take(MAX_GAPS));
            if more > 0 {
                reasons.push(format!("and {more} more gaps"));
            }
        }
        ChainSummary {
            account: account.to_owned(),
            region: region.to_owned(),
            trail: trail.map(str::to_owned),
            home_region,
            verdict,
            proven: in_order(proven),
            period_is_proven,
            digests: self.digests,
            logs: self.logs,
            out_of_scope: self.out_of_scope,
            reasons,
        }
    }
}

fn in_order(mut intervals: Vec<Interval>) -> Vec<Interval> {
    intervals.sort_by_key(|i| (i.from, i.to));
    intervals
}

fn reasons(options: &Options<'_>, chains: &[ChainSummary], problems: &[Problem]) -> Vec<String> {
    let mut reasons = Vec::new();
    if !chains.iter().any(|c| c.trail.is_some()) {
        reasons.push(
            "there is no digest file: log file validation was not enabled, or the digests were deleted or not copied \
             (they lie beside the logs under CloudTrail-Digest)"
                .to_owned(),
        );
    }
    if options.keys.is_empty() {
        reasons.push(
            "no public key was supplied, so no signature was checked; write them with: aws cloudtrail list-public-keys"
                .to_owned(),
        );
    }
    for ExpectedChain { account, region, trails } in &options.expected {
        let is_wanted = |trail: &String| trails.is_empty() || trails.contains(trail);
        let mut of_region = chains.iter().filter(|c| c.account == *account && c.region == *region);
        if !of_region.any(|c| c.trail.as_ref().is_some_and(is_wanted)) {
            let names: Vec<&str> = trails.iter().map(String::as_str).collect();
            let of = if names.is_empty() { String::new() } else { format!(" of trail {}", names.join(" or ")) };
            reasons.push(format!("there is no digest{of} for account {account} in {region}, which must have some"));
        }
    }
    for chain in chains.iter().filter(|c| c.verdict != Verdict::Proven) {
        let trail = chain.trail.as_deref().unwrap_or("(no trail)");
        for reason in &chain.reasons {
            reasons.push(format!("{} {} {trail}: {reason}", or_unknown(&chain.account), or_unknown(&chain.region)));
        }
    }
    let lost = problems.iter().filter(|p| p.events_lost).count();
    if let Some(first) = problems.iter().find(|p| p.events_lost) {
        let more = if lost > 1 { format!(" (and {} more)", lost - 1) } else { String::new() };
        reasons.push(format!("files could not be read in full: {} {}{more}", first.path, first.problem));
    }
    reasons
}

fn or_unknown(text: &str) -> &str {
    if text.is_empty() { "(unknown)" } else { text }
}
