//! The HTTP server: accepts, hands requests to [`state`], and can be dropped to stop.

mod blocking;
mod body;
mod connection;
mod state;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use crate::{Account, Fault, Options, Stats};
use connection::Connection;
use state::State;

pub use blocking::BlockingServer;
pub(crate) use state::{Context, lock};

/// A running server on 127.0.0.1. Dropping it closes its port and its connections.
pub struct Server {
    address: SocketAddr,
    state: Arc<State>,
    accepting: AbortHandle,
}

impl Server {
    /// Starts on a free port, on the current tokio runtime.
    pub async fn start(account: Account, options: Options) -> io::Result<Server> {
        Self::start_on(0, account, options).await
    }

    /// Starts on this port of 127.0.0.1 (0: a free one).
    pub async fn start_on(port: u16, account: Account, options: Options) -> io::Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::new(account, options));
        let accepting = tokio::spawn(accept(listener, Arc::clone(&state))).abort_handle();
        Ok(Server { address, state, accepting })
    }

    /// What to give an SDK as its endpoint URL.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The account that is served.
    pub fn account(&self) -> &Account {
        self.state.account()
    }

    /// What was asked so far.
    pub fn stats(&self) -> Stats {
        self.state.stats()
    }

    /// Forgets what was asked so far.
    pub fn reset_stats(&self) {
        self.state.reset_stats();
    }

    /// Adds a rule; it counts from the next request on.
    pub fn add_fault(&self, fault: Fault) {
        self.state.add_fault(fault);
    }

    /// Removes all rules, also those given in the options; the account's own denials stay.
    pub fn clear_faults(&self) {
        self.state.clear_faults();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// Accepts until it is aborted; the connections end with it, because the set owns them.
async fn accept(listener: TcpListener, state: Arc<State>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => { connections.spawn(serve(stream, Arc::clone(&state))); }
                // out of file descriptors: wait until some connection has ended
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    // best effort: a client that waits for the last small segment only measures Nagle
    let _ = stream.set_nodelay(true);
    let reset = Arc::new(AtomicBool::new(false));
    let connection = TokioIo::new(Connection::new(stream, Arc::clone(&reset)));
    let service = service_fn(|request| {
        let (state, reset) = (Arc::clone(&state), Arc::clone(&reset));
        async move { state.answer(request, reset).await }
    });
    // an error here is a client that went away, or a fault that we were asked for
    let _ = http1::Builder::new().serve_connection(connection, service).await;
}
