//! How long AWS is waited for, and how often the SDK asks again by itself.

use std::time::Duration;

use aws_config::timeout::TimeoutConfig;
use aws_smithy_types::retry::RetryConfig;

/// The patience of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Until there is a connection.
    pub connect: Duration,
    /// Until one attempt is answered.
    pub attempt: Duration,
    /// Until the call is over, with all its attempts and the pauses between them.
    pub call: Duration,
    /// How often a call is sent at most.
    pub attempts: u32,
    /// The longest that the first pause between attempts may be; each further one may be twice as long. How long one really is
    /// is random.
    pub first_pause: Duration,
    /// What no pause is longer than.
    pub longest_pause: Duration,
}

impl Patience {
    /// Of everything but lists of members. The SDK mends blips; whatever lasts longer belongs to the queue.
    ///
    /// - A handshake over any distance takes well under a second; three leave room for one lost packet.
    /// - The slowest of our calls answers within a second or two; five are an outage.
    /// - Eight for a call let a write and the two reads of a role's read-back fit into the 25 seconds that a shutdown waits,
    ///   unless a session has to be opened in between.
    pub const OF_CALLS: Self = Self {
        connect: Duration::from_secs(3),
        attempt: Duration::from_secs(5),
        call: Duration::from_secs(8),
        attempts: 3,
        first_pause: Duration::from_secs(1),
        longest_pause: Duration::from_secs(20),
    };

    /// Of lists of members, which are hundreds of calls in a row and have to wait out throttling where they are: to begin again
    /// would be to call more, not less.
    pub const OF_LISTS: Self = Self { call: Duration::from_mins(2), attempts: 8, ..Self::OF_CALLS };

    pub(super) fn timeouts(self) -> TimeoutConfig {
        let builder = TimeoutConfig::builder().connect_timeout(self.connect).operation_attempt_timeout(self.attempt);
        builder.operation_timeout(self.call).build()
    }

    pub(super) fn retries(self) -> RetryConfig {
        let retries = RetryConfig::standard().with_max_attempts(self.attempts);
        retries.with_initial_backoff(self.first_pause).with_max_backoff(self.longest_pause)
    }
}
