//! How often AWS is called: a token bucket for each account, region and service. A call takes a token before it begins, so that
//! waiting for one costs none of the time that the call itself has.
//!
//! A look at a target never waits: a bucket holds more than the calls of any one look, and is full again long before the next.
//! What waits is what nobody intends: an interval of a second, edits over and over, or many controllers in one.

use std::collections::HashMap;
use std::num::{NonZeroU32, ParseIntError};
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::cloud::{CloudError, ErrorKind};
use crate::desired::names::{Account, Region};

/// Calls a second unless somebody says otherwise. AWS publishes no figure for service settings; everything else in the account
/// shares it.
const USUAL_RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(1);
/// How many calls a full bucket allows at once: more than a look at a role makes at most, which reads it twice (two calls each
/// time), writes five of its parts and attaches and detaches as many policies as a role can have (20 with the highest quota).
const BURST: NonZeroU32 = NonZeroU32::MIN.saturating_add(49);
/// STS is asked from one account for all of them, and is made for it.
const SESSIONS: NonZeroU32 = NonZeroU32::MIN.saturating_add(299);
/// Organizations is asked from one account too, for pages in a row. It throttles early, and the call waits that out.
const PAGES: NonZeroU32 = NonZeroU32::MIN.saturating_add(9);
/// Whoever would have to wait for longer is told at once that it is throttled, and comes again after its backoff.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Buckets that are full are as good as none. They are looked for when there are twice as many as were left the last time,
/// and not before there are so many.
const FEW: usize = 1024;

/// How many calls a second one service in one region may get from one account; `None` for any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallRate(Option<NonZeroU32>);

impl CallRate {
    /// As many as AWS takes.
    pub const UNLIMITED: Self = Self(None);
    /// The highest that can be asked for: nobody means more than this and not `off`.
    const HIGHEST: u32 = 10_000;
}

impl Default for CallRate {
    fn default() -> Self {
        Self(Some(USUAL_RATE))
    }
}

/// A text that is no rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a whole number of calls a second from 1 to {}, or `off`", CallRate::HIGHEST)]
pub struct NoRate;

impl From<ParseIntError> for NoRate {
    fn from(_: ParseIntError) -> Self {
        Self
    }
}

impl FromStr for CallRate {
    type Err = NoRate;

    fn from_str(text: &str) -> Result<Self, NoRate> {
        if text == "off" {
            return Ok(Self::UNLIMITED);
        }
        let rate: NonZeroU32 = text.parse()?;
        if rate.get() > Self::HIGHEST { Err(NoRate) } else { Ok(Self(Some(rate))) }
    }
}

/// Who is called on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Bucket {
    account: Account,
    /// `None`: the service is one for all regions.
    region: Option<Region>,
    service: &'static str,
}

/// All buckets.
#[derive(Debug)]
pub(super) struct Limits {
    /// `None`: there is no limit.
    usual: Option<Rate>,
    sessions: Rate,
    pages: Rate,
    longest_wait: Duration,
    buckets: Mutex<Buckets>,
}

/// How fast a bucket fills, and how much it holds.
#[derive(Debug, Clone, Copy)]
struct Rate {
    a_second: NonZeroU32,
    burst: NonZeroU32,
}

/// The buckets that are not full, each with when it will be: that is all there is to know of a token bucket (it is known as the
/// generic cell rate algorithm).
#[derive(Debug)]
struct Buckets {
    full_at: HashMap<Bucket, Instant>,
    /// How many there may be before full ones are thrown away.
    many: usize,
}

impl Limits {
    pub(super) fn new(rate: CallRate) -> Self {
        Self {
            usual: rate.0.map(|a_second| Rate { a_second, burst: BURST.max(a_second) }),
            sessions: Rate { a_second: SESSIONS, burst: SESSIONS },
            pages: Rate { a_second: PAGES, burst: BURST },
            longest_wait: LONGEST_WAIT,
            buckets: Mutex::new(Buckets { full_at: HashMap::new(), many: FEW }),
        }
    }

