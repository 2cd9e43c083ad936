//! Many clients scrape at once, over and over: what that does to the work on the targets, and to memory.
//!
//! All on one thread: two hundred threads would take the processors from the controller, which nobody does from afar.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// As many as nobody has.
pub(crate) const CLIENTS: usize = 200;

/// Clients at work. Each asks again as soon as it is answered.
pub(crate) struct Scrapes {
    stop: CancellationToken,
    answered: Arc<AtomicUsize>,
    thread: JoinHandle<()>,
}

impl Scrapes {
    /// Begins.
    pub(crate) fn begin(address: &str) -> Self {
        let (stop, answered, address) = (CancellationToken::new(), Arc::new(AtomicUsize::new(0)), address.to_owned());
        let (stopped, count) = (stop.clone(), Arc::clone(&answered));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let mut clients = JoinSet::new();
            for _ in 0..CLIENTS {
                clients.spawn_on(scrape(address.clone(), Arc::clone(&count)), runtime.handle());
            }
            // One that ends has failed.
            let failed = runtime.block_on(stopped.run_until_cancelled(clients.join_next()));
            assert!(failed.is_none(), "{failed:?}");
        });
        Self { stop, answered, thread }
    }

    /// How many scrapes were answered so far.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Ends.
    pub(crate) fn end(self) {
        self.stop.cancel();
        self.thread.join().unwrap();
    }
}

async fn scrape(address: String, answered: Arc<AtomicUsize>) {
    let mut answer = Vec::new();
    loop {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await.unwrap();
        answer.clear();
        stream.read_to_end(&mut answer).await.unwrap();
        assert!(answer.starts_with(b"HTTP/1.0 200"), "{}", String::from_utf8_lossy(&answer));
        answered.fetch_add(1, Ordering::Relaxed);
    }
}
