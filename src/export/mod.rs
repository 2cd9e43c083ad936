//! From what an account has to the document that says just that, so that adopting the controller changes nothing. Pure.
//!
//! [`export`] chooses the one role that a document can name (`choice`), writes down what of it the document can keep
//! (`role`), says of each region what AWS has, and tells what looks odd. What a document can hold is for [`crate::desired`] to
//! say: a field is written if a document with it is valid.

mod choice;
mod document;
pub mod oddity;
mod probe;
pub mod report;
mod role;
mod scalar;
pub mod seen;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::desired::names::Region;
use crate::desired::{Problems, load};
use crate::observed::Update;
use choice::{Choice, Standing};
pub use document::{Kind, Line};
use oddity::{Oddity, OddityKind};
use role::RoleEntry;
use scalar::shown;
use seen::{SeenAccount, SeenRegion};

/// What becomes of regions whose setting is unset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unset {
    /// They are not in the document.
    #[default]
    Unmanaged,
    /// The document keeps them unset.
    Disabled,
}

/// What the document says of a region that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// `enabled`
    Enabled,
    /// `disabled`
    Disabled,
    /// `unmanaged`
    Unmanaged,
}

impl Said {
    /// The word in the document.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
            Self::Unmanaged => "unmanaged",
        }
    }
}

/// A document that describes an account, and what is odd about that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The document, line by line.
    pub lines: Vec<Line>,
    /// What it says of each region that it names.
    pub regions: BTreeMap<Region, Said>,
    /// The setting's value that names the document's role.
    pub value: Option<String>,
    /// What looks odd: for the account as a whole, for the role, then region by region.
    pub oddities: Vec<Oddity>,
}

impl Export {
    /// The document as text.
    #[must_use]
    pub fn document(&self) -> String {
        let mut text = self.lines.iter().map(Line::to_string).collect::<Vec<_>>().join("\n");
        text.push('\n');
        text
    }

    /// How many of the regions that are named are said to be this.
    #[must_use]
    pub fn count(&self, said: Said) -> usize {
        self.regions.values().filter(|one| **one == said).count()
    }

    /// What could not be read, so that the document is not all there is to say.
    pub fn unread(&self) -> impl Iterator<Item = &Oddity> {
        self.oddities.iter().filter(|oddity| oddity.kind.is_unread())
    }
}

/// Describes an account. The error is a defect: whatever was seen, there is a valid document of it.
pub fn export(seen: &SeenAccount, unset: Unset) -> Result<Export, Problems> {
    let choice = choice::choose(seen);
    let mut oddities = oddity::of_account(seen);
    oddities.extend(oddity::of_other_roles(seen, choice.as_ref().map(|choice| choice.name.as_str())));
    let entry = choice.as_ref().map(|choice| role::write(seen, choice, &mut oddities));
    let regions = regions(seen, choice.as_ref(), unset, &mut oddities);
    let choice = choice.as_ref();
    let value = choice.map(|choice| choice.value.to_owned());
    let written = Written {
        seen,
        standing: choice.map(|choice| choice.standing),
        role: entry.as_ref(),
        role_name: choice.map(|choice| choice.name.as_str()),
        regions: &regions,
        unset,
    };
    let lines = document::write(&written, &oddities);
    let export = Export { lines, regions, value, oddities };
    load(export.document().as_bytes())?;
    Ok(export)
}

/// Everything that goes into the document, but for the comments.
struct Written<'a> {
    seen: &'a SeenAccount,
    /// How the role stands; `None`: no region needs one.
    standing: Option<Standing<'a>>,
    role: Option<&'a RoleEntry>,
    /// Its name as it is, for whoever looks for what is odd about it.
    role_name: Option<&'a str>,
    regions: &'a BTreeMap<Region, Said>,
    unset: Unset,
}

/// What is said of each region. What AWS has not decided yet, or nobody could read, is not ours to keep.
fn regions(seen: &SeenAccount, choice: Option<&Choice<'_>>, unset: Unset, oddities: &mut Vec<Oddity>) -> BTreeMap<Region, Said> {
    let mut regions = BTreeMap::new();
    for (region, state) in &seen.regions {
        let mut odd = |kind, message| oddities.push(Oddity::of_region(kind, region, message));
        let said = match state {
            SeenRegion::Unread(why) => {
                odd(OddityKind::RegionUnread, format!("could not be read: {}", shown(why)));
                Said::Unmanaged
            }
            SeenRegion::Read(setting) if setting.update == Update::Pending => {
                let value = setting.value.as_deref().map_or_else(|| "unset".to_owned(), |value| format!("`{}`", shown(value)));
                odd(
                    OddityKind::PendingUpdate,
                    format!("AWS is still applying a change (PendingUpdate); now it is {value}: export again when it has"),
                );
                Said::Unmanaged
            }
            SeenRegion::Read(setting) => match (setting.value.as_deref(), unset) {
                (None, Unset::Unmanaged) => continue,
                (None, Unset::Disabled) => Said::Disabled,
                (Some(value), _) if choice.is_some_and(|choice| choice.value == value) => Said::Enabled,
                (Some(value), _) => {
                    let (kind, message) = choice::of_another_role(seen, value, choice);
                    odd(kind, message);
                    Said::Unmanaged
                }
            },
            SeenRegion::Changing(_) | SeenRegion::NotKnownHere | SeenRegion::Closed | SeenRegion::MostLikelyClosed => continue,
        };
        regions.insert(region.clone(), said);
    }
    regions
}