    /// Waits for a token, in the order of asking. The answer is how long that took.
    pub(super) async fn wait(
        &self,
        account: Account,
        region: Option<&Region>,
        operation: &'static str,
    ) -> Result<Duration, CloudError> {
        let Some(usual) = self.usual else { return Ok(Duration::ZERO) };
        let service = operation.split_once(':').map_or(operation, |(service, _)| service);
        let rate = match service {
            "sts" => self.sessions,
            "organizations" => self.pages,
            _ => usual,
        };
        let bucket = Bucket { account, region: region.cloned(), service };
        let now = Instant::now();
        let taken = {
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.take(bucket, rate, now, self.longest_wait)
        };
        let Some(pause) = taken else { return Err(kept_back(operation, self.longest_wait)) };
        if pause.is_zero() {
            return Ok(pause);
        }
        tokio::time::sleep(pause).await;
        Ok(now.elapsed())
    }
}

impl Buckets {
    /// Takes a token. The answer is when it is there, from now; `None`: not within `longest`, and none was taken.
    fn take(&mut self, bucket: Bucket, rate: Rate, now: Instant, longest: Duration) -> Option<Duration> {
        if self.full_at.len() >= self.many {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.many = (2 * self.full_at.len()).max(FEW);
            self.full_at.shrink_to(self.many);
        }
        let token = Duration::from_secs(1) / rate.a_second.get();
        let full_at = self.full_at.get(&bucket).map_or(now, |at| now.max(*at)) + token;
        let pause = (full_at - now).saturating_sub(token * rate.burst.get());
        if pause > longest {
            return None;
        }
        self.full_at.insert(bucket, full_at);
        Some(pause)
    }
}

