//! A folder of which nothing is held: a pull tells all there is.

use std::collections::HashSet;

use super::Known;
use crate::error::Result;
use crate::model::{Cursor, Flags, UidSet};

/// Nothing but the names of POP3 mail that was seen.
#[derive(Debug, Default)]
pub struct Nothing {
    /// UIDLs, verbatim.
    pub uidls: HashSet<String>,
}

impl Known for Nothing {
    fn cursor(&self) -> Cursor {
        Cursor::default()
    }

    fn uids(&self) -> Result<UidSet> {
        Ok(UidSet::default())
    }

    fn flags(&self) -> Result<Vec<(u32, Flags, Vec<String>)>> {
        Ok(Vec::new())
    }

    fn has_uidl(&self, uidl: &str) -> bool {
        self.uidls.contains(uidl)
    }
}
