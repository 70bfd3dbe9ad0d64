use super::*;

type Owned = (String, i64, String, Vec<u8>);

fn drain(sorter: EventSorter) -> (Vec<Owned>, SortCounts) {
    let mut sorted = sorter.finish().unwrap();
    let mut events = Vec::new();
    while let Some(e) = sorted.next_event().unwrap() {
        events.push((e.group.to_owned(), e.time_ms, e.id.to_owned(), e.raw.to_vec()));
    }
    (events, sorted.counts().clone())
}

fn push(sorter: &EventSorter, group: &str, time_ms: i64, id: &str, raw: &[u8]) {
    sorter.push(Item { group, time_ms, id, raw }).unwrap();
}

#[test]
fn nothing_in_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    let (events, counts) = drain(EventSorter::new(folder.path(), 0).unwrap());
    assert_eq!((events.len(), counts), (0, SortCounts::default()));
}

#[test]
fn order_is_group_time_id_and_duplicates_go() {
    let folder = tempfile::tempdir().unwrap();
    let sorter = EventSorter::new(folder.path(), 0).unwrap();
    push(&sorter, "b", 1, "x", b"1");
    push(&sorter, "a", 2, "z", b"2");
    push(&sorter, "a", 2, "y", b"3");
    push(&sorter, "a", -5, "w", b"");
    push(&sorter, "b", 1, "x", b"1");
    push(&sorter, "b", 1, "x", b"1");
    let (events, counts) = drain(sorter);
    let ids: Vec<&str> = events.iter().map(|e| e.2.as_str()).collect();
    assert_eq!(ids, ["w", "y", "z", "x"]);
    assert_eq!((counts.pushed, counts.kept, counts.duplicates, counts.contradictory_ids), (6, 4, 2, 0));
}

#[test]
fn one_id_with_different_content_is_kept_and_named_wherever_it_lies() {
    let folder = tempfile::tempdir().unwrap();
    let sorter = EventSorter::new(folder.path(), 0).unwrap();
    push(&sorter, "a", 1, "same time", b"1");
    push(&sorter, "a", 1, "same time", b"2");
    push(&sorter, "a", 1, "other time", b"1");
    push(&sorter, "a", 900, "other time", b"1");
    push(&sorter, "a", 1, "other group", b"1");
    push(&sorter, "b", 1, "other group", b"2");
    push(&sorter, "a", 1, "fine", b"1");
    push(&sorter, "a", 1, "fine", b"1");
    let (events, counts) = drain(sorter);
    assert_eq!(events.len(), 7);
    assert_eq!(counts.contradictory_ids, 3);
    assert_eq!(counts.named, ["other group", "other time", "same time"]);
}

#[test]
fn many_runs_from_many_threads_give_the_same_bytes() {
    let content = |n: u64| format!("{{\"n\":{n},\"pad\":\"{}\"}}", "x".repeat(usize::try_from(n % 900).unwrap()));
    let collect = |step: u64, threads: u64| {
        let folder = tempfile::tempdir().unwrap();
        let sorter = EventSorter::new(folder.path(), 0).unwrap();
        // Far below what a caller can ask for, so that runs are merged into runs, and marks too.
        let sorter = EventSorter { buffer_bytes: 20_000, ..sorter };
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let sorter = &sorter;
                scope.spawn(move || {
                    for n in 0..12_000_u64 {
                        // A permutation: the steps have no factor in common with 12,000.
                        let n = n * step % 12_000;
                        if n % threads == thread {
                            let time = i64::try_from(n * 7919 % 5000).unwrap();
                            push(
                                sorter,
                                if n.is_multiple_of(3) { "a" } else { "b" },
                                time,
                                &format!("id{n}"),
                                content(n).as_bytes(),
                            );
                        }
                    }
                });
            }
        });
        drain(sorter)
    };
    let (first, counts) = collect(1, 1);
    let (second, _) = collect(7, 4);
    assert_eq!(counts.kept, 12_000);
    assert!(first.is_sorted());
    assert_eq!(first, second);
    let (third, _) = collect(1, 3);
    assert_eq!(first, third);
}

#[test]
fn marks_spill_and_merge() {
    let folder = tempfile::tempdir().unwrap();
    let sorter = EventSorter::new(folder.path(), 0).unwrap();
    sorter.lock().marks = Marks::new(0);
    for n in 0..150_000_u32 {
        push(&sorter, "a", i64::from(n), &format!("id{}", n % 149_999), b"x");
    }
    let (events, counts) = drain(sorter);
    // id0 comes twice, with two times.
    assert_eq!((events.len(), counts.contradictory_ids), (150_000, 1));
    assert_eq!(counts.named, ["id0"]);
}

#[test]
fn limits_and_errors_say_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let sorter = EventSorter::new(folder.path(), 0).unwrap();
    let long = "x".repeat(MAX_KEY_BYTES + 1);
    let error = sorter.push(Item { group: "a", time_ms: 0, id: &long, raw: b"" }).unwrap_err();
    assert!(error.to_string().contains("1025 bytes in its id"), "{error}");
    let error = EventSorter::new(&folder.path().join("absent"), 0).unwrap_err();
    assert!(error.to_string().contains("choose another work folder"), "{error}");
}