fn kept_back(operation: &'static str, longest: Duration) -> CloudError {
    CloudError {
        operation,
        kind: ErrorKind::Throttled,
        code: None,
        message: format!(
            "not sent: the controller's own limit (--aws-rps) would keep it back for more than {} s",
            longest.as_secs()
        ),
        source: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SSM: &str = "ssm:GetServiceSetting";

    fn account(number: u64) -> Account {
        Account::Id(format!("{number:012}").parse().unwrap())
    }

    fn region(name: &str) -> Region {
        name.parse().unwrap()
    }

    /// How many calls go through at once.
    async fn at_once(limits: &Limits, account: Account, region: Option<&Region>, operation: &'static str) -> usize {
        let mut calls = 0;
        while calls < 10_000 && limits.wait(account, region, operation).await.is_ok_and(|waited| waited.is_zero()) {
            calls += 1;
        }
        calls
    }

    /// Nobody waits: who would is refused.
    fn impatient(rate: CallRate) -> Limits {
        Limits { longest_wait: Duration::ZERO, ..Limits::new(rate) }
    }

    #[test]
    fn a_rate_is_a_number_of_calls_or_off() {
        assert_eq!("5".parse(), Ok(CallRate(NonZeroU32::new(5))));
        assert_eq!("off".parse(), Ok(CallRate::UNLIMITED));
        for text in ["", "0", "-1", "1.5", "10001", "OFF", "fast"] {
            assert_eq!(text.parse::<CallRate>(), Err(NoRate), "{text}");
        }
        assert_eq!(NoRate.to_string(), "a whole number of calls a second from 1 to 10000, or `off`");
    }

    #[tokio::test(start_paused = true)]
    async fn each_account_region_and_service_has_a_bucket_of_its_own() {
        let limits = impatient("1".parse().unwrap());
        let (here, there) = (region("us-east-1"), region("eu-west-1"));
        let buckets = [
            (account(1), Some(&here), SSM),
            (account(2), Some(&here), SSM),
            (account(1), Some(&there), SSM),
            (account(1), None, "iam:GetRole"),
        ];
        for (account, region, operation) in buckets {
            assert_eq!(at_once(&limits, account, region, operation).await, 50, "{operation}");
        }
        let refused = limits.wait(account(1), Some(&here), "ssm:UpdateServiceSetting").await.unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Throttled, "all operations of a service share one");
        assert!(refused.message.contains("--aws-rps"), "{}", refused.message);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_bucket_gives_what_the_rate_allows_and_says_how_long_that_took() {
        let (limits, here) = (Limits::new("5".parse().unwrap()), region("us-east-1"));
        for _ in 0..50 {
            assert_eq!(limits.wait(account(1), Some(&here), SSM).await.unwrap(), Duration::ZERO);
        }
        let began = Instant::now();
        for _ in 0..20 {
            let waited = limits.wait(account(1), Some(&here), SSM).await.unwrap();
            assert!((199..=201).contains(&waited.as_millis()), "{waited:?}");
        }
        assert!((3990..=4030).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(at_once(&limits, account(1), Some(&here), SSM).await, 50, "and is full again");
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_longest_wait() {
        let (limits, here) = (Limits::new("1".parse().unwrap()), region("us-east-1"));
        let asking: Vec<_> = (0..100).map(|_| limits.wait(account(1), Some(&here), SSM)).collect();
        let (mut told, mut refused) = (Vec::new(), 0);
        for asked in futures(asking).await {
            match asked {
                Ok(waited) => told.push(waited),
                Err(_) => refused += 1,
            }
        }
        assert_eq!((told.len(), refused), (60, 40), "50 at once, 10 in 10 seconds");
        assert!(told.iter().all(|waited| *waited <= LONGEST_WAIT + Duration::from_millis(1)), "{told:?}");
    }

    /// All at once.
    async fn futures<F: Future>(all: Vec<F>) -> Vec<F::Output> {
        let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
        std::future::poll_fn(|context| {
            for (one, answer) in all.iter_mut().filter(|(_, answer)| answer.is_none()) {
                if let std::task::Poll::Ready(ready) = one.as_mut().poll(context) {
                    *answer = Some(ready);
                }
            }
            let waits = all.iter().any(|(_, answer)| answer.is_none());
            if waits { std::task::Poll::Pending } else { std::task::Poll::Ready(()) }
        })
        .await;
        all.into_iter().filter_map(|(_, answer)| answer).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_look_a_second_at_a_setting_or_one_at_a_role_with_all_its_corrections_never_waits() {
        let (limits, here) = (Limits::new(CallRate::default()), region("us-east-1"));
        for _ in 0..50 {
            assert_eq!(limits.wait(account(1), None, "iam:AttachRolePolicy").await.unwrap(), Duration::ZERO);
        }
        for second in 0..3600 {
            // One in ten finds drift, and writes and reads back.
            for _ in 0..(if second % 10 == 0 { 3 } else { 1 }) {
                assert_eq!(limits.wait(account(1), Some(&here), SSM).await.unwrap(), Duration::ZERO);
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn sessions_for_all_accounts_have_more_room_than_calls_in_one() {
        let limits = impatient(CallRate::default());
        assert_eq!(at_once(&limits, Account::Own, None, "sts:AssumeRole").await, 300);
        assert_eq!(at_once(&limits, Account::Own, None, "organizations:ListAccounts").await, 50);
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nothing_waits() {
        assert_eq!(at_once(&impatient(CallRate::UNLIMITED), account(1), None, "iam:GetRole").await, 10_000);
    }

    #[tokio::test(start_paused = true)]
    async fn buckets_that_are_full_again_are_forgotten() {
        let (limits, here) = (Limits::new(CallRate::default()), region("us-east-1"));
        for number in 0..20_000 {
            limits.wait(account(number), Some(&here), SSM).await.unwrap();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        // A call is made up for after half a second, in which there are five hundred.
        let kept = limits.buckets.lock().unwrap().full_at.len();
        assert!(kept <= FEW, "{kept} of 20000 kept");
    }
}
