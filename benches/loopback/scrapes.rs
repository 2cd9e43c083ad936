//! Many clients scrape at once, over and over: what that does to the work on the targets, and to memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use crate::process::get;

/// As many as nobody has.
pub(crate) const CLIENTS: usize = 200;

/// Clients at work. Each asks again as soon as it is answered.
pub(crate) struct Scrapes {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<()>>,
}

impl Scrapes {
    /// Begins.
    pub(crate) fn begin(address: &str) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let client = |_| {
            let (stop, answered, address) = (Arc::clone(&stop), Arc::clone(&answered), address.to_owned());
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let answer = get(&address, "/metrics").expect("an answer");
                    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { stop, answered, clients }
    }

    /// How many scrapes were answered so far.
    pub(crate) fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Ends.
    pub(crate) fn end(self) {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            client.join().unwrap();
        }
    }
}
