//! The server for tests that are not async: its own thread and runtime.

use std::io;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use super::Server;
use crate::{Account, Fault, Options, Stats};

/// A [`Server`] on a thread of its own. Dropping it stops the thread.
pub struct BlockingServer {
    /// Taken only by `drop`.
    server: Option<Server>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    endpoint: String,
}

impl BlockingServer {
    /// Starts on a free port and returns when it accepts connections.
    pub fn start(account: Account, options: Options) -> io::Result<Self> {
        Self::start_on(0, account, options)
    }

    /// Starts on this port of 127.0.0.1 (0: a free one).
    pub fn start_on(port: u16, account: Account, options: Options) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("synthetic-aws")
            .enable_all()
            .build()?;
        let server = runtime.block_on(Server::start_on(port, account, options))?;
        let endpoint = server.endpoint();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            // both ends of the wait are the same to us: told to stop, or the handle is gone
            let _ = runtime.block_on(stopped);
            runtime.shutdown_background();
        });
        Ok(Self { server: Some(server), stop: Some(stop), thread: Some(thread), endpoint })
    }

    /// What to give an SDK as its endpoint URL.
    pub fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    /// What was asked so far.
    pub fn stats(&self) -> Stats {
        self.server.as_ref().map(Server::stats).unwrap_or_default()
    }

    /// Forgets what was asked so far.
    pub fn reset_stats(&self) {
        if let Some(server) = &self.server {
            server.reset_stats();
        }
    }

    /// Adds a rule; it counts from the next request on.
    pub fn add_fault(&self, fault: Fault) {
        if let Some(server) = &self.server {
            server.add_fault(fault);
        }
    }

    /// Removes all rules, also those given in the options; the account's own denials stay.
    pub fn clear_faults(&self) {
        if let Some(server) = &self.server {
            server.clear_faults();
        }
    }
}

impl Drop for BlockingServer {
    fn drop(&mut self) {
        self.server = None;
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // a thread that panicked has nothing left to stop
            let _ = thread.join();
        }
    }
}
