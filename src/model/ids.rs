//! The row numbers of the store, one type each, so that none is taken for another.

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// One account of the configuration.
    AccountId;
    /// One mailbox of one account.
    FolderId;
    /// The content of one mail, however many folders hold a copy.
    MessageId;
    /// One copy of a mail in one folder; the only thing that knows a UID.
    PlacementId;
    /// One conversation.
    ThreadId;
    /// One queued operation.
    OpId;
    /// One mail that is being written.
    DraftId;
}
