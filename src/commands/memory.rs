//! Giving freed memory back to the system between the steps of a run.

/// Gives freed memory back. The C library keeps what was freed in case it is asked for again; between the steps of a run,
/// tens of megabytes lie idle so, and are counted as the program's.
/// <https://man7.org/linux/man-pages/man3/malloc_trim.3.html>
pub(super) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: malloc_trim may be called at any time and from any thread. It takes the allocator's own locks, and gives up
    // pages in which nothing is allocated.
    unsafe {
        libc::malloc_trim(0);
    }
}
