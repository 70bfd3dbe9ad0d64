//! Any bytes as a package: opening it and looking at all that it says of itself may neither panic, nor hang, nor
//! call anything intact whose entries another reader of zips would see otherwise.
//!
//! `cargo +nightly fuzz run package_open --sanitizer none`

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::io::Write;

fuzz_target!(|data: &[u8]| {
    let Ok(mut file) = tempfile::NamedTempFile::new_in("/dev/shm").or_else(|_| tempfile::NamedTempFile::new()) else {
        return;
    };
    if file.write_all(data).and_then(|()| file.flush()).is_err() {
        return;
    }
    if let Ok(mut opened) = auditpack::package::open_to_check(file.path()) {
        let paths: Vec<String> = opened.paths().map(str::to_owned).collect();
        assert!(paths.iter().all(|path| auditpack::package::is_path(path)));
        let _ = auditpack::package::check(&mut opened);
        let _ = opened.controls();
    }
    let _ = auditpack::package::open(file.path());
});
