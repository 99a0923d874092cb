//! The one integration test binary.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

mod cli;
mod cli_mail;
mod config;
mod conformance;
mod corpus;
mod demo;
mod docs;
mod engine;
mod faults_disk;
mod faults_kill;
mod faults_memory;
mod faults_proxy;
mod faults_wire;
mod floors;
mod flows;
mod imap_chaos;
mod imap_deeds;
mod imap_login;
mod imap_wire;
mod keys;
mod net_dial;
mod net_wire;
mod oracle;
mod pop3_wire;
mod props;
mod pty;
mod screens;
mod servers;
mod store;
mod store_intents;
mod store_kit;
mod store_pop;
mod store_records;
mod support;
