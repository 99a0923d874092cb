//! What the user is doing: state, keys and commands, without drawing and without I/O.

pub mod action;
pub mod command;
mod commands;
pub mod effect;
pub mod key;
pub mod keymap;
pub mod scope;
