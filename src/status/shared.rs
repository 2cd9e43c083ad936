//! Equal values, kept once: tens of thousands of targets want, have and lack the same.

use std::borrow::Borrow;
use std::collections::HashSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use crate::plan::Drift;

/// Below this a sweep is not worth its while.
const FEW: usize = 256;

/// The one copy of each value that is in use. Values that nobody uses any more are swept out now and then: reasons hold
/// request ids, of which there is no end.
#[derive(Debug)]
pub(super) struct Pool<T: ?Sized> {
    known: HashSet<Arc<T>>,
    sweep_at: usize,
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self { known: HashSet::new(), sweep_at: FEW }
    }
}

impl<T: ?Sized + Eq + Hash> Pool<T> {
    /// The one copy of this value.
    pub(super) fn share(&mut self, value: impl Borrow<T> + Into<Arc<T>>) -> Arc<T> {
        if let Some(known) = self.known.get(value.borrow()) {
            return Arc::clone(known);
        }
        if self.known.len() >= self.sweep_at {
            self.known.retain(|value| Arc::strong_count(value) > 1);
            // Twice what is in use: a sweep then costs each newcomer a fixed share.
            self.sweep_at = FEW.max(2 * self.known.len());
        }
        let shared: Arc<T> = value.into();
        self.known.insert(Arc::clone(&shared));
        shared
    }
}

/// All that differs in one target.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Differences(pub Vec<Drift>);

impl Hash for Differences {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for Drift { kind, subject, before, after } in &self.0 {
            (kind, subject, before, after).hash(state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::DriftKind;

    #[test]
    fn equal_values_are_one() {
        let (mut texts, mut drifts) = (Pool::<str>::default(), Pool::<Differences>::default());
        assert!(Arc::ptr_eq(&texts.share("same"), &texts.share("same".to_owned())));
        assert!(!Arc::ptr_eq(&texts.share("same"), &texts.share("other")));
        let drift = |after: &str| Differences(vec![Drift::new(DriftKind::SettingUnset, "unset", after)]);
        assert!(Arc::ptr_eq(&drifts.share(drift("R")), &drifts.share(drift("R"))));
        assert!(!Arc::ptr_eq(&drifts.share(drift("R")), &drifts.share(drift("S"))));
    }

    #[test]
    fn what_nobody_uses_any_more_is_let_go_and_what_is_used_stays_one() {
        let mut texts = Pool::<str>::default();
        let used = texts.share("used");
        for request in 0..100_000 {
            drop(texts.share(format!("denied, request {request}")));
        }
        assert!(texts.known.len() <= FEW, "{}", texts.known.len());
        assert!(Arc::ptr_eq(&used, &texts.share("used")));
    }
}
