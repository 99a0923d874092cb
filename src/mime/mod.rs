//! Messages: parsing, decoding, rendering; nothing here trusts what it reads.
